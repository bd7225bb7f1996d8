"""Opening work orders and moving them through their life."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from server.core import events
from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.customers import service as customers
from server.customers.domain import Site, Tier
from server.geo.domain import Point
from server.identity.access import require
from server.identity.domain import Actor, Permission
from server.sync.domain import Occurrence
from server.workforce import service as workforce
from server.workorders import access, amending, checklists, queries, timeline
from server.workorders.domain import (
    OFFICE,
    OVER,
    RESPOND_WITHIN,
    TRANSITIONS,
    Action,
    Circumstances,
    HoldReason,
    OrderRequest,
    Pin,
    Requirement,
    State,
    Transition,
    Visit,
    VisitState,
    WorkOrder,
    decide,
)
from server.workorders.errors import (
    AssetElsewhere,
    ChangedMeanwhile,
    NotYourVisit,
    PlanRunsBackwards,
    VisitOver,
    Voided,
)
from server.workorders.steps import Step, payload_of, withdraw


async def open_work_order(uow: UnitOfWork, actor: Actor | None, request: OrderRequest) -> WorkOrder:
    """Turn a request into a work order. No actor means the customer, through the portal.

    Raises NotFound (site), AssetElsewhere, UnknownSkills, UnknownProcedure, NotAnEngineer.
    """
    site = await customers.site_of(uow, request.site_id)
    customer = await customers.customer_of(uow, site.customer_id)
    await _check_asset(uow, request.asset_id, site)
    if request.preferred_engineer_id is not None:
        await workforce.require_engineer(uow, request.preferred_engineer_id)
    skill_ids = await workforce.skill_ids(uow, {skill.key for skill in request.skills})
    procedure = await checklists.newest(uow, request.procedure_key) if request.procedure_key else None
    order = WorkOrder(
        id=request.id or uow.new_id(),
        number=await queries.next_number(uow),
        customer_id=customer.id,
        site_id=site.id,
        asset_id=request.asset_id,
        title=request.title,
        problem_type=request.problem_type,
        description=request.description,
        priority=request.priority,
        channel=request.channel,
        state=State.NEW,
        hold_reason=None,
        reported_at=uow.now(),
        reported_by=request.reported_by or (actor.name if actor else customer.name),
        respond_by=uow.now() + RESPOND_WITHIN[request.priority],
        window_start=request.window_start,
        window_end=request.window_end,
        duration_minutes=request.duration_minutes,
        procedure_id=procedure.id if procedure else None,
        preferred_engineer_id=request.preferred_engineer_id,
        closed_at=None,
        version=1,
    )
    await queries.insert_order(uow, order)
    await queries.insert_skills(uow, order.id, {skill_ids[skill.key]: skill.level for skill in request.skills})
    await _announce_opening(uow, actor, order, vip=customer.tier is Tier.VIP)
    return order


async def _check_asset(uow: UnitOfWork, asset_id: UUID | None, site: Site) -> None:
    if asset_id is not None and (await customers.asset_of(uow, asset_id)).site_id != site.id:
        raise AssetElsewhere


async def _announce_opening(uow: UnitOfWork, actor: Actor | None, order: WorkOrder, *, vip: bool) -> None:
    facts: dict[str, Any] = {"number": order.number, "priority": order.priority, "channel": order.channel, "vip": vip}
    await timeline.append(
        uow,
        actor,
        work_order_id=order.id,
        action="open",
        moved=(None, order.state),
        why="VIP customer" if vip else None,
        facts=facts,
    )
    await events.append(
        uow,
        "work_order.opened",
        subject=("work_order", order.id),
        actor=actor.person if actor else None,
        payload={**payload_of(order, None), **facts},
    )


async def perform(
    uow: UnitOfWork,
    actor: Actor,
    *,
    work_order_id: UUID,
    action: Action,
    visit_id: UUID | None = None,
    reason: str | None = None,
    note: str | None = None,
    hold_reason: HoldReason | None = None,
    expected_version: int | None = None,
    occurrence: Occurrence | None = None,
    place: Point | None = None,
    device: UUID | None = None,
    mutation: UUID | None = None,
    at_hand: frozenset[Requirement] = frozenset(),
    on_behalf: bool = False,
) -> WorkOrder:
    """Move an order by one action of the table: the only way any state changes.

    visit_id: the visit it is done on; by default the open one, else the last.
    at_hand: what only the caller can vouch for (signature, rating).
    on_behalf: a dispatcher lets the engineer's word stand, and has checked that they may.
    Raises NotFound, Voided, ChangedMeanwhile, Forbidden, NotYourVisit, VisitOver, IllegalTransition,
    MissingRequirement.
    Nothing was written when it raises.
    """
    order = await _locked(uow, work_order_id)
    if expected_version not in {None, order.version}:
        raise ChangedMeanwhile(version=order.version)
    visit = await _visit_meant(uow, order, visit_id)
    if not on_behalf:
        _check_right(actor, TRANSITIONS[action], visit)
    _check_visit(TRANSITIONS[action], order, visit)
    step = Step(uow, actor, reason, note, hold_reason, Circumstances(occurrence, place, device, mutation))
    transition = decide(action, order.state, at_hand | await step.at_hand(order, visit, TRANSITIONS[action]))
    moved, _ = await step.take(order, visit, transition)
    if moved.state in OVER or action is Action.UNSCHEDULE:
        await _withdraw_all(uow, actor, moved, reason)
    return moved


async def amend(
    uow: UnitOfWork, actor: Actor, *, work_order_id: UUID, expected_version: int, wanted: Mapping[str, Any]
) -> WorkOrder:
    """Change the office's fields of an order as it was seen. Raises NotFound, Voided, ChangedMeanwhile."""
    order = await _locked(uow, work_order_id)
    if expected_version != order.version:
        raise ChangedMeanwhile(version=order.version)
    await amending.amend(uow, actor, order, base=vars(order), wanted=wanted, signed=True)
    changed = await queries.order(uow, order.id)
    assert changed is not None, "held by this transaction"
    return changed


