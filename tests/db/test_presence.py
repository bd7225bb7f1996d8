"""What a visit's history says of its engineer's coming and going: each fact once, corrected when it was otherwise."""

import asyncio
from datetime import timedelta

import psycopg
import pytest

from server.core import relay
from server.core.db import Database, UnitOfWork
from server.core.events import Event, Subscriptions
from server.dispatch.subscribers import subscribe
from server.geo import native, tracking
from server.geo import service as geo
from server.geo.positions import Fix, Policy
from server.identity.domain import Actor
from server.workorders import queries as workorder_queries
from server.workorders.domain import Action, Visit, WorkOrder
from tests.factories.customers import MONTE_CARLO, a_site
from tests.factories.geo import Track, all_day, device_of, north_of, with_phone
from tests.factories.workforce import a_shift, an_engineer
from tests.factories.workorders import a_visit, an_order, work_until
from tests.fakes.clock import FakeClock

CROSSINGS = ("fence.entered", "fence.dwelt", "fence.left", "fence.amended")
THERE_AND_BACK = [900.0, *[100.0] * 25, *[900.0] * 4]


@pytest.fixture
async def anna(uow: UnitOfWork, engineer: Actor) -> Actor:
    await an_engineer(uow, engineer)
    await a_shift(uow, engineer)
    return await with_phone(uow, engineer)


@pytest.fixture
async def visit(uow: UnitOfWork, dispatcher: Actor, anna: Actor, clock: FakeClock) -> Visit:
    """Dispatched; twenty minutes have passed since."""
    sent = await a_visit(uow, dispatcher, anna, await an_order(uow, dispatcher))
    await hear(uow)
    clock.forward(timedelta(minutes=20))
    return sent


@pytest.fixture
def track(visit: Visit, clock: FakeClock) -> Track:
    return Track(clock.now() - timedelta(minutes=19), around=MONTE_CARLO)


async def hear(uow: UnitOfWork, *names: str, times: int = 1, backwards: bool = False) -> None:
    """Hand events to their subscribers, as the worker would; some of them, more than once, out of order."""
    subscriptions = Subscriptions()
    subscribe(subscriptions)
    happened = await uow.all_of(
        Event,
        "select id, name, subject_kind, subject_id, payload, actor_id, trace_id, at, position from event "
        "where name = any(%(names)s) order by id",
        names=list(names or subscriptions.events),
    )
    for event in happened[:: -1 if backwards else 1]:
        for name in subscriptions.events[event.name] * times:
            await subscriptions.by_name[name](uow, event)


async def drive(uow: UnitOfWork, phone: Actor, fixes: list[Fix]) -> None:
    await geo.record_fixes(uow, phone, device_of(phone), fixes, all_day(uow.now()))


async def history(uow: UnitOfWork, visit: Visit) -> list[tuple[str, object]]:
    found = await uow.rows(
        """
        select action, at from timeline_entry
        where visit_id = %(visit)s and action in ('approached', 'returned', 'dwelt', 'left_site', 'presence_amended')
        order by recorded_at, id
        """,
        visit=visit.id,
    )
    return [(row["action"], row["at"]) for row in found]


async def amendment(uow: UnitOfWork) -> dict[str, object]:
    facts: dict[str, object] = await uow.value("select facts from timeline_entry where action = 'presence_amended'")
    return facts


async def arrival_hints(uow: UnitOfWork, person: Actor) -> int:
    return int(
        await uow.value(
            "select count(*) from message where person_id = %(person)s and hint = 'arrival'", person=person.person
        )
    )


async def sent_hints(uow: UnitOfWork) -> None:
    """Let what waits be on its way, so that a second hint would be a second message."""
    await uow.run("update message set state = 'sent'")


async def approached_at(uow: UnitOfWork, visit: Visit) -> object:
    return await uow.value("select approached_at from visit where id = %(id)s", id=visit.id)


async def told(uow: UnitOfWork) -> list[str]:
    names = ["visit.approached", "visit.returned", "visit.dwelt", "visit.left_site"]
    found = await uow.rows("select name from event where name = any(%(names)s) order by id", names=names)
    return [row["name"] for row in found]


async def test_coming_dwelling_and_leaving_are_facts_and_events_of_the_visit(uow, anna, visit, track):
    await drive(uow, anna, track.fixes(*THERE_AND_BACK))
    await hear(uow, *CROSSINGS)
    assert await history(uow, visit) == [
        ("approached", track.at(2)),
        ("dwelt", track.at(22)),
        ("left_site", track.at(28)),
    ]
    assert await told(uow) == ["visit.approached", "visit.dwelt", "visit.left_site"]
    assert await approached_at(uow, visit) == track.at(2)


