"""Nothing is delivered that did not happen, nothing that happened is missed."""

import asyncio

import psycopg
import pytest

from server.core import events, relay
from server.core.db import UnitOfWork
from server.core.events import Subscriptions
from server.core.logging import trace_id
from tests.factories.identity import found_company


@pytest.fixture
def heard():
    return []


@pytest.fixture
def subscriptions(heard):
    async def listener(uow, event):
        heard.append((uow.org, event.name, event.payload["n"]))

    built = Subscriptions()
    built.on("test.happened", listener)
    return built


async def _happen(database, company, *numbers):
    async with database.unit_of_work(company.id) as uow:
        for number in numbers:
            await events.append(uow, "test.happened", subject=("test", company.id), payload={"n": number})


async def _work_off(services):
    await services.jobs.run_worker_async(wait=False, install_signal_handlers=False, listen_notify=False)


async def test_each_event_reaches_each_subscriber_once_in_its_own_organisation(
    services, database, company, subscriptions, heard
):
    rival = await found_company(database, "rival", roles=("engineer",))
    relay.install(services.jobs, database, subscriptions)
    await _happen(database, company, 1, 2)
    await _happen(database, rival, 3)
    assert await relay.relay_once(database, services.jobs, subscriptions) == 3
    assert await relay.relay_once(database, services.jobs, subscriptions) == 0
    await _work_off(services)
    assert sorted(heard, key=lambda entry: entry[2]) == [
        (company.id, "test.happened", 1),
        (company.id, "test.happened", 2),
        (rival.id, "test.happened", 3),
    ]


async def test_what_follows_from_a_request_carries_its_trace(services, database, company):
    traces = []

    async def follower(uow, event):
        traces.append(trace_id.get())
        await events.append(uow, "test.followed", subject=("test", company.id))

    built = Subscriptions()
    built.on("test.happened", follower)
    relay.install(services.jobs, database, built)
    token = trace_id.set("a trace")
    await _happen(database, company, 1)
    trace_id.reset(token)
    await relay.relay_once(database, services.jobs, built)
    await _work_off(services)
    assert traces == ["a trace"]
    async with database.unit_of_work(company.id) as uow:
        assert await uow.value("select trace_id from event where name = 'test.followed'") == "a trace"


async def test_a_late_commit_gets_a_later_position_and_is_not_skipped(services, database, company, subscriptions):
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow():
        async with database.unit_of_work(company.id) as uow:
            await events.append(uow, "test.happened", subject=("test", company.id), payload={"n": 1})
            began.set()
            await go_on.wait()

    writing = asyncio.create_task(slow())
    await began.wait()
    await _happen(database, company, 2)
    await relay.relay_once(database, services.jobs, subscriptions)
    async with database.unit_of_work(company.id) as uow:
        seen = await events.events_after(uow, 0)
        last = await events.last_position(uow)
    assert [event.payload["n"] for event in seen] == [2]
    go_on.set()
    await writing
    await relay.relay_once(database, services.jobs, subscriptions)
    async with database.unit_of_work(company.id) as uow:
        assert [event.payload["n"] for event in await events.events_after(uow, last)] == [1]


async def test_two_relays_at_once_hand_out_each_event_once(services, database, company, subscriptions):
    await _happen(database, company, *range(50))
    counts = await asyncio.gather(*(relay.relay_once(database, services.jobs, subscriptions) for _ in range(4)))
    assert sum(counts) == 50
    async with database.unit_of_work(company.id) as uow:
        assert await uow.value("select count(*) from procrastinate_jobs") == 50
        assert await uow.value("select count(distinct position) from event") == 50


async def test_a_session_that_ends_while_jobs_are_enqueued_is_waited_for_and_nothing_is_missed(
    services, database, company, subscriptions, heard, test_database, monkeypatch
):
    """The queue has a name of its own for a lost connection; the relay must know it all the same."""
    relay.install(services.jobs, database, subscriptions)
    await _happen(database, company, 1, 2)
    whole = UnitOfWork.defer
    ended: list[int] = []

    async def cut_off_first(uow, *args, **arguments):
        if not ended:
            ended.append(uow.connection.info.backend_pid)
            with psycopg.connect(test_database.owner_url, autocommit=True) as connection:
                connection.execute("select pg_terminate_backend(%s, 5000)", ended)
        await whole(uow, *args, **arguments)

    monkeypatch.setattr(UnitOfWork, "defer", cut_off_first)
    relaying = asyncio.create_task(relay.relay_forever(database, services.jobs, subscriptions))
    async with asyncio.timeout(20):
        while len(heard) < 2:
            assert not relaying.done(), relaying.exception()
            await asyncio.sleep(0.05)
            await _work_off(services)
    relaying.cancel()
    assert ended
    assert sorted(number for _, _, number in heard) == [1, 2]
