"""How long work takes: by its kind, what it is done on, and who does it. Pure.

Times are multiples of each other, not sums: everything is estimated on logarithms. log minutes = type + product and
model + pace of the engineer + what is special about this engineer with this type. Each part is a median, which a
forgotten timer doesn't move, shrunk by its count towards the estimate above it: organisation, type, pace.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self
from uuid import UUID

import numpy as np

from server.dispatch.learning.domain import (
    MARGIN,
    Indices,
    Keys,
    Kind,
    Lesson,
    Numbers,
    hold_back,
    quantiles,
    rounded,
    shrunk,
)

_ROUNDS = 5
_TYPE_WEIGHT = 8.0
_ITEM_WEIGHT = 15.0
_PACE_WEIGHT = 15.0
_PAIR_WEIGHT = 25.0
_SPREAD_WEIGHT = 30.0
_KEPT_FROM = 10  # samples; a smaller group's correction is noise
_LATE = 0.9
SLOWEST_PERCENT, QUICKEST_PERCENT = 400, 25


@dataclass(frozen=True)
class Task:
    """Work as it is asked for: its own minutes count where nothing better is known."""

    problem_type: str
    planned_minutes: int
    product: str | None = None
    model: str | None = None

    @property
    def item(self) -> "Item":
        return (self.problem_type, self.product, self.model)


type Item = tuple[str, str | None, str | None]
type Pair = tuple[UUID, str]


@dataclass(frozen=True)
class Worked:
    """What one completed visit took."""

    problem_type: str
    product: str | None
    model: str | None
    engineer_id: UUID
    planned_minutes: int
    minutes: float
    day: date

    @property
    def task(self) -> Task:
        return Task(self.problem_type, self.planned_minutes, self.product, self.model)


@dataclass(frozen=True)
class TypeTime:
    log: float
    spread: float  # from the median to the ninetieth percentile, as a logarithm
    samples: int


@dataclass(frozen=True)
class Part:
    """What is added to a logarithm."""

    log: float
    samples: int


@dataclass(frozen=True)
class Durations:
    """Every estimate by name; what isn't in it is no different from its parent."""

    spread: float
    types: Mapping[str, TypeTime]
    items: Mapping[Item, Part]
    paces: Mapping[UUID, Part]
    pairs: Mapping[Pair, Part]

    @classmethod
    def nothing(cls) -> Self:
        return cls(0.0, {}, {}, {}, {})

    def pace_percent(self, engineer: UUID) -> int:
        """Answer how long this engineer takes, in per cent of what the work takes others."""
        pace = self.paces.get(engineer)
        return _percent(pace.log) if pace else 100

    def usual(self, tasks: Sequence[Task]) -> list[int]:
        """Answer the median in whole minutes, at least 1, whoever does it."""
        return [max(1, round(float(it))) for it in np.exp(self._bases(tasks))]

    def matrix(self, tasks: Sequence[Task], engineers: Sequence[UUID]) -> tuple[Numbers, Numbers]:
        """Answer median and ninetieth percentile in minutes, shape (tasks, engineers)."""
        paces = np.array([self._pace(engineer) for engineer in engineers])
        logs = self._bases(tasks)[:, None] + paces[None, :]
        rows, columns = _where([task.problem_type for task in tasks]), _where(engineers)
        for (engineer, problem_type), part in self.pairs.items():
            if engineer in columns and problem_type in rows:
                logs[np.ix_(rows[problem_type], columns[engineer])] += part.log
        spreads = np.array([self._spread(task.problem_type) for task in tasks]).reshape(-1, 1)
        return np.exp(logs), np.exp(logs + spreads)

    def each(self, worked: Sequence[Worked]) -> Numbers:
        """Answer the median in minutes that was to be expected of each visit."""
        parts = [
            self._pace(it.engineer_id) + getattr(self.pairs.get((it.engineer_id, it.problem_type)), "log", 0.0)
            for it in worked
        ]
        found: Numbers = np.exp(self._bases([it.task for it in worked]) + np.array(parts))
        return found

    def _bases(self, tasks: Sequence[Task]) -> Numbers:
        return np.array([self._base(task) for task in tasks], dtype=np.float64)

    def _base(self, task: Task) -> float:
        known = self.types.get(task.problem_type)
        if known is None:
            return float(np.log(task.planned_minutes))
        item = self.items.get(task.item)
        return known.log + (item.log if item else 0.0)

    def _pace(self, engineer: UUID) -> float:
        pace = self.paces.get(engineer)
        return pace.log if pace else 0.0

    def _spread(self, problem_type: str) -> float:
        known = self.types.get(problem_type)
        return known.spread if known else self.spread

    def to_json(self) -> dict[str, Any]:
        return {
            "spread": self.spread,
            "types": {name: {"log": it.log, "spread": it.spread, "n": it.samples} for name, it in self.types.items()},
            "items": [
                {"problem_type": kind, "product": product, "model": model, "log": it.log, "n": it.samples}
                for (kind, product, model), it in self.items.items()
            ],
            "engineers": {
                str(engineer): {"log": it.log, "percent": _percent(it.log), "n": it.samples}
                for engineer, it in self.paces.items()
            },
            "pairs": [
                {"engineer_id": str(engineer), "problem_type": kind, "log": it.log, "n": it.samples}
                for (engineer, kind), it in self.pairs.items()
            ],
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        return cls(
            said["spread"],
            {name: TypeTime(it["log"], it["spread"], it["n"]) for name, it in said["types"].items()},
            {(it["problem_type"], it["product"], it["model"]): Part(it["log"], it["n"]) for it in said["items"]},
            {UUID(engineer): Part(it["log"], it["n"]) for engineer, it in said["engineers"].items()},
            {(UUID(it["engineer_id"]), it["problem_type"]): Part(it["log"], it["n"]) for it in said["pairs"]},
        )


def fit(worked: Collection[Worked]) -> Durations:
    """Estimate everything from these visits; from none, nothing. Their order doesn't matter."""
    if not worked:
        return Durations.nothing()
    logs = np.log([it.minutes for it in worked])
    types = Keys.read([it.problem_type for it in worked])
    items = Keys.read([it.task.item for it in worked])
    engineers = Keys.read([it.engineer_id for it in worked])
    pairs = Keys.read([(it.engineer_id, it.problem_type) for it in worked])
    kind, item, pace = np.zeros(len(types.names)), np.zeros(len(items.names)), np.zeros(len(engineers.names))
    for _ in range(_ROUNDS):
        rest = logs - item[items.of] - pace[engineers.of]
        kind = shrunk(_medians(rest, types), float(np.median(rest)), types.counts, _TYPE_WEIGHT)
        item = _correction(logs - kind[types.of] - pace[engineers.of], items, _ITEM_WEIGHT)
        pace = shrunk(_medians(logs - kind[types.of] - item[items.of], engineers), 0.0, engineers.counts, _PACE_WEIGHT)
        # The average engineer takes what the work takes; summed by rising size, so that no order of samples shows.
        common = np.sort(pace[engineers.of]).mean()
        kind, pace = kind + common, pace - common
    known = kind[types.of] + item[items.of] + pace[engineers.of]
    pair = _correction(logs - known, pairs, _PAIR_WEIGHT)
    left = logs - known - pair[pairs.of]
    overall = max(0.0, float(np.quantile(left, _LATE)))
    spreads = shrunk(quantiles(left, types.of, len(types.names), _LATE), overall, types.counts, _SPREAD_WEIGHT)
    return Durations(
        spread=rounded(overall),
        types={
            name: TypeTime(rounded(log), rounded(max(0.0, spread)), int(count))
            for name, log, spread, count in zip(types.names, kind, spreads, types.counts, strict=True)
        },
        items=_parts(items, item, _KEPT_FROM),
        paces=_parts(engineers, pace, 1),
        pairs=_parts(pairs, pair, _KEPT_FROM),
    )


def learn(worked: Sequence[Worked], in_force: Durations | None) -> Lesson | None:
    """Learn from all visits; how good that is, is measured on the latest days with what the earlier ones teach.

    None where there are not two days.
    """
    held = hold_back(np.array([it.day.toordinal() for it in worked], dtype=np.int64))
    if held is None:
        return None
    judging = [it for it, judges in zip(worked, held.judging, strict=True) if judges]
    taught = fit([it for it, judges in zip(worked, held.judging, strict=True) if not judges])
    planned = _error(judging, np.array([it.planned_minutes for it in judging], dtype=np.float64))
    now = _error(judging, in_force.each(judging)) if in_force else planned
    with_it = _error(judging, taught.each(judging))
    return Lesson(
        Kind.DURATIONS,
        len(worked),
        min(it.day for it in worked),
        max(it.day for it in worked),
        fit(worked).to_json(),
        {
            "held_since": held.since.isoformat(),
            "held_samples": len(judging),
            "planned_mean_error_minutes": round(planned, 2),
            "in_force_mean_error_minutes": round(now, 2),
            "mean_error_minutes": round(with_it, 2),
        },
        better=with_it < MARGIN * min(planned, now),
    )


def _error(worked: Sequence[Worked], expected: Numbers) -> float:
    return float(np.abs(np.array([it.minutes for it in worked]) - expected).mean())


def _medians(values: Numbers, keys: Keys[Any]) -> Numbers:
    return quantiles(values, keys.of, len(keys.names), 0.5)


def _correction(rest: Numbers, keys: Keys[Any], weight: float) -> Numbers:
    """Answer what each group differs by from the estimate above it; nothing for a small one."""
    found = shrunk(_medians(rest, keys), 0.0, keys.counts, weight)
    return np.where(keys.counts >= _KEPT_FROM, found, 0.0)


def _parts[T](keys: Keys[T], logs: Numbers, at_least: int) -> dict[T, Part]:
    kept: Indices = np.flatnonzero(keys.counts >= at_least)
    return {keys.names[at]: Part(rounded(logs[at]), int(keys.counts[at])) for at in kept.tolist()}


def _where[T](things: Sequence[T]) -> dict[T, list[int]]:
    found: dict[T, list[int]] = {}
    for at, thing in enumerate(things):
        found.setdefault(thing, []).append(at)
    return found


def _percent(log: float) -> int:
    return int(np.clip(round(100 * float(np.exp(log))), QUICKEST_PERCENT, SLOWEST_PERCENT))
