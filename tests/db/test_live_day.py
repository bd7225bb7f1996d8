"""The day as it runs, on real rows: slots, offers, what-if, and what goes wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest
from procrastinate import App as JobApp

from server.core.db import Database, UnitOfWork
from server.customers import service as customers
from server.dispatch import service as dispatch
from server.dispatch.live_day import disruptions, policy, queries, service, what_if
from server.dispatch.live_day.days import RunningDays, read_picture
from server.dispatch.live_day.domain import DisruptionKind, DisruptionState, Lacking, Miss, Rating, Rule, Side
from server.dispatch.live_day.errors import (
    DaysNotAhead,
    NobodyWaited,
    NotUnderWay,
    OutOfStep,
    SlotTaken,
    TimesBackwards,
)
from server.dispatch.live_day.service import Wish
from server.dispatch.live_day.tours import known_tours
from server.dispatch.planner.plan import Costs, Plan, tour_of
from server.dispatch.planner.problem import Problem, Shift, Visit, Window
from server.dispatch.planner.running import Book, Running, laid_alone
from server.dispatch.planner.solve import solve
from server.dispatch.planner.stopping import Steps
from server.dispatch.planning import service as planning
from server.dispatch.planning.asking import ask, places_of
from server.dispatch.planning.domain import Change, LineState, PlanKind, PlanState
from server.dispatch.planning.picture import Policy, Span
from server.dispatch.planning.timetable import known_timetable_of
from server.geo.estimate import EstimatedTravel
from server.identity.domain import Actor
from server.workforce.domain import SkillLevel
from server.workorders import arrangements
from server.workorders import queries as of_orders
from server.workorders import service as workorders
from server.workorders.domain import Action, LinkKind, Priority, State
from tests.factories.customers import MONTE_CARLO
from tests.factories.live_day import Town
from tests.factories.workorders import an_order, work_until

TRAVEL = EstimatedTravel()
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """What is compiled at its first use is compiled before a transaction waits for it."""
    visits = (Visit(0, 60, (Window(0, 1_000),)), Visit(0, 60, (Window(0, 1_000), Window(2_000, 3_000))))
    problem = Problem(visits, (Shift(0, 0, 0, 0, 5_000, overtime=60),), np.zeros((1, 1), np.int32))
    Running(problem, Plan((tour_of(problem, 0, [0]),), {}, Costs())).offers(1)
    solve(problem, Steps(200))
    alone = laid_alone(problem, [1])
    assert alone is not None
    Book([alone]).cheapest(np.zeros(1, np.int64))


@pytest.fixture
def days() -> RunningDays:
    return RunningDays(TRAVEL)


@pytest.fixture
def town(uow: UnitOfWork, dispatcher: Actor) -> Town:
    return Town(uow, dispatcher, MONTE_CARLO)


# --- slots ------------------------------------------------------------------------------------------------------------


async def test_each_span_offers_the_engineer_for_whom_it_is_the_least_way(uow, dispatcher, days, town):
    near, far = await town.engineer("Near", 1_000), await town.engineer("Far", 30_000)
    order = await town.order(1_500)
    found = await service.slots(uow, dispatcher, days, order.id, many=1, width=120)
    assert found.slots
    assert {it.engineer_id for it in found.slots} == {near.person}, far
    assert all(it.span.opens <= it.placed.begins < it.span.closes for it in found.slots)
    assert [it.span.opens for it in found.slots] == sorted(it.span.opens for it in found.slots)
    assert found.slots[0].rating is Rating.GOOD


async def test_a_slot_says_who_begins_later_and_nobody_beyond_their_window(uow, dispatcher, days, town):
    anna = await town.engineer("Anna", 0, hours=4)
    start = uow.now() + HOUR
    other, _ = await town.visit(anna, 500, 1, window_start=start, window_end=start + 2 * HOUR)
    order = await town.order(0, duration_minutes=90)
    found = await service.slots(uow, dispatcher, days, order.id, many=1, width=60)
    assert found.slots
    for slot in found.slots:
        for delay in slot.placed.delays:
            assert delay.order_id == other.id
            assert start + timedelta(seconds=delay.seconds) <= start + 2 * HOUR


async def test_slots_for_an_order_that_is_not_opened_yet_know_the_customers_wishes(uow, dispatcher, days, town):
    able = await town.engineer("Able", 2_000, days=3, oven=3)
    unable = await town.engineer("Unable", 0, days=3)
    site = (await town.order(100)).site_id
    wish = Wish(site, 60, (SkillLevel("oven", 2),), Priority.URGENT)
    found = await service.slots(uow, dispatcher, days, wish, many=3)
    assert {it.engineer_id for it in found.slots} == {able.person}
    assert len({it.day for it in found.slots}) == 3
    assert {(it.engineer_id, it.why) for it in found.left_out if it.why is Miss.SKILL} == {(unable.person, Miss.SKILL)}
    assert any(it.placed.late_seconds > 0 and it.rating is Rating.POOR for it in found.slots), "urgent in two days"


async def test_a_shift_whose_tour_breaks_the_rules_already_offers_nothing_and_says_so(uow, dispatcher, days, town):
    anna = await town.engineer("Anna", 0)
    soon = uow.now() + 2 * HOUR
    await town.visit(anna, 0, 2, window_start=soon, window_end=soon + HOUR, duration_minutes=240)
    await town.visit(anna, 50_000, 2.5, window_start=soon, window_end=soon + HOUR)
    order = await town.order(0, duration_minutes=30)
    found = await service.slots(uow, dispatcher, days, order.id, many=1)
    assert not found.slots
    assert [it.why for it in found.left_out] == [Miss.UNDRIVABLE]


async def test_days_of_the_past_and_too_many_are_refused(uow, dispatcher, days, town):
    order = await town.order(0)
    for first, many in ((uow.now().date() - timedelta(days=1), 1), (uow.now().date(), 15)):
        with pytest.raises(DaysNotAhead):
            await service.slots(uow, dispatcher, days, order.id, first=first, many=many)


async def take(uow, actor, days, order, slot, **more):
    return await service.take(
        uow,
        actor,
        days,
        TRAVEL,
        work_order_id=order.id,
        engineer_id=slot.engineer_id,
        start=slot.placed.begins,
        most_delay=slot.placed.delay_seconds,
        **more,
    )


async def test_a_taken_slot_is_a_visit_and_a_promise(uow, dispatcher, days, town):
    await town.engineer("Anna", 0)
    order = await town.order(800)
    slot = (await service.slots(uow, dispatcher, days, order.id, many=1)).slots[0]
    visit = await take(uow, dispatcher, days, order, slot, window=slot.span)
    assert (visit.engineer_id, visit.planned_start) == (slot.engineer_id, slot.placed.begins)
    kept = await of_orders.order(uow, order.id)
    assert kept is not None
    assert (kept.window_start, kept.window_end) == (slot.span.opens, slot.span.closes)


async def test_of_two_dispatchers_who_take_the_same_slot_the_second_is_told_what_is_left(
    database: Database, company, dispatcher
):
    async with database.unit_of_work(company.id) as uow:
        town = Town(uow, dispatcher, MONTE_CARLO)
        await town.engineer("Anna", 0, hours=6)
        orders = [await town.order(700, duration_minutes=120), await town.order(900, duration_minutes=120)]
    desks = [RunningDays(TRAVEL), RunningDays(TRAVEL)]
    found = []
    for desk, order in zip(desks, orders, strict=True):
        async with database.unit_of_work(company.id) as uow:
            found.append((await service.slots(uow, dispatcher, desk, order.id, many=1)).slots[0])

    async def book(desk, order, slot):
        async with database.unit_of_work(company.id) as uow:
            return await take(uow, dispatcher, desk, order, slot, window=slot.span)

    done = await asyncio.gather(*(book(*it) for it in zip(desks, orders, found, strict=True)), return_exceptions=True)
    refused = [it for it in done if isinstance(it, SlotTaken)]
    assert len(refused) == 1, done
    assert refused[0].facts["slots"]
    async with database.unit_of_work(company.id) as uow:
        count = await uow.value("select count(*) from visit where finished_at is null")
    assert count == 1


# --- offers -----------------------------------------------------------------------------------------------------------


async def test_an_urgent_order_is_offered_where_it_costs_least_and_follows_what_happens(uow, dispatcher, days, town):
    crew = [await town.engineer(f"E{number}", number * 3_000) for number in range(5)]
    for number, it in enumerate(crew):
        await town.visit(it, number * 3_000 + 200, 3)
    order = await town.order(3_100, priority=Priority.URGENT, duration_minutes=30)
    found = await service.offers(uow, dispatcher, days, order.id)
    assert len(found.placed) == 3
    assert found.placed[0].duty.engineer_id == crew[1].person
    assert [it.cost for it in found.placed] == sorted(it.cost for it in found.placed)
    assert all(it.arrives <= it.arrives_p90 for it in found.placed)
    # The cache hears of what happened since: the first is full up now.
    for hours in (0.6, 1.7, 4.1, 5.2, 6.3, 7.4):
        begins = uow.now() + timedelta(hours=hours)
        await town.visit(crew[1], 3_200, hours, window_start=begins, window_end=begins + timedelta(minutes=5))
    again = await service.offers(uow, dispatcher, days, order.id)
    fresh = await service.offers(uow, dispatcher, RunningDays(TRAVEL), order.id)
    assert again == fresh


async def test_whoever_is_away_is_offered_nothing(uow, dispatcher, days, town, services):
    anna, bruno = await town.engineer("Anna", 0), await town.engineer("Bruno", 9_000)
    order = await town.order(100)
    assert (await service.offers(uow, dispatcher, days, order.id)).placed[0].duty.engineer_id == anna.person
    await disruptions.report_absence(uow, dispatcher, services.jobs, anna.person, why="sick")
    found = await service.offers(uow, dispatcher, days, order.id)
    assert [it.duty.engineer_id for it in found.placed] == [bruno.person]


# --- orders that are linked -------------------------------------------------------------------------------------------


async def link(uow, dispatcher, kind, first, then, gap=0):
    await arrangements.link(uow, dispatcher, kind=kind, first_id=first.id, then_id=then.id, gap_minutes=gap)


async def test_no_slot_begins_before_the_end_of_what_an_order_waits_for(uow, dispatcher, days, town):
    anna, bruno = await town.engineer("Anna", 0, days=2), await town.engineer("Bruno", 500, days=2)
    first, then = await town.order(800), await town.order(900)
    await link(uow, dispatcher, LinkKind.BEFORE, first, then, gap=30)
    waits = await service.slots(uow, dispatcher, days, then.id, many=2)
    assert not waits.slots, "nobody knows when the first ends"
    assert {(it.engineer_id, it.why) for it in waits.left_out} == {(it.person, Miss.LINK) for it in (anna, bruno)}
    assert f"waits for work order {first.number}" in waits.left_out[0].sentence
    visit = await town.send(first, anna, 3)
    ready = visit.planned_end + timedelta(minutes=30)
    found = await service.slots(uow, dispatcher, days, then.id, many=2, width=60)
    assert min(it.placed.begins for it in found.slots) == ready
    assert len({it.day for it in found.slots}) == 2
    with pytest.raises(OutOfStep, match=f"end of work order {first.number}"):
        await service.take(
            uow, dispatcher, days, TRAVEL, work_order_id=then.id, engineer_id=bruno.person, start=ready - HOUR
        )
    taken = await take(uow, dispatcher, days, then, found.slots[0])
    assert taken.planned_start == ready


async def test_what_comes_first_is_offered_so_that_it_ends_before_what_waits_for_it(uow, dispatcher, days, town):
    anna, _ = await town.engineer("Anna", 0), await town.engineer("Bruno", 500)
    first = await town.order(800, duration_minutes=60)
    then, visit = await town.visit(anna, 900, 4)
    await link(uow, dispatcher, LinkKind.BEFORE, first, then)
    found = await service.slots(uow, dispatcher, days, first.id, many=1, width=60)
    assert found.slots
    assert all(it.placed.ends <= visit.planned_start for it in found.slots)


async def test_a_mate_is_offered_for_the_minute_the_other_begins(uow, dispatcher, days, town):
    anna, bruno = await town.engineer("Anna", 0), await town.engineer("Bruno", 500)
    first = await town.order(800)
    site = await uow.value("select site_id from work_order where id = %(it)s", it=first.id)
    then = await an_order(uow, dispatcher, site=await customers.site_of(uow, site))
    await link(uow, dispatcher, LinkKind.TOGETHER, first, then)
    visit = await town.send(first, anna, 3)
    slots = (await service.slots(uow, dispatcher, days, then.id, many=1, width=60)).slots
    offers = (await service.offers(uow, dispatcher, days, then.id)).placed
    assert [(it.engineer_id, it.placed.begins) for it in slots] == [(bruno.person, visit.planned_start)]
    assert [(it.duty.engineer_id, it.begins) for it in offers] == [(bruno.person, visit.planned_start)]
    alone = await what_if.what_if(uow, dispatcher, days, then.id, engineer_id=bruno.person)
    assert (alone.start, alone.broken) == (visit.planned_start, ())
    left_out = (await service.offers(uow, dispatcher, days, then.id)).left_out
    assert [(it.engineer_id, it.why) for it in left_out] == [(anna.person, Miss.LINK)], "nobody is two"
    both = await what_if.what_if(uow, dispatcher, days, then.id, engineer_id=anna.person, start=visit.planned_start)
    assert Rule.LINK in {it.code for it in both.broken}


async def test_an_urgent_order_that_waits_for_tomorrow_is_offered_nowhere_today_and_says_why(
    uow, dispatcher, days, town
):
    anna = await town.engineer("Anna", 0, days=2)
    first, _ = await town.visit(anna, 900, 26)
    then = await town.order(800, priority=Priority.URGENT)
    await link(uow, dispatcher, LinkKind.BEFORE, first, then)
    found = await service.offers(uow, dispatcher, days, then.id)
    assert not found.placed
    assert {it.why for it in found.left_out} == {Miss.LINK}
    asked = await what_if.what_if(uow, dispatcher, days, then.id, engineer_id=anna.person)
    assert asked.start is not None
    assert asked.start >= uow.now() + 27 * HOUR, "in the cheapest place that the link allows"
    assert Rule.LINK not in {it.code for it in asked.broken}
    early = await what_if.what_if(uow, dispatcher, days, then.id, engineer_id=anna.person, start=uow.now() + 2 * HOUR)
    (broken,) = [it for it in early.broken if it.code is Rule.LINK]
    assert (broken.side, broken.at) == (Side.EARLY, uow.now() + 27 * HOUR)
    assert str(first.number) in broken.sentence


# --- what-if ----------------------------------------------------------------------------------------------------------


async def known(uow, engineer, at):
    """The timetable of an engineer's day as plans know it."""
    picture = await read_picture(uow, at.replace(hour=0, minute=0), at.replace(hour=23), [engineer.person])
    (tour,) = known_tours(picture)
    alone = tour.picture
    drives = await TRAVEL.table(places_of(alone), places_of(alone), tour.leaves.replace(minute=0))
    asked = ask(alone, drives)
    return known_timetable_of(asked, [it.id for it in tour.sequence])


