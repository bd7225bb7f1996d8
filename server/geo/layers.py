"""Which OpenStreetMap tags become which layer and class of the basemap, and from which zoom on. Data, read top down."""

from collections.abc import Mapping
from typing import Protocol


class Tags(Protocol):
    def get(self, key: str, /) -> str | None: ...


ROADS: Mapping[str, tuple[str, int]] = {  # highway=... -> class, first zoom
    "motorway": ("motorway", 5),
    "motorway_link": ("motorway", 10),
    "trunk": ("trunk", 6),
    "trunk_link": ("trunk", 10),
    "primary": ("primary", 8),
    "primary_link": ("primary", 11),
    "secondary": ("secondary", 9),
    "secondary_link": ("secondary", 12),
    "tertiary": ("tertiary", 11),
    "tertiary_link": ("tertiary", 12),
    "unclassified": ("residential", 12),
    "residential": ("residential", 12),
    "living_street": ("residential", 12),
    "road": ("residential", 12),
    "service": ("service", 13),
    "pedestrian": ("path", 13),
    "footway": ("path", 14),
    "path": ("path", 13),
    "track": ("path", 13),
    "cycleway": ("path", 13),
    "bridleway": ("path", 13),
    "steps": ("path", 14),
}
RAILS = frozenset({"rail", "light_rail", "subway", "tram", "narrow_gauge", "funicular"})
DRIVABLE = frozenset({"motorway", "trunk", "primary", "secondary", "tertiary", "residential"})  # classes, not tags

_LANDUSE: tuple[tuple[str, frozenset[str], str, int], ...] = (  # key, values, class, first zoom
    ("landuse", frozenset({"residential"}), "residential", 9),
    ("landuse", frozenset({"commercial", "retail"}), "commercial", 10),
    ("landuse", frozenset({"industrial", "railway", "port", "quarry", "construction", "brownfield"}), "industrial", 10),
    ("landuse", frozenset({"forest"}), "wood", 7),
    ("natural", frozenset({"wood"}), "wood", 7),
    ("natural", frozenset({"scrub", "heath", "fell"}), "scrub", 9),
    ("natural", frozenset({"grassland"}), "grass", 9),
    ("natural", frozenset({"wetland"}), "wetland", 10),
    ("natural", frozenset({"beach", "sand"}), "sand", 11),
    ("natural", frozenset({"bare_rock", "scree", "shingle"}), "rock", 10),
    ("natural", frozenset({"glacier"}), "glacier", 7),
    ("landuse", frozenset({"grass", "meadow", "village_green", "flowerbed", "recreation_ground"}), "grass", 11),
    ("landuse", frozenset({"farmland", "farmyard", "orchard", "vineyard", "allotments"}), "farmland", 9),
    ("landuse", frozenset({"cemetery"}), "cemetery", 12),
    ("leisure", frozenset({"park", "garden", "nature_reserve", "golf_course"}), "park", 10),
    ("leisure", frozenset({"pitch", "playground", "stadium", "sports_centre", "track"}), "pitch", 13),
    ("amenity", frozenset({"school", "university", "college", "kindergarten"}), "school", 12),
    ("amenity", frozenset({"hospital"}), "hospital", 12),
)

WATERWAYS: Mapping[str, int] = {"river": 8, "canal": 10, "stream": 13}  # drawn as lines

PLACES: Mapping[str, tuple[int, int]] = {  # place=... -> rank (1 is drawn first), first zoom
    "country": (1, 2),
    "city": (2, 5),
    "town": (3, 8),
    "village": (4, 10),
    "suburb": (5, 11),
    "quarter": (6, 13),
    "hamlet": (6, 12),
    "neighbourhood": (7, 13),
}

BOUNDARIES: Mapping[str, int] = {"2": 2, "4": 5, "6": 8, "8": 11}  # admin_level -> first zoom


def road_of(tags: Tags) -> tuple[str, int] | None:
    """Class and first zoom of a way that is a road or railway on the ground."""
    if tags.get("railway") in RAILS:
        return "rail", 10
    return ROADS.get(tags.get("highway") or "")


def landuse_of(tags: Tags) -> tuple[str, int] | None:
    for key, values, kind, zoom in _LANDUSE:
        if tags.get(key) in values:
            return kind, zoom
    return None


def water_of(tags: Tags) -> tuple[str, int] | None:
    """Class and first zoom of an area of water."""
    if tags.get("natural") == "water":
        return tags.get("water") or "lake", 7
    if tags.get("waterway") in {"riverbank", "dock"} or tags.get("landuse") in {"reservoir", "basin"}:
        return "lake", 7
    return ("pool", 15) if tags.get("leisure") == "swimming_pool" else None
