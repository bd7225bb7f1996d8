"""Every word with the database passes here, so that the simulation may decide what happens at each of them.

A request under way carries a `Watch`. Before each exchange with Postgres the watch is asked; it may let another request
go first, end the connection's backend, or end the request itself as the death of its worker would.
"""

from collections.abc import Generator
from contextvars import ContextVar
from typing import Any, Protocol, override

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from server.core.clock import Clock
from server.core.db import Database, Row
from server.core.ids import IdSource


class Watch(Protocol):
    async def before(self, connection: "WatchedConnection") -> None: ...


watching: ContextVar[Watch | None] = ContextVar("watching", default=None)


class WatchedConnection(AsyncConnection[Row]):
    @override
    async def wait[RV](self, gen: Generator[Any, Any, RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        watch = watching.get()
        if watch is not None:
            await watch.before(self)
        return await super().wait(gen, interval, timeout)


class WatchedDatabase(Database):
    def __init__(self, url: str, clock: Clock, mint: IdSource, *, connections: int) -> None:
        super().__init__(url, clock, mint)
        plain = self.pool
        self.pool = AsyncConnectionPool(
            url,
            connection_class=WatchedConnection,
            kwargs=plain.kwargs,
            min_size=connections,
            max_size=connections,
            timeout=30,
            check=AsyncConnectionPool.check_connection,
            open=False,
        )
