"""Putting a plan into effect, engineer by engineer, and taking it back. What somebody changed meanwhile stays."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from itertools import groupby
from uuid import UUID

from server.core.db import Database, UnitOfWork
from server.core.errors import Problem
from server.dispatch import service as dispatch
from server.dispatch.decisions import How
from server.dispatch.planning import queries, service
from server.dispatch.planning.domain import ASKS, Booking, Change, LineState, PlanKind, PlanState
from server.dispatch.planning.picture import Booked, Order, Picture
from server.dispatch.planning.solving import asked_of
from server.dispatch.planning.timetable import known_timetable_of
from server.dispatch.planning.views import LineView, PlanView
from server.geo.travel import Travel
from server.identity import service as identity
from server.identity.domain import Actor, Audience, permissions_of
from server.workorders import queries as workorder_queries
from server.workorders import service as workorders
from server.workorders.domain import Action, Visit

type _Act = Callable[[UnitOfWork, Actor, PlanView, LineView], Awaitable[LineState]]

_NO_ROOM = "No room in the plan"
_UNDONE = "Plan undone"


async def apply_plan(database: Database, travel: Travel, org: UUID, plan_id: UUID) -> None:
    """Put the accepted lines of a plan into effect. What was done before a crash is not done again."""
    await _retime(database, travel, org, plan_id)
    await _each_engineer(database, org, plan_id, LineState.ACCEPTED, _apply)


async def undo_plan(database: Database, org: UUID, plan_id: UUID) -> None:
    await _each_engineer(database, org, plan_id, LineState.APPLIED, _take_back)


async def _each_engineer(database: Database, org: UUID, plan_id: UUID, state: LineState, act: _Act) -> None:
    async with database.unit_of_work(org) as uow:
        plan = await queries.plan(uow, plan_id)
        if plan is None or plan.state is not PlanState.APPLYING:
            return
        lines = await queries.lines_in(uow, plan_id, state)
    for _, theirs in groupby(lines, key=lambda it: it.to_engineer_id):
        async with database.unit_of_work(org) as uow:
            actor = await _decider(uow, plan_id)
            for line in theirs:
                await _settled(uow, actor, plan, line, act)
    async with database.unit_of_work(org) as uow:
        if await queries.lock_plan(uow, plan_id) is PlanState.APPLYING:
            await service.settle(uow, plan_id, actor=(await _decider(uow, plan_id)).person)


async def _decider(uow: UnitOfWork, plan_id: UUID) -> Actor:
    """Who accepted it, with the rights they have now."""
    whose = await queries.decider(uow, plan_id)
    assert whose is not None, "a plan is accepted by somebody"
    assert uow.org is not None
    person = await identity.person(uow, whose)
    return Actor(uow.org, person.id, person.name, permissions_of(person.roles), Audience.WEB, person.language)


async def _settled(uow: UnitOfWork, actor: Actor, plan: PlanView, line: LineView, act: _Act) -> None:
    """Act on a line and keep what became of it."""
    try:
        async with uow.savepoint():
            state = await act(uow, actor, plan, line)
        await queries.settle_line(uow, plan.id, line.work_order_id, state)
    except Problem as refused:
        await queries.settle_line(uow, plan.id, line.work_order_id, LineState.REFUSED, str(refused))


async def _apply(uow: UnitOfWork, actor: Actor, plan: PlanView, line: LineView) -> LineState:
    visit = await _held(uow, line.work_order_id)
    if not _stands(visit, line.before):
        return LineState.OVERTAKEN
    match line.change, line.after:
        case Change.RETIME, Booking() as after if visit is not None:
            await workorders.replan_visit(
                uow, actor, visit_id=visit.id, planned_start=after.start, planned_end=after.end, reason=_why(plan)
            )
        case Change.UNASSIGN, _:
            await workorders.perform(
                uow, actor, work_order_id=line.work_order_id, action=Action.UNSCHEDULE, reason=_NO_ROOM
            )
        case _, Booking() as after:
            await _send(uow, actor, plan, line, after)
        case _:
            raise AssertionError(line.change)
    return LineState.APPLIED


async def _take_back(uow: UnitOfWork, actor: Actor, plan: PlanView, line: LineView) -> LineState:
    visit = await _held(uow, line.work_order_id)
    if not _stands(visit, line.after):
        return LineState.OVERTAKEN
    before = line.before
    if before is None:
        await workorders.perform(uow, actor, work_order_id=line.work_order_id, action=Action.UNSCHEDULE, reason=_UNDONE)
    elif visit is not None and visit.engineer_id == before.engineer_id:
        await workorders.replan_visit(
            uow, actor, visit_id=visit.id, planned_start=before.start, planned_end=before.end, reason=_UNDONE
        )
    else:
        await _send(uow, actor, plan, line, before)
    return LineState.UNDONE


async def _held(uow: UnitOfWork, order_id: UUID) -> Visit | None:
    """Answer the order's open visit and keep the order still; None where nobody has it."""
    await workorder_queries.lock_order(uow, order_id)
    visit = await workorder_queries.visit_at_hand(uow, order_id)
    return visit if visit is not None and visit.is_open else None


