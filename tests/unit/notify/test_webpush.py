"""Web Push against a service that decrypts and checks the signature, over TLS."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp.abc import AbstractResolver

from server.core.clock import SystemClock
from server.notify.domain import Delivery, Hint, PushKind
from server.notify.push_hosts import PushHosts
from server.notify.vapid import VapidKey
from server.notify.webpush import PublicAddresses, WebPush
from tests.fakes.fcm import SILENCE, Reply
from tests.fakes.push_service import FakePushService
from tests.fakes.tls import PUSH_HOST
from tests.unit.notify.conftest import DAY, message, phone


class Leading(AbstractResolver):
    """Leads every name to the addresses it is made with."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(self, host, port=0, family=0):
        del family
        return [
            {"hostname": host, "host": it, "port": port, "family": 10 if ":" in it else 2, "proto": 0, "flags": 0}
            for it in self.addresses
        ]

    async def close(self) -> None: ...


@pytest.fixture
async def channel(service: FakePushService, vapid, authority) -> AsyncIterator[WebPush]:
    made = WebPush(
        vapid,
        "mailto:push@callout.example",
        PushHosts([f"{PUSH_HOST}:{service.port}"]),
        SystemClock(),
        resolver=Leading("127.0.0.1"),
        trusted=authority.trusting(),
        answer_within_s=5,
    )
    yield made
    await made.aclose()


def subscribed(service: FakePushService):
    it = service.subscribe()
    return phone(service.address(it), PushKind.WEBPUSH, p256dh=it.p256dh, auth=it.auth)


async def test_the_browser_reads_the_hint_and_the_service_who_sent_it_for_how_long(channel, service):
    it, to = message(Hint.ARRIVAL), subscribed(service)
    assert (await channel.send(it, to, timedelta(minutes=40))).delivery is Delivery.DELIVERED
    [pushed] = service.taken
    assert pushed.content == {"h": "arrival", "id": str(it.subject_id)}
    assert {name: pushed.headers[name] for name in ("ttl", "urgency", "topic")} == {
        "ttl": "2400",
        "urgency": "high",
        "topic": it.topic,
    }
    assert pushed.size < 300


@pytest.mark.parametrize(
    ("reply", "delivery", "retry_after_s"),
    [
        (Reply(404), Delivery.GONE, 0),
        (Reply(410), Delivery.GONE, 0),
        (Reply(429, headers=(("retry-after", "120"),)), Delivery.BUSY, 120),
        (Reply(503), Delivery.BUSY, 0),
        (Reply(500), Delivery.UNREACHABLE, 0),
        (Reply(502, b"<html>"), Delivery.UNREACHABLE, 0),
        (Reply(413), Delivery.REFUSED, 0),
        (Reply(403), Delivery.DENIED, 0),
        (Reply(cut=True, status=502), Delivery.DELIVERED, 0),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Reply) else "",
)
async def test_every_answer_is_understood_and_asked_for_once(channel, service, reply, delivery, retry_after_s):
    service.planned.append(reply)
    outcome = await channel.send(message(), subscribed(service), DAY)
    assert (outcome.delivery, outcome.retry_after_s) == (delivery, retry_after_s)
    assert len(service.asked) == 1


async def test_a_redirect_is_not_followed(channel, service):
    elsewhere = service.address(service.subscribe())
    service.planned.append(Reply(307, headers=(("location", elsewhere),)))
    outcome = await channel.send(message(), subscribed(service), DAY)
    assert (outcome.delivery, outcome.reason) == (Delivery.UNREACHABLE, "307")
    assert len(service.asked) == 1


async def test_silence_ends_in_time(service, vapid, authority):
    channel = WebPush(
        vapid,
        "mailto:push@callout.example",
        PushHosts([f"{PUSH_HOST}:{service.port}"]),
        SystemClock(),
        resolver=Leading("127.0.0.1"),
        trusted=authority.trusting(),
        answer_within_s=0.3,
    )
    service.planned.append(SILENCE)
    outcome = await channel.send(message(), subscribed(service), DAY)
    assert (outcome.delivery, outcome.reason) == (Delivery.UNREACHABLE, "no answer in time")
    await channel.aclose()


async def test_a_subscription_made_for_another_key_is_denied(channel, service):
    service.server_key = VapidKey(VapidKey.make()).public
    assert (await channel.send(message(), subscribed(service), DAY)).delivery is Delivery.DENIED


async def test_a_certificate_nobody_vouches_for_is_not_trusted(service, vapid):
    channel = WebPush(
        vapid,
        "mailto:push@callout.example",
        PushHosts([f"{PUSH_HOST}:{service.port}"]),
        SystemClock(),
        resolver=Leading("127.0.0.1"),
    )
    outcome = await channel.send(message(), subscribed(service), DAY)
    assert outcome.delivery is Delivery.UNREACHABLE
    assert service.asked == []
    await channel.aclose()


async def test_a_host_that_is_no_longer_allowed_gets_nothing(channel, service):
    to = phone("https://push.example.com/abc", PushKind.WEBPUSH, p256dh="x", auth="y")
    assert (await channel.send(message(), to, DAY)).delivery is Delivery.GONE


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"]
)
async def test_a_name_that_leads_into_our_own_network_leads_nowhere(service, vapid, authority, address):
    channel = WebPush(
        vapid,
        "mailto:push@callout.example",
        PushHosts([f"{PUSH_HOST}:{service.port}"]),
        SystemClock(),
        resolver=PublicAddresses(Leading(address)),
        trusted=authority.trusting(),
    )
    outcome = await channel.send(message(), subscribed(service), DAY)
    assert (outcome.delivery, outcome.reason) == (Delivery.UNREACHABLE, "ClientConnectorDNSError")
    assert service.asked == []
    await channel.aclose()


async def test_of_several_addresses_the_public_ones_are_used():
    found = await PublicAddresses(Leading("10.0.0.1", "1.1.1.1")).resolve("push.example")
    assert [it["host"] for it in found] == ["1.1.1.1"]
