"""The device's own word: its signature over the package, checked against the key it registered. Pure.

Keys are SubjectPublicKeyInfo on P-256, as WebCrypto's `exportKey("spki")` gives them, in base64 or PEM; signatures
are the 64 bytes `r ‖ s` of ECDSA with SHA-256, as WebCrypto's `sign` gives them, in base64 or base64url.
"""

import base64
import binascii

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from server.confirmation.domain import Attested

_HALF = 32


def attested(public_key: str | None, package: bytes, signature: str | None) -> Attested:
    """Judge a signature over the canonical bytes of a package."""
    if signature is None:
        return Attested.MISSING
    key = _read_key(public_key)
    if key is None:
        return Attested.NO_KEY
    try:
        key.verify(_der(signature), package, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return Attested.INVALID
    return Attested.VERIFIED


def _read_key(text: str | None) -> ec.EllipticCurvePublicKey | None:
    """Answer the key, or None for what is none that we know how to use."""
    try:
        key = load_der_public_key(_bytes(_without_armour(text or "")))
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1) else None


def _without_armour(pem: str) -> str:
    return "".join(line.strip() for line in pem.splitlines() if not line.startswith("-----"))


def _der(signature: str) -> bytes:
    raw = _bytes(signature)
    if len(raw) != 2 * _HALF:
        message = "an ES256 signature has 64 bytes"
        raise ValueError(message)
    return utils.encode_dss_signature(int.from_bytes(raw[:_HALF]), int.from_bytes(raw[_HALF:]))


def _bytes(text: str) -> bytes:
    """Read base64 of either alphabet, padded or not. Raises ValueError."""
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error as wrong:
        raise ValueError(str(wrong)) from None
