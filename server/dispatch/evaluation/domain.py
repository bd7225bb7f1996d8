"""The system's choices beside people's, on four figures. Pure.

It is no experiment: what people keep for themselves may be the harder work. An order counts for whoever chose its
first engineer, whatever became of that; an engineer's day counts where all of its visits came about one way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from server.dispatch.decisions import How

SURE = 0.95
_DEVIATIONS = 1.959964  # within which a normal variable lies that often
_DRAWS = 2_000


class Group(StrEnum):
    SYSTEM = "system"  # also where a person followed the first suggestion
    MANUAL = "manual"

    @classmethod
    def of(cls, how: How) -> "Group":
        return cls.MANUAL if how is How.MANUAL else cls.SYSTEM


@dataclass(frozen=True)
class Course:
    """What became of an order. fixed: by the first visit; None while nobody has finished one. rating: 1 to 5."""

    work_order_id: UUID
    how: How
    fixed: bool | None
    hand_overs: int
    rating: int | None


@dataclass(frozen=True)
class EngineerDay:
    """Visits somebody completed on a day of the organisation's; `how` names every way they came about."""

    engineer_id: UUID
    day: date
    jobs: int
    how: tuple[How, ...]
    known: bool  # of each visit it is known who chose them

    @property
    def group(self) -> Group | None:
        groups = {Group.of(how) for how in self.how}
        return groups.pop() if self.known and len(groups) == 1 else None


@dataclass(frozen=True)
class Figure:
    """A mean or a share of so many samples, and between what it lies with 95 % confidence."""

    samples: int
    value: float | None
    low: float | None
    high: float | None


_NOTHING = Figure(0, None, None, None)


@dataclass(frozen=True)
class Side:
    """One group's figures, and how many orders came about in which way."""

    orders: int
    by_how: Mapping[How, int]
    first_time_fix: Figure
    hand_overs: Figure  # an order
    satisfaction: Figure
    jobs_per_engineer_day: Figure


@dataclass(frozen=True)
class Comparison:
    """mixed_days: days of engineers that count for neither."""

    system: Side
    manual: Side
    mixed_days: int


def compare(courses: Sequence[Course], days: Sequence[EngineerDay], seed: int = 0) -> Comparison:
    """Answer both sides' figures. seed: of the intervals; the same data and seed give the same ones."""
    return Comparison(
        _side(Group.SYSTEM, courses, days, seed),
        _side(Group.MANUAL, courses, days, seed),
        sum(it.group is None for it in days),
    )


def _side(group: Group, courses: Sequence[Course], days: Sequence[EngineerDay], seed: int) -> Side:
    own = [it for it in courses if Group.of(it.how) is group]
    known = [it.fixed for it in own if it.fixed is not None]
    return Side(
        len(own),
        {how: count for how in How if (count := sum(it.how is how for it in own))},
        share(sum(known), len(known)),
        mean([it.hand_overs for it in own], seed),
        mean([it.rating for it in own if it.rating is not None], seed),
        mean([it.jobs for it in days if it.group is group], seed),
    )


def share(hits: int, samples: int) -> Figure:
    """Answer a share with Wilson's interval, which holds for few samples and near 0 and 1 too."""
    if not samples:
        return _NOTHING
    value, square = hits / samples, _DEVIATIONS**2
    middle = (value + square / (2 * samples)) / (1 + square / samples)
    around = _DEVIATIONS / (1 + square / samples) * (value * (1 - value) / samples + square / (4 * samples**2)) ** 0.5
    # Rounding may leave the interval a hair beside a share of 0 or 1.
    return _figure(samples, value, min(value, max(0.0, middle - around)), max(value, min(1.0, middle + around)))


def mean(values: Sequence[int], seed: int) -> Figure:
    """Answer a mean with a bootstrap interval."""
    if not values:
        return _NOTHING
    sizes, counts = np.unique(np.array(values), return_counts=True)
    # Drawing from the few different values is drawing from all of them, in a fraction of the time.
    draws: NDArray[np.int64] = np.random.default_rng(seed).multinomial(len(values), counts / len(values), _DRAWS)
    means = draws @ sizes / len(values)
    low, high = np.quantile(means, [(1 - SURE) / 2, (1 + SURE) / 2])
    return _figure(len(values), float(np.mean(values)), float(low), float(high))


def _figure(samples: int, value: float, low: float, high: float) -> Figure:
    return Figure(samples, round(value, 4), round(low, 4), round(high, 4))