@pytest.mark.parametrize("hours", [None, 2.0, 4.0])
async def test_what_if_is_what_happens_then(uow, dispatcher, days, town, hours):
    anna = await town.engineer("Anna", 0)
    first, _ = await town.visit(anna, 1_000, 1)
    then, _ = await town.visit(anna, 9_000, 4)
    order = await town.order(5_000, duration_minutes=45)
    start = None if hours is None else uow.now() + timedelta(hours=hours)
    found = await what_if.what_if(uow, dispatcher, days, order.id, engineer_id=anna.person, start=start)
    assert found.tour is not None
    assert [it.order_id for it in found.tour.before.calls] == [first.id, then.id]
    await dispatch.assign(
        uow,
        dispatcher,
        TRAVEL,
        work_order_id=order.id,
        engineer_id=anna.person,
        planned_start=found.start,
        planned_end=found.end,
    )
    happened = await known(uow, anna, uow.now())
    assert [(it.order_id, it.begins, it.ends) for it in happened.calls] == [
        (it.order_id, it.begins, it.ends) for it in found.tour.after.calls
    ]
    assert happened.returns == found.tour.after.returns


async def test_what_if_never_refuses_and_names_every_rule_that_breaks(uow, dispatcher, days, town):
    anna = await town.engineer("Anna", 0, hours=4)
    opens = uow.now() + 5 * HOUR
    order = await town.order(
        500, skills=(SkillLevel("oven", 2),) if await _oven(uow) else (), window_start=opens, window_end=opens + HOUR
    )
    late = uow.now() + 8 * HOUR
    found = await what_if.what_if(uow, dispatcher, days, order.id, engineer_id=anna.person, start=late)
    assert {it.code for it in found.broken} == {Rule.SKILL, Rule.SHIFT, Rule.WINDOW}
    assert all(it.sentence.endswith(".") for it in found.broken)
    of = {it.code: it for it in found.broken}
    assert of[Rule.SKILL].skills == (Lacking("oven", 2, 0),)
    assert (of[Rule.WINDOW].at, of[Rule.WINDOW].side) == (opens + HOUR, Side.LATE)
    assert (of[Rule.SHIFT].at, of[Rule.SHIFT].side) == (uow.now() + 4 * HOUR, Side.LATE)
    nobody = await town.engineer("Nobody", 0, days=0)
    none = await what_if.what_if(uow, dispatcher, days, order.id, engineer_id=nobody.person)
    assert (none.tour, [it.code for it in none.broken]) == (None, [Rule.SHIFT])


