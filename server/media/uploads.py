"""Receiving a file over a bad network: short transactions around long waits.

A request takes a lease (one transaction), writes what arrives (none), and commits the new offset if the lease is
still its own (one more). The row's offset is the truth: bytes behind it are dropped by whoever writes next, so a
crash at any point costs at most the bytes of one request. A newer request never waits for an older one, it takes
the lease away and the older one finds its own void.
"""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from server.core.db import Database
from server.core.errors import Problem
from server.core.logging import logger
from server.media import queries
from server.media.domain import ALLOWED, MAX_CHUNK_BYTES, BlobKey, BlobState, Ticket, Verdict
from server.media.errors import (
    BeyondDeclaredSize,
    ChunkTooLarge,
    ContentNotAllowed,
    HashDiffers,
    OffsetDiffers,
    StoreUnavailable,
    UnknownBlob,
    UploadPreempted,
    UploadStalled,
)
from server.media.service import mark_ready
from server.media.store import BlobStore, Stage, StagedBytesMissing

# A connection that delivers nothing for this long is given up; what it delivered is kept.
PATIENCE_SECONDS = 20

log = logger(__name__)


class SenderLost(Exception):  # noqa: N818 - a fact of networks
    """Raised by the source of pieces when the connection broke."""


async def receive(
    database: Database,
    store: BlobStore,
    org: UUID,
    *,
    sha256: str,
    offset: int,
    length: int | None,
    pieces: AsyncIterator[bytes],
    patience: float = PATIENCE_SECONDS,
) -> int:
    """Write one chunk and answer the offset at which the file goes on, its size when it is complete.

    `length` is what the request declares; None when unknown. Raises before the first byte is taken: UnknownBlob,
    OffsetDiffers, ChunkTooLarge, BeyondDeclaredSize. Later: UploadPreempted, UploadStalled, SenderLost (what arrived
    is kept), BeyondDeclaredSize (nothing is kept), HashDiffers and ContentNotAllowed (the file starts again),
    StoreUnavailable.
    """
    if (length or 0) > MAX_CHUNK_BYTES:
        raise ChunkTooLarge(limit=MAX_CHUNK_BYTES)
    ticket = await _take_lease(database, BlobKey(org, sha256), offset, length)
    try:
        async with store.stage(ticket.key, offset, fenced=ticket.contested) as stage:
            end = await _write(database, ticket, stage, pieces, patience)
            if end < ticket.size:
                await _commit(database, ticket, end)
                return end
        await _complete(database, store, ticket, await store.inspect(ticket.key))
    except FileNotFoundError as gone:
        # A newer request finished the file and moved it to its place; if none did, the store has lost it.
        await _commit(database, ticket, ticket.offset)
        raise StoreUnavailable from gone
    except StagedBytesMissing:
        raise OffsetDiffers(offset=await _recover(database, store, ticket)) from None
    except OSError as broken:
        log.exception("file store refused")
        raise StoreUnavailable from broken
    return end


async def _take_lease(database: Database, key: BlobKey, offset: int, length: int | None) -> Ticket:
    async with database.unit_of_work(key.org) as uow:
        found = await queries.lock_blob(uow, key.sha256)
        if found is None:
            raise UnknownBlob(sha256=key.sha256)
        if offset != found.received or found.state is BlobState.READY:
            raise OffsetDiffers(offset=found.received)
        if offset + (length or 0) > found.size:
            raise BeyondDeclaredSize(size=found.size)
        lease = uow.new_id()
        await queries.set_lease(uow, key.sha256, lease)
        return Ticket(key, found.size, found.purpose, offset, lease, contested=found.lease is not None)


async def _write(
    database: Database, ticket: Ticket, stage: Stage, pieces: AsyncIterator[bytes], patience: float
) -> int:
    """Answer where the durable bytes end."""
    end = ticket.offset
    room = min(ticket.size, ticket.offset + MAX_CHUNK_BYTES)
    try:
        while (piece := await _next_piece(pieces, patience)) is not None:
            if end + len(piece) > room:
                await stage.forget()
                await _commit(database, ticket, ticket.offset)
                raise (
                    BeyondDeclaredSize(size=ticket.size)
                    if room == ticket.size
                    else ChunkTooLarge(limit=MAX_CHUNK_BYTES)
                )
            await stage.write(piece)
            end += len(piece)
        await stage.seal()
    except (SenderLost, UploadStalled):
        # A bad network advances by what it delivered.
        await stage.seal()
        if end < ticket.size:
            await _commit(database, ticket, end)
            raise
    return end


async def _next_piece(pieces: AsyncIterator[bytes], patience: float) -> bytes | None:
    try:
        async with asyncio.timeout(patience):
            return await anext(pieces, None)
    except TimeoutError:
        raise UploadStalled(seconds=patience) from None


async def _commit(database: Database, ticket: Ticket, received: int) -> None:
    async with database.unit_of_work(ticket.key.org) as uow:
        if not await queries.redeem(uow, ticket.key.sha256, ticket.lease, received):
            found = await queries.blob(uow, ticket.key.sha256)
            raise UploadPreempted(offset=found.received if found else 0)


async def _complete(database: Database, store: BlobStore, ticket: Ticket, verdict: Verdict) -> None:
    """Publish the verified file, or start it again with the reason raised."""
    refusal = _refusal(ticket, verdict)
    async with database.unit_of_work(ticket.key.org) as uow:
        found = await queries.lock_blob(uow, ticket.key.sha256)
        if found is None or found.lease != ticket.lease:
            raise UploadPreempted(offset=found.received if found else 0)
        # Under the row's lock: no newer request can put other bytes in the place of those just verified.
        if refusal is None and verdict.mime is not None:
            await store.finish(ticket.key)
            await mark_ready(uow, ticket.key.sha256, verdict.mime)
        else:
            await store.discard(ticket.key)
            await queries.rewind(uow, ticket.key.sha256)
    if refusal is not None:
        log.warning("upload refused", code=refusal.code, sha256=ticket.key.sha256, size=ticket.size)
        raise refusal


def _refusal(ticket: Ticket, verdict: Verdict) -> Problem | None:
    if verdict.sha256 != ticket.key.sha256:
        return HashDiffers()
    allowed = ALLOWED[ticket.purpose]
    if verdict.mime not in allowed:
        return ContentNotAllowed(allowed=", ".join(sorted(allowed)))
    return None


async def _recover(database: Database, store: BlobStore, ticket: Ticket) -> int:
    """Settle what a crash left between store and database, and answer where the file goes on."""
    finished = await store.size(ticket.key) == ticket.size
    async with database.unit_of_work(ticket.key.org) as uow:
        found = await queries.lock_blob(uow, ticket.key.sha256)
        if found is None or found.lease != ticket.lease:
            return found.received if found else 0
        if finished:
            await mark_ready(uow, ticket.key.sha256, found.mime)
            return ticket.size
        await queries.rewind(uow, ticket.key.sha256)
        return 0
