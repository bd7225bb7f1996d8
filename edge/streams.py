"""Server-sent events: who listens, for how long, and one poll for all who do.

A stream holds no transaction. Its listener is let in by a short unit of work before the answer starts and looked at
again every few seconds, so that a token's end or a dismissal ends the stream too.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

import psycopg
from fastapi import Depends, Header, Request
from fastapi.security.http import HTTPAuthorizationCredentials
from psycopg_pool import PoolTimeout

from edge.auth import Permitted, bearer_token
from server.core.errors import Problem
from server.core.logging import logger
from server.identity.access import require
from server.identity.domain import Actor, Audience, Permission
from server.notify.lines import Inbox, Lines

log = logger(__name__)

RECHECK_S = 5.0

type LastEventId = Annotated[str | None, Header(alias="Last-Event-ID", max_length=100)]


@dataclass(frozen=True)
class Listener:
    """Whoever opened a stream. `admit` lets them in once more or raises the problem that keeps them out."""

    actor: Actor
    admit: Callable[[], Awaitable[Actor]]

    async def take[T](self, inbox: Inbox[T]) -> AsyncIterator[T]:
        """Yield what comes in until the line ends or the listener is no longer let in."""
        clock = asyncio.get_running_loop().time
        look_again = clock() + RECHECK_S
        while True:
            try:
                async with asyncio.timeout_at(look_again):
                    item = await inbox.get()
            except TimeoutError:
                if not await self._still_welcome():
                    return
                look_again = clock() + RECHECK_S
                continue
            if item is None:
                return
            yield item

    async def _still_welcome(self) -> bool:
        try:
            await self.admit()
        except (Problem, psycopg.OperationalError, PoolTimeout):
            # They come back by themselves, and are then told why they can't.
            return False
        return True


@dataclass(frozen=True)
class Listening(Permitted):
    """Dependency: a listener who holds all of `also` besides the route's permission."""

    also: tuple[Permission, ...] = ()

    async def __call__(
        self, request: Request, bearer: HTTPAuthorizationCredentials | None = Depends(bearer_token)
    ) -> Listener:
        async def admit() -> Actor:
            async with self.work(request, bearer) as work:
                for permission in self.also:
                    require(work.actor, permission)
                return work.actor

        return Listener(await admit(), admit)


def listening(permission: Permission, *also: Permission) -> Any:
    """For web routes that stream to those who hold these permissions."""
    return Depends(Listening(permission, frozenset({Audience.WEB, Audience.INTEGRATION}), also))


def listening_device() -> Any:
    """For phone routes that stream to a person on a device that is not revoked."""
    return Depends(Listening(None, frozenset({Audience.MOBILE})))


@dataclass(frozen=True)
class _Station[T]:
    lines: Lines[T]
    task: asyncio.Task[None]


@dataclass(frozen=True)
class Feed[T]:
    """What an organisation's listeners in this process share: one source, running only while somebody listens.

    source: runs until cancelled and puts what it finds into the lines. When it fails, all lines end, and those who
        listened come back and resume.
    """

    source: Callable[[UUID, Lines[T]], Awaitable[None]]
    _stations: dict[UUID, _Station[T]] = field(default_factory=dict)

    @asynccontextmanager
    async def listen(self, org: UUID, endpoint: str) -> AsyncIterator[Inbox[T]]:
        station = self._stations.get(org) or self._open(org)
        with station.lines.opened(endpoint) as inbox:
            yield inbox
        if not station.lines:
            station.task.cancel()

    def _open(self, org: UUID) -> _Station[T]:
        lines = Lines[T]()
        station = _Station(lines, asyncio.create_task(self._run(org, lines)))
        self._stations[org] = station
        return station

    async def _run(self, org: UUID, lines: Lines[T]) -> None:
        try:
            await self.source(org, lines)
        except Exception as wrong:
            log.warning("a feed ended", error=type(wrong).__name__, exc_info=wrong)
        finally:
            self._stations.pop(org, None)
            lines.close()