async def schedule_visit(
    uow: UnitOfWork,
    actor: Actor,
    *,
    work_order_id: UUID,
    engineer_id: UUID,
    planned_start: datetime | None = None,
    planned_end: datetime | None = None,
    reason: str | None = None,
) -> Visit:
    """Plan a visit and send it to its engineer, in place of the open one if there is one.

    Repeating the same plan changes nothing.
    Raises NotFound, Forbidden, NotAnEngineer, PlanRunsBackwards, IllegalTransition.
    """
    if planned_start and planned_end and planned_end <= planned_start:
        raise PlanRunsBackwards
    require(actor, Permission.VISITS_DISPATCH)
    order = await _locked(uow, work_order_id)
    current = await _open_visit(uow, order)
    plan = (engineer_id, planned_start, planned_end)
    if current and current.waits and (current.engineer_id, current.planned_start, current.planned_end) == plan:
        return current
    decide(Action.SCHEDULE, order.state, frozenset({Requirement.VISIT}))
    await workforce.require_engineer(uow, engineer_id)
    await _withdraw_all(uow, actor, order, reason)
    visit = await queries.insert_visit(
        uow,
        visit_id=uow.new_id(),
        order_id=order.id,
        engineer_id=engineer_id,
        planned_start=planned_start,
        planned_end=planned_end,
    )
    step = Step(uow, actor, reason, None, None, OFFICE)
    order, planned = await step.take(order, visit, TRANSITIONS[Action.SCHEDULE])
    _, sent = await step.take(order, planned, TRANSITIONS[Action.DISPATCH])
    assert sent is not None
    return sent


async def replan_visit(
    uow: UnitOfWork,
    actor: Actor,
    *,
    visit_id: UUID,
    planned_start: datetime,
    planned_end: datetime,
    reason: str | None = None,
) -> Visit:
    """Give a visit that waits another time; it stays its engineer's, who need not accept it again.

    Raises NotFound, Voided, Forbidden, PlanRunsBackwards, VisitOver.
    """
    if planned_end <= planned_start:
        raise PlanRunsBackwards
    order, visit = await _waiting_visit(uow, actor, visit_id)
    if (visit.planned_start, visit.planned_end) == (planned_start, planned_end):
        return visit
    moved = replace(visit, planned_start=planned_start, planned_end=planned_end, version=visit.version + 1)
    facts = {"from": visit.planned_start and visit.planned_start.isoformat(), "to": planned_start.isoformat()}
    await _change_visit(uow, actor, order, moved, "replan", reason, facts)
    await events.append(
        uow,
        "visit.replanned",
        subject=("work_order", order.id),
        actor=actor.person,
        payload={**payload_of(order, moved), **facts, "reason": reason},
    )
    return moved


