"""From committed events to jobs: numbering and fan-out in one transaction, by one relay at a time."""

import asyncio
from datetime import timedelta
from uuid import UUID

import procrastinate
import psycopg
from psycopg_pool import PoolTimeout

from server.core import events
from server.core.db import Database
from server.core.events import Subscriptions
from server.core.jobs import RETRY
from server.core.logging import logger, trace_id

DELIVER = "core.deliver_event"
_BATCH = 200
_PAUSE_S = 0.2

log = logger(__name__)


async def relay_once(database: Database, jobs: procrastinate.App, subscriptions: Subscriptions) -> int:
    """Number a batch of fresh events and enqueue a job for each of their subscribers; answer how many events."""
    async with database.unit_of_work() as uow:
        fresh = await uow.rows("select org_id, id, name, pos from relay_events(%(batch)s)", batch=_BATCH)
        for event in fresh:
            for subscriber in subscriptions.events.get(event["name"], []):
                await uow.defer(jobs, DELIVER, org=event["org_id"], event=event["id"], subscriber=subscriber)
    return len(fresh)


async def lag(database: Database) -> timedelta:
    """Answer for how long the oldest committed event has been waiting to be relayed."""
    async with database.unit_of_work() as uow:
        since = await uow.value("select oldest_unrelayed()")
        return max(uow.now() - since, timedelta()) if since else timedelta()


async def relay_forever(database: Database, jobs: procrastinate.App, subscriptions: Subscriptions) -> None:
    """Relay until cancelled; a database that is away for a while is waited for."""
    while True:
        try:
            relayed = await relay_once(database, jobs, subscriptions)
        except (psycopg.OperationalError, PoolTimeout) as away:
            log.warning("relay waits for the database", error=type(away).__name__)
            relayed = 0
        if relayed < _BATCH:
            await asyncio.sleep(_PAUSE_S)


def install(jobs: procrastinate.App, database: Database, subscriptions: Subscriptions) -> None:
    """Register the task that hands one event to one subscriber, in a unit of work of the event's organisation."""

    @jobs.task(name=DELIVER, retry=RETRY)
    async def deliver_event(org: str = "", event: str = "", subscriber: str = "") -> None:
        async with database.unit_of_work(UUID(org)) as uow:
            happened = await events.event(uow, UUID(event))
            known = subscriptions.by_name.get(subscriber)
            if happened is None or known is None:
                log.error("event not delivered", event_id=event, subscriber=subscriber)
                return
            # What follows from a request is found under the request's trace, however many events later.
            trace_id.set(happened.trace_id)
            await known(uow, happened)
