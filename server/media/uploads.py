"""Receiving a file over a bad network: short transactions around long waits.

A request takes a lease (one transaction), writes what arrives (none), and commits the new offset if the lease is
still its own (one more). The row's offset is the truth: bytes behind it are dropped by whoever writes next, so a
crash at any point costs at most the bytes of one request. A newer request never waits for an older one, it takes
the lease away and the older one finds its own void.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from server.core.db import Database
from server.core.logging import logger
from server.media import queries
from server.media.domain import MAX_CHUNK_BYTES, PENDING_KEPT, BlobKey, BlobState, Chunk, Ticket, Verdict
from server.media.errors import (
    BeyondDeclaredSize,
    ChunkDiffers,
    ChunkTooLarge,
    OffsetDiffers,
    StoreUnavailable,
    UnknownBlob,
    UploadPreempted,
    UploadStalled,
)
from server.media.service import mark_ready, mark_refused, refusal, settle
from server.media.store import BlobStore, Stage, StagedBytesMissing

# A connection that delivers nothing for this long is given up; what it delivered is kept.
PATIENCE_SECONDS = 20

# One that delivers a byte now and then is given up as well: four megabytes in this time are slower than any network.
PATIENCE_IN_ALL_SECONDS = 600

log = logger(__name__)


class SenderLost(Exception):  # noqa: N818 - a fact of networks
    """Raised by the source of pieces when the connection broke."""


@dataclass(frozen=True)
class Progress:
    """Where a file goes on: its size when it is complete, which no longer expires."""

    offset: int
    expires_at: datetime | None


async def receive(
    database: Database,
    store: BlobStore,
    org: UUID,
    *,
    sha256: str,
    chunk: Chunk,
    pieces: AsyncIterator[bytes],
    patience: float = PATIENCE_SECONDS,
    patience_in_all: float = PATIENCE_IN_ALL_SECONDS,
) -> Progress:
    """Write one chunk and answer where the file goes on.

    Raises before the first byte is taken: UnknownBlob, OffsetDiffers, ChunkTooLarge, BeyondDeclaredSize. Later:
    UploadPreempted, UploadStalled, SenderLost (what arrived is kept), BeyondDeclaredSize and ChunkDiffers (nothing of
    the chunk is kept), HashDiffers and ContentNotAllowed (the file starts again), StoreUnavailable.
    """
    if (chunk.length or 0) > MAX_CHUNK_BYTES:
        raise ChunkTooLarge(limit=MAX_CHUNK_BYTES)
    ticket = await _take_lease(database, BlobKey(org, sha256), chunk)
    if ticket is None:
        return Progress(chunk.offset, None)
    try:
        async with store.stage(ticket.key, ticket.offset, ticket.staged, fenced=ticket.contested) as stage:
            arriving = _while_patient(pieces, patience, patience_in_all)
            end, staged = await _write(database, ticket, chunk, stage, arriving)
            if end < ticket.size:
                return await _commit(database, ticket, end, staged)
        await _complete(database, store, ticket, await store.inspect(ticket.key, staged))
    except FileNotFoundError as gone:
        # A newer request finished the file and moved it to its place; if none did, the store has lost it.
        await _commit(database, ticket, ticket.offset, ticket.staged)
        raise StoreUnavailable from gone
    except StagedBytesMissing:
        raise OffsetDiffers(offset=await _recover(database, store, ticket)) from None
    except OSError as broken:
        log.exception("file store refused")
        raise StoreUnavailable from broken
    return Progress(end, None)


async def _take_lease(database: Database, key: BlobKey, chunk: Chunk) -> Ticket | None:
    """Answer None when there is nothing to do: the end of a complete file is told to nobody twice."""
    async with database.unit_of_work(key.org) as uow:
        found = await queries.lock_blob(uow, key.sha256)
        if found is None:
            raise UnknownBlob(sha256=key.sha256)
        if found.state is BlobState.READY and chunk.offset == found.size and chunk.length == 0:
            return None
        if chunk.offset != found.received or found.state is BlobState.READY:
            raise OffsetDiffers(offset=found.received)
        if chunk.offset + (chunk.length or 0) > found.size:
            raise BeyondDeclaredSize(size=found.size)
        lease = uow.new_id()
        await queries.set_lease(uow, key.sha256, lease)
        contested = found.lease is not None
        return Ticket(key, found.size, found.purpose, chunk.offset, found.staged, lease, contested)


async def _write(
    database: Database, ticket: Ticket, chunk: Chunk, stage: Stage, pieces: AsyncIterator[bytes]
) -> tuple[int, str]:
    """Answer where the durable bytes end and the store's word for them."""
    end = ticket.offset
    counted = chunk.checksum.counter() if chunk.checksum else None
    try:
        async for piece in pieces:
            _check_room(ticket, end + len(piece))
            await stage.write(piece)
            end += len(piece)
            if counted is not None:
                counted.update(piece)
        _check_sum(ticket, chunk, counted)
    except (BeyondDeclaredSize, ChunkTooLarge, ChunkDiffers):
        await stage.forget()
        await _commit(database, ticket, ticket.offset, ticket.staged)
        raise
    except (SenderLost, UploadStalled):
        # A bad network advances by what it delivered, checksum or not: the whole file's hash has the last word.
        staged = await stage.seal()
        if end < ticket.size:
            await _commit(database, ticket, end, staged)
            raise
        return end, staged
    return end, await stage.seal()


