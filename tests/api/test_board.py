"""The board starts from a snapshot and stays true by its stream, over a real socket."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest

from edge import streams
from server.core import events, relay
from server.core.events import Subscriptions
from server.dispatch.subscribers import subscribe
from server.geo import service as geo
from server.identity import service as identity
from server.workorders.domain import Action, WorkOrder
from tests.factories.geo import Track, all_day, device_of, with_phone
from tests.factories.identity import found_company, token_for
from tests.factories.workforce import a_shift, an_engineer
from tests.factories.workorders import a_visit, an_order, work_until
from tests.fakes.sse import Told, reading, serving

EVENTS = "/api/v1/board/events"


@pytest.fixture
async def address(app) -> AsyncIterator[str]:
    async with serving(app) as it:
        yield it


@pytest.fixture
async def order(database, company, dispatcher, engineer) -> WorkOrder:
    async with database.unit_of_work(company.id) as uow:
        await an_engineer(uow, engineer)
        await a_shift(uow, engineer)
        return await an_order(uow, dispatcher)


@pytest.fixture
def number(database, services):
    """Give committed events their positions, as the worker does."""

    async def relayed() -> None:
        await relay.relay_once(database, services.jobs, Subscriptions())

    return relayed


@pytest.fixture
def happen(database, company, number):
    """Append events to an order and relay them."""

    async def appended(order: WorkOrder, *names: str) -> None:
        for name in names:
            async with database.unit_of_work(company.id) as uow:
                await events.append(uow, name, subject=("work_order", order.id))
            await number()

    return appended


async def test_the_snapshot_is_everything_a_board_starts_from(
    client, signed_in, database, company, dispatcher, engineer, order, number
):
    async with database.unit_of_work(company.id) as uow:
        await a_visit(uow, dispatcher, engineer, order)
        await work_until(uow, engineer, order, Action.TRAVEL)
    await number()
    answer = await client.get("/api/v1/board/snapshot", headers=await signed_in("dispatcher"))
    assert answer.status_code == 200
    board = answer.json()
    (shown,) = board["engineers"]
    assert shown["id"] == str(engineer.person)
    assert (shown["state"], shown["current_order_id"]) == ("travelling", str(order.id))
    assert shown["shift"]["ends_at"].startswith("2026-11-23T15:30")
    assert shown["place"] is None
    (line,) = board["orders"]
    assert (line["id"], line["engineer_id"]) == (str(order.id), str(engineer.person))
    assert board["counts"] == {"by_state": {"travelling": 1}, "by_priority": {"normal": 1}}
    assert board["position"] > 0
    assert board["region"] is None


async def test_the_board_is_for_those_who_may_see_orders_and_positions(client, signed_in):
    for role, status in {"dispatcher": 200, "team_lead": 200, "service_agent": 403, "engineer": 403}.items():
        headers = await signed_in(role)
        assert (await client.get("/api/v1/board/snapshot", headers=headers)).status_code == status
        if status == 403:
            assert (await client.get(EVENTS, headers=headers)).status_code == 403
    assert (await client.get(EVENTS)).status_code == 401


async def test_a_change_of_an_order_reaches_the_board_with_the_order_as_it_is_now(
    address, signed_in, database, company, dispatcher, engineer, order, number
):
    await number()
    async with reading(address, EVENTS, await signed_in("dispatcher")) as board:
        async with database.unit_of_work(company.id) as uow:
            await a_visit(uow, dispatcher, engineer, order)
        await number()
        changed, who = await board.until("order"), await board.until("engineer")
        assert changed.data["order"]["engineer_id"] == str(engineer.person)
        assert changed.data["order"]["state"] == "dispatched"
        assert who.data["engineer"]["id"] == str(engineer.person)
        named = await board.until("event")
        assert named.data["name"] in {"visit.scheduled", "visit.dispatched"}
        assert named.data["payload"]["work_order_id"] == str(order.id)
        assert named.id is not None


async def test_a_drive_reaches_the_board_as_the_engineers_new_place(
    address, signed_in, database, company, engineer, order, number
):
    async with reading(address, EVENTS, await signed_in("dispatcher")) as board:
        async with database.unit_of_work(company.id) as uow:
            phone = await with_phone(uow, engineer)
            fixes = Track(uow.now()).fixes(900)
            await geo.record_fixes(uow, phone, device_of(phone), fixes, all_day(uow.now()))
        await number()
        moved = await board.until("engineer")
        assert moved.data["engineer"]["place"]["lon"] == pytest.approx(fixes[0].place.lon)
        assert moved.data["engineer"]["speed_kmh"] == 30


async def test_a_cut_stream_resumes_without_a_gap_or_a_repetition(address, signed_in, order, number, happen):
    headers = await signed_in("dispatcher")
    await number()
    async with reading(address, EVENTS, headers) as board:
        await happen(order, "work_order.first")
        seen = await board.until("event")
    await happen(order, "work_order.second", "work_order.third")
    async with reading(address, EVENTS, headers, last_event_id=seen.id) as board:
        missed = [await board.next() for _ in range(3)]
        # The order is told once, with its last change.
        assert [told.event for told in missed] == ["event", "order", "event"]
        assert [told.data["name"] for told in missed if told.event == "event"] == [
            "work_order.second",
            "work_order.third",
        ]
        assert missed[1].id is None, "cut off here, the third would be told again"
        await happen(order, "work_order.fourth")
        assert (await board.until("event")).data["name"] == "work_order.fourth"


async def test_the_snapshots_position_is_where_the_stream_takes_over(client, address, signed_in, order, number, happen):
    headers = await signed_in("dispatcher")
    await number()
    position = (await client.get("/api/v1/board/snapshot", headers=headers)).json()["position"]
    await happen(order, "work_order.meanwhile")
    async with reading(address, EVENTS, headers, last_event_id=position) as board:
        assert (await board.until("event")).data["name"] == "work_order.meanwhile"


@pytest.mark.parametrize("last_seen", ["999999999", "not-a-position"])
async def test_a_position_that_can_not_be_resumed_asks_for_a_fresh_snapshot(address, signed_in, order, last_seen):
    async with reading(address, EVENTS, await signed_in("dispatcher"), last_event_id=last_seen) as board:
        assert await board.next() == Told("resync", {}, "0")


async def test_too_much_missed_asks_for_a_fresh_snapshot(address, signed_in, order, number, happen, monkeypatch):
    monkeypatch.setattr("server.dispatch.live.MOST_MISSED", 2)
    await number()
    await happen(order, "work_order.a", "work_order.b", "work_order.c")
    async with reading(address, EVENTS, await signed_in("dispatcher"), last_event_id=0) as board:
        assert (await board.next()).event == "resync"
        await happen(order, "work_order.d")
        assert (await board.until("event")).data["name"] == "work_order.d"


async def test_other_organisations_hear_nothing(address, signed_in, database, services, order, number, happen):
    rival = await found_company(database, "rival", roles=("dispatcher",))
    theirs = {"Authorization": f"Bearer {await token_for(services, rival, 'dispatcher')}"}
    await number()
    async with (
        reading(address, EVENTS, theirs) as spy,
        reading(address, EVENTS, await signed_in("dispatcher")) as board,
    ):
        await happen(order, "work_order.secret")
        assert (await board.until("event")).data["name"] == "work_order.secret"
        with pytest.raises(TimeoutError):
            await spy.next(within=0.8)


async def test_the_stream_ends_with_the_token(address, signed_in, order, clock, monkeypatch):
    monkeypatch.setattr(streams, "RECHECK_S", 0.2)
    async with reading(address, EVENTS, await signed_in("dispatcher")) as board:
        assert not await board.ended(within=0.6)
        clock.forward(timedelta(minutes=11))
        assert await board.ended()


async def test_the_stream_ends_when_the_person_is_disabled(
    address, signed_in, database, company, dispatcher, administrator, monkeypatch
):
    monkeypatch.setattr(streams, "RECHECK_S", 0.2)
    async with reading(address, EVENTS, await signed_in("dispatcher")) as board:
        async with database.unit_of_work(company.id) as uow:
            await identity.dismiss(uow, administrator, dispatcher.person)
        assert await board.ended()


async def test_one_source_serves_all_boards_and_rests_when_nobody_looks(address, services, signed_in, order):
    headers = await signed_in("dispatcher")
    async with reading(address, EVENTS, headers), reading(address, EVENTS, headers):
        assert len(services.board._stations) == 1
    async with asyncio.timeout(5):
        while services.board._stations:  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0.05)


async def test_an_open_stream_holds_no_transaction(address, signed_in, database, order):
    async with reading(address, EVENTS, await signed_in("dispatcher")):
        async with database.unit_of_work() as uow:
            states = await uow.rows(
                "select state, count(*) from pg_stat_activity "
                "where datname = current_database() and state like 'idle in%%' group by 1"
            )
        assert states == []


@pytest.fixture
def cut_off(admin_url, test_database):
    """A block during which this test's database, and no other, refuses everybody."""

    @contextmanager
    def cut() -> Iterator[None]:
        name = test_database.name
        with psycopg.connect(admin_url, autocommit=True) as administrator:
            administrator.execute(f"alter database {name} allow_connections false")
            administrator.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])
            yield
            administrator.execute(f"alter database {name} allow_connections true")

    return cut


