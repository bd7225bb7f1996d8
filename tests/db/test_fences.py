"""Fences over real tracks in the database: what is announced is announced once, whatever arrives when."""

import asyncio
import math
import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from server.core.db import UnitOfWork
from server.geo import service
from server.geo.fences import Crossing, Machine, Sight, Watch
from server.geo.positions import Fix
from server.identity.domain import Actor
from tests.factories.geo import SITE, Track, all_day, device_of, north_of, with_phone
from tests.fakes.clock import FakeClock


@pytest.fixture
async def phone(uow: UnitOfWork, engineer: Actor) -> Actor:
    return await with_phone(uow, engineer)


@pytest.fixture
def track(clock: FakeClock) -> Track:
    return Track(clock.now() - timedelta(hours=2))


@pytest.fixture
def visit() -> UUID:
    return uuid4()


async def watch(uow: UnitOfWork, visit: UUID, person: Actor, since: datetime) -> None:
    await service.watch(uow, visit, person.person, SITE, 500, since=since)


async def drive(uow: UnitOfWork, phone: Actor, fixes: list[Fix]) -> None:
    await service.record_fixes(uow, phone, device_of(phone), fixes, all_day(uow.now()))


async def standing(uow: UnitOfWork) -> list[tuple[str, datetime]]:
    found = await uow.rows("select kind, at from fence_crossing where withdrawn_at is null order by at")
    return [(row["kind"], row["at"]) for row in found]


def square(metres: float) -> dict[str, Any]:
    """An area around the site whose sides are so far from it."""
    north, south = north_of(SITE, metres).lat, north_of(SITE, -metres).lat
    wide = (north - SITE.lat) / math.cos(math.radians(SITE.lat))
    west, east = SITE.lon - wide, SITE.lon + wide
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


async def announced(uow: UnitOfWork) -> list[str]:
    found = await uow.rows("select name from event where name like 'fence.%%' order by id")
    return [row["name"] for row in found]


async def test_entering_and_leaving_are_announced_with_the_time_of_the_fix(uow, phone, track, visit):
    await watch(uow, visit, phone, track.start)
    await drive(uow, phone, track.fixes(2000, 900, 400, 100, 50, 800, 900, 1000))
    assert await standing(uow) == [("entered", track.at(3)), ("left", track.at(7))]
    entered = await uow.row("select payload, subject_kind from event where name = 'fence.entered'")
    assert entered["payload"] == {
        "subject_id": str(visit),
        "person_id": str(phone.person),
        "at": track.at(3).isoformat(),
        "stay": 1,
    }


async def test_a_streak_continues_over_batches(uow, phone, track, visit):
    fixes = track.fixes(900, 400, 300)
    await watch(uow, visit, phone, track.start)
    for fix in fixes:
        await drive(uow, phone, [fix])
    assert await standing(uow) == [("entered", track.at(2))]


async def test_somebody_elses_drive_crosses_nothing(uow, phone, track, visit, company):
    await watch(uow, visit, company.actor("partner_engineer"), track.start)
    await drive(uow, phone, track.fixes(900, 100, 50, 10))
    assert await standing(uow) == []


async def test_a_late_batch_moves_an_arrival_to_when_it_was_and_announces_nothing_again(uow, phone, track, visit):
    fixes = track.fixes(900, 400, 300, 200, 100)
    await watch(uow, visit, phone, track.start)
    await drive(uow, phone, [fixes[0], fixes[3], fixes[4]])
    assert await standing(uow) == [("entered", track.at(4))]
    await drive(uow, phone, [fixes[1], fixes[2]])
    assert await standing(uow) == [("entered", track.at(2))]
    assert await announced(uow) == ["fence.entered", "fence.amended"]


