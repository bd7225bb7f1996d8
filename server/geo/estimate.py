"""Travel without roads: great-circle x detour x speed by distance and hour, labelled as an estimate."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from server.geo.congestion import P90_OVER_MEDIAN, congestion
from server.geo.domain import EARTH_RADIUS, Point
from server.geo.journey import Integers, Matrix, Route, Snapped, Source
from server.geo.matching import Fix, Matched, unmatched

# Measured on 14,000 random drives over a European metropolitan area: roads are about 1.45 times the great circle, and
# the longer the drive the more of it runs on fast roads (26 km/h under 1 km, 45 at 5 km, 69 at 40 km).
DETOUR = 1.45
_KMH_AT_1_KM, _KMH_PER_LOG_KM = 30.0, 11.0
_SLOWEST_KMH, _FASTEST_KMH = 22.0, 90.0


class EstimatedTravel:
    """The `Travel` of a place without a prepared region; it covers the whole Earth and never fails."""

    async def route(self, origin: Point, to: Point, leaving: datetime) -> Route:
        drive = await self.table([origin], [to], leaving)
        return Route(
            seconds=int(drive.seconds[0, 0]),
            p90_seconds=int(drive.p90_seconds[0, 0]),
            metres=int(drive.metres[0, 0]),
            line=(origin, to),
            source=Source.ESTIMATE,
        )

    async def table(self, origins: Sequence[Point], to: Sequence[Point], leaving: datetime) -> Matrix:
        """Median and p90 seconds and metres, shape (origins, to)."""
        straight = _great_circles(_degrees(origins), _degrees(to))
        factors = np.array([congestion(leaving, origin) for origin in origins]).reshape(-1, 1)
        return _matrix(straight, factors)

    def gathering(self, lon: NDArray[np.float64], lat: NDArray[np.float64], to: Point, leaving: datetime) -> Matrix:
        """Answer the drives from many places near each other to one, shape (places, 1), at the traffic there."""
        straight = _great_circles(np.column_stack((lon, lat)), _degrees([to]))
        return _matrix(straight, np.array(congestion(leaving, to)))

    async def snap(self, point: Point) -> Snapped:
        """The point itself: without roads there is nothing nearer."""
        return Snapped(point, 0, Source.ESTIMATE)

    async def match(self, fixes: Sequence[Fix]) -> Matched:
        """Nothing: without roads no segment was driven."""
        return unmatched(fixes)


def whole(values: NDArray[np.float64]) -> Integers:
    """Round up, so that a drive that happens is never 0 s long."""
    return np.ceil(values).astype(np.int32)


def _matrix(straight: NDArray[np.float64], factors: NDArray[np.float64]) -> Matrix:
    seconds = straight * DETOUR / _free_flow_speed(straight) * factors
    return Matrix(
        seconds=whole(seconds),
        p90_seconds=whole(seconds * P90_OVER_MEDIAN),
        metres=whole(straight * DETOUR),
        estimated=np.ones(straight.shape, dtype=np.bool_),
    )


def _free_flow_speed(metres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Metres per second for a great-circle distance."""
    kmh = _KMH_AT_1_KM + _KMH_PER_LOG_KM * np.log(np.maximum(metres, 1.0) / 1000)
    return np.clip(kmh, _SLOWEST_KMH, _FASTEST_KMH) / 3.6


def _great_circles(origins: NDArray[np.float64], to: NDArray[np.float64]) -> NDArray[np.float64]:
    """Metres from each origin to each destination; the array form of `domain.haversine`. Both are (n, 2) degrees."""
    lon, lat = np.radians(origins.T)
    other_lon, other_lat = np.radians(to.T)
    half_lat = np.sin((other_lat - lat[:, None]) / 2)
    half_lon = np.sin((other_lon - lon[:, None]) / 2)
    chord = half_lat**2 + np.cos(lat)[:, None] * np.cos(other_lat) * half_lon**2
    return np.asarray(2 * EARTH_RADIUS * np.arcsin(np.sqrt(np.minimum(1.0, chord))))


def _degrees(points: Sequence[Point]) -> NDArray[np.float64]:
    return np.array([(point.lon, point.lat) for point in points], dtype=np.float64).reshape(-1, 2)
