"""Places on Earth in WGS-84 degrees, and the integer units that travel is counted in."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from server.geo.errors import NotAPoint, PointOutOfRange

type Seconds = int
type Metres = int

EARTH_RADIUS = 6_371_008.8  # mean, metres: what PostGIS uses for a sphere

_FARTHEST_LON, _FARTHEST_LAT = 180, 90


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """Longitude and latitude in WGS-84 degrees. Raises PointOutOfRange, NaN included."""

    lon: float
    lat: float

    def __post_init__(self) -> None:
        if not (abs(self.lon) <= _FARTHEST_LON and abs(self.lat) <= _FARTHEST_LAT):
            raise PointOutOfRange(lon=self.lon, lat=self.lat)

    @classmethod
    def from_db(cls, lon_lat: Sequence[float]) -> Self:
        """Read what statements answer as `array[st_x(place::geometry), st_y(place::geometry)]`."""
        return cls(*lon_lat)

    def metres_to(self, other: "Point") -> Metres:
        return round(haversine(self, other))


@dataclass(frozen=True, slots=True)
class Bounds:
    """A box in degrees, west to east and south to north; it never crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def around(cls, points: Iterable[Point]) -> Self:
        """The smallest box around at least one point."""
        lons, lats = zip(*((point.lon, point.lat) for point in points), strict=True)
        return cls(min(lons), min(lats), max(lons), max(lats))

    def __contains__(self, point: Point) -> bool:
        return self.west <= point.lon <= self.east and self.south <= point.lat <= self.north

    @property
    def centre(self) -> Point:
        return Point((self.west + self.east) / 2, (self.south + self.north) / 2)

    def as_list(self) -> list[float]:
        """GeoJSON's `bbox` order."""
        return [self.west, self.south, self.east, self.north]


def haversine(one: Point, other: Point) -> float:
    """Great-circle distance in metres on the mean sphere (within 0.6 % of the ellipsoid)."""
    lat, other_lat = math.radians(one.lat), math.radians(other.lat)
    half_lat = math.sin((other_lat - lat) / 2)
    half_lon = math.sin(math.radians(other.lon - one.lon) / 2)
    chord = half_lat**2 + math.cos(lat) * math.cos(other_lat) * half_lon**2
    return 2 * EARTH_RADIUS * math.asin(math.sqrt(min(1.0, chord)))


def point_to_geojson(point: Point) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [point.lon, point.lat]}


def point_from_geojson(geometry: Mapping[str, Any]) -> Point:
    """Read a GeoJSON point; a height is dropped. Raises NotAPoint and PointOutOfRange."""
    match geometry:
        case {"type": "Point", "coordinates": [lon, lat, *_]} if _is_number(lon) and _is_number(lat):
            return Point(float(lon), float(lat))
    raise NotAPoint


def line_to_geojson(line: Sequence[Point]) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": [[point.lon, point.lat] for point in line]}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
