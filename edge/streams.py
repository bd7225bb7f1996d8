"""Server-sent events: who listens, and for how long.

A stream holds no transaction. Its listener is let in by a short unit of work before the answer starts and looked at
again every few seconds, so that a token's end or a dismissal ends the stream too.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

import psycopg
from fastapi import Depends, Header, Request
from fastapi.security.http import HTTPAuthorizationCredentials
from psycopg_pool import PoolTimeout

from edge.auth import Permitted, bearer_token
from server.core.errors import Problem
from server.identity.access import require
from server.identity.domain import Actor, Audience, Permission
from server.notify.lines import Inbox

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
            if clock() >= look_again:
                if not await self._still_welcome():
                    return
                look_again = clock() + RECHECK_S
            try:
                async with asyncio.timeout_at(look_again):
                    item = await inbox.get()
            except TimeoutError:
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
