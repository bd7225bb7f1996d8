"""Matched drives made into the numbers that are learnt from. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from server.geo.domain import Point
from server.geo.learning.engine import Way
from server.geo.learning.hours import hour_of
from server.geo.learning.judging import Drives
from server.geo.learning.network import Roads
from server.geo.learning.speeds import Passes

NEARLY = 1.5  # of the fastest way's free flow; who drives more was going somewhere else first


@dataclass(frozen=True, slots=True, eq=False)
class Driven:
    """A drive: when it began, what it took from door to door, what it drove and what would have been fastest."""

    began: datetime
    seconds: float
    origin: Point
    way: Way
    fastest: Way

    @property
    def is_direct(self) -> bool:
        return self.way.free_flow_seconds <= NEARLY * self.fastest.free_flow_seconds


def drives_from(roads: Roads, driven: Sequence[Driven]) -> Drives:
    """Their order doesn't matter. What was driven on roads that are no more is left out."""
    known = sorted(driven, key=lambda it: (it.began, it.origin, it.seconds))
    hour = np.array([hour_of(it.began, it.origin) for it in known], dtype=np.intp)
    return Drives(
        np.array([it.began.astimezone(UTC).toordinal() for it in known], dtype=np.int64),
        hour,
        np.array([it.seconds for it in known], dtype=np.float64),
        np.array([it.fastest.turns for it in known], dtype=np.float64),
        np.array([it.is_direct for it in known], dtype=np.bool_),
        _passes(roads, hour, [it.way for it in known]),
        _passes(roads, hour, [it.fastest for it in known]),
    )


def _passes(roads: Roads, hour: np.ndarray, ways: Sequence[Way]) -> Passes:
    drive = np.repeat(np.arange(len(ways)), [len(way.seconds) for way in ways])
    road = roads.find(
        _joined([way.from_node for way in ways], np.int64), _joined([way.to_node for way in ways], np.int64)
    )
    kept = road >= 0
    seconds = _joined([way.seconds for way in ways], np.float64)
    free_flow = _joined([way.free_flow for way in ways], np.float64)
    return Passes(drive[kept], hour[drive[kept]], road[kept], seconds[kept], free_flow[kept])


def _joined(arrays: Sequence[np.ndarray], kind: type[np.generic]) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype=kind), *arrays])
