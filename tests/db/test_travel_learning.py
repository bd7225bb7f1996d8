"""A night of learning on real rows and real roads: what is kept, what is put in force, and that twice is once."""

import shutil
from collections.abc import Sequence
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from server.core.db import Database, UnitOfWork
from server.geo.dayparts import DayPart
from server.geo.domain import Point
from server.geo.learning import queries, service
from server.geo.learning.domain import AGAIN_AFTER, KEPT, Outcome
from server.geo.learning.service import learn_tonight, make_drives, nights
from server.geo.osrm import RoadEngine
from server.geo.region import Region
from tests.factories.drives import drove, track_along
from tests.factories.geo import with_phone
from tests.factories.identity import Company, found_company
from tests.fakes.clock import FakeClock

ENDS = (Point(7.4120, 43.7290), Point(7.4330, 43.7480))


@pytest.fixture
def town(monaco: Region, tmp_path) -> Region:
    """Monaco of one's own: learning changes it."""
    home = tmp_path / "regions" / "monaco"
    shutil.copytree(monaco.folder, home / monaco.folder.name)
    (home / "current").symlink_to(monaco.folder.name)
    found = Region.load(tmp_path / "regions")
    assert found is not None
    return found


def present(town: Region) -> Region:
    found = Region.load(town.folder.parents[1])
    assert found is not None
    return found


def seconds(roads: Path) -> float:
    drive = RoadEngine(roads).drive(*ENDS)
    assert drive is not None
    return drive[0]


@pytest.fixture
def line(town: Region) -> Sequence[Point]:
    drive = RoadEngine(town.osrm_base).drive(*ENDS)
    assert drive is not None
    return drive[2]


async def a_day(database: Database, company: Company, clock: FakeClock, line: Sequence[Point]) -> None:
    """An engineer drives the line two days ago in the morning, ten times, at a crawl."""
    morning = clock.now().astimezone(UTC).replace(hour=5, minute=30) - timedelta(days=2)
    seq = 1
    async with database.unit_of_work(company.id) as uow:
        phone = await with_phone(uow, company.actor("engineer"))
        for drive in range(10):
            fixes = track_along(line, morning + timedelta(minutes=45 * drive), 2.7 + 0.06 * drive, seq)
            seq += len(fixes)
            await drove(uow, phone, fixes)


async def a_month(
    database: Database, company: Company, clock: FakeClock, town: Region, line: Sequence[Point], days: int = 20
) -> None:
    """The same day again and again, a little slower or quicker, up to two days ago."""
    await a_day(database, company, clock, line)
    await make_drives(database, town, silent)
    async with database.unit_of_work(company.id) as uow:
        await uow.run(
            """
            insert into travel_drive
                (org_id, id, began_at, seconds, origin, destination, turns, from_nodes, to_nodes, took, free_flow)
            select d.org_id, gen_random_uuid(), d.began_at - make_interval(days => n), d.seconds * pace, d.origin,
                   d.destination, d.turns, d.from_nodes, d.to_nodes,
                   array(select it * pace from unnest(d.took) with ordinality as t (it, at) order by at), d.free_flow
            from travel_drive d, generate_series(1, %(days)s) as n,
                 lateral (select 0.95 + 0.02 * (n %% 6) as pace) as of_day
            """,
            days=days - 1,
        )


async def silent(_: str) -> None:
    pass


async def test_without_roads_or_drives_nothing_is_learnt_and_it_is_on_record(database, company, town):
    assert await learn_tonight(database, None) is Outcome.NO_ROADS
    assert await learn_tonight(database, town) is Outcome.TOO_LITTLE
    async with database.unit_of_work(company.id) as uow:
        last, before = await nights(uow)
    assert (last.outcome, last.region, last.drives) == (Outcome.TOO_LITTLE, "monaco", 0)
    assert (before.outcome, before.region) == (Outcome.NO_ROADS, None)
    assert last.ended_at is not None


async def test_a_track_becomes_a_drive_that_does_not_say_whose_it_was(database, company, clock, town, line):
    await a_day(database, company, clock, line)
    kept = await make_drives(database, town, silent)
    assert len(kept) == 10
    for drive in kept:
        assert drive.origin.metres_to(ENDS[0]) < 60
        assert drive.destination.metres_to(ENDS[1]) < 60
        assert sum(drive.took) + drive.turns == pytest.approx(drive.seconds, rel=0.1)
        assert len(drive.from_nodes) == len(drive.to_nodes) == len(drive.took) == len(drive.free_flow)
    async with database.unit_of_work(company.id) as uow:
        columns = await uow.rows("select * from travel_drive limit 1")
        days = await uow.value("select sum(drives) from travel_day")
    person = str(company.actor("engineer").person)
    assert person not in str(columns)
    assert days == 10


async def test_a_day_is_made_into_drives_once(database, company, clock, town, line):
    await a_day(database, company, clock, line)
    first = await make_drives(database, town, silent)
    again = await make_drives(database, town, silent)
    assert len(first) == len(again) == 10
    async with database.unit_of_work(company.id) as uow:
        await uow.run("delete from travel_day")  # as if the night had ended before it was noted
    assert len(await make_drives(database, town, silent)) == 10


