"""The fence vectors say what their model says, and so do the server's machine and PostGIS."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.core.db import UnitOfWork
from server.geo.fences import Crossed, Machine, Sight, Watch
from tests.vectors.fences.generate import FILES, FOLDER, document

_BEGIN = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize("name", FILES)
def test_the_fence_vectors_are_what_the_model_says(name):
    assert (FOLDER / f"{name}.json").read_text() == document(name)


def test_the_machine_does_what_the_vectors_say():
    for case in _cases("machine"):
        watch = Watch(Machine(case["radius_m"])).see(_sights(case["fixes"]))
        assert _spelt(watch) == case["crossings"], case["name"]


def test_late_batches_leave_what_the_vectors_say():
    for case in _cases("late"):
        watch, heard = Watch(Machine(case["radius_m"])), []
        for batch, stands in zip(case["batches"], case["stands"], strict=True):
            heard += _sights(batch)
            watch = watch.back_before(min(sight.at for sight in _sights(batch)))
            after = watch.machine.last_fix_at
            watch = watch.see([sight for sight in heard if after is None or sight.at > after])
            assert _spelt(watch) == stands, case["name"]


async def test_postgis_measures_what_the_vectors_say(uow: UnitOfWork):
    for case in _cases("edges"):
        circle, area = case["circle"], case["area"]
        found = await uow.row(
            """
            with it as (
                select st_point(%(lon)s, %(lat)s, 4326)::geography as place,
                       st_point(%(east)s, %(north)s, 4326)::geography as centre,
                       st_setsrid(st_geomfromgeojson(%(area)s), 4326)::geography as area)
            select st_distance(place, centre) - %(radius)s as circle, sqrt(st_area(area) / pi()) as radius,
                   st_distance(place, st_boundary(area::geometry)::geography)
                   * case when st_covers(area, place) then -1 else 1 end as area
            from it
            """,
            lon=case["place"][0],
            lat=case["place"][1],
            east=circle["centre"][0],
            north=circle["centre"][1],
            radius=circle["radius_m"],
            area=json.dumps({"type": "Polygon", "coordinates": area["coordinates"]}),
        )
        assert found is not None
        assert found["circle"] == pytest.approx(circle["edge_m"], rel=0.01, abs=2)
        assert found["area"] == pytest.approx(area["edge_m"], rel=0.01, abs=2)
        assert found["radius"] == pytest.approx(area["radius_m"], rel=0.01)


def _cases(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text())["cases"]
    return cases


def _sights(fixes: list[list[float]]) -> list[Sight]:
    return [Sight(_BEGIN + timedelta(seconds=at), edge, accuracy) for at, edge, accuracy in fixes]


def _spelt(watch: Watch) -> list[list[Any]]:
    return [_line(it) for it in watch.crossings]


def _line(it: Crossed) -> list[Any]:
    return [it.stay, it.kind, (it.at - _BEGIN).total_seconds()]
