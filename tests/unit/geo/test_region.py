"""Regions are built for real here: Monaco, and little worlds written for the purpose."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pmtiles.reader import MmapSource, Reader

from server.geo import preparing
from server.geo.builds import remove_region, use_region
from server.geo.demo_extract import demo_extract
from server.geo.errors import (
    DemoExtractUnavailable,
    ExtractNotFound,
    ExtractNotKept,
    ExtractUnreadable,
    ImpossibleRegionName,
    NoRoads,
    RegionDamaged,
    RegionStillUsed,
    RegionUnknown,
    RegionUnwritable,
    RoadsImplausible,
)
from server.geo.listing import regions_here
from server.geo.preparing import prepare_region, rebuild_region
from server.geo.region import Region, RegionInUse
from server.geo.style import style
from tests.regions import write_ladder, write_world


def silent(_progress: str) -> None: ...


def test_a_region_has_roads_a_map_and_addresses_and_its_hashes_hold(monaco: Region) -> None:
    monaco.verify()
    assert monaco.name == "monaco"
    assert monaco.bounds.centre in monaco.bounds
    assert 20 < monaco.manifest["smoke_check"]["mean_kmh"] < 60
    assert monaco.manifest["attribution"] == "© OpenStreetMap contributors"
    assert monaco.basemap.stat().st_size > 100_000


def test_preparing_the_same_extract_again_does_nothing(monaco: Region, monaco_extract: Path) -> None:
    said: list[str] = []
    again = prepare_region(monaco_extract, monaco.folder.parents[1], "monaco", said.append)
    assert again == monaco
    assert said == []


def test_addresses_are_real_places_inside_the_bounds(monaco: Region) -> None:
    addresses = monaco.addresses()
    assert all(address.point in monaco.bounds for address in addresses)
    assert all(bool(address.housenumber) != address.is_street for address in addresses)
    assert sum(not address.is_street for address in addresses) > 250
    assert {"Boulevard des Moulins", "Rue Grimaldi"} <= {address.street for address in addresses}
    assert addresses == sorted(set(addresses))


def test_the_style_draws_only_layers_that_the_basemap_has(monaco: Region) -> None:
    with monaco.basemap.open("rb") as file:
        tiles: Any = Reader(MmapSource(file))
        layers = {layer["id"] for layer in tiles.metadata()["vector_layers"]}
        assert tiles.header()["max_zoom"] == 15
        assert "OpenStreetMap contributors" in tiles.metadata()["attribution"]
    drawn = {layer["source-layer"] for layer in style("/tiles", monaco.bounds, "en")["layers"] if "source" in layer}
    assert drawn == layers == {"water", "landuse", "buildings", "roads", "places", "boundary", "housenumbers"}


def test_the_style_asks_nobody_else_for_anything(monaco: Region) -> None:
    drawn = style("https://maps.example/geo", monaco.bounds, "en")
    assert drawn.keys().isdisjoint({"glyphs", "sprite"})
    assert [source["url"] for source in drawn["sources"].values()] == [
        "pmtiles://https://maps.example/geo/basemap.pmtiles"
    ]


@pytest.mark.parametrize(("language", "chinese"), [("zh-CN", True), ("zh", True), ("en", False)])
def test_chinese_pages_have_chinese_labels(monaco: Region, language: str, chinese: bool) -> None:
    drawn = style("", monaco.bounds, language)
    places = next(layer for layer in drawn["layers"] if layer["id"] == "place-labels")
    assert ("name:zh" in str(places["layout"]["text-field"])) is chinese


@pytest.mark.parametrize("kept", [0.1, 0.6, 0.95])
def test_a_truncated_extract_is_refused_and_leaves_nothing_behind(
    monaco_extract: Path, tmp_path: Path, kept: float
) -> None:
    whole = monaco_extract.read_bytes()
    cut = tmp_path / "cut.osm.pbf"
    cut.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(ExtractUnreadable, match="cut short"):
        prepare_region(cut, tmp_path / "regions", "monaco", silent)
    assert [path.name for path in (tmp_path / "regions" / "monaco").iterdir()] == [".lock"]


def test_a_failed_preparation_keeps_the_region_in_use(monaco_extract: Path, tmp_path: Path) -> None:
    before = prepare_region(monaco_extract, tmp_path, "town", silent)
    garbage = tmp_path / "garbage.osm.pbf"
    garbage.write_text("this is no map")
    with pytest.raises(ExtractUnreadable):
        prepare_region(garbage, tmp_path, "town", silent)
    assert Region.load(tmp_path, "town") == before


def test_a_missing_extract_and_an_impossible_name_are_refused(monaco_extract: Path, tmp_path: Path) -> None:
    with pytest.raises(ExtractNotFound, match=r"nowhere\.osm\.pbf"):
        prepare_region(tmp_path / "nowhere.osm.pbf", tmp_path, "nowhere", silent)
    for name in ("", "../up", "Monaco", "a" * 41):
        with pytest.raises(ImpossibleRegionName):
            prepare_region(monaco_extract, tmp_path, name, silent)


def test_an_extract_without_roads_is_refused(tmp_path: Path) -> None:
    paths = write_world(tmp_path / "paths.osm.pbf", roads=[{"highway": "footway"}] * 3)
    with pytest.raises(NoRoads):
        prepare_region(paths, tmp_path, "paths", silent)


def test_roads_at_impossible_speeds_are_refused(tmp_path: Path) -> None:
    crawling = {"highway": "residential", "maxspeed": "1"}
    world = write_world(tmp_path / "crawling.osm.pbf", roads=[crawling] * 8)
    with pytest.raises(RoadsImplausible, match="nonsense"):
        prepare_region(world, tmp_path, "crawling", silent)
    assert Region.load(tmp_path) is None


def test_an_extract_that_does_not_say_what_it_covers_is_bounded_by_its_roads(tmp_path: Path) -> None:
    world = write_world(tmp_path / "ladder.osm.pbf", roads=[{"highway": "residential", "name": "Rung"}] * 4)
    region = prepare_region(world, tmp_path, "ladder", silent)
    assert region.bounds.as_list() == pytest.approx([7, 43, 7.0025, 43.003])
    assert {address.street for address in region.addresses()} == {"Rung"}


def test_a_damaged_region_is_named_and_preparing_it_again_repairs_it(monaco_extract: Path, tmp_path: Path) -> None:
    whole = prepare_region(monaco_extract, tmp_path, "monaco", silent)
    whole.basemap.write_bytes(whole.basemap.read_bytes()[:-1])
    with pytest.raises(RegionDamaged, match=r"basemap\.pmtiles"):
        Region.load(tmp_path, "monaco")
    prepare_region(monaco_extract, tmp_path, "monaco", silent).verify()


def test_a_changed_byte_shows_in_the_hashes(monaco_extract: Path, tmp_path: Path) -> None:
    region = prepare_region(monaco_extract, tmp_path, "monaco", silent)
    content = bytearray(region.basemap.read_bytes())
    content[-1] ^= 1
    region.basemap.write_bytes(content)
    with pytest.raises(RegionDamaged, match="another content"):
        region.verify()


def test_a_new_extract_replaces_the_old_build_and_the_last_prepared_region_is_the_default(tmp_path: Path) -> None:
    road = {"highway": "residential"}
    regions = [
        prepare_region(
            write_world(tmp_path / f"{rows}.osm.pbf", roads=[road] * rows), tmp_path / "regions", name, silent
        )
        for rows, name in ((3, "town"), (4, "other"), (5, "town"), (6, "town"))
    ]
    assert Region.load(tmp_path / "regions") == regions[3]  # what was added last
    assert Region.load(tmp_path / "regions", "other") == regions[1]
    assert regions[2].folder.exists()  # a running server may still read the build before
    assert not regions[0].folder.exists()


def test_without_a_region_there_is_none_and_an_unknown_name_is_an_error(tmp_path: Path) -> None:
    assert Region.load(tmp_path / "never-made") is None
    with pytest.raises(RegionUnknown, match="callout region add"):
        Region.load(tmp_path, "atlantis")


def test_without_an_index_the_demo_extract_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(DemoExtractUnavailable, match="give any extract of your own"):
        demo_extract(tmp_path, silent)


@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 100, b"<osm/>", b'{"type": "FeatureCollection"}'], ids=["empty", "zeros", "xml", "json"]
)
def test_a_file_that_is_no_extract_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "town.osm.pbf"
    file.write_bytes(content)
    with pytest.raises(ExtractUnreadable, match=r"town\.osm\.pbf can't be read"):
        prepare_region(file, tmp_path / "regions", "town", silent)
    assert Region.load(tmp_path / "regions") is None


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `old` and `new` are prepared, in this order; not to be changed."""
    folder = tmp_path_factory.mktemp("towns")
    for name, kmh in (("old", 30), ("new", 60)):
        prepare_region(write_ladder(folder / f"{name}.osm.pbf", kmh), folder / "regions", name, silent)
    return folder / "regions"


