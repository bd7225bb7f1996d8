"""What the past teaches: a model is proposed with its back-test, and a person decides whether it counts. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

ENOUGH_ORDERS = 2_000
HELD_SHARE = 0.2  # of the days with samples, the latest: they judge what the earlier ones taught
MARGIN = 0.99  # what is proposed errs at least one per cent less than what is there

type Numbers = NDArray[np.float64]
type Indices = NDArray[np.intp]
type Days = NDArray[np.int64]
type Flags = NDArray[np.bool_]


class Kind(StrEnum):
    DURATIONS = "durations"
    SUCCESS = "success"
    WEIGHTS = "weights"


class ModelState(StrEnum):
    PROPOSED = "proposed"
    ACCEPTED = "accepted"  # in force: at most one of a kind
    RETIRED = "retired"  # was in force, or a newer proposal took its place; may be taken again
    REJECTED = "rejected"


class Outcome(StrEnum):
    """What came of learning one kind."""

    PROPOSED = "proposed"
    NOT_BETTER = "not_better"
    UNCHANGED = "unchanged"  # what was learnt is proposed or in force already
    TOO_LITTLE = "too_little"  # not even two days with samples


ACCEPTABLE = frozenset({ModelState.PROPOSED, ModelState.RETIRED})


@dataclass(frozen=True)
class Policy:
    """How much must have happened before anything is learnt. Version 0 is what nobody has changed yet."""

    version: int = 0
    enough_orders: int = ENOUGH_ORDERS
    set_by: UUID | None = None
    set_at: datetime | None = None

    def missing(self, completed: int) -> int:
        return max(0, self.enough_orders - completed)


@dataclass(frozen=True)
class Model:
    id: UUID
    kind: Kind
    version: int
    state: ModelState
    trained_from: date
    trained_until: date
    orders: int
    samples: int
    parameters: Mapping[str, Any]
    back_test: Mapping[str, Any]
    proposed_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    replaced: UUID | None  # what was in force before it


@dataclass(frozen=True)
class Lesson:
    """What one kind of sample taught. back_test: figures on the held days, without the lesson and with it."""

    kind: Kind
    samples: int
    trained_from: date
    trained_until: date
    parameters: Mapping[str, Any]
    back_test: Mapping[str, Any]
    better: bool


@dataclass(frozen=True)
class Held:
    """Days apart: which samples teach in a back-test and which judge. `since` is the first day that judges."""

    since: date
    judging: Flags


def hold_back(days: Days) -> Held | None:
    """Hold the latest days back; None where there are not two. days: ordinals, one a sample."""
    known = np.unique(days)
    if len(known) < 2:  # noqa: PLR2004
        return None
    since = known[len(known) - max(1, int(len(known) * HELD_SHARE))]
    return Held(date.fromordinal(int(since)), days >= since)


def shrunk(own: Numbers, parent: Numbers | float, counts: Numbers, weight: float) -> Numbers:
    """Move each group's own estimate towards its parent's, as if `weight` samples had said what the parent says."""
    share = counts / (counts + weight)
    return share * own + (1 - share) * parent


def quantiles(values: Numbers, groups: Indices, size: int, share: float) -> Numbers:
    """Answer each group's quantile, whatever the order of the values; 0 for a group without any."""
    order = np.lexsort((values, groups))
    values, counts = values[order], np.bincount(groups, minlength=size)
    begins = np.cumsum(counts) - counts
    at = begins + share * np.maximum(counts - 1, 0)
    low = np.floor(at).astype(np.intp)
    high = np.minimum(low + 1, begins + np.maximum(counts - 1, 0))
    found = np.zeros(size)
    some = counts > 0
    low, high, part = low[some], high[some], (at - np.floor(at))[some]
    found[some] = values[low] * (1 - part) + values[high] * part
    return found


@dataclass(frozen=True)
class Keys[T]:
    """Things by number, and the numbers of the samples they belong to."""

    names: Sequence[T]
    of: Indices

    @classmethod
    def read(cls, things: Sequence[T]) -> "Keys[T]":
        """Number the different ones, by what they are called: the samples' order doesn't matter."""
        names = sorted(set(things), key=str)
        numbers = {name: number for number, name in enumerate(names)}
        return cls(names, np.array([numbers[thing] for thing in things], dtype=np.intp))

    @property
    def counts(self) -> Numbers:
        return np.bincount(self.of, minlength=len(self.names)).astype(np.float64)


def rounded(value: float) -> float:
    return round(float(value), 6)
