"""The engine's own files and answers, on real roads."""

import numpy as np
import pytest

from server.geo.domain import Point
from server.geo.learning.engine import EmptyRoads
from server.geo.learning.network import Roads
from server.geo.learning.trips import trips_of
from server.geo.matching import Fix
from server.geo.osrm import RoadEngine
from tests.regions import monaco, monaco_extract

__all__ = ["monaco", "monaco_extract"]

WEST, EAST = Point(7.4120, 43.7290), Point(7.4330, 43.7480)


@pytest.fixture(scope="module")
def roads(monaco) -> Roads:
    return Roads.read(monaco.osrm_base)


@pytest.fixture(scope="module")
def engine(monaco) -> EmptyRoads:
    return EmptyRoads(monaco.osrm_base)


def test_the_network_is_that_of_the_engine(roads, engine):
    """Every stretch of a way has the time that the network says, its two ends excepted."""
    way = engine.fastest(WEST, EAST)
    rows = roads.find(way.from_node, way.to_node)
    assert (rows >= 0).all()
    assert roads.seconds[rows[1:-1]] == pytest.approx(way.free_flow[1:-1], abs=0.051)
    assert 3.6 * roads.metres.sum() / roads.seconds.sum() == pytest.approx(35, abs=20)
    assert (np.lexsort((roads.to_node, roads.from_node)) == np.arange(len(roads))).all()


def test_unknown_stretches_are_answered_as_such(roads):
    assert roads.find(np.array([1, roads.from_node[7]]), np.array([2, 5])).tolist() == [-1, -1]
    assert roads.find(roads.from_node, roads.to_node).tolist() == list(range(len(roads)))


def test_a_way_takes_as_long_as_the_engine_says(engine, monaco):
    drive = RoadEngine(monaco.osrm_base).drive(WEST, EAST)
    assert drive is not None
    assert engine.fastest(WEST, EAST).free_flow_seconds == pytest.approx(drive[0], abs=0.2)


def test_a_drive_is_found_on_its_roads_with_its_time_shared_out(engine, monaco):
    """Driven at half the speed of empty roads, with a wait of a minute in the middle."""
    drive = RoadEngine(monaco.osrm_base).drive(WEST, EAST)
    assert drive is not None
    fixes = _driven(drive[2], seconds_each=12)
    middle = len(fixes) // 2
    waited = fixes[:middle] + [Fix(it.lon, it.lat, it.at + 60, it.accuracy) for it in fixes[middle:]]
    (trip,) = trips_of(waited)
    driven, fastest = engine.driven(trip), engine.fastest(WEST, EAST)
    assert driven.seconds.sum() + driven.turns == pytest.approx(trip[-1].at - trip[0].at, rel=0.05)
    assert driven.free_flow_seconds == pytest.approx(fastest.free_flow_seconds, rel=0.15)
    shared = set(zip(driven.from_node.tolist(), driven.to_node.tolist(), strict=True)) & set(
        zip(fastest.from_node.tolist(), fastest.to_node.tolist(), strict=True)
    )
    assert len(shared) > 0.8 * len(fastest.from_node)


def test_where_there_are_no_roads_there_is_no_way(engine):
    sea = [Fix(7.9 + n / 1000, 43.2, 15.0 * n, 8) for n in range(20)]
    assert engine.driven(tuple(sea)) is None


def _driven(line, seconds_each: int) -> list[Fix]:
    """Every third point of a line, so many seconds apart."""
    return [Fix(point.lon, point.lat, 1e9 + seconds_each * n, 5.0) for n, point in enumerate(line[::3])]
