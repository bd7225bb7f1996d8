from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from server.geo.congestion import congestion
from server.geo.domain import Point

GREENWICH, SHANGHAI = Point(0, 51), Point(120, 31)
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_the_monday_evening_rush_is_slowest_and_the_night_is_fastest() -> None:
    week = [congestion(MONDAY + quarter * HOUR / 4, GREENWICH) for quarter in range(7 * 24 * 4)]
    assert congestion(MONDAY + 17.75 * HOUR, GREENWICH) == max(week) == pytest.approx(2.29)
    assert congestion(MONDAY + 4 * HOUR, GREENWICH) == min(week) == pytest.approx(1.23)


def test_a_weekend_has_no_rush() -> None:
    saturday = MONDAY + timedelta(days=5)
    assert congestion(saturday + 17.75 * HOUR, GREENWICH) < congestion(MONDAY + 17.75 * HOUR, GREENWICH) - 0.5


def test_an_hour_is_read_where_the_drive_starts() -> None:
    assert congestion(MONDAY + 9.75 * HOUR, SHANGHAI) == pytest.approx(2.29)  # 17:45 by the sun of Shanghai


def test_the_offset_an_instant_is_written_in_changes_nothing() -> None:
    noon = MONDAY + 12 * HOUR
    assert congestion(noon.astimezone(timezone(8 * HOUR)), GREENWICH) == congestion(noon, GREENWICH)


def test_a_minute_never_makes_a_jump() -> None:
    week = [congestion(MONDAY + timedelta(minutes=minute), GREENWICH) for minute in range(7 * 24 * 60)]
    assert max(abs(after - before) for before, after in pairwise(week)) < 0.06
