"""Who takes this job, and sending them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from edge.auth import Work, permitted
from edge.idempotency import IdempotencyHeader, once
from edge.problems import PROBLEMS
from edge.services import ServicesOf
from server.core.wire import Id, Instant, WireIn, WireOut
from server.dispatch import service as dispatch
from server.dispatch.decisions import Decision, How
from server.dispatch.prospects import Origin
from server.dispatch.scoring import Factor, Why
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
    rank: int
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
    """Everybody of a small company. Of one with more than 200 engineers the best, and whoever was asked about."""

    items: list[CandidateOut]
    excluded: list[ExcludedOut]
    candidate_count: int
    excluded_count: int
    weights_version: int


class StoodOut(WireOut):
    """How somebody stood when it was decided: with a rank and a score, or with the codes of what spoke against them."""

    engineer_id: UUID
    name: str
    rank: int | None
    score: float | None
    codes: list[Why]


class DecisionOut(WireOut):
    """Why somebody was sent, as it was known then. Of visits that a plan sent the plan tells more."""

    id: UUID
    visit_id: UUID
    decided_at: datetime
    decided_by: UUID | None
    decided_by_name: Annotated[str | None, Field(description="null when no person decided")]
    how: How
    plan_id: UUID | None
    note: str | None
    engineer_id: UUID
    engineer_name: str
    chosen_rank: Annotated[int | None, Field(description="from 1; null when rules spoke against the chosen")]
    job: Annotated[dict[str, Any] | None, Field(description="what was asked for, as of when; null for old decisions")]
    weights_version: int
    weights: dict[str, float]
    best: list[CandidateOut]
    chosen: CandidateOut | None
    chosen_against: Annotated[ExcludedOut | None, Field(description="the rules that spoke against the chosen")]
    excluded: Annotated[list[ExcludedOut], Field(description="some; ask about others by engineer_id")]
    candidate_count: int
    excluded_count: int
    asked_about: Annotated[list[StoodOut], Field(description="those in the query who were there")]


class DecisionsOut(WireOut):
    items: list[DecisionOut]


class Assignment(WireIn):
    """Without times the visit is planned for when the engineer can be there after what is planned already."""

    engineer_id: Id
    planned_start: Instant | None = None
    planned_end: Instant | None = None


type About = Annotated[Sequence[Id], Query(max_length=20, description="who else is to be told of, or why not them")]


@router.get("/work-orders/{work_order_id}/candidates")
async def candidates(
    work_order_id: Id,
    work: Annotated[Work, permitted(Permission.VISITS_DISPATCH)],
    services: ServicesOf,
    at: Annotated[Instant | None, Query(description="as of when; now if left out")] = None,
    engineer_id: About = (),
) -> CandidatesOut:
    """Those who may take the job, the best first, and the others with why not."""
    moment = at or work.uow.now()
    ranking = await dispatch.candidates(
        work.uow, work.actor, services.travel, work_order_id, moment, about=tuple(engineer_id)
    )
    return CandidatesOut(
        items=[CandidateOut.model_validate(candidate) for candidate in ranking.items],
        excluded=[ExcludedOut.model_validate(other) for other in ranking.excluded],
        candidate_count=ranking.candidate_count,
        excluded_count=ranking.excluded_count,
        weights_version=ranking.weights_version,
    )


@router.get("/work-orders/{work_order_id}/decisions")
async def list_decisions(
    work_order_id: Id, work: Annotated[Work, permitted(Permission.ORDERS_READ)], engineer_id: About = ()
) -> DecisionsOut:
    """Why whom was sent to an order, the newest first, as it was known then."""
    found = await dispatch.decisions(work.uow, work.actor, work_order_id)
    return DecisionsOut(items=[_told(it, engineer_id) for it in found])


def _told(it: Decision, about: Sequence[UUID]) -> DecisionOut:
    stood = [it.about(engineer) for engineer in about]
    return DecisionOut.model_validate(
        {
            **{name: getattr(it, name) for name in DecisionOut.model_fields if name != "asked_about"},
            "asked_about": [one for one in stood if one is not None],
        }
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
