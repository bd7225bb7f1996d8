"""What a dispatcher changes about a visit that waits: its time, and what no plan may touch."""

from typing import Annotated

from fastapi import APIRouter

from edge.auth import Work, permitted
from edge.problems import PROBLEMS
from server.core.wire import Id, Instant, Line, WireIn
from server.identity.domain import Permission
from server.workorders import access, reading, service
from server.workorders.domain import Pin, Visit
from web_api.board.details import WorkOrderOut, whole

router = APIRouter(prefix="/api/v1/visits", tags=["dispatch"], responses=PROBLEMS)

type Dispatching = Annotated[Work, permitted(Permission.VISITS_DISPATCH)]


class NewTime(WireIn):
    planned_start: Instant
    planned_end: Instant
    reason: Line | None = None


class Pinning(WireIn):
    """`engineer`: no plan gives it to somebody else; `time`: nor moves it; null lets go."""

    pin: Pin | None


@router.post("/{visit_id}/replan")
async def replan_visit(visit_id: Id, work: Dispatching, body: NewTime) -> WorkOrderOut:
    """Give a visit another time. Its engineer keeps it and need not accept it again."""
    return await _order_of(work, await service.replan_visit(work.uow, work.actor, visit_id=visit_id, **dict(body)))


@router.post("/{visit_id}/pin")
async def pin_visit(visit_id: Id, work: Dispatching, body: Pinning) -> WorkOrderOut:
    return await _order_of(work, await service.pin_visit(work.uow, work.actor, visit_id=visit_id, pin=body.pin))


async def _order_of(work: Work, visit: Visit) -> WorkOrderOut:
    order = await access.work_order_for(work.uow, work.actor, visit.work_order_id)
    summary = await reading.summary_of(work.uow, visit.work_order_id)
    assert summary is not None, "an order that can be seen has a line in the list"
    return WorkOrderOut.model_validate(whole(order, summary))
