"""The gazetteer of a region: addresses from addr:* tags and named streets, with their places."""

import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

from server.geo.domain import Point


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """An address, or a named street (then `housenumber` is empty). Text as in OpenStreetMap; absent parts are empty."""

    street: str
    housenumber: str
    name: str  # of what stands there: a shop, a hotel, a building
    kind: str  # the value of its amenity, shop, office, tourism or building tag; "street" for a street
    postcode: str
    city: str
    lon: float
    lat: float

    @property
    def point(self) -> Point:
        return Point(self.lon, self.lat)

    @property
    def is_street(self) -> bool:
        return self.kind == "street"


def write_addresses(path: Path, addresses: Iterable[Address]) -> None:
    """One JSON row each, sorted and without doubles, so that the same extract always gives the same file."""
    rows = (json.dumps(astuple(address), ensure_ascii=False) for address in sorted(set(addresses)))
    path.write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")


def read_addresses(path: Path) -> list[Address]:
    return [Address(*row) for row in json.loads(path.read_text(encoding="utf-8"))]