@pytest.fixture
def two_towns(towns: Path, tmp_path: Path) -> Path:
    """A copy of one's own."""
    return shutil.copytree(towns, tmp_path / "regions", symlinks=True)


def test_running_processes_follow_what_is_used(two_towns: Path) -> None:
    regions = RegionInUse(two_towns)
    assert regions.now().name == "new"
    use_region(two_towns, "old")
    assert regions.now().name == "old"
    with pytest.raises(RegionUnknown):
        use_region(two_towns, "atlantis")
    assert regions.now().name == "old"


def test_a_region_that_the_settings_name_stays_whatever_is_used(two_towns: Path) -> None:
    regions = RegionInUse(two_towns, "new")
    use_region(two_towns, "old")
    assert regions.now().name == "new"


def test_a_damaged_region_does_not_take_the_place_of_a_sound_one(two_towns: Path) -> None:
    regions = RegionInUse(two_towns, "old")
    sound = regions.now()
    damaged = two_towns / "old" / "damaged"
    damaged.mkdir()
    (two_towns / "old" / "current").unlink()
    (two_towns / "old" / "current").symlink_to("damaged")
    assert regions.now() is sound


def test_the_region_in_use_is_removed_only_when_told_so(two_towns: Path) -> None:
    regions = RegionInUse(two_towns)
    with pytest.raises(RegionStillUsed, match="callout region use"):
        remove_region(two_towns, "new")
    with pytest.raises(RegionStillUsed):
        remove_region(two_towns, "old", configured="old")
    remove_region(two_towns, "old")
    assert not (two_towns / "old").exists()
    remove_region(two_towns, "new", anyway=True)
    assert regions.now() is None
    with pytest.raises(RegionUnknown):
        remove_region(two_towns, "new")


