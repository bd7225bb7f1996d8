"""JSON in one spelling (RFC 8785), so that a hash means the same on a phone, a server and in ten years."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

_EXACT = 2**53

# ECMAScript writes numbers from 0.1e-5 up to 0.999…e21 without an exponent.
_LOWEST_POINT, _HIGHEST_POINT = -5, 21


def canonical(value: Any) -> bytes:
    """Spell plain JSON as RFC 8785 does. Raises ValueError for NaN, infinities, other types and lone surrogates."""
    parts: list[str] = []
    _spell(value, parts.append)
    return "".join(parts).encode()


def digest(value: Any) -> str:
    """Answer the sha256 (hex) of a value's canonical spelling."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _spell(value: Any, say: Callable[[str], None]) -> None:
    match value:
        case str():
            say(encode_basestring(value))
        case None:
            say("null")
        case bool():
            say("true" if value else "false")
        case int() | float():
            say(_number(value))
        case dict() | Mapping():
            _object(value, say)
        case list() | tuple():
            _array(value, say)
        case _:
            message = f"{type(value).__name__} is not JSON"
            raise ValueError(message)


def _object(value: Mapping[Any, Any], say: Callable[[str], None]) -> None:
    before = "{"
    for key in sorted(value, key=_utf16):
        say(before + encode_basestring(key) + ":")
        _spell(value[key], say)
        before = ","
    say("}" if value else "{}")


def _utf16(key: Any) -> bytes:
    """How JavaScript compares strings: by UTF-16 code units."""
    if not isinstance(key, str):
        message = "JSON objects have text keys"
        raise ValueError(message)  # noqa: TRY004 - one error for everything that is not JSON
    return key.encode("utf-16-be")


def _array(value: Sequence[Any], say: Callable[[str], None]) -> None:
    before = "["
    for item in value:
        say(before)
        _spell(item, say)
        before = ","
    say("]" if value else "[]")


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
