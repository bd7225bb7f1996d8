"""Travel on real roads by a road engine, with the labelled estimate where the roads do not reach."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import Protocol

import numpy as np

from server.geo.congestion import P90_OVER_MEDIAN, congestion
from server.geo.dayparts import DayPart, daypart_of
from server.geo.domain import Bounds, Point
from server.geo.drives import Drive, Drives
from server.geo.estimate import EstimatedTravel, whole
from server.geo.journey import Matrix, Route, Snapped, Source
from server.geo.matching import Fix, Matched, unmatched
from server.geo.osrm import SNAP_LIMIT, FreeFlow, Numbers, Piece, joined, pieces

TILE = 50  # a 50 x 50 table holds the interpreter for about 50 ms


class Engine(Protocol):
    """One set of road data. Blocking; raw seconds of the set."""

    def drive(self, origin: Point, to: Point) -> Drive | None: ...

    def table(self, origins: Sequence[Point], to: Sequence[Point]) -> FreeFlow: ...

    def nearest(self, point: Point) -> tuple[Point, float]: ...

    def match_piece(self, fixes: Sequence[Fix], piece: Sequence[int]) -> Piece: ...


class RoadSet:
    """The roads as they are in one part of the week, or as empty roads with a factor for each hour."""

    def __init__(
        self,
        engine: Engine,
        key: tuple[str, str],
        factor: float | None = None,
        p90_over_median: float = P90_OVER_MEDIAN,
    ) -> None:
        """`key` names the data, and changes with it; without a `factor` that of the hour is taken."""
        self.engine = engine
        self.key = key
        self.p90_over_median = p90_over_median
        self._factor = factor

    def factors(self, leaving: datetime, origins: Sequence[Point]) -> Numbers:
        """What the times of the set are multiplied by to be medians, shape (origins, 1)."""
        if self._factor is not None:
            return np.full((len(origins), 1), self._factor)
        return np.array([congestion(leaving, origin) for origin in origins]).reshape(-1, 1)


class RoadTravel:
    """The `Travel` of a prepared region. What it can't reach by road is answered by the estimate and labelled so.

    Times are those learnt for the part of the week, by the sun at the region's centre; for a part that was not learnt
    they are free-flow times and the factor of the hour.

    Engines keep the interpreter's lock during a call, so a worker thread does not make them parallel. Calls run in
    one all the same, and big tables are cut in tiles: between two tiles the event loop gets its turn, and no request
    waits longer than one tile. The engine searches once from each row and column of a tile: large ones cost less.
    """

    def __init__(
        self, bounds: Bounds, free_flow: RoadSet, learnt: Mapping[DayPart, RoadSet], drives: Drives, tile: int
    ) -> None:
        self._bounds = bounds
        self._free_flow = free_flow
        self._learnt = learnt
        self._drives = drives
        self._tile = tile
        self._otherwise = EstimatedTravel()

    async def route(self, origin: Point, to: Point, leaving: datetime) -> Route:
        """Median and p90 seconds, metres and line of the fastest drive."""
        roads = self._roads(leaving)
        covered = origin in self._bounds and to in self._bounds
        drive = await self._drive(roads, origin, to) if covered else None
        if drive is None:
            return await self._otherwise.route(origin, to, leaving)
        raw, metres, line = drive
        seconds = raw * roads.factors(leaving, [origin])[0]
        return Route(
            seconds=int(whole(seconds)[0]),
            p90_seconds=int(whole(seconds * roads.p90_over_median)[0]),
            metres=int(whole(np.array([metres]))[0]),
            line=line,
            source=Source.ROADS,
        )

    async def table(self, origins: Sequence[Point], to: Sequence[Point], leaving: datetime) -> Matrix:
        """Median and p90 seconds and metres, shape (origins, to)."""
        roads = self._roads(leaving)
        estimate = await self._otherwise.table(origins, to, leaving)
        drives = await self._tiled(roads.engine, origins, to)
        by_road = np.isfinite(drives.seconds)
        seconds = np.where(by_road, drives.seconds, 0.0) * roads.factors(leaving, origins)
        metres = np.where(by_road, drives.metres, 0.0)
        return Matrix(
            seconds=np.where(by_road, whole(seconds), estimate.seconds),
            p90_seconds=np.where(by_road, whole(seconds * roads.p90_over_median), estimate.p90_seconds),
            metres=np.where(by_road, whole(metres), estimate.metres),
            estimated=~by_road,
        )

    async def snap(self, point: Point) -> Snapped:
        """The nearest place on a road; the point itself, labelled, where no road is near."""
        if point in self._bounds:
            on_road, metres = await asyncio.to_thread(self._free_flow.engine.nearest, point)
            if metres <= SNAP_LIMIT:
                return Snapped(on_road, round(metres), Source.ROADS)
        return await self._otherwise.snap(point)

    async def match(self, fixes: Sequence[Fix]) -> Matched:
        """The segments driven, in stretches; between two the event loop gets its turn."""
        engine = self._free_flow.engine
        found = [await asyncio.to_thread(engine.match_piece, fixes, piece) for piece in pieces(fixes)]
        return joined(len(fixes), found) if found else unmatched(fixes)

    def _roads(self, leaving: datetime) -> RoadSet:
        return self._learnt.get(daypart_of(leaving, self._bounds.centre), self._free_flow)

    async def _drive(self, roads: RoadSet, origin: Point, to: Point) -> Drive | None:
        asked = (*roads.key, origin, to)
        if asked in self._drives:
            return self._drives[asked]
        drive = await asyncio.to_thread(roads.engine.drive, origin, to)
        self._drives.keep(asked, drive)
        return drive

    async def _tiled(self, engine: Engine, origins: Sequence[Point], to: Sequence[Point]) -> FreeFlow:
        """Road times of the pairs inside the region, tile by tile; NaN elsewhere."""
        shape = (len(origins), len(to))
        whole_table = FreeFlow(np.full(shape, np.nan), np.full(shape, np.nan))
        for rows, columns in product(self._tiles(origins), self._tiles(to)):
            tile = await asyncio.to_thread(engine.table, [origins[i] for i in rows], [to[j] for j in columns])
            cells = np.ix_(rows, columns)
            whole_table.seconds[cells], whole_table.metres[cells] = tile.seconds, tile.metres
        return whole_table

    def _tiles(self, points: Sequence[Point]) -> Iterator[list[int]]:
        covered = [index for index, point in enumerate(points) if point in self._bounds]
        for start in range(0, len(covered), self._tile):
            yield covered[start : start + self._tile]
