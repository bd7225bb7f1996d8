"""What becomes of files in time: uploads nobody goes on with, files nothing refers to, files a disk has lost."""

from uuid import UUID

from server.core.db import Database
from server.core.logging import logger
from server.media import queries, service
from server.media.domain import PENDING_KEPT, READY_KEPT, BlobKey, BlobState, FileRules
from server.media.store import BlobStore

_PAGE = 1_000
_KEPT = {BlobState.PENDING: PENDING_KEPT, BlobState.READY: READY_KEPT}

log = logger(__name__)


async def tidy(database: Database, store: BlobStore, rules: FileRules, org: UUID, state: BlobState) -> int:
    """Remove what nobody touched for long and nothing refers to; answer how many files. Safe to repeat."""
    removed, after = 0, ""
    while True:
        async with database.unit_of_work(org) as uow:
            page = await queries.untouched(uow, state, uow.now() - _KEPT[state], after, _PAGE)
            unused = await queries.unreferred(uow, page, rules.references) if page else []
        for sha256 in unused:
            removed += await _remove(database, store, rules, BlobKey(org, sha256), state)
        if len(page) < _PAGE:
            return removed
        after = page[-1]


async def _remove(database: Database, store: BlobStore, rules: FileRules, key: BlobKey, state: BlobState) -> bool:
    """Remove a file unless something happened to it meanwhile.

    Its bytes go while its row is locked: whoever announces it again waits, and then begins at nothing. A crash in
    between leaves a row without bytes, which the next announcement notices.
    """
    async with database.unit_of_work(key.org) as uow:
        found = await queries.lock_blob(uow, key.sha256)
        if found is None or found.state is not state or found.touched_at >= uow.now() - _KEPT[state]:
            return False
        if await queries.unreferred(uow, [key.sha256], rules.references) == []:
            return False
        await store.discard(key)
        await store.remove(key)
        await queries.delete(uow, key.sha256)
    log.info("file removed", sha256=key.sha256, state=str(state), size=found.size)
    return True


async def find_lost(database: Database, store: BlobStore, org: UUID) -> int:
    """Compare every complete file with the store; what is gone is asked for again. Answer how many those are."""
    lost, after = 0, ""
    while True:
        async with database.unit_of_work(org) as uow:
            page = await queries.ready_after(uow, after, _PAGE)
        for found in page:
            settled = await service.settle(database, store, org, found)
            lost += settled.state is not BlobState.READY
        if len(page) < _PAGE:
            return lost
        after = page[-1].sha256


async def count_usage(database: Database, org: UUID) -> None:
    async with database.unit_of_work(org) as uow:
        await queries.count_usage(uow)
