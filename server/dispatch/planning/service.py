"""Asking for plans and deciding about them. The work itself is done by `solving` and `applying`, in jobs."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from procrastinate import App as JobApp

from server.core import events
from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.dispatch.planning import queries
from server.dispatch.planning.domain import ASKS, LIVE, Effort, LineState, PlanKind, PlanState, Scope
from server.dispatch.planning.errors import (
    NothingToUndo,
    PlanNotReady,
    PlanNotRunning,
    SpanOver,
    SpanTooLong,
    UnknownLines,
)
from server.dispatch.planning.views import LineView, PlanView
from server.identity.access import require
from server.identity.domain import Actor, Permission

BEGIN, PART, JOIN, APPLY, UNDO = (
    f"planning.{it}" for it in ("begin_plan", "solve_part", "join_parts", "apply_plan", "undo_plan")
)
QUEUE = "planning"
MOST_DAYS = 14
_SEEDS = 2**31

_CHANGES = sorted(ASKS)


async def request_plan(
    uow: UnitOfWork,
    actor: Actor,
    jobs: JobApp,
    *,
    scope: Scope,
    effort: Effort = Effort.NORMAL,
    seed: int | None = None,
) -> PlanView:
    """Ask for a plan of a span of time. Raises Forbidden, SpanTooLong, SpanOver."""
    require(actor, Permission.VISITS_DISPATCH)
    if not timedelta() < scope.until - scope.begins <= timedelta(days=MOST_DAYS):
        raise SpanTooLong(most=MOST_DAYS)
    if scope.until <= uow.now():
        raise SpanOver
    return await begin(uow, jobs, scope=scope, effort=effort, seed=seed, requested_by=actor.person)


async def begin(
    uow: UnitOfWork,
    jobs: JobApp,
    *,
    scope: Scope,
    effort: Effort,
    seed: int | None = None,
    requested_by: UUID | None = None,
    kind: PlanKind = PlanKind.DAY,
    cause: Mapping[str, Any] | None = None,
) -> PlanView:
    """Queue a plan; nobody's right to ask for it is checked here."""
    plan_id = uow.new_id()
    version, _ = await queries.policy_in_force(uow)
    await queries.insert_plan(
        uow,
        plan_id,
        kind=kind,
        scope=scope,
        effort=effort,
        seed=plan_id.int % _SEEDS if seed is None else seed,
        policy_version=version,
        requested_by=requested_by,
        cause=cause,
    )
    await uow.defer(jobs, BEGIN, queue=QUEUE, org=_org(uow), plan=plan_id)
    await tell(uow, plan_id, "plan.requested", actor=requested_by)
    return await plan_of(uow, plan_id)


async def plan_of(uow: UnitOfWork, plan_id: UUID) -> PlanView:
    """Raises NotFound."""
    found = await queries.plan(uow, plan_id)
    if found is None:
        raise NotFound(thing="plan")
    return found


async def plans(uow: UnitOfWork, before: UUID | None, limit: int) -> list[PlanView]:
    return await queries.plans_before(uow, before, limit)


async def lines_of(uow: UnitOfWork, plan_id: UUID) -> list[LineView]:
    """Answer a line for each order, what changes first. Raises NotFound."""
    await plan_of(uow, plan_id)
    return await queries.lines(uow, plan_id)


async def tours_of(uow: UnitOfWork, plan_id: UUID) -> Mapping[str, Any]:
    """Answer every tour as it would be, and as it is: {"tours": […], "known": […]}. Raises NotFound, PlanNotReady."""
    plan = await plan_of(uow, plan_id)
    outcome = await queries.outcome(uow, plan_id)
    if outcome is None:
        raise PlanNotReady(state=plan.state)
    return outcome


async def cancel(uow: UnitOfWork, actor: Actor, plan_id: UUID) -> PlanView:
    """Stop looking. Repeating it changes nothing. Raises NotFound, Forbidden, PlanNotRunning."""
    require(actor, Permission.VISITS_DISPATCH)
    state = await _locked(uow, plan_id)
    if state not in LIVE | {PlanState.CANCELLED}:
        raise PlanNotRunning(state=state)
    if state in LIVE:
        await queries.set_state(uow, plan_id, PlanState.CANCELLED)
        await tell(uow, plan_id, "plan.cancelled", actor=actor.person)
    return await plan_of(uow, plan_id)


