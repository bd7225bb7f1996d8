"""What a travel adapter answers: routes, matrices and snapped points, each labelled with its source."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from server.geo.domain import Metres, Point, Seconds

type Integers = NDArray[np.int32]
type Flags = NDArray[np.bool_]


class Source(StrEnum):
    ROADS = "osrm"
    ESTIMATE = "estimate"  # great-circle x detour x speed by hour; people are told so


@dataclass(frozen=True, slots=True)
class Route:
    """One drive. `seconds` is the median, `p90_seconds` what nine drives in ten stay within; `line` has 2+ points."""

    seconds: Seconds
    p90_seconds: Seconds
    metres: Metres
    line: tuple[Point, ...]
    source: Source


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """Drives from each origin (row) to each destination (column): int32 arrays of one shape, never a hole.

    `estimated` marks the cells that the roads could not answer.
    """

    seconds: Integers
    p90_seconds: Integers
    metres: Integers
    estimated: Flags

    def source(self, row: int, column: int) -> Source:
        return Source.ESTIMATE if self.estimated[row, column] else Source.ROADS


@dataclass(frozen=True, slots=True)
class Snapped:
    """The nearest place on a drivable road, and how far the asked point lies from it."""

    point: Point
    metres: Metres
    source: Source
