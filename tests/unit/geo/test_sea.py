"""Coastlines run with land on their left. Bounds are one degree square."""

import pytest
import shapely

from server.geo.domain import Bounds
from server.geo.sea import sea_of

BOUNDS = Bounds(0, 0, 1, 1)


def area(*coast: list[tuple[float, float]]) -> float:
    return float(sum(water.area for water in sea_of(coast, BOUNDS)))


def test_inland_there_is_no_sea() -> None:
    assert sea_of([], BOUNDS) == []


def test_the_sea_lies_right_of_the_coast() -> None:
    (south,) = sea_of([[(-1, 0.25), (2, 0.25)]], BOUNDS)
    assert south.area == pytest.approx(0.25)
    assert south.contains(shapely.Point(0.5, 0.1))
    assert area([(2, 0.25), (-1, 0.25)]) == pytest.approx(0.75)


def test_an_island_is_land_and_water_in_a_ring_of_land_is_sea() -> None:
    island = [(0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6), (0.4, 0.4)]
    assert area(island) == pytest.approx(0.96)
    assert area(island[::-1]) == pytest.approx(0.04)


def test_an_island_off_a_coast_leaves_both_dry() -> None:
    island = [(0.4, 0.1), (0.5, 0.1), (0.5, 0.2), (0.4, 0.2), (0.4, 0.1)]
    assert area([(-1, 0.5), (2, 0.5)], island) == pytest.approx(0.49)


def test_a_coast_cut_inside_the_bounds_goes_straight_on() -> None:
    assert area([(0.3, 0.5), (0.5, 0.5)], [(0.5, 0.5), (0.7, 0.5)]) == pytest.approx(0.5)
