"""The port through which everything asks how long a drive takes, and the adapter that follows the region in use."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from server.core.logging import logger
from server.geo.domain import Point
from server.geo.drives import Drives
from server.geo.estimate import EstimatedTravel
from server.geo.journey import Matrix, Route, Snapped
from server.geo.matching import Fix, Matched
from server.geo.osrm import OsrmTravel
from server.geo.region import Region, RegionInUse

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


def travel_for(region: Region | None, drives: Drives | None = None) -> Travel:
    """Roads inside the region and the estimate outside; the estimate alone without a region."""
    return EstimatedTravel() if region is None else OsrmTravel(region, drives)


class TravelInUse:
    """The `Travel` of the region in use at this moment, its roads opened in this process.

    Whoever asked before a change is answered by the roads asked.
    """

    def __init__(self, regions: RegionInUse) -> None:
        self._regions = regions
        self._drives = Drives()
        self._of = regions.now()
        self._travel = travel_for(self._of, self._drives)

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
            self._travel = travel_for(region, self._drives)
        except RuntimeError as problem:
            log.warning("road data can't be opened; the one before stays", problem=str(problem))
