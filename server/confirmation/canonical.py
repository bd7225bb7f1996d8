"""JSON in one spelling (RFC 8785), so that a hash means the same on a phone, a server and in ten years."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

_EXACT = 2**53

# ECMAScript writes numbers from 0.1e-5 up to 0.999…e21 without an exponent.
_LOWEST_POINT, _HIGHEST_POINT = -5, 21


def canonical(value: Any) -> bytes:
    """Spell plain JSON as RFC 8785 does. Raises ValueError for NaN, infinities, other types and lone surrogates."""
    return "".join(_spell(value)).encode()


def digest(value: Any) -> str:
    """Answer the sha256 (hex) of a value's canonical spelling."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _spell(value: Any) -> list[str]:
    match value:
        case None:
            return ["null"]
        case bool():
            return ["true" if value else "false"]
        case int() | float():
            return [_number(value)]
        case str():
            return [json.dumps(value, ensure_ascii=False)]
        case Mapping():
            return _object(value)
        case list() | tuple():
            return _array(value)
    message = f"{type(value).__name__} is not JSON"
    raise ValueError(message)


def _object(value: Mapping[Any, Any]) -> list[str]:
    # By UTF-16 code units, as JavaScript compares strings.
    keys = sorted(value, key=lambda key: str(key).encode("utf-16-be"))
    parts: list[str] = ["{"]
    for key in keys:
        if not isinstance(key, str):
            message = "JSON objects have text keys"
            raise ValueError(message)  # noqa: TRY004 - one error for everything that is not JSON
        parts += [json.dumps(key, ensure_ascii=False), ":", *_spell(value[key]), ","]
    return [*(parts[:-1] if keys else parts), "}"]


def _array(value: Sequence[Any]) -> list[str]:
    parts: list[str] = ["["]
    for item in value:
        parts += [*_spell(item), ","]
    return [*(parts[:-1] if value else parts), "]"]


def _number(value: float) -> str:
    """Spell a number as ECMAScript's Number::toString; every number is a double there."""
    if isinstance(value, int) and abs(value) <= _EXACT:
        return str(value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        message = "JSON has no NaN, no infinities and nothing beyond what a double holds"
        raise ValueError(message)
    if number == 0:
        return "0"
    sign = "-" if number < 0 else ""
    return sign + _plain_or_exponent(*_digits(abs(number)))


def _digits(number: float) -> tuple[str, int]:
    """Answer the shortest digits that read back as `number`, and where the point stands (0.digits x 10**point)."""
    mantissa, _, exponent = repr(number).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    leading = len(whole + fraction) - len(digits)
    return digits.rstrip("0"), len(whole) - leading + int(exponent or 0)


def _plain_or_exponent(digits: str, point: int) -> str:
    if not _LOWEST_POINT <= point <= _HIGHEST_POINT:
        rest = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{digits[0]}{rest}e{'+' if point > 0 else '-'}{abs(point - 1)}"
    if point <= 0:
        return f"0.{'0' * -point}{digits}"
    if len(digits) <= point:
        return digits + "0" * (point - len(digits))
    return f"{digits[:point]}.{digits[point:]}"