def _check_room(ticket: Ticket, end: int) -> None:
    if end > ticket.size:
        raise BeyondDeclaredSize(size=ticket.size)
    if end > ticket.offset + MAX_CHUNK_BYTES:
        raise ChunkTooLarge(limit=MAX_CHUNK_BYTES)


def _check_sum(ticket: Ticket, chunk: Chunk, counted: "hashlib._Hash | None") -> None:
    if chunk.checksum and counted and counted.digest() != chunk.checksum.digest:
        raise ChunkDiffers(offset=ticket.offset)


async def _while_patient(pieces: AsyncIterator[bytes], patience: float, in_all: float) -> AsyncIterator[bytes]:
    """Pass pieces on; raises UploadStalled when the next one is too long in coming, or all of them together."""
    until = asyncio.get_running_loop().time() + in_all
    while True:
        try:
            async with asyncio.timeout_at(min(until, asyncio.get_running_loop().time() + patience)):
                piece = await anext(pieces, None)
        except TimeoutError:
            raise UploadStalled(seconds=round(patience)) from None
        if piece is None:
            return
        yield piece


async def _commit(database: Database, ticket: Ticket, received: int, staged: str) -> Progress:
    async with database.unit_of_work(ticket.key.org) as uow:
        if not await queries.redeem(uow, ticket.key.sha256, ticket.lease, received, staged):
            found = await queries.blob(uow, ticket.key.sha256)
            raise UploadPreempted(offset=found.received if found else 0)
        return Progress(received, uow.now() + PENDING_KEPT)


async def _complete(database: Database, store: BlobStore, ticket: Ticket, verdict: Verdict) -> None:
    """Publish the verified file, or start it again with the reason raised."""
    refused = refusal(ticket.key.sha256, ticket.purpose, verdict)
    async with database.unit_of_work(ticket.key.org) as uow:
        found = await queries.lock_blob(uow, ticket.key.sha256)
        if found is None or found.lease != ticket.lease:
            raise UploadPreempted(offset=found.received if found else 0)
        # Under the row's lock: no newer request can put other bytes in the place of those just verified.
        if refused is None and verdict.mime is not None:
            await store.finish(ticket.key)
            await mark_ready(uow, ticket.key.sha256, verdict.mime)
        elif refused is not None:
            await store.discard(ticket.key)
            await store.remove(ticket.key)
            await mark_refused(uow, ticket.key.sha256, refused.code)
    if refused is not None:
        log.warning("upload refused", code=refused.code, sha256=ticket.key.sha256, size=ticket.size)
        raise refused
    with suppress(OSError):  # leftovers are a matter of tidiness
        await store.discard(ticket.key)


async def _recover(database: Database, store: BlobStore, ticket: Ticket) -> int:
    """Settle what a crash left between store and database, and answer where the file goes on."""
    async with database.unit_of_work(ticket.key.org) as uow:
        found = await queries.lock_blob(uow, ticket.key.sha256)
        if found is None or found.lease != ticket.lease:
            return found.received if found else 0
        await queries.rewind(uow, ticket.key.sha256)
    begun = replace(found, received=0, staged="", lease=None)
    return (await settle(database, store, ticket.key.org, begun)).received
