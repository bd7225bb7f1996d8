# ruff: noqa: F811
"""The office's inbox and devices, the phone's own items, rescue and health, as their clients speak them."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

import edge.streams
from server.identity import throttle
from server.identity.domain import Audience, Role
from tests.factories.identity import token_for
from tests.fakes.sse import reading, serving
from tests.scenarios.conftest import hand_out, handset  # noqa: F401 - the phone they all use


def note(handset, body="hello", **changed):
    """One that ends in quarantine: its order never was."""
    args = {"id": str(uuid4()), "wo": str(uuid4()), "body": body}
    return handset.record("note.add", args, **changed)


@pytest.fixture
async def admin(signed_in):
    return await signed_in("administrator")


async def only_item(client, headers, **query):
    answer = await client.get("/api/v1/inbox", headers=headers, params=query)
    assert answer.status_code == 200, answer.text
    (item,) = answer.json()["items"]
    return item


async def test_an_item_is_listed_opened_and_settled_once_per_key(client, signed_in, handset):
    dispatcher = await signed_in("dispatcher")
    mutation = note(handset)
    await handset.push(mutation)
    item = await only_item(client, dispatcher)
    assert (item["kind"], item["state"], item["person_name"]) == ("quarantine", "open", handset.actor.name)
    assert (await client.get("/api/v1/inbox/counts", headers=dispatcher)).json() == {"conflict": 0, "quarantine": 1}
    case = (await client.get(f"/api/v1/inbox/{item['id']}", headers=dispatcher)).json()
    assert case["mutation"] == mutation
    assert (case["mine"], case["remarks"]) == (None, [])
    settle, key = f"/api/v1/inbox/{item['id']}/settle", {"Idempotency-Key": "once"}
    first = await client.post(settle, json={"choice": "discard", "note": "Test"}, headers=dispatcher | key)
    again = await client.post(settle, json={"choice": "discard", "note": "Test"}, headers=dispatcher | key)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    late = await client.post(settle, json={"choice": "replay"}, headers=dispatcher)
    assert (late.status_code, late.json()["code"]) == (409, "review.already_settled")
    assert late.json()["facts"]["by"] == "Dispatcher"
    undone = await client.post(settle, json={"choice": "undo"}, headers=dispatcher)
    assert (undone.json()["state"], undone.json()["verdict"]) == ("open", None)


async def test_two_dispatchers_at_once_get_200_and_409(client, signed_in, handset):
    await handset.push(note(handset))
    one, other = await signed_in("dispatcher"), await signed_in("team_lead")
    item = await only_item(client, one)
    path = f"/api/v1/inbox/{item['id']}/settle"
    both = await asyncio.gather(*(client.post(path, json={"choice": "discard"}, headers=who) for who in (one, other)))
    assert sorted(answer.status_code for answer in both) == [200, 409]


async def test_who_may_only_read_orders_may_not_settle(client, signed_in, handset):
    await handset.push(note(handset))
    auditor = await signed_in("auditor")
    item = await only_item(client, auditor)
    refused = await client.post(f"/api/v1/inbox/{item['id']}/settle", json={"choice": "discard"}, headers=auditor)
    assert refused.status_code == 403


@pytest.fixture
async def apart(client, signed_in, handset):
    """Two open items, one about parts and one about words: their ids."""
    part = handset.record("part.use", {"id": str(uuid4()), "wo": str(uuid4()), "part": str(uuid4()), "quantity": 1})
    await handset.push(part, note(handset))
    listed = (await client.get("/api/v1/inbox", headers=await signed_in("administrator"))).json()["items"]
    return {item["name"].partition(".")[0]: item["id"] for item in listed}


# For each role what listing shows, and what opening and discarding answer, for the item about parts and the other.
INBOX: dict[Role, tuple[set[str], tuple[int, int], tuple[int, int]]] = {
    Role.SERVICE_AGENT: ({"part", "note"}, (200, 200), (403, 403)),
    Role.DISPATCHER: ({"part", "note"}, (200, 200), (200, 200)),
    Role.ENGINEER: (set(), (403, 403), (403, 403)),
    Role.PARTNER_ENGINEER: (set(), (403, 403), (403, 403)),
    Role.TEAM_LEAD: ({"part", "note"}, (200, 200), (200, 200)),
    Role.SERVICE_MANAGER: ({"part", "note"}, (200, 200), (200, 200)),
    Role.WAREHOUSE_CLERK: ({"part"}, (200, 404), (200, 404)),
    Role.AUDITOR: ({"part", "note"}, (200, 200), (403, 403)),
    Role.ADMINISTRATOR: ({"part", "note"}, (200, 200), (200, 200)),
}


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_reaches_into_the_inbox_as_the_table_says(client, signed_in, apart, role):
    headers = await signed_in(role)
    shown, opened, discarded = INBOX[role]
    listed = await client.get("/api/v1/inbox", headers=headers)
    names = {item["name"].partition(".")[0] for item in listed.json().get("items", [])}
    assert names == shown
    counted = await client.get("/api/v1/inbox/counts", headers=headers)
    assert [listed.status_code, counted.status_code] == [200 if shown else 403] * 2
    assert counted.json().get("quarantine", 0) == len(shown)
    paths = [f"/api/v1/inbox/{apart[name]}" for name in ("part", "note")]
    assert tuple([(await client.get(path, headers=headers)).status_code for path in paths]) == opened
    discard = {"choice": "discard"}
    told = [(await client.post(f"{path}/settle", json=discard, headers=headers)).status_code for path in paths]
    assert tuple(told) == discarded


async def test_a_clerk_remarks_on_and_replays_what_is_about_parts_and_learns_no_order(client, signed_in, apart):
    clerk = await signed_in("warehouse_clerk")
    path = f"/api/v1/inbox/{apart['part']}/settle"
    remarked = await client.post(path, json={"choice": "annotate", "note": "Ask Ana"}, headers=clerk)
    assert (remarked.status_code, remarked.json()["work_order_id"], remarked.json()["order"]) == (200, None, None)
    replayed = await client.post(path, json={"choice": "replay"}, headers=clerk)
    assert (replayed.status_code, replayed.json()["state"]) == (200, "open"), "its order never was"
    for choice in ("accept_mine", "accept_theirs", "undo"):
        refused = await client.post(path, json={"choice": choice}, headers=clerk)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), choice


async def test_the_order_an_item_is_about_comes_with_its_number_and_customer(client, signed_in, handset, database):
    dispatcher = await signed_in("dispatcher")
    await handset.push(handset.note(v=99))
    item = await only_item(client, dispatcher, code="UNKNOWN_MUTATION")
    assert item["order"]["id"] == str(handset.order) == item["work_order_id"]
    assert item["order"]["number"]
    assert item["order"]["customer_name"]


async def test_people_see_and_remark_on_their_own_items_and_nobody_else_s(client, handset, hand_out):
    await handset.push(note(handset))
    listed = (await client.get("/mobile/v1/sync/quarantine", headers=handset.headers)).json()["items"]
    assert [item["code"] for item in listed]
    path = f"/mobile/v1/sync/quarantine/{listed[0]['id']}"
    noted = await client.post(
        f"{path}/settle", json={"choice": "annotate", "note": "Wrong order"}, headers=handset.headers
    )
    assert (noted.status_code, noted.json()["state"]) == (200, "open")
    case = (await client.get(path, headers=handset.headers)).json()
    assert case["remarks"][0]["note"] == "Wrong order"
    refused = await client.post(f"{path}/settle", json={"choice": "accept_mine"}, headers=handset.headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "review.office_only")
    other = await hand_out("partner_engineer", handset.order)
    assert (await client.get(path, headers=other.headers)).status_code == 404
    assert (await client.get("/mobile/v1/sync/quarantine", headers=other.headers)).json()["items"] == []
    assert (await client.get("/mobile/v1/sync/conflicts", headers=handset.headers)).json()["items"] == []


async def test_a_health_report_shows_in_the_office(client, handset, admin, clock):
    said = {
        "app": "pwa/2026.11.3",
        "unsent_count": 4,
        "unsent_bytes": 2048,
        "oldest_unsent_at": (clock.now() - timedelta(hours=30)).isoformat(),
        "rows": 120,
        "storage_persisted": False,
        "clock_offset_ms": -2000,
    }
    assert (await client.post("/mobile/v1/sync/health", json=said, headers=handset.headers)).status_code == 204
    device = (await client.get(f"/api/v1/devices/{handset.device}", headers=admin)).json()
    assert (device["unsent_count"], device["storage_persisted"], device["alerts"]) == (4, False, ["unsent_too_long"])
    (listed,) = (await client.get("/api/v1/devices", headers=admin)).json()["items"]
    assert listed == device
    put_away = f"/api/v1/devices/{handset.device}/alerts/unsent_too_long"
    assert (await client.delete(put_away, headers=admin)).status_code == 204
    assert (await client.delete(put_away, headers=admin)).status_code == 404


async def test_the_manifest_names_customers_and_is_frozen_by_revoking(client, handset, admin, clock):
    await handset.pull()
    path = f"/api/v1/devices/{handset.device}"
    live = (await client.get(f"{path}/manifest", headers=admin)).json()
    assert [order["id"] for order in live["orders"]] == [str(handset.order)]
    assert live["customers"][0]["name"] == live["orders"][0]["customer_name"]
    assert live["sites"]
    revoked = await client.post(f"{path}/revoke", json={"why": "stolen", "note": "From the van"}, headers=admin)
    assert revoked.status_code == 204
    frozen = (await client.get(f"{path}/manifest", headers=admin)).json()
    assert frozen["buckets"] == live["buckets"]
    assert frozen["frozen_at"]
    told = await handset.push(note(handset))
    assert (told.status_code, told.json()["code"], told.json()["facts"]) == (403, "DEVICE_REVOKED", {"wipe": True})
    assert (await client.post(f"{path}/revoke", json={"why": "bored"}, headers=admin)).status_code == 422


async def test_an_outbox_from_a_file_is_taken_in_by_the_office(client, handset, admin, signed_in):
    bundle = {"device": handset.device, "stream": handset.stream, "mutations": [handset.note("from a file")]}
    first = await client.post("/api/v1/rescues", json=bundle, headers=admin)
    assert (first.status_code, first.json()) == (201, {"accepted": 1, "duplicates": 0})
    assert (await client.post("/api/v1/rescues", json=bundle, headers=admin)).json()["duplicates"] == 1
    assert (await only_item(client, admin))["code"] == "RESCUED"
    unknown = await client.post("/api/v1/rescues", json=bundle | {"device": str(uuid4())}, headers=admin)
    assert unknown.status_code == 404
    assert (await client.post("/api/v1/rescues", json=bundle, headers=await signed_in("dispatcher"))).status_code == 403


async def test_rescue_asks_for_a_device_s_own_token(client, handset, services, company, signed_in):
    bundle = {"device": handset.device, "stream": handset.stream, "mutations": [handset.note()]}
    path = "/mobile/v1/sync/rescue"
    assert (await client.post(path, json=bundle)).status_code == 401
    forged = handset.headers["Authorization"][:-6] + "AAAAAA"
    assert (await client.post(path, json=bundle, headers={"Authorization": forged})).status_code == 401
    assert (await client.post(path, json=bundle, headers=await signed_in("administrator"))).status_code == 401
    deviceless = await token_for(services, company, "engineer", Audience.MOBILE)
    refused = await client.post(path, json=bundle, headers={"Authorization": f"Bearer {deviceless}"})
    assert refused.status_code == 401


async def test_an_expired_token_opens_rescue_and_nothing_else(client, handset, clock):
    clock.forward(timedelta(days=400))
    bundle = {"device": handset.device, "stream": handset.stream, "mutations": [handset.note()]}
    taken = await client.post("/mobile/v1/sync/rescue", json=bundle, headers=handset.headers)
    assert (taken.status_code, taken.json()) == (200, {"accepted": 1, "duplicates": 0})
    assert (await handset.push()).status_code == 401
    health = await client.post(
        "/mobile/v1/sync/health", json={"app": "a/1", "unsent_count": 0}, headers=handset.headers
    )
    assert health.status_code == 401


async def test_a_push_nobody_can_read_is_kept_and_refused(client, handset, admin):
    headers = handset.headers | {"Content-Type": "application/json"}
    bodies = [b'{"protocol": 1, "mutations": [{"seq": 1, "text": "somebody\'s work"}]}', b"{broken", b'{"protocol":']
    for body in bodies:
        answer = await client.post("/mobile/v1/sync/push", content=body, headers=headers)
        assert answer.status_code in {400, 422}, answer.text
    malformed = await handset.push(handset.note(at="yesterday"))
    assert (malformed.status_code, malformed.json()["code"]) == (422, "MALFORMED_MUTATION")
    kept = await handset.sql("select body from refused_push")
    assert {bytes(row["body"]) for row in kept} >= set(bodies)
    assert len(kept) == 4
    assert (await client.get(f"/api/v1/devices/{handset.device}", headers=admin)).json()["alerts"] == ["refused_push"]
    stranger = await client.post(
        "/mobile/v1/sync/push", content=b"{broken", headers={"Content-Type": "application/json"}
    )
    assert stranger.status_code in {400, 401}
    assert len(await handset.sql("select 1 from refused_push")) == 4


async def test_wrong_passwords_are_slowed_down_per_address_and_right_ones_never(client, company):
    login = {"email": "Dispatcher@acme.example", "password": "not this one"}
    answers = [await client.post("/api/v1/auth/login", json=login) for _ in range(throttle.LOGIN.burst + 1)]
    assert [answer.status_code for answer in answers] == [401] * throttle.LOGIN.burst + [429]
    assert int(answers[-1].headers["Retry-After"]) > 1
    assert answers[-1].json()["facts"]["retry_after_s"] == int(answers[-1].headers["Retry-After"])
    somebody_else = {"email": "engineer@acme.example", "password": "not this one"}
    assert (await client.post("/api/v1/auth/login", json=somebody_else)).status_code == 401


async def test_enrolment_codes_can_not_be_guessed_at_leisure(client, company):
    body = {"code": "WRONG-CODE-22", "name": "Phone", "platform": "test", "app_version": "1"}
    statuses = [
        (await client.post("/mobile/v1/sync/devices", json=body)).status_code for _ in range(throttle.ENROL.burst + 1)
    ]
    assert statuses == [422] * throttle.ENROL.burst + [429]


async def test_the_streams_of_a_revoked_device_end_within_seconds(handset, app, client, admin, monkeypatch):
    monkeypatch.setattr(edge.streams, "RECHECK_S", 0.2)
    async with serving(app) as address, reading(address, "/mobile/v1/sync/events", handset.headers) as stream:
        await client.post(f"/api/v1/devices/{handset.device}/revoke", json={"why": "lost"}, headers=admin)
        assert await stream.ended(within=8)
