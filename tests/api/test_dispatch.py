"""Candidates and assignment as the board asks for them."""

from uuid import uuid4

import pytest

from server.workforce.domain import SkillLevel
from server.workorders.domain import WorkOrder
from tests.factories.workforce import a_shift, an_engineer, another_engineer
from tests.factories.workorders import an_order


@pytest.fixture
async def order(database, company, dispatcher, engineer) -> WorkOrder:
    async with database.unit_of_work(company.id) as uow:
        await an_engineer(uow, engineer, oven=4)
        await a_shift(uow, engineer)
        await another_engineer(uow, company.id)
        return await an_order(uow, dispatcher, skills=(SkillLevel("oven", 2),), duration_minutes=45)


async def test_candidates_come_with_their_breakdown_and_the_others_with_why_not(client, signed_in, engineer, order):
    answer = await client.get(f"/api/v1/work-orders/{order.id}/candidates", headers=await signed_in("dispatcher"))
    assert answer.status_code == 200
    found = answer.json()
    (best,) = found["items"]
    assert best["engineer_id"] == str(engineer.person)
    assert best["source"] == "estimate"
    assert best["eta_p90_seconds"] > best["eta_seconds"] > 0
    assert best["score"] == pytest.approx(sum(f["weight"] * f["value"] for f in best["factors"]), abs=1e-3)
    assert best["skills"] == [{"key": "oven", "level": 4}]
    (other,) = found["excluded"]
    assert other["name"] == "Bruno"
    assert {reason["code"] for reason in other["reasons"]} == {"skill_missing", "no_shift"}
    assert found["weights_version"] == 1
    assert (best["rank"], found["candidate_count"], found["excluded_count"]) == (1, 1, 1)


async def test_a_decision_says_who_when_how_and_why_and_answers_why_not_somebody(client, signed_in, engineer, order):
    headers = await signed_in("dispatcher")
    path = f"/api/v1/work-orders/{order.id}"
    (other,) = (await client.get(f"{path}/candidates", headers=headers)).json()["excluded"]
    assert (await client.get(f"{path}/decisions", headers=headers)).json() == {"items": []}
    await client.post(f"{path}/assign", json={"engineer_id": str(engineer.person)}, headers=headers)
    auditor = await signed_in("auditor")
    answer = await client.get(f"{path}/decisions", params={"engineer_id": other["engineer_id"]}, headers=auditor)
    assert answer.status_code == 200, answer.text
    (decision,) = answer.json()["items"]
    assert (decision["how"], decision["chosen_rank"]) == ("suggested", 1)
    assert decision["engineer_name"] == engineer.name
    assert decision["decided_by_name"] == "Dispatcher"
    assert decision["chosen"] == decision["best"][0]
    assert decision["chosen_against"] is None
    assert decision["excluded"] == [other]
    assert decision["asked_about"] == [
        {
            "engineer_id": other["engineer_id"],
            "name": "Bruno",
            "rank": None,
            "score": None,
            "codes": ["skill_missing", "no_shift"],
        }
    ]
    assert decision["job"]["number"] == order.number
    assert sum(decision["weights"].values()) == pytest.approx(1)
    refused = await client.get(f"{path}/decisions", headers=await signed_in("engineer"))
    assert refused.status_code == 403
    assert (await client.get(f"/api/v1/work-orders/{uuid4()}/decisions", headers=auditor)).status_code == 404


async def test_somebody_sent_against_the_rules_is_told_with_the_rules(client, signed_in, order):
    headers = await signed_in("dispatcher")
    path = f"/api/v1/work-orders/{order.id}"
    (other,) = (await client.get(f"{path}/candidates", headers=headers)).json()["excluded"]
    await client.post(f"{path}/assign", json={"engineer_id": other["engineer_id"]}, headers=headers)
    (decision,) = (await client.get(f"{path}/decisions", headers=headers)).json()["items"]
    assert (decision["how"], decision["chosen_rank"], decision["chosen"]) == ("manual", None, None)
    assert decision["chosen_against"] == other


async def test_a_customers_wishes_are_recorded_replaced_and_withdrawn(client, signed_in, engineer, order):
    headers = await signed_in("service_agent")
    path = f"/api/v1/customers/{order.customer_id}/wishes"
    mine = f"{path}/{engineer.person}"
    said = await client.put(mine, json={"wish": "preferred", "why": "Knows the house"}, headers=headers)
    assert said.status_code == 200, said.text
    await client.put(mine, json={"wish": "banned", "why": "Broke a vase"}, headers=headers)
    (wish,) = (await client.get(path, headers=headers)).json()["items"]
    assert (wish["engineer_name"], wish["wish"], wish["why"]) == (engineer.name, "banned", "Broke a vase")
    dispatcher = await signed_in("dispatcher")
    found = (await client.get(f"/api/v1/work-orders/{order.id}/candidates", headers=dispatcher)).json()
    codes = {it["name"]: [reason["code"] for reason in it["reasons"]] for it in found["excluded"]}
    assert codes[engineer.name] == ["banned"]
    assert (await client.delete(mine, headers=headers)).status_code == 204
    assert (await client.delete(mine, headers=headers)).status_code == 404
    assert (await client.get(path, headers=headers)).json() == {"items": []}


