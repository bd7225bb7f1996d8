"""Appending links behind the writers.

Marks are taken by what is visible and removed in the transaction that brings their links, so a slow writer's row is
sealed later and never skipped, a crash leaves every mark where it was, and of two workers at once one goes home.
"""

import asyncio
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from server.audit import queries
from server.audit.domain import ABSENT, SOURCES, Mark, row_digest
from server.core.db import Database, UnitOfWork
from server.core.logging import logger

log = logger(__name__)

_BATCH = 500
_PAUSE_S = 1.0


async def seal_batch(database: Database, org: UUID, limit: int = _BATCH) -> int:
    """Seal up to `limit` waiting rows of an organisation; how many, 0 also when another worker is at it."""
    async with database.unit_of_work(org) as uow:
        marks = await queries.marks(uow, limit)
        if not marks:
            return 0
        digests = await digests_of(uow, marks)
        return max(await queries.append(uow, [mark.ticket for mark in marks], digests, uow.now()), 0)


async def digests_of(uow: UnitOfWork, marks: list[Mark]) -> list[str]:
    by_kind = {kind: [mark.ref for mark in marks if mark.kind == kind] for kind in {mark.kind for mark in marks}}
    rows = {kind: await queries.rows_of(uow, SOURCES[kind], refs) for kind, refs in by_kind.items()}
    return [
        row_digest(mark.kind, row) if (row := rows[mark.kind].get(mark.ref)) is not None else ABSENT for mark in marks
    ]


async def seal_everything(database: Database) -> int:
    """Seal what waits in every organisation and answer how many rows that was."""
    async with database.unit_of_work() as uow:
        waiting = await queries.organisations_with_marks(uow)
    sealed = 0
    for org in waiting:
        while made := await seal_batch(database, org):
            sealed += made
    return sealed


async def seal_forever(database: Database) -> None:
    """Seal until cancelled; a database that is away for a while is waited for."""
    while True:
        try:
            await seal_everything(database)
        except (psycopg.OperationalError, PoolTimeout) as away:
            log.warning("sealing waits for the database", error=type(away).__name__)
        await asyncio.sleep(_PAUSE_S)
