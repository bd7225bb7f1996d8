"""4: Server SIGKILLed after commit, before reply."""

import asyncio
import signal

import httpx
import pytest

from tests.chaos.proxy import ChaosProxy, Fate
from tests.scenarios.apart import Apart
from tests.scenarios.handset import statuses


async def test_04_the_resend_is_answered_with_what_was_stored(apart: Apart) -> None:
    handset = apart.handset
    batch = [handset.note(body) for body in ("one", "two")]
    apart.gate()
    with apart.held("select pg_advisory_lock(4711)"):
        pushing = asyncio.create_task(handset.push(*batch))
        await apart.waiting()
        # The process stands still while Postgres commits: it can't know, far less answer.
        apart.api.api.send(signal.SIGSTOP)
    await apart.committed(len(batch))
    apart.api.api.kill()
    with pytest.raises(httpx.TransportError):
        await pushing
    await _resend_changes_nothing(apart, batch)


async def test_04_the_same_when_the_answer_was_under_way_already(apart: Apart) -> None:
    handset = apart.handset
    batch = [handset.note(body) for body in ("one", "two")]
    direct = handset.client
    async with (
        ChaosProxy("127.0.0.1", apart.api.port, lambda _: Fate(hold_reply=1)) as proxy,
        httpx.AsyncClient(base_url=proxy.url, timeout=20) as through,
    ):
        handset.client = through
        pushing = asyncio.create_task(handset.push(*batch))
        assert await asyncio.to_thread(proxy.swallowed.wait, 10)
        apart.api.api.kill()
        await proxy.break_all()
        with pytest.raises(httpx.TransportError):
            await pushing
    handset.client = direct
    await _resend_changes_nothing(apart, batch)


async def _resend_changes_nothing(apart: Apart, batch: list[dict[str, object]]) -> None:
    handset, version = apart.handset, await apart.handset.version()
    stored = [row["result"] for row in await handset.logged()]
    await apart.start_again()
    again = await handset.push(*batch)
    assert statuses(again) == ["applied", "applied"]
    assert again.json()["results"] == stored
    assert await handset.bodies() == ["one", "two"]
    assert len(await handset.logged()) == 2
    assert await handset.version() == version
