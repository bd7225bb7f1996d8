"""What every `Travel` promises, tried on the estimate, on roads opened here, and through the travel service."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from server.geo.domain import Point
from server.geo.estimate import EstimatedTravel
from server.geo.journey import Source
from server.geo.matching import Fix
from server.geo.region import Region, RegionInUse
from server.geo.road_travel import RoadTravel
from server.geo.travel import Travel, TravelInUse, travel_for
from server.geo.travel_service.client import ServedTravel
from tests.regions import monaco, monaco_extract

__all__ = ["monaco", "monaco_extract"]
pytestmark = pytest.mark.anyio

HARBOUR, CASINO, STADIUM = Point(7.4216, 43.7345), Point(7.4280, 43.7393), Point(7.4155, 43.7276)
PLACES = [HARBOUR, CASINO, STADIUM]
OPEN_SEA = Point(7.4480, 43.7240)  # inside the region's bounds, 2 km from any road
PORTO, AUCKLAND = Point(-8.61, 41.15), Point(174.76, -36.85)
NIGHT = datetime(2026, 11, 28, 3, 30, tzinfo=UTC)
RUSH = datetime(2026, 11, 23, 17, 15, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def here(monaco: Region) -> Travel:
    return TravelInUse(RegionInUse(monaco.folder.parents[1], "monaco"))


@pytest.fixture(scope="module")
def valhalla(monaco: Region) -> Travel:
    pytest.importorskip("valhalla", reason="the extra `valhalla` is not installed")
    from server.geo.valhalla import valhalla_roads

    return TravelInUse(RegionInUse(monaco.folder.parents[1], "monaco"), valhalla_roads)


@pytest.fixture
def served(travel_socket: Path) -> Travel:
    return ServedTravel(travel_socket)


@pytest.fixture
def away(tmp_path: Path) -> Travel:
    """The service's, when there is none."""
    return ServedTravel(tmp_path / "nobody")


@pytest.fixture
def estimate() -> Travel:
    return travel_for(None)


@pytest.fixture(params=["here", "served", "valhalla"])
def roads(request: pytest.FixtureRequest) -> Travel:
    """Travel on Monaco's roads, opened in this process or in the service's."""
    adapter: Travel = request.getfixturevalue(request.param)
    return adapter


@pytest.fixture(params=["estimate", "here", "served", "away", "valhalla"])
def travel(request: pytest.FixtureRequest) -> Travel:
    """Every adapter there is."""
    adapter: Travel = request.getfixturevalue(request.param)
    return adapter


def test_a_region_brings_roads_and_none_the_estimate(monaco: Region) -> None:
    assert isinstance(travel_for(monaco), RoadTravel)
    assert isinstance(travel_for(None), EstimatedTravel)


async def test_staying_takes_no_time(travel: Travel) -> None:
    stay = await travel.route(CASINO, CASINO, RUSH)
    assert (stay.seconds, stay.p90_seconds, stay.metres) == (0, 0, 0)
    assert len(stay.line) >= 2
    table = await travel.table(PLACES, PLACES, RUSH)
    assert not np.diagonal(table.seconds).any()


async def test_a_drive_takes_time_and_the_slow_tenth_takes_longer(travel: Travel) -> None:
    drive = await travel.route(STADIUM, CASINO, RUSH)
    assert 60 < drive.seconds < drive.p90_seconds < 3600
    assert drive.metres > STADIUM.metres_to(CASINO)


async def test_a_line_leads_from_the_origin_to_the_end(travel: Travel) -> None:
    drive = await travel.route(STADIUM, CASINO, RUSH)
    assert drive.line[0].metres_to(STADIUM) < 150
    assert drive.line[-1].metres_to(CASINO) < 150
    along = sum(here.metres_to(there) for here, there in pairwise(drive.line))
    assert along <= 1.02 * drive.metres


async def test_the_rush_is_slower_than_the_night(travel: Travel) -> None:
    night, rush = [(await travel.route(STADIUM, CASINO, leaving)).seconds for leaving in (NIGHT, RUSH)]
    assert rush > 1.4 * night


async def test_a_table_has_whole_numbers_in_every_cell(travel: Travel) -> None:
    table = await travel.table([*PLACES, OPEN_SEA, PORTO], [*PLACES, AUCKLAND], RUSH)
    for numbers in (table.seconds, table.p90_seconds, table.metres):
        assert numbers.shape == (5, 4)
        assert numbers.dtype == np.int32
        assert (numbers >= 0).all()
    assert (table.p90_seconds >= table.seconds).all()
    assert table.estimated.shape == (5, 4)


@pytest.mark.parametrize(("rows", "columns"), [(0, 3), (3, 0), (0, 0)])
async def test_an_empty_table_keeps_its_shape(travel: Travel, rows: int, columns: int) -> None:
    table = await travel.table(PLACES[:rows], PLACES[:columns], RUSH)
    assert table.seconds.shape == table.metres.shape == table.estimated.shape == (rows, columns)


