"""System against manual dispatch, on real rows whose truth is known."""

from datetime import timedelta

import pytest

from server.core.db import UnitOfWork
from server.dispatch import service as dispatch
from server.dispatch.decisions import How
from server.dispatch.evaluation import service
from server.dispatch.evaluation.domain import Comparison
from server.dispatch.learning.errors import PeriodRunsBackwards, PeriodTooLong
from server.geo.estimate import EstimatedTravel
from server.identity.domain import Actor
from server.workorders import service as workorders
from server.workorders.domain import Action, HoldReason
from tests.factories.history import Past, a_past
from tests.factories.workforce import a_shift, another_engineer
from tests.factories.workorders import an_order, work_until

DAY = timedelta(days=1)


@pytest.fixture
async def anna(uow: UnitOfWork, company) -> Actor:
    it = await another_engineer(uow, company.id, "Anna")
    await a_shift(uow, it)
    return it


@pytest.fixture
async def bruno(uow: UnitOfWork, company) -> Actor:
    it = await another_engineer(uow, company.id, "Bruno")
    await a_shift(uow, it)
    return it


async def evaluated(uow: UnitOfWork, days: float = 30) -> Comparison:
    return await service.evaluate(uow, uow.now() - days * DAY, uow.now() + DAY)


async def send(uow: UnitOfWork, dispatcher: Actor, order, to: Actor, how: How) -> None:
    await dispatch.assign(uow, dispatcher, EstimatedTravel(), work_order_id=order.id, engineer_id=to.person, how=how)


async def test_the_four_figures_are_what_happened(uow, dispatcher, anna, bruno):
    def past(how: How, days: float, **more) -> Past:
        ranked = [(anna.person, {"eta": 0.5})]
        return Past("leak", anna.person, days, how=how, candidates=ranked, **more)

    # Three days of the system with two jobs each, two of people with one.
    system = [past(How.PLAN, day + part, rating=5) for day in (5, 6, 7) for part in (0.01, 0.02)]
    manual = [past(How.MANUAL, 8, fixed=False, before=[bruno.person]), past(How.MANUAL, 9, rating=2)]
    await a_past(uow, dispatcher, [anna, bruno], [*system, *manual])
    found = await evaluated(uow)
    assert (found.system.orders, found.manual.orders, found.mixed_days) == (6, 2, 0)
    assert (found.system.first_time_fix.value, found.manual.first_time_fix.value) == (1, 0.5)
    assert (found.system.hand_overs.value, found.manual.hand_overs.value) == (0, 1)
    assert (found.system.satisfaction.value, found.manual.satisfaction.value) == (5, 2)
    assert found.system.jobs_per_engineer_day.value == 2
    assert (found.manual.jobs_per_engineer_day.samples, found.manual.jobs_per_engineer_day.value) == (1, 1)
    assert (found.system.first_time_fix.low, found.system.first_time_fix.high) == pytest.approx((0.6097, 1))
    assert found.system.by_how == {How.PLAN: 6}


async def test_only_the_time_asked_about_counts(uow, dispatcher, anna):
    ranked = [(anna.person, {"eta": 0.5})]
    await a_past(uow, dispatcher, [anna], [Past("leak", anna.person, days, candidates=ranked) for days in (2, 20, 40)])
    assert [(await evaluated(uow, days)).manual.orders for days in (1, 10, 30, 60)] == [0, 1, 2, 3]
    with pytest.raises(PeriodRunsBackwards):
        await service.evaluate(uow, uow.now(), uow.now())
    with pytest.raises(PeriodTooLong):
        await service.evaluate(uow, uow.now() - 733 * DAY, uow.now())


async def test_an_order_counts_for_whoever_chose_its_first_engineer(uow, dispatcher, anna, bruno):
    order = await an_order(uow, dispatcher)
    await send(uow, dispatcher, order, anna, How.PLAN)
    await send(uow, dispatcher, order, bruno, How.MANUAL)
    await work_until(uow, bruno, order, Action.RESOLVE)
    found = await evaluated(uow)
    assert (found.system.orders, found.manual.orders) == (1, 0)
    assert found.system.hand_overs.value == 1
    assert found.system.first_time_fix.value == 1, "nobody had worked on it before"
    assert found.manual.jobs_per_engineer_day.value == 1, "the visit itself was a person's choice"


async def test_another_time_for_the_same_engineer_is_no_hand_over_and_a_cancelled_order_says_nothing(
    uow, dispatcher, anna
):
    order, cancelled = await an_order(uow, dispatcher), await an_order(uow, dispatcher)
    await send(uow, dispatcher, order, anna, How.MANUAL)
    start = uow.now() + timedelta(hours=3)
    await workorders.schedule_visit(
        uow, dispatcher, work_order_id=order.id, engineer_id=anna.person, planned_start=start, planned_end=start + DAY
    )
    await send(uow, dispatcher, cancelled, anna, How.MANUAL)
    await workorders.perform(uow, dispatcher, work_order_id=cancelled.id, action=Action.CANCEL, reason="-")
    found = await evaluated(uow)
    assert (found.manual.orders, found.manual.hand_overs.value) == (1, 0)
    assert found.manual.first_time_fix.samples == 0, "nobody has finished a visit"


async def test_who_declines_hands_over(uow, dispatcher, anna):
    order = await an_order(uow, dispatcher)
    await send(uow, dispatcher, order, anna, How.AUTOMATIC)
    await workorders.perform(uow, anna, work_order_id=order.id, action=Action.DECLINE, reason="-")
    assert (await evaluated(uow)).system.hand_overs.value == 1


@pytest.mark.parametrize("what", ["held", "reopened"])
async def test_what_had_to_be_held_or_was_reopened_was_not_fixed_the_first_time(uow, dispatcher, anna, what):
    order = await an_order(uow, dispatcher)
    await send(uow, dispatcher, order, anna, How.MANUAL)
    await work_until(uow, anna, order, Action.START)
    if what == "held":
        await workorders.perform(
            uow, anna, work_order_id=order.id, action=Action.HOLD, hold_reason=HoldReason.PARTS, note="No fan"
        )
        await workorders.perform(uow, anna, work_order_id=order.id, action=Action.RESUME)
    await workorders.perform(uow, anna, work_order_id=order.id, action=Action.RESOLVE, note="Done.")
    if what == "reopened":
        await workorders.perform(uow, dispatcher, work_order_id=order.id, action=Action.REOPEN, reason="Cold again")
    figure = (await evaluated(uow)).manual.first_time_fix
    assert (figure.samples, figure.value) == (1, 0)


async def test_another_organisations_orders_are_nobodys(database, uow, dispatcher, anna):
    from tests.factories.identity import found_company

    await a_past(uow, dispatcher, [anna], [Past("leak", anna.person, 2, candidates=[(anna.person, {"eta": 0.5})])])
    rival = await found_company(database, "rival", roles=("administrator",))
    async with database.unit_of_work(rival.id) as other:
        assert (await evaluated(other)).manual.orders == 0
