"""Rules, dry run, automation and the pool as the board asks for them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from server.workforce.domain import SkillLevel
from server.workorders.domain import Priority, WorkOrder
from tests.factories.rules import a_rule, hear
from tests.factories.workforce import a_shift, an_engineer
from tests.factories.workorders import an_order

RULES = "/api/v1/assignment-rules"
CLEAR = {"name": "Clear cases", "active": True, "limits": {"min_score": 0.1}, "treatment": {"do": "assign"}}
NIGHT = {
    "name": "At night",
    "active": True,
    "conditions": {"priorities": ["urgent", "high"], "hours": {"start": "22:00", "end": "06:00"}},
    "treatment": {"do": "wait", "minutes": 10},
}

type Asked = tuple[str, str, dict[str, Any] | None]


@pytest.fixture
async def order(database, company, dispatcher, engineer) -> WorkOrder:
    async with database.unit_of_work(company.id) as uow:
        await an_engineer(uow, engineer, oven=4)
        await a_shift(uow, engineer)
        return await an_order(uow, dispatcher, skills=(SkillLevel("oven", 2),), priority=Priority.URGENT)


@pytest.fixture
async def admin(signed_in):
    return await signed_in("administrator")


@pytest.fixture
async def office(signed_in):
    return await signed_in("dispatcher")


async def added(client, admin, rule=CLEAR):
    answer = await client.post(RULES, json=rule, headers=admin)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_rule_comes_back_as_it_was_written(client, admin, office):
    made = await added(client, admin, NIGHT)
    assert (made["version"], made["position"]) == (1, 1)
    assert made["conditions"] == {
        "priorities": ["high", "urgent"],
        "problem_types": [],
        "territories": [],
        "channels": [],
        "customer_tiers": [],
        "hours": {"start": "22:00", "end": "06:00"},
        "max_minutes_old": None,
    }
    assert made["treatment"] == {"do": "wait", "minutes": 10}
    listed = await client.get(RULES, headers=office)
    assert listed.json() == {"items": [made]}


async def test_a_change_is_a_new_version_made_from_the_one_that_was_seen(client, admin):
    made = await added(client, admin)
    body = {**CLEAR, "active": False, "version": 1}
    changed = await client.put(f"{RULES}/{made['id']}", json=body, headers=admin)
    assert (changed.status_code, changed.json()["version"], changed.json()["active"]) == (200, 2, False)
    late = await client.put(f"{RULES}/{made['id']}", json={**body, "active": True}, headers=admin)
    assert (late.status_code, late.json()["code"]) == (409, "assignment_rule.changed_meanwhile")
    unknown = await client.put(f"{RULES}/{uuid4()}", json=body, headers=admin)
    assert unknown.status_code == 404


async def test_rules_change_places_and_go(client, admin):
    first, second = await added(client, admin), await added(client, admin, NIGHT)
    swapped = await client.put(f"{RULES}/order", json={"ids": [second["id"], first["id"]]}, headers=admin)
    assert [(rule["id"], rule["position"]) for rule in swapped.json()["items"]] == [(second["id"], 1), (first["id"], 2)]
    partly = await client.put(f"{RULES}/order", json={"ids": [second["id"]]}, headers=admin)
    assert (partly.status_code, partly.json()["code"]) == (409, "assignment_rule.order_of_other_rules")
    assert (await client.delete(f"{RULES}/{second['id']}", headers=admin)).status_code == 204
    assert (await client.delete(f"{RULES}/{second['id']}", headers=admin)).status_code == 404
    assert [rule["id"] for rule in (await client.get(RULES, headers=admin)).json()["items"]] == [first["id"]]


@pytest.mark.parametrize(
    "wrong",
    [
        {"treatment": {"do": "wait"}},
        {"treatment": {"do": "assign", "minutes": 5}},
        {"treatment": {"do": "guess"}},
        {"limits": {"min_luck": 1}},
        {"limits": {"max_load_percent": 0}},
        {"conditions": {"weather": "rain"}},
        {"conditions": {"priorities": ["urgent", "urgent"]}},
        {"conditions": {"hours": {"start": "22:00", "end": "22:00"}}},
        {"conditions": {"hours": {"start": "24:00", "end": "06:00"}}},
        {"conditions": {"max_minutes_old": 0}},
        {"conditions": {"territories": [str(uuid4())]}},
    ],
)
async def test_what_no_rule_can_mean_is_refused(client, admin, wrong):
    answer = await client.post(RULES, json={**CLEAR, **wrong}, headers=admin)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert (await client.get(RULES, headers=admin)).json() == {"items": []}


async def refused_to_all(client, headers, routes: list[Asked]) -> None:
    for method, path, body in routes:
        refused = await client.request(method, path, json=body, headers=headers)
        assert refused.status_code == 403, (method, path)


async def test_dispatchers_read_rules_and_administrators_write_them(client, signed_in, office, order):
    writing: list[Asked] = [
        ("POST", RULES, CLEAR),
        ("PUT", f"{RULES}/order", {"ids": []}),
        ("PUT", f"{RULES}/{uuid4()}", {**CLEAR, "version": 1}),
        ("DELETE", f"{RULES}/{uuid4()}", None),
    ]
    await refused_to_all(client, office, writing)
    reading: list[Asked] = [
        ("GET", RULES, None),
        ("POST", f"{RULES}/dry-run", {"days": 7}),
        ("GET", f"/api/v1/work-orders/{order.id}/automation", None),
        ("POST", f"/api/v1/work-orders/{order.id}/pool", {}),
        ("DELETE", f"/api/v1/work-orders/{order.id}/pool", None),
    ]
    await refused_to_all(client, await signed_in("service_agent"), reading)


async def test_a_repeated_key_adds_one_rule(client, admin):
    headers = admin | {"Idempotency-Key": "one"}
    assert await added(client, headers) == await added(client, headers)
    assert len((await client.get(RULES, headers=admin)).json()["items"]) == 1


async def test_a_dry_run_says_which_rule_would_have_decided_and_changes_nothing(client, admin, office, engineer, order):
    made = await added(client, admin, {**CLEAR, "active": False})
    body = {"engineer_id": str(engineer.person)}
    await client.post(f"/api/v1/work-orders/{order.id}/assign", json=body, headers=office)
    for inactive_too, outcome in ((False, None), (True, "assigned")):
        asked = {"days": 7, "inactive_too": inactive_too}
        (told,) = (await client.post(f"{RULES}/dry-run", json=asked, headers=office)).json()["items"]
        assert (told["work_order_id"], told["outcome"]) == (str(order.id), outcome)
        assert (told["best_id"], told["sent_id"]) == (str(engineer.person), str(engineer.person))
    assert told["rule"] == {"id": made["id"], "version": 1, "name": "Clear cases"}
    seen = await client.get(f"/api/v1/work-orders/{order.id}/automation", headers=office)
    assert seen.json() == {"attempts": [], "offer": None}


async def test_what_a_rule_came_to_is_shown_with_the_limit_it_met(
    client, office, database, company, administrator, engineer, order
):
    async with database.unit_of_work(company.id) as uow:
        await a_rule(uow, administrator, min_score=5.0)
        await hear(uow)
    seen = (await client.get(f"/api/v1/work-orders/{order.id}/automation", headers=office)).json()
    (attempt,) = seen["attempts"]
    assert (attempt["outcome"], attempt["rule_name"]) == ("limits_not_met", "Clear cases")
    (broken,) = attempt["limits"]
    assert (broken["limit"], broken["allowed"]) == ("min_score", 5.0)
    assert 0 < broken["found"] < 5
    assert (attempt["engineer_id"], attempt["engineer_name"]) == (str(engineer.person), engineer.name)
    unknown = await client.get(f"/api/v1/work-orders/{uuid4()}/automation", headers=office)
    assert unknown.status_code == 404


async def test_an_order_is_offered_withdrawn_and_offered_again(client, office, dispatcher, order, clock):
    path = f"/api/v1/work-orders/{order.id}/pool"
    offer = await client.post(path, json={}, headers=office)
    assert offer.status_code == 201, offer.text
    made = offer.json()
    assert (made["opened_by"], made["rule_id"], made["ending"]) == (str(dispatcher.person), None, None)
    assert (await client.post(path, json={}, headers=office)).json() == made, "asked twice, offered once"
    assert (await client.delete(path, headers=office)).status_code == 204
    assert (await client.delete(path, headers=office)).status_code == 404
    closes = clock.now() + timedelta(minutes=30)
    again = (await client.post(path, json={"closes_at": closes.isoformat()}, headers=office)).json()
    assert again["id"] != made["id"]
    assert again["closes_at"] == closes.isoformat().replace("+00:00", "Z")
    seen = (await client.get(f"/api/v1/work-orders/{order.id}/automation", headers=office)).json()
    assert seen["offer"] == again
    timeline = (await client.get(f"/api/v1/work-orders/{order.id}/timeline", headers=office)).json()["items"]
    assert [it["action"] for it in timeline] == ["open", "pool_opened", "pool_closed", "pool_opened"]


async def test_an_offer_that_can_not_be_is_refused(client, office, engineer, order, clock):
    path = f"/api/v1/work-orders/{order.id}/pool"
    past = {"closes_at": (clock.now() - timedelta(minutes=1)).isoformat()}
    refused = await client.post(path, json=past, headers=office)
    assert (refused.status_code, refused.json()["code"]) == (422, "pool.closes_in_the_past")
    body = {"engineer_id": str(engineer.person)}
    await client.post(f"/api/v1/work-orders/{order.id}/assign", json=body, headers=office)
    refused = await client.post(path, json={}, headers=office)
    assert (refused.status_code, refused.json()["code"]) == (409, "pool.not_waiting")
    assert (await client.post(f"/api/v1/work-orders/{uuid4()}/pool", json={}, headers=office)).status_code == 404
