"""What a phone reports, and the hints it receives in return, over a real socket."""

from datetime import timedelta
from uuid import uuid4

import pytest

from server.geo import service as geo
from server.identity import service as identity
from server.identity.domain import Actor, Audience, RevokeReason
from server.notify import service as notify
from server.notify.domain import Hint
from tests.factories.geo import SITE, device_of, with_phone
from tests.factories.workforce import a_shift, an_engineer
from tests.fakes.sse import reading, serving

EVENTS = "/mobile/v1/sync/events"
RESULT = {"accepted": 0, "duplicates": 0, "dropped_off_shift": 0, "dropped_paused": 0, "dropped_too_old": 0}


@pytest.fixture
async def phone(database, company, engineer) -> Actor:
    async with database.unit_of_work(company.id) as uow:
        await an_engineer(uow, engineer)
        await a_shift(uow, engineer)
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
async def address(app):
    async with serving(app) as it:
        yield it


def fixes(start, *minutes: int) -> list[dict]:
    return [
        {
            "seq": seq,
            "at": (start + timedelta(minutes=minute)).isoformat(),
            "lon": 7.42,
            "lat": 43.73,
            "accuracy_m": 7.5,
            "heading": 359.9,
            "speed_kmh": 12.4,
        }
        for seq, minute in enumerate(minutes, start=1)
    ]


async def test_fixes_of_the_shift_are_kept_and_those_outside_are_dropped(client, clock, phone, headers, database):
    body = {"device": str(device_of(phone)), "fixes": fixes(clock.now(), -120, -10, 0)}
    first = await client.post("/mobile/v1/positions", json=body, headers=headers)
    assert first.status_code == 200, first.text
    assert first.json() == RESULT | {"accepted": 2, "dropped_off_shift": 1}
    again = await client.post("/mobile/v1/positions", json=body, headers=headers)
    assert again.json() == RESULT | {"duplicates": 2, "dropped_off_shift": 1}
    async with database.unit_of_work(phone.org) as uow:
        last = await uow.row("select accuracy_m, heading, speed_kmh from position_last")
    assert last == {"accuracy_m": 8, "heading": 0, "speed_kmh": 12}


async def test_a_browsers_token_and_another_devices_name_are_refused(client, clock, phone, headers, signed_in):
    body = {"device": str(device_of(phone)), "fixes": fixes(clock.now(), 0)}
    browser = await client.post("/mobile/v1/positions", json=body, headers=await signed_in("engineer"))
    assert browser.status_code == 401
    stranger = await client.post("/mobile/v1/positions", json=body | {"device": str(phone.person)}, headers=headers)
    assert (stranger.status_code, stranger.json()["code"]) == (403, "positions.not_this_device")