async def _oven(uow) -> bool:
    from server.workforce import service as workforce

    await workforce.add_skill(uow, key="oven", name={"en": "Oven"})
    return True


async def test_what_if_shows_the_tour_it_is_taken_from(uow, dispatcher, days, town):
    anna, bruno = await town.engineer("Anna", 0), await town.engineer("Bruno", 20_000)
    order, _ = await town.visit(anna, 1_000, 2)
    found = await what_if.what_if(uow, dispatcher, days, order.id, engineer_id=bruno.person)
    assert found.taken_from is not None
    assert [it.order_id for it in found.taken_from.before.calls] == [order.id]
    assert not found.taken_from.after.calls
    assert found.taken_from.extra_seconds < 0
    assert found.tour is not None
    assert found.tour.extra_seconds > 0
    visit = await of_orders.visit_at_hand(uow, order.id)
    assert visit is not None
    assert visit.engineer_id == anna.person, "nothing was written"


# --- what goes wrong --------------------------------------------------------------------------------------------------


@dataclass
class Desk:
    """A dispatcher's desk on a committed day: each act is a transaction, and every job runs afterwards."""

    database: Database
    org: UUID
    dispatcher: Actor
    jobs: JobApp
    work_through: Callable[[], Awaitable[None]]

    async def do(self, act):
        async with self.database.unit_of_work(self.org) as uow:
            found = await act(uow)
        await self.work_through()
        return found

    async def town(self, act):
        async with self.database.unit_of_work(self.org) as uow:
            return await act(Town(uow, self.dispatcher, MONTE_CARLO))

    async def repair(self):
        """The newest repair and its lines by order."""
        async with self.database.unit_of_work(self.org) as uow:
            plans = [it for it in await planning.plans(uow, None, 50) if it.kind is PlanKind.REPAIR]
            if not plans:
                return None, {}
            return plans[0], {it.work_order_id: it for it in await planning.lines_of(uow, plans[0].id)}

    async def holder(self, order):
        async with self.database.unit_of_work(self.org) as uow:
            visit = await of_orders.visit_at_hand(uow, order.id)
            return visit.engineer_id if visit and visit.is_open else None

    async def state(self, disruption):
        async with self.database.unit_of_work(self.org) as uow:
            found = await queries.disruption(uow, disruption.id)
            assert found is not None
            return found.state

    async def events(self, name):
        async with self.database.unit_of_work(self.org) as uow:
            return await uow.rows("select payload, actor_id from event where name = %(name)s", name=name)

    async def automatic(self, administrator: Actor, **limits):
        async with self.database.unit_of_work(self.org) as uow:
            await policy.set_policy(uow, administrator, replace(Policy(), automatic=True, **limits), expected_version=0)


