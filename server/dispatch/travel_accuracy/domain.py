"""Predicted drives beside what they took. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from server.geo.journey import Source
from server.geo.learning.accuracy import Accuracy, accuracy


@dataclass(frozen=True)
class Drive:
    """A visit's drive. hour: of setting out, by the organisation's clocks; district: the site's territory."""

    hour: int
    district: UUID | None
    source: Source
    seconds: int  # predicted
    p90_seconds: int
    took: float


@dataclass(frozen=True)
class Report:
    """Groups without a drive are left out. district None: sites outside of every territory."""

    overall: Accuracy
    by_source: Mapping[Source, Accuracy]
    by_hour: Mapping[int, Accuracy]
    by_district: Mapping[UUID | None, Accuracy]


def report(drives: Sequence[Drive]) -> Report:
    return Report(
        _accuracy(drives),
        _grouped(drives, lambda it: it.source),
        _grouped(drives, lambda it: it.hour),
        _grouped(drives, lambda it: it.district),
    )


def _grouped[K](drives: Iterable[Drive], key: Callable[[Drive], K]) -> dict[K, Accuracy]:
    groups: dict[K, list[Drive]] = defaultdict(list)
    for drive in drives:
        groups[key(drive)].append(drive)
    return {name: _accuracy(groups[name]) for name in sorted(groups, key=lambda it: (it is None, it))}


def _accuracy(drives: Sequence[Drive]) -> Accuracy:
    return accuracy(
        np.array([it.took for it in drives], dtype=np.float64),
        np.array([it.seconds for it in drives], dtype=np.float64),
        np.array([it.p90_seconds for it in drives], dtype=np.float64),
    )
