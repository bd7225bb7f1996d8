"""Plans: asking for one, seeing what it would change, taking it whole or in part, and taking it back."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, status
from pydantic import Field

from edge.auth import Work, permitted
from edge.idempotency import IdempotencyHeader, once
from edge.problems import PROBLEMS
from edge.services import ServicesOf
from server.core.paging import MAX_PAGE, decode_cursor, id_in, page_of
from server.core.wire import Id, Instant, PlaceOut, WireIn, WireOut
from server.dispatch.planning import service
from server.dispatch.planning.domain import Change, Effort, LineState, PlanKind, PlanState, Scope
from server.dispatch.planning.views import LineView, PlanView
from server.identity.domain import Permission
from server.workorders.domain import Priority

router = APIRouter(prefix="/api/v1/plans", tags=["planning"], responses=PROBLEMS)

type Dispatching = Annotated[Work, permitted(Permission.VISITS_DISPATCH)]
type Ids = Annotated[list[Id], Field(max_length=2_000)]


class NewPlan(WireIn):
    """The shifts from `begins` to `until`, fourteen days at most, of some territories and engineers; empty is all."""

    begins: Instant
    until: Instant
    territories: Ids = []
    engineers: Ids = []
    effort: Effort = Effort.NORMAL
    seed: Annotated[int | None, Field(ge=0, lt=2**31, description="the same picture and seed give the same plan")] = (
        None
    )


class Decision(WireIn):
    """Which orders are meant; all that are still proposed if left out."""

    work_orders: Annotated[list[Id] | None, Field(min_length=1, max_length=5_000)] = None


class PlanFiguresOut(WireOut):
    visits: int
    left_out: int
    engineers: int
    travel_seconds: int
    travel_metres: int
    late_visits: int
    late_seconds: int
    overtime_seconds: int
    waiting_seconds: int
    working_seconds: int


class PlanOut(WireOut):
    """`progress` from 0 to 1; `lines`: how many, by "change:state"; `cause`: of a repair, what went wrong."""

    id: UUID
    kind: PlanKind
    state: PlanState
    begins: datetime
    until: datetime
    territories: list[UUID]
    engineers: list[UUID]
    effort: Effort
    seed: int
    policy_version: int
    requested_by: UUID | None
    requested_by_name: str | None
    cause: dict[str, Any] | None
    asked_at: datetime
    ready_at: datetime | None
    ended_at: datetime | None
    why: str | None
    progress: float
    parts: int
    before: PlanFiguresOut | None
    after: PlanFiguresOut | None
    lines: dict[str, int]


class PlansPage(WireOut):
    items: list[PlanOut]
    next_cursor: str | None


class BookingOut(WireOut):
    engineer_id: UUID
    engineer_name: str
    start: datetime
    end: datetime


class LineOut(WireOut):
    """`details`: drive, slack, lateness, and for what is left out `reason` with what it would cost and with whom."""

    work_order_id: UUID
    number: int
    title: str
    priority: Priority
    site_name: str
    place: PlaceOut
    change: Change
    state: LineState
    before: BookingOut | None
    after: BookingOut | None
    details: dict[str, Any]
    why: str | None


class LinesOut(WireOut):
    items: list[LineOut]


class StopOut(WireOut):
    """`work_order_id` is null at the warehouse. `risk_seconds`: how late a slow day may make it."""

    work_order_id: UUID | None
    arrives_at: datetime
    begins_at: datetime
    ends_at: datetime
    drive_seconds: int
    drive_metres: int
    slack_seconds: int
    late_seconds: int
    risk_seconds: int


class TourOut(WireOut):
    shift_id: UUID
    engineer_id: UUID
    name: str
    leaves_at: datetime
    rests_at: datetime | None
    returns_at: datetime
    overtime_seconds: int
    breaks_rules: bool
    home_seconds: int
    home_metres: int
    stops: list[StopOut]


class ToursOut(WireOut):
    """`tours` as planned, `known` as people know them now; a shift without stops is in both."""

    tours: list[TourOut]
    known: list[TourOut]


@router.post("", status_code=status.HTTP_201_CREATED)
async def request_plan(
    work: Dispatching, services: ServicesOf, body: NewPlan, key: IdempotencyHeader = None
) -> PlanOut:
    async def act() -> PlanOut:
        scope = Scope(body.begins, body.until, tuple(body.territories), tuple(body.engineers))
        made = await service.request_plan(
            work.uow, work.actor, services.jobs, scope=scope, effort=body.effort, seed=body.seed
        )
        return _plan(made)

    return await once(work, key, body, PlanOut, act)


@router.get("")
async def list_plans(
    work: Dispatching,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 20,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> PlansPage:
    """The newest first."""
    after = decode_cursor(cursor, 1)
    rows = await service.plans(work.uow, id_in(after[0]) if after else None, limit + 1)
    page = page_of(rows, limit, lambda it: (it.id,))
    return PlansPage(items=[_plan(it) for it in page.items], next_cursor=page.next_cursor)


@router.get("/{plan_id}")
async def get_plan(plan_id: Id, work: Dispatching) -> PlanOut:
    return _plan(await service.plan_of(work.uow, plan_id))


@router.get("/{plan_id}/lines")
async def plan_lines(plan_id: Id, work: Dispatching) -> LinesOut:
    """A line for every order, what changes first."""
    return LinesOut(items=[_line(it) for it in await service.lines_of(work.uow, plan_id)])


@router.get("/{plan_id}/tours")
async def plan_tours(plan_id: Id, work: Dispatching) -> ToursOut:
    return ToursOut.model_validate(await service.tours_of(work.uow, plan_id))


@router.post("/{plan_id}/cancel")
async def cancel_plan(plan_id: Id, work: Dispatching) -> PlanOut:
    return _plan(await service.cancel(work.uow, work.actor, plan_id))


@router.post("/{plan_id}/accept")
async def accept_plan(
    plan_id: Id, work: Dispatching, services: ServicesOf, body: Decision, key: IdempotencyHeader = None
) -> PlanOut:
    """Put a plan into effect. A job does it; what somebody changed meanwhile is left as it is and says so."""

    async def act() -> PlanOut:
        return _plan(await service.accept(work.uow, work.actor, services.jobs, plan_id, orders=body.work_orders))

    return await once(work, key, body, PlanOut, act)


@router.post("/{plan_id}/decline")
async def decline_plan(plan_id: Id, work: Dispatching, body: Decision) -> PlanOut:
    return _plan(await service.decline(work.uow, work.actor, plan_id, orders=body.work_orders))


@router.post("/{plan_id}/undo")
async def undo_plan(plan_id: Id, work: Dispatching, services: ServicesOf) -> PlanOut:
    """Take back what was put into effect, as far as nobody has gone on from there."""
    return _plan(await service.undo(work.uow, work.actor, services.jobs, plan_id))


def _plan(it: PlanView) -> PlanOut:
    return PlanOut.model_validate(it)


def _line(it: LineView) -> LineOut:
    said = {name: value for name, value in vars(it).items() if name in LineOut.model_fields}
    before = _booking(it.from_engineer_id, it.from_engineer_name, it.from_start, it.from_end)
    after = _booking(it.to_engineer_id, it.to_engineer_name, it.to_start, it.to_end)
    return LineOut.model_validate({**said, "before": before, "after": after})


def _booking(
    engineer: UUID | None, name: str | None, start: datetime | None, end: datetime | None
) -> dict[str, Any] | None:
    if engineer is None or start is None or end is None:
        return None
    return {"engineer_id": engineer, "engineer_name": name or "", "start": start, "end": end}
