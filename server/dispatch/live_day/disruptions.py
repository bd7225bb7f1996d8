"""What goes wrong during the day: said by people, or noticed. Each opens a repair, or joins the one that is open."""

from datetime import datetime, timedelta
from uuid import UUID

from procrastinate import App as JobApp

from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.dispatch.live_day import queries, repairing
from server.dispatch.live_day.domain import NOT_THERE, Disruption, DisruptionKind, DisruptionState
from server.dispatch.live_day.errors import NobodyWaited, NoShift, NotUnderWay, TimesBackwards
from server.dispatch.live_day.queries import UnderWay
from server.dispatch.planning import queries as plan_queries
from server.dispatch.planning.picture import Span
from server.geo.travel import Travel
from server.identity import service as identity
from server.identity.access import require
from server.identity.domain import Actor, Permission
from server.workforce import service as workforce
from server.workorders import queries as workorder_queries
from server.workorders import service as workorders
from server.workorders.domain import Action, HoldReason, Visit, VisitState

_WORSE = timedelta(minutes=10)  # than was known; less is no news
_AT_LEAST = timedelta(minutes=10)  # nobody who is over their time is done the moment one looks
_A_DAY = timedelta(days=1)


async def report_absence(
    uow: UnitOfWork,
    actor: Actor,
    jobs: JobApp,
    engineer_id: UUID,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    why: str = "",
    kind: DisruptionKind = DisruptionKind.ABSENCE,
) -> Disruption:
    """An engineer is not there, from now or `since` to the end of the shift or `until`.

    What they are at already stays theirs. Raises Forbidden, NotAnEngineer, TimesBackwards, NoShift.
    """
    require(actor, Permission.VISITS_DISPATCH)
    await workforce.require_engineer(uow, engineer_id)
    since = since or uow.now()
    shift = await queries.shift_around(uow, engineer_id, max(since, uow.now()))
    if until is None:
        if shift is None:
            raise NoShift(name=(await identity.person(uow, engineer_id)).name)
        until = shift.over_at
    if until <= max(since, uow.now()):
        raise TimesBackwards
    return await _opened(uow, jobs, kind, engineer_id, since, until, why, actor.person)


async def report_delay(
    uow: UnitOfWork, actor: Actor, jobs: JobApp, engineer_id: UUID, *, minutes: int, why: str = ""
) -> Disruption:
    """An engineer will be so much later than planned with what they are at, or with setting out.

    Raises Forbidden, NotAnEngineer, NotUnderWay.
    """
    if actor.person != engineer_id:
        require(actor, Permission.VISITS_DISPATCH)
    await workforce.require_engineer(uow, engineer_id)
    at = next(iter(await queries.under_way(uow, engineer_id)), None)
    if at is None:
        raise NotUnderWay(name=(await identity.person(uow, engineer_id)).name)
    until = max(uow.now(), at.planned_end) + timedelta(minutes=minutes)
    return await _delayed(uow, jobs, at, until, why, actor.person)


async def notice_delays(uow: UnitOfWork, jobs: JobApp, travel: Travel) -> list[Disruption]:
    """Look at who is at a visit and has others to come: whoever will be so much later than planned is late."""
    _, policy = await plan_queries.policy_in_force(uow)
    delay_notice = timedelta(minutes=policy.delay_notice_minutes)
    found = []
    for it in await queries.under_way(uow):
        until = await _predicted_end(uow, travel, it)
        known = await queries.delayed_until(uow, it.engineer_id)
        if until < it.planned_end + delay_notice or (known is not None and until < known + _WORSE):
            continue
        late = round((until - it.planned_end).total_seconds() / 60)
        found.append(await _delayed(uow, jobs, it, until, f"{late} min later than planned", None))
    return found


async def _predicted_end(uow: UnitOfWork, travel: Travel, it: UnderWay) -> datetime:
    """When a visit will be over: on the way, after the drive from here; at work, when its time is up, or now."""
    work = timedelta(minutes=it.minutes)
    if it.state is not VisitState.TRAVELLING:
        begun = max(it.begun_at or it.planned_start, it.planned_start)
        return max(uow.now() + _AT_LEAST, begun + work)
    if it.here is None:
        return max(uow.now(), it.planned_start) + work
    drive = await travel.route(it.here, it.place, uow.now())
    return max(uow.now() + timedelta(seconds=drive.seconds), it.planned_start) + work


