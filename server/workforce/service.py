"""Describing the workforce: what people can do, where, and when they are on shift."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.geo.domain import Point
from server.workforce import queries
from server.workforce.domain import Engineer, Hours, Shift, Skill, SkillLevel, Territory
from server.workforce.errors import (
    BreakOutsideShift,
    NotAnArea,
    NotAnEngineer,
    ShiftOverlaps,
    SkillTaken,
    TerritoryTaken,
    UnknownSkills,
    UnknownTerritory,
)

# A planning window asks for a few weeks of everybody's shifts; more than this is a mistake.
MOST_SHIFTS = 5_000


async def skills(uow: UnitOfWork) -> list[Skill]:
    return await queries.skills(uow)


async def add_skill(uow: UnitOfWork, *, key: str, name: Mapping[str, str]) -> Skill:
    """Raises SkillTaken."""
    it = Skill(uow.new_id(), key, name)
    if not await queries.insert_skill(uow, it):
        raise SkillTaken(key=key)
    return it


async def skill_ids(uow: UnitOfWork, keys: Collection[str]) -> dict[str, UUID]:
    """Answer the id of each key. Raises UnknownSkills naming those that nobody defined."""
    if not keys:
        return {}
    known = await queries.skill_ids(uow, list(keys))
    unknown = sorted(set(keys) - known.keys())
    if unknown:
        raise UnknownSkills(keys=", ".join(unknown))
    return known


async def territories(uow: UnitOfWork) -> list[Territory]:
    return await queries.territories(uow)


async def add_territory(uow: UnitOfWork, *, name: str, area: Mapping[str, Any]) -> Territory:
    """Add an area given as a GeoJSON polygon in WGS-84. Raises NotAnArea, TerritoryTaken."""
    await _check_area(uow, area)
    it = Territory(uow.new_id(), name, area)
    if not await queries.insert_territory(uow, it):
        raise TerritoryTaken(name=name)
    return it


async def _check_area(uow: UnitOfWork, area: Mapping[str, Any]) -> None:
    try:
        async with uow.savepoint():
            wrong = await queries.why_no_area(uow, area)
    except (psycopg.errors.InternalError, psycopg.DataError) as refused:
        raise NotAnArea(why=refused.diag.message_primary or "it can't be read") from None
    if wrong:
        raise NotAnArea(why=wrong)


async def territory_at(uow: UnitOfWork, place: Point) -> UUID | None:
    return await queries.territory_at(uow, place)


async def set_engineer(
    uow: UnitOfWork,
    *,
    person: UUID,
    home: Point,
    daily_capacity_minutes: int,
    pace_percent: int = 100,
    territory_id: UUID | None = None,
    skills: Sequence[SkillLevel] = (),
) -> Engineer:
    """Give a person the working side of an engineer, or replace it. Raises UnknownSkills, UnknownTerritory."""
    ids = await skill_ids(uow, {skill.key for skill in skills})
    if territory_id is not None and await queries.territory(uow, territory_id) is None:
        raise UnknownTerritory
    await queries.upsert_engineer(
        uow,
        person=person,
        home=home,
        territory_id=territory_id,
        daily_capacity_minutes=daily_capacity_minutes,
        pace_percent=pace_percent,
    )
    await queries.replace_skills(uow, person, {ids[skill.key]: skill.level for skill in skills})
    made = await engineer_of(uow, person)
    assert made is not None
    return made


async def engineer_of(uow: UnitOfWork, person: UUID) -> Engineer | None:
    return (await engineers(uow, [person])).get(person)


async def engineers(uow: UnitOfWork, people: Sequence[UUID]) -> dict[UUID, Engineer]:
    """Answer the engineers among `people`; skills that have lapsed are left out."""
    return {it.person_id: it for it in await queries.engineers(uow, people)}


async def require_engineer(uow: UnitOfWork, person: UUID) -> None:
    """Raise NotAnEngineer unless this is an active person who can be sent somewhere."""
    if not await queries.is_working(uow, person):
        raise NotAnEngineer


async def add_shift(uow: UnitOfWork, *, person: UUID, hours: Hours) -> Shift:
    """Put an engineer on shift. Raises NotAnEngineer, ShiftOverlaps, BreakOutsideShift."""
    if hours.break_opens and hours.break_closes and not _rest_fits(hours, hours.break_opens, hours.break_closes):
        raise BreakOutsideShift
    if not await queries.lock_engineer(uow, person):
        raise NotAnEngineer
    other = await queries.shift_between(uow, person, hours.starts_at, hours.ends_at)
    if other is not None:
        raise ShiftOverlaps(starts_at=other.starts_at.isoformat(), ends_at=other.ends_at.isoformat())
    shift = uow.new_id()
    await queries.insert_shift(uow, shift=shift, person=person, hours=hours)
    made = await queries.shift(uow, shift)
    if made is None:
        raise NotFound(thing="shift")
    return made


def _rest_fits(hours: Hours, opens: datetime, closes: datetime) -> bool:
    ends = closes + timedelta(minutes=hours.break_minutes or 0)
    return hours.starts_at <= opens <= closes and ends <= hours.ends_at


async def shifts_between(uow: UnitOfWork, start: datetime, end: datetime, *, person: UUID | None = None) -> list[Shift]:
    """Answer the shifts that overlap [start, end), by start."""
    return await queries.shifts_between(uow, start, end, person=person, limit=MOST_SHIFTS)
