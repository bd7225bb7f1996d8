"""What other weights would have made of past decisions. Pure.

Each decision is ranked again as it stood then: what an earlier one would have changed is not carried on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import numpy as np

from server.dispatch.learning.preferences import Weights, first_of


@dataclass(frozen=True)
class Stood:
    """A candidate as they stood when it was decided."""

    engineer_id: UUID
    name: str
    eta_seconds: float
    slack_seconds: float | None
    values: Mapping[str, float]


@dataclass(frozen=True)
class Past:
    """A decision with its candidates, the best by the weights of then first."""

    work_order_id: UUID
    number: int
    decided_at: datetime
    day: date
    duration_minutes: int
    chosen_id: UUID
    chosen_name: str
    stood: Sequence[Stood]

    def first_by(self, weights: Weights) -> Stood:
        scores = np.array([sum(weights.get(name, 0.0) * it for name, it in one.values.items()) for one in self.stood])
        return self.stood[first_of(scores)]


@dataclass(frozen=True)
class Figures:
    """What ranking first came to.

    agreed: decisions whose chosen ranks first.
    load_spread_minutes: how unevenly a day's work falls on engineers: the standard deviation of their minutes, on
        average over the days.
    """

    agreed: int
    mean_eta_seconds: float | None
    mean_sla_slack_seconds: float | None
    load_spread_minutes: float | None


@dataclass(frozen=True)
class Changed:
    """A decision in which somebody else would have been first."""

    work_order_id: UUID
    number: int
    decided_at: datetime
    chosen_id: UUID
    chosen_name: str
    before_id: UUID
    before_name: str
    after_id: UUID
    after_name: str


@dataclass(frozen=True)
class Preview:
    """left_out: older decisions of the time asked about that were not looked at."""

    decisions: int
    left_out: int
    before: Figures
    after: Figures
    changes: Sequence[Changed]


def preview(past: Sequence[Past], weights: Weights, left_out: int = 0) -> Preview:
    """Rank every decision again with other weights."""
    before, after = [it.stood[0] for it in past], [it.first_by(weights) for it in past]
    return Preview(
        len(past),
        left_out,
        _figures(past, before),
        _figures(past, after),
        [_changed(it, one) for it, one in zip(past, after, strict=True) if one is not it.stood[0]],
    )


def _changed(it: Past, after: Stood) -> Changed:
    before = it.stood[0]
    return Changed(
        it.work_order_id,
        it.number,
        it.decided_at,
        it.chosen_id,
        it.chosen_name,
        before.engineer_id,
        before.name,
        after.engineer_id,
        after.name,
    )


def _figures(past: Sequence[Past], firsts: Sequence[Stood]) -> Figures:
    return Figures(
        sum(it.chosen_id == one.engineer_id for it, one in zip(past, firsts, strict=True)),
        _mean(one.eta_seconds for one in firsts),
        _mean(one.slack_seconds for one in firsts if one.slack_seconds is not None),
        _mean(_spreads(past, firsts)),
    )


def _spreads(past: Sequence[Past], firsts: Sequence[Stood]) -> list[float]:
    """Answer each day's spread over everybody who could have been sent that day."""
    days: dict[date, dict[UUID, int]] = {}
    for it, one in zip(past, firsts, strict=True):
        minutes = days.setdefault(it.day, {})
        for candidate in it.stood:
            minutes.setdefault(candidate.engineer_id, 0)
        minutes[one.engineer_id] += it.duration_minutes
    return [float(np.std(list(minutes.values()))) for minutes in days.values()]


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return round(float(np.mean(found)), 1) if found else None