async def test_an_arrival_that_late_fixes_disprove_is_withdrawn_and_its_return_is_not_announced_again(
    uow, phone, track, visit
):
    fixes = track.fixes(400, 900, 400, 900, 900)
    await watch(uow, visit, phone, track.start)
    await drive(uow, phone, [fixes[0], fixes[2]])
    assert await standing(uow) == [("entered", track.at(2))]
    await drive(uow, phone, [fixes[1], fixes[3], fixes[4]])
    assert await standing(uow) == []
    await drive(uow, phone, Track(track.at(10)).fixes(300, 200, first_seq=50))
    assert await standing(uow) == [("entered", track.at(11))]
    assert await announced(uow) == ["fence.entered", "fence.amended", "fence.amended"]


async def test_what_was_driven_before_the_watch_was_set_up_still_counts(uow, phone, track, visit):
    await drive(uow, phone, track.fixes(400, 300, 200))
    await watch(uow, visit, phone, track.at(1))
    assert await standing(uow) == [("entered", track.at(2))]


async def test_a_visit_finished_offline_still_gets_its_arrival_from_the_late_batch(uow, phone, track, visit):
    await watch(uow, visit, phone, track.start)
    assert await service.stop_watching(uow, visit, at=track.at(100)) == [phone.person]
    await drive(uow, phone, track.fixes(900, 300, 200))
    assert await standing(uow) == [("entered", track.at(2))]


async def test_after_the_watch_has_ended_nothing_is_noticed(uow, phone, track, visit):
    await watch(uow, visit, phone, track.start)
    await service.stop_watching(uow, visit, at=track.at(0))
    await drive(uow, phone, track.fixes(900, 300, 200))
    assert await standing(uow) == []


async def test_watching_twice_is_watching_once_and_a_successor_takes_over(uow, phone, track, visit, company):
    successor = company.actor("partner_engineer")
    await watch(uow, visit, phone, track.start)
    await watch(uow, visit, phone, track.start)
    await watch(uow, visit, successor, track.start)
    assert await uow.value("select count(*) from fence") == 2
    still = await uow.rows("select person_id from fence where closed_at is null")
    assert [row["person_id"] for row in still] == [successor.person]


async def test_an_area_stands_in_for_the_circle(uow, phone, track, visit):
    await service.watch(uow, visit, phone.person, SITE, 50, since=track.start, area=square(500))
    await drive(uow, phone, track.fixes(900, 520, 480, 470, 100, 520, 570, 600, 640))
    assert await standing(uow) == [("entered", track.at(3)), ("left", track.at(8))]
    assert await uow.value("select radius_m from fence") == pytest.approx(1000 / math.sqrt(math.pi), rel=0.01)


async def test_who_stays_dwells_and_each_is_announced_once(uow, phone, track, visit):
    await watch(uow, visit, phone, track.start)
    fixes = track.fixes(*[100] * 30)
    await drive(uow, phone, fixes[:15])
    await drive(uow, phone, fixes[15:])
    await drive(uow, phone, fixes)
    assert await standing(uow) == [("entered", track.at(1)), ("dwelt", track.at(21))]
    assert await announced(uow) == ["fence.entered", "fence.dwelt"]


async def test_a_dwelling_that_late_fixes_disprove_is_withdrawn(uow, phone, track, visit):
    inside, away = [100.0] * 10, [900.0] * 4
    fixes = track.fixes(*inside, *away, *inside)
    await watch(uow, visit, phone, track.start)
    await drive(uow, phone, fixes[:10] + fixes[14:])
    assert [kind for kind, _ in await standing(uow)] == ["entered", "dwelt"]
    await drive(uow, phone, fixes[10:14])
    assert [kind for kind, _ in await standing(uow)] == ["entered", "left", "entered"]
    assert await announced(uow) == ["fence.entered", "fence.dwelt", "fence.left", "fence.entered", "fence.amended"]