@pytest.fixture
def desk(database, company, dispatcher, services, work_through) -> Desk:
    return Desk(database, company.id, dispatcher, services.jobs, work_through)


@pytest.fixture
async def two(desk: Desk):
    """Anna with two visits from an hour on, and Bruno near with one of his own."""

    async def begin(town: Town):
        anna, bruno = await town.engineer("Anna", 0), await town.engineer("Bruno", 2_000)
        hers = [(await town.visit(anna, 500 * number, 2 * number))[0] for number in (1, 2)]
        his, _ = await town.visit(bruno, 2_500, 7)
        return anna, bruno, hers, his

    return await desk.town(begin)


async def test_who_is_sick_today_hands_their_visits_to_neighbours_once_a_dispatcher_accepts(desk, two):
    anna, bruno, hers, his = two
    sick = await desk.do(
        lambda uow: disruptions.report_absence(uow, desk.dispatcher, desk.jobs, anna.person, why="flu")
    )
    plan, lines = await desk.repair()
    assert (plan.state, sick.plan_id) == (PlanState.READY, plan.id)
    assert {lines[it.id].change for it in hers} == {Change.MOVE}
    assert lines[his.id].change is Change.KEEP
    assert await desk.events("plan.ready"), "boards hear of it"
    await desk.do(lambda uow: planning.accept(uow, desk.dispatcher, desk.jobs, plan.id))
    assert {await desk.holder(it) for it in hers} == {bruno.person}
    assert await desk.state(sick) is DisruptionState.REPAIRED
    async with desk.database.unit_of_work(desk.org) as uow:
        why = await uow.value(
            "select why from timeline_entry where work_order_id = %(id)s and why like '%%flu%%' limit 1", id=hers[0].id
        )
    assert why == "Anna: flu"


