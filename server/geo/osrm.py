"""The road engine: OSRM (MLD) over the data of a build, and traces cut and joined for it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import osrm
from numpy.typing import NDArray

from server.geo.domain import Point
from server.geo.drives import Drive
from server.geo.matching import Fix, Leg, Matched, SnappedFix, passages_of

CAR_PROFILE = Path(osrm.__file__).parent / "share" / "profiles" / "car.lua"  # ships inside the package
SNAP_LIMIT = 1_000  # metres; farther from any road than this, the nearest road says nothing about the drive
_NO_WAY = ("NoRoute", "NoSegment")
_NO_MATCH = ("NoMatch", "NoSegment")
_TRACE = 50  # fixes matched in one call: as long as a tile
_ACCURACY = (5.0, 50.0)  # metres; outside these what phones say of themselves helps no match

type Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FreeFlow:
    """Raw road answer: float seconds and metres on empty roads, shape (origins, to); NaN where no road leads."""

    seconds: Numbers
    metres: Numbers


class RoadEngine:
    """One set of OSRM data, opened in this process. Blocking; longitude first; times are those of the set.

    The files are mapped: opening takes a millisecond whatever their size, and processes share the memory.
    """

    def __init__(self, base: Path) -> None:
        self._osrm = osrm.OSRM(storage_config=str(base), algorithm="MLD", use_shared_memory=False, use_mmap=True)

    def drive(self, origin: Point, to: Point) -> Drive | None:
        """Seconds, metres and line of the fastest drive; None where there is none or an end is far from any road."""
        asked = osrm.RouteParameters(coordinates=_pairs([origin, to]), geometries="geojson", overview="full")
        try:
            answer = self._osrm.Route(asked)
        except RuntimeError as problem:
            if str(problem).startswith(_NO_WAY):
                return None
            raise
        if any(end["distance"] > SNAP_LIMIT for end in answer["waypoints"]):
            return None
        best = answer["routes"][0]
        line = tuple(Point(lon, lat) for lon, lat in best["geometry"]["coordinates"])
        return float(best["duration"]), float(best["distance"]), line

    def table(self, origins: Sequence[Point], to: Sequence[Point]) -> FreeFlow:
        """One OSRM call; both sequences have at least one point."""
        asked = osrm.TableParameters(
            coordinates=_pairs([*origins, *to]),
            sources=list(range(len(origins))),
            destinations=list(range(len(origins), len(origins) + len(to))),
            annotations=["duration", "distance"],
            generate_hints=False,
        )
        answer = self._osrm.Table(asked)
        off_road = _too_far(answer["sources"])[:, None] | _too_far(answer["destinations"])
        seconds, metres = _numbers(answer["durations"]), _numbers(answer["distances"])
        seconds[off_road] = np.nan
        return FreeFlow(seconds, metres)

    def nearest(self, point: Point) -> tuple[Point, float]:
        """The nearest place on a drivable road and the metres to it."""
        found = self._osrm.Nearest(osrm.NearestParameters(coordinates=_pairs([point])))["waypoints"][0]
        lon, lat = found["location"]
        return Point(lon, lat), float(found["distance"])

    def match(self, fixes: Sequence[Fix]) -> Matched:
        """Bring fixes in order of time onto the roads; one that is not later than the one before is left out."""
        return joined(len(fixes), [self.match_piece(fixes, piece) for piece in pieces(fixes)])

    def match_piece(self, fixes: Sequence[Fix], piece: Sequence[int]) -> "Piece":
        """One OSRM call for the fixes of these indexes."""
        matched = [fixes[index] for index in piece]
        try:
            answer = self._osrm.Match(_as_trace(matched))
        except RuntimeError as problem:
            if str(problem).startswith(_NO_MATCH):
                return Piece((), {}, ())
            raise
        places = list(answer["tracepoints"])
        legs = [
            _leg(answer["matchings"][number]["legs"][int(place["waypoint_index"])], fix, following)
            for (fix, place), (following, after) in pairwise(
                (fix, place) for fix, place in zip(matched, places, strict=True) if place is not None
            )
            if (number := int(place["matchings_index"])) == int(after["matchings_index"])
        ]
        snapped = {index: _snapped(place) for index, place in zip(piece, places, strict=True) if place is not None}
        return Piece(tuple(legs), snapped, tuple(float(matching["confidence"]) for matching in answer["matchings"]))


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a trace on the roads: the ways between its fixes, and where each fix (by index) belongs."""

    legs: tuple[Leg, ...]
    snapped: dict[int, SnappedFix]
    confidences: tuple[float, ...]


def pieces(fixes: Sequence[Fix]) -> Iterator[list[int]]:
    """Indexes of fixes matched in one call; each stretch begins with the fix that the one before ended with."""
    in_order: list[int] = []
    for index, fix in enumerate(fixes):
        if not in_order or int(fix.at) > int(fixes[in_order[-1]].at):
            in_order.append(index)
    for start in range(0, max(1, len(in_order) - 1), _TRACE - 1):
        if len(piece := in_order[start : start + _TRACE]) > 1:
            yield piece


def joined(count: int, found: Sequence[Piece]) -> Matched:
    """One answer of all stretches."""
    snapped: dict[int, SnappedFix] = {}
    for piece in found:
        snapped |= piece.snapped
    confidences = [confidence for piece in found for confidence in piece.confidences]
    return Matched(
        passages=tuple(passages_of(leg for piece in found for leg in piece.legs)),
        snapped=tuple(snapped.get(index) for index in range(count)),
        confidence=float(np.mean(confidences)) if confidences else 0.0,
    )


def _pairs(points: Sequence[Point]) -> list[tuple[float, float]]:
    return [(point.lon, point.lat) for point in points]


def _too_far(waypoints: Iterable[Any]) -> NDArray[np.bool_]:
    return np.array([waypoint["distance"] > SNAP_LIMIT for waypoint in waypoints])


def _numbers(rows: Iterable[Any]) -> Numbers:
    """OSRM's own array type as numpy; its None (no way) becomes NaN."""
    return np.array([[np.nan if cell is None else cell for cell in row] for row in rows], dtype=np.float64)


def _as_trace(fixes: Sequence[Fix]) -> Any:
    least, most = _ACCURACY
    return osrm.MatchParameters(
        coordinates=[(fix.lon, fix.lat) for fix in fixes],
        timestamps=[int(fix.at) for fix in fixes],
        radiuses=[min(max(fix.accuracy, least), most) for fix in fixes],
        annotations=["nodes", "duration", "distance"],
        geometries="geojson",
        overview="false",
        gaps="split",
        generate_hints=False,
    )


def _leg(found: Any, fix: Fix, following: Fix) -> Leg:
    told = found["annotation"]
    return Leg(
        begun=fix.at,
        ended=following.at,
        nodes=[int(node) for node in told["nodes"]],
        metres=list(told["distance"]),
        seconds=list(told["duration"]),
    )


def _snapped(place: Any) -> SnappedFix:
    lon, lat = place["location"]
    return SnappedFix(Point(lon, lat), round(place["distance"]))
