"""Where engineers are and were, and the fences around the places they are sent to."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, Index, UniqueConstraint
from sqlmodel import Field

from server.core.tables import OrgRecord, OrgTable, belongs_to, bigint, instant, of_organisation, one_of, point
from server.geo.fences import Crossing, Side


class PositionLast(OrgTable, table=True):
    __tablename__ = "position_last"
    __table_args__ = (
        of_organisation(),
        belongs_to("person_id", "person"),
        Index("position_last_place_idx", "place", postgresql_using="gist"),
    )

    person_id: UUID = Field(primary_key=True)
    device_id: UUID
    place: Any = point()
    accuracy_m: int
    heading: int | None = None
    speed_kmh: int | None = None
    fixed_at: datetime = instant()
    received_at: datetime = instant()


class PositionTrack(OrgTable, table=True):
    __tablename__ = "position_track"
    __table_args__ = (
        of_organisation(),
        belongs_to("device_id", "device"),
        Index(None, "org_id", "person_id", "fixed_at"),
    )

    device_id: UUID = Field(primary_key=True)
    seq: int = Field(sa_column=Column("seq", bigint().sa_column.type, primary_key=True))
    person_id: UUID
    place: Any = point()
    accuracy_m: int
    fixed_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class Fence(OrgRecord, table=True):
    """A circle an engineer is expected to enter; the machine's memory lives beside it."""

    __tablename__ = "fence"
    __table_args__ = (
        of_organisation(),
        belongs_to("person_id", "person"),
        one_of("side", Side),
        CheckConstraint("radius_m > 0", name="radius"),
        # Not only the open ones: a batch that comes late is judged by the fences that were open when it was recorded.
        Index(None, "org_id", "person_id", "closed_at"),
        Index(None, "org_id", "subject_id"),
    )

    subject_id: UUID  # what waits inside, for example a visit
    person_id: UUID
    centre: Any = point()
    radius_m: int
    side: str
    streak: int
    streak_since: datetime | None = instant(nullable=True)
    last_fix_at: datetime | None = instant(nullable=True)
    created_at: datetime = instant()
    closed_at: datetime | None = instant(nullable=True)


class FenceCrossing(OrgRecord, table=True):
    """What was announced of a fence.

    A later batch may move a crossing in time or withdraw it; it is never announced again.
    """

    __tablename__ = "fence_crossing"
    __table_args__ = (
        of_organisation(),
        belongs_to("fence_id", "fence", on_delete="CASCADE"),
        one_of("kind", Crossing),
        UniqueConstraint("org_id", "fence_id", "ordinal"),
    )

    fence_id: UUID
    ordinal: int  # 1 is the first entering
    kind: str
    at: datetime = instant()
    recorded_at: datetime = instant()
    withdrawn_at: datetime | None = instant(nullable=True)
