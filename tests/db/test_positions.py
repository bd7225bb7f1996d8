"""What is kept of where somebody was: once, on shift, not in a pause, not longer than decided."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import psycopg
import pytest

from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.dispatch import queries as dispatch_queries
from server.geo import queries, service, tracking, tracking_queries
from server.geo.errors import ImplausiblePause, NotThisDevice
from server.geo.positions import DayCount, Fix, Interval, Pause, Policy, Recorded
from server.identity.domain import Actor
from tests.factories.geo import SITE, Track, all_day, device_of, with_phone
from tests.factories.identity import found_company
from tests.factories.workforce import a_shift, an_engineer
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


async def seqs(uow: UnitOfWork) -> set[int]:
    return {row["seq"] for row in await uow.rows("select seq from position_track")}


async def test_a_number_sent_again_with_another_time_or_place_is_known_whatever_day_it_names(uow, phone, track, clock):
    (fix,) = track.fixes(900)
    await record(uow, phone, [fix])
    long_ago = [Interval(clock.now() - timedelta(days=5), clock.now())]
    moved = [replace(fix, at=fix.at - timedelta(days=days), place=SITE) for days in range(3)]
    assert await record(uow, phone, moved, long_ago) == Recorded(0, 3, 0)
    assert await seqs(uow) == {1}


async def test_of_two_with_one_number_in_a_batch_one_is_kept(uow, phone, track):
    (fix,) = track.fixes(900)
    assert await record(uow, phone, [fix, replace(fix, at=fix.at + timedelta(seconds=1))]) == Recorded(1, 1, 0)


async def test_numbers_of_two_phones_are_two(uow, phone, track, engineer):
    second = await with_phone(uow, engineer)
    fixes = track.fixes(900, 800)
    await record(uow, phone, fixes)
    assert await record(uow, second, fixes) == Recorded(2, 0, 0)
    assert await uow.value("select count(*) from position_track") == 4


async def test_a_phone_that_numbers_wildly_is_remembered_in_bounded_space(uow, phone, clock):
    fixes = [Fix(seq * 10, clock.now() - timedelta(seconds=seq), SITE, 5) for seq in range(1, 1_500)]
    for start in range(0, len(fixes), 500):
        await record(uow, phone, fixes[start : start + 500])
    ranges = await uow.value("select count(*) from position_stream, unnest(seen)")
    assert ranges <= 1_001
    assert await record(uow, phone, fixes[:500]) == Recorded(0, 500, 0)


async def test_two_sessions_that_send_the_same_batch_at_once_keep_it_once(database, company, clock):
    async with database.unit_of_work(company.id) as uow:
        phone = await with_phone(uow, company.actor("engineer"))
    fixes = Track(clock.now() - timedelta(minutes=30)).fixes(*range(1000, 0, -10))

    async def send(batch: list[Fix]) -> Recorded:
        async with database.unit_of_work(company.id) as uow:
            return await record(uow, phone, batch)

    ended = await asyncio.gather(send(fixes), send(fixes[::-1]), send(fixes[30:]))
    assert sum(it.accepted for it in ended) == len(fixes)
    async with database.unit_of_work(company.id) as uow:
        assert await uow.value("select count(*) from position_track") == len(fixes)
        assert await uow.value("select kept from position_day") == len(fixes)


async def test_what_was_dropped_is_counted_once_and_shown_by_day(uow, phone, clock):
    now = clock.now()
    shift = Interval(now - timedelta(hours=2), now - timedelta(hours=1))
    fixes = [Fix(seq, now - timedelta(minutes=minute), SITE, 5) for seq, minute in enumerate((5, 10, 70, 80), start=1)]
    yesterday = Fix(9, now - timedelta(days=1), SITE, 5)
    for _ in range(3):
        recorded = await record(uow, phone, [*fixes, yesterday], [shift])
        assert recorded.dropped_off_shift == 3
    assert await tracking.day_counts(uow, phone.person) == [
        DayCount(date(2026, 11, 23), kept=2, off_shift=2, paused=0, too_old=0),
        DayCount(date(2026, 11, 22), kept=0, off_shift=1, paused=0, too_old=0),
    ]


async def test_a_day_is_one_where_the_organisation_is(uow, phone, clock):
    await uow.run("update organisation set timezone = 'Asia/Shanghai'")
    late = Fix(1, clock.now().replace(hour=17, minute=0) - timedelta(days=1), SITE, 5)
    await record(uow, phone, [late], [Interval(late.at, late.at)])
    (day,) = await tracking.day_counts(uow, phone.person)
    assert day.day == date(2026, 11, 23)


async def test_what_is_older_than_is_kept_is_dropped_and_counted_the_day_it_came(uow, phone, track, clock):
    ever = [Interval(clock.now() - timedelta(days=90), clock.now())]
    old = [Fix(seq, clock.now() - timedelta(days=days), SITE, 5) for seq, days in enumerate((29, 31, 80), start=50)]
    assert await record(uow, phone, old, ever) == Recorded(1, 0, 0, 0, 2)
    assert await seqs(uow) == {50}
    today, _ = await tracking.day_counts(uow, phone.person)
    assert (today.day, today.too_old) == (date(2026, 11, 23), 2)
    wild = Fix(60, clock.now() - timedelta(days=36_000), SITE, 5)
    assert (await record(uow, phone, [wild], ever)).dropped_too_old == 1
    assert len(await tracking.day_counts(uow, phone.person)) == 2


async def test_in_a_pause_nothing_is_kept_and_it_can_be_ended_early(uow, phone, track, clock):
    now = clock.now()
    pause = Pause(uow.new_id(), now - timedelta(minutes=20), now + timedelta(hours=1))
    await tracking.set_pause(uow, phone, pause)
    fixes = [Fix(seq, now - timedelta(minutes=minute), SITE, 5) for seq, minute in enumerate((25, 15, 5), start=1)]
    assert await record(uow, phone, fixes) == Recorded(1, 0, 0, 2)
    await tracking.set_pause(uow, phone, replace(pause, ends_at=now - timedelta(minutes=2)))
    assert await record(uow, phone, [Fix(4, now, SITE, 5)]) == Recorded(1, 0, 0)
    assert await record(uow, phone, fixes) == Recorded(0, 1, 0, 2), "what was dropped in it stays dropped"
    (day,) = await tracking.day_counts(uow, phone.person)
    assert (day.kept, day.paused) == (2, 2)


async def test_a_pause_of_a_day_or_of_somebody_else_is_refused(uow, phone, clock, company):
    now = clock.now()
    for ago, lasts in ((0, timedelta(hours=13)), (0, -timedelta(hours=1)), (8, timedelta(hours=1))):
        starts = now - timedelta(days=ago)
        with pytest.raises(ImplausiblePause):
            await tracking.set_pause(uow, phone, Pause(uow.new_id(), starts, starts + lasts))
    mine = Pause(uow.new_id(), now, now + timedelta(hours=1))
    await tracking.set_pause(uow, phone, mine)
    with pytest.raises(NotFound):
        await tracking.set_pause(uow, company.actor("partner_engineer"), mine)


async def test_a_board_sees_who_pauses_and_no_place(uow, phone, track, clock, engineer):
    await an_engineer(uow, engineer)
    await a_shift(uow, engineer)
    await record(uow, phone, track.fixes(100))
    (before,) = await dispatch_queries.statuses(uow, clock.now(), [phone.person])
    assert before.place is not None
    pause = Pause(uow.new_id(), clock.now(), clock.now() + timedelta(hours=1))
    await tracking.set_pause(uow, phone, pause)
    (paused,) = await dispatch_queries.statuses(uow, clock.now(), [phone.person])
    assert (paused.place, paused.fixed_at, paused.paused_until) == (None, None, pause.ends_at)
    (after,) = await dispatch_queries.statuses(uow, pause.ends_at, [phone.person])
    assert (after.place, after.paused_until) == (before.place, None)


async def test_boards_are_told_of_a_moving_car_every_few_seconds_only(uow, phone, track, clock):
    for seq in range(1, 21):
        clock.forward(timedelta(seconds=1))
        await record(uow, phone, [Fix(seq, clock.now(), SITE, 5)])
    assert len(await moves(uow)) == 4
    (last,) = await queries.last_positions(uow, [phone.person])
    assert last.fixed_at == clock.now(), "who asks is told the newest"


async def days(database) -> list[str]:
    async with database.unit_of_work() as uow:
        found = await uow.rows(
            "select inhrelid::regclass::text as day from pg_inherits "
            "where inhparent = 'position_track'::regclass order by 1"
        )
    return [row["day"].removeprefix("position_track_") for row in found]


async def keep_two_days(database, company, clock):
    """Fixes of the last five days; the company keeps two of them from now on."""
    async with database.unit_of_work(company.id) as uow:
        phone = await with_phone(uow, company.actor("engineer"))
        week = [Interval(clock.now() - timedelta(days=7), clock.now())]
        fixes = [Fix(age + 1, clock.now() - timedelta(days=age), SITE, 5) for age in range(6)]
        await record(uow, phone, fixes, week)
        await tracking.set_policy(uow, company.actor("administrator"), Policy(2, 500))
    return phone


async def test_days_that_nobody_keeps_are_dropped_and_days_ahead_are_made(database, company, clock):
    phone = await keep_two_days(database, company, clock)
    assert (await days(database))[0] == "20261118"
    await tracking.keep_house(database)
    left = await days(database)
    assert left[0] == "20261121", "its last minutes are younger than two days"
    assert left[-1] == "20261207"
    async with database.unit_of_work(company.id) as uow:
        kept = await uow.rows("select fixed_at from position_track order by 1")
        assert len(kept) == 3
        assert min(row["fixed_at"] for row in kept) >= clock.now() - timedelta(days=2)
        fixes = [Fix(age + 1, clock.now() - timedelta(days=age), SITE, 5) for age in range(6)]
        again = await record(uow, phone, fixes, [Interval(clock.now() - timedelta(days=7), clock.now())])
    assert again == Recorded(0, 3, 0, 0, 3), "what was let go is not taken in again"
    await tracking.keep_house(database)
    assert await days(database) == left


async def test_the_worker_is_asked_to_keep_house(database, services, work_through, company, clock):
    await keep_two_days(database, company, clock)
    async with database.unit_of_work() as uow:
        await uow.defer(services.jobs, "geo.keep_tracks")
    await work_through()
    left = await days(database)
    assert (left[0], left[-1]) == ("20261121", "20261207")


async def test_a_day_that_another_organisation_keeps_stays_with_its_rows_only(database, company, clock):
    rival = await found_company(database, "rival", roles=("engineer",))
    async with database.unit_of_work(rival.id) as uow:
        theirs = await with_phone(uow, rival.actor("engineer"))
        week = [Interval(clock.now() - timedelta(days=7), clock.now())]
        await record(uow, theirs, [Fix(1, clock.now() - timedelta(days=5), SITE, 5)], week)
    await keep_two_days(database, company, clock)
    await tracking.keep_house(database)
    assert (await days(database))[0] == "20261118"
    async with database.unit_of_work(rival.id) as uow:
        assert await uow.value("select count(*) from position_track") == 1
    async with database.unit_of_work(company.id) as uow:
        assert await uow.value("select count(*) from position_track") == 3


async def test_the_last_position_goes_with_its_track(database, company, clock):
    await keep_two_days(database, company, clock)
    clock.forward(timedelta(days=3))
    await tracking.keep_house(database)
    async with database.unit_of_work(company.id) as uow:
        assert await queries.last_positions(uow, [company.actor("engineer").person]) == []


async def test_every_day_forces_row_level_security_and_is_nobodys_to_read(database, company, clock, test_database):
    await keep_two_days(database, company, clock)
    with psycopg.connect(test_database.owner_url) as connection:
        found = connection.execute(
            """
            select c.relname, c.relrowsecurity and c.relforcerowsecurity,
                   exists (select from pg_policies p where p.tablename = c.relname and 'callout_app' = any(p.roles)),
                   has_table_privilege('callout_app', c.oid, 'select, insert, update, delete')
            from pg_class c join pg_inherits i on i.inhrelid = c.oid where i.inhparent = 'position_track'::regclass
            """
        ).fetchall()
    assert len(found) == 6
    assert {row[1:] for row in found} == {(True, True, False)}
    other = await found_company(database, "rival", roles=("engineer",))
    async with database.unit_of_work(other.id) as uow:
        assert await uow.value("select count(*) from position_track") == 0


async def test_a_policy_is_kept_and_told(uow, company):
    assert await tracking.policy(uow) == Policy(30, 500)
    await tracking.set_policy(uow, company.actor("administrator"), Policy(14, 250))
    await tracking.set_policy(uow, company.actor("administrator"), Policy(7, 250))
    assert await tracking_queries.policy(uow) == Policy(7, 250)
    told = await uow.rows("select payload from event where name = 'position_policy.set' order by id")
    assert [row["payload"] for row in told] == [
        {"keep_track_days": 14, "fence_radius_m": 250},
        {"keep_track_days": 7, "fence_radius_m": 250},
    ]
