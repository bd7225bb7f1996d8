"""Photos and their files: who may see which, what becomes of those whose bytes don't come."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from server.core import events
from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.core.paging import Page, decode_cursor, id_in, instant_in, page_of
from server.identity.domain import Actor
from server.media import derivatives
from server.media import service as media
from server.media.domain import Blob, Size
from server.media.errors import OriginalRestricted
from server.workorders import access, picture_queries, record_queries
from server.workorders.picture_queries import Settled
from server.workorders.records import MissingFile, Photo

_THING = "photo"

# So long a phone may be without a network before somebody should ask what became of the photo.
OVERDUE_AFTER = timedelta(hours=24)

# A small copy that is not there by then was forgotten: it is ordered again.
FORGOTTEN_AFTER = timedelta(hours=1)


async def photo_for(uow: UnitOfWork, actor: Actor, photo_id: UUID) -> Photo:
    """Raises NotFound, also for what the actor may not see."""
    found = await record_queries.photo(uow, photo_id)
    if found is None:
        raise NotFound(thing=_THING)
    try:
        await access.work_order_for(uow, actor, found.work_order_id)
    except NotFound:
        raise NotFound(thing=_THING) from None
    return found


async def content_of(uow: UnitOfWork, actor: Actor, photo_id: UUID, size: Size | None) -> Blob:
    """Answer the file to show of a photo: a small copy, or the original. Raises as `file_for`."""
    return await file_for(uow, actor, (await photo_for(uow, actor, photo_id)).sha256, size)


async def file_for(uow: UnitOfWork, actor: Actor, sha256: str, size: Size | None) -> Blob:
    """Answer the file behind a hash that the actor may have.

    Small copies are for everybody who sees the photo on an order. The original tells where and with what it was
    taken: it is evidence, for its author and the office. Raises NotFound, UnknownBlob, OriginalRestricted, NoSmallCopy.
    """
    found = await media.ready_blob(uow, sha256)
    seen = await picture_queries.sight(uow, actor, sha256)
    if not seen.on_order and found.created_by != actor.person:
        raise NotFound(thing=_THING)
    if size is not None:
        return await derivatives.small_copy(uow, sha256, size)
    if seen.on_order and not seen.as_author and not actor.may(access.ORDER.everyone):
        raise OriginalRestricted
    return found


async def follow(uow: UnitOfWork, sha256: str) -> None:
    """Let the photos with these bytes show how far the file has come; their phones then hear of it."""
    await _tell_arrived(uow, await picture_queries.follow(uow, sha256))


async def catch_up(uow: UnitOfWork) -> list[str]:
    """Do what `follow` missed because a photo was written at the same time as its file came.

    Answers the hashes of photos whose small copies should long have been made.
    """
    await _tell_arrived(uow, await picture_queries.catch_up(uow))
    return await picture_queries.without_small_copies(uow, uow.now() - FORGOTTEN_AFTER)


async def _tell_arrived(uow: UnitOfWork, settled: Sequence[Settled]) -> None:
    for photo in settled:
        if photo.was_missing:
            await _tell(uow, "photo.arrived", photo)


async def raise_alarms(uow: UnitOfWork) -> int:
    """Say of each photo, once, that its bytes are overdue; answer of how many."""
    overdue = await picture_queries.take_overdue(uow, uow.now() - OVERDUE_AFTER)
    for photo in overdue:
        await _tell(uow, "photo.missing", photo)
    return len(overdue)


async def _tell(uow: UnitOfWork, name: str, photo: Settled) -> None:
    payload = {"photo_id": str(photo.id), "sha256": photo.sha256, "author_id": str(photo.author_id)}
    await events.append(uow, name, subject=("work_order", photo.work_order_id), payload=payload)


async def missing_files(uow: UnitOfWork, actor: Actor, *, cursor: str | None = None, limit: int) -> Page[MissingFile]:
    """Answer a page of the photos whose bytes have not come, on orders the actor may see, the oldest first."""
    key = decode_cursor(cursor, 2)
    after = (instant_in(key[0]), id_in(key[1])) if key else None
    rows = await picture_queries.missing_files(uow, actor, after=after, limit=limit + 1)
    return page_of(rows, limit, lambda row: (row.recorded_at.isoformat(), row.photo_id))