async def test_a_table_says_the_same_as_single_routes(travel: Travel) -> None:
    table = await travel.table(PLACES, [*PLACES, PORTO], RUSH)
    for row, origin in enumerate(PLACES):
        for column, to in enumerate([*PLACES, PORTO]):
            drive = await travel.route(origin, to, RUSH)
            # Valhalla's tables cut fractions of a second off, which the rush makes 2 s and its slow tenth 4.
            assert drive.seconds == pytest.approx(table.seconds[row, column], abs=3)
            assert drive.p90_seconds == pytest.approx(table.p90_seconds[row, column], abs=5)
            assert drive.metres == pytest.approx(table.metres[row, column], abs=2)
            assert drive.source == table.source(row, column)


async def test_the_other_side_of_the_world_is_answered_and_labelled(travel: Travel) -> None:
    drive = await travel.route(PORTO, AUCKLAND, RUSH)
    assert drive.source is Source.ESTIMATE
    assert drive.metres > 15_000_000
    assert drive.line == (PORTO, AUCKLAND)


async def test_a_longer_way_never_takes_less_time_by_estimate() -> None:
    farther = [Point(7.4 + 0.0001 * 1.3**step, 43.7) for step in range(50)]
    table = await travel_for(None).table([Point(7.4, 43.7)], farther, RUSH)
    assert (np.diff(table.seconds[0]) > 0).all()


async def test_a_snapped_point_is_near_and_says_how_far(travel: Travel) -> None:
    snapped = await travel.snap(HARBOUR)
    assert snapped.metres == pytest.approx(HARBOUR.metres_to(snapped.point), abs=1)
    assert snapped.metres < 150


async def test_inside_the_region_drives_follow_its_roads(roads: Travel) -> None:
    drive = await roads.route(STADIUM, CASINO, RUSH)
    assert drive.source is Source.ROADS
    assert len(drive.line) > 20
    snapped = await roads.snap(HARBOUR)
    assert snapped.source is Source.ROADS
    assert (await roads.snap(snapped.point)).metres <= 10  # Valhalla prefers roads that lead on to nearer ones


async def test_only_the_cells_that_no_road_reaches_are_estimated(roads: Travel) -> None:
    table = await roads.table([CASINO, PORTO, OPEN_SEA], [HARBOUR, AUCKLAND, STADIUM], RUSH)
    assert table.estimated.tolist() == [[False, True, False], [True, True, True], [True, True, True]]
    assert (await roads.route(CASINO, OPEN_SEA, RUSH)).source is Source.ESTIMATE
    assert (await roads.snap(OPEN_SEA)).point == OPEN_SEA


async def test_a_table_of_many_tiles_says_the_same_as_a_table_of_one(roads: Travel) -> None:
    many = [Point(7.412 + 0.0001 * step, 43.728 + 0.00008 * step) for step in range(120)]
    whole = await roads.table(many, many[::-1], RUSH)
    corner = await roads.table(many[60:], many[59::-1], RUSH)
    assert (whole.seconds[60:, 60:] == corner.seconds).all()
    assert (whole.metres[60:, 60:] == corner.metres).all()


async def test_leaving_at_the_same_instant_written_elsewhere_changes_nothing(travel: Travel) -> None:
    in_china = RUSH.astimezone(timezone(timedelta(hours=8)))
    assert await travel.route(STADIUM, CASINO, in_china) == await travel.route(STADIUM, CASINO, RUSH)


async def test_a_trace_keeps_one_place_for_every_fix(travel: Travel) -> None:
    trace = [Fix(7.4155 + 0.0005 * step, 43.7276 + 0.0004 * step, 1_000.5 + 20 * step, 10) for step in range(6)]
    for fixes in ([], trace[:1], trace):
        matched = await travel.match(fixes)
        assert len(matched.snapped) == len(fixes)
        assert 0 <= matched.confidence <= 1


@pytest.mark.parametrize("roads", ["here", "served"], indirect=True)
async def test_a_drive_is_matched_onto_the_segments_it_took(roads: Travel) -> None:
    drive = await roads.route(STADIUM, CASINO, RUSH)
    fixes = [Fix(point.lon, point.lat, 1_000.5 + 9 * step, 8) for step, point in enumerate(drive.line[::4])]
    matched = await roads.match(fixes)
    assert all(on and on.metres < 30 for on in matched.snapped)
    assert sum(passage.seconds for passage in matched.passages) == pytest.approx(fixes[-1].at - fixes[0].at)
    assert sum(passage.metres for passage in matched.passages) == pytest.approx(drive.metres, rel=0.1)
    assert all(there.from_node == here.to_node for here, there in pairwise(matched.passages))