def _stands(visit: Visit | None, expected: Booking | None) -> bool:
    """Whether an order is still booked as the plan saw it."""
    if visit is None or expected is None:
        return visit is None and expected is None
    same = (visit.engineer_id, visit.planned_start) == (expected.engineer_id, expected.start)
    return same and visit.waits and visit.pin is None


async def _send(uow: UnitOfWork, actor: Actor, plan: PlanView, line: LineView, booking: Booking) -> None:
    visit = await workorders.schedule_visit(
        uow,
        actor,
        work_order_id=line.work_order_id,
        engineer_id=booking.engineer_id,
        planned_start=booking.start,
        planned_end=booking.end,
        reason=_why(plan),
    )
    await dispatch.note_planned(
        uow,
        actor,
        visit=visit,
        engineer_id=booking.engineer_id,
        how=How.REPAIR if plan.kind is PlanKind.REPAIR else How.PLAN,
        plan_id=plan.id,
    )


def _why(plan: PlanView) -> str:
    return str((plan.cause or {}).get("why") or f"Plan of {plan.begins:%Y-%m-%d}")


async def _retime(database: Database, travel: Travel, org: UUID, plan_id: UUID) -> None:
    """Where only some lines of a tour were accepted, time those anew: its other visits stay where they are."""
    async with database.unit_of_work(org) as uow:
        lines = [it for it in await queries.lines(uow, plan_id) if it.change in ASKS]
        accepted = {it.work_order_id: it for it in lines if it.state is LineState.ACCEPTED}
        if len(accepted) == len(lines):
            return
        picture = _as_accepted(await queries.picture(uow, plan_id), accepted)
    others = [it for it in lines if it.work_order_id not in accepted]
    disturbed = {who for it in others for who in (it.from_engineer_id, it.to_engineer_id)}
    whose = {it.shift_id: it.engineer_id for it in picture.duties}
    for shift, orders in picture.bookings().items():
        stops: list[UUID | None] = [it.id for it in orders]
        if whose[shift] not in disturbed or accepted.keys().isdisjoint(stops):
            continue
        asked = await asked_of(travel, picture.shift_alone(shift, {it.id for it in orders}, {}))
        async with database.unit_of_work(org) as uow:
            for call in known_timetable_of(asked, stops).calls:
                if call.order_id is not None and call.order_id in accepted:
                    await queries.retime_line(uow, plan_id, call.order_id, call.begins, call.ends)


def _as_accepted(picture: Picture, accepted: Mapping[UUID, LineView]) -> Picture:
    """The picture as if the accepted lines had been put into effect."""

    def booked(order: Order) -> Order:
        line = accepted.get(order.id)
        if line is None:
            return order
        after = line.after
        visit = order.booked.visit_id if order.booked else order.id
        return replace(order, booked=Booked(visit, after.engineer_id, after.start, after.end) if after else None)

    return replace(picture, orders=tuple(booked(it) for it in picture.orders))
