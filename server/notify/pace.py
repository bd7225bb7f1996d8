"""How fast a push service is asked: half as fast when it complains, hardly when it is silent, recovering by steps."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime

FIRST_RATE = 50.0
MOST = 500.0
LEAST = 1.0
STEP = 10.0  # what the rate gains in a second of success
PATIENCE_S = 2.0  # who would have to wait longer for a turn is sent away
LONGEST_REST_S = 60.0
LONGEST_ASKED_S = 3600.0


class Pace:
    """Turns at one service for all who send in this process. `clock` answers seconds that only rise."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.rate = FIRST_RATE
        self._next = clock()
        self._slowed_at = float("-inf")
        self._troubles = 0

    def turn(self) -> tuple[bool, float]:
        """Answer whether there is a turn to be had, and in how many seconds; one that is had is taken."""
        now = self._clock()
        self._next = max(self._next, now)
        wait = self._next - now
        if wait > PATIENCE_S:
            return False, wait
        self._next += 1 / self.rate
        return True, wait

    def went_well(self, began: float) -> None:
        """A request that was sent at `began` was answered as it should be."""
        if began > self._slowed_at:
            self._troubles = 0
            self.rate = min(MOST, self.rate + STEP / self.rate)

    def was_told_to_slow_down(self, began: float, retry_after_s: float) -> None:
        self._slow(began, self.rate / 2)
        self._rest(retry_after_s)

    def heard_nothing(self, began: float) -> None:
        self._slow(began, LEAST)

    def _slow(self, began: float, rate: float) -> None:
        # Many requests were under way when the trouble began: it is one trouble.
        if began <= self._slowed_at:
            return
        self._slowed_at = self._clock()
        self.rate = max(LEAST, rate)
        self._troubles += 1
        self._rest(min(2.0 ** (self._troubles - 1), LONGEST_REST_S))

    def _rest(self, seconds: float) -> None:
        self._next = max(self._next, self._clock() + seconds)


def asked_to_wait(said: str | None, now: datetime) -> float:
    """Read a Retry-After header, seconds or a date, as seconds; what can't be read asks for nothing."""
    if not said:
        return 0.0
    if said.strip().isdecimal():
        return min(float(said), LONGEST_ASKED_S)
    with suppress(ValueError, TypeError):
        return min(max((parsedate_to_datetime(said) - now).total_seconds(), 0.0), LONGEST_ASKED_S)
    return 0.0