async def test_when_the_database_goes_away_streams_end_and_whoever_comes_back_misses_nothing(
    address, signed_in, cut_off, order, number, happen
):
    headers = await signed_in("dispatcher")
    await number()
    async with reading(address, EVENTS, headers) as board:
        await happen(order, "work_order.before")
        seen = await board.until("event")
        with cut_off():
            assert await board.ended()
    await happen(order, "work_order.after")
    async with reading(address, EVENTS, headers, last_event_id=seen.id) as board:
        assert (await board.until("event")).data["name"] == "work_order.after"


async def test_a_dispatched_visit_is_watched_and_hinted_by_the_worker(
    services, database, company, dispatcher, engineer, order
):
    subscriptions = Subscriptions()
    subscribe(subscriptions)
    relay.install(services.jobs, database, subscriptions)
    async with database.unit_of_work(company.id) as uow:
        await a_visit(uow, dispatcher, engineer, order)
    await relay.relay_once(database, services.jobs, subscriptions)
    await services.jobs.run_worker_async(wait=False, install_signal_handlers=False, listen_notify=False)
    async with database.unit_of_work(company.id) as uow:
        assert await uow.value("select person_id from fence where closed_at is null") == engineer.person
        assert await uow.value("select hint from message where state = 'waiting'") == "job"
