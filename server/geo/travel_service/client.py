"""The `Travel` of a service in another process; while that is away, the estimate."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from math import ceil
from pathlib import Path

from server.core.logging import logger
from server.geo.domain import Point
from server.geo.estimate import EstimatedTravel
from server.geo.journey import Matrix, Route, Snapped
from server.geo.matching import Fix, Matched
from server.geo.travel_service.circuit import Circuit
from server.geo.travel_service.wire import (
    FAILED,
    GREETING,
    TILE,
    AskedMatch,
    AskedRoute,
    AskedSnap,
    AskedTable,
    Garbled,
    Question,
    framed,
    question,
    read_frame,
    read_matched,
    read_route,
    read_snapped,
    read_table,
)

_GREETED_WITHIN = 1.0  # seconds; a service that is there greets between two tiles of a table
_ANSWERED_WITHIN = 2.0
_SECONDS_A_SEARCH = 3e-3  # some six times what one takes, as each of these
_SECONDS_A_FIX = 20e-3

log = logger(__name__)


class ServedTravel:
    """Asks the travel service on a Unix socket. Whoever can't be answered in time gets the labelled estimate.

    Never an error and never a wait beyond a few seconds: after a failure the service is let alone for a moment, and
    one caller at a time finds out whether it is back.
    """

    def __init__(self, address: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._address = address
        self._circuit = Circuit(clock)
        self._otherwise = EstimatedTravel()

    async def route(self, origin: Point, to: Point, leaving: datetime) -> Route:
        content = await self._ask(AskedRoute(origin, to, leaving), _ANSWERED_WITHIN)
        return read_route(content) if content else await self._otherwise.route(origin, to, leaving)

    async def table(self, origins: Sequence[Point], to: Sequence[Point], leaving: datetime) -> Matrix:
        within = _ANSWERED_WITHIN + _SECONDS_A_SEARCH * _searches(len(origins), len(to))
        content = await self._ask(AskedTable(origins, to, leaving), within)
        return read_table(content) if content else await self._otherwise.table(origins, to, leaving)

    async def snap(self, point: Point) -> Snapped:
        content = await self._ask(AskedSnap(point), _ANSWERED_WITHIN)
        return read_snapped(content) if content else await self._otherwise.snap(point)

    async def match(self, fixes: Sequence[Fix]) -> Matched:
        content = await self._ask(AskedMatch(fixes), _ANSWERED_WITHIN + _SECONDS_A_FIX * len(fixes))
        return read_matched(content) if content else await self._otherwise.match(fixes)

    async def _ask(self, asked: Question, within: float) -> bytes | None:
        """The service's answer; None where there is none."""
        if not self._circuit.may_ask():
            return None
        try:
            content = await self._converse(framed(question(asked)), within)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, Garbled) as problem:
            self._failed(problem)
            return None
        self._succeeded()
        return None if content[:1] == bytes([FAILED]) else content

    async def _converse(self, asked: bytes, within: float) -> bytes:
        async with asyncio.timeout(_GREETED_WITHIN) as deadline, _connection(self._address) as (reader, writer):
            writer.write(asked)
            if await reader.readexactly(len(GREETING)) != GREETING:
                raise Garbled
            deadline.reschedule(asyncio.get_running_loop().time() + within)
            return await read_frame(reader)

    def _failed(self, problem: Exception) -> None:
        if self._circuit.is_whole:
            log.warning("travel service is away: drives are estimated", problem=repr(problem))
        self._circuit.failed()

    def _succeeded(self) -> None:
        if not self._circuit.is_whole:
            log.info("travel service is back")
        self._circuit.succeeded()


def _searches(rows: int, columns: int) -> int:
    return rows * ceil(columns / TILE) + columns * ceil(rows / TILE)


@asynccontextmanager
async def _connection(address: Path) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_unix_connection(address)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
