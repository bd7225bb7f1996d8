"""Who can do what, where and when: skills with levels, territories, shifts and where an engineer's day starts."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import Geography
from sqlalchemy import CheckConstraint, Column, Index, UniqueConstraint
from sqlmodel import Field

from server.core.tables import OrgRecord, OrgTable, belongs_to, instant, jsonb, of_organisation, point


class Skill(OrgRecord, table=True):
    __tablename__ = "skill"
    __table_args__ = (of_organisation(), UniqueConstraint("org_id", "key"))

    key: str
    name: dict[str, Any] = jsonb()  # {"en": …, "zh": …}


class Territory(OrgRecord, table=True):
    __tablename__ = "territory"
    __table_args__ = (of_organisation(), UniqueConstraint("org_id", "name"))

    name: str
    area: Any = Field(sa_column=Column(Geography("POLYGON", 4326, spatial_index=False), nullable=False))


class Engineer(OrgTable, table=True):
    """The working side of a person: home base, territory and daily capacity."""

    __tablename__ = "engineer"
    __table_args__ = (
        of_organisation(),
        belongs_to("person_id", "person"),
        belongs_to("territory_id", "territory"),
        CheckConstraint("daily_capacity_minutes > 0", name="capacity"),
        CheckConstraint("pace_percent between 25 and 400", name="pace"),
    )

    person_id: UUID = Field(primary_key=True)
    home: Any = point()
    territory_id: UUID | None = None
    daily_capacity_minutes: int
    pace_percent: int  # of a job's usual minutes that this engineer takes for it


class EngineerSkill(OrgTable, table=True):
    __tablename__ = "engineer_skill"
    __table_args__ = (
        of_organisation(),
        belongs_to("person_id", "person"),
        belongs_to("skill_id", "skill"),
        CheckConstraint("level between 1 and 5", name="level"),
        Index(None, "org_id", "skill_id", postgresql_include=["person_id", "level", "valid_until"]),
    )

    person_id: UUID = Field(primary_key=True)
    skill_id: UUID = Field(primary_key=True)
    level: int
    valid_until: date | None = None


class Shift(OrgRecord, table=True):
    __tablename__ = "shift"
    __table_args__ = (
        of_organisation(),
        belongs_to("person_id", "person"),
        CheckConstraint("ends_at > starts_at", name="order"),
        CheckConstraint("num_nonnulls(break_opens, break_closes, break_minutes) in (0, 3)", name="break_whole"),
        CheckConstraint("break_opens <= break_closes and break_minutes > 0", name="break"),
        CheckConstraint("overtime_minutes between 0 and 720", name="overtime"),
        Index(None, "org_id", "person_id", "starts_at"),
        # Who works then, of everybody, and who has something to be asked for.
        Index(None, "org_id", "ends_at", "starts_at", "person_id"),
        Index(
            "shift_rest_idx", "org_id", "ends_at", postgresql_where="break_minutes is not null or overtime_minutes > 0"
        ),
    )

    person_id: UUID
    starts_at: datetime = instant()
    ends_at: datetime = instant()
    break_opens: datetime | None = instant(nullable=True)  # the rest begins from then
    break_closes: datetime | None = instant(nullable=True)  # to then
    break_minutes: int | None = None
    overtime_minutes: int  # how long it may go on after it ends
