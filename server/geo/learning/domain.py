"""A night of learning: when there is enough, and what came of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from server.geo.domain import Point

ENOUGH_DRIVES = 200
ENOUGH_DAYS = 5
KEPT = timedelta(days=30)  # as long as the tracks that drives are made of
LATE = timedelta(days=2)  # phones that were offline have sent their tracks by then
AGAIN_AFTER = timedelta(days=7)  # what was put in force is judged by at least so many days that it has not seen
MOST_DRIVES = 10_000  # of all organisations together, the newest of each


class Outcome(StrEnum):
    RUNNING = "running"
    NO_ROADS = "no_roads"  # no region is prepared
    TOO_LITTLE = "too_little"
    TOO_SOON = "too_soon"  # what is in force was learnt less than AGAIN_AFTER ago
    NOT_BETTER = "not_better"
    IN_FORCE = "in_force"  # put in force, since it erred less
    WITHDRAWN = "withdrawn"  # what was in force errs more than the usual factors: they count again
    FAILED = "failed"


@dataclass(frozen=True)
class Night:
    """One run, of the whole server: roads are common to all organisations, and so is what is learnt about them.

    drives: that were learnt from; back_test: figures on the held days; sets: factor, p90 and drives of each day part
    that was put in force.
    """

    id: UUID
    region: str | None
    outcome: Outcome
    progress: str
    began_at: datetime
    ended_at: datetime | None
    drives: int
    trained_from: date | None
    trained_until: date | None
    back_test: Mapping[str, Any] | None
    sets: Mapping[str, Any] | None


def days_due(today: date) -> list[date]:
    """The days whose drives may be wanted and whose tracks are whole by now, oldest first."""
    newest = today - LATE
    return [newest - timedelta(days=back) for back in range((KEPT - LATE).days, -1, -1)]


def begins(day: date, at: Point) -> datetime:
    """The sun's midnight, when hardly anybody is cut in two."""
    return datetime.combine(day, time(), UTC) - timedelta(hours=at.lon / 15)


def is_enough(drives: int, days: int) -> bool:
    return drives >= ENOUGH_DRIVES and days >= ENOUGH_DAYS
