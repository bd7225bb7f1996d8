"""A made-up town to learn about: a straight street of stretches of 100 m, and drives along it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from server.geo.domain import Point
from server.geo.learning.engine import Way
from server.geo.learning.material import Driven
from server.geo.learning.network import Roads

STRETCHES = 40
STRETCH_M = 100.0
CORNER = Point(0.0, 43.0)
MONDAY = datetime(2026, 11, 2, tzinfo=UTC)


def a_street(kmh: float = 50.0) -> Roads:
    """From node 0 to node STRETCHES, northwards: a tenth of an hour or so on empty roads."""
    nodes = np.arange(STRETCHES)
    lat = CORNER.lat + (nodes + 0.5) * STRETCH_M / 111_195
    seconds = np.full(STRETCHES, STRETCH_M * 3.6 / kmh)
    return Roads(nodes, nodes + 1, seconds, np.full(STRETCHES, STRETCH_M), np.full(STRETCHES, CORNER.lon), lat)


def a_way(roads: Roads, times: float | Sequence[float] = 1.0, turns: float = 0.0) -> Way:
    """Along the whole street, in so many times its free flow."""
    return Way(roads.from_node, roads.to_node, roads.seconds * np.asarray(times), roads.seconds, turns)


def a_drive(
    roads: Roads, times: float | Sequence[float], *, day: int = 0, hour: float = 8.5, turns: float = 0.0
) -> Driven:
    """Begun on the so-manieth day from a Monday on, by the sun."""
    way = a_way(roads, times, turns)
    began = MONDAY + timedelta(days=day, hours=hour)
    return Driven(began, float(way.seconds.sum()) + turns, CORNER, way, a_way(roads, 1.0, turns))
