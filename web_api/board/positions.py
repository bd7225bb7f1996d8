"""What an organisation keeps of where its engineers were, and how much was dropped."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from edge.auth import Work, permitted
from edge.problems import PROBLEMS
from server.core.wire import Id, WireIn, WireOut
from server.geo import tracking
from server.geo.positions import Policy
from server.identity import service as identity
from server.identity.domain import Permission

router = APIRouter(prefix="/api/v1", tags=["positions"], responses=PROBLEMS)


class PositionPolicyIn(WireIn):
    keep_track_days: Annotated[int, Field(ge=1, le=365)]
    fence_radius_m: Annotated[int, Field(ge=20, le=20_000, description="of sites without a radius of their own")]


class PositionPolicyOut(WireOut):
    keep_track_days: int
    fence_radius_m: int


class PositionDayOut(WireOut):
    """What became of one day's fixes, in the organisation's zone."""

    day: date
    kept: int
    off_shift: int
    paused: int
    too_old: int


class PositionDaysOut(WireOut):
    person_id: UUID
    days: list[PositionDayOut]


@router.get("/position-policy")
async def position_policy(work: Annotated[Work, permitted(Permission.POSITIONS_READ)]) -> PositionPolicyOut:
    return PositionPolicyOut.model_validate(await tracking.policy(work.uow))


@router.put("/position-policy")
async def set_position_policy(
    work: Annotated[Work, permitted(Permission.SETTINGS_MANAGE)], body: PositionPolicyIn
) -> PositionPolicyOut:
    """What is no longer to be kept is gone within the hour; sites without a radius of their own follow."""
    wanted = Policy(body.keep_track_days, body.fence_radius_m)
    return PositionPolicyOut.model_validate(await tracking.set_policy(work.uow, work.actor, wanted))


@router.get("/people/{person_id}/position-days")
async def position_days(work: Annotated[Work, permitted(Permission.POSITIONS_READ)], person_id: Id) -> PositionDaysOut:
    """How many of somebody's fixes were kept and dropped, the last month day by day. No place is told."""
    person = await identity.person(work.uow, person_id)
    days = [PositionDayOut.model_validate(it) for it in await tracking.day_counts(work.uow, person.id)]
    return PositionDaysOut(person_id=person.id, days=days)
