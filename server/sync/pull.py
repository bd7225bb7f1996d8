"""Handing out the change feed.

Everything in one answer is read from one snapshot. What a device may see is computed in that snapshot and compared
with its cookie, so a grant or a withdrawal can't be missed. The cookie lives here; the device holds only its name.
The database writes the lines; this module decides which buckets go out and in which form.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from server.core.db import Database, UnitOfWork
from server.core.logging import logger
from server.identity.domain import Actor
from server.sync import queries
from server.sync.domain import Cookie
from server.sync.errors import ScopeTooLarge
from server.sync.queries import Contents, Stale
from server.sync.registry import Registry

log = logger(__name__)

DEFAULT_BYTES = 1_500_000
# About as many rows as an answer of the largest size holds; more are not even looked at.
_MAX_ROWS = 60_000
_MANY_BUCKETS = 1_000
_TOO_MANY_BUCKETS = 10_000


@dataclass(frozen=True)
class Ask:
    """What a device wants.

    cookie: names the last answer it stored completely, None for the first.
    want: parts of the feed to answer, of "core" and "catalog"; empty for both.
    snapshots: whether it can take a large bucket as a file.
    """

    device: UUID
    stream: UUID
    cookie: Cookie | None
    max_bytes: int = DEFAULT_BYTES
    want: frozenset[str] = frozenset()
    snapshots: bool = False


async def pull(database: Database, registry: Registry, actor: Actor, ask: Ask) -> bytes:
    """Answer a patch as NDJSON; see docs/sync-protocol.md for its lines. Raises ScopeTooLarge.

    Nothing is written when nothing changed: a thousand idle phones that look every half minute cost only reading.
    """
    async with database.snapshot(actor.org) as uow:
        stands = await queries.standing(uow, ask.device, ask.stream, ask.cookie)
        differing = await queries.differing_buckets(uow, actor.person, ask.device, stands.cookie, ask.want)
        _check_size(actor, differing)
        dropped = [bucket.key for bucket in differing if bucket.id is None]
        stale = [bucket for bucket in differing if bucket.id is not None]
        snapshots = await queries.newest_snapshots(uow, [b.id for b in stale if b.since is None])
        sending = [_from_snapshot(bucket, snapshots) if ask.snapshots else bucket for bucket in stale]
        answer = _Answer(ask.max_bytes)
        sent = await _send_buckets(uow, registry, sending, answer)
        awaited = await queries.awaited_files(uow, registry.files, actor.person)
    cookie = stands.cookie
    if cookie is None or dropped or sent:
        brought = {bucket.key: bucket.version for bucket in sent}
        async with database.unit_of_work(actor.org) as uow:
            cookie = await queries.store_cookie(
                uow, ask.device, stands, dropped=dropped, sent=brought, asked=ask.cookie
            )
    head = _line(
        k="head",
        epoch=stands.epoch,
        last_seq=stands.last_seq,
        durable_seq=stands.durable_seq,
        server_time=database.clock.now().isoformat(),
        # A device whose cookie is not known here gets no drops: `since` tells it to forget what this doesn't mention.
        since=str(stands.cookie) if stands.cookie else None,
    )
    drops = [_line(k="drop", b=key, why="left_scope") for key in dropped]
    blobs = _line(k="blobs", missing=awaited)
    tail = _line(k="tail", cookie=str(cookie), more=len(sent) < len(stale))
    return b"".join([head, *drops, *answer.lines, blobs, tail])


def _check_size(actor: Actor, differing: Sequence[Stale]) -> None:
    if len(differing) > _TOO_MANY_BUCKETS:
        raise ScopeTooLarge(buckets=len(differing), limit=_TOO_MANY_BUCKETS)
    if len(differing) > _MANY_BUCKETS:
        log.warning("a phone is given very much", person=str(actor.person), buckets=len(differing))


def _from_snapshot(bucket: Stale, snapshots: dict[int, queries.Snapshot]) -> Stale:
    assert bucket.id is not None
    snapshot = snapshots.get(bucket.id)
    # One made before rows left whose departure is forgotten would bring them back.
    return bucket if snapshot is None or snapshot.version < bucket.min_version else bucket.after(snapshot)


async def _send_buckets(
    uow: UnitOfWork, registry: Registry, stale: Sequence[Stale], answer: "_Answer"
) -> Sequence[Stale]:
    """Write as many whole buckets as fit; answer those."""
    contents = await queries.contents(uow, stale)
    whole = _within(stale, contents)
    text = await _lines_by_bucket(uow, registry, whole, contents)
    sent: list[Stale] = []
    for bucket in whole:
        if answer.full:
            break
        assert bucket.id is not None
        holds = contents.get(bucket.id, Contents.NOTHING)
        answer.add(_opening(bucket))
        answer.add(text.get(bucket.id, b""))
        answer.add(_line(k="check", b=bucket.key, n=holds.n, h=holds.checksum))
        sent.append(bucket)
    return sent


def _within(stale: Sequence[Stale], contents: dict[int, Contents]) -> Sequence[Stale]:
    """Answer the first buckets that hold `_MAX_ROWS` changed rows together, at least one."""
    rows = 0
    for index, bucket in enumerate(stale):
        assert bucket.id is not None
        rows += contents.get(bucket.id, Contents.NOTHING).changed
        if index and rows > _MAX_ROWS:
            return stale[:index]
    return stale


async def _lines_by_bucket(
    uow: UnitOfWork, registry: Registry, buckets: Sequence[Stale], contents: dict[int, Contents]
) -> dict[int, bytes]:
    """Let the database write the changed rows of each bucket, one statement per kind of entity."""
    written: dict[int, list[str]] = {}
    kinds = {code for bucket in buckets if bucket.id in contents for code in contents[bucket.id].entities}
    for code in sorted(kinds):
        projection = registry.projections[code]
        concerned = [it for it in buckets if it.id in contents and code in contents[it.id].entities]
        for bucket_id, lines in await queries.written_lines(
            uow, projection.code, projection.name, projection.sql, concerned
        ):
            written.setdefault(bucket_id, []).append(lines)
    return {bucket_id: "".join(lines).encode() for bucket_id, lines in written.items()}


def _opening(bucket: Stale) -> bytes:
    about: dict[str, Any] = {"k": "bucket", "b": bucket.key, "v": bucket.version}
    if bucket.snapshot is not None:
        it = bucket.snapshot
        return _line(**about, mode="snapshot", sha256=it.sha256, rows=it.rows, bytes=it.bytes)
    return _line(**about, mode="reset" if bucket.since is None else "delta")


def _line(**fields: Any) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


class _Answer:
    def __init__(self, limit: int) -> None:
        self.lines: list[bytes] = []
        self._left = limit

    @property
    def full(self) -> bool:
        return self._left <= 0

    def add(self, lines: bytes) -> None:
        self.lines.append(lines)
        self._left -= len(lines)
