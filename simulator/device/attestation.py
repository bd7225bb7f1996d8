"""The phone's own signature under what it recorded: ECDSA on P-256, the key made when the phone is enrolled.

A phone in a browser makes it with WebCrypto and can't take it out again. This one draws it from the given randomness
and keeps it in its database: the same seed is the same phone.
"""

import base64
import json
from collections.abc import Mapping
from copy import copy
from decimal import Decimal
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_HALF = 32
_PLAIN_FROM, _PLAIN_BELOW = 1e-6, 1e21

type Json = dict[str, Any]


class DeviceKey:
    def __init__(self, number: int) -> None:
        self._number = number
        self._key = ec.derive_private_key(number, ec.SECP256R1())

    @staticmethod
    def draw(rng: Random) -> "DeviceKey":
        """A key by the state of `rng`, which is left as it is: what else it decides does not depend on having keys."""
        return DeviceKey(copy(rng).randrange(1, _ORDER))

    @staticmethod
    def load(text: str) -> "DeviceKey":
        return DeviceKey(int(text, 16))

    def dump(self) -> str:
        return f"{self._number:x}"

    @property
    def public(self) -> str:
        """As WebCrypto exports it (SPKI), in base64."""
        spki = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(spki).decode()

    def attested(self, package: Mapping[str, Any]) -> Json:
        """Answer the package with this phone's signature over its canonical JSON."""
        made = self._key.sign(canonical(package), ec.ECDSA(SHA256(), deterministic_signing=True))
        r, s = decode_dss_signature(made)
        raw = r.to_bytes(_HALF) + s.to_bytes(_HALF)
        return {**package, "attestation": {"alg": "ES256", "signature": base64.b64encode(raw).decode()}}


def canonical(value: Any) -> bytes:
    """JSON as RFC 8785 spells it."""
    return _spelled(value).encode()


def _spelled(value: Any) -> str:
    match value:
        case float():
            return _number(value)
        case Mapping():
            ordered = sorted(value.items(), key=lambda pair: pair[0].encode("utf-16-be"))
            return "{" + ",".join(f"{_spelled(key)}:{_spelled(inner)}" for key, inner in ordered) + "}"
        case list() | tuple():
            return "[" + ",".join(map(_spelled, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    """As JavaScript writes it: no exponent for what is neither tiny nor huge."""
    if value == 0:
        return "0"
    if _PLAIN_FROM <= abs(value) < _PLAIN_BELOW:
        plain = f"{Decimal(repr(value)):f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"
