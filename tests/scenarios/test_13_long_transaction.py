"""13: Write tx left open 10 min in another database."""

from datetime import timedelta

import psycopg

from server.core import relay
from server.core.events import Subscriptions
from tests.scenarios.handset import puts


async def test_13_neither_the_device_feed_nor_the_relay_waits_for_it(handset, admin_url, database, services, clock):
    """It holds back every horizon of the cluster, but no bucket counter and no row that is waiting for the relay."""
    await handset.pull()
    with psycopg.connect(admin_url) as forgotten:
        forgotten.execute("create temporary table forgotten (n int)")
        forgotten.execute("select pg_current_xact_id()")
        await handset.push(handset.note("seen all the same"))
        assert [note["body"] for note in puts(await handset.pull(), "note")] == ["seen all the same"]
        while await relay.relay_once(database, services.jobs, Subscriptions()):
            pass
        assert await relay.lag(database) == timedelta()


async def test_13_a_relay_that_stands_still_is_seen_and_catches_up(handset, client, database, services, clock):
    async with database.unit_of_work(handset.actor.org) as uow:
        assert await uow.value("select count(*) from event where position is null") > 0
    clock.forward(timedelta(minutes=10))
    lines = (await client.get("/metrics")).text.splitlines()
    shown = next(line for line in lines if line.startswith("callout_relay_lag_seconds "))
    assert float(shown.split()[1]) >= 600
    while await relay.relay_once(database, services.jobs, Subscriptions()):
        pass
    assert await relay.lag(database) == timedelta()
