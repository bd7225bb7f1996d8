"""Use cases of files: announcing, taking back, finding; receiving bytes lives in `uploads`.

The store may be slow or away, so it is never asked while a transaction is open that others could wait for.
"""

import hashlib
from datetime import timedelta
from uuid import UUID

from server.core import events
from server.core.db import Database, UnitOfWork
from server.core.errors import Problem
from server.core.logging import logger
from server.identity.domain import Actor, Rescuer
from server.media import queries
from server.media.domain import (
    ALLOWED,
    MADE_HERE,
    MAX_BLOB_BYTES,
    Announcement,
    Blob,
    BlobKey,
    BlobState,
    FileRules,
    Inspection,
    Purpose,
    Verdict,
)
from server.media.errors import (
    BlobTooLarge,
    ContentNotAllowed,
    DeviceQuotaReached,
    FileIsKept,
    HashDiffers,
    OrganisationQuotaReached,
    PurposeNotForClients,
    UnknownBlob,
)
from server.media.store import BlobStore

_A_DAY = timedelta(days=1)

type Bringer = Actor | Rescuer

log = logger(__name__)


async def announce(
    database: Database, store: BlobStore, rules: FileRules, actor: Bringer, wanted: Announcement
) -> Blob:
    """Say that a file will come; answers where it stands, which may be ready.

    Raises BlobTooLarge, PurposeNotForClients, DeviceQuotaReached, OrganisationQuotaReached.
    """
    if wanted.purpose in MADE_HERE:
        raise PurposeNotForClients(purpose=wanted.purpose)
    if wanted.size > MAX_BLOB_BYTES:
        raise BlobTooLarge(limit=MAX_BLOB_BYTES, size=wanted.size)
    async with database.unit_of_work(actor.org) as uow:
        await _check_quota(uow, rules, actor, wanted)
        found = await queries.announce(uow, wanted, created_by=actor.person, device=actor.device)
        await queries.note_holder(uow, wanted.sha256, actor.person, actor.device)
    return await settle(database, store, actor.org, found)


async def _check_quota(uow: UnitOfWork, rules: FileRules, actor: Bringer, wanted: Announcement) -> None:
    known = await queries.blob(uow, wanted.sha256)
    more = wanted.size - (known.size if known else 0)
    if more <= 0 or (known and known.state is BlobState.READY):
        return
    limit = rules.organisation_bytes
    if limit is not None and await queries.bytes_kept(uow) + more > limit:
        raise OrganisationQuotaReached(limit=limit)
    limit = rules.device_bytes_a_day
    if actor.device and await queries.announced_by(uow, actor.device, uow.now() - _A_DAY) + more > limit:
        raise DeviceQuotaReached(limit=limit)


async def settle(database: Database, store: BlobStore, org: UUID, found: Blob) -> Blob:
    """Bring row and store together where a crash, a restore or a lost disk has parted them; answer the row.

    While the store can't be asked, the row is believed.
    """
    key = BlobKey(org, found.sha256)
    try:
        whole = await store.size(key) == found.size
        if whole is (found.state is BlobState.READY):
            return found
        if whole:
            return await _adopt(database, store, key, found)
    except OSError as away:
        log.warning("file store can't be asked", error=str(away))
        return found
    async with database.unit_of_work(org) as uow:
        if await queries.set_lost(uow, found.sha256):
            log.error("bytes of a complete file are gone", sha256=found.sha256)
            await _tell(uow, "blob.lost", found.sha256)
        return await blob(uow, found.sha256)


async def _adopt(database: Database, store: BlobStore, key: BlobKey, found: Blob) -> Blob:
    """Take in a finished file that the row knows nothing of, if it is what the row waits for."""
    inspection = Inspection()
    async for piece in store.read(key):
        inspection.take(piece)
    verdict = inspection.verdict()
    refused = refusal(key.sha256, found.purpose, verdict)
    if refused is not None:
        await store.remove(key)
    async with database.unit_of_work(key.org) as uow:
        if refused is None and verdict.mime is not None:
            await mark_ready(uow, key.sha256, verdict.mime)
        return await blob(uow, key.sha256)


def refusal(sha256: str, purpose: Purpose, verdict: Verdict) -> Problem | None:
    """Answer why complete bytes can't be what was announced, None when they are."""
    if verdict.sha256 != sha256:
        return HashDiffers()
    allowed = ALLOWED[purpose]
    if verdict.mime not in allowed:
        return ContentNotAllowed(allowed=", ".join(sorted(allowed)))
    return None


async def take_back(database: Database, store: BlobStore, rules: FileRules, actor: Actor, sha256: str) -> None:
    """End an upload that whoever announced it no longer wants. Raises UnknownBlob, FileIsKept."""
    async with database.unit_of_work(actor.org) as uow:
        found = await queries.lock_blob(uow, sha256)
        if found is None or not await queries.holds(uow, sha256, actor.person):
            raise UnknownBlob(sha256=sha256)
        if found.state is BlobState.READY:
            raise FileIsKept(why="complete")
        if await queries.is_referred_to(uow, sha256, rules.references):
            raise FileIsKept(why="part of something that was recorded")
        await queries.delete(uow, sha256)
    # Whoever announces it again at this very moment starts at 0 once more, at worst.
    await store.discard(BlobKey(actor.org, sha256))


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


async def holds(uow: UnitOfWork, sha256: str, actor: Actor) -> bool:
    """Answer whether the actor once announced these very bytes, so that they tell them nothing new."""
    return await queries.holds(uow, sha256, actor.person)


def key_of(uow: UnitOfWork, sha256: str) -> BlobKey:
    assert uow.org is not None
    return BlobKey(uow.org, sha256)


async def mark_ready(uow: UnitOfWork, sha256: str, mime: str) -> None:
    """Publish a complete file; those who wait for it hear `blob.ready`, once."""
    if await queries.set_ready(uow, sha256, mime):
        await _tell(uow, "blob.ready", sha256, mime=mime)


async def mark_refused(uow: UnitOfWork, sha256: str, code: str) -> None:
    """Start a file again whose complete bytes were not what was announced, and say so: a phone may be broken."""
    await queries.rewind(uow, sha256)
    await _tell(uow, "blob.refused", sha256, code=code)


async def _tell(uow: UnitOfWork, name: str, sha256: str, **facts: str) -> None:
    await events.append(uow, name, subject=("blob", UUID(hex=sha256[:32])), payload={"sha256": sha256, **facts})


async def save_bytes(
    database: Database, store: BlobStore, org: UUID, content: bytes, *, mime: str, purpose: Purpose, made_by: UUID
) -> str:
    """Keep a file the server made and answer its sha256. The bytes lie in the store before a row says so."""
    sha256 = hashlib.sha256(content).hexdigest()
    await store.put(BlobKey(org, sha256), content)
    async with database.unit_of_work(org) as uow:
        await queries.announce(uow, Announcement(sha256, len(content), mime, purpose), created_by=made_by)
        await mark_ready(uow, sha256, mime)
    return sha256


async def load_bytes(store: BlobStore, key: BlobKey) -> bytes:
    """Answer a whole finished blob; at most `MAX_BLOB_BYTES` by construction."""
    return b"".join([piece async for piece in store.read(key)])