async def pin_visit(uow: UnitOfWork, actor: Actor, *, visit_id: UUID, pin: Pin | None) -> Visit:
    """Hold a visit's engineer, or engineer and time, fast against every plan; None lets go.

    Raises NotFound, Voided, Forbidden, VisitOver.
    """
    order, visit = await _waiting_visit(uow, actor, visit_id)
    if visit.pin is pin:
        return visit
    pinned = replace(visit, pin=pin, version=visit.version + 1)
    await _change_visit(uow, actor, order, pinned, "pin" if pin else "unpin", None, {"pin": pin} if pin else {})
    await events.append(
        uow,
        "visit.pinned",
        subject=("work_order", order.id),
        actor=actor.person,
        payload={**payload_of(order, pinned), "pin": pin},
    )
    return pinned


async def _waiting_visit(uow: UnitOfWork, actor: Actor, visit_id: UUID) -> tuple[WorkOrder, Visit]:
    require(actor, Permission.VISITS_DISPATCH)
    seen = await queries.visit(uow, visit_id)
    if seen is None:
        raise NotFound(thing="visit")
    order = await _locked(uow, seen.work_order_id)
    visit = await queries.visit(uow, visit_id)
    if visit is None or not visit.waits:
        raise VisitOver(state=visit.state if visit else VisitState.CANCELLED)
    return order, visit


async def _change_visit(
    uow: UnitOfWork, actor: Actor, order: WorkOrder, visit: Visit, action: str, why: str | None, facts: dict[str, Any]
) -> None:
    await queries.save_visit(uow, visit)
    # The order's line on the board shows the visit: it is as new as its newest part.
    await queries.save_order(uow, replace(order, version=order.version + 1))
    await timeline.append(uow, actor, work_order_id=order.id, visit_id=visit.id, action=action, why=why, facts=facts)


async def set_approach(uow: UnitOfWork, *, visit_id: UUID, at: datetime | None) -> Visit | None:
    """Note since when the engineer was near the site, as far as is known now; None when there is no such visit."""
    visit = await queries.visit(uow, visit_id)
    if visit is None:
        return None
    # The order is locked before its visit is read for good, as in every other change.
    order = await queries.lock_order(uow, visit.work_order_id)
    visit = await queries.visit(uow, visit_id)
    if visit is None or order is None or order.voided_at is not None:
        return None
    if visit.approached_at != at:
        visit = replace(visit, approached_at=at, version=visit.version + 1)
        await queries.save_visit(uow, visit)
    return visit


async def _locked(uow: UnitOfWork, work_order_id: UUID) -> WorkOrder:
    order = await queries.lock_order(uow, work_order_id)
    if order is None:
        raise NotFound(thing=access.ORDER.thing)
    if order.voided_at is not None:
        raise Voided
    return order


async def _withdraw_all(uow: UnitOfWork, actor: Actor, order: WorkOrder, reason: str | None) -> None:
    for visit in await queries.open_visits(uow, order.id):
        await withdraw(uow, actor, order, visit, reason)


async def _visit_meant(uow: UnitOfWork, order: WorkOrder, visit_id: UUID | None) -> Visit | None:
    if visit_id is None:
        return await queries.visit_at_hand(uow, order.id)
    visit = await queries.visit(uow, visit_id)
    if visit is None or visit.work_order_id != order.id:
        raise NotFound(thing="visit")
    return visit


async def _open_visit(uow: UnitOfWork, order: WorkOrder) -> Visit | None:
    visit = await queries.visit_at_hand(uow, order.id)
    return visit if visit and visit.is_open else None


def _check_right(actor: Actor, rule: Transition, visit: Visit | None) -> None:
    require(actor, rule.by)
    if rule.by is Permission.VISITS_PERFORM and (visit is None or visit.engineer_id != actor.person):
        raise NotYourVisit


def _check_visit(rule: Transition, order: WorkOrder, visit: Visit | None) -> None:
    """Tell a visit that is over from one that is missing; an order that can't move at all is `decide`'s to refuse."""
    needs_visit = Requirement.VISIT in rule.requires and order.state in rule.sources
    if needs_visit and visit is not None and (not visit.is_open or visit.state is VisitState.SUSPENDED):
        raise VisitOver(state=visit.state)
