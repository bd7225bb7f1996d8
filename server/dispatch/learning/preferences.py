"""Weights from what dispatchers choose: logistic regression on pairs of candidates. Pure.

A person who chooses somebody says that they are worth more than each candidate who was ranked better, and than the
few ranked right below. Without those a factor that lost once looks worthless: on simulated dispatchers the weights
from better-ranked pairs alone foresaw 81 % of the choices, with three below 90 %, as many as the true ones. The weights
stay on the simplex, and near the ones in force unless enough choices speak against them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from server.dispatch.learning.domain import Kind, Lesson, Numbers, hold_back

SHARPNESS = 20.0  # log odds of choosing the better of two whose scores differ by 1: at 0.05 it is 3 to 1
_PRIOR = 10.0  # how strongly the weights in force hold: some forty choices outweigh them
_BELOW = 3
_STEPS = 800
_STILL = 1e-9
_DIGITS = 4  # as rankings keep their values and scores
SAME = 1.01 * 10**-_DIGITS  # scores that differ by less may differ by what rounding left out

type Weights = Mapping[str, float]
type Table = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """A candidate as a decision keeps them."""

    engineer_id: UUID
    values: Mapping[str, float]  # by factor, each in [0, 1]


@dataclass(frozen=True)
class Choice:
    """Whom a person chose, out of the candidates as they were ranked, the best first."""

    chosen: int
    lines: Sequence[Line]
    day: date

    def values(self, factors: Sequence[str]) -> Table:
        """Shape (candidates, factors); what a decision doesn't know of any candidate is alike for all."""
        return np.array([[line.values.get(name, 0.0) for name in factors] for line in self.lines])


@dataclass(frozen=True)
class Agreement:
    """How well weights foresee choices."""

    first: float  # share of the choices whose chosen they rank first
    mean_rank: float


def first_of(scores: Numbers) -> int:
    """Answer the best; among those that rounding can't tell apart, who was ranked better then."""
    return int(np.argmax(scores >= scores.max() - SAME))


def agreement(choices: Sequence[Choice], weights: Weights) -> Agreement:
    names = sorted(weights)
    chances = np.array([weights[name] for name in names])
    ranks = np.array([_rank(choice, choice.values(names) @ chances) for choice in choices])
    return Agreement(float((ranks == 1).mean()), float(ranks.mean()))


def fit(choices: Sequence[Choice], in_force: Weights, factors: Sequence[str]) -> dict[str, float]:
    """Answer weights for these factors that explain the choices; without any, those in force. They add up to 1."""
    start = onto_simplex(np.array([in_force.get(name, 0.0) for name in factors]))
    gaps, shares = _pairs(choices, factors)
    if not len(gaps):
        return _whole(start, factors)
    return _whole(_minimum(gaps, shares, start), factors)


def learn(choices: Sequence[Choice], in_force: Weights, factors: Sequence[str], version: int) -> Lesson | None:
    """Learn from all choices, judged on the latest days against the weights in force; None without two days."""
    held = hold_back(np.array([it.day.toordinal() for it in choices], dtype=np.int64))
    if held is None:
        return None
    judging = [it for it, judges in zip(choices, held.judging, strict=True) if judges]
    teaching = [it for it, judges in zip(choices, held.judging, strict=True) if not judges]
    now, then = agreement(judging, in_force), agreement(judging, fit(teaching, in_force, factors))
    return Lesson(
        Kind.WEIGHTS,
        len(choices),
        min(it.day for it in choices),
        max(it.day for it in choices),
        {"weights": fit(choices, in_force, factors)},
        {
            "held_since": held.since.isoformat(),
            "held_samples": len(judging),
            "weights_version": version,
            "in_force_first": round(now.first, 4),
            "first": round(then.first, 4),
            "in_force_mean_rank": round(now.mean_rank, 3),
            "mean_rank": round(then.mean_rank, 3),
        },
        better=(then.first, -then.mean_rank) > (now.first, -now.mean_rank),
    )


def onto_simplex(point: Numbers) -> Numbers:
    """Answer the nearest point whose parts are not negative and add up to 1."""
    falling = np.sort(point)[::-1]
    over = (np.cumsum(falling) - 1) / np.arange(1, len(point) + 1)
    last = np.flatnonzero(falling > over)[-1]
    nearest: Numbers = np.maximum(point - over[last], 0.0)
    return nearest


def _rank(choice: Choice, scores: Numbers) -> int:
    better = scores > scores[choice.chosen] + SAME
    return int(better.sum()) + 1


def _pairs(choices: Sequence[Choice], factors: Sequence[str]) -> tuple[Table, Numbers]:
    """Answer by how much each chosen exceeds each other per factor, and each pair's share: a choice counts once."""
    gaps, shares = [np.zeros((0, len(factors)))], [np.zeros(0)]
    for choice in choices:
        values = choice.values(factors)
        others = np.delete(values[: choice.chosen + 1 + _BELOW], choice.chosen, axis=0)
        gaps.append(values[choice.chosen] - others)
        shares.append(np.full(len(others), 1 / max(1, len(others))))
    return np.concatenate(gaps), np.concatenate(shares)


def _minimum(gaps: Table, shares: Numbers, start: Numbers) -> Numbers:
    """Minimise the choices' surprise and the distance from the start, by projected gradients with momentum.

    Both are convex and the second strictly: there is one answer.
    """
    pull = _PRIOR * SHARPNESS
    curve = SHARPNESS**2 / 4 * float(np.linalg.eigvalsh(gaps.T @ (gaps * shares[:, None]))[-1]) + pull
    here, ahead, speed = start, start, 1.0
    for _ in range(_STEPS):
        surprise = shares / (1 + np.exp(np.clip(SHARPNESS * (gaps @ ahead), -500, 500)))
        slope = -SHARPNESS * (surprise @ gaps) + pull * (ahead - start)
        there = onto_simplex(ahead - slope / curve)
        faster = (1 + np.sqrt(1 + 4 * speed**2)) / 2
        ahead = there + (speed - 1) / faster * (there - here)
        if np.abs(there - here).max() < _STILL:
            return there
        here, speed = there, faster
    return here


def _whole(weights: Numbers, factors: Sequence[str]) -> dict[str, float]:
    """Round so that they still add up to 1: the largest takes what is left over."""
    units = np.rint(weights * 10**_DIGITS).astype(int)
    units[np.argmax(units)] += 10**_DIGITS - units.sum()
    return {name: int(unit) / 10**_DIGITS for name, unit in zip(factors, units, strict=True)}
