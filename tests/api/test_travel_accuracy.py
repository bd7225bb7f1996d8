"""The report on predicted drives, and the nights of learning, as the board asks for them."""

from datetime import timedelta

import pytest

from server.dispatch.travel_accuracy import service
from server.geo import service as geo
from server.geo.estimate import EstimatedTravel
from server.geo.learning import queries
from server.geo.learning.domain import Outcome
from server.workorders import service as workorders
from server.workorders.domain import Action
from tests.factories.customers import MONTE_CARLO
from tests.factories.geo import Track, all_day, device_of, with_phone
from tests.factories.workforce import a_shift, an_engineer
from tests.factories.workorders import a_visit, an_order


@pytest.fixture
async def driven(database, company, clock, dispatcher, engineer) -> None:
    """One engineer sets out 4 km away and arrives 12 minutes later."""
    async with database.unit_of_work(company.id) as uow:
        await an_engineer(uow, engineer)
        await a_shift(uow, engineer)
        phone = await with_phone(uow, engineer)
        fixes = Track(uow.now(), around=MONTE_CARLO).fixes(4_000)
        await geo.record_fixes(uow, phone, device_of(phone), fixes, all_day(uow.now()))
        order = await an_order(uow, dispatcher)
        visit = await a_visit(uow, dispatcher, engineer, order)
        for action in (Action.ACCEPT, Action.TRAVEL):
            await workorders.perform(uow, phone, work_order_id=order.id, action=action)
        await service.predict(uow, EstimatedTravel(), visit.id)
    clock.forward(timedelta(minutes=12))
    async with database.unit_of_work(company.id) as uow:
        await workorders.perform(uow, phone, work_order_id=order.id, action=Action.ARRIVE)


def period(clock, days: int = 1) -> dict[str, str]:
    day = timedelta(days=days)
    return {"from": (clock.now() - day).isoformat(), "until": (clock.now() + day).isoformat()}


async def test_the_report_says_how_true_drives_came_by_source_hour_and_district(client, signed_in, clock, driven):
    headers = await signed_in("dispatcher")
    found = (await client.get("/api/v1/travel-accuracy", params=period(clock), headers=headers)).json()
    assert found["overall"]["drives"] == 1
    assert found["overall"]["mape"] == abs(found["overall"]["bias"])
    assert [(it["source"], it["drives"]) for it in found["by_source"]] == [("estimate", 1)]
    assert [it["drives"] for it in found["by_hour"]] == [1]
    assert [(it["territory_id"], it["name"]) for it in found["by_district"]] == [(None, None)]


async def test_without_drives_figures_are_null_and_a_period_that_runs_backwards_is_refused(client, signed_in, clock):
    headers = await signed_in("dispatcher")
    found = (await client.get("/api/v1/travel-accuracy", params=period(clock), headers=headers)).json()
    assert (found["overall"]["drives"], found["overall"]["mape"], found["by_hour"]) == (0, None, [])
    refused = await client.get("/api/v1/travel-accuracy", params=period(clock, days=-1), headers=headers)
    assert refused.status_code == 422


async def test_nights_of_learning_are_listed_with_what_came_of_them(client, signed_in, database, company):
    async with database.unit_of_work() as uow:
        night = await queries.begin_night(uow, "monaco")
        await queries.end_night(uow, night, Outcome.NOT_BETTER, drives=900, back_test={"usual": {"mape": 30.0}})
    (it,) = (await client.get("/api/v1/travel-learning", headers=await signed_in("dispatcher"))).json()["items"]
    assert (it["outcome"], it["drives"], it["back_test"]["usual"]["mape"]) == ("not_better", 900, 30.0)


async def test_engineers_read_neither(client, signed_in, clock):
    headers = await signed_in("engineer")
    for path in ("travel-accuracy", "travel-learning"):
        assert (await client.get(f"/api/v1/{path}", params=period(clock), headers=headers)).status_code == 403


async def test_the_prediction_is_made_when_somebody_sets_out(
    client, database, company, clock, dispatcher, engineer, work_through
):
    """Through the event, the relay and the job, as in life."""
    async with database.unit_of_work(company.id) as uow:
        await an_engineer(uow, engineer)
        await a_shift(uow, engineer)
        phone = await with_phone(uow, engineer)
        fixes = Track(uow.now(), around=MONTE_CARLO).fixes(4_000)
        await geo.record_fixes(uow, phone, device_of(phone), fixes, all_day(uow.now()))
        order = await an_order(uow, dispatcher)
        await a_visit(uow, dispatcher, engineer, order)
        for action in (Action.ACCEPT, Action.TRAVEL):
            await workorders.perform(uow, phone, work_order_id=order.id, action=action)
    await work_through()
    async with database.unit_of_work(company.id) as uow:
        (kept,) = await uow.rows("select seconds, p90_seconds, metres, source from travel_prediction")
    assert kept["source"] == "estimate"
    assert 300 < kept["seconds"] < kept["p90_seconds"] < 3_000
    assert kept["metres"] > 4_000
