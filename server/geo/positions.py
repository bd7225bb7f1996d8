"""What a phone reports about where it was, and when that may be kept. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from server.geo.domain import Point

# Engineers drive to the first and from the last job; outside of this nothing is read or stored.
SHIFT_GRACE = timedelta(minutes=30)
MAX_FIXES = 1_000


@dataclass(frozen=True)
class Fix:
    """One position of one device. `seq` counts up on the device and makes the fix known again when it is resent."""

    seq: int
    at: datetime
    place: Point
    accuracy_m: int
    heading: int | None = None  # degrees clockwise from north
    speed_kmh: int | None = None


@dataclass(frozen=True)
class Interval:
    """A stretch of working time, both ends included."""

    starts_at: datetime
    ends_at: datetime

    def widened(self, by: timedelta) -> "Interval":
        return Interval(self.starts_at - by, self.ends_at + by)


@dataclass(frozen=True)
class Recorded:
    """How a batch ended; the three add up to its size."""

    accepted: int
    duplicates: int
    dropped_off_shift: int


@dataclass(frozen=True)
class LastPosition:
    person_id: UUID
    lon: float
    lat: float
    accuracy_m: int
    heading: int | None
    speed_kmh: int | None
    fixed_at: datetime
