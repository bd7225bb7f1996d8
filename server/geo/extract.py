"""Read an OpenStreetMap extract once: features of the basemap, addresses, coastline, and places to try the roads on."""

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import osmium
import osmium.filter
import osmium.geom
import osmium.io
import osmium.osm
from osmium.osm.types import Area, Node, OSMEntity, Relation, Way

from server.geo.addresses import Address
from server.geo.domain import Bounds, Point
from server.geo.errors import ExtractUnreadable
from server.geo.layers import BOUNDARIES, DRIVABLE, PLACES, WATERWAYS, Tags, landuse_of, road_of, water_of

type Property = str | int | None  # None is left out
type Line = list[tuple[float, float]]  # (lon, lat) degrees

_KINDS = ("amenity", "shop", "office", "tourism", "craft", "leisure", "building")
_STREET_CELL = 0.005  # degrees, about 500 m: a long street is listed once in each
_SAMPLE = 60  # places on roads kept for the smoke check


@dataclass(slots=True)
class Survey:
    """What one reading of an extract found."""

    bounds: Bounds
    features: int = 0
    addresses: list[Address] = field(default_factory=list)
    coastline: list[Line] = field(default_factory=list)
    on_roads: list[Point] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Header:
    bounds: Bounds | None  # None where the file does not say what it covers
    timestamp: str


def read_header(extract: Path) -> Header:
    """Raises ExtractUnreadable."""
    try:
        with osmium.io.Reader(extract) as reader:
            header = reader.header()
            box = header.box()
            corners = (box.bottom_left, box.top_right) if box.valid() else None
            bounds = corners and Bounds(corners[0].lon, corners[0].lat, corners[1].lon, corners[1].lat)
            return Header(bounds, header.get("osmosis_replication_timestamp", ""))
    except RuntimeError as problem:
        raise ExtractUnreadable(path=extract, reason=problem) from problem


def survey(extract: Path, features: TextIO) -> Survey:
    """Write the basemap's features as GeoJSON lines and return the rest. Raises ExtractUnreadable."""
    try:
        bounds = read_header(extract).bounds or _bounds_of_roads(extract)
        return _Surveyor(bounds, _admin_levels(extract), features).read(extract)
    except RuntimeError as problem:
        raise ExtractUnreadable(path=extract, reason=problem) from problem


