"""The port through which everything asks how long a drive takes, and the adapter that follows the region in use."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from server.core.logging import logger
from server.geo.domain import Point
from server.geo.drives import Drives
from server.geo.errors import RegionProblem
from server.geo.estimate import EstimatedTravel
from server.geo.journey import Matrix, Route, Snapped
from server.geo.matching import Fix, Matched
from server.geo.osrm import RoadEngine
from server.geo.region import Region, RegionInUse
from server.geo.road_travel import TILE, RoadSet, RoadTravel

log = logger(__name__)


class Travel(Protocol):
    """Drives between points in WGS-84, leaving at an aware instant. Every answer is complete and says its source."""

    async def route(self, origin: Point, to: Point, leaving: datetime) -> Route: ...

    async def table(self, origins: Sequence[Point], to: Sequence[Point], leaving: datetime) -> Matrix:
        """Shape (origins, to); either may be empty."""
        ...

    async def snap(self, point: Point) -> Snapped: ...

    async def match(self, fixes: Sequence[Fix]) -> Matched:
        """The segments that fixes in order of time were driven on; none where there are no roads."""
        ...


type OpenRoads = Callable[[Region, Drives, int], Travel]


def osrm_roads(region: Region, drives: Drives, tile: int) -> Travel:
    """The roads of a build, with what was learnt on them."""
    learnt = {
        part: RoadSet(RoadEngine(roads.base), (region.build, part), roads.learnt.factor, roads.learnt.p90_over_median)
        for part, roads in region.dayparts.items()
    }
    free_flow = RoadSet(RoadEngine(region.osrm_base), (region.build, ""))
    return RoadTravel(region.bounds, free_flow, learnt, drives, tile)


def travel_for(region: Region | None) -> Travel:
    """Roads inside the region and the estimate outside; the estimate alone without a region."""
    return EstimatedTravel() if region is None else osrm_roads(region, Drives(), TILE)


class TravelInUse:
    """The `Travel` of the region in use at this moment, its roads opened in this process.

    Whoever asked before a change is answered by the roads asked. `tile`: rows and columns asked of the engine at once.
    """

    def __init__(self, regions: RegionInUse, open_roads: OpenRoads = osrm_roads, tile: int = TILE) -> None:
        self._regions = regions
        self._open_roads = open_roads
        self._tile = tile
        self._drives = Drives()
        self._of = regions.now()
        self._travel = self._open(self._of)

    async def route(self, origin: Point, to: Point, leaving: datetime) -> Route:
        return await self._now().route(origin, to, leaving)

    async def table(self, origins: Sequence[Point], to: Sequence[Point], leaving: datetime) -> Matrix:
        return await self._now().table(origins, to, leaving)

    async def snap(self, point: Point) -> Snapped:
        return await self._now().snap(point)

    async def match(self, fixes: Sequence[Fix]) -> Matched:
        return await self._now().match(fixes)

    def _now(self) -> Travel:
        region = self._regions.now()
        if region is not self._of:
            self._of = region
            self._change_to(region)
        return self._travel

    def _change_to(self, region: Region | None) -> None:
        """Mapping the new files takes milliseconds; roads that can't be opened leave the ones before in use."""
        try:
            self._travel = self._open(region)
        except (RuntimeError, RegionProblem) as problem:
            log.warning("road data can't be opened; the one before stays", problem=str(problem))

    def _open(self, region: Region | None) -> Travel:
        return EstimatedTravel() if region is None else self._open_roads(region, self._drives, self._tile)
