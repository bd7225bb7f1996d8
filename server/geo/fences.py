"""The fence machine: pure, evaluated by the time of the fix, immune to jitter and bad accuracy.

One machine watches one engineer and one place. A fix whose error circle straddles the edge says nothing; two
fixes inside in a row are an arrival, three beyond the exit buffer are a departure. Evaluating the same fixes
again yields the same crossings, so a late batch is handled by running the machine once more from its start.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

ENTER_AFTER = 2
EXIT_AFTER = 3
_MIN_BUFFER_M = 25


class Side(StrEnum):
    OUTSIDE = "outside"
    INSIDE = "inside"


class Crossing(StrEnum):
    ENTERED = "entered"
    LEFT = "left"


@dataclass(frozen=True)
class Fix:
    """One position as the fence sees it: metres from the centre."""

    at: datetime
    distance_m: float
    accuracy_m: float


@dataclass(frozen=True)
class Machine:
    radius_m: int
    side: Side = Side.OUTSIDE
    streak: int = 0
    streak_since: datetime | None = None
    last_fix_at: datetime | None = None

    def feed(self, fix: Fix) -> tuple["Machine", Crossing | None]:
        """Take one fix, not older than the last; answer the machine after it and the crossing it completes."""
        seen = replace(self, last_fix_at=fix.at)
        verdict = self._side_of(fix)
        if verdict is None:
            return seen, None
        if verdict is self.side:
            return replace(seen, streak=0, streak_since=None), None
        streak, since = self.streak + 1, self.streak_since or fix.at
        if streak < (ENTER_AFTER if verdict is Side.INSIDE else EXIT_AFTER):
            return replace(seen, streak=streak, streak_since=since), None
        crossing = Crossing.ENTERED if verdict is Side.INSIDE else Crossing.LEFT
        return replace(seen, side=verdict, streak=0, streak_since=None), crossing

    def _side_of(self, fix: Fix) -> Side | None:
        """Where the whole error circle lies, None when the fix can't tell."""
        if fix.distance_m + fix.accuracy_m <= self.radius_m:
            return Side.INSIDE
        if fix.distance_m - fix.accuracy_m >= self.radius_m + max(_MIN_BUFFER_M, self.radius_m / 10):
            return Side.OUTSIDE
        return None


def run(machine: Machine, fixes: Iterable[Fix]) -> tuple[Machine, list[tuple[Crossing, datetime]]]:
    """Feed fixes in order of their time; answer the machine at the end and every crossing with its time."""
    crossings: list[tuple[Crossing, datetime]] = []
    for fix in sorted(fixes, key=lambda fix: fix.at):
        machine, crossing = machine.feed(fix)
        if crossing:
            crossings.append((crossing, fix.at))
    return machine, crossings
