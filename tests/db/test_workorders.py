"""The life of a work order on real Postgres: opening, sending, working, closing, and everybody who may not."""

import asyncio
from datetime import timedelta

import pytest
from psycopg import Rollback

from server.core.errors import Forbidden, NotFound
from server.customers.domain import Caller
from server.geo.domain import Point
from server.workforce.domain import SkillLevel
from server.workforce.errors import NotAnEngineer, UnknownSkills
from server.workorders import access, checklists, intake, queries, reading, service
from server.workorders.domain import (
    Action,
    HoldReason,
    OrderRequest,
    Priority,
    State,
    VisitState,
)
from server.workorders.errors import (
    AssetElsewhere,
    ChangedMeanwhile,
    IllegalTransition,
    MissingRequirement,
    NotYourVisit,
    PlaceUnknown,
    PlanRunsBackwards,
    UnknownProcedure,
    VisitOver,
)
from server.workorders.intake import FaultReport
from server.workorders.views import Filter
from tests.factories.customers import MONTE_CARLO, a_customer, a_site, a_vip, an_asset
from tests.factories.workforce import an_engineer, another_engineer
from tests.factories.workorders import (
    a_procedure,
    a_visit,
    an_order,
    confirm,
    from_phone,
    work_until,
)


@pytest.fixture
async def order(uow, dispatcher, engineer):
    await an_engineer(uow, engineer, ovens=3)
    return await an_order(uow, dispatcher)


@pytest.fixture
async def visit(uow, dispatcher, engineer, order):
    return await a_visit(uow, dispatcher, engineer, order)


@pytest.fixture
async def other(uow, company):
    return await another_engineer(uow, company.id)


async def events(uow):
    rows = await uow.rows("select name, payload from event where subject_kind = 'work_order' order by id")
    return [(row["name"], row["payload"]) for row in rows]


async def event_names(uow):
    return [name for name, _ in await events(uow)]


async def test_numbers_are_dense_even_when_orders_are_opened_at_once(database, company, dispatcher):
    async with database.unit_of_work(company.id) as uow:
        site = await a_site(uow)

    async def open_one(fail):
        async with database.unit_of_work(company.id) as uow:
            number = (await an_order(uow, dispatcher, site=site)).number
            if fail:
                raise LookupError
        return number

    numbers = await asyncio.gather(*(open_one(fail=n % 3 == 0) for n in range(9)), return_exceptions=True)
    assert sorted(number for number in numbers if isinstance(number, int)) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("priority", "hours"), [(Priority.URGENT, 2), (Priority.HIGH, 24), (Priority.NORMAL, 72)])
async def test_an_order_promises_a_response_by_its_priority(uow, dispatcher, clock, priority, hours):
    order = await an_order(uow, dispatcher, priority=priority)
    assert order.respond_by == clock.now() + timedelta(hours=hours)
    assert await queries.order(uow, order.id) == order


async def test_a_vip_is_noted_where_everybody_looks(uow, dispatcher):
    order = await an_order(uow, dispatcher, site=await a_site(uow, await a_vip(uow)))
    entry = (await reading.history(uow, dispatcher, order.id))[0]
    assert (entry.action, entry.why, entry.facts["vip"]) == ("open", "VIP customer", True)
    (name, payload), *_ = await events(uow)
    assert (name, payload["vip"], payload["number"]) == ("work_order.opened", True, order.number)


async def test_an_order_asks_for_skills_and_a_procedure_that_exist(uow, dispatcher, engineer):
    await an_engineer(uow, engineer, ovens=3)
    procedure, _ = await a_procedure(uow)
    asked = (SkillLevel("ovens", 2),)
    order = await an_order(uow, dispatcher, skills=asked, procedure_key=procedure.key)
    assert await queries.skills(uow, order.id) == list(asked)
    assert order.procedure_id == procedure.id
    with pytest.raises(UnknownSkills):
        await an_order(uow, dispatcher, skills=(SkillLevel("flying", 1),))
    with pytest.raises(UnknownProcedure):
        await an_order(uow, dispatcher, procedure_key="nothing")


async def test_an_order_names_a_machine_of_its_own_site(uow, dispatcher):
    asset = await an_asset(uow, await a_site(uow))
    with pytest.raises(AssetElsewhere):
        await an_order(uow, dispatcher, asset_id=asset.id)