async def test_fixes_that_pass_far_off_move_the_machine_on_without_being_read(uow, phone, track, visit):
    await watch(uow, visit, phone, track.start)
    await drive(uow, phone, track.fixes(5_000, 4_000, 3_000))
    row = await uow.row("select side, streak, last_fix_at from fence")
    assert row == {"side": "outside", "streak": 0, "last_fix_at": track.at(2)}


async def test_two_sessions_of_one_engineer_leave_what_one_would_have_left(database, company, clock):
    async with database.unit_of_work(company.id) as uow:
        phone = await with_phone(uow, company.actor("engineer"))
        tablet = await with_phone(uow, company.actor("engineer"))
        track = Track(uow.now() - timedelta(hours=2))
        await watch(uow, uuid4(), phone, track.start)
        await service.watch(uow, uuid4(), phone.person, SITE, 500, since=track.start, area=square(400))
    chance = random.Random(5)
    fixes = track.fixes(*[chance.choice([50, 300, 380, 470, 600, 900]) for _ in range(160)])

    async def send(sender: Actor, batch: list[Fix]) -> None:
        async with database.unit_of_work(company.id) as uow:
            await drive(uow, sender, batch)

    batches = [fixes[start : start + 20] for start in range(0, 160, 20)]
    chance.shuffle(batches)
    await asyncio.gather(*(send(phone if n % 2 else tablet, batch) for n, batch in enumerate(batches)))
    async with database.unit_of_work(company.id) as uow:
        for fence in await uow.rows("select id, radius_m from fence"):
            stored = await uow.rows(
                "select stay, kind, at from fence_crossing "
                "where fence_id = %(id)s and withdrawn_at is null order by at",
                id=fence["id"],
            )
            crossed = [(row["stay"], row["kind"], row["at"]) for row in stored]
            assert crossed == await as_a_whole(uow, fence["id"], fence["radius_m"])
        await each_was_announced_once(uow)


async def as_a_whole(uow: UnitOfWork, fence: UUID, radius_m: int) -> list[tuple[int, str, datetime]]:
    """The crossings of everything that is stored, fed to a machine in order."""
    stored = await uow.rows(
        """
        select t.fixed_at, t.accuracy_m, case
                   when f.area is null then st_distance(t.place, f.centre) - f.radius_m
                   else st_distance(t.place, st_boundary(f.area::geometry)::geography)
                        * case when st_covers(f.area, t.place) then -1 else 1 end end as edge
        from position_track t, fence f where f.id = %(id)s
        """,
        id=fence,
    )
    whole = Watch(Machine(radius_m)).see([Sight(row["fixed_at"], row["edge"], row["accuracy_m"]) for row in stored])
    return [(it.stay, it.kind, it.at) for it in whole.crossings]


async def each_was_announced_once(uow: UnitOfWork) -> None:
    names = await announced(uow)
    for kind in Crossing:
        ever = await uow.value("select count(*) from fence_crossing where kind = %(kind)s", kind=kind)
        assert names.count(f"fence.{kind}") == ever


@pytest.mark.parametrize("shape", ["circle", "area"])
@pytest.mark.parametrize("seed", range(8))
async def test_however_a_track_is_cut_and_shuffled_its_crossings_are_those_of_the_whole(
    uow, phone, track, visit, seed, shape
):
    chance = random.Random(seed)
    metres = [chance.choice([50, 300, 470, 520, 600, 900]) for _ in range(80)]
    fixes = track.fixes(*metres)
    area = square(500) if shape == "area" else None
    await service.watch(uow, visit, phone.person, SITE, 500, since=track.start, area=area)
    left = fixes.copy()
    chance.shuffle(left)
    while left:
        size = chance.randint(1, 30)
        await drive(uow, phone, left[:size])
        left = left[size:]
    fence = await uow.row("select id, radius_m from fence")
    assert fence is not None
    whole = await as_a_whole(uow, fence["id"], fence["radius_m"])
    assert await standing(uow) == [(kind, at) for _, kind, at in whole]
    await each_was_announced_once(uow)
