"""One poll for all who listen: what an organisation's streams in this process share."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from server.core.logging import logger
from server.notify.lines import Inbox, Lines

log = logger(__name__)


@dataclass(frozen=True)
class _Station[T]:
    lines: Lines[T]
    task: asyncio.Task[None]


@dataclass(frozen=True)
class Feed[T]:
    """What an organisation's listeners in this process share: one source, running only while somebody listens.

    source: runs until cancelled and puts what it finds into the lines, which it first declares ready. When it fails,
        all lines end, and those who listened come back and resume.
    """

    source: Callable[[UUID, Lines[T]], Awaitable[None]]
    _stations: dict[UUID, _Station[T]] = field(default_factory=dict)

    @asynccontextmanager
    async def listen(self, org: UUID, endpoint: str) -> AsyncIterator[Inbox[T]]:
        station = self._stations.get(org) or self._open(org)
        try:
            with station.lines.opened(endpoint) as inbox:
                await station.lines.ready.wait()
                yield inbox
        finally:
            if not station.lines:
                self._close(org, station)

    def _open(self, org: UUID) -> _Station[T]:
        lines = Lines[T]()
        station = _Station(lines, asyncio.create_task(self._run(org, lines)))
        self._stations[org] = station
        return station

    def _close(self, org: UUID, station: _Station[T]) -> None:
        station.task.cancel()
        # Taken out at once: who comes now must not join a feed that is about to end.
        if self._stations.get(org) is station:
            del self._stations[org]

    async def _run(self, org: UUID, lines: Lines[T]) -> None:
        try:
            await self.source(org, lines)
        except Exception as wrong:
            log.warning("a feed ended", error=type(wrong).__name__, exc_info=wrong)
        finally:
            station = self._stations.get(org)
            if station is not None and station.lines is lines:
                del self._stations[org]
            lines.close()
            lines.ready.set()