async def test_a_breakdown_leaves_what_the_engineer_is_at_with_them(desk, two):
    anna, bruno, hers, _ = two

    async def set_out(uow):
        await work_until(uow, anna, hers[0], Action.ARRIVE)
        return await disruptions.report_absence(
            uow, desk.dispatcher, desk.jobs, anna.person, kind=DisruptionKind.BREAKDOWN
        )

    broken = await desk.do(set_out)
    _, lines = await desk.repair()
    assert broken.kind is DisruptionKind.BREAKDOWN
    assert hers[0].id not in lines
    assert (lines[hers[1].id].change, lines[hers[1].id].to_engineer_id) == (Change.MOVE, bruno.person)


async def test_who_is_sick_is_no_candidate_until_they_are_back(desk, two, clock):
    anna, bruno, hers, _ = two
    await desk.do(
        lambda uow: disruptions.report_absence(
            uow, desk.dispatcher, desk.jobs, anna.person, until=clock.now() + 30 * HOUR, why="flu"
        )
    )
    async with desk.database.unit_of_work(desk.org) as uow:
        ranking = await dispatch.candidates(uow, desk.dispatcher, TRAVEL, hers[0].id, uow.now())
    assert [it.engineer_id for it in ranking.items] == [bruno.person]


async def test_an_absence_of_some_hours_touches_only_what_lies_in_it(desk, two, clock):
    anna, bruno, hers, _ = two
    since = clock.now() + 3.5 * HOUR
    await desk.do(
        lambda uow: disruptions.report_absence(
            uow, desk.dispatcher, desk.jobs, anna.person, since=since, until=since + 6 * HOUR
        )
    )
    _, lines = await desk.repair()
    assert lines[hers[0].id].change is Change.KEEP
    assert (lines[hers[1].id].change, lines[hers[1].id].to_engineer_id) == (Change.MOVE, bruno.person)