async def test_days_that_late_phones_may_still_tell_of_wait(database, company, clock, town, line):
    await a_day(database, company, clock, line)
    clock.at -= timedelta(days=1)
    assert await make_drives(database, town, silent) == []
    clock.forward(timedelta(days=1))
    assert len(await make_drives(database, town, silent)) == 10


async def test_drives_are_forgotten_with_the_tracks(database, company, clock, town, line):
    await a_day(database, company, clock, line)
    await make_drives(database, town, silent)
    clock.forward(KEPT)
    async with database.unit_of_work(company.id) as uow:
        await uow.run("delete from position_track")
    assert await make_drives(database, town, silent) == []
    async with database.unit_of_work(company.id) as uow:
        assert await uow.value("select count(*) from travel_drive") == 0


async def test_nobody_sees_the_drives_of_another_organisation(database, company, clock, town, line):
    await a_day(database, company, clock, line)
    rival = await found_company(database, "rival")
    assert len(await make_drives(database, town, silent)) == 10
    async with database.unit_of_work(rival.id) as uow:
        assert await queries.drives(uow, 9) == []
        assert await uow.value("select count(*) from travel_day") == 29  # its own, without a drive
        assert await uow.value("select sum(drives) from travel_day") == 0


async def test_a_month_of_slow_mornings_is_put_in_force_and_answers_what_they_took(
    database, company, clock, town, line
):
    await a_month(database, company, clock, town, line)
    assert await learn_tonight(database, town) is Outcome.IN_FORCE
    async with database.unit_of_work(company.id) as uow:
        (night,) = await nights(uow)
    assert night.drives == 200
    assert night.back_test is not None
    assert night.sets is not None
    assert night.back_test["learnt"]["mape"] < 10
    assert night.back_test["usual"]["mape"] > 30
    assert set(night.sets) == {str(part) for part in DayPart}
    assert night.sets["morning"]["drives"] > 0
    now = present(town)
    morning = now.dayparts[DayPart.MORNING]
    empty, busy = seconds(now.osrm_base), seconds(morning.base)
    async with database.unit_of_work(company.id) as uow:
        took = await uow.value("select percentile_cont(0.5) within group (order by seconds) from travel_drive")
    assert empty == seconds(town.osrm_base)
    assert busy * morning.learnt.factor == pytest.approx(took, rel=0.15)
    assert 1 < morning.learnt.p90_over_median < 1.6


async def test_what_was_put_in_force_stands_until_a_week_it_has_not_seen_is_over(database, company, clock, town, line):
    await a_month(database, company, clock, town, line)
    await learn_tonight(database, town)
    now = present(town)
    assert await learn_tonight(database, now) is Outcome.TOO_SOON
    clock.forward(AGAIN_AFTER)
    assert await learn_tonight(database, now) is Outcome.TOO_LITTLE  # not a drive that it has not seen
    assert present(town).build == now.build


async def test_what_errs_more_than_the_usual_factors_is_withdrawn(database, company, clock, town, line, monkeypatch):
    await a_month(database, company, clock, town, line)
    await learn_tonight(database, town)
    now = present(town)
    async with database.unit_of_work(company.id) as uow:
        kept = await queries.drives(uow, 1_000)
    # The road works are over: since then everybody drives as if nobody else were there.
    later = [
        queries.Kept(
            it.began_at + timedelta(days=20),
            (sum(it.free_flow) + it.turns) * 1.6,
            it.origin,
            it.destination,
            it.turns,
            it.from_nodes,
            it.to_nodes,
            [free_flow * 1.6 for free_flow in it.free_flow],
            it.free_flow,
        )
        for it in kept[:60]
    ]
    found = service.study(now, [*kept, *later], max(it.began_at for it in kept).date())
    assert found.outcome is Outcome.WITHDRAWN
    assert present(town).dayparts == {}
    assert found.back_test is not None
    assert found.back_test["in_force"]["mape"] > found.back_test["usual"]["mape"]


async def test_roads_that_can_not_be_weighed_leave_everything_as_it_was(database, company, clock, town, line):
    await a_month(database, company, clock, town, line)
    shutil.rmtree(town.folder.parent / "current", ignore_errors=True)
    (town.folder.parent / "current").unlink()
    assert await learn_tonight(database, town) is Outcome.FAILED
    async with database.unit_of_work(company.id) as uow:
        (night,) = await nights(uow)
    assert night.progress
    assert town.dayparts == {}


async def test_an_interrupted_night_is_on_record_when_the_next_begins(database, company, uow: UnitOfWork):
    await queries.begin_night(uow, "monaco")
    await queries.begin_night(uow, "monaco")
    last, before = await nights(uow)
    assert (last.outcome, before.outcome, before.progress) == (Outcome.RUNNING, Outcome.FAILED, "interrupted")


async def test_the_task_is_asked_for_every_night(services):
    from callout.wiring import subscriptions
    from callout.worker import install_tasks

    jobs = install_tasks(services, subscriptions(services), "https://callout.test")
    assert "travel.learn" in jobs.tasks
    assert any(it.task.name == "travel.learn" for it in jobs.periodic_registry.periodic_tasks.values())
