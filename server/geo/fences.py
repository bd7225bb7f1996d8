"""The fence machine: pure, evaluated by the time of the fix, immune to jitter and bad accuracy.

One machine watches one engineer and one place. A fix whose error circle straddles the edge says nothing; two
fixes inside in a row are an arrival, three beyond the exit buffer that last a while are a departure. The machine's
state right after a crossing follows from the crossing alone, so fixes that come late are judged by going back to
the last crossing before them: however a track is cut and shuffled on its way, its crossings come out the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

ENTER_AFTER = 2
EXIT_AFTER = 3
EXIT_DWELL = timedelta(seconds=30)  # phones that fix every second drift for longer than three fixes
_MIN_BUFFER_M = 25


class Side(StrEnum):
    OUTSIDE = "outside"
    INSIDE = "inside"


class Crossing(StrEnum):
    ENTERED = "entered"
    LEFT = "left"


@dataclass(frozen=True, order=True)
class Sight:
    """One fix as a fence sees it: metres from the centre. Their order is total, so ties in time are no luck."""

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

    def feed(self, sight: Sight) -> tuple["Machine", Crossing | None]:
        """Take the next fix; answer the machine after it and the crossing it completes.

        A second fix of the same instant (another device, another rounding) adds nothing and is passed over.
        """
        if self.last_fix_at is not None and sight.at <= self.last_fix_at:
            return self, None
        seen = replace(self, last_fix_at=sight.at)
        verdict = self._side_of(sight)
        if verdict is None:
            return seen, None
        if verdict is self.side:
            return replace(seen, streak=0, streak_since=None), None
        streak, since = self.streak + 1, self.streak_since or sight.at
        if not _convincing(verdict, streak, sight.at - since):
            return replace(seen, streak=streak, streak_since=since), None
        crossing = Crossing.ENTERED if verdict is Side.INSIDE else Crossing.LEFT
        return replace(seen, side=verdict, streak=0, streak_since=None), crossing

    def _side_of(self, sight: Sight) -> Side | None:
        """Where the whole error circle lies, None when the fix can't tell."""
        if sight.distance_m + sight.accuracy_m <= self.radius_m:
            return Side.INSIDE
        if sight.distance_m - sight.accuracy_m >= self.radius_m + max(_MIN_BUFFER_M, self.radius_m / 10):
            return Side.OUTSIDE
        return None


def _convincing(verdict: Side, streak: int, lasting: timedelta) -> bool:
    if verdict is Side.INSIDE:
        return streak >= ENTER_AFTER
    return streak >= EXIT_AFTER and lasting >= EXIT_DWELL


def kind_of(ordinal: int) -> Crossing:
    """Crossings alternate: the first, third, … of a fence are enterings."""
    return Crossing.ENTERED if ordinal % 2 else Crossing.LEFT


@dataclass(frozen=True)
class Watch:
    """A machine with the times of all its crossings so far, oldest first."""

    machine: Machine
    crossed_at: tuple[datetime, ...] = ()

    def back_before(self, earliest: datetime) -> "Watch":
        """Where to take up again when a fix as old as `earliest` came in: here, or at the last crossing before it."""
        if self.machine.last_fix_at is None or earliest > self.machine.last_fix_at:
            return self
        standing = tuple(at for at in self.crossed_at if at < earliest)
        if not standing:
            return Watch(Machine(self.machine.radius_m))
        side = Side.INSIDE if kind_of(len(standing)) is Crossing.ENTERED else Side.OUTSIDE
        return Watch(Machine(self.machine.radius_m, side, last_fix_at=standing[-1]), standing)

    def see(self, sights: Iterable[Sight]) -> "Watch":
        """Feed everything recorded since the machine's last fix, in any order."""
        machine, crossed_at = self.machine, list(self.crossed_at)
        for sight in sorted(sights):
            machine, crossing = machine.feed(sight)
            if crossing:
                crossed_at.append(sight.at)
        return Watch(machine, tuple(crossed_at))
