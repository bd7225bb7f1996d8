"""From drives to what is put in force: the factor and the spread of each day part, and whether it errs less. Pure.

The latest days are held back: they judge what the earlier ones taught, beside the usual factors and, where something
was learnt before, beside that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.geo.congestion import P90_OVER_MEDIAN
from server.geo.dayparts import DayPart
from server.geo.learning.accuracy import Accuracy, accuracy
from server.geo.learning.hours import PARTS, parts_of_hours, usual_logs
from server.geo.learning.network import Flags, Numbers, Roads, Rows
from server.geo.learning.speeds import Learnt, Passes, Setting, fit

type Days = NDArray[np.int64]

HELD_SHARE = 0.2  # of the days with drives
MARGIN = 0.99  # what is put in force errs at least one per cent less than what is there
_FOLDS = 5
_ENOUGH_DAYS = 10  # fewer, and a fold of whole days would leave whole hours without any
_FACTOR_DOUBT = 20.0  # drives
_SPREAD_DOUBT = 30.0
_LATE = 0.9
_LEAST_SPREAD = 1.05


@dataclass(frozen=True, slots=True, eq=False)
class Drives:
    """What is learnt from, a row a drive.

    day: ordinal; hour: 0 to 47; seconds: from door to door; turns: free-flow seconds of the fastest way's; judges: it
    went to where it ended by the fastest way or nearly, so that its time can be compared with a prediction.
    passes: what was driven; ways: the fastest ways on empty roads, whose `seconds` are their free flow.
    """

    day: Days
    hour: Rows
    seconds: Numbers
    turns: Numbers
    judges: Flags
    passes: Passes
    ways: Passes

    def __len__(self) -> int:
        return len(self.day)

    @property
    def free_flow(self) -> Numbers:
        return np.bincount(self.ways.drive, self.ways.free_flow, len(self)) + self.turns

    def predicted(self, learnt: Learnt) -> Numbers:
        """Seconds of the fastest ways."""
        took = self.ways.free_flow * np.exp(learnt.logs(self.ways.road, self.ways.hour))
        return np.bincount(self.ways.drive, took, len(self)) + self.turns


@dataclass(frozen=True, slots=True, eq=False)
class Levelled:
    """What makes sums of medians the median of drives, and how far the slow ones lie above it; logarithms by part."""

    factor: Numbers
    spread: Numbers


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    learnt: Learnt
    levelled: Levelled

    def median(self, drives: Drives) -> Numbers:
        part = self.learnt.setting.part[drives.hour]
        return drives.predicted(self.learnt) * np.exp(self.levelled.factor[part])

    def p90(self, drives: Drives) -> Numbers:
        part = self.learnt.setting.part[drives.hour]
        return self.median(drives) * np.exp(self.levelled.spread[part])


@dataclass(frozen=True, slots=True, eq=False)
class InForce:
    """What the product answers today, seconds a row a drive, and the last day that it was learnt from."""

    until: date
    median: Numbers
    p90: Numbers


@dataclass(frozen=True)
class Lesson:
    """What is proposed, with its judgement. back_test: figures on the held days, without the lesson and with it."""

    model: Model
    drives: int
    trained_from: date
    trained_until: date
    by_part: Mapping[DayPart, int]
    back_test: Mapping[str, Any]
    better: bool


def setting_of(roads: Roads) -> Setting:
    return Setting(roads, usual_logs(), parts_of_hours())


def train(setting: Setting, drives: Drives, chosen: Flags) -> Model:
    """Learn from the drives chosen."""
    learnt = fit(setting, drives.passes.of(chosen))
    return Model(learnt, _levelled(setting, drives, chosen))


def learn(setting: Setting, drives: Drives, in_force: InForce | None = None) -> Lesson | None:
    """Learn from all drives, judged on the latest days; None without a drive on either side that judges.

    What was put in force before is judged by the days it was not learnt from, and so is what takes its place.
    """
    held_from = max(_held_from(drives.day), in_force.until.toordinal() + 1 if in_force else 0)
    teaching = drives.day < held_from
    judging = ~teaching & drives.judges
    if not judging.any() or not (teaching & drives.judges).any():
        return None
    taught = train(setting, drives, teaching)
    usual = drives.free_flow * np.exp(setting.usual[drives.hour])
    told = {
        "free_flow": _judged(drives, judging, drives.free_flow, drives.free_flow),
        "usual": _judged(drives, judging, usual, usual * P90_OVER_MEDIAN),
        "learnt": _judged(drives, judging, taught.median(drives), taught.p90(drives)),
    }
    if in_force is not None:
        told["in_force"] = _judged(drives, judging, in_force.median, in_force.p90)
    bar = min(it.mape or 0.0 for name, it in told.items() if name in {"usual", "in_force"})
    return Lesson(
        train(setting, drives, np.ones(len(drives), dtype=np.bool_)),
        len(drives),
        date.fromordinal(int(drives.day.min())),
        date.fromordinal(int(drives.day.max())),
        {part: int((setting.part[drives.hour] == number).sum()) for number, part in enumerate(PARTS)},
        {"held_from": date.fromordinal(held_from).isoformat(), **{name: asdict(it) for name, it in told.items()}},
        better=(told["learnt"].mape or 0.0) < MARGIN * bar,
    )


def _held_from(days: Days) -> int:
    known = np.unique(days)
    return int(known[len(known) - max(1, int(len(known) * HELD_SHARE))]) if len(known) else 0


def _judged(drives: Drives, judging: Flags, median: Numbers, p90: Numbers) -> Accuracy:
    return accuracy(drives.seconds[judging], median[judging], p90[judging])


def _levelled(setting: Setting, drives: Drives, chosen: Flags) -> Levelled:
    """Compare each drive with what the others say of it: what was learnt from a drive agrees with it too well."""
    off, judged = np.zeros(len(drives)), chosen & drives.judges
    fold = _folds(drives.day, chosen)
    for number in np.unique(fold[judged]):
        others = fit(setting, drives.passes.of(chosen & (fold != number)))
        off = np.where(fold == number, np.log(drives.seconds / drives.predicted(others)), off)
    # Rounded, since a sum in another order differs in its last digits.
    off, part = np.round(off[judged], 9), setting.part[drives.hour[judged]]
    every = _shrunk(_quantile(off, 0.5), 0.0, len(off), _FACTOR_DOUBT)
    factor = _by_part(off - every, part, 0.5, 0.0, _FACTOR_DOUBT) + every
    over = off - factor[part]
    usual = float(np.log(P90_OVER_MEDIAN))
    spread = _shrunk(_quantile(over, _LATE), usual, len(over), _SPREAD_DOUBT)
    return Levelled(factor, np.maximum(_by_part(over, part, _LATE, spread, _SPREAD_DOUBT), np.log(_LEAST_SPREAD)))


def _folds(days: Days, chosen: Flags) -> Rows:
    """Number the drives by fold: whole days together where there are enough, since what a day shares is its own."""
    known = np.unique(days[chosen])
    if len(known) >= _ENOUGH_DAYS:
        return (np.searchsorted(known, days) % _FOLDS).astype(np.intp)
    return np.arange(len(days)) % _FOLDS


def _by_part(values: Numbers, part: Rows, share: float, parent: float, doubt: float) -> Numbers:
    groups = [values[part == number] for number in range(len(PARTS))]
    return np.array([_shrunk(_quantile(it, share), parent, len(it), doubt) for it in groups])


def _shrunk(own: float, parent: float, count: int, doubt: float) -> float:
    return parent + (own - parent) * count / (count + doubt)


def _quantile(values: Numbers | Sequence[float], share: float) -> float:
    return float(np.quantile(values, share)) if len(values) else 0.0
