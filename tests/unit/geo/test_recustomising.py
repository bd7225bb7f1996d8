"""Speeds learnt for parts of the week: a new build of the same region, chosen by when one leaves."""

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.geo.dayparts import DayPart, LearntSpeeds
from server.geo.domain import Point
from server.geo.errors import RegionProblem, RoadsImplausible
from server.geo.journey import Route
from server.geo.preparing import prepare_region, rebuild_region
from server.geo.recustomising import recustomise
from server.geo.region import Region, RegionInUse
from server.geo.travel import TravelInUse, travel_for
from tests.regions import LADDER_EAST, LADDER_WEST, write_ladder

MORNING, MIDDAY = (datetime(2026, 11, 23, hour, tzinfo=UTC) for hour in (7, 12))


def silent(_progress: str) -> None: ...


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town")
    prepare_region(write_ladder(folder / "town.osm.pbf", 60), folder / "regions", "town", silent)
    return folder / "regions"


@pytest.fixture
def town(prepared: Path, tmp_path: Path) -> Region:
    """A copy of one's own."""
    town = Region.load(shutil.copytree(prepared, tmp_path / "regions", symlinks=True))
    assert town
    return town


def speeds(folder: Path, kmh: float) -> Path:
    """Every segment of the ladder, both ways."""
    file = folder / f"{kmh}.csv"
    pairs = [(node, node + step) for node in range(1, 9) for step in (1, 2)]
    file.write_text("".join(f"{one},{other},{kmh}\n{other},{one},{kmh}\n" for one, other in pairs))
    return file


def drive(region: Region, leaving: datetime, origin: Point = LADDER_WEST, to: Point = LADDER_EAST) -> Route:
    return asyncio.run(travel_for(region).route(origin, to, leaving))


def test_what_was_learnt_for_the_morning_is_driven_in_the_morning_alone(town: Region, tmp_path: Path) -> None:
    slow = LearntSpeeds(speeds(tmp_path, 18), factor=1.0, p90_over_median=1.2, trips=40)
    taught = recustomise(town, {DayPart.MORNING: slow}, silent)
    morning = drive(taught, MORNING)
    assert morning.seconds == pytest.approx(203.5 / 5, abs=2)  # 18 km/h are 5 m/s
    assert morning.p90_seconds == pytest.approx(1.2 * morning.seconds, abs=2)
    assert drive(taught, MIDDAY) == drive(town, MIDDAY)


def test_a_factor_applies_to_every_drive_of_its_part(town: Region, tmp_path: Path) -> None:
    file = speeds(tmp_path, 18)
    once, twice = (
        recustomise(town, {DayPart.MORNING: LearntSpeeds(file, factor=factor)}, silent) for factor in (1.0, 2.0)
    )
    assert drive(twice, MORNING).seconds == pytest.approx(2 * drive(once, MORNING).seconds, abs=2)


def test_a_table_chooses_its_roads_as_a_route_does(town: Region, tmp_path: Path) -> None:
    taught = recustomise(town, {DayPart.MORNING: LearntSpeeds(speeds(tmp_path, 18))}, silent)
    table = asyncio.run(travel_for(taught).table([LADDER_WEST], [LADDER_EAST], MORNING))
    assert table.seconds[0, 0] == pytest.approx(drive(taught, MORNING).seconds, abs=2)


def test_a_new_build_leaves_the_one_before_as_it_was_and_shares_what_stays(town: Region, tmp_path: Path) -> None:
    taught = recustomise(town, {DayPart.MORNING: LearntSpeeds(speeds(tmp_path, 18))}, silent)
    town.verify()
    taught.verify()
    assert taught.build != town.build
    assert taught.basemap.samefile(town.basemap)
    assert (
        taught.dayparts[DayPart.MORNING].base.with_suffix(".osrm.ebg").samefile(town.osrm_base.with_suffix(".osrm.ebg"))
    )


def test_processes_that_run_go_on_with_what_was_learnt(town: Region, tmp_path: Path) -> None:
    async def before_and_after() -> list[int]:
        travel = TravelInUse(RegionInUse(town.folder.parents[1]))
        before = await travel.route(LADDER_WEST, LADDER_EAST, MORNING)
        await asyncio.to_thread(recustomise, town, {DayPart.MORNING: LearntSpeeds(speeds(tmp_path, 18))}, silent)
        return [before.seconds, (await travel.route(LADDER_WEST, LADDER_EAST, MORNING)).seconds]

    before, after = asyncio.run(before_and_after())
    assert after > 1.5 * before


def test_speeds_that_are_nonsense_change_nothing(town: Region, tmp_path: Path) -> None:
    with pytest.raises(RoadsImplausible):
        recustomise(town, {DayPart.NIGHT: LearntSpeeds(speeds(tmp_path, 1))}, silent)
    garbled = tmp_path / "garbled.csv"
    garbled.write_text("these are no speeds\n")
    with pytest.raises(RegionProblem):
        recustomise(town, {DayPart.NIGHT: LearntSpeeds(garbled)}, silent)
    with pytest.raises(RegionProblem):
        recustomise(town, {DayPart.NIGHT: LearntSpeeds(tmp_path / "missing.csv")}, silent)
    assert Region.load(town.folder.parents[1]) == town


def test_a_rebuilt_region_keeps_what_was_learnt(town: Region, tmp_path: Path) -> None:
    taught = recustomise(town, {DayPart.MORNING: LearntSpeeds(speeds(tmp_path, 18), trips=40)}, silent)
    rebuilt = rebuild_region(town.folder.parents[1], "town", silent)
    assert rebuilt.build != taught.build
    assert rebuilt.dayparts[DayPart.MORNING].learnt.trips == 40
    assert drive(rebuilt, MORNING) == drive(taught, MORNING)


def test_what_is_not_taught_any_more_is_forgotten(town: Region, tmp_path: Path) -> None:
    before = drive(town, MORNING)
    taught = recustomise(town, {DayPart.MORNING: LearntSpeeds(speeds(tmp_path, 18))}, silent)
    forgot = recustomise(taught, {}, silent)
    assert not forgot.dayparts
    assert drive(forgot, MORNING) == before
    forgot.verify()
