"""What the past teaches: proposals with their back-tests, and who takes them."""

import asyncio
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from edge.auth import Work, permitted
from edge.problems import PROBLEMS
from server.core.wire import Id, WireIn, WireOut
from server.dispatch.learning import service
from server.dispatch.learning.domain import Kind, ModelState, Outcome
from server.identity.domain import Permission

router = APIRouter(prefix="/api/v1/learning", tags=["learning"], responses=PROBLEMS)

type Reader = Annotated[Work, permitted(Permission.REPORTS_READ)]
type Keeper = Annotated[Work, permitted(Permission.SETTINGS_MANAGE)]


class PolicyOut(WireOut):
    """Version 0 is what nobody has changed yet."""

    version: int
    enough_orders: int
    set_by: UUID | None
    set_at: datetime | None


class SetPolicy(WireIn):
    """`enough_orders`: completed ones, before anything is learnt."""

    enough_orders: Annotated[int, Field(ge=1, le=10_000_000)]
    expected_version: Annotated[int, Field(ge=0, lt=2**31)]


class ModelSummary(WireOut):
    """`back_test`: figures on the latest days, which the tested model had not seen, beside those without it."""

    id: UUID
    kind: Kind
    version: int
    state: ModelState
    trained_from: date
    trained_until: date
    orders: int
    samples: int
    back_test: dict[str, Any]
    proposed_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    replaced: UUID | None


class ModelOut(ModelSummary):
    parameters: dict[str, Any]


class ModelsOut(WireOut):
    """The newest of each kind first."""

    items: list[ModelSummary]


class StandingOut(WireOut):
    """`missing`: completed orders until there is enough to learn from."""

    policy: PolicyOut
    completed: int
    missing: int
    in_force: dict[Kind, ModelSummary]


class LearntOut(WireOut):
    """`back_test` is null where there was too little, `model` where nothing is proposed."""

    kind: Kind
    outcome: Outcome
    samples: int | None
    back_test: dict[str, Any] | None
    model: ModelSummary | None


class LearntAllOut(WireOut):
    items: list[LearntOut]


@router.get("")
async def learning_standing(work: Reader) -> StandingOut:
    """How much history there is and how much is needed, and what is in force."""
    return StandingOut.model_validate(await service.standing(work.uow))


@router.put("/policy")
async def set_learning_policy(work: Keeper, body: SetPolicy) -> PolicyOut:
    """Change how much history is enough."""
    return PolicyOut.model_validate(await service.set_policy(work.uow, work.actor, **dict(body)))


@router.post("")
async def learn_now(work: Keeper) -> LearntAllOut:
    """Learn now, as it is done every week: what is better than what is in force is proposed, and nothing more."""
    past = await service.history(work.uow)
    taught = await asyncio.to_thread(service.lessons, past)
    return LearntAllOut(items=[_learnt(it) for it in await service.propose(work.uow, past, taught)])


def _learnt(it: service.Learnt) -> LearntOut:
    return LearntOut(
        kind=it.kind,
        outcome=it.outcome,
        samples=it.lesson.samples if it.lesson else None,
        back_test=dict(it.lesson.back_test) if it.lesson else None,
        model=ModelSummary.model_validate(it.model) if it.model else None,
    )


@router.get("/models")
async def list_learned_models(work: Reader, kind: Kind | None = None) -> ModelsOut:
    """Everything that was ever proposed."""
    return ModelsOut(items=[ModelSummary.model_validate(it) for it in await service.models(work.uow, kind)])


@router.get("/models/{model_id}")
async def learned_model(work: Reader, model_id: Id) -> ModelOut:
    """A model with everything it says."""
    return ModelOut.model_validate(await service.model(work.uow, model_id))


@router.post("/models/{model_id}/accept")
async def accept_learned_model(work: Keeper, model_id: Id) -> ModelSummary:
    """Put a proposal in force, or go back to a model that was. Repeating it changes nothing."""
    return ModelSummary.model_validate(await service.accept(work.uow, work.actor, model_id))


@router.post("/models/{model_id}/reject")
async def reject_learned_model(work: Keeper, model_id: Id) -> ModelSummary:
    """Turn a proposal down, for good."""
    return ModelSummary.model_validate(await service.reject(work.uow, work.actor, model_id))


@router.post("/models/{model_id}/retire")
async def retire_learned_model(work: Keeper, model_id: Id) -> ModelSummary:
    """Take a model out of force: orders' own durations count again, or the weights from before."""
    return ModelSummary.model_validate(await service.retire(work.uow, work.actor, model_id))