@pytest.mark.parametrize("backwards", [False, True])
async def test_events_that_come_twice_and_out_of_order_leave_each_fact_once(uow, anna, visit, track, backwards):
    await drive(uow, anna, track.fixes(*THERE_AND_BACK))
    await hear(uow, *CROSSINGS, times=2, backwards=backwards)
    assert len(await history(uow, visit)) == 3
    assert await arrival_hints(uow, anna) == 1


async def test_a_late_batch_corrects_the_history_once_and_wakes_nobody_again(uow, anna, visit, track):
    fixes = track.fixes(900, 400, 300, 200, 100)
    await drive(uow, anna, [fixes[0], fixes[3], fixes[4]])
    await hear(uow, *CROSSINGS)
    await sent_hints(uow)
    await drive(uow, anna, [fixes[1], fixes[2]])
    await hear(uow, *CROSSINGS, times=2)
    assert await history(uow, visit) == [("approached", track.at(4)), ("presence_amended", track.at(2))]
    amended = await amendment(uow)
    assert amended["what"] == "approached"
    assert (amended["was"], amended["is"]) == (track.at(4).isoformat(), track.at(2).isoformat())
    assert await approached_at(uow, visit) == track.at(2)
    assert await arrival_hints(uow, anna) == 1
    assert await told(uow) == ["visit.approached"]


async def test_an_arrival_that_was_none_is_withdrawn_and_the_true_one_wakes_nobody_again(uow, anna, visit, track):
    fixes = track.fixes(400, 900, 400, 900, 900)
    await drive(uow, anna, [fixes[0], fixes[2]])
    await hear(uow, *CROSSINGS)
    await sent_hints(uow)
    await drive(uow, anna, [fixes[1], fixes[3], fixes[4]])
    await hear(uow, *CROSSINGS)
    assert [action for action, _ in await history(uow, visit)] == ["approached", "presence_amended"]
    assert await approached_at(uow, visit) is None
    assert "is" not in await amendment(uow)
    await drive(uow, anna, Track(track.at(10), around=MONTE_CARLO).fixes(300, 200, first_seq=50))
    await hear(uow, *CROSSINGS)
    assert (await history(uow, visit))[2:] == [("approached", track.at(11))]
    assert await approached_at(uow, visit) == track.at(11)
    assert await arrival_hints(uow, anna) == 1
    assert await told(uow) == ["visit.approached"]


async def test_what_never_was_and_was_never_told_leaves_no_trace(uow, anna, visit, track):
    fixes = track.fixes(400, 900, 400, 900, 900)
    await drive(uow, anna, [fixes[0], fixes[2]])
    await drive(uow, anna, [fixes[1], fixes[3], fixes[4]])
    await hear(uow, *CROSSINGS)
    assert await history(uow, visit) == []
    assert await arrival_hints(uow, anna) == 0


async def test_coming_back_is_a_fact_of_its_own(uow, anna, visit, track):
    await drive(uow, anna, track.fixes(100, 100, *[900] * 4, 100, 100))
    await hear(uow, *CROSSINGS)
    assert [action for action, _ in await history(uow, visit)] == ["approached", "left_site", "returned"]
    assert await approached_at(uow, visit) == track.at(1)


async def test_a_visit_finished_without_signal_still_gets_its_arrival_and_no_hint(uow, anna, visit, track):
    await work_until(uow, anna, await order_of(uow, visit), Action.RESOLVE)
    await hear(uow, "work_order.resolved")
    await drive(uow, anna, track.fixes(900, 300, 200))
    await hear(uow, *CROSSINGS)
    assert await history(uow, visit) == [("approached", track.at(2))]
    assert await approached_at(uow, visit) == track.at(2)
    assert await arrival_hints(uow, anna) == 0


async def order_of(uow: UnitOfWork, visit: Visit) -> WorkOrder:
    found = await workorder_queries.order(uow, visit.work_order_id)
    assert found is not None
    return found


@pytest.fixture
async def been_there(database: Database, company, dispatcher, engineer, clock) -> tuple[Actor, Visit]:
    """Somebody who came, stayed and left, all of it committed and not yet heard of."""
    async with database.unit_of_work(company.id) as uow:
        await an_engineer(uow, engineer)
        await a_shift(uow, engineer)
        anna = await with_phone(uow, engineer)
        visit = await a_visit(uow, dispatcher, anna, await an_order(uow, dispatcher))
        await hear(uow)
    clock.forward(timedelta(minutes=20))
    track = Track(clock.now() - timedelta(minutes=19), around=MONTE_CARLO)
    async with database.unit_of_work(company.id) as uow:
        await drive(uow, anna, track.fixes(*THERE_AND_BACK))
    return anna, visit


