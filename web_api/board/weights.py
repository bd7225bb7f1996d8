"""The score weights: every version, new ones, and what others would have made of past decisions."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, status
from pydantic import Field

from edge.auth import Work, permitted
from edge.idempotency import IdempotencyHeader, once
from edge.problems import PROBLEMS
from server.core.wire import Instant, Name, WireIn, WireOut
from server.dispatch.learning import weights
from server.dispatch.scoring import Factor
from server.identity.domain import Permission

router = APIRouter(prefix="/api/v1/score-weights", tags=["dispatch"], responses=PROBLEMS)

type Weight = Annotated[float, Field(ge=0, le=1)]
type Shares = Annotated[dict[Factor, Weight], Field(min_length=1, description="add up to 1; what is left out is 0")]


class WeightsOut(WireOut):
    """`created_by` and `why` are null for the first version; `model_id` is the learned model it came from."""

    version: int
    weights: dict[str, float]
    created_by: UUID | None
    created_by_name: str | None
    created_at: datetime
    why: str | None
    model_id: UUID | None


class WeightsVersionsOut(WireOut):
    """The newest first; that one is in force."""

    in_force: int
    items: list[WeightsOut]


class Weighing(WireIn):
    weights: Shares

    @property
    def by_name(self) -> dict[str, float]:
        return {str(factor): weight for factor, weight in self.weights.items()}


class NewWeights(Weighing):
    """`expected_version` is the one in force as the caller saw it. An old version's weights may be sent again."""

    why: Name
    expected_version: Annotated[int, Field(ge=1, lt=2**31)]


class PreviewWeights(Weighing):
    """Decisions from `since` to before `until`, 92 days at most."""

    since: Instant
    until: Instant


class FiguresOut(WireOut):
    """Means over whoever ranks first. `agreed`: decisions in which that is whom they chose.

    `load_spread_minutes`: the standard deviation of engineers' minutes on a day, on average.
    """

    agreed: int
    mean_eta_seconds: float | None
    mean_sla_slack_seconds: float | None
    load_spread_minutes: float | None


class ChangedOut(WireOut):
    work_order_id: UUID
    number: int
    decided_at: datetime
    chosen_id: UUID
    chosen_name: str
    before_id: UUID
    before_name: str
    after_id: UUID
    after_name: str


class PreviewOut(WireOut):
    """`changes`: decisions in which somebody else would have been first. `left_out`: older ones not looked at."""

    decisions: int
    left_out: int
    before: FiguresOut
    after: FiguresOut
    changes: list[ChangedOut]


@router.get("")
async def list_score_weights(work: Annotated[Work, permitted(Permission.REPORTS_READ)]) -> WeightsVersionsOut:
    """Every version with who set it, when and why."""
    found = await weights.versions(work.uow)
    items = [WeightsOut.model_validate(it) for it in found]
    return WeightsVersionsOut(in_force=found[0].version, items=items)


@router.post("", status_code=status.HTTP_201_CREATED)
async def set_score_weights(
    work: Annotated[Work, permitted(Permission.SETTINGS_MANAGE)], body: NewWeights, key: IdempotencyHeader = None
) -> WeightsOut:
    """Put new weights in force, from the next ranking on."""

    async def act() -> WeightsOut:
        made = await weights.set_weights(
            work.uow, work.actor, body.by_name, why=body.why, expected_version=body.expected_version
        )
        return WeightsOut.model_validate(made)

    return await once(work, key, body, WeightsOut, act)


@router.post("/preview")
async def preview_score_weights(
    work: Annotated[Work, permitted(Permission.REPORTS_READ)], body: PreviewWeights
) -> PreviewOut:
    """Rank past decisions again with other weights, each as it stood then. Changes nothing."""
    return PreviewOut.model_validate(await weights.replayed(work.uow, body.by_name, body.since, body.until))
