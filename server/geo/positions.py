"""What a phone reports about where it was, and when that may be kept. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from server.geo.domain import Point

# Engineers drive to the first and from the last job; outside of this nothing is read or stored.
SHIFT_GRACE = timedelta(minutes=30)
MAX_FIXES = 1_000
LONGEST_PAUSE = timedelta(hours=12)
# A pause begun without signal is heard of later; what was recorded and sent before stays.
_PAUSE_HEARD_WITHIN = timedelta(days=7)
# How often boards are told where somebody is, whatever the phone sends: a car moves 70 m meanwhile.
TOLD_EVERY = timedelta(seconds=5)


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
class Policy:
    """What an organisation decided about positions."""

    keep_track_days: int = 30
    fence_radius_m: int = 500  # of sites that have none of their own

    @property
    def keeps(self) -> timedelta:
        return timedelta(days=self.keep_track_days)


@dataclass(frozen=True)
class Pause:
    """A stretch of a shift during which an engineer does not want to be seen."""

    id: UUID
    starts_at: datetime
    ends_at: datetime

    def is_plausible(self, now: datetime) -> bool:
        lasts = self.ends_at - self.starts_at
        return (
            timedelta() <= lasts <= LONGEST_PAUSE and now - _PAUSE_HEARD_WITHIN <= self.starts_at <= now + SHIFT_GRACE
        )


@dataclass(frozen=True)
class Recorded:
    """How a batch ended; the numbers add up to its size."""

    accepted: int
    duplicates: int
    dropped_off_shift: int
    dropped_paused: int = 0
    dropped_too_old: int = 0


@dataclass(frozen=True)
class DayCount:
    """What became of an engineer's fixes of one day, in their organisation's zone."""

    day: date
    kept: int
    off_shift: int
    paused: int
    too_old: int


@dataclass(frozen=True)
class LastPosition:
    person_id: UUID
    lon: float
    lat: float
    accuracy_m: int
    heading: int | None
    speed_kmh: int | None
    fixed_at: datetime
