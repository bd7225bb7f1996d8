"""Acts played at the same time, and how they end one another."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

type Act = Coroutine[Any, Any, Any]


async def first_of(*acts: Act) -> None:
    """Wait for whichever ends first and cancel the others. Raises what the first raised."""
    tasks = [asyncio.ensure_future(act) for act in acts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await end(*tasks)


async def end(*tasks: asyncio.Future[Any]) -> None:
    """Cancel what still runs and wait until it has cleaned up."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def in_background(acts: Sequence[Act]) -> AsyncIterator[asyncio.Task[None]]:
    """Run them until the block ends; the task given to the block ends early only if one of them fails."""
    tasks = [asyncio.create_task(act) for act in acts]
    trouble = asyncio.create_task(_first_failure(tasks))
    try:
        yield trouble
    finally:
        await end(*tasks, trouble)


async def _first_failure(tasks: Sequence[asyncio.Task[Any]]) -> None:
    await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    for task in tasks:
        if task.done():
            task.result()
    await asyncio.Event().wait()


async def until_done(acts: Sequence[Act], stops: Sequence[asyncio.Task[Any]], seconds: float) -> None:
    """Wait until all acts have ended, or one of `stops`, or so much real time has passed. Raises what they raised."""
    playing = asyncio.ensure_future(asyncio.gather(*acts))
    try:
        done, _ = await asyncio.wait({playing, *stops}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await end(playing, *stops)