async def test_a_whole_life_from_report_to_confirmation(uow, dispatcher, engineer, order, visit, clock):
    assert visit.state is VisitState.DISPATCHED
    done = await work_until(uow, engineer, order, Action.RESOLVE)
    closed = await confirm(uow, engineer, done)
    assert (closed.state, closed.closed_at) == (State.CLOSED, clock.now())
    finished = await queries.visit(uow, visit.id)
    assert finished is not None
    assert (finished.state, finished.finished_at) == (VisitState.COMPLETED, clock.now())
    told = [(entry.action, entry.to_state) for entry in await reading.history(uow, dispatcher, order.id)]
    assert told == [
        ("open", "new"),
        ("schedule", "scheduled"),
        ("dispatch", "dispatched"),
        ("accept", "accepted"),
        ("travel", "travelling"),
        ("arrive", "on_site"),
        ("start", "working"),
        ("resolve", "resolved"),
        ("confirm", "closed"),
    ]
    assert closed.version == len(told)
    assert (await event_names(uow))[-3:] == ["visit.started", "work_order.resolved", "work_order.closed"]


async def test_an_event_says_who_where_and_in_which_state(uow, engineer, order, visit):
    await work_until(uow, engineer, order, Action.ACCEPT)
    name, payload = (await events(uow))[-1]
    assert name == "visit.accepted"
    assert payload["work_order_id"] == str(order.id)
    assert payload["visit_id"] == str(visit.id)
    assert payload["engineer_id"] == str(engineer.person)
    assert (payload["state"], payload["visit_state"]) == ("accepted", "accepted")


async def test_what_is_said_becomes_the_progress_note(uow, engineer, order, visit, dispatcher):
    await work_until(uow, engineer, order, Action.START)
    held = await service.perform(
        uow,
        engineer,
        work_order_id=order.id,
        action=Action.HOLD,
        note=" Valve is broken ",
        hold_reason=HoldReason.PARTS,
    )
    assert (held.state, held.hold_reason) == (State.ON_HOLD, HoldReason.PARTS)
    detail = await reading.detail(uow, dispatcher, order.id)
    assert [(note.body, note.visit_id) for note in detail.notes][-1] == ("Valve is broken", visit.id)
    resumed = await service.perform(uow, engineer, work_order_id=order.id, action=Action.RESUME)
    assert (resumed.state, resumed.hold_reason) == (State.WORKING, None)


async def test_holding_needs_a_reason_and_a_word(uow, engineer, order, visit):
    await work_until(uow, engineer, order, Action.ACCEPT)
    with pytest.raises(MissingRequirement) as refused:
        await service.perform(uow, engineer, work_order_id=order.id, action=Action.HOLD, note="  ")
    assert refused.value.facts["missing"] == "hold_reason, note"


async def test_a_checklist_with_open_items_holds_the_resolution_up(uow, dispatcher, engineer):
    await an_engineer(uow, engineer)
    procedure, (isolated, _) = await a_procedure(uow)
    order = await an_order(uow, dispatcher, procedure_key=procedure.key)
    await a_visit(uow, dispatcher, engineer, order)
    await work_until(uow, engineer, order, Action.START)
    with pytest.raises(MissingRequirement) as refused:
        await service.perform(uow, engineer, work_order_id=order.id, action=Action.RESOLVE, note="Done")
    assert refused.value.facts["missing"] == "checklist"
    await from_phone(
        uow, engineer, "answer.set", {"id": uow.new_id(), "wo": order.id, "item": isolated.id, "value": True}
    )
    done = await service.perform(uow, engineer, work_order_id=order.id, action=Action.RESOLVE, note="Done")
    assert done.state is State.RESOLVED


async def test_an_order_keeps_the_procedure_it_was_opened_with(uow, dispatcher):
    first, _ = await a_procedure(uow)
    order = await an_order(uow, dispatcher, procedure_key=first.key)
    second, _ = await a_procedure(uow)
    assert second.version == 2
    kept, _ = await checklists.of_order(uow, order)
    assert kept == first
    assert [it.version for it, _ in await checklists.procedures(uow)] == [2]


async def test_only_the_engineer_of_the_visit_performs_it(uow, dispatcher, other, order, visit):
    with pytest.raises(NotYourVisit):
        await service.perform(uow, other, work_order_id=order.id, action=Action.ACCEPT)
    with pytest.raises(Forbidden):
        await service.perform(uow, dispatcher, work_order_id=order.id, action=Action.ACCEPT)


