"""Regions are built for real here: Monaco, and little worlds written for the purpose."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import osmium
import osmium.osm.mutable as osm
import pytest
from pmtiles.reader import MmapSource, Reader

from server.geo.demo_extract import demo_extract
from server.geo.errors import (
    DemoExtractUnavailable,
    ExtractNotFound,
    ExtractUnreadable,
    ImpossibleRegionName,
    NoRoads,
    RegionDamaged,
    RegionUnknown,
    RoadsImplausible,
)
from server.geo.region import Region, prepare_region
from server.geo.style import style


def silent(_progress: str) -> None: ...


def write_world(path: Path, *, roads: Iterable[dict[str, str]]) -> Path:
    """An extract with a ladder of parallel roads, 200 m long and joined at both ends, one for each set of tags."""
    with osmium.SimpleWriter(path) as world:
        rows = list(enumerate(roads))
        for row, _ in rows:
            for side in (0, 1):
                world.add_node(osm.Node(id=2 * row + side + 1, location=(7 + 0.0025 * side, 43 + 0.001 * row)))
        for row, tags in rows:
            world.add_way(osm.Way(id=row + 1, nodes=[2 * row + 1, 2 * row + 2], tags=tags))
        for row, tags in rows[1:]:
            for side in (0, 1):
                rung = [2 * row + side - 1, 2 * row + side + 1]
                world.add_way(osm.Way(id=1000 + 2 * row + side, nodes=rung, tags=tags))
    return path


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
    assert Region.load(tmp_path / "regions") == regions[3]
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