def test_the_list_says_which_region_is_used_and_which_is_damaged(two_towns: Path) -> None:
    use_region(two_towns, "old")
    (two_towns / "new" / "current" / "basemap.pmtiles").unlink()
    new, old = regions_here(two_towns)
    assert (new.name, new.in_use, new.region) == ("new", False, None)
    assert "prepare it again" in new.damage
    assert (old.name, old.in_use, old.region) == ("old", True, Region.load(two_towns, "old"))
    assert 10_000 < old.size < 10_000_000


def test_a_region_is_rebuilt_from_the_extract_it_keeps_under_another_name(two_towns: Path) -> None:
    before = Region.load(two_towns, "old")
    before.basemap.unlink()
    rebuilt = rebuild_region(two_towns, "old", silent)
    rebuilt.verify()
    assert rebuilt.build != before.build
    assert rebuilt.manifest["source"] == before.manifest["source"]
    assert Region.load(two_towns).name == "new"  # rebuilding is not using


def test_without_the_extract_it_was_made_of_a_region_says_to_give_it_again(two_towns: Path) -> None:
    (Region.load(two_towns, "old").folder / "extract.osm.pbf").write_bytes(b"another")
    with pytest.raises(ExtractNotKept, match="callout region add"):
        rebuild_region(two_towns, "old", silent)


def test_a_full_disk_is_told_in_a_sentence_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(preparing, "write_addresses", full)
    world = write_ladder(tmp_path / "town.osm.pbf", 30)
    with pytest.raises(RegionUnwritable, match="No space left"):
        prepare_region(world, tmp_path / "regions", "town", silent)
    assert [path.name for path in (tmp_path / "regions" / "town").iterdir()] == [".lock"]


_KILLED = """
import os, signal, sys
from pathlib import Path
from server.geo import preparing
preparing.build_roads = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
preparing.prepare_region(Path(sys.argv[1]), Path(sys.argv[2]), "town", print)
"""


def test_a_builder_killed_in_the_middle_is_cleared_up_by_the_next(tmp_path: Path) -> None:
    world, regions = write_ladder(tmp_path / "town.osm.pbf", 30), tmp_path / "regions"
    killed = subprocess.run([sys.executable, "-c", _KILLED, world, regions], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert list((regions / "town").glob(".building-*"))
    assert Region.load(regions) is None
    prepare_region(world, regions, "town", silent).verify()
    assert not list((regions / "town").glob(".building-*"))


def test_two_who_prepare_the_same_region_wait_for_each_other(tmp_path: Path) -> None:
    world = write_ladder(tmp_path / "town.osm.pbf", 30)
    with ThreadPoolExecutor() as both:
        one, other = both.map(lambda _: prepare_region(world, tmp_path / "regions", "town", silent), range(2))
    assert one == other
    one.verify()
