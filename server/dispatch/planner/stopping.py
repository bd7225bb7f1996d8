"""When to stop: criteria that compose. `Seconds(10) | Cancelled(asked)` stops at whichever comes first.

A criterion answers how far the search is, from 0 to 1; at 1 it stops. The search cools by the same number, so a plan
made in so many steps is the same on every machine, and one made in so many seconds is not.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Progress:
    """How far a search is. gained_at: the step after which the best plan was found."""

    steps: int
    gained_at: int
    cost: int


class Stop(ABC):
    @abstractmethod
    def progress(self, so_far: Progress, /) -> float:
        """Answer how far the search is, 1 or more to stop it."""

    def __or__(self, other: "Stop") -> "Stop":
        return _Either(self, other)

    def __and__(self, other: "Stop") -> "Stop":
        return _Both(self, other)


@dataclass(frozen=True)
class _Either(Stop):
    one: Stop
    other: Stop

    def progress(self, so_far: Progress, /) -> float:
        return max(self.one.progress(so_far), self.other.progress(so_far))


@dataclass(frozen=True)
class _Both(Stop):
    one: Stop
    other: Stop

    def progress(self, so_far: Progress, /) -> float:
        return min(self.one.progress(so_far), self.other.progress(so_far))


@dataclass(frozen=True)
class Steps(Stop):
    most: int

    def progress(self, so_far: Progress, /) -> float:
        return so_far.steps / self.most if self.most else 1.0


@dataclass(frozen=True)
class Seconds(Stop):
    """So many seconds of wall time, counted from when this was made."""

    most: float
    clock: Callable[[], float] = time.monotonic
    _began: list[float] = field(init=False, repr=False, compare=False, default_factory=list)

    def __post_init__(self) -> None:
        self._began.append(self.clock())

    def progress(self, _so_far: Progress, /) -> float:
        return (self.clock() - self._began[0]) / self.most


@dataclass(frozen=True)
class WithoutGain(Stop):
    """So many steps in which nothing better was found."""

    most: int

    def progress(self, so_far: Progress, /) -> float:
        return (so_far.steps - so_far.gained_at) / self.most


@dataclass(frozen=True)
class Cancelled(Stop):
    """Whenever somebody no longer wants it."""

    asked: Callable[[], bool]

    def progress(self, _so_far: Progress, /) -> float:
        return 1.0 if self.asked() else 0.0