async def test_a_customer_who_was_not_there_waits_for_another_time(desk, two, clock):
    _, _, hers, _ = two
    wish = Span(clock.now() + 26 * HOUR, clock.now() + 28 * HOUR)
    lost = await desk.do(lambda uow: disruptions.report_no_show(uow, desk.dispatcher, desk.jobs, hers[0].id, wish=wish))
    async with desk.database.unit_of_work(desk.org) as uow:
        order = await of_orders.order(uow, hers[0].id)
    assert order is not None
    assert (order.state, order.window_start) == (State.TRIAGED, wish.opens)
    assert await desk.holder(hers[0]) is None
    assert await desk.state(lost) is DisruptionState.REPAIRED, "nothing else has to change"
    with pytest.raises(NobodyWaited):
        await desk.do(lambda uow: disruptions.report_no_show(uow, desk.dispatcher, desk.jobs, hers[0].id))


async def test_who_stands_before_a_closed_door_is_released_and_the_order_waits_for_its_customer(desk, two):
    anna, _, hers, _ = two

    async def at_the_door(uow):
        await work_until(uow, anna, hers[0], Action.ARRIVE)
        return await disruptions.report_no_show(uow, desk.dispatcher, desk.jobs, hers[0].id)

    lost = await desk.do(at_the_door)
    async with desk.database.unit_of_work(desk.org) as uow:
        order = await of_orders.order(uow, hers[0].id)
    assert lost.kind is DisruptionKind.NO_SHOW
    assert order is not None
    assert (order.state, order.hold_reason) == (State.ON_HOLD, "customer")


