"""Where engineers are and were, and the fences around the places they are sent to."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import Geography
from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import INT8MULTIRANGE
from sqlmodel import Field

from server.core.tables import OrgRecord, OrgTable, belongs_to, instant, of_organisation, one_of, point
from server.geo.fences import Crossing, Side


class PositionPolicy(OrgTable, table=True):
    """What an organisation decided about positions; one that has no row keeps to the defaults."""

    __tablename__ = "position_policy"
    __table_args__ = (
        of_organisation(),
        CheckConstraint("keep_track_days between 1 and 365", name="keep_track_days"),
        CheckConstraint("fence_radius_m between 20 and 20000", name="fence_radius"),
    )

    keep_track_days: int
    fence_radius_m: int
    set_by: UUID
    set_at: datetime = instant()


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
    told_at: datetime | None = instant(nullable=True)  # when boards were last told


class PositionTrack(OrgTable, table=True):
    """Where engineers were, a partition for each day (UTC); see decision 20.

    Without references, which would be looked up for every fix: a batch holds its device's `position_stream`, which has
    them.
    """

    __tablename__ = "position_track"
    __table_args__ = ({"postgresql_partition_by": "RANGE (fixed_at)"},)

    person_id: UUID = Field(primary_key=True)
    fixed_at: datetime = Field(sa_column=Column(DateTime(timezone=True), primary_key=True))
    device_id: UUID = Field(primary_key=True)
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    place: Any = point()
    accuracy_m: int


class PositionStream(OrgTable, table=True):
    """Which numbers of a device were taken in: what is sent again, whatever time it names, is known."""

    __tablename__ = "position_stream"
    __table_args__ = (of_organisation(), belongs_to("device_id", "device"))

    device_id: UUID = Field(primary_key=True)
    seen: Any = Field(sa_column=Column(INT8MULTIRANGE, nullable=False))


class PositionDay(OrgTable, table=True):
    """What became of an engineer's fixes of one day, in the organisation's zone: kept, or dropped and why."""

    __tablename__ = "position_day"
    __table_args__ = (of_organisation(), belongs_to("person_id", "person"))

    person_id: UUID = Field(primary_key=True)
    day: date = Field(primary_key=True)
    kept: int
    off_shift: int
    paused: int
    too_old: int


class PositionPause(OrgRecord, table=True):
    """A stretch during which an engineer does not want to be seen; what was recorded in it is dropped."""

    __tablename__ = "position_pause"
    __table_args__ = (
        of_organisation(),
        belongs_to("person_id", "person"),
        CheckConstraint("ends_at >= starts_at", name="order"),
        Index(None, "org_id", "person_id", "ends_at"),
    )

    person_id: UUID
    starts_at: datetime = instant()
    ends_at: datetime = instant()
    set_at: datetime = instant()


class Fence(OrgRecord, table=True):
    """A circle or an area an engineer is expected to enter; the machine's memory lives beside it."""

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
    radius_m: int  # with an area, of the circle that covers as much
    area: Any = Field(sa_column=Column(Geography("POLYGON", 4326, spatial_index=False), nullable=True))
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
        UniqueConstraint("org_id", "fence_id", "stay", "kind"),
    )

    fence_id: UUID
    stay: int  # 1 is the first time inside
    kind: str
    at: datetime = instant()
    recorded_at: datetime = instant()
    withdrawn_at: datetime | None = instant(nullable=True)
    told_at: datetime | None = instant(
        nullable=True
    )  # the time the fence's subject was told of; none: that there is none
    tellings: int  # how often the subject was told
