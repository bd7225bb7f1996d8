"""The port through which everything asks how long a drive takes, and the choice of its adapter."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from server.geo.domain import Point
from server.geo.estimate import EstimatedTravel
from server.geo.journey import Matrix, Route, Snapped
from server.geo.osrm import OsrmTravel
from server.geo.region import Region


class Travel(Protocol):
    """Drives between points in WGS-84, leaving at an aware instant. Every answer is complete and says its source."""

    async def route(self, origin: Point, to: Point, leaving: datetime) -> Route: ...

    async def table(self, origins: Sequence[Point], to: Sequence[Point], leaving: datetime) -> Matrix:
        """Shape (origins, to); either may be empty."""
        ...

    async def snap(self, point: Point) -> Snapped: ...


def travel_for(region: Region | None) -> Travel:
    """Roads inside the region and the estimate outside; the estimate alone without a region.

    Loads the road data into this process: call it once at start.
    """
    return EstimatedTravel() if region is None else OsrmTravel(region.osrm_base, region.bounds)
