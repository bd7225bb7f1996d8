"""Skills, territories and shifts."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, status
from pydantic import Field, StringConstraints, model_validator

from edge.auth import Work, anyone_signed_in, permitted
from edge.idempotency import IdempotencyHeader, once
from edge.problems import PROBLEMS
from server.core.wire import Id, Instant, Latitude, Longitude, Name, WireIn, WireOut
from server.identity.domain import Permission
from server.workforce import service
from server.workforce.domain import Hours

router = APIRouter(prefix="/api/v1", tags=["workforce"], responses=PROBLEMS)

type Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$")]
type Position = tuple[Longitude, Latitude]
type Ring = Annotated[list[Position], Field(min_length=4, max_length=10_000)]


class BothLanguages(WireIn):
    en: Name
    zh: Name


class NewSkill(WireIn):
    key: Key
    name: BothLanguages


class SkillOut(WireOut):
    id: UUID
    key: str
    name: dict[str, str]


class SkillsOut(WireOut):
    items: list[SkillOut]
    next_cursor: str | None


class PolygonIn(WireIn):
    """A GeoJSON polygon: an outer ring and the holes in it."""

    type: Literal["Polygon"]
    coordinates: Annotated[list[Ring], Field(min_length=1, max_length=50)]


class NewTerritory(WireIn):
    name: Name
    area: PolygonIn


class TerritoryOut(WireOut):
    id: UUID
    name: str
    area: Annotated[dict[str, Any], Field(description="GeoJSON polygon")]


class TerritoriesOut(WireOut):
    items: list[TerritoryOut]
    next_cursor: str | None


class NewShift(WireIn):
    """A break is whole or not at all: it begins from `break_opens` to `break_closes`, and lasts `break_minutes`."""

    starts_at: Instant
    ends_at: Instant
    break_opens: Instant | None = None
    break_closes: Instant | None = None
    break_minutes: Annotated[int, Field(ge=1, le=480)] | None = None
    overtime_minutes: Annotated[int, Field(ge=0, le=720)] = 0

    @model_validator(mode="after")
    def _runs_forward(self) -> "NewShift":
        if self.ends_at <= self.starts_at:
            message = "ends_at must lie after starts_at"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _break_is_whole(self) -> "NewShift":
        given = [it is not None for it in (self.break_opens, self.break_closes, self.break_minutes)]
        if any(given) and not all(given):
            message = "a break needs break_opens, break_closes and break_minutes"
            raise ValueError(message)
        if self.break_opens and self.break_closes and self.break_closes < self.break_opens:
            message = "break_closes must not lie before break_opens"
            raise ValueError(message)
        return self


class ShiftOut(WireOut):
    id: UUID
    person_id: UUID
    person_name: str
    starts_at: datetime
    ends_at: datetime
    break_opens: datetime | None
    break_closes: datetime | None
    break_minutes: int | None
    overtime_minutes: int


class ShiftsOut(WireOut):
    items: list[ShiftOut]
    next_cursor: str | None


@router.get("/skills")
async def list_skills(work: Annotated[Work, anyone_signed_in()]) -> SkillsOut:
    return SkillsOut.model_validate({"items": await service.skills(work.uow), "next_cursor": None})


@router.post("/skills", status_code=status.HTTP_201_CREATED)
async def add_skill(
    work: Annotated[Work, permitted(Permission.SETTINGS_MANAGE)], body: NewSkill, key: IdempotencyHeader = None
) -> SkillOut:
    async def act() -> SkillOut:
        made = await service.add_skill(work.uow, key=body.key, name=body.name.model_dump())
        return SkillOut.model_validate(made)

    return await once(work, key, body, SkillOut, act)


@router.get("/territories")
async def list_territories(work: Annotated[Work, anyone_signed_in()]) -> TerritoriesOut:
    return TerritoriesOut.model_validate({"items": await service.territories(work.uow), "next_cursor": None})


@router.post("/territories", status_code=status.HTTP_201_CREATED)
async def add_territory(
    work: Annotated[Work, permitted(Permission.SETTINGS_MANAGE)], body: NewTerritory, key: IdempotencyHeader = None
) -> TerritoryOut:
    async def act() -> TerritoryOut:
        area = body.area.model_dump(mode="json")
        return TerritoryOut.model_validate(await service.add_territory(work.uow, name=body.name, area=area))

    return await once(work, key, body, TerritoryOut, act)


@router.get("/shifts")
async def list_shifts(
    work: Annotated[Work, permitted(Permission.PEOPLE_READ)],
    start: Annotated[Instant, Query(alias="from")],
    end: Annotated[Instant, Query(alias="to")],
    person_id: Id | None = None,
) -> ShiftsOut:
    """Shifts that overlap the time asked about."""
    found = await service.shifts_between(work.uow, start, end, person=person_id)
    return ShiftsOut.model_validate({"items": found, "next_cursor": None})


@router.post("/people/{person_id}/shifts", status_code=status.HTTP_201_CREATED)
async def add_shift(
    work: Annotated[Work, permitted(Permission.VISITS_DISPATCH)],
    person_id: Id,
    body: NewShift,
    key: IdempotencyHeader = None,
) -> ShiftOut:
    async def act() -> ShiftOut:
        made = await service.add_shift(work.uow, person=person_id, hours=Hours(**dict(body)))
        return ShiftOut.model_validate(made)

    return await once(work, key, body, ShiftOut, act)