@pytest.mark.parametrize(
    "wrong",
    [{"lon": 181}, {"accuracy_m": -1}, {"seq": 0}, {"at": "2026-11-23T08:00:00"}, {"heading": 361}, {"mood": "good"}],
)
async def test_impossible_fixes_are_refused_with_a_sentence(client, clock, phone, headers, wrong):
    (fix,) = fixes(clock.now(), 0)
    body = {"device": str(device_of(phone)), "fixes": [fix | wrong]}
    answer = await client.post("/mobile/v1/positions", json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_an_engineer_pauses_and_sees_what_was_dropped(client, clock, phone, headers, company, signed_in):
    pause = f"/mobile/v1/positions/pauses/{uuid4()}"
    times = {"starts_at": clock.now().isoformat(), "ends_at": (clock.now() + timedelta(hours=1)).isoformat()}
    for _ in range(2):
        begun = await client.put(pause, json=times, headers=headers)
        assert begun.status_code == 200, begun.text
    clock.forward(timedelta(minutes=5))
    body = {"device": str(device_of(phone)), "fixes": fixes(clock.now(), -120, -20, -5)}
    answer = await client.post("/mobile/v1/positions", json=body, headers=headers)
    assert answer.json() == RESULT | {"accepted": 1, "dropped_off_shift": 1, "dropped_paused": 1}
    days = [{"day": "2026-11-23", "kept": 1, "off_shift": 1, "paused": 1, "too_old": 0}]
    mine = await client.get("/mobile/v1/positions/days", headers=headers)
    assert mine.json() == {"days": days}
    office = await signed_in("dispatcher")
    theirs = await client.get(f"/api/v1/people/{phone.person}/position-days", headers=office)
    assert theirs.json() == {"person_id": str(phone.person), "days": days}
    (shown,) = (await client.get("/api/v1/board/snapshot", headers=office)).json()["engineers"]
    assert shown["place"] is None
    assert shown["paused_until"] is not None
    ended = times | {"ends_at": clock.now().isoformat()}
    assert (await client.put(pause, json=ended, headers=headers)).status_code == 200
    (shown,) = (await client.get("/api/v1/board/snapshot", headers=office)).json()["engineers"]
    assert shown["paused_until"] is None
    endless = times | {"ends_at": (clock.now() + timedelta(days=1)).isoformat()}
    refused = await client.put(pause, json=endless, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "positions.implausible_pause")


async def test_a_phone_asks_for_the_fences_around_it(client, database, phone, headers, clock):
    visit = uuid4()
    async with database.unit_of_work(phone.org) as uow:
        await geo.watch(uow, visit, phone.person, SITE, 300, since=clock.now())
    answer = await client.get("/mobile/v1/fences", params={"near": "7.4246,43.7474"}, headers=headers)
    assert answer.status_code == 200, answer.text
    (region,) = answer.json()["regions"]
    assert (region["visit_id"], region["lon"], region["lat"]) == (str(visit), SITE.lon, SITE.lat)
    assert (region["radius_m"], region["area"]) == (300, None)
    assert answer.json()["refresh"] == {"lon": 7.4246, "lat": 43.7474, "radius_m": 50_000}
    for wrong in ("", "7.4", "a,b", "nan,43", "200,43"):
        refused = await client.get("/mobile/v1/fences", params={"near": wrong}, headers=headers)
        assert refused.status_code in {400, 422}, wrong
        assert refused.json()["code"] in {"invalid", "geo.point_out_of_range"}


async def test_an_organisation_decides_how_long_tracks_are_kept_and_how_large_fences_are(client, signed_in):
    office, boss = await signed_in("dispatcher"), await signed_in("administrator")
    assert (await client.get("/api/v1/position-policy", headers=office)).json() == {
        "keep_track_days": 30,
        "fence_radius_m": 500,
    }
    wanted = {"keep_track_days": 14, "fence_radius_m": 200}
    assert (await client.put("/api/v1/position-policy", json=wanted, headers=office)).status_code == 403
    assert (await client.put("/api/v1/position-policy", json=wanted, headers=boss)).json() == wanted
    assert (await client.get("/api/v1/position-policy", headers=office)).json() == wanted
    for wrong in ({"keep_track_days": 0}, {"fence_radius_m": 5}):
        assert (await client.put("/api/v1/position-policy", json=wanted | wrong, headers=boss)).status_code == 422


async def test_a_hint_reaches_the_phone_that_listens_and_is_sent_once(address, database, phone, headers):
    async with reading(address, EVENTS, headers) as stream:
        async with database.unit_of_work(phone.org) as uow:
            await notify.queue_hint(uow, phone.person, Hint.ARRIVAL, phone.person, "arrival")
        told = await stream.next()
        assert (told.event, told.data) == ("hint", {"h": "arrival", "subject_id": str(phone.person)})
        with pytest.raises(TimeoutError):
            await stream.next(within=1.5)
    async with database.unit_of_work(phone.org) as uow:
        sent = await uow.row("select state, channel, attempts from message")
    assert sent == {"state": "sent", "channel": "sse", "attempts": 1}


async def test_what_waited_is_delivered_when_the_phone_comes_and_what_was_cut_off_is_sent_again(
    address, database, phone, headers, clock
):
    async def queue(hint: Hint) -> None:
        clock.forward(timedelta(seconds=1))
        async with database.unit_of_work(phone.org) as uow:
            await notify.queue_hint(uow, phone.person, hint, phone.person, hint)

    await queue(Hint.JOB)
    async with reading(address, EVENTS, headers) as stream:
        seen = await stream.next()
        assert seen.data["h"] == "job"
        await queue(Hint.SYNC)
        assert (await stream.next()).data["h"] == "sync"
    async with reading(address, EVENTS, headers, last_event_id=seen.id) as stream:
        assert (await stream.next()).data["h"] == "sync"


async def test_a_revoked_device_is_not_listened_to(address, client, database, phone, headers, administrator):
    async with database.unit_of_work(phone.org) as uow:
        await identity.revoke_device(uow, administrator, device_of(phone), RevokeReason.LOST)
    assert (await client.get(EVENTS, headers=headers)).status_code in {401, 403}
