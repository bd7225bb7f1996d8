"""Travel on real roads: OSRM (MLD) over a prepared region, with the labelled estimate where the roads do not reach."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import osrm
from numpy.typing import NDArray

from server.geo.congestion import P90_OVER_MEDIAN, congestion
from server.geo.domain import Bounds, Point
from server.geo.estimate import EstimatedTravel, whole
from server.geo.journey import Matrix, Route, Snapped, Source

CAR_PROFILE = Path(osrm.__file__).parent / "share" / "profiles" / "car.lua"  # ships inside the package
SNAP_LIMIT = 1_000  # metres; farther from any road than this, the nearest road says nothing about the drive
_TILE = 50  # a 50 x 50 table holds the interpreter for about 50 ms
_NO_WAY = ("NoRoute", "NoSegment")

type Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FreeFlow:
    """Raw road answer: float seconds and metres on empty roads, shape (origins, to); NaN where no road leads."""

    seconds: Numbers
    metres: Numbers


class RoadEngine:
    """The OSRM data of one build, opened in this process. Blocking; longitude first; times are free-flow."""

    def __init__(self, base: Path) -> None:
        self._osrm = osrm.OSRM(storage_config=str(base), algorithm="MLD", use_shared_memory=False)

    def drive(self, origin: Point, to: Point) -> tuple[float, float, tuple[Point, ...]] | None:
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


class OsrmTravel:
    """The `Travel` of a prepared region. What it can't reach by road is answered by the estimate and labelled so.

    The bindings keep the interpreter's lock during a call, so a worker thread does not make them parallel. Calls run in
    one all the same, and big tables are cut in tiles: between two tiles the event loop gets its turn, and no request
    waits longer than one tile.
    """

    def __init__(self, base: Path, bounds: Bounds) -> None:
        self._roads = RoadEngine(base)
        self._bounds = bounds
        self._otherwise = EstimatedTravel()

    async def route(self, origin: Point, to: Point, leaving: datetime) -> Route:
        """Median and p90 seconds, metres and line of the fastest drive."""
        covered = origin in self._bounds and to in self._bounds
        drive = await asyncio.to_thread(self._roads.drive, origin, to) if covered else None
        if drive is None:
            return await self._otherwise.route(origin, to, leaving)
        free_flow, metres, line = drive
        seconds = np.array([free_flow]) * congestion(leaving, origin)
        return Route(
            seconds=int(whole(seconds)[0]),
            p90_seconds=int(whole(seconds * P90_OVER_MEDIAN)[0]),
            metres=int(whole(np.array([metres]))[0]),
            line=line,
            source=Source.ROADS,
        )

    async def table(self, origins: Sequence[Point], to: Sequence[Point], leaving: datetime) -> Matrix:
        """Median and p90 seconds and metres, shape (origins, to)."""
        estimate = await self._otherwise.table(origins, to, leaving)
        roads = await self._free_flow(origins, to)
        by_road = np.isfinite(roads.seconds)
        factors = np.array([congestion(leaving, origin) for origin in origins]).reshape(-1, 1)
        seconds = np.where(by_road, roads.seconds, 0.0) * factors
        metres = np.where(by_road, roads.metres, 0.0)
        return Matrix(
            seconds=np.where(by_road, whole(seconds), estimate.seconds),
            p90_seconds=np.where(by_road, whole(seconds * P90_OVER_MEDIAN), estimate.p90_seconds),
            metres=np.where(by_road, whole(metres), estimate.metres),
            estimated=~by_road,
        )

    async def snap(self, point: Point) -> Snapped:
        """The nearest place on a road; the point itself, labelled, where no road is near."""
        if point in self._bounds:
            on_road, metres = await asyncio.to_thread(self._roads.nearest, point)
            if metres <= SNAP_LIMIT:
                return Snapped(on_road, round(metres), Source.ROADS)
        return await self._otherwise.snap(point)

    async def _free_flow(self, origins: Sequence[Point], to: Sequence[Point]) -> FreeFlow:
        """Road times of the pairs inside the region, tile by tile; NaN elsewhere."""
        shape = (len(origins), len(to))
        whole_table = FreeFlow(np.full(shape, np.nan), np.full(shape, np.nan))
        for rows, columns in product(_tiles(self._covered(origins)), _tiles(self._covered(to))):
            tile = await asyncio.to_thread(self._roads.table, [origins[i] for i in rows], [to[j] for j in columns])
            cells = np.ix_(rows, columns)
            whole_table.seconds[cells], whole_table.metres[cells] = tile.seconds, tile.metres
        return whole_table

    def _covered(self, points: Sequence[Point]) -> list[int]:
        return [index for index, point in enumerate(points) if point in self._bounds]


def _tiles(indexes: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(indexes), _TILE):
        yield indexes[start : start + _TILE]


def _pairs(points: Sequence[Point]) -> list[tuple[float, float]]:
    return [(point.lon, point.lat) for point in points]


def _too_far(waypoints: Iterable[Any]) -> NDArray[np.bool_]:
    return np.array([waypoint["distance"] > SNAP_LIMIT for waypoint in waypoints])


def _numbers(rows: Iterable[Any]) -> Numbers:
    """OSRM's own array type as numpy; its None (no way) becomes NaN."""
    return np.array([[np.nan if cell is None else cell for cell in row] for row in rows], dtype=np.float64)