async def report_no_show(
    uow: UnitOfWork,
    actor: Actor,
    jobs: JobApp,
    work_order_id: UUID,
    *,
    wish: Span | None = None,
    why: str = "",
) -> Disruption:
    """The customer was not there: the visit is given up, and the order waits for another time.

    wish: when the customer would like somebody; it becomes the order's window. An order whose engineer has set out is
    put on hold for the customer, from where it is scheduled again; one whose engineer waits goes back to triage.
    Raises NotFound, Forbidden, NobodyWaited, IllegalTransition.
    """
    require(actor, Permission.VISITS_DISPATCH)
    order = await workorder_queries.lock_order(uow, work_order_id)
    if order is None:
        raise NotFound(thing="work order")
    visit = await workorder_queries.visit_at_hand(uow, order.id)
    if visit is None or not visit.is_open or visit.engineer_id is None:
        raise NobodyWaited
    reason = f"{NOT_THERE}: {why}" if why else NOT_THERE
    await _give_up(uow, actor, visit, reason)
    if wish is not None:
        now = await workorder_queries.order(uow, order.id)
        assert now is not None, "held by this transaction"
        wanted = {"window_start": wish.opens, "window_end": wish.closes}
        await workorders.amend(uow, actor, work_order_id=order.id, expected_version=now.version, wanted=wanted)
    return await _lost(uow, jobs, DisruptionKind.NO_SHOW, visit, why, actor.person)


async def _give_up(uow: UnitOfWork, actor: Actor, visit: Visit, reason: str) -> None:
    if visit.waits:
        if visit.pin is not None:
            await workorders.pin_visit(uow, actor, visit_id=visit.id, pin=None)
        await workorders.perform(uow, actor, work_order_id=visit.work_order_id, action=Action.UNSCHEDULE, reason=reason)
    else:
        await workorders.perform(
            uow,
            actor,
            work_order_id=visit.work_order_id,
            action=Action.SUSPEND,
            reason=reason,
            hold_reason=HoldReason.CUSTOMER,
        )


async def note_cancellation(uow: UnitOfWork, jobs: JobApp, visit_id: UUID) -> None:
    """An order was cancelled whose engineer was to come; repeating it changes nothing."""
    visit = await workorder_queries.visit(uow, visit_id)
    if visit is None or visit.engineer_id is None or visit.planned_start is None:
        return
    until = uow.now() + _A_DAY
    if visit.planned_start < until and await queries.has_later_visits(uow, visit.engineer_id, until):
        await _lost(uow, jobs, DisruptionKind.CANCELLATION, visit, "order cancelled", None)


async def ignore(uow: UnitOfWork, actor: Actor, jobs: JobApp, disruption_id: UUID) -> Disruption:
    """Leave things as they are. Repeating it changes nothing. Raises NotFound, Forbidden."""
    require(actor, Permission.VISITS_DISPATCH)
    found = await _disruption(uow, disruption_id)
    if found.state is not DisruptionState.IGNORED:
        await queries.settle(uow, [found.id], DisruptionState.IGNORED)
        await repairing.tell(uow, found, DisruptionState.IGNORED, actor.person)
        if found.state is DisruptionState.OPEN:
            await repairing.repair(uow, jobs)
    return await _disruption(uow, disruption_id)


async def disruptions(uow: UnitOfWork, state: DisruptionState | None = None) -> list[Disruption]:
    """Answer what went wrong in the last day or is not over yet, the newest first."""
    return await queries.disruptions(uow, uow.now() - _A_DAY, state)


async def _delayed(
    uow: UnitOfWork, jobs: JobApp, it: UnderWay, until: datetime, why: str, by: UUID | None
) -> Disruption:
    return await _opened(
        uow, jobs, DisruptionKind.DELAY, it.engineer_id, uow.now(), until, why, by, it.work_order_id, it.visit_id
    )


async def _lost(
    uow: UnitOfWork, jobs: JobApp, kind: DisruptionKind, visit: Visit, why: str, by: UUID | None
) -> Disruption:
    """A visit that will not be made leaves a gap in its engineer's day."""
    assert visit.engineer_id is not None
    until = max(visit.planned_end or uow.now(), uow.now() + timedelta(hours=1))
    order = visit.work_order_id
    return await _opened(uow, jobs, kind, visit.engineer_id, uow.now(), until, why, by, order, visit.id)


async def _opened(
    uow: UnitOfWork,
    jobs: JobApp,
    kind: DisruptionKind,
    engineer: UUID,
    since: datetime,
    until: datetime,
    why: str,
    by: UUID | None,
    order: UUID | None = None,
    visit: UUID | None = None,
) -> Disruption:
    await queries.hold_repairs(uow)
    found = await queries.insert(
        uow, kind, engineer=engineer, since=since, until=until, why=why, reported_by=by, order=order, visit=visit
    )
    if found is None:
        assert visit is not None, "only what is lost once is told once"
        return await queries.told_of(uow, kind, visit)
    it = await _disruption(uow, found)
    await repairing.tell(uow, it, DisruptionState.OPEN, by)
    await repairing.repair(uow, jobs)
    return await _disruption(uow, found)


async def _disruption(uow: UnitOfWork, disruption_id: UUID) -> Disruption:
    found = await queries.disruption(uow, disruption_id)
    if found is None:
        raise NotFound(thing="disruption")
    return found
