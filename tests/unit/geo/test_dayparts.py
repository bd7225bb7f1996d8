from datetime import UTC, datetime, timedelta

import pytest

from server.geo.dayparts import DayPart, daypart_of
from server.geo.domain import Point

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
GREENWICH, SHANGHAI = Point(0, 51), Point(120, 31)


@pytest.mark.parametrize(
    ("hour", "part"),
    [
        (0, DayPart.NIGHT),
        (5.9, DayPart.NIGHT),
        (6, DayPart.MORNING),
        (10, DayPart.MIDDAY),
        (15, DayPart.AFTERNOON),
        (19.9, DayPart.AFTERNOON),
        (20, DayPart.NIGHT),
        (5 * 24 + 8, DayPart.WEEKEND),
        (6 * 24 + 23.9, DayPart.WEEKEND),
        (7 * 24, DayPart.NIGHT),
    ],
)
def test_every_hour_of_the_week_has_its_part(hour: float, part: DayPart) -> None:
    assert daypart_of(MONDAY + timedelta(hours=hour), GREENWICH) is part


def test_the_part_is_that_of_the_sun_there() -> None:
    assert daypart_of(MONDAY + timedelta(hours=23), SHANGHAI) is DayPart.MORNING
    assert daypart_of(MONDAY + timedelta(days=4, hours=17), SHANGHAI) is DayPart.WEEKEND
