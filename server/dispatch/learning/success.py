"""The chance that the first visit settles it, by kind of problem and by engineer. Pure.

Each rate is smoothed towards the one above it as if `_WEIGHT` visits had turned out as that one says: the type
towards the organisation, an engineer's odds towards what the types they were sent to let expect, and an engineer with
a type towards both together.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from server.dispatch.learning.domain import MARGIN, Indices, Keys, Kind, Lesson, Numbers, hold_back, rounded, shrunk

_WEIGHT = 12.0

type Ids = NDArray[np.bytes_]  # 16 bytes each


@dataclass(frozen=True)
class Tried:
    """How the first worked visit of an order turned out."""

    problem_type: str
    engineer_id: UUID
    fixed: bool
    day: date


@dataclass(frozen=True, eq=False)
class OfType:
    """Everybody's chance with one type of problem, as columns; `engineers` rise. otherwise: of those not among them."""

    engineers: Ids
    chances: Numbers
    otherwise: float

    def of(self, engineers: Ids) -> Numbers:
        """Answer the chances of these, one each."""
        if not len(self.engineers):
            return np.full(len(engineers), self.otherwise)
        rows = np.minimum(np.searchsorted(self.engineers, engineers), len(self.engineers) - 1)
        return np.where(self.engineers[rows] == engineers, self.chances[rows], self.otherwise)


@dataclass(frozen=True)
class Chances:
    """Rates by type and pair, shifts of log odds by engineer; what isn't in it is no different from its parent."""

    overall: float
    types: Mapping[str, float]
    shifts: Mapping[UUID, float]
    pairs: Mapping[tuple[UUID, str], float]
    samples: Mapping[str, int]  # by type

    def of(self, engineer: UUID, problem_type: str) -> float:
        known = self.pairs.get((engineer, problem_type))
        if known is not None:
            return known
        odds = _log_odds(np.array(self.types.get(problem_type, self.overall)))
        return float(_chance(odds + self.shifts.get(engineer, 0.0)))

    def of_type(self, problem_type: str) -> OfType:
        known = {engineer.bytes: self.of(engineer, problem_type) for engineer in self.shifts}
        ids = np.array(list(known), dtype="S16")
        rising = np.argsort(ids)
        chances = np.array(list(known.values()), dtype=np.float64)
        return OfType(ids[rising], chances[rising], self.types.get(problem_type, self.overall))

    def each(self, tried: Sequence[Tried]) -> Numbers:
        return np.array([self.of(it.engineer_id, it.problem_type) for it in tried], dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        return {
            "overall": self.overall,
            "types": {name: {"rate": rate, "n": self.samples[name]} for name, rate in self.types.items()},
            "engineers": {str(engineer): {"shift": shift} for engineer, shift in self.shifts.items()},
            "pairs": [
                {"engineer_id": str(engineer), "problem_type": kind, "rate": rate}
                for (engineer, kind), rate in self.pairs.items()
            ],
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        return cls(
            said["overall"],
            {name: it["rate"] for name, it in said["types"].items()},
            {UUID(engineer): it["shift"] for engineer, it in said["engineers"].items()},
            {(UUID(it["engineer_id"]), it["problem_type"]): it["rate"] for it in said["pairs"]},
            {name: it["n"] for name, it in said["types"].items()},
        )


def fit(tried: Collection[Tried]) -> Chances:
    """Estimate every chance from these visits; from none it is even. Their order doesn't matter."""
    fixed = np.array([it.fixed for it in tried], dtype=np.float64)
    overall = (fixed.sum() + 0.5) / (len(tried) + 1)  # never certain
    types = Keys.read([it.problem_type for it in tried])
    engineers = Keys.read([it.engineer_id for it in tried])
    pairs = Keys.read([(it.engineer_id, it.problem_type) for it in tried])
    kind = shrunk(_rates(fixed, types), overall, types.counts, _WEIGHT)
    expected = _rates(kind[types.of], engineers)
    person = shrunk(_rates(fixed, engineers), expected, engineers.counts, _WEIGHT)
    shift = _log_odds(person) - _log_odds(expected)
    both = _chance(_log_odds(kind[_of_pairs(pairs, types)]) + shift[_of_pairs(pairs, engineers)])
    pair = shrunk(_rates(fixed, pairs), both, pairs.counts, _WEIGHT)
    return Chances(
        rounded(overall),
        _named(types, kind),
        _named(engineers, shift),
        _named(pairs, pair),
        {name: int(count) for name, count in zip(types.names, types.counts, strict=True)},
    )


def learn(tried: Sequence[Tried], in_force: Chances | None) -> Lesson | None:
    """Learn from all first visits, judged on the latest days against the rate of everybody; None without two days."""
    held = hold_back(np.array([it.day.toordinal() for it in tried], dtype=np.int64))
    if held is None:
        return None
    judging = [it for it, judges in zip(tried, held.judging, strict=True) if judges]
    taught = fit([it for it, judges in zip(tried, held.judging, strict=True) if not judges])
    fixed = np.array([it.fixed for it in judging], dtype=np.float64)
    everybody, with_it = np.full(len(judging), taught.overall), taught.each(judging)
    now = in_force.each(judging) if in_force else everybody
    bar = min(_log_loss(fixed, everybody), _log_loss(fixed, now))
    return Lesson(
        Kind.SUCCESS,
        len(tried),
        min(it.day for it in tried),
        max(it.day for it in tried),
        fit(tried).to_json(),
        {
            "held_since": held.since.isoformat(),
            "held_samples": len(judging),
            "overall_log_loss": round(_log_loss(fixed, everybody), 4),
            "in_force_log_loss": round(_log_loss(fixed, now), 4),
            "log_loss": round(_log_loss(fixed, with_it), 4),
            "overall_brier": round(_brier(fixed, everybody), 4),
            "in_force_brier": round(_brier(fixed, now), 4),
            "brier": round(_brier(fixed, with_it), 4),
        },
        better=_log_loss(fixed, with_it) < MARGIN * bar,
    )


def _of_pairs(pairs: Keys[tuple[UUID, str]], others: Keys[Any]) -> Indices:
    """Answer to which of the others each pair belongs."""
    found = np.zeros(len(pairs.names), dtype=np.intp)
    found[pairs.of] = others.of
    return found


def _rates(values: Numbers, keys: Keys[Any]) -> Numbers:
    # Rounded, since a sum in another order differs in its last digits.
    return np.round(np.bincount(keys.of, values, minlength=len(keys.names)) / np.maximum(keys.counts, 1), 12)


def _named[T](keys: Keys[T], values: Numbers) -> dict[T, float]:
    return {name: rounded(value) for name, value in zip(keys.names, values, strict=True)}


def _log_odds(chance: Numbers) -> Numbers:
    found: Numbers = np.log(chance / (1 - chance))
    return found


def _chance(odds: Numbers) -> Numbers:
    return 1 / (1 + np.exp(-odds))


def _log_loss(fixed: Numbers, chance: Numbers) -> float:
    chance = np.clip(chance, 1e-6, 1 - 1e-6)
    return float(-np.where(fixed > 0, np.log(chance), np.log(1 - chance)).mean())


def _brier(fixed: Numbers, chance: Numbers) -> float:
    return float(((chance - fixed) ** 2).mean())