async def test_an_engineer_does_not_cancel_and_an_auditor_does_nothing(uow, company, engineer, order, visit):
    for actor in (engineer, company.actor("auditor")):
        with pytest.raises(Forbidden):
            await service.perform(uow, actor, work_order_id=order.id, action=Action.CANCEL, reason="no")


async def test_a_refused_action_leaves_no_trace(uow, dispatcher, engineer, order, visit):
    before = await reading.detail(uow, dispatcher, order.id), await event_names(uow)
    with pytest.raises(IllegalTransition):
        await service.perform(uow, engineer, work_order_id=order.id, action=Action.RESOLVE, note="Already?")
    assert (await reading.detail(uow, dispatcher, order.id), await event_names(uow)) == before


async def test_a_page_that_is_behind_is_told_so(uow, dispatcher, order):
    await service.perform(uow, dispatcher, work_order_id=order.id, action=Action.TRIAGE, expected_version=1)
    with pytest.raises(ChangedMeanwhile):
        await service.perform(
            uow, dispatcher, work_order_id=order.id, action=Action.CANCEL, reason="x", expected_version=1
        )


async def test_cancelling_frees_the_engineer(uow, dispatcher, engineer, order, visit):
    gone = await service.perform(uow, dispatcher, work_order_id=order.id, action=Action.CANCEL, reason="Sold the oven")
    assert gone.state is State.CANCELLED
    assert (await queries.visit(uow, visit.id)).state is VisitState.CANCELLED
    assert (await event_names(uow))[-2:] == ["work_order.cancelled", "visit.withdrawn"]
    assert (await events(uow))[-1][1]["engineer_id"] == str(engineer.person)


async def test_a_reopened_order_is_sent_again_and_is_no_longer_closed(uow, dispatcher, engineer, order, visit):
    await confirm(uow, engineer, await work_until(uow, engineer, order, Action.RESOLVE))
    again = await service.perform(uow, dispatcher, work_order_id=order.id, action=Action.REOPEN, reason="Cold again")
    assert (again.state, again.closed_at) == (State.REOPENED, None)
    second = await a_visit(uow, dispatcher, engineer, order)
    assert second.ordinal == 2


async def test_reassigning_replaces_the_visit_and_says_whose_it_was(uow, dispatcher, engineer, other, order, visit):
    second = await a_visit(uow, dispatcher, other, order)
    assert (second.ordinal, second.engineer_id, second.state) == (2, other.person, VisitState.DISPATCHED)
    assert (await queries.visit(uow, visit.id)).state is VisitState.CANCELLED
    withdrawn = [payload for name, payload in await events(uow) if name == "visit.withdrawn"]
    assert [payload["engineer_id"] for payload in withdrawn] == [str(engineer.person)]
    with pytest.raises(VisitOver):
        await service.perform(uow, engineer, work_order_id=order.id, visit_id=visit.id, action=Action.ACCEPT)


async def test_sending_the_same_plan_twice_changes_nothing(uow, dispatcher, engineer, order, visit):
    before = await event_names(uow)
    assert await a_visit(uow, dispatcher, engineer, order) == visit
    assert await event_names(uow) == before


async def test_a_visit_on_hold_is_interrupted_when_another_takes_its_place(
    uow, dispatcher, engineer, other, order, visit
):
    await work_until(uow, engineer, order, Action.START)
    await service.perform(
        uow,
        engineer,
        work_order_id=order.id,
        action=Action.HOLD,
        note="No part",
        hold_reason=HoldReason.PARTS,
    )
    await a_visit(uow, dispatcher, other, order)
    assert (await queries.visit(uow, visit.id)).state is VisitState.INTERRUPTED


async def test_work_under_way_is_not_taken_away(uow, dispatcher, engineer, other, order, visit):
    await work_until(uow, engineer, order, Action.TRAVEL)
    with pytest.raises(IllegalTransition):
        await a_visit(uow, dispatcher, other, order)
    assert (await queries.visit(uow, visit.id)).state is VisitState.TRAVELLING


async def test_only_people_of_the_field_are_sent(uow, dispatcher, order):
    with pytest.raises(NotAnEngineer):
        await a_visit(uow, dispatcher, dispatcher, order)
    assert await reading.summary_of(uow, order.id) is not None
    assert (await queries.order(uow, order.id)).state is State.NEW


async def test_a_plan_runs_forward(uow, dispatcher, engineer, order, clock):
    with pytest.raises(PlanRunsBackwards):
        await service.schedule_visit(
            uow,
            dispatcher,
            work_order_id=order.id,
            engineer_id=engineer.person,
            planned_start=clock.now(),
            planned_end=clock.now(),
        )


