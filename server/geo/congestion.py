"""How much longer a drive takes than on an empty road, by hour of the week, until own drives teach it.

Two anchors come from real taxi trips in one European city against free-flow times (1.23 on Saturday 04:00, 2.29 on
Monday 17:45; median of all 1.67). The other hours are an assumption drawn between them; see decision 9.
"""

from datetime import UTC, datetime

import numpy as np

from server.geo.domain import Point

P90_OVER_MEDIAN = 1.6  # an assumption too: single hours of those trips lay between 1.4 and 1.9
SATURDAY = 5

_WORKDAY = {0: 1.30, 4: 1.23, 6: 1.35, 8.5: 1.75, 11: 1.60, 14: 1.60, 17.75: 2.29, 19: 2.00, 21: 1.50, 24: 1.30}
_WEEKEND = {0: 1.35, 4: 1.23, 9: 1.35, 14: 1.55, 18: 1.60, 21: 1.45, 24: 1.35}


def congestion(leaving: datetime, at: Point) -> float:
    """Factor on the free-flow time of a drive leaving at an aware instant."""
    weekday, hour = sun_time(leaving, at)
    profile = _WEEKEND if weekday >= SATURDAY else _WORKDAY
    return float(np.interp(hour, list(profile), list(profile.values())))


def sun_time(leaving: datetime, at: Point) -> tuple[int, float]:
    """Weekday (Monday is 0) and hour by the sun at the point's longitude: a point carries no time zone.

    Where clocks differ from the sun the peak is misplaced by that much.
    """
    utc = leaving.astimezone(UTC)
    hours = utc.weekday() * 24 + utc.hour + utc.minute / 60 + at.lon / 15
    weekday, hour = divmod(hours, 24)
    return int(weekday % 7), hour
