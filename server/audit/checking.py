"""Recomputing a chain from the rows and files it seals, to name the first record that is not what it was."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from server.audit import queries
from server.audit.anchors import Anchor
from server.audit.domain import ABSENT, GENESIS, SOURCES, Erasure, Fault, Finding, Link, link_hash, row_digest
from server.core.db import Database, Row, UnitOfWork
from server.media.domain import BlobKey
from server.media.store import BlobStore

_BATCH = 1000


@dataclass
class _Walk:
    """Where the check of one chain stands."""

    org: UUID
    store: BlobStore
    anchored: dict[int, Anchor]
    n: int = 0
    hash: str = GENESIS
    files: int = 0
    faults: list[Fault] = field(default_factory=list)
    erased: list[Erasure] = field(default_factory=list)

    def blame(self, link: Link, what: str) -> None:
        self.faults.append(Fault(link.n, link.kind, link.ref, what))


async def verify_chain(
    database: Database, store: BlobStore, org: UUID, *, anchors: Sequence[Anchor] = (), files: bool = True
) -> Finding:
    """Recompute everything an organisation's chain seals.

    anchors: heads that were written down elsewhere; those of other organisations are ignored.
    files: also read every sealed print and compare its hash.
    """
    walk = _Walk(org, store, {anchor.n: anchor for anchor in anchors if anchor.org == org})
    # Of one moment: an erasure in between would be seen with half of what it did.
    async with database.snapshot(org) as uow:
        await queries.take_time(uow)
        async for batch in _batches(uow):
            await _check(uow, walk, batch, files=files)
        await _look_for_what_is_in_no_link(uow, walk)
        backlog = await queries.backlog(uow)
    _look_for_a_lost_end(walk)
    return Finding(walk.n, walk.hash, backlog, walk.files, len(walk.anchored), tuple(walk.faults), tuple(walk.erased))


async def _batches(uow: UnitOfWork) -> AsyncIterator[list[Link]]:
    n = 0
    while batch := await queries.links_after(uow, n, _BATCH):
        yield batch
        n = batch[-1].n


async def _check(uow: UnitOfWork, walk: _Walk, batch: list[Link], *, files: bool) -> None:
    rows = {
        kind: await queries.rows_of(uow, SOURCES[kind], [link.ref for link in batch if link.kind == kind])
        for kind in {link.kind for link in batch} & set(SOURCES)
    }
    erasures = await queries.erasures_of(uow, [link.ref for link in batch])
    for link in batch:
        _check_link(walk, link)
        row = rows.get(link.kind, {}).get(link.ref)
        _check_row(walk, link, row, erasures.get((link.kind, link.ref)))
        if files and link.kind == "print" and row is not None:
            await _check_file(walk, link, row)


def _check_link(walk: _Walk, link: Link) -> None:
    if link.n != walk.n + 1:
        walk.faults.append(Fault(walk.n + 1, "entry", None, f"missing; the next one there is {link.n}"))
    elif link.prev_hash != walk.hash:
        walk.blame(link, "the entry does not follow from the one before it")
    if link_hash(link.prev_hash, link) != link.hash:
        walk.blame(link, "the entry itself was changed")
    anchor = walk.anchored.get(link.n)
    if anchor is not None and anchor.hash != link.hash:
        walk.blame(link, f"the entry is not the one that was anchored in {anchor.source}")
    walk.n, walk.hash = link.n, link.hash


def _check_row(walk: _Walk, link: Link, row: Row | None, erasure: Erasure | None) -> None:
    # An erasure is believed as it stands: one that was changed, or written past its trigger, is a fault of its own.
    if link.kind not in SOURCES:
        walk.blame(link, "nothing of this kind is ever sealed")
    elif row is None and erasure is not None:
        walk.erased.append(erasure)
    elif row is not None and erasure is not None:
        walk.blame(link, "on record as erased, and still there")
    elif row is None and link.digest != ABSENT:
        walk.blame(link, "the row is missing")
    elif row is not None and row_digest(link.kind, row) != link.digest:
        walk.blame(link, "the row is not what was sealed")


async def _check_file(walk: _Walk, link: Link, row: Row) -> None:
    seen = hashlib.sha256()
    try:
        async for piece in walk.store.read(BlobKey(walk.org, row["pdf_sha256"])):
            seen.update(piece)
    except FileNotFoundError:
        walk.blame(link, "its file is missing")
        return
    walk.files += 1
    if seen.hexdigest() != row["pdf_sha256"]:
        walk.blame(link, "its file is not what was sealed")


async def _look_for_what_is_in_no_link(uow: UnitOfWork, walk: _Walk) -> None:
    for source in SOURCES.values():
        found = await queries.unsealed(uow, source)
        if found:
            more = f", like {found.count - 1} more" if found.count > 1 else ""
            walk.faults.append(Fault(None, source.kind, found.first, f"it is in no entry and does not wait{more}"))


def _look_for_a_lost_end(walk: _Walk) -> None:
    """The last links can be cut off without a trace in what is left, but not in what was written down elsewhere."""
    beyond = [anchor for n, anchor in sorted(walk.anchored.items()) if n > walk.n]
    if beyond:
        source = beyond[0].source
        walk.faults.append(Fault(walk.n + 1, "entry", None, f"missing; {source} anchors entry {beyond[0].n}"))