async def test_two_dispatchers_at_once_leave_one_open_visit(database, company, dispatcher, engineer):
    async with database.unit_of_work(company.id) as uow:
        await an_engineer(uow, engineer)
        rival = await another_engineer(uow, company.id)
        order = await an_order(uow, dispatcher)

    async def send(whom):
        async with database.unit_of_work(company.id) as uow:
            return await a_visit(uow, dispatcher, whom, order)

    await asyncio.gather(send(engineer), send(rival), send(engineer), send(rival))
    async with database.unit_of_work(company.id) as uow:
        visits = await queries.visits(uow, order.id)
    assert len([visit for visit in visits if visit.finished_at is None]) == 1
    assert [visit.ordinal for visit in visits] == list(range(1, len(visits) + 1))


async def test_a_visit_knows_since_when_its_engineer_is_near(uow, visit, clock):
    near = await service.set_approach(uow, visit_id=visit.id, at=clock.now())
    assert near is not None
    assert near.approached_at == clock.now()
    assert await service.set_approach(uow, visit_id=visit.id, at=clock.now()) == near
    earlier = await service.set_approach(uow, visit_id=visit.id, at=clock.now() - timedelta(minutes=5))
    assert earlier is not None
    assert (earlier.approached_at, earlier.version) == (clock.now() - timedelta(minutes=5), near.version + 1)


async def test_an_engineer_sees_orders_of_their_own_visits_only(uow, dispatcher, engineer, other, order, visit):
    await an_order(uow, dispatcher)
    mine = await reading.summaries(uow, engineer, Filter(), limit=10)
    assert [it.id for it in mine.items] == [order.id]
    assert (await reading.summaries(uow, other, Filter(), limit=10)).items == []
    with pytest.raises(NotFound):
        await access.work_order_for(uow, other, order.id)
    assert len((await reading.summaries(uow, dispatcher, Filter(), limit=10)).items) == 2


async def test_a_withdrawn_visit_no_longer_opens_the_door(uow, dispatcher, engineer, other, order, visit):
    await a_visit(uow, dispatcher, other, order)
    with pytest.raises(NotFound):
        await reading.detail(uow, engineer, order.id)


async def test_lists_are_filtered_by_what_people_ask(uow, dispatcher, engineer, order, visit):
    urgent = await an_order(uow, dispatcher, priority=Priority.URGENT, title="Lift stuck")
    gone = await an_order(uow, dispatcher, title="Sold")
    await service.perform(uow, dispatcher, work_order_id=gone.id, action=Action.CANCEL, reason="Sold")

    async def found(**wanted):
        return {it.id for it in (await reading.summaries(uow, dispatcher, Filter(**wanted), limit=10)).items}

    assert await found(states=[State.DISPATCHED]) == {order.id}
    assert await found(priorities=[Priority.URGENT]) == {urgent.id}
    assert await found(open_only=True) == {order.id, urgent.id}
    assert await found(engineer_id=engineer.person) == {order.id}
    assert await found(q="lift") == {urgent.id}
    assert await found(q=f"#{gone.number}") == {gone.id}
    assert await found(q="%") == set()
    assert await found(customer_id=order.customer_id) == {order.id}


async def test_pages_of_orders_neither_skip_nor_repeat_while_orders_come_in(uow, dispatcher, clock):
    site = await a_site(uow)
    there = []
    for _ in range(7):
        there.append((await an_order(uow, dispatcher, site=site)).id)
        clock.forward(timedelta(seconds=1))
    seen, cursor = [], None
    while True:
        page = await reading.summaries(uow, dispatcher, Filter(), cursor=cursor, limit=3)
        seen += [it.id for it in page.items]
        await an_order(uow, dispatcher, site=site)
        clock.forward(timedelta(seconds=1))
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == there[::-1]


async def test_the_board_shows_open_orders_by_promise_and_counts_them(uow, dispatcher, engineer, order, visit):
    urgent = await an_order(uow, dispatcher, priority=Priority.URGENT)
    gone = await an_order(uow, dispatcher)
    await service.perform(uow, dispatcher, work_order_id=gone.id, action=Action.CANCEL, reason="Sold")
    shown = await reading.open_summaries(uow)
    assert [it.id for it in shown] == [urgent.id, order.id]
    assert (shown[1].engineer_id, shown[1].visit_id, shown[1].visit_state) == (engineer.person, visit.id, "dispatched")
    counts = await reading.counts(uow)
    assert counts.by_state == {"new": 1, "dispatched": 1}
    assert counts.by_priority == {"urgent": 1, "normal": 1}