async def each_fact_is_there_once(database: Database, anna: Actor, visit: Visit) -> None:
    async with database.unit_of_work(anna.org) as uow:
        assert [action for action, _ in await history(uow, visit)] == ["approached", "dwelt", "left_site"]
        assert await arrival_hints(uow, anna) == 1
        assert await told(uow) == ["visit.approached", "visit.dwelt", "visit.left_site"]


class KilledError(Exception):
    """The process is gone before its transaction ended."""


async def test_a_worker_killed_between_the_fact_and_its_commit_leaves_it_to_the_next(database, been_there):
    anna, visit = been_there
    for _ in range(2):
        with pytest.raises(KilledError):
            async with database.unit_of_work(anna.org) as uow:
                await hear(uow, *CROSSINGS)
                assert len(await history(uow, visit)) == 3
                raise KilledError
    for _ in range(2):
        async with database.unit_of_work(anna.org) as uow:
            await hear(uow, *CROSSINGS)
    await each_fact_is_there_once(database, anna, visit)


async def test_workers_that_deliver_at_once_write_each_fact_once(database, been_there):
    anna, visit = been_there

    async def work() -> None:
        async with database.unit_of_work(anna.org) as uow:
            await hear(uow, *CROSSINGS)

    await asyncio.gather(*(work() for _ in range(4)))
    await each_fact_is_there_once(database, anna, visit)


async def test_jobs_that_are_delivered_twice_by_the_queue_itself_write_each_fact_once(
    database, services, work_through, been_there, test_database
):
    anna, visit = been_there
    subscribed = Subscriptions()
    subscribe(subscribed)
    while await relay.relay_once(database, services.jobs, subscribed):
        pass
    with psycopg.connect(test_database.owner_url) as connection:
        again = connection.execute(
            "insert into procrastinate_jobs (task_name, queue_name, args) select task_name, queue_name, args "
            "from procrastinate_jobs where task_name = %s and args ->> 'subscriber' like '%%note_presence'",
            [relay.DELIVER],
        )
        assert again.rowcount == 3
    await work_through()
    await each_fact_is_there_once(database, anna, visit)


async def test_sites_without_a_radius_of_their_own_follow_the_organisation(uow, company):
    own = await a_site(uow, name="Own")
    await uow.run("update site set fence_radius_m = 80, fence_is_default = false where id = %(id)s", id=own.id)
    follows = await a_site(uow, name="Follows")
    assert (follows.fence_radius_m, follows.fence_is_default) == (500, True)
    await tracking.set_policy(uow, company.actor("administrator"), Policy(30, 250))
    await hear(uow, "position_policy.set", times=2)
    radii = await uow.rows("select name, fence_radius_m, version from site order by name")
    assert [tuple(row.values()) for row in radii] == [("Follows", 250, 2), ("Own", 80, 1)]
    assert (await a_site(uow, name="New")).fence_radius_m == 250


async def test_a_phones_system_is_given_the_nearest_fences_and_how_far_it_may_go(uow, anna, clock):
    for number in range(25):
        place = north_of(MONTE_CARLO, 1_000 + 2_000 * number)
        await geo.watch(uow, uow.new_id(), anna.person, place, 300, since=clock.now())
    found = await native.fences_near(uow, anna.person, MONTE_CARLO, most=19)
    assert [it.edge_m for it in found.regions] == pytest.approx([700 + 2_000 * n for n in range(19)], rel=0.01)
    assert found.refresh.radius_m == pytest.approx(0.8 * (700 + 2_000 * 19), rel=0.01)
    everything = await native.fences_near(uow, anna.person, MONTE_CARLO, most=99)
    assert (len(everything.regions), everything.refresh.radius_m) == (25, 50_000)


async def test_around_an_area_lies_a_circle_that_holds_all_of_it(uow, anna, clock):
    west, south, east, north = 7.42, 43.735, 7.43, 43.74
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    area = {"type": "Polygon", "coordinates": [ring]}
    await geo.watch(uow, uow.new_id(), anna.person, MONTE_CARLO, 50, since=clock.now(), area=area)
    (region,) = (await native.fences_near(uow, anna.person, MONTE_CARLO, most=19)).regions
    assert region.area == area
    assert region.centre.lon == pytest.approx(7.425, abs=1e-4)
    assert region.radius_m == pytest.approx(490, abs=5)


async def test_somebody_elses_fences_and_closed_ones_are_not_given(uow, anna, visit, company):
    assert len((await native.fences_near(uow, anna.person, MONTE_CARLO, most=19)).regions) == 1
    other = company.actor("partner_engineer").person
    assert (await native.fences_near(uow, other, MONTE_CARLO, most=19)).regions == []
    await geo.stop_watching(uow, visit.id, at=uow.now())
    assert (await native.fences_near(uow, anna.person, MONTE_CARLO, most=19)).regions == []
