"""Learning, weights and their evaluation as the board asks for them."""

from datetime import timedelta
from uuid import uuid4

import pytest

from server.dispatch.learning import service as learning
from tests.db.test_learning import invented
from tests.factories.history import Past, a_past
from tests.factories.workforce import another_engineer

SAMPLE = {"eta": 0.5, "load": 0.5}


@pytest.fixture
async def history(database, company, dispatcher) -> list[Past]:
    async with database.unit_of_work(company.id) as uow:
        crew = [await another_engineer(uow, company.id, name) for name in ("Anna", "Bruno", "Carla")]
        return await a_past(uow, dispatcher, crew, invented(crew))


@pytest.fixture
async def keeper(signed_in) -> dict[str, str]:
    headers: dict[str, str] = await signed_in("administrator")
    return headers


async def test_too_little_history_is_answered_with_how_much_is_missing(client, keeper, history):
    standing = (await client.get("/api/v1/learning", headers=keeper)).json()
    assert standing["missing"] == 2000 - standing["completed"] > 1700
    assert standing["in_force"] == {}
    refused = await client.post("/api/v1/learning", headers=keeper)
    assert (refused.status_code, refused.json()["code"]) == (422, "learning.not_enough_history")
    assert str(standing["missing"]) in refused.json()["detail"]


async def test_a_proposal_is_learnt_looked_at_accepted_and_taken_back(client, keeper, signed_in, history):
    policy = {"enough_orders": 50, "expected_version": 0}
    assert (await client.put("/api/v1/learning/policy", json=policy, headers=keeper)).json()["version"] == 1
    learnt = (await client.post("/api/v1/learning", headers=keeper)).json()["items"]
    assert [(it["kind"], it["outcome"]) for it in learnt] == [
        ("durations", "proposed"),
        ("success", "proposed"),
        ("weights", "proposed"),
    ]
    listed = (await client.get("/api/v1/learning/models", headers=await signed_in("dispatcher"))).json()["items"]
    assert {it["state"] for it in listed} == {"proposed"}
    proposed = next(it for it in listed if it["kind"] == "weights")
    whole = (await client.get(f"/api/v1/learning/models/{proposed['id']}", headers=keeper)).json()
    assert sum(whole["parameters"]["weights"].values()) == pytest.approx(1)
    path = f"/api/v1/learning/models/{proposed['id']}"
    accepted = (await client.post(f"{path}/accept", headers=keeper)).json()
    assert accepted["state"] == "accepted"
    weights = (await client.get("/api/v1/score-weights", headers=keeper)).json()
    assert (weights["in_force"], weights["items"][0]["model_id"]) == (2, proposed["id"])
    assert (await client.get("/api/v1/learning", headers=keeper)).json()["in_force"]["weights"]["version"] == 1
    assert (await client.post(f"{path}/retire", headers=keeper)).json()["state"] == "retired"
    weights = (await client.get("/api/v1/score-weights", headers=keeper)).json()
    assert weights["in_force"] == 3
    assert weights["items"][0]["weights"] == pytest.approx(weights["items"][2]["weights"])
    again = await client.post(f"{path}/reject", headers=keeper)
    assert (again.status_code, again.json()["code"]) == (409, "learning.state")


async def test_weights_are_set_listed_and_refused(client, keeper, signed_in, administrator):
    body = {"weights": SAMPLE, "why": "Winter", "expected_version": 1}
    made = await client.post("/api/v1/score-weights", json=body, headers=keeper | {"Idempotency-Key": "one"})
    assert made.status_code == 201, made.text
    assert (made.json()["version"], made.json()["created_by_name"]) == (2, administrator.name)
    again = await client.post("/api/v1/score-weights", json=body, headers=keeper | {"Idempotency-Key": "one"})
    assert again.json() == made.json()
    late = await client.post("/api/v1/score-weights", json=body, headers=keeper)
    assert (late.status_code, late.json()["code"]) == (409, "weights.moved_on")
    for wrong in ({"eta": 0.5}, {"eta": 1.2, "load": -0.2}, {"charm": 1}, {}):
        refused = await client.post(
            "/api/v1/score-weights", json=body | {"weights": wrong, "expected_version": 2}, headers=keeper
        )
        assert refused.status_code == 422, wrong
    listed = (await client.get("/api/v1/score-weights", headers=await signed_in("dispatcher"))).json()
    assert [(it["version"], it["why"]) for it in listed["items"]] == [(2, "Winter"), (1, None)]


