"""Spans of a day that a customer can be offered, and how well they suit the tours. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from server.dispatch.live_day.domain import Rating
from server.dispatch.live_day.tours import Placed
from server.dispatch.planning.picture import Span

_GOOD_S, _FAIR_S = 15 * 60, 40 * 60  # of driving, overtime and others' waiting in all
_DAY = 24 * 60


@dataclass(frozen=True)
class Slot:
    """A span that can be offered, with the engineer who would come and what it means for their tour."""

    day: date
    span: Span
    engineer_id: UUID
    placed: Placed
    rating: Rating


def spans_of(day: date, minutes: int, zone: ZoneInfo) -> list[Span]:
    """Cut a day at the organisation's clock times, midnight first.

    On the days the clock changes a span is an hour longer or shorter; one that would have no length is left out.
    """
    cuts = [*range(0, _DAY, minutes), _DAY]
    edges = [_instant(day, it, zone) for it in cuts]
    return [Span(*pair) for pair in pairwise(edges) if pair[0] < pair[1]]


def day_of(day: date, zone: ZoneInfo) -> Span:
    return Span(_instant(day, 0, zone), _instant(day, _DAY, zone))


def _instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    days, minute = divmod(minute, _DAY)
    return datetime.combine(day + timedelta(days=days), time(minute // 60, minute % 60), zone).astimezone(UTC)


def rating_of(placed: Placed) -> Rating:
    """Good costs nobody much; poor breaks the promise, or somebody pays for it with much driving or waiting."""
    price = placed.extra_seconds + placed.overtime_seconds + placed.delay_seconds
    if placed.late_seconds > 0 or price > _FAIR_S:
        return Rating.POOR
    return Rating.GOOD if price <= _GOOD_S else Rating.FAIR
