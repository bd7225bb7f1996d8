"""The disk is gone: the newest backup and the archive come back, and phones bring what the archive had not reached."""

import asyncio
from pathlib import Path
from random import Random

import psycopg
import pytest

from callout.machine import installed
from tests.drills.restoring import Drill, drill

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not installed(), reason="needs the programs of Postgres, for one with an archive"),
]

_STREAMS = "select id::text as stream, last_seq, durable_seq from sync_stream"
# As the worker asks every minute: once to note what is committed, once to see whether the archive has passed it.
_ADVANCE = "select sync_advance_durable(now(), now() - interval '1 day')"


def advance(it: Drill) -> None:
    with psycopg.connect(it.postgres.url, dbname=it.system.database, autocommit=True) as connection:
        connection.execute(_ADVANCE)


async def test_nothing_that_phones_were_told_is_safe_goes_with_the_disk_and_the_rest_they_bring_back(
    tmp_path: Path,
) -> None:
    async with drill(tmp_path) as it:
        await asyncio.to_thread(it.postgres.back_up)
        await it.send_orders(each=3, rng=Random(7))
        await it.work(seconds=2)
        await it.quiet()
        advance(it)
        await asyncio.to_thread(it.postgres.archive_now)
        advance(it)
        await it.work(seconds=2)
        await it.quiet()
        told = {row["stream"]: row for row in it.auditor.answer(_STREAMS)}
        today, epoch = it.logged(), it.epoch()
        assert all(0 < row["durable_seq"] < row["last_seq"] for row in told.values())

        await asyncio.to_thread(it.postgres.lose_disk_and_restore)
        await it.ready()
        assert it.logged() < today
        assert it.epoch() > epoch
        for row in it.auditor.answer(_STREAMS):
            assert row["last_seq"] >= told[row["stream"]]["durable_seq"]

        await it.settle(it.players)
        await it.quiet()
        assert it.logged() == today
        assert it.findings(it.players) == []
        assert it.problems == it.outside.tally.problems == []
