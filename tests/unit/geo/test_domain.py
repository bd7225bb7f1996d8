import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.geo.domain import Bounds, Point, line_to_geojson, point_from_geojson, point_to_geojson
from server.geo.errors import NotAPoint, PointOutOfRange

points = st.builds(Point, st.floats(-180, 180), st.floats(-90, 90))


@pytest.mark.parametrize(("lon", "lat"), [(180.1, 0), (0, -90.1), (math.nan, 0), (0, math.inf), (43.7, 743)])
def test_a_point_off_the_earth_is_refused(lon: float, lat: float) -> None:
    with pytest.raises(PointOutOfRange, match="longitude first"):
        Point(lon, lat)


def test_a_degree_of_latitude_is_111_km() -> None:
    assert Point(7, 43).metres_to(Point(7, 44)) == pytest.approx(111_195, abs=1)


def test_the_antimeridian_is_no_wall() -> None:
    assert Point(179.99, 0).metres_to(Point(-179.99, 0)) == pytest.approx(2_224, abs=1)


@given(points, points)
def test_distance_is_symmetric_and_at_most_half_the_globe(one: Point, other: Point) -> None:
    assert one.metres_to(other) == other.metres_to(one)
    assert 0 <= one.metres_to(other) <= 20_015_115


@given(points)
def test_geojson_gives_the_same_point_back(point: Point) -> None:
    assert point_from_geojson(point_to_geojson(point)) == point


@pytest.mark.parametrize(
    "geometry",
    [
        {},
        {"type": "Point"},
        {"type": "Point", "coordinates": [7]},
        {"type": "Point", "coordinates": ["7", "43"]},
        {"type": "Point", "coordinates": [True, False]},
        {"type": "LineString", "coordinates": [[7, 43], [8, 44]]},
    ],
)
def test_what_is_no_geojson_point_is_refused(geometry: dict[str, Any]) -> None:
    with pytest.raises(NotAPoint):
        point_from_geojson(geometry)


def test_a_height_in_geojson_is_dropped() -> None:
    assert point_from_geojson({"type": "Point", "coordinates": [7, 43, 162.5]}) == Point(7, 43)


def test_a_line_becomes_a_geojson_line_string() -> None:
    line = line_to_geojson([Point(7, 43), Point(8, 44)])
    assert line == {"type": "LineString", "coordinates": [[7, 43], [8, 44]]}


def test_bounds_hold_the_points_they_were_drawn_around() -> None:
    corners = [Point(7.4, 43.7), Point(7.5, 43.6), Point(7.45, 43.8)]
    bounds = Bounds.around(corners)
    assert bounds.as_list() == [7.4, 43.6, 7.5, 43.8]
    assert all(corner in bounds for corner in [*corners, bounds.centre])
    assert Point(7.51, 43.7) not in bounds
