"""Who takes this job, and sending them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from edge.auth import Work, permitted
from edge.idempotency import IdempotencyHeader, once
from edge.problems import PROBLEMS
from edge.services import ServicesOf
from server.core.wire import Id, Instant, WireIn, WireOut
from server.dispatch import service as dispatch
from server.dispatch.scoring import Factor, Origin, Why
from server.geo.journey import Source
from server.identity.domain import Permission
from server.workorders import access, reading
from web_api.board.details import WorkOrderOut, whole

router = APIRouter(prefix="/api/v1", tags=["dispatch"], responses=PROBLEMS)


class FactorOut(WireOut):
    name: Factor
    weight: float
    value: Annotated[float, Field(description="0 to 1; times the weight it is the factor's share of the score")]
    raw: float
    unit: str


class SkillLevelOut(WireOut):
    key: str
    level: int


class CandidateOut(WireOut):
    """`eta_seconds` counts from the moment asked about and includes waiting for the shift or the current job."""

    engineer_id: UUID
    name: str
    score: float
    origin: Origin
    eta_seconds: int
    eta_p90_seconds: int
    distance_m: int
    source: Source
    load_minutes: int
    capacity_minutes: int
    factors: list[FactorOut]
    skills: list[SkillLevelOut]


class ReasonOut(WireOut):
    code: Why
    sentence: str


class ExcludedOut(WireOut):
    engineer_id: UUID
    name: str
    reasons: list[ReasonOut]


class CandidatesOut(WireOut):
    items: list[CandidateOut]
    excluded: list[ExcludedOut]
    weights_version: int


class Assignment(WireIn):
    """Without times the visit is planned for when the engineer can be there after what is planned already."""

    engineer_id: Id
    planned_start: Instant | None = None
    planned_end: Instant | None = None


@router.get("/work-orders/{work_order_id}/candidates")
async def candidates(
    work_order_id: Id,
    work: Annotated[Work, permitted(Permission.VISITS_DISPATCH)],
    services: ServicesOf,
    at: Annotated[Instant | None, Query(description="as of when; now if left out")] = None,
) -> CandidatesOut:
    """Every engineer: those who may take the job, the best first, and the others with why not."""
    ranking = await dispatch.candidates(work.uow, work.actor, services.travel, work_order_id, at or work.uow.now())
    return CandidatesOut(
        items=[CandidateOut.model_validate(candidate) for candidate in ranking.items],
        excluded=[ExcludedOut.model_validate(other) for other in ranking.excluded],
        weights_version=ranking.weights_version,
    )


@router.post("/work-orders/{work_order_id}/assign")
async def assign(
    work_order_id: Id,
    body: Assignment,
    work: Annotated[Work, permitted(Permission.VISITS_DISPATCH)],
    services: ServicesOf,
    key: IdempotencyHeader = None,
) -> WorkOrderOut:
    """Plan a visit and send it to the engineer, in place of whoever was sent before. Repeating it changes nothing."""

    async def act() -> WorkOrderOut:
        await dispatch.assign(work.uow, work.actor, services.travel, work_order_id=work_order_id, **dict(body))
        order = await access.work_order_for(work.uow, work.actor, work_order_id)
        summary = await reading.summary_of(work.uow, work_order_id)
        assert summary is not None, "an order that can be seen has a line in the list"
        return WorkOrderOut.model_validate(whole(order, summary))

    # A key that comes again for another order is another request.
    return await once(work, key, body, WorkOrderOut, act)
