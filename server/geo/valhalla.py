"""The second road engine: Valhalla. Slower than OSRM at tables; it knows how far one comes in a time.

Its edges span many nodes of OpenStreetMap, so a trace is put on the road fix by fix, without segments to learn from.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import valhalla

from server.geo.domain import Point
from server.geo.drives import Drive, Drives
from server.geo.errors import ValhallaNotBuilt
from server.geo.matching import Fix, SnappedFix
from server.geo.osrm import SNAP_LIMIT, FreeFlow, Numbers, Piece
from server.geo.region import Region
from server.geo.road_travel import RoadSet, RoadTravel
from server.geo.valhalla_tiles import TILES, configuration

TILE = 20  # its tables take some 25 times as long as OSRM's
_CAR = {"costing": "auto", "directions_type": "none", "units": "kilometers"}
_NO_WAY = {154, 170, 171, 442, 443, 444}  # too far apart, not joined, no road near, no way, no match
_ACCURACY = (5, 100)  # metres


class ValhallaEngine:
    """The tiles of one build, opened in this process. Blocking; times are those of empty roads."""

    def __init__(self, region: Region) -> None:
        """Raise ValhallaNotBuilt for a region prepared without the package."""
        if not (region.folder / TILES).is_dir():
            raise ValhallaNotBuilt(name=region.name)
        self._actor = valhalla.Actor(configuration(region.folder / TILES))

    def drive(self, origin: Point, to: Point) -> Drive | None:
        """Seconds, metres and line of the fastest drive; None where there is none or an end is far from any road."""
        if self.nearest(origin)[1] > SNAP_LIMIT or self.nearest(to)[1] > SNAP_LIMIT:
            return None
        answer = self._ask("route", {**_CAR, "locations": [_place(origin), _place(to)]})
        if answer is None:
            return None
        (leg,) = answer["trip"]["legs"]
        line = decoded(leg["shape"])
        return float(leg["summary"]["time"]), 1000 * float(leg["summary"]["length"]), line

    def table(self, origins: Sequence[Point], to: Sequence[Point]) -> FreeFlow:
        """Shape (origins, to); NaN where no road leads or is near."""
        near, there = (np.array([self.nearest(point)[1] <= SNAP_LIMIT for point in side]) for side in (origins, to))
        seconds, metres = np.full((2, len(origins), len(to)), np.nan)
        if near.any() and there.any():
            told = self._matrix(_those(origins, near), _those(to, there))
            cells = np.ix_(near, there)
            seconds[cells], metres[cells] = told
        return FreeFlow(seconds, metres)

    def nearest(self, point: Point) -> tuple[Point, float]:
        """The nearest place on a drivable road and the metres to it; infinitely far where there is none."""
        answer = self._ask("locate", {"locations": [_place(point)], "costing": "auto"})
        edges = answer[0]["edges"] or [] if answer else []
        places = [Point(edge["correlated_lon"], edge["correlated_lat"]) for edge in edges]
        found = [(float(place.metres_to(point)), place) for place in places]
        metres, place = min(found, default=(np.inf, point))
        return place, metres

    def match_piece(self, fixes: Sequence[Fix], piece: Sequence[int]) -> Piece:
        """Where each fix of these indexes belongs."""
        trace = [fixes[index] for index in piece]
        least, most = _ACCURACY
        asked = {
            "costing": "auto",
            "shape_match": "map_snap",
            "shape": [{"lon": fix.lon, "lat": fix.lat, "time": int(fix.at)} for fix in trace],
            "gps_accuracy": min(max(np.median([fix.accuracy for fix in trace]), least), most),
        }
        answer = self._ask("trace_attributes", asked)
        if answer is None:
            return Piece((), {}, ())
        found = zip(piece, answer["matched_points"], strict=True)
        snapped = {index: _snapped(place) for index, place in found if place["type"] != "unmatched"}
        return Piece((), snapped, (float(answer["confidence_score"]),))

    def reach(self, origin: Point, minutes: Sequence[float]) -> list[tuple[Point, ...]]:
        """How far one comes on empty roads: a ring for each time (4 at most, rising), none where no road is near."""
        asked = {
            "locations": [_place(origin)],
            "costing": "auto",
            "contours": [{"time": time} for time in minutes],
            "polygons": True,
            "denoise": 1,
        }
        answer = self._ask("isochrone", asked)
        rings = [feature["geometry"]["coordinates"][0] for feature in answer["features"]] if answer else []
        return [tuple(Point(lon, lat) for lon, lat in ring) for ring in reversed(rings)]

    def _matrix(self, origins: Sequence[Point], to: Sequence[Point]) -> Numbers:
        asked = {**_CAR, "verbose": False, "sources": list(map(_place, origins)), "targets": list(map(_place, to))}
        answer = self._ask("matrix", asked)
        if answer is None:
            return np.full((2, len(origins), len(to)), np.nan)
        told = answer["sources_to_targets"]
        seconds, kilometres = (np.array(told[name], dtype=np.float64) for name in ("durations", "distances"))
        return np.stack((seconds, 1000 * kilometres))

    def _ask(self, action: str, asked: dict[str, Any]) -> Any:
        """The answer; None where Valhalla finds no way."""
        try:
            return getattr(self._actor, action)(asked)
        except RuntimeError as problem:
            if getattr(problem, "code", None) in _NO_WAY:
                return None
            raise


def valhalla_roads(region: Region, drives: Drives, tile: int) -> RoadTravel:
    """The roads of a build by Valhalla; what was learnt for OSRM does not apply to it."""
    roads = RoadSet(ValhallaEngine(region), (region.build, "valhalla"))
    return RoadTravel(region.bounds, roads, {}, drives, min(tile, TILE))


def decoded(shape: str) -> tuple[Point, ...]:
    """A line of Valhalla: differences of latitude and longitude in millionths, five bits a character."""
    numbers, value, shift = [], 0, 0
    for character in shape.encode():
        bits = character - 63
        value |= (bits & 31) << shift
        shift += 5
        if bits < 32:  # noqa: PLR2004 - the sixth bit says that there is more
            numbers.append(~(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    places = np.cumsum(np.array(numbers).reshape(-1, 2), axis=0) / 1e6
    return tuple(Point(lon, lat) for lat, lon in places.tolist())


def _place(point: Point) -> dict[str, float]:
    return {"lon": point.lon, "lat": point.lat}


def _those(points: Sequence[Point], chosen: Iterable[bool]) -> list[Point]:
    return [point for point, is_chosen in zip(points, chosen, strict=True) if is_chosen]


def _snapped(place: dict[str, Any]) -> SnappedFix:
    return SnappedFix(Point(place["lon"], place["lat"]), round(place["distance_from_trace_point"]))
