"""One request, mutation or task is one transaction: the unit of work.

Statements are SQL text over psycopg (see ADR 2). Row-level security reads the organisation from a setting that
lives exactly as long as the transaction, so a pooled connection can never carry it to the next caller.
"""

import select
import types
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, cast

import psycopg
from procrastinate import App as JobApp
from procrastinate.exceptions import ConnectorException
from psycopg import AsyncConnection, AsyncTransaction, IsolationLevel, Rollback
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from server.core.clock import Clock
from server.core.ids import IdSource, Rising, uuid7
from server.core.rows import shaped

type Row = dict[str, Any]
type Connection = AsyncConnection[Row]

# A request that waits longer than this for a lock or a statement is better answered with 503 than kept.
_LIMITS = "-c statement_timeout=15s -c lock_timeout=2s -c idle_in_transaction_session_timeout=15s"
# Our statements are short and read a few rows by index, nearly always from memory: a page elsewhere costs no more than
# the next one, and compiling never pays.
_PLANNING = "-c random_page_cost=1.0 -c jit=off"
SESSION_OPTIONS = f"{_LIMITS} {_PLANNING}"


class UnitOfWork:
    """A transaction of one organisation, with the clock and id source of the process."""

    def __init__(self, connection: Connection, clock: Clock, mint: IdSource, org: uuid.UUID | None) -> None:
        self.connection = connection
        self.clock = clock
        self.org = org
        self._mint = mint

    def now(self) -> datetime:
        return self.clock.now()

    def new_id(self) -> uuid.UUID:
        return self._mint(self.clock.now())

    async def enter(self, org: uuid.UUID) -> None:
        """Set the organisation of this transaction; row-level security admits nothing before it is set."""
        self.org = org
        await self.connection.execute("select set_config('callout.org', %s, true)", [str(org)])

    async def rows(self, sql: str, **params: object) -> list[Row]:
        cursor = await self.connection.execute(_text(sql), _adapted(params))
        return await cursor.fetchall()

    async def row(self, sql: str, **params: object) -> Row | None:
        cursor = await self.connection.execute(_text(sql), _adapted(params))
        return await cursor.fetchone()

    async def value(self, sql: str, **params: object) -> Any:
        """Answer the first column of the first row, or None."""
        found = await self.row(sql, **params)
        return next(iter(found.values())) if found else None

    async def all_of[T](self, kind: type[T], sql: str, **params: object) -> list[T]:
        """Fetch rows as instances of `kind`, matched by column name."""
        async with self.connection.cursor(row_factory=shaped(kind)) as cursor:
            await cursor.execute(_text(sql), _adapted(params))
            return await cursor.fetchall()

    async def one_of[T](self, kind: type[T], sql: str, **params: object) -> T | None:
        async with self.connection.cursor(row_factory=shaped(kind)) as cursor:
            await cursor.execute(_text(sql), _adapted(params))
            return await cursor.fetchone()

    async def run(self, sql: str, **params: object) -> int:
        """Execute a write and answer how many rows it touched."""
        return (await self.connection.execute(_text(sql), _adapted(params))).rowcount

    async def run_many(self, sql: str, rows: Sequence[Mapping[str, object]]) -> None:
        async with self.connection.cursor() as cursor:
            await cursor.executemany(_text(sql), [_adapted(row) for row in rows])

    def savepoint(self) -> "_Savepoint":
        return _Savepoint(self.connection)

    async def defer(self, jobs: JobApp, task: str, *, queue: str = "default", **arguments: uuid.UUID | str) -> None:
        """Enqueue a job on this very transaction: a rollback leaves none."""
        job = jobs.configure_task(task, queue=queue, connection=self.connection)
        try:
            await job.defer_async(**{name: str(value) for name, value in arguments.items()})
        except ConnectorException as broken:
            # Whoever waits for a database that is away knows its absence by psycopg's name, from whatever statement.
            if isinstance(broken.__cause__, psycopg.OperationalError):
                raise broken.__cause__ from broken
            raise


type _Raised = tuple[type[BaseException] | None, BaseException | None, types.TracebackType | None]


class _Savepoint:
    """`async with uow.savepoint():` undoes its own statements when its body raises, and only those."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def __aenter__(self) -> AsyncTransaction:
        self._context = self._connection.transaction()
        return await self._context.__aenter__()

    async def __aexit__(self, *raised: object) -> bool | None:
        return await self._context.__aexit__(*cast("_Raised", raised))


async def _refuse_the_dead(connection: AsyncConnection[Any]) -> None:
    """Raise OperationalError for a connection the server has ended.

    Whatever a server says unasked, its farewell above all, makes the socket readable. A silent one is alive as far as
    anybody knows, which spares every transaction a round trip.
    """
    looking = select.poll()
    looking.register(connection.fileno(), select.POLLIN)
    if looking.poll(0):
        await AsyncConnectionPool.check_connection(connection)


def _text(sql: str) -> Any:
    # psycopg asks for literals to keep values out of statements; ours are module constants and registered fragments.
    return sql


def _adapted(params: Mapping[str, object]) -> dict[str, object]:
    return {name: Jsonb(value) if isinstance(value, dict) else value for name, value in params.items()}


class Database:
    """The pool of runtime connections. `mint` and `clock` are handed to every unit of work.

    greeting: a statement every new connection begins with, for what must be noticed after the server was away.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        mint: IdSource = uuid7,
        *,
        min_size: int = 1,
        max_size: int = 10,
        prepare: bool = True,
        greeting: str | None = None,
    ) -> None:
        self.clock = clock
        self.mint = Rising(mint)

        async def greet(connection: AsyncConnection[Any]) -> None:
            if greeting is not None:
                async with connection.transaction():
                    await connection.execute(_text(greeting))

        self.pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            kwargs={
                "row_factory": dict_row,
                "options": SESSION_OPTIONS,
                # One that is being restored answers reads before it is whole: it is not ours until it takes writes.
                "target_session_attrs": "read-write",
                # PgBouncer in transaction mode can't keep prepared statements apart.
                "prepare_threshold": 5 if prepare else None,
            },
            min_size=min_size,
            max_size=max_size,
            timeout=2,
            check=_refuse_the_dead,
            configure=greet,
            open=False,
        )

    async def open(self) -> None:
        await self.pool.open(wait=True, timeout=15)

    async def close(self) -> None:
        await self.pool.close()

    @asynccontextmanager
    async def unit_of_work(self, org: uuid.UUID | None = None) -> AsyncIterator[UnitOfWork]:
        """Open a read-write transaction; it commits when the block ends and rolls back when it raises."""
        async with self.pool.connection() as connection, connection.transaction():
            uow = UnitOfWork(connection, self.clock, self.mint, None)
            if org is not None:
                await uow.enter(org)
            yield uow

    async def organisations(self) -> list[uuid.UUID]:
        """Answer every organisation's id, for periodic work that serves each in a unit of work of its own."""
        async with self.unit_of_work() as uow:
            return [row["id"] for row in await uow.rows("select all_organisations() as id")]

    @asynccontextmanager
    async def snapshot(self, org: uuid.UUID) -> AsyncIterator[UnitOfWork]:
        """Open a REPEATABLE READ transaction: everything read inside is of one moment."""
        async with self.pool.connection() as connection:
            await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
            try:
                async with connection.transaction():
                    uow = UnitOfWork(connection, self.clock, self.mint, None)
                    await uow.enter(org)
                    yield uow
            finally:
                await connection.set_isolation_level(None)


__all__ = ["Connection", "Database", "Rollback", "Row", "UnitOfWork"]
