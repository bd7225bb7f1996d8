"""A push service as browsers have them, after RFC 8030, 8188, 8291 and 8292, that decrypts what it is given."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.fakes.fcm import Reply, answer
from tests.fakes.tls import PUSH_HOST

MOST_BYTES = 4096


@dataclass(frozen=True)
class Subscription:
    """What a browser knows of its subscription."""

    id: str
    private_key: ec.EllipticCurvePrivateKey
    secret: bytes

    @property
    def point(self) -> bytes:
        return self.private_key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )

    @property
    def p256dh(self) -> str:
        return _text(self.point)

    @property
    def auth(self) -> str:
        return _text(self.secret)

    def read(self, body: bytes) -> Any:
        """Decrypt a message (RFC 8291 over RFC 8188, one record)."""
        salt, length = body[:16], body[20]
        sender, sealed = body[21 : 21 + length], body[21 + length :]
        shared = self.private_key.exchange(
            ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        )
        material = _derived(32, self.secret, b"WebPush: info\x00" + self.point + sender, shared)
        key = _derived(16, salt, b"Content-Encoding: aes128gcm\x00", material)
        nonce = _derived(12, salt, b"Content-Encoding: nonce\x00", material)
        padded = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\x00")
        assert padded[-1] == 2  # the last record
        return json.loads(padded[:-1])


@dataclass(frozen=True)
class Pushed:
    subscription: str
    content: Any
    headers: dict[str, str]
    size: int


@dataclass
class FakePushService:
    """`planned` replies are given in turn; without one a message is checked, decrypted and taken."""

    server_key: str
    planned: list[Reply] = field(default_factory=list)
    taken: list[Pushed] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    port: int = 0
    _subscriptions: dict[str, Subscription] = field(default_factory=dict)

    def subscribe(self) -> Subscription:
        it = Subscription(uuid4().hex, ec.generate_private_key(ec.SECP256R1()), uuid4().bytes)
        self._subscriptions[it.id] = it
        return it

    def address(self, subscription: Subscription) -> str:
        return f"https://{PUSH_HOST}:{self.port}/wpush/v2/{subscription.id}"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            part = await receive()
            body += part.get("body", b"")
            if not part.get("more_body"):
                break
        self.asked.append(scope["path"])
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        reply = self.planned.pop(0) if self.planned else self._take(scope["path"], headers, body)
        await answer(reply, receive, send)

    def _take(self, path: str, headers: dict[str, str], body: bytes) -> Reply:
        subscription = self._subscriptions.get(path.rpartition("/")[2])
        if subscription is None:
            return Reply(410)
        if "ttl" not in headers or headers.get("content-encoding") != "aes128gcm":
            return Reply(400)
        if len(body) > MOST_BYTES:
            return Reply(413)
        if not self._knows(headers.get("authorization", "")):
            return Reply(403)
        self.taken.append(Pushed(subscription.id, subscription.read(body), headers, len(body)))
        return Reply(201)

    def _knows(self, authorization: str) -> bool:
        """Whether it is signed (RFC 8292) with the key the subscriptions were made for."""
        scheme, _, rest = authorization.partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        if scheme != "vapid" or parts["k"] != self.server_key:
            return False
        point = urlsafe_b64decode(parts["k"] + "=" * (-len(parts["k"]) % 4))
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        claims = jwt.decode(
            parts["t"], public, algorithms=["ES256"], audience=f"https://{PUSH_HOST}:{self.port}", leeway=5
        )
        assert claims["sub"].startswith(("mailto:", "https:"))
        return True


def _derived(length: int, salt: bytes, info: bytes, material: bytes) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(material)


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")
