"""The fence machine: pure, evaluated by the time of the fix, immune to jitter and bad accuracy.

One machine watches one engineer and one place. A fix whose error circle straddles the edge says nothing; two
fixes inside in a row are an arrival, three beyond the exit buffer that last a while are a departure, and a fix inside
long enough after the arrival is a dwelling. The machine's state right after a crossing follows from the crossings so
far alone, so fixes that come late are judged by going back to the last crossing before them: however a track is cut
and shuffled on its way, its crossings come out the same.

tests/vectors/fences holds the same rules as JSON, for other programs that run the machine.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Self

ENTER_AFTER = 2
EXIT_AFTER = 3
EXIT_DWELL = timedelta(seconds=30)  # phones that fix every second drift for longer than three fixes
DWELL = timedelta(minutes=5)
MIN_BUFFER_M = 25


_IN_ORDER = attrgetter("at", "edge_m", "accuracy_m")


class Side(StrEnum):
    OUTSIDE = "outside"
    INSIDE = "inside"


class Crossing(StrEnum):
    ENTERED = "entered"
    DWELT = "dwelt"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Sight:
    """One fix as a fence sees it. They are fed in an order that is total, so ties in time are no luck."""

    at: datetime
    edge_m: float  # metres to the fence's edge, negative inside
    accuracy_m: float


@dataclass(frozen=True)
class Crossed:
    stay: int  # 1 is the first time somebody was inside
    kind: Crossing
    at: datetime


@dataclass(frozen=True)
class Machine:
    """radius_m: a polygon's is that of the circle which covers as much."""

    radius_m: int
    side: Side = Side.OUTSIDE
    streak: int = 0
    streak_since: datetime | None = None
    last_fix_at: datetime | None = None
    entered_at: datetime | None = None  # of the stay that lasts
    dwelt: bool = False

    @classmethod
    def after(cls, radius_m: int, crossings: Sequence[Crossed]) -> Self:
        """Answer the machine as the last of these crossings left it."""
        if not crossings:
            return cls(radius_m)
        last = crossings[-1]
        if last.kind is Crossing.LEFT:
            return cls(radius_m, last_fix_at=last.at)
        entered_at = next(it.at for it in reversed(crossings) if it.kind is Crossing.ENTERED)
        return cls(radius_m, Side.INSIDE, last_fix_at=last.at, entered_at=entered_at, dwelt=last.kind is Crossing.DWELT)

    @property
    def buffer_m(self) -> float:
        """How far beyond the edge somebody must be to have left."""
        return max(MIN_BUFFER_M, self.radius_m / 10)

    @property
    def rests(self) -> bool:
        """Whether nothing but a fix inside can change it."""
        return self.side is Side.OUTSIDE and self.streak == 0

    def feed(self, sight: Sight) -> tuple["Machine", Crossing | None]:
        """Take the next fix; answer the machine after it and the crossing it completes.

        A second fix of the same instant (another device, another rounding) adds nothing and is passed over.
        """
        if self.last_fix_at is not None and sight.at <= self.last_fix_at:
            return self, None
        verdict = self.side_of(sight)
        if verdict is None:
            return self._seen(sight.at, self.streak, self.streak_since), None
        if verdict is self.side:
            return self._stayed(sight.at)
        streak, since = self.streak + 1, self.streak_since or sight.at
        if not _convincing(verdict, streak, sight.at - since):
            return self._seen(sight.at, streak, since), None
        if verdict is Side.INSIDE:
            return Machine(self.radius_m, verdict, last_fix_at=sight.at, entered_at=sight.at), Crossing.ENTERED
        return Machine(self.radius_m, verdict, last_fix_at=sight.at), Crossing.LEFT

    def side_of(self, sight: Sight) -> Side | None:
        """Where the whole error circle lies, None when the fix can't tell."""
        if sight.edge_m + sight.accuracy_m <= 0:
            return Side.INSIDE
        if sight.edge_m - sight.accuracy_m >= self.buffer_m:
            return Side.OUTSIDE
        return None

    def _stayed(self, at: datetime) -> tuple["Machine", Crossing | None]:
        dwells = self.entered_at is not None and not self.dwelt and at - self.entered_at >= DWELL
        if dwells:
            return replace(self, last_fix_at=at, streak=0, streak_since=None, dwelt=True), Crossing.DWELT
        return self._seen(at, 0, None), None

    def _seen(self, at: datetime, streak: int, since: datetime | None) -> "Machine":
        # Written out, since this is what nearly every fix comes to.
        return Machine(self.radius_m, self.side, streak, since, at, self.entered_at, self.dwelt)


def _convincing(verdict: Side, streak: int, lasting: timedelta) -> bool:
    if verdict is Side.INSIDE:
        return streak >= ENTER_AFTER
    return streak >= EXIT_AFTER and lasting >= EXIT_DWELL


@dataclass(frozen=True)
class Watch:
    """A machine with all its crossings so far, oldest first."""

    machine: Machine
    crossings: tuple[Crossed, ...] = ()

    def back_before(self, earliest: datetime) -> "Watch":
        """Where to take up again when a fix as old as `earliest` came in: here, or at the last crossing before it."""
        if self.machine.last_fix_at is None or earliest > self.machine.last_fix_at:
            return self
        standing = tuple(it for it in self.crossings if it.at < earliest)
        return Watch(Machine.after(self.machine.radius_m, standing), standing)

    def see(self, sights: Iterable[Sight]) -> "Watch":
        """Feed everything recorded since the machine's last fix, in any order."""
        machine, crossings = self.machine, list(self.crossings)
        for sight in sorted(sights, key=_IN_ORDER):
            machine, crossing = machine.feed(sight)
            if crossing:
                stay = crossings[-1].stay if crossings else 0
                crossings.append(Crossed(stay + (crossing is Crossing.ENTERED), crossing, sight.at))
        return Watch(machine, tuple(crossings))

    def passed_over(self, until: datetime) -> "Watch":
        """Answer the watch after fixes up to `until` of which none lay inside; the machine rests."""
        return replace(self, machine=replace(self.machine, last_fix_at=until))
