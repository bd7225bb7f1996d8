from datetime import timedelta
from uuid import uuid4

import pytest

from server.core.db import UnitOfWork
from server.geo import queries, service
from server.geo.errors import NotThisDevice
from server.geo.positions import Fix, Interval, Recorded
from server.identity.domain import Actor
from tests.factories.geo import SITE, Track, all_day, device_of, with_phone
from tests.fakes.clock import FakeClock


@pytest.fixture
async def phone(uow: UnitOfWork, engineer: Actor) -> Actor:
    return await with_phone(uow, engineer)


@pytest.fixture
def track(clock: FakeClock) -> Track:
    return Track(clock.now() - timedelta(minutes=30))


async def record(uow: UnitOfWork, phone: Actor, fixes: list[Fix], shifts=None) -> Recorded:
    return await service.record_fixes(uow, phone, device_of(phone), fixes, shifts or all_day(uow.now()))


async def moves(uow: UnitOfWork) -> list[dict]:
    return [row["payload"] for row in await uow.rows("select payload from event where name = 'engineer.moved'")]


async def test_a_batch_sent_twice_is_stored_once(uow, phone, track):
    fixes = track.fixes(900, 800, 700)
    assert await record(uow, phone, fixes) == Recorded(3, 0, 0)
    assert await record(uow, phone, fixes) == Recorded(0, 3, 0)
    assert await uow.value("select count(*) from position_track") == 3
    assert len(await moves(uow)) == 1


async def test_a_fix_named_twice_in_one_batch_is_stored_once(uow, phone, track):
    first, second = track.fixes(900, 800)
    assert await record(uow, phone, [first, second, first]) == Recorded(2, 1, 0)


async def test_late_and_reordered_fixes_are_kept_and_the_newest_position_stands(uow, phone, track):
    fixes = track.fixes(900, 800, 700, 600)
    await record(uow, phone, [fixes[3], fixes[1]])
    assert await record(uow, phone, [fixes[2], fixes[0]]) == Recorded(2, 0, 0)
    (last,) = await queries.last_positions(uow, [phone.person])
    assert last.fixed_at == fixes[3].at
    assert (last.heading, last.speed_kmh, last.accuracy_m) == (180, 30, 8)
    assert len(await moves(uow)) == 1, "the late batch moved nobody"


async def test_a_batch_is_one_move_for_the_board(uow, phone, track):
    fixes = track.fixes(*range(1000, 0, -10))
    await record(uow, phone, fixes)
    (move,) = await moves(uow)
    assert move["fixed_at"] == fixes[-1].at.isoformat()
    assert move["lon"] == pytest.approx(SITE.lon)
    assert set(move) == {"lon", "lat", "heading", "speed_kmh", "fixed_at"}


async def test_off_shift_fixes_are_dropped_before_they_are_stored(uow, phone, clock):
    now = clock.now()
    shift = Interval(now - timedelta(hours=2), now - timedelta(hours=1))
    minutes = [-151, -149, -120, -90, -60, -31, -29]  # the grace is 30 minutes on either side
    fixes = [Fix(seq, now + timedelta(minutes=minute), SITE, 5) for seq, minute in enumerate(minutes, start=1)]
    assert await record(uow, phone, fixes, [shift]) == Recorded(5, 0, 2)
    assert {row["seq"] for row in await uow.rows("select seq from position_track")} == {2, 3, 4, 5, 6}


async def test_without_any_shift_nothing_is_stored(uow, phone, track):
    recorded = await service.record_fixes(uow, phone, device_of(phone), track.fixes(10, 20), [])
    assert recorded == Recorded(0, 0, 2)
    assert await queries.last_positions(uow, [phone.person]) == []


async def test_a_clock_that_runs_ahead_can_not_claim_the_newest_position(uow, phone, track, clock):
    future = Fix(99, clock.now() + timedelta(hours=6), SITE, 5)
    assert await record(uow, phone, [*track.fixes(100), future]) == Recorded(1, 0, 1)


async def test_positions_of_another_device_are_refused(uow, phone, track):
    with pytest.raises(NotThisDevice):
        await service.record_fixes(uow, phone, uuid4(), track.fixes(1), all_day(uow.now()))
