from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from server.core.clock import SystemClock
from server.notify.domain import Hint, Message, PushEndpoint, PushKind
from tests.fakes.fcm import FakeFcm
from tests.fakes.push_service import FakePushService
from tests.fakes.tls import Authority, authority, served

__all__ = ["authority"]

DAY = timedelta(hours=24)


def message(hint: Hint = Hint.JOB, *, attempts: int = 1, reached: tuple[UUID, ...] = ()) -> Message:
    now = SystemClock().now()
    return Message(uuid4(), uuid4(), hint, uuid4(), "job:1", attempts, now, now + DAY, reached)


def phone(address: str = "fid-of-a-phone:APA91b", kind: PushKind = PushKind.FCM, **keys: str) -> PushEndpoint:
    return PushEndpoint(uuid4(), uuid4(), uuid4(), kind, address, keys.get("p256dh"), keys.get("auth"))


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def fake(key: rsa.RSAPrivateKey) -> FakeFcm:
    return FakeFcm(key)


@pytest.fixture
def port(fake: FakeFcm, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Where the fake listens. Clients in this process trust it, by the variables their libraries read."""
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, str(authority.root))
    with served(fake, authority) as listening:
        yield listening


@pytest.fixture
def service(authority: Authority, vapid) -> Iterator[FakePushService]:
    fake = FakePushService(vapid.public)
    with served(fake, authority) as listening:
        fake.port = listening
        yield fake


@pytest.fixture(scope="session")
def vapid():
    from server.notify.vapid import VapidKey

    return VapidKey(VapidKey.make())
