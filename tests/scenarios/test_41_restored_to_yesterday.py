"""41: Server restored to yesterday (PITR)."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from callout.machine import installed
from tests.drills.restoring import drill

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not installed(), reason="needs the programs of Postgres, for one with an archive"),
]


async def test_41_phones_refill_a_server_that_was_restored_to_yesterday(tmp_path: Path) -> None:
    async with drill(tmp_path) as it:
        postgres = it.postgres
        await asyncio.to_thread(postgres.back_up)
        await it.send_orders(each=3, rng=Random(41))
        await it.work(seconds=3)
        await it.quiet()
        await asyncio.to_thread(postgres.name_this_moment, "yesterday")
        yesterday = it.logged()
        await it.work(seconds=3)
        await it.new_tokens(it.players)
        await it.quiet()
        today, epoch = it.logged(), it.epoch()
        assert today > yesterday > 0
        assert it.findings(it.players) == []

        await asyncio.to_thread(postgres.lose_disk_and_restore, to="yesterday")
        await it.ready()
        assert it.logged() == yesterday
        assert it.epoch() > epoch

        *back, away = it.players
        await it.new_tokens(back)  # with credentials that this server can't remember having issued
        await it.settle(back)
        await it.quiet()
        assert it.findings(back) == []
        said = it.system.run("sync", "unseen")
        assert f"1 of {len(it.players)} phones" in said
        assert away.staff.name in said

        await it.settle([away])
        await it.settle(it.players)
        await it.quiet()
        assert it.logged() == today
        assert it.findings(it.players) == []
        assert "all 3 phones have been in touch" in it.system.run("sync", "unseen")
        assert it.problems == it.outside.tally.problems == []
