"""A repair for what went wrong: one plan for everybody concerned and their neighbours, made anew if more goes wrong."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from procrastinate import App as JobApp

from server.core import events
from server.core.db import UnitOfWork
from server.core.errors import Problem
from server.dispatch.live_day import queries
from server.dispatch.live_day.domain import Disruption, DisruptionState
from server.dispatch.live_day.slots import day_of
from server.dispatch.planning import queries as plan_queries
from server.dispatch.planning import service as planning
from server.dispatch.planning.domain import ASKS, Change, Effort, LineState, PlanKind, PlanState, Scope
from server.dispatch.planning.picture import Policy
from server.dispatch.planning.views import LineView
from server.identity import service as identity
from server.identity.domain import Actor, Audience, permissions_of

NEIGHBOURS = 6


async def repair(uow: UnitOfWork, jobs: JobApp) -> None:
    """Ask for one plan that mends all that is open, in place of one that nobody has accepted yet."""
    await queries.hold_repairs(uow)
    broken = await queries.open_disruptions(uow)
    for older in await queries.undecided_repairs(uow):
        await plan_queries.set_state(uow, older, PlanState.CANCELLED, why="replaced by a newer repair")
        await planning.tell(uow, older, "plan.cancelled")
    if not broken:
        return
    begins = uow.now().replace(second=0, microsecond=0)
    until = await _end(uow, broken)
    affected = sorted({it.engineer_id for it in broken})
    near = await queries.neighbours(uow, affected, until, NEIGHBOURS * len(affected))
    plan = await planning.begin(
        uow,
        jobs,
        scope=Scope(begins, until, engineers=(*affected, *near)),
        effort=Effort.QUICK,
        kind=PlanKind.REPAIR,
        cause={
            "why": why_of(broken),
            "kinds": sorted({str(it.kind) for it in broken}),
            "engineers": [str(it) for it in affected],
            "disruptions": [str(it.id) for it in broken],
            "with_new": False,
        },
    )
    await queries.mend_by(uow, [it.id for it in broken], plan.id)


def why_of(broken: Sequence[Disruption]) -> str:
    """What people read beside each visit that moves."""
    said = [f"{it.engineer_name}: {it.sentence}" for it in broken]
    return "; ".join(dict.fromkeys(said))[:500]


async def _end(uow: UnitOfWork, broken: Sequence[Disruption]) -> datetime:
    """The end of the day, or of the last shift that is concerned, if that is later."""
    zone = ZoneInfo(await queries.zone(uow))
    ends = [day_of(uow.now().astimezone(zone).date(), zone).closes]
    for it in broken:
        shift = await queries.shift_around(uow, it.engineer_id, max(it.from_at, uow.now()))
        if shift is not None:
            ends.append(shift.over_at)
    return min(max(ends), uow.now() + timedelta(days=2))


async def on_ready(uow: UnitOfWork, jobs: JobApp, plan_id: UUID) -> None:
    """Decide about a repair that is ready: nothing to do, within the limits, or for a person to look at."""
    plan = await plan_queries.plan(uow, plan_id)
    if plan is None or plan.kind is not PlanKind.REPAIR or plan.state is not PlanState.READY:
        return
    lines = [it for it in await plan_queries.lines(uow, plan_id) if it.change in ASKS]
    if any(it.state is not LineState.PROPOSED for it in lines):
        return  # a person has begun to decide
    if not lines:
        await plan_queries.set_state(uow, plan_id, PlanState.DONE, why="nothing to change")
        await planning.tell(uow, plan_id, "plan.done")
        return
    _, policy = await plan_queries.policy_in_force(uow)
    keeper = await plan_queries.policy_keeper(uow)
    if keeper is not None and within_limits(policy, lines):
        # Whoever may not send anybody any more can't have it done in their name: it waits for somebody who may.
        try:
            async with uow.savepoint():
                await planning.accept(uow, await _in_name_of(uow, keeper), jobs, plan_id)
                await queries.note_by_itself(uow, plan_id)
        except Problem:
            return
        await events.append(
            uow,
            "plan.accepted_within_limits",
            subject=("plan", plan_id),
            actor=keeper,
            payload={"plan_id": str(plan_id), "kind": plan.kind, "moves": len(lines)},
        )


def within_limits(policy: Policy, lines: Sequence[LineView]) -> bool:
    """Whether a repair may be put into effect by itself: few moves, nobody much later, nobody left out."""
    if not policy.automatic or any(it.change is Change.UNASSIGN for it in lines):
        return False
    moves = sum(1 for it in lines if it.change in {Change.MOVE, Change.ASSIGN})
    later = [it.to_start - it.from_start for it in lines if it.to_start and it.from_start]
    most = timedelta(minutes=policy.automatic_later)
    return moves <= policy.automatic_moves and max(later, default=timedelta()) <= most


async def _in_name_of(uow: UnitOfWork, person_id: UUID) -> Actor:
    assert uow.org is not None, "plans are made inside an organisation"
    person = await identity.person(uow, person_id)
    rights = permissions_of(person.roles) if person.active else frozenset()
    return Actor(uow.org, person.id, person.name, rights, Audience.WEB, person.language)


async def on_over(uow: UnitOfWork, plan_id: UUID) -> None:
    """Settle what a repair was made for when it is decided, or could not be made."""
    plan = await plan_queries.plan(uow, plan_id)
    if plan is None or plan.kind is not PlanKind.REPAIR:
        return
    mended = [it for it in await queries.of_plan(uow, plan_id) if it.state is DisruptionState.OPEN]
    asks = [it for it in await plan_queries.lines(uow, plan_id) if it.change in ASKS]
    declined = bool(asks) and all(it.state is LineState.DECLINED for it in asks)
    match plan.state:
        case PlanState.DONE:
            state = DisruptionState.IGNORED if declined else DisruptionState.REPAIRED
        case PlanState.FAILED if plan.why == NOTHING:
            state = DisruptionState.REPAIRED
        case _:
            return
    await queries.settle(uow, [it.id for it in mended], state)
    for it in mended:
        await tell(uow, it, state)


NOTHING = "nothing_to_plan"


async def tell(uow: UnitOfWork, it: Disruption, state: DisruptionState, actor: UUID | None = None) -> None:
    """Tell boards how a disruption stands."""
    await events.append(
        uow,
        f"disruption.{state}",
        subject=("disruption", it.id),
        actor=actor,
        payload={
            "disruption_id": str(it.id),
            "kind": it.kind,
            "engineer_id": str(it.engineer_id),
            "work_order_id": it.work_order_id and str(it.work_order_id),
            "why": it.sentence,
        },
    )
