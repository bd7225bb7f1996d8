"""The small copies of a photo: made once for each content, kept as files like any other."""

from collections.abc import Sequence
from uuid import UUID

from server.core import events
from server.core.db import Database, UnitOfWork
from server.media import queries, sandbox, service
from server.media.domain import (
    HEIC,
    JPEG,
    PNG,
    WEBP,
    Blob,
    BlobKey,
    BlobState,
    Gap,
    Picture,
    PictureState,
    Purpose,
    Showing,
    Size,
)
from server.media.errors import NoSmallCopy
from server.media.store import BlobStore

PICTURES = frozenset({JPEG, PNG, WEBP, HEIC})


class MachineTooBusy(Exception):  # noqa: N818 - a reason to try again
    """The decoder was killed or ran out of time; that need not be the file's fault."""


async def make(database: Database, store: BlobStore, org: UUID, sha256: str, *, last_try: bool) -> None:
    """Make the small copies of a complete photo. Safe to repeat. Raises MachineTooBusy unless it is the last try."""
    async with database.unit_of_work(org) as uow:
        found = await queries.blob(uow, sha256)
        if found is None or not is_picture(found) or await queries.picture(uow, sha256) is not None:
            return
    made = await sandbox.derive(await service.load_bytes(store, BlobKey(org, sha256)))
    if isinstance(made, sandbox.Undecodable):
        if made.may_pass and not last_try:
            raise MachineTooBusy(made.why)
        picture = Picture(sha256, PictureState.UNDECODABLE, made.why, None, None, None, None, None)
    else:
        thumb, view = [
            await service.save_bytes(
                database, store, org, small, mime=WEBP, purpose=Purpose.PREVIEW, made_by=found.created_by
            )
            for small in (made.thumb, made.view)
        ]
        state = PictureState.DERIVED
        picture = Picture(sha256, state, None, made.width, made.height, made.blurhash, thumb, view)
    async with database.unit_of_work(org) as uow:
        if await queries.insert_picture(uow, picture):
            payload = {"sha256": sha256, "state": str(picture.state)}
            await events.append(uow, "picture.made", subject=("blob", UUID(hex=sha256[:32])), payload=payload)


def is_picture(found: Blob) -> bool:
    return found.state is BlobState.READY and found.mime in PICTURES and found.purpose is not Purpose.PREVIEW


async def small_copy(uow: UnitOfWork, sha256: str, size: Size) -> Blob:
    """Answer the file that is the small copy of a photo. Raises NoSmallCopy."""
    picture = await queries.picture(uow, sha256)
    if picture is None:
        raise NoSmallCopy(why="it has not been made yet")
    wanted = picture.thumb_sha256 if size is Size.THUMB else picture.view_sha256
    if wanted is None:
        raise NoSmallCopy(why=f"the original can't be shown ({picture.why})")
    return await service.ready_blob(uow, wanted)


async def showing(uow: UnitOfWork, hashes: Sequence[str]) -> Showing:
    """Answer how photos can be shown: never by their originals, which nobody but the sandbox decodes."""
    pictures = {picture.sha256: picture for picture in await queries.pictures(uow, hashes)}
    copies = [picture.view_sha256 for picture in pictures.values() if picture.view_sha256]
    here = {blob.sha256 for blob in await service.ready_among(uow, [*hashes, *copies])}
    shown = {it.sha256: it.view_sha256 for it in pictures.values() if it.view_sha256 in here and it.view_sha256}
    gaps = {sha256: _gap(pictures.get(sha256), here=sha256 in here) for sha256 in hashes if sha256 not in shown}
    return Showing(shown, gaps)


def _gap(picture: Picture | None, *, here: bool) -> Gap:
    if picture is not None and picture.state is PictureState.UNDECODABLE:
        return Gap.UNDECODABLE
    return Gap.PREPARING if here else Gap.PENDING
