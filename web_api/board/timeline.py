"""The timeline: who does what when, over days."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from edge.auth import Work, permitted
from edge.problems import PROBLEMS
from server.core.wire import Instant, WireOut
from server.dispatch.planning.days import days
from server.dispatch.planning.errors import SpanTooLong
from server.dispatch.planning.service import MOST_DAYS
from server.identity.domain import Permission
from server.workorders.domain import Pin, Priority, VisitState

router = APIRouter(prefix="/api/v1/timeline", tags=["dispatch"], responses=PROBLEMS)


class TimelineEngineer(WireOut):
    id: UUID
    name: str
    territory_id: UUID | None
    daily_capacity_minutes: int


class RouteStop(WireOut):
    """`visit_id` is null at the warehouse."""

    visit_id: UUID | None
    work_order_id: UUID | None
    arrives_at: datetime
    begins_at: datetime
    ends_at: datetime
    drive_seconds: int
    drive_metres: int


class TimelineShift(WireOut):
    """`leaves_at`, `rests_at`, `returns_at` and `stops`: the engineer's way through it, null until it is known."""

    id: UUID
    engineer_id: UUID
    starts_at: datetime
    ends_at: datetime
    break_opens: datetime | None
    break_closes: datetime | None
    break_minutes: int | None
    overtime_minutes: int
    leaves_at: datetime | None
    rests_at: datetime | None
    returns_at: datetime | None
    stops: list[RouteStop] | None


class TimelineVisit(WireOut):
    id: UUID
    work_order_id: UUID
    number: int
    title: str
    priority: Priority
    site_name: str
    customer_name: str
    engineer_id: UUID
    state: VisitState
    planned_start: datetime
    planned_end: datetime
    begun_at: datetime | None
    finished_at: datetime | None
    pin: Pin | None
    respond_by: datetime
    window_start: datetime | None
    window_end: datetime | None


class DaysOut(WireOut):
    engineers: list[TimelineEngineer]
    shifts: list[TimelineShift]
    visits: list[TimelineVisit]


@router.get("")
async def timeline(
    work: Annotated[Work, permitted(Permission.VISITS_DISPATCH)],
    begins: Annotated[Instant, Query(alias="from")],
    until: Annotated[Instant, Query(alias="to")],
) -> DaysOut:
    """Everybody who is on shift or has a visit in a span of fourteen days at most."""
    if not timedelta() < until - begins <= timedelta(days=MOST_DAYS):
        raise SpanTooLong(most=MOST_DAYS)
    return DaysOut.model_validate(await days(work.uow, begins, until))
