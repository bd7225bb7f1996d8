"""The parts of a week that drive times are learnt for, and what was learnt for one of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from server.geo.congestion import P90_OVER_MEDIAN, SATURDAY, sun_time
from server.geo.domain import Point


class DayPart(StrEnum):
    NIGHT = "night"
    MORNING = "morning"
    MIDDAY = "midday"
    AFTERNOON = "afternoon"
    WEEKEND = "weekend"


_FROM_HOUR = ((20, DayPart.NIGHT), (15, DayPart.AFTERNOON), (10, DayPart.MIDDAY), (6, DayPart.MORNING))


@dataclass(frozen=True, slots=True)
class LearntSpeeds:
    """What own drives taught about one part of the week.

    `speeds` is a CSV without header: from node, to node, km/h, with OpenStreetMap's node ids in driving direction; 0
    closes a segment. A segment that is not listed keeps the speed of an empty road. `factor` makes the times of the
    whole set medians.
    """

    speeds: Path
    factor: float = 1.0
    p90_over_median: float = P90_OVER_MEDIAN
    trips: int = 0


def daypart_of(leaving: datetime, at: Point) -> DayPart:
    """The part of the week that an aware instant falls in, by the sun at the point's longitude."""
    weekday, hour = sun_time(leaving, at)
    if weekday >= SATURDAY:
        return DayPart.WEEKEND
    return next((part for begins, part in _FROM_HOUR if hour >= begins), DayPart.NIGHT)
