"""Large shared buckets as files: a new phone takes one compressed download instead of fifty thousand rows."""

import asyncio
import hashlib
from uuid import UUID

import zstandard

from server.core.db import Database, UnitOfWork
from server.core.errors import NotFound
from server.identity.domain import Actor
from server.sync import queries
from server.sync.queries import Stale
from server.sync.registry import Registry

# Below, an answer brings the rows themselves just as well.
_WORTH_IT = 1_000
_LEVEL = 9


async def make_snapshots(database: Database, registry: Registry, org: UUID) -> int:
    """Write every catalogue bucket anew of which much changed since its last file; how many were written."""
    async with database.snapshot(org) as uow:
        due = await queries.buckets_due_for_snapshot(uow, at_least=_WORTH_IT)
        made = [(bucket, await _lines(uow, registry, bucket)) for bucket in due]
    for bucket, lines in made:
        content = await asyncio.to_thread(zstandard.compress, lines, _LEVEL)
        async with database.unit_of_work(org) as uow:
            await queries.store_snapshot(
                uow,
                bucket,
                sha256=hashlib.sha256(content).hexdigest(),
                rows=lines.count(b"\n"),
                content=content,
            )
    return len(made)


async def _lines(uow: UnitOfWork, registry: Registry, bucket: Stale) -> bytes:
    contents = await queries.contents(uow, [bucket])
    parts = [
        lines
        for holds in contents.values()
        for code in holds.entities
        for _, lines in await queries.written_lines(
            uow, code, registry.projections[code].name, registry.projections[code].sql, [bucket]
        )
    ]
    return "".join(parts).encode()


async def content(uow: UnitOfWork, actor: Actor, sha256: str) -> bytes:
    """Answer a snapshot of a bucket in the person's sight: NDJSON of `put` lines, zstd. Raises NotFound."""
    found = await queries.snapshot_content(uow, actor.person, sha256)
    if found is None:
        raise NotFound(thing="snapshot")
    return found
