"""What travel times are learnt from, and what came of it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Float, Index
from sqlalchemy.dialects.postgresql import ARRAY, REAL
from sqlmodel import Field, SQLModel

from server.core.tables import OrgRecord, OrgTable, instant, jsonb, of_organisation, one_of, point
from server.geo.learning.domain import Outcome


def _numbers(kind: Any) -> Any:
    return Field(sa_column=Column(ARRAY(kind), nullable=False))


def _real() -> Any:
    return Field(sa_column=Column(Float, nullable=False))


class TravelDrive(OrgRecord, table=True):
    """A drive brought onto the roads, without who drove it. Kept as long as the tracks."""

    __tablename__ = "travel_drive"
    __table_args__ = (of_organisation(), Index(None, "org_id", "began_at"))

    began_at: datetime = instant()
    seconds: float = _real()
    origin: Any = point()
    destination: Any = point()
    turns: float = _real()  # free-flow seconds of all turns together
    from_nodes: list[int] = _numbers(BigInteger)
    to_nodes: list[int] = _numbers(BigInteger)
    took: list[float] = _numbers(REAL)  # seconds, a stretch each
    free_flow: list[float] = _numbers(REAL)


class TravelDay(OrgTable, table=True):
    """A day whose tracks were made into drives."""

    __tablename__ = "travel_day"
    __table_args__ = (of_organisation(),)

    day: date = Field(primary_key=True)
    drives: int


class TravelLearning(SQLModel, table=True):
    """One night's learning on the whole server: of everybody's roads, with nothing of anybody's drives in it."""

    __tablename__ = "travel_learning"
    __table_args__ = (one_of("outcome", Outcome), Index(None, "began_at"))

    id: UUID = Field(primary_key=True)
    region: str | None = None
    outcome: str
    progress: str
    began_at: datetime = instant()
    ended_at: datetime | None = instant(nullable=True)
    drives: int
    trained_from: date | None = None
    trained_until: date | None = None
    back_test: dict[str, Any] | None = jsonb(nullable=True)
    sets: dict[str, Any] | None = jsonb(nullable=True)
