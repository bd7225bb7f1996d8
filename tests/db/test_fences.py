"""Fences over real tracks in the database: what is announced is announced once, whatever arrives when."""

import random
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from server.core.db import UnitOfWork
from server.geo import service
from server.geo.fences import Crossing, Machine, Sight, Watch
from server.geo.positions import Fix
from server.identity.domain import Actor
from tests.factories.geo import SITE, Track, all_day, device_of, with_phone
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


@pytest.mark.parametrize("seed", range(12))
async def test_however_a_track_is_cut_and_shuffled_its_crossings_are_those_of_the_whole(uow, phone, track, visit, seed):
    chance = random.Random(seed)
    metres = [chance.choice([50, 300, 470, 520, 600, 900]) for _ in range(80)]
    fixes = track.fixes(*metres)
    await watch(uow, visit, phone, track.start)
    left = fixes.copy()
    chance.shuffle(left)
    while left:
        size = chance.randint(1, 30)
        await drive(uow, phone, left[:size])
        left = left[size:]
    stored = await uow.rows(
        "select t.fixed_at, st_distance(t.place, f.centre) as away, t.accuracy_m from position_track t, fence f"
    )
    whole = Watch(Machine(500)).see([Sight(row["fixed_at"], row["away"] - 500, row["accuracy_m"]) for row in stored])
    assert await standing(uow) == [(it.kind, it.at) for it in whole.crossings]
    names = await announced(uow)
    for kind in Crossing:
        ever = await uow.value("select count(*) from fence_crossing where kind = %(kind)s", kind=kind)
        assert names.count(f"fence.{kind}") == ever
