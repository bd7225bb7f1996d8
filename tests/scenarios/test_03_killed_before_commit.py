"""3: Server SIGKILLed before commit."""

import asyncio

import httpx
import pytest

from tests.scenarios.apart import Apart
from tests.scenarios.handset import outcomes


async def test_03_nothing_is_applied_and_the_resend_applies_once(apart: Apart) -> None:
    handset = apart.handset
    batch = [handset.note(body) for body in ("one", "two", "three")]
    with apart.held("lock table mutation_log in share mode"):
        pushing = asyncio.create_task(handset.push(*batch))
        session = await apart.waiting()  # every effect is written, the log is about to be
        apart.api.api.kill()
        with pytest.raises(httpx.TransportError):
            await pushing
    await apart.gone(session)
    assert await handset.bodies() == []
    assert await handset.logged() == []
    await apart.start_again()
    assert outcomes(await handset.push(*batch)) == [("applied", None)] * 3
    assert await handset.bodies() == ["one", "three", "two"]
    assert [row["seq"] for row in await handset.logged()] == [1, 2, 3]