async def test_a_delay_moves_what_can_no_longer_be_made_in_time(desk, clock):
    async def begin(town: Town):
        anna, bruno = await town.engineer("Anna", 0), await town.engineer("Bruno", 2_000)
        now, _ = await town.visit(anna, 300, 0)
        opens = clock.now() + 2 * HOUR
        then, _ = await town.visit(anna, 600, 2, window_start=opens, window_end=opens + timedelta(minutes=20))
        return anna, bruno, now, then

    anna, bruno, now, then = await desk.town(begin)
    with pytest.raises(NotUnderWay):
        await desk.do(lambda uow: disruptions.report_delay(uow, desk.dispatcher, desk.jobs, anna.person, minutes=90))

    async def late(uow):
        await work_until(uow, anna, now, Action.START)
        return await disruptions.report_delay(uow, desk.dispatcher, desk.jobs, anna.person, minutes=150)

    await desk.do(late)
    _, lines = await desk.repair()
    assert (lines[then.id].change, lines[then.id].to_engineer_id) == (Change.MOVE, bruno.person)


async def test_the_system_notices_who_takes_too_long_once_and_again_when_it_gets_worse(desk, two, clock):
    anna, _, hers, _ = two
    clock.forward(2 * HOUR)
    await desk.do(lambda uow: work_until(uow, anna, hers[0], Action.START))

    async def look(uow):
        return await disruptions.notice_delays(uow, desk.jobs, TRAVEL)

    assert not await desk.do(look), "in time so far"
    clock.forward(timedelta(minutes=80))
    (seen,) = await desk.do(look)
    assert (seen.reported_by, seen.visit_id is not None, seen.why) == (None, True, "30 min later than planned")
    assert not await desk.do(look)
    clock.forward(timedelta(minutes=15))
    assert len(await desk.do(look)) == 1


async def test_how_late_is_late_is_the_policys_to_say(desk, two, clock, administrator):
    anna, _, hers, _ = two

    async def delay_notice(uow, minutes: int, version: int) -> None:
        patient = replace(Policy(), delay_notice_minutes=minutes)
        await policy.set_policy(uow, administrator, patient, expected_version=version)

    await desk.do(lambda uow: delay_notice(uow, 45, 0))
    clock.forward(2 * HOUR)
    await desk.do(lambda uow: work_until(uow, anna, hers[0], Action.START))
    clock.forward(timedelta(minutes=80))
    assert not await desk.do(lambda uow: disruptions.notice_delays(uow, desk.jobs, TRAVEL)), "half an hour is not late"
    await desk.do(lambda uow: delay_notice(uow, 30, 1))
    assert len(await desk.do(lambda uow: disruptions.notice_delays(uow, desk.jobs, TRAVEL))) == 1


async def test_a_cancelled_order_leaves_a_gap_that_is_looked_at_once(desk, two):
    anna, _, hers, _ = two
    await desk.do(
        lambda uow: workorders.perform(
            uow, desk.dispatcher, work_order_id=hers[0].id, action=Action.CANCEL, reason="customer did it"
        )
    )
    async with desk.database.unit_of_work(desk.org) as uow:
        (found,) = await disruptions.disruptions(uow)
        assert found.visit_id is not None
        await disruptions.note_cancellation(uow, desk.jobs, found.visit_id)
        assert len(await disruptions.disruptions(uow)) == 1
    assert (found.kind, found.engineer_id) == (DisruptionKind.CANCELLATION, anna.person)
    assert found.state is DisruptionState.REPAIRED


