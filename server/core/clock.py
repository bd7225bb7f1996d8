"""Time arrives through the signature: code asks a `Clock`, never the operating system."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Business time, always aware and in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class ScaledClock:
    """A day played faster: `speed` business seconds pass in each real second.

    Every process of one demo is given the same three numbers, so they agree on the time without talking.
    """

    starts_at: datetime
    real_start: float  # Unix seconds
    speed: float

    def now(self) -> datetime:
        return self.starts_at + timedelta(seconds=(time.time() - self.real_start) * self.speed)


def parse_clock(text: str) -> Clock:
    """Read `2026-11-23T07:30:00+00:00@1795418000x30` (business start @ real Unix start x speed); empty is real time.

    Raises ValueError with the expected form.
    """
    if not text:
        return SystemClock()
    try:
        start, _, rest = text.partition("@")
        real, _, speed = rest.partition("x")
        starts_at = datetime.fromisoformat(start)
        scaled = ScaledClock(starts_at.astimezone(UTC), float(real), float(speed))
    except ValueError as wrong:
        message = f"a clock reads START@UNIXxSPEED, for example 2026-11-23T07:30:00+00:00@1795418000x30; got {text!r}"
        raise ValueError(message) from wrong
    if starts_at.tzinfo is None or scaled.speed <= 0:
        message = "the clock's start needs a UTC offset and its speed must be above zero"
        raise ValueError(message)
    return scaled
