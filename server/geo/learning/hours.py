"""Hours as drives are told apart by: the sun's, of a workday or of a weekend. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from server.geo.congestion import SATURDAY, congestion, sun_time
from server.geo.dayparts import DayPart, daypart_of
from server.geo.domain import Point
from server.geo.learning.network import Numbers, Rows
from server.geo.learning.speeds import HOURS, WEEKEND

PARTS: Sequence[DayPart] = tuple(DayPart)

_GREENWICH = Point(0.0, 0.0)
_A_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)


def hour_of(leaving: datetime, at: Point) -> int:
    """0 to 23 on a workday, 24 to 47 on a weekend."""
    weekday, hour = sun_time(leaving, at)
    return int(hour) + (WEEKEND if weekday >= SATURDAY else 0)


def usual_logs() -> Numbers:
    """The usual factor of each hour, in its middle, as a logarithm."""
    return np.log([congestion(_middle(hour), _GREENWICH) for hour in range(HOURS)])


def parts_of_hours() -> Rows:
    """Each hour's day part, by its place in PARTS."""
    return np.array([PARTS.index(daypart_of(_middle(hour), _GREENWICH)) for hour in range(HOURS)])


def _middle(hour: int) -> datetime:
    days, within = divmod(hour, WEEKEND)
    return _A_MONDAY + timedelta(days=days * SATURDAY, hours=within, minutes=30)