class _Surveyor:
    def __init__(self, bounds: Bounds, admin_levels: dict[int, str], features: TextIO) -> None:
        self._found = Survey(bounds)
        self._admin_levels = admin_levels
        self._features = features
        self._geometry = osmium.geom.GeoJSONFactory()
        self._streets: set[tuple[str, int, int]] = set()
        self._roads_seen = 0
        self._dice = random.Random(0)  # noqa: S311 - nothing secret is drawn

    def read(self, extract: Path) -> Survey:
        tagged = osmium.FileProcessor(extract).with_areas().with_filter(osmium.filter.EmptyTagFilter())
        for thing in tagged:
            match thing:
                case Node():
                    self._node(thing)
                case Way():
                    self._way(thing)
                case Area():
                    self._area(thing)
        return self._found

    def _node(self, node: Node) -> None:
        at = Point(node.location.lon, node.location.lat)
        if (ranked := PLACES.get(node.tags.get("place") or "")) and "name" in node.tags:
            rank, zoom = ranked
            names = _names(node.tags)
            self._write("places", zoom, _geojson(at), kind=node.tags.get("place"), rank=rank, **names)
        self._address(node.tags, at)

    def _way(self, way: Way) -> None:
        tags = way.tags
        if tags.get("natural") == "coastline":
            self._found.coastline.append(_line(way))
        if road := road_of(tags):
            self._road(way, *road)
        if zoom := WATERWAYS.get(tags.get("waterway") or ""):
            self._write_line("water", zoom, way, **{"class": tags.get("waterway")}, **_names(tags))
        if level := self._admin_levels.get(way.id):
            self._write_line("boundary", BOUNDARIES[level], way, level=int(level))

    def _area(self, area: Area) -> None:
        tags = area.tags
        if classed := water_of(tags):
            self._write_area("water", classed[1], area, **{"class": classed[0]}, **_names(tags))
        elif classed := landuse_of(tags):
            self._write_area("landuse", classed[1], area, **{"class": classed[0]}, **_names(tags))
        elif tags.get("building", "no") != "no":
            self._write_area("buildings", 13, area)
        if "addr:housenumber" in tags:
            self._address(tags, _middle(area))

    def _road(self, way: Way, kind: str, zoom: int) -> None:
        tags = way.tags
        if tags.get("area") == "yes" or tags.get("indoor") == "yes":
            return
        below = 1 if tags.get("tunnel") in {"yes", "building_passage"} else None
        ramp = 1 if (tags.get("highway") or "").endswith("_link") else None
        self._write_line("roads", zoom, way, **{"class": kind}, tunnel=below, ramp=ramp, **_names(tags))
        if kind in DRIVABLE:
            self._street(tags, _line(way))

    def _street(self, tags: Tags, line: Line) -> None:
        if not line:
            return
        middle = Point(*line[len(line) // 2])
        if middle not in self._found.bounds:
            return
        self._sample(middle)
        name = tags.get("name") or ""
        cell = (name, int(middle.lon // _STREET_CELL), int(middle.lat // _STREET_CELL))
        if name and cell not in self._streets:
            self._streets.add(cell)
            self._found.addresses.append(Address(name, "", "", "street", "", "", *_rounded(middle)))

    def _sample(self, place: Point) -> None:
        """Keep a fair draw of all places (Vitter's reservoir), the same for the same file."""
        self._roads_seen += 1
        kept = self._found.on_roads
        if len(kept) < _SAMPLE:
            kept.append(place)
        elif (slot := self._dice.randrange(self._roads_seen)) < _SAMPLE:
            kept[slot] = place

    def _address(self, tags: Tags, at: Point) -> None:
        number = tags.get("addr:housenumber")
        if not number or at not in self._found.bounds:
            return
        self._write("housenumbers", 14, _geojson(at), number=number)
        street = tags.get("addr:street") or tags.get("addr:place")
        if street:
            kind = next((value for key in _KINDS if (value := tags.get(key)) and value != "yes"), "address")
            name, postcode, city = (tags.get(key) or "" for key in ("name", "addr:postcode", "addr:city"))
            self._found.addresses.append(Address(street, number, name, kind, postcode, city, *_rounded(at)))

    def _write_line(self, layer: str, zoom: int, way: Way, **properties: Property) -> None:
        try:
            geometry = self._geometry.create_linestring(way)
        except (RuntimeError, osmium.InvalidLocationError):
            return  # its nodes lie outside the extract
        self._write(layer, zoom, geometry, **properties)

    def _write_area(self, layer: str, zoom: int, area: Area, **properties: Property) -> None:
        try:
            geometry = self._geometry.create_multipolygon(area)
        except (RuntimeError, osmium.InvalidLocationError):
            return  # rings that can't be closed
        self._write(layer, zoom, geometry, **properties)

    def _write(self, layer: str, zoom: int, geometry: str, **properties: Property) -> None:
        self._found.features += 1
        write_feature(self._features, layer, zoom, geometry, properties)


def write_feature(file: TextIO, layer: str, zoom: int, geometry: str, properties: Mapping[str, Property]) -> None:
    """One line of GeoJSON with tippecanoe's own hints; `geometry` is JSON text."""
    place = json.dumps({"layer": layer, "minzoom": zoom})
    told = json.dumps({key: value for key, value in properties.items() if value is not None}, ensure_ascii=False)
    file.write(f'{{"type":"Feature","tippecanoe":{place},"properties":{told},"geometry":{geometry}}}\n')


def _admin_levels(extract: Path) -> dict[int, str]:
    """The outermost administrative level that each member way bounds; ways seldom carry it themselves."""
    levels: dict[int, str] = {}
    for relation in osmium.FileProcessor(extract, osmium.osm.RELATION):
        level = relation.tags.get("admin_level") or ""
        if isinstance(relation, Relation) and relation.tags.get("boundary") == "administrative" and level in BOUNDARIES:
            for way in _member_ways(relation):
                levels[way] = min(level, levels.get(way, level))
    return levels


def _member_ways(relation: Relation) -> Iterator[int]:
    return (member.ref for member in relation.members if member.type == "w")


def _bounds_of_roads(extract: Path) -> Bounds:
    """For files whose header does not say what they cover. Raises ExtractUnreadable where nothing is drawn."""
    roads = osmium.FileProcessor(extract, osmium.osm.NODE | osmium.osm.WAY).with_locations()
    points = [Point(*place) for place in _places_on(roads.with_filter(osmium.filter.KeyFilter("highway")))]
    if not points:
        raise ExtractUnreadable(path=extract, reason="it has neither bounds nor roads")
    return Bounds.around(points)


def _places_on(roads: Iterable[OSMEntity]) -> Iterator[tuple[float, float]]:
    for thing in roads:
        if isinstance(thing, Way):
            yield from _line(thing)


def _line(way: Way) -> Line:
    return [(node.lon, node.lat) for node in way.nodes if node.location.valid()]


def _middle(area: Area) -> Point:
    """The mean corner: inside every building that is not a crescent, and near enough for those."""
    corners = [(node.lon, node.lat) for ring in area.outer_rings() for node in ring]
    return Point(sum(lon for lon, _ in corners) / len(corners), sum(lat for _, lat in corners) / len(corners))


def _rounded(point: Point) -> tuple[float, float]:
    """OpenStreetMap's own precision, about 1 cm."""
    return round(point.lon, 7), round(point.lat, 7)


def _geojson(point: Point) -> str:
    return f'{{"type":"Point","coordinates":[{point.lon:.7f},{point.lat:.7f}]}}'


def _names(tags: Tags) -> dict[str, str | None]:
    """The local name and the Simplified Chinese one; the page's language chooses."""
    return {"name": tags.get("name"), "name:zh": tags.get("name:zh-Hans") or tags.get("name:zh")}
