"""Use cases of files that fit one transaction; receiving bytes takes several and lives in `uploads`."""

import hashlib
from uuid import UUID

from server.core import events
from server.core.db import Database, UnitOfWork
from server.identity.domain import Actor
from server.media import queries
from server.media.domain import MAX_BLOB_BYTES, Blob, BlobKey, BlobState, Purpose
from server.media.errors import BlobTooLarge, PurposeNotForClients, UnknownBlob
from server.media.store import BlobStore


async def announce(
    uow: UnitOfWork, store: BlobStore, actor: Actor, *, sha256: str, size: int, mime: str, purpose: Purpose
) -> Blob:
    """Say that a file will come; answers where it stands, which may be ready.

    Raises BlobTooLarge and PurposeNotForClients.
    """
    if purpose is Purpose.REPORT:
        raise PurposeNotForClients(purpose=purpose)
    if size > MAX_BLOB_BYTES:
        raise BlobTooLarge(limit=MAX_BLOB_BYTES, size=size)
    found = await queries.announce(
        uow, sha256=sha256, size=size, mime=mime, purpose=str(purpose), created_by=actor.person
    )
    if found.state is BlobState.PENDING and await store.size(key_of(uow, sha256)) == size:
        # A crash came between finishing the file and committing that it is there.
        await mark_ready(uow, sha256, found.mime)
        return await blob(uow, sha256)
    return found


async def blob(uow: UnitOfWork, sha256: str) -> Blob:
    """Raises UnknownBlob."""
    found = await queries.blob(uow, sha256)
    if found is None:
        raise UnknownBlob(sha256=sha256)
    return found


async def ready_blob(uow: UnitOfWork, sha256: str) -> Blob:
    """Answer a blob whose bytes are complete; one that is still on its way looks like none. Raises UnknownBlob."""
    found = await blob(uow, sha256)
    if found.state is not BlobState.READY:
        raise UnknownBlob(sha256=sha256)
    return found


async def ready_among(uow: UnitOfWork, hashes: list[str]) -> list[Blob]:
    return [found for found in await queries.blobs(uow, hashes) if found.state is BlobState.READY]


def key_of(uow: UnitOfWork, sha256: str) -> BlobKey:
    assert uow.org is not None
    return BlobKey(uow.org, sha256)


async def mark_ready(uow: UnitOfWork, sha256: str, mime: str) -> None:
    """Publish a complete file; those who wait for it hear `blob.ready`, once."""
    if await queries.set_ready(uow, sha256, mime):
        await events.append(
            uow, "blob.ready", subject=("blob", UUID(hex=sha256[:32])), payload={"sha256": sha256, "mime": mime}
        )


async def save_bytes(
    database: Database, store: BlobStore, org: UUID, content: bytes, *, mime: str, purpose: Purpose, made_by: UUID
) -> str:
    """Keep a file the server made and answer its sha256. The bytes lie in the store before a row says so."""
    sha256 = hashlib.sha256(content).hexdigest()
    await store.put(BlobKey(org, sha256), content)
    async with database.unit_of_work(org) as uow:
        await queries.announce(
            uow, sha256=sha256, size=len(content), mime=mime, purpose=str(purpose), created_by=made_by
        )
        await mark_ready(uow, sha256, mime)
    return sha256


async def load_bytes(store: BlobStore, key: BlobKey) -> bytes:
    """Answer a whole finished blob; at most `MAX_BLOB_BYTES` by construction."""
    return b"".join([piece async for piece in store.read(key)])