async def test_what_one_may_do_follows_the_table_and_the_visit(uow, dispatcher, engineer, other, order, visit):
    current = await queries.order(uow, order.id)
    assert current is not None
    theirs = reading.allowed_actions(engineer, current, visit)
    assert theirs == [Action.ACCEPT, Action.DECLINE, Action.TRAVEL, Action.ARRIVE]
    assert reading.allowed_actions(other, current, visit) == []
    office = reading.allowed_actions(dispatcher, current, visit)
    assert office == [Action.SCHEDULE, Action.UNSCHEDULE, Action.SUSPEND, Action.CANCEL]


async def test_everything_allowed_to_a_dispatcher_can_be_done_from_every_state(uow, dispatcher, engineer):
    """What a page offers is never refused for who asks or from where: only for what is still missing."""
    await an_engineer(uow, engineer)
    order = await an_order(uow, dispatcher)
    await a_visit(uow, dispatcher, engineer, order)
    for state in State:
        await uow.run("update work_order set state = %(s)s where id = %(id)s", s=state, id=order.id)
        current = await queries.order(uow, order.id)
        assert current is not None
        for action in reading.allowed_actions(dispatcher, current, await queries.visit_at_hand(uow, order.id)):
            async with uow.savepoint() as trial:
                await service.perform(
                    uow,
                    dispatcher,
                    work_order_id=order.id,
                    action=action,
                    reason="Because",
                    hold_reason=HoldReason.CUSTOMER,
                )
                raise Rollback(trial)


def a_report(**details):
    said = {"caller": Caller("Nina", phone="0612345678"), "address": "9 Rue Grimaldi", "place": MONTE_CARLO, **details}
    return FaultReport(
        problem_type="no_heat", description="Oven stays cold\nSince Monday", **{"priority": Priority.HIGH, **said}
    )


async def test_a_stranger_who_reports_a_fault_gets_a_file_and_an_order(uow, dispatcher):
    accepted = await intake.report_fault(uow, a_report(), language="zh")
    summary = (await reading.open_summaries(uow))[0]
    assert (str(summary.id), summary.number) == (accepted.reference, accepted.number)
    assert (summary.title, summary.customer_name, summary.priority) == ("Oven stays cold", "Nina", Priority.HIGH)
    entry = (await reading.history(uow, dispatcher, summary.id))[0]
    assert (entry.actor_id, entry.actor_name, entry.facts["channel"]) == (None, "Customer portal", "portal")


async def test_a_known_caller_gets_no_second_file(uow):
    customer = await a_customer(uow, phone="06 12 34 56 78")
    site = await a_site(uow, customer)
    await intake.report_fault(uow, a_report())
    await intake.report_fault(uow, a_report(place=None, address=None))
    shown = await reading.open_summaries(uow)
    assert {(it.customer_id, it.site_id) for it in shown} == {(customer.id, site.id)}
    assert await uow.value("select count(*) from contact") == 1


async def test_a_serial_number_leads_to_the_machine(uow):
    site = await a_site(uow)
    asset = await an_asset(uow, site)
    accepted = await intake.report_fault(uow, a_report(caller=Caller("Nina", asset_serial=asset.serial), place=None))
    order = (await reading.open_summaries(uow))[0]
    assert (accepted.number, order.site_id) == (order.number, site.id)
    assert (await queries.order(uow, order.id)).asset_id == asset.id


async def test_a_site_of_another_customer_is_not_believed(uow):
    await a_customer(uow, phone="0612345678")
    foreign = await a_site(uow, place=Point(7.5, 43.8))
    await intake.report_fault(uow, a_report(site_id=foreign.id))
    assert (await reading.open_summaries(uow))[0].site_id != foreign.id


async def test_a_report_from_nowhere_asks_for_the_place(uow):
    with pytest.raises(PlaceUnknown):
        await intake.report_fault(uow, a_report(place=None))
    assert await uow.value("select count(*) from customer") == 0


async def test_an_order_born_on_a_device_keeps_its_id(uow, dispatcher):
    wanted = uow.new_id()
    site = await a_site(uow)
    order = await service.open_work_order(uow, dispatcher, OrderRequest(site.id, "t", "p", "d", id=wanted))
    assert order.id == wanted
