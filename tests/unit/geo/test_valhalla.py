"""What Valhalla does beyond the port; the port's promises are in the contract suite."""

from dataclasses import replace
from pathlib import Path

import pytest
import shapely

from server.geo.domain import Point
from server.geo.errors import ValhallaNotBuilt
from server.geo.region import Region

pytest.importorskip("valhalla", reason="the extra `valhalla` is not installed")

from server.geo.valhalla import ValhallaEngine, decoded

STADIUM, OPEN_SEA = Point(7.4155, 43.7276), Point(7.4480, 43.7240)


def test_the_farther_one_may_drive_the_farther_one_comes(monaco: Region) -> None:
    near, far = (
        shapely.Polygon([(p.lon, p.lat) for p in ring]) for ring in ValhallaEngine(monaco).reach(STADIUM, [2, 6])
    )
    assert near.distance(shapely.Point(STADIUM.lon, STADIUM.lat)) < 0.001
    assert far.area > 2 * near.area


def test_from_where_no_road_is_near_there_is_no_drive(monaco: Region) -> None:
    assert ValhallaEngine(monaco).drive(STADIUM, OPEN_SEA) is None


def test_a_region_prepared_without_it_says_what_to_do(monaco: Region, tmp_path: Path) -> None:
    with pytest.raises(ValhallaNotBuilt, match="callout region rebuild monaco"):
        ValhallaEngine(replace(monaco, folder=tmp_path))


def test_a_line_is_read_from_its_letters() -> None:
    # The example of the format's description, there in hundred thousandths.
    assert decoded("_p~iF~ps|U_ulLnnqC_mqNvxq`@") == (
        Point(-12.02, 3.85),
        Point(-12.095, 4.07),
        Point(-12.6453, 4.3252),
    )
