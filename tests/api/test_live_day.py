"""Slots, what-if, offers, disruptions and the planning policy as browsers use them."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from tests.factories.customers import MONTE_CARLO
from tests.factories.live_day import Town

API = "/api/v1"


@pytest.fixture
async def dispatching(client, signed_in):
    client.headers.update(await signed_in("dispatcher"))
    return client


@pytest.fixture
async def day(database, company, dispatcher):
    """Anna in the middle of town with one visit, Bruno outside, and an order nobody has."""
    async with database.unit_of_work(company.id) as uow:
        town = Town(uow, dispatcher, MONTE_CARLO)
        anna, bruno = await town.engineer("Anna", 0, days=2), await town.engineer("Bruno", 15_000, days=2)
        hers, _ = await town.visit(anna, 400, 2)
        return anna, bruno, hers, await town.order(600, duration_minutes=45)


async def test_a_slot_is_found_taken_and_then_no_longer_there(dispatching, day, database, company, dispatcher):
    anna, _, _, order = day
    found = await dispatching.post(f"{API}/slots", json={"work_order_id": str(order.id), "days": 2})
    assert found.status_code == 200, found.text
    assert found.json()["timezone"] == "Europe/Paris"
    slot = found.json()["slots"][0]
    assert (slot["place"]["engineer_id"], slot["rating"], slot["breaks_promise"]) == (str(anna.person), "good", False)
    body = {
        "work_order_id": str(order.id),
        "engineer_id": slot["place"]["engineer_id"],
        "begins_at": slot["place"]["begins_at"],
        "delay_seconds": slot["place"]["delay_seconds"],
        "window_opens_at": slot["opens_at"],
        "window_closes_at": slot["closes_at"],
    }
    taken = await dispatching.post(f"{API}/slots/take", json=body)
    assert taken.status_code == 200, taken.text
    assert taken.json()["planned_start"] == slot["place"]["begins_at"]
    assert taken.json()["window_end"] == slot["closes_at"]
    async with database.unit_of_work(company.id) as uow:
        other = await Town(uow, dispatcher, MONTE_CARLO).order(600, duration_minutes=480)
    late = await dispatching.post(f"{API}/slots/take", json={**body, "work_order_id": str(other.id)})
    assert (late.status_code, late.json()["code"]) == (409, "slot.taken")
    assert "slots" in late.json()["facts"]


async def test_slots_for_a_site_need_a_duration(dispatching, day):
    _, _, _, order = day
    body = {"site_id": str(order.site_id), "days": 1, "width_minutes": 120}
    refused = await dispatching.post(f"{API}/slots", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "slot.not_asked")
    found = await dispatching.post(f"{API}/slots", json={**body, "duration_minutes": 60, "priority": "urgent"})
    assert found.json()["slots"]
    nowhere = await dispatching.post(f"{API}/slots", json={"site_id": str(uuid4()), "duration_minutes": 60})
    assert nowhere.status_code == 404
    odd = await dispatching.post(f"{API}/slots", json={**body, "duration_minutes": 60, "width_minutes": 61})
    assert odd.status_code == 422


async def test_the_best_places_for_an_urgent_order(dispatching, day):
    anna, bruno, _, order = day
    found = (await dispatching.post(f"{API}/work-orders/{order.id}/offers")).json()
    assert [it["engineer_id"] for it in found["items"]] == [str(anna.person), str(bruno.person)]
    assert found["items"][0]["arrives_p90_at"] > found["items"][0]["arrives_at"]


async def test_what_if_shows_both_tours_and_changes_nothing(dispatching, day):
    _, bruno, hers, _ = day
    asked = await dispatching.post(f"{API}/work-orders/{hers.id}/what-if", json={"engineer_id": str(bruno.person)})
    assert asked.status_code == 200, asked.text
    found = asked.json()
    assert found["tour"]["extra_seconds"] > 0
    assert found["taken_from"]["extra_seconds"] < 0
    assert [it["work_order_id"] for it in found["tour"]["after"]["stops"]] == [str(hers.id)]
    assert found["broken"] == []
    shift_ends = datetime.fromisoformat(found["start"]) + timedelta(hours=8)
    body = {"engineer_id": str(bruno.person), "start": shift_ends.isoformat()}
    broken = (await dispatching.post(f"{API}/work-orders/{hers.id}/what-if", json=body)).json()["broken"]
    home = next(it for it in broken if it["code"] == "shift")
    assert (home["side"], home["skills"], home["at"] is None) == ("late", [], False), broken
    assert not (await dispatching.get(f"{API}/disruptions")).json()["items"]
    order = (await dispatching.get(f"{API}/work-orders/{hers.id}")).json()
    assert order["engineer_name"] == "Anna"


async def test_a_sick_engineer_is_reported_repaired_and_listed(dispatching, day, work_through):
    anna, bruno, hers, _ = day
    said = {"engineer_id": str(anna.person), "why": "flu"}
    made = await dispatching.post(f"{API}/disruptions/absence", json=said, headers={"Idempotency-Key": "once"})
    assert made.status_code == 201, made.text
    again = await dispatching.post(f"{API}/disruptions/absence", json=said, headers={"Idempotency-Key": "once"})
    assert again.json() == made.json()
    await work_through()
    (listed,) = (await dispatching.get(f"{API}/disruptions", params={"state": "open"})).json()["items"]
    plan = (await dispatching.get(f"{API}/plans/{listed['plan_id']}")).json()
    assert (plan["kind"], plan["state"], plan["cause"]["why"]) == ("repair", "ready", "Anna: flu")
    lines = (await dispatching.get(f"{API}/plans/{listed['plan_id']}/lines")).json()["items"]
    (moved,) = [it for it in lines if it["work_order_id"] == str(hers.id)]
    assert (moved["change"], moved["after"]["engineer_id"]) == ("move", str(bruno.person))
    repair = listed["repair"]
    assert (repair["plan_id"], repair["state"], repair["by_itself"]) == (listed["plan_id"], "ready", False)
    assert (repair["changes"], repair["applied"], repair["declined"]) == (1, 0, 0)
    ignored = await dispatching.post(f"{API}/disruptions/{listed['id']}/ignore")
    assert ignored.json()["state"] == "ignored"


async def test_other_disruptions_are_told_apart(dispatching, day):
    anna, _, hers, order = day
    now = datetime.fromisoformat((await dispatching.get(f"{API}/work-orders/{hers.id}")).json()["planned_start"])
    broken = await dispatching.post(
        f"{API}/disruptions/breakdown", json={"engineer_id": str(anna.person), "where": "A8, exit 57"}
    )
    assert (broken.json()["kind"], broken.json()["why"]) == ("breakdown", "van broken down, A8, exit 57")
    assert broken.json()["said"] == "A8, exit 57"
    idle = await dispatching.post(f"{API}/disruptions/delay", json={"engineer_id": str(anna.person), "minutes": 30})
    assert (idle.status_code, idle.json()["code"]) == (409, "disruption.not_at_work")
    wish = {"wish_opens_at": now.isoformat(), "wish_closes_at": (now + timedelta(hours=2)).isoformat()}
    missed = await dispatching.post(f"{API}/disruptions/no-show", json={"work_order_id": str(hers.id), **wish})
    assert (missed.status_code, missed.json()["kind"]) == (201, "no_show")
    nobody = await dispatching.post(f"{API}/disruptions/no-show", json={"work_order_id": str(order.id)})
    assert (nobody.status_code, nobody.json()["code"]) == (409, "disruption.nobody_waited")
    half = {"wish_opens_at": now.isoformat(), "work_order_id": str(hers.id)}
    assert (await dispatching.post(f"{API}/disruptions/no-show", json=half)).status_code == 422


async def test_the_policy_has_versions_and_an_administrator(client, signed_in):
    client.headers.update(await signed_in("dispatcher"))
    found = (await client.get(f"{API}/planning-policy")).json()
    assert (found["version"], found["automatic"], found["worth"]["urgent"]) == (0, False, 172_800)
    wanted = {**found, "expected_version": 0, "automatic": True, "changed": 1_200, "caution_percent": 40}
    wanted["delay_notice_minutes"] = 25
    del wanted["version"]
    assert (await client.put(f"{API}/planning-policy", json=wanted)).status_code == 403
    client.headers.update(await signed_in("administrator"))
    kept = await client.put(f"{API}/planning-policy", json=wanted)
    assert kept.status_code == 200, kept.text
    assert (kept.json()["version"], kept.json()["automatic"], kept.json()["changed"]) == (1, True, 1_200)
    assert (found["caution_percent"], kept.json()["caution_percent"]) == (0, 40)
    assert (found["delay_notice_minutes"], kept.json()["delay_notice_minutes"]) == (15, 25)
    assert (await client.get(f"{API}/planning-policy")).json() == kept.json()
    late = await client.put(f"{API}/planning-policy", json=wanted)
    assert (late.status_code, late.json()["code"]) == (409, "planning_policy.changed_meanwhile")
    for wrong in ({"vip": 0.5}, {"caution_percent": 101}, {"caution_percent": 33.3}, {"delay_notice_minutes": 0}):
        odd = await client.put(f"{API}/planning-policy", json={**wanted, "expected_version": 1, **wrong})
        assert odd.status_code == 422, wrong


async def test_nobody_but_a_dispatcher_asks(client, signed_in, day):
    anna, _, _, order = day
    client.headers.update(await signed_in("service_agent"))
    body = {"engineer_id": str(anna.person)}
    for path, said in (
        ("slots", {"work_order_id": str(order.id)}),
        (f"work-orders/{order.id}/offers", {}),
        (f"work-orders/{order.id}/what-if", body),
        ("disruptions/absence", body),
    ):
        assert (await client.post(f"{API}/{path}", json=said)).status_code == 403, path