async def test_the_new_weights_rank_from_then_on(client, keeper, signed_in, database, company, dispatcher):
    from tests.factories.workforce import a_shift
    from tests.factories.workorders import an_order

    async with database.unit_of_work(company.id) as uow:
        await a_shift(uow, await another_engineer(uow, company.id))
        order = await an_order(uow, dispatcher)
    await client.post(
        "/api/v1/score-weights", json={"weights": SAMPLE, "why": "-", "expected_version": 1}, headers=keeper
    )
    found = await client.get(f"/api/v1/work-orders/{order.id}/candidates", headers=await signed_in("dispatcher"))
    assert found.json()["weights_version"] == 2
    weights = {it["name"]: it["weight"] for it in found.json()["items"][0]["factors"]}
    assert (weights["eta"], weights["load"], weights["skill"]) == (0.5, 0.5, 0)


async def test_a_preview_changes_nothing(client, keeper, signed_in, history, clock):
    asked = {"since": (clock.now() - timedelta(days=30)).isoformat(), "until": clock.now().isoformat()}
    found = await client.post(
        "/api/v1/score-weights/preview",
        json={"weights": {"skill": 0.6, "continuity": 0.4}, **asked},
        headers=await signed_in("dispatcher"),
    )
    assert found.status_code == 200, found.text
    seen = found.json()
    assert seen["decisions"] == pytest.approx(150, abs=3)
    assert len(seen["changes"]) > 10
    assert seen["after"]["agreed"] > seen["before"]["agreed"]
    assert seen["after"]["mean_eta_seconds"] > seen["before"]["mean_eta_seconds"]
    assert (await client.get("/api/v1/score-weights", headers=keeper)).json()["in_force"] == 1
    backwards = {"since": asked["until"], "until": asked["since"], "weights": {"eta": 1}}
    refused = await client.post("/api/v1/score-weights/preview", json=backwards, headers=keeper)
    assert (refused.status_code, refused.json()["code"]) == (422, "period.runs_backwards")


async def test_the_evaluation_has_both_sides_with_intervals(client, signed_in, history, clock):
    asked = {"from": (clock.now() - timedelta(days=90)).isoformat(), "until": clock.now().isoformat()}
    answer = await client.get("/api/v1/dispatch/evaluation", params=asked, headers=await signed_in("auditor"))
    assert answer.status_code == 200, answer.text
    manual = answer.json()["manual"]
    assert manual["orders"] == manual["first_time_fix"]["samples"] == 300
    assert manual["first_time_fix"]["low"] < manual["first_time_fix"]["value"] < manual["first_time_fix"]["high"]
    assert answer.json()["system"]["first_time_fix"] == {"samples": 0, "value": None, "low": None, "high": None}


async def test_who_may_read_and_who_may_decide(client, signed_in):
    model, dispatcher, engineer = uuid4(), await signed_in("dispatcher"), await signed_in("engineer")
    reading = ["/api/v1/learning", "/api/v1/learning/models", "/api/v1/score-weights"]
    for path in reading:
        assert (await client.get(path, headers=dispatcher)).status_code == 200, path
        assert (await client.get(path, headers=engineer)).status_code == 403, path
    deciding = [f"/api/v1/learning/models/{model}/{what}" for what in ("accept", "reject", "retire")]
    for path in ["/api/v1/learning", *deciding]:
        assert (await client.post(path, headers=dispatcher)).status_code == 403, path
    keeper = await signed_in("administrator")
    for path in deciding:
        assert (await client.post(path, headers=keeper)).status_code == 404, path


async def test_what_was_learnt_elsewhere_is_not_there(client, services, database, company, administrator, history):
    from tests.factories.identity import found_company, token_for

    async with database.unit_of_work(company.id) as uow:
        await learning.set_policy(uow, administrator, enough_orders=10, expected_version=0)
        past = await learning.history(uow)
        made = await learning.propose(uow, past, learning.lessons(past))
    rival = await found_company(database, "rival", roles=("administrator",))
    headers = {"Authorization": f"Bearer {await token_for(services, rival, 'administrator')}"}
    answer = await client.get(f"/api/v1/learning/models/{made[0].model.id}", headers=headers)
    assert answer.status_code == 404
    assert (await client.get("/api/v1/learning/models", headers=headers)).json() == {"items": []}