async def test_what_comes_while_nobody_has_accepted_makes_one_repair_of_all(desk, two):
    anna, bruno, hers, his = two

    async def begin(town: Town):
        return await town.engineer("Carla", 1_000)

    carla = await desk.town(begin)
    await desk.do(lambda uow: disruptions.report_absence(uow, desk.dispatcher, desk.jobs, anna.person))
    older, _ = await desk.repair()
    await desk.do(lambda uow: disruptions.report_absence(uow, desk.dispatcher, desk.jobs, bruno.person))
    newer, lines = await desk.repair()
    async with desk.database.unit_of_work(desk.org) as uow:
        assert (await planning.plan_of(uow, older.id)).state is PlanState.CANCELLED
        assert {it.plan_id for it in await disruptions.disruptions(uow)} == {newer.id}
    assert {lines[it.id].to_engineer_id for it in (*hers, his)} == {carla.person}


async def test_a_small_repair_puts_itself_into_effect_in_the_name_of_who_allowed_it(desk, two, administrator):
    anna, bruno, hers, _ = two
    await desk.automatic(administrator)
    sick = await desk.do(lambda uow: disruptions.report_absence(uow, desk.dispatcher, desk.jobs, anna.person))
    assert {await desk.holder(it) for it in hers} == {bruno.person}
    assert await desk.state(sick) is DisruptionState.REPAIRED
    (told,) = await desk.events("plan.accepted_within_limits")
    assert told["actor_id"] == administrator.person
    async with desk.database.unit_of_work(desk.org) as uow:
        (it,) = await disruptions.disruptions(uow)
        assert it.plan_id is not None
        repair = (await queries.repairs(uow, [it.plan_id]))[it.plan_id]
    assert (repair.by_itself, repair.changes, repair.applied) == (True, len(hers), len(hers))


async def test_a_repair_beyond_the_limits_waits_for_a_person(desk, two, administrator):
    anna, _, hers, _ = two
    await desk.automatic(administrator, automatic_moves=1)
    await desk.do(lambda uow: disruptions.report_absence(uow, desk.dispatcher, desk.jobs, anna.person))
    plan, _ = await desk.repair()
    assert plan.state is PlanState.READY
    assert {await desk.holder(it) for it in hers} == {anna.person}


async def test_what_is_ignored_counts_no_more(desk, two):
    anna, _, _, _ = two
    sick = await desk.do(lambda uow: disruptions.report_absence(uow, desk.dispatcher, desk.jobs, anna.person))
    left = await desk.do(lambda uow: disruptions.ignore(uow, desk.dispatcher, desk.jobs, sick.id))
    assert left.state is DisruptionState.IGNORED
    plan, _ = await desk.repair()
    assert plan.state is PlanState.CANCELLED
    async with desk.database.unit_of_work(desk.org) as uow:
        now = uow.now()
        picture = await read_picture(uow, now, now + 9 * HOUR, [anna.person])
    assert len(picture.duties) == 1
    with pytest.raises(TimesBackwards):
        await desk.do(
            lambda uow: disruptions.report_absence(uow, desk.dispatcher, desk.jobs, anna.person, until=now - HOUR)
        )


async def test_one_sick_engineer_of_twenty_changes_few_of_the_others_visits(desk):
    async def begin(town: Town):
        crew = [await town.engineer(f"E{number}", (number % 5) * 4_000, hours=10) for number in range(20)]
        orders = {}
        for number, it in enumerate(crew):
            for nth in range(10):
                metres = (number % 5) * 4_000 + 300 * (nth % 4) + 40 * number
                order, _ = await town.visit(it, metres, 0.6 + 0.9 * nth, duration_minutes=25)
                orders[order.id] = it.person
        return crew, orders

    crew, orders = await desk.town(begin)
    await desk.do(lambda uow: disruptions.report_absence(uow, desk.dispatcher, desk.jobs, crew[7].person, why="sick"))
    plan, lines = await desk.repair()
    assert plan.state is PlanState.READY
    changed = [it for it in lines.values() if it.change in {Change.MOVE, Change.RETIME, Change.UNASSIGN}]
    others = [it for it in changed if orders[it.work_order_id] != crew[7].person]
    assert len(changed) - len(others) == 10, "every visit of the sick engineer is dealt with"
    assert sum(it.change is Change.MOVE for it in others) <= len(orders) * 5 // 100
    assert len(others) <= len(orders) * 5 // 100
    assert all(it.state is LineState.PROPOSED for it in changed)
