"""The basemap as a browser reads it, and drives on the region's roads."""

from dataclasses import replace

import pytest

from server.geo.region import Region, RegionInUse
from server.geo.travel import travel_for


@pytest.fixture
def in_monaco(app, monaco: Region) -> Region:
    in_use = RegionInUse(monaco.folder.parents[1], "monaco")
    app.state.services = replace(app.state.services, regions=in_use, travel=travel_for(monaco))
    return monaco


async def test_the_style_names_the_archive_beside_it_and_nothing_elsewhere(client, in_monaco):
    answer = await client.get("/api/v1/map/style.json", params={"language": "zh-CN"})
    assert answer.status_code == 200
    (source,) = answer.json()["sources"].values()
    assert source["url"] == f"pmtiles:///api/v1/map/basemap.pmtiles?build={in_monaco.build}"
    assert "OpenStreetMap" in source["attribution"]
    unchanged = await client.get(
        "/api/v1/map/style.json", params={"language": "zh-CN"}, headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert (unchanged.status_code, unchanged.content) == (304, b"")


async def test_the_archive_is_read_by_ranges_and_kept_for_ever(client, in_monaco):
    whole = in_monaco.basemap.read_bytes()
    path = f"/api/v1/map/basemap.pmtiles?build={in_monaco.build}"
    head = await client.get(path, headers={"Range": "bytes=0-126"})
    assert (head.status_code, head.content) == (206, whole[:127])
    assert head.content.startswith(b"PMTiles")
    assert head.headers["Content-Range"] == f"bytes 0-126/{len(whole)}"
    assert "immutable" in head.headers["Cache-Control"]
    later = await client.get(path, headers={"Range": "bytes=1000-1999"})
    assert (later.content, later.headers["ETag"]) == (whole[1000:2000], head.headers["ETag"])
    assert (await client.get(path, headers={"Range": f"bytes={len(whole)}-"})).status_code == 416
    known = await client.get(path, headers={"If-None-Match": head.headers["ETag"]})
    assert known.status_code == 304


async def test_an_address_without_its_build_is_asked_for_again(client, in_monaco):
    answer = await client.get("/api/v1/map/basemap.pmtiles", headers={"Range": "bytes=0-1"})
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["style.json", "basemap.pmtiles"])
async def test_without_a_region_there_is_a_sentence_that_says_what_to_do(client, path):
    answer = await client.get(f"/api/v1/map/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "region.none")
    assert "callout region add" in answer.json()["detail"]


async def test_a_drive_follows_the_roads(client, signed_in, in_monaco):
    answer = await client.get(
        "/api/v1/geo/route",
        params={"from": "7.4246,43.7384", "to": "7.4153,43.7277"},
        headers=await signed_in("dispatcher"),
    )
    assert answer.status_code == 200, answer.text
    drive = answer.json()
    assert drive["source"] == "osrm"
    assert drive["p90_seconds"] > drive["seconds"] > 60
    assert drive["metres"] > 1_000
    assert drive["line"]["type"] == "LineString"
    assert len(drive["line"]["coordinates"]) > 10


@pytest.mark.parametrize("wrong", ["181,43", "7,91", "7;43", "7,43,1", "", "nan,1", "1e3,2"])
async def test_what_is_no_place_on_earth_is_refused(client, signed_in, wrong):
    answer = await client.get(
        "/api/v1/geo/route", params={"from": wrong, "to": "7.42,43.73"}, headers=await signed_in("dispatcher")
    )
    assert answer.status_code == 422


async def test_drives_are_for_people_who_are_signed_in(client):
    assert (await client.get("/api/v1/geo/route?from=7.4,43.7&to=7.4,43.7")).status_code == 401
