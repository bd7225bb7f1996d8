"""A phone says where it is reached, the office sees how hints get out."""

import asyncio
import json
from datetime import timedelta

import pytest

from server.identity import service as identity
from server.identity.domain import Audience
from server.notify import endpoints
from server.notify import service as notify
from server.notify.courier import Courier
from server.notify.domain import Hint, PushKind
from server.notify.endpoints import PushOffer, Registration
from server.notify.push_hosts import PushHosts
from tests.factories.customers import MONTE_CARLO
from tests.factories.geo import with_phone
from tests.factories.workforce import a_shift, an_engineer
from tests.factories.workorders import a_visit, an_order
from tests.fakes.channel import RecordingChannel
from tests.fakes.push_channel import RecordingPush
from tests.fakes.push_service import FakePushService
from tests.fakes.sse import reading, serving

PLACE = "/mobile/v1/push-endpoint"
HEALTH = "/api/v1/push/health"


@pytest.fixture
async def phone(services, company, engineer):
    async with services.database.unit_of_work(company.id) as uow:
        return await with_phone(uow, engineer)


@pytest.fixture
async def headers(services, phone) -> dict[str, str]:
    async with services.database.unit_of_work(phone.org) as uow:
        session = await identity.open_session(
            uow,
            services.tokens,
            person=phone.person,
            device=phone.device,
            audience=Audience.MOBILE,
            now=services.wall_clock.now(),
        )
    return {"Authorization": f"Bearer {session.access_token}"}


@pytest.fixture
def subscription(services) -> dict[str, str]:
    it = FakePushService(services.push.vapid_public_key).subscribe()
    return {
        "kind": "webpush",
        "address": "https://fcm.googleapis.com/fcm/send/abc:APA91b",
        "p256dh": it.p256dh,
        "auth": it.auth,
    }


async def test_a_browser_learns_the_key_registers_and_signs_off(client, headers, services, subscription):
    offered = {"offered": ["webpush"], "vapid_public_key": services.push.vapid_public_key}
    before = await client.get(PLACE, headers=headers)
    assert before.json() == offered | {"registered": None}
    for _ in range(2):
        put = await client.put(PLACE, json=subscription, headers=headers)
        assert (put.status_code, put.json()) == (200, offered | {"registered": "webpush"})
    for _ in range(2):
        assert (await client.delete(PLACE, headers=headers)).status_code == 204
    assert (await client.get(PLACE, headers=headers)).json()["registered"] is None


async def test_fcm_is_refused_where_the_server_has_no_account(client, headers):
    put = await client.put(PLACE, json={"kind": "fcm", "address": "token:" + "a" * 40}, headers=headers)
    assert (put.status_code, put.json()["code"]) == (422, "push.not_offered")


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": "https://169.254.169.254/latest/meta-data"},
        {"address": "http://fcm.googleapis.com/x"},
        {"address": "https://fcm.googleapis.com@evil.example/x"},
        {"address": ""},
        {"address": "https://fcm.googleapis.com/" + "x" * 1000},
        {"address": "https://fcm.googleapis.com/\x00"},
        {"address": "https://fcm.googleapis.com/\ud800"},
        {"address": None},
        {"address": ["https://fcm.googleapis.com/x"]},
        {"p256dh": None},
        {"p256dh": "A" * 87},
        {"p256dh": "=" * 20},
        {"auth": ""},
        {"auth": "AAAAAAAAAAAAAAAAAAAA"},
        {"auth": 7},
        {"kind": "sms"},
        {"kind": "fcm"},
        {"device": "another"},
    ],
    ids=repr,
)
async def test_what_is_no_subscription_is_refused_with_a_sentence(client, headers, subscription, wrong):
    said = json.dumps(subscription | wrong)  # as ASCII: clients encode no surrogates
    put = await client.put(PLACE, content=said, headers=headers | {"Content-Type": "application/json"})
    assert put.status_code in {400, 422}, put.text
    assert put.json()["detail"]
    assert (await client.get(PLACE, headers=headers)).json()["registered"] is None


async def test_the_administrator_sees_how_hints_get_out_and_the_scraper_too(
    client, services, phone, headers, subscription, signed_in
):
    await client.put(PLACE, json=subscription, headers=headers)
    async with services.database.unit_of_work(phone.org) as uow:
        await notify.queue_hint(uow, phone.person, Hint.SYNC, phone.person, "one")
        await notify.deliver(uow, RecordingChannel(), [phone.person])
        await notify.queue_hint(uow, phone.person, Hint.SYNC, phone.person, "two")
    assert (await client.get(HEALTH, headers=await signed_in("dispatcher"))).status_code == 403
    answer = await client.get(HEALTH, headers=await signed_in("administrator"))
    assert answer.status_code == 200, answer.text
    health = answer.json()
    assert (health["waiting"]["for_push"], health["waiting"]["for_stream"], health["quarantined"]) == (1, 0, [])
    by_channel = {it["channel"]: it for it in health["channels"]}
    assert by_channel["recording"]["sent"] == 1
    assert (by_channel["webpush"]["endpoints"], by_channel["webpush"]["waiting"]) == (1, 1)
    metrics = (await client.get("/metrics")).text
    assert "callout_hints_waiting 1.0" in metrics
    assert 'callout_push_sent{channel="recording"} 1.0' in metrics


async def nothing_waits(database, company) -> None:
    """A stream has the hint a moment before it is on record that it has."""
    async with asyncio.timeout(10):
        while True:
            async with database.unit_of_work(company.id) as uow:
                if not (await notify.health(uow)).waiting.for_stream:
                    return
            await asyncio.sleep(0.05)


async def test_a_fence_entry_reaches_the_app_that_is_open_and_is_pushed_to_none(
    app, client, database, company, dispatcher, engineer, phone, headers, clock, work_through
):
    """From two fixes at the site, by way of the relay and dispatch, to the engineer's own stream."""
    async with database.unit_of_work(company.id) as uow:
        await an_engineer(uow, engineer)
        await a_shift(uow, engineer)
        order = await an_order(uow, dispatcher)
        await a_visit(uow, dispatcher, engineer, order)
    await work_through()
    clock.forward(timedelta(minutes=5))
    fixes = [
        {
            "seq": seq,
            "at": (clock.now() - timedelta(seconds=60 - 15 * seq)).isoformat(),
            "lon": MONTE_CARLO.lon,
            "lat": MONTE_CARLO.lat,
            "accuracy_m": 8,
        }
        for seq in (1, 2, 3)
    ]
    async with serving(app) as address, reading(address, "/mobile/v1/sync/events", headers) as stream:
        assert (await stream.next()).data["h"] == "job"
        sent = await client.post(
            "/mobile/v1/positions", json={"device": str(phone.device), "fixes": fixes}, headers=headers
        )
        assert sent.status_code == 200, sent.text
        await work_through()
        assert (await stream.next()).data == {"h": "arrival", "subject_id": str(order.id)}
        await nothing_waits(database, company)
    push = RecordingPush("fcm")
    async with database.unit_of_work(company.id) as uow:
        await endpoints.register(
            uow, phone, PushOffer(True, "", PushHosts()), Registration(PushKind.FCM, f"phone:{'a' * 40}")
        )
    clock.forward(timedelta(minutes=1))
    await Courier(database, {PushKind.FCM: push}).round()
    assert [payload for _, payload in push.sent] == []
