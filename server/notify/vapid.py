"""The key by which push services know this server, and the keys by which a browser's subscription is encrypted for."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

_POINT_LENGTH = 65
_AUTH_LENGTH = 16


class VapidKey:
    """The key by which push services know this server; subscriptions are made for it and end with it."""

    def __init__(self, pem: str) -> None:
        """Raises ValueError for what is no P-256 private key."""
        key = serialization.load_pem_private_key(pem.encode(), password=None)
        if not (isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1"):
            message = "a VAPID key is a P-256 private key in PEM"
            raise ValueError(message)
        self._vapid = Vapid02(key)
        point = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        self.public = _text(point)

    @staticmethod
    def make() -> str:
        """Answer a new key as PEM."""
        return (
            ec.generate_private_key(ec.SECP256R1())
            .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            .decode()
        )

    def authorization(self, *, service: str, contact: str, until: int) -> str:
        """Answer the header that tells a service who sends. `until` in Unix seconds."""
        signed: dict[str, str] = self._vapid.sign({"aud": service, "sub": contact, "exp": until})
        return signed["Authorization"]


def are_keys(p256dh: str, auth: str) -> bool:
    """Whether a subscription's keys are such that something can be encrypted for them."""
    try:
        point, secret = _bytes(p256dh), _bytes(auth)
        if len(point) != _POINT_LENGTH:
            return False
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        return False
    return len(secret) == _AUTH_LENGTH


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")
