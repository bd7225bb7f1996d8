"""Words of the workforce."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from server.geo.domain import Point

# Skill levels: 1 helps, 3 works alone, 5 teaches others.
LOWEST_LEVEL, HIGHEST_LEVEL = 1, 5


@dataclass(frozen=True)
class Skill:
    id: UUID
    key: str
    name: Mapping[str, str]


@dataclass(frozen=True)
class SkillLevel:
    """What somebody has, or what a job asks for."""

    key: str
    level: int

    @classmethod
    def from_db(cls, value: Mapping[str, Any]) -> Self:
        return cls(**value)


@dataclass(frozen=True)
class Territory:
    id: UUID
    name: str
    area: Mapping[str, Any]  # GeoJSON polygon


@dataclass(frozen=True)
class Engineer:
    person_id: UUID
    name: str
    home: Point
    territory_id: UUID | None
    daily_capacity_minutes: int
    pace_percent: int  # of a job's usual minutes that this engineer takes for it
    skills: tuple[SkillLevel, ...]


@dataclass(frozen=True)
class Hours:
    """A span of work, with a rest of `break_minutes` that begins from `break_opens` to `break_closes` if there is one.

    overtime_minutes: how long it may go on after it ends.
    """

    starts_at: datetime
    ends_at: datetime
    break_opens: datetime | None = None
    break_closes: datetime | None = None
    break_minutes: int | None = None
    overtime_minutes: int = 0


@dataclass(frozen=True)
class Shift:
    id: UUID
    person_id: UUID
    person_name: str
    starts_at: datetime
    ends_at: datetime
    break_opens: datetime | None
    break_closes: datetime | None
    break_minutes: int | None
    overtime_minutes: int
