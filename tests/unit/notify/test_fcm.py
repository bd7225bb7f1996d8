"""firebase-admin against a server that speaks FCM's v1 API over TLS and HTTP/2: its traps, and how each is avoided."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from server.core.clock import SystemClock
from server.notify.domain import Delivery, Hint
from server.notify.fcm import Fcm
from tests.fakes import fcm as replies
from tests.fakes.fcm import FakeFcm, service_account
from tests.unit.notify.conftest import DAY, message, phone


@pytest.fixture
async def channel(key, port) -> AsyncIterator[Fcm]:
    made = Fcm(service_account(key, port), SystemClock(), url=f"https://localhost:{port}", answer_within_s=15)
    yield made
    await made.aclose()


async def test_a_hint_is_all_that_is_sent_over_http_2_with_lifetime_and_topic(channel, fake: FakeFcm):
    it = message(Hint.ARRIVAL)
    outcome = await channel.send(it, phone(), DAY)
    assert outcome.delivery is Delivery.DELIVERED, outcome
    [accepted] = fake.accepted
    assert accepted.http_version == "2"
    assert accepted.message.pop("apns")["headers"]["apns-collapse-id"] == it.topic
    assert accepted.message == {
        "token": phone().address,
        "data": {"h": "arrival", "id": str(it.subject_id)},
        "android": {"collapse_key": it.topic, "priority": "high", "ttl": "86400s"},
    }
    assert str(it.person_id) not in json.dumps(accepted.message)


async def test_an_installation_id_is_sent_as_one(channel, fake: FakeFcm):
    await channel.send(message(Hint.SYNC), phone("cXw2aBcDeFgHiJkLmNoPqR"), DAY)
    assert fake.accepted[0].message["fid"] == "cXw2aBcDeFgHiJkLmNoPqR"
    assert fake.accepted[0].message["android"]["priority"] == "normal"


@pytest.mark.parametrize(
    ("reply", "delivery", "retry_after_s"),
    [
        (replies.QUOTA, Delivery.BUSY, 7),
        (replies.UNAVAILABLE, Delivery.BUSY, 3),
        (replies.BROKEN, Delivery.UNREACHABLE, 0),
        (replies.HTML_502, Delivery.UNREACHABLE, 0),
        (replies.HTML_200, Delivery.UNREACHABLE, 0),
        (replies.UNREGISTERED, Delivery.GONE, 0),
        (replies.SENDER_MISMATCH, Delivery.GONE, 0),
        (replies.BAD_TOKEN, Delivery.GONE, 0),
        (replies.BAD_MESSAGE, Delivery.REFUSED, 0),
        (replies.UNAUTHENTICATED, Delivery.DENIED, 0),
        (replies.APPLE_KEY_MISSING, Delivery.DENIED, 0),
        (replies.CUT, Delivery.UNREACHABLE, 0),
    ],
    ids=lambda value: "" if isinstance(value, (int, replies.Reply)) else str(value),
)
async def test_every_answer_is_understood_and_asked_for_once(channel, fake, reply, delivery, retry_after_s):
    """Not the five times of firebase-admin's own retries, nor the three of its authentication."""
    fake.always = reply
    outcome = await channel.send(message(), phone(), DAY)
    assert (outcome.delivery, outcome.retry_after_s) == (delivery, retry_after_s)
    assert fake.asked == 1
    fake.always = None
    assert (await channel.send(message(), phone(), DAY)).delivery is Delivery.DELIVERED


async def test_a_404_that_does_not_say_unregistered_costs_no_phone_its_registration(channel, fake):
    fake.always = replies.HTML_404
    assert (await channel.send(message(), phone(), DAY)).delivery is Delivery.UNREACHABLE


async def test_one_answer_that_can_t_be_read_says_nothing_about_the_others(channel, fake):
    fake.by_token["hotel"] = replies.HTML_200
    ends = await asyncio.gather(*(channel.send(message(), phone(to), DAY) for to in ["a", "hotel", "b"]))
    assert [end.delivery for end in ends] == [Delivery.DELIVERED, Delivery.UNREACHABLE, Delivery.DELIVERED]


async def test_three_hundred_broken_answers_leave_the_connection_usable(channel, fake):
    """With its own retries firebase-admin loses a stream each, and hangs for ever after about a hundred."""
    fake.always = replies.UNAVAILABLE
    for _ in range(3):
        await asyncio.gather(*(channel.send(message(), phone(), DAY) for _ in range(100)))
    fake.always = None
    ends = await asyncio.gather(*(channel.send(message(), phone(), DAY) for _ in range(100)))
    assert {end.delivery for end in ends} == {Delivery.DELIVERED}
    assert fake.asked == 400


async def test_silence_ends_in_time_and_the_next_hint_goes_out_on_another_connection(key, port, fake):
    channel = Fcm(service_account(key, port), SystemClock(), url=f"https://localhost:{port}", answer_within_s=0.5)
    assert (await channel.send(message(), phone(), DAY)).delivery is Delivery.DELIVERED
    fake.always = replies.SILENCE
    for _ in range(2):
        ends = await asyncio.gather(*(channel.send(message(), phone(), DAY) for _ in range(100)))
        assert {end.delivery for end in ends} == {Delivery.UNREACHABLE}
    fake.always = None
    assert (await channel.send(message(), phone(), DAY)).delivery is Delivery.DELIVERED
    await channel.aclose()


async def test_a_silent_token_endpoint_holds_up_nothing_else_on_the_loop(key, port, fake):
    """firebase-admin would fetch the access token on the event loop, for up to two minutes."""
    fake.token_reply = replies.SILENCE
    channel = Fcm(service_account(key, port), SystemClock(), url=f"https://localhost:{port}", answer_within_s=0.4)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.02)
            ticks += 1

    ticking = asyncio.create_task(tick())
    ends = await asyncio.gather(*(channel.send(message(), phone(), DAY) for _ in range(20)))
    ticking.cancel()
    assert {end.delivery for end in ends} == {Delivery.UNREACHABLE}
    assert ticks > 5
    await channel.aclose()


async def test_access_is_fetched_once_for_all_and_again_when_it_is_refused(channel, fake):
    await asyncio.gather(*(channel.send(message(), phone(), DAY) for _ in range(50)))
    assert fake.tokens_given == 1
    fake.revoke_access()
    assert (await channel.send(message(), phone(), DAY)).delivery is Delivery.DENIED
    ends = await asyncio.gather(*(channel.send(message(), phone(), DAY) for _ in range(50)))
    assert {end.delivery for end in ends} == {Delivery.DELIVERED}
    assert fake.tokens_given == 2


async def test_credentials_that_google_refuses_are_ours_to_repair(channel, fake):
    fake.token_reply = replies.Reply(400, b'{"error": "invalid_grant"}', (("content-type", "application/json"),))
    outcome = await channel.send(message(), phone(), DAY)
    assert (outcome.delivery, outcome.reason) == (Delivery.DENIED, "no access token for this service account")


async def test_what_can_t_be_encoded_is_refused_and_not_raised(channel, fake):
    outcome = await channel.send(message(), phone(""), DAY)
    assert outcome.delivery is Delivery.REFUSED
    assert fake.asked == 0