async def test_a_wish_needs_a_reason_a_known_customer_and_an_engineer(client, signed_in, dispatcher, engineer, order):
    headers = await signed_in("service_agent")
    path = f"/api/v1/customers/{order.customer_id}/wishes"
    wish = {"wish": "banned", "why": "Broke a vase"}
    assert (await client.put(f"{path}/{engineer.person}", json=wish | {"why": ""}, headers=headers)).status_code == 422
    assert (
        await client.put(f"{path}/{engineer.person}", json=wish | {"wish": "x"}, headers=headers)
    ).status_code == 422
    assert (await client.put(f"{path}/{dispatcher.person}", json=wish, headers=headers)).status_code == 422
    nobodys = f"/api/v1/customers/{uuid4()}/wishes"
    assert (await client.put(f"{nobodys}/{engineer.person}", json=wish, headers=headers)).status_code == 404
    assert (await client.get(nobodys, headers=headers)).status_code == 404
    auditor = await signed_in("auditor")
    assert (await client.put(f"{path}/{engineer.person}", json=wish, headers=auditor)).status_code == 403


async def test_candidates_can_be_asked_for_another_moment(client, signed_in, order):
    answer = await client.get(
        f"/api/v1/work-orders/{order.id}/candidates",
        params={"at": "2026-11-23T16:00:00+00:00"},
        headers=await signed_in("dispatcher"),
    )
    assert answer.json()["items"] == [], "the shift is over by then"


async def test_assigning_sends_the_engineer_and_answers_the_order(client, signed_in, engineer, order):
    headers = await signed_in("dispatcher")
    path = f"/api/v1/work-orders/{order.id}/assign"
    answer = await client.post(path, json={"engineer_id": str(engineer.person)}, headers=headers)
    assert answer.status_code == 200, answer.text
    sent = answer.json()
    assert (sent["state"], sent["visit_state"]) == ("dispatched", "dispatched")
    assert sent["engineer_name"] == engineer.name
    assert sent["planned_start"] < sent["planned_end"]
    again = await client.post(path, json={"engineer_id": str(engineer.person)}, headers=headers)
    assert again.json() == sent, "asked twice, done once"


async def test_a_repeated_key_gets_the_first_answer_and_never_for_another_order(
    client, signed_in, database, company, dispatcher, engineer, order
):
    headers = await signed_in("dispatcher") | {"Idempotency-Key": "one"}
    body = {"engineer_id": str(engineer.person)}
    first = await client.post(f"/api/v1/work-orders/{order.id}/assign", json=body, headers=headers)
    async with database.unit_of_work(company.id) as uow:
        other = await an_order(uow, dispatcher)
    second = await client.post(f"/api/v1/work-orders/{order.id}/assign", json=body, headers=headers)
    third = await client.post(f"/api/v1/work-orders/{other.id}/assign", json=body, headers=headers)
    assert first.json() == second.json()
    assert (third.status_code, third.json()["code"]) == (409, "idempotency.key_reused")


async def test_given_times_are_kept(client, signed_in, engineer, order):
    times = {"planned_start": "2026-11-23T10:00:00Z", "planned_end": "2026-11-23T11:30:00Z"}
    answer = await client.post(
        f"/api/v1/work-orders/{order.id}/assign",
        json={"engineer_id": str(engineer.person), **times},
        headers=await signed_in("dispatcher"),
    )
    assert {name: answer.json()[name] for name in times} == times


async def test_somebody_who_is_no_engineer_can_not_be_sent(client, signed_in, dispatcher, order):
    answer = await client.post(
        f"/api/v1/work-orders/{order.id}/assign",
        json={"engineer_id": str(dispatcher.person)},
        headers=await signed_in("dispatcher"),
    )
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


async def test_unknown_orders_and_wrong_roles_are_refused(client, signed_in, order):
    headers = await signed_in("dispatcher")
    assert (await client.get(f"/api/v1/work-orders/{uuid4()}/candidates", headers=headers)).status_code == 404
    for role in ("service_agent", "engineer", "warehouse_clerk"):
        refused = await client.get(f"/api/v1/work-orders/{order.id}/candidates", headers=await signed_in(role))
        assert refused.status_code == 403
