"""The travel service: one process that holds the roads and answers all others of a machine over a Unix socket.

A call into the road engine holds the interpreter, so here nothing else runs. It follows the region in use.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from server.core.logging import logger
from server.geo.errors import TravelServiceRuns
from server.geo.journey import Matrix, Route, Snapped
from server.geo.matching import Matched
from server.geo.travel import Travel
from server.geo.travel_service.wire import (
    GREETING,
    AskedMatch,
    AskedRoute,
    AskedSnap,
    AskedTable,
    Garbled,
    Question,
    answer,
    framed,
    read_frame,
    read_question,
    refusal,
)

_ASKED_WITHIN = 5.0  # seconds after connecting
_FINISHED_WITHIN = 10.0
_BACKLOG = 1024

type _Converse = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

log = logger(__name__)


async def serve_travel(travel: Travel, address: Path, told: asyncio.Event) -> None:
    """Answer until told to stop; questions under way are answered first. Raises TravelServiceRuns."""
    conversations: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        conversations.add(task)
        try:
            await _converse(travel, reader, writer)
        finally:
            conversations.discard(task)
            writer.close()

    with _alone_at(address):
        async with _listening(converse, address):
            log.info("travel service ready", address=str(address))
            await told.wait()
        if conversations:
            await asyncio.wait(conversations, timeout=_FINISHED_WITHIN)


async def _converse(travel: Travel, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One question, one answer; whoever leaves or stammers is let go."""
    with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, Garbled):
        writer.write(GREETING)
        async with asyncio.timeout(_ASKED_WITHIN):
            asked = read_question(await read_frame(reader))
        if (content := await _unless_left(travel, asked, reader)) is not None:
            writer.write(framed(content))
            await writer.drain()


async def _unless_left(travel: Travel, asked: Question, reader: asyncio.StreamReader) -> bytes | None:
    """The answer; None once nobody waits for it any more: a big table is not finished for nobody."""
    answering = asyncio.ensure_future(_answer(travel, asked))
    leaving = asyncio.ensure_future(reader.read(1))
    try:
        await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
        return answering.result() if answering.done() else None
    finally:
        answering.cancel()
        leaving.cancel()


async def _answer(travel: Travel, asked: Question) -> bytes:
    try:
        return answer(await _asked_of(travel, asked))
    except Exception:  # one question that the engine chokes on must not cost the others their roads
        log.exception("travel service can't answer", asked=type(asked).__name__)
        return refusal()


async def _asked_of(travel: Travel, asked: Question) -> Route | Matrix | Snapped | Matched:
    match asked:
        case AskedRoute(origin, to, leaving):
            return await travel.route(origin, to, leaving)
        case AskedTable(origins, to, leaving):
            return await travel.table(origins, to, leaving)
        case AskedSnap(point):
            return await travel.snap(point)
        case AskedMatch(fixes):
            return await travel.match(fixes)


@contextmanager
def _alone_at(address: Path) -> Iterator[None]:
    """A killed service leaves its socket behind; a living one holds the lock beside it."""
    address.parent.mkdir(parents=True, exist_ok=True)
    with address.with_name(address.name + ".lock").open("w") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            raise TravelServiceRuns(address=address) from None
        address.unlink(missing_ok=True)
        yield
        address.unlink(missing_ok=True)


@asynccontextmanager
async def _listening(converse: _Converse, address: Path) -> AsyncIterator[None]:
    """Only this account may connect: the socket is made with no rights for others."""
    before = os.umask(0o177)
    try:
        server = await asyncio.start_unix_server(converse, address, backlog=_BACKLOG)
    finally:
        os.umask(before)
    try:
        yield
    finally:
        server.close()