async def accept(
    uow: UnitOfWork, actor: Actor, jobs: JobApp, plan_id: UUID, *, orders: Sequence[UUID] | None = None
) -> PlanView:
    """Put a plan into effect, whole or for some orders; what is not named stays proposed.

    It is done by a job, engineer by engineer; what somebody changed meanwhile is left as it is.
    Raises NotFound, Forbidden, PlanNotReady, UnknownLines.
    """
    require(actor, Permission.VISITS_DISPATCH)
    await _ready(uow, plan_id)
    moved = await queries.mark_lines(
        uow, plan_id, orders, of=LineState.PROPOSED, to=LineState.ACCEPTED, changes=_CHANGES
    )
    if orders is not None and moved < len(set(orders)):
        raise UnknownLines(many=len(set(orders)) - moved)
    await queries.set_decider(uow, plan_id, actor.person)
    await queries.set_state(uow, plan_id, PlanState.APPLYING)
    await uow.defer(jobs, APPLY, queue=QUEUE, org=_org(uow), plan=plan_id)
    await tell(uow, plan_id, "plan.accepted", actor=actor.person)
    return await plan_of(uow, plan_id)


async def decline(uow: UnitOfWork, actor: Actor, plan_id: UUID, *, orders: Sequence[UUID] | None = None) -> PlanView:
    """Leave some orders as they are, or everything that is still proposed. Raises NotFound, Forbidden, PlanNotReady."""
    require(actor, Permission.VISITS_DISPATCH)
    await _ready(uow, plan_id)
    await queries.mark_lines(uow, plan_id, orders, of=LineState.PROPOSED, to=LineState.DECLINED, changes=_CHANGES)
    await settle(uow, plan_id, actor=actor.person)
    return await plan_of(uow, plan_id)


async def undo(uow: UnitOfWork, actor: Actor, jobs: JobApp, plan_id: UUID) -> PlanView:
    """Take back what a plan put into effect, as far as nobody has gone on from there.

    Raises NotFound, Forbidden, PlanNotReady, NothingToUndo.
    """
    require(actor, Permission.VISITS_DISPATCH)
    state = await _locked(uow, plan_id)
    if state not in {PlanState.READY, PlanState.DONE}:
        raise PlanNotReady(state=state)
    if not await queries.lines_in(uow, plan_id, LineState.APPLIED):
        raise NothingToUndo
    await queries.set_decider(uow, plan_id, actor.person)
    await queries.set_state(uow, plan_id, PlanState.APPLYING)
    await uow.defer(jobs, UNDO, queue=QUEUE, org=_org(uow), plan=plan_id)
    return await plan_of(uow, plan_id)


async def settle(uow: UnitOfWork, plan_id: UUID, *, actor: UUID | None) -> None:
    """A plan is done when nothing of it waits for a decision any more; else it is ready for the next."""
    asks = [it for it in await queries.lines_in(uow, plan_id, LineState.PROPOSED) if it.change in ASKS]
    await queries.set_state(uow, plan_id, PlanState.READY if asks else PlanState.DONE)
    await tell(uow, plan_id, "plan.ready" if asks else "plan.done", actor=actor)


async def tell(uow: UnitOfWork, plan_id: UUID, name: str, *, actor: UUID | None = None) -> None:
    """Tell boards how a plan stands."""
    plan = await plan_of(uow, plan_id)
    facts = {"plan_id": str(plan_id), "kind": plan.kind, "state": plan.state, "why": plan.why}
    await events.append(uow, name, subject=("plan", plan_id), actor=actor, payload=facts)


async def _locked(uow: UnitOfWork, plan_id: UUID) -> PlanState:
    state = await queries.lock_plan(uow, plan_id)
    if state is None:
        raise NotFound(thing="plan")
    return state


async def _ready(uow: UnitOfWork, plan_id: UUID) -> None:
    state = await _locked(uow, plan_id)
    if state is not PlanState.READY:
        raise PlanNotReady(state=state)


def _org(uow: UnitOfWork) -> UUID:
    assert uow.org is not None, "plans are made inside an organisation"
    return uow.org
