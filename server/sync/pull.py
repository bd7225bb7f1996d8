"""Handing out the change feed.

Everything in one answer is read from one snapshot. What a device may see is computed in that snapshot and compared
with its cookie, so a grant or a withdrawal can't be missed. The cookie lives here; the device holds only its number.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from server.core.db import Database, UnitOfWork
from server.identity.domain import Actor
from server.sync import queries
from server.sync.queries import Bucket, Change
from server.sync.registry import Projection, Registry

DEFAULT_BYTES = 1_500_000
_EVERYTHING = -1
_MAX_CHANGES = 60_000


@dataclass(frozen=True)
class Ask:
    """What a device wants. `cookie` is the number of the last answer it stored completely, None for the first."""

    device: UUID
    stream: UUID
    cookie: int | None
    max_bytes: int = DEFAULT_BYTES


@dataclass(frozen=True)
class _Place:
    """Where the device stands: bucket key → version. `since` is the cookie that says so, None for the beginning."""

    since: str | None
    buckets: dict[str, int]


async def pull(database: Database, registry: Registry, actor: Actor, ask: Ask) -> bytes:
    """Answer a patch as NDJSON; see docs/sync-protocol.md for its lines."""
    async with database.snapshot(actor.org) as uow:
        epoch = await queries.epoch(uow)
        stands = await _where_it_stands(uow, ask, epoch)
        scope = await queries.buckets_in_scope(uow, registry.scopes, actor.person)
        dropped = sorted(set(stands.buckets) - {bucket.key for bucket in scope})
        stale = [bucket for bucket in scope if stands.buckets.get(bucket.key) != bucket.version]
        lines = _Lines(ask.max_bytes)
        reached = {key: version for key, version in stands.buckets.items() if key not in set(dropped)}
        for key in dropped:
            lines.add(k="drop", b=key, why="left_scope")
        sent = await _send_buckets(uow, registry, stands, stale, lines)
        reached |= {bucket.key: bucket.version for bucket in sent}
        last_seq = await queries.last_seq(uow, ask.stream, ask.device)
        awaited = await queries.awaited_files(uow, registry.files, actor.person)
    async with database.unit_of_work(actor.org) as uow:
        ordinal = await queries.next_ordinal(uow, ask.device)
        await queries.store_cookie(
            uow, device=ask.device, ordinal=ordinal, epoch=epoch, buckets=reached, acked=ask.cookie
        )
        await queries.last_contact(uow, ask.device, uow.now())
        now = uow.now().isoformat()
        # A device whose cookie is not known here gets no drops: `since` tells it to forget what this doesn't mention.
        head = _line(k="head", epoch=epoch, last_seq=last_seq, server_time=now, ordinal=ordinal, since=stands.since)
    lines.add(k="blobs", missing=awaited)
    lines.add(k="tail", cookie=f"o:{ordinal}", more=len(sent) < len(stale))
    return b"".join([head, *lines.lines])


async def _where_it_stands(uow: UnitOfWork, ask: Ask, epoch: int) -> _Place:
    """An unknown cookie, or one from before a restore, means the device starts from nothing."""
    known = await queries.cookie(uow, ask.device, ask.cookie) if ask.cookie is not None else None
    if known is None or known["epoch"] != epoch:
        return _Place(None, {})
    return _Place(f"o:{ask.cookie}", known["buckets"])


async def _send_buckets(
    uow: UnitOfWork, registry: Registry, stands: _Place, stale: Sequence[Bucket], lines: "_Lines"
) -> list[Bucket]:
    """Write as many whole buckets as fit; answer those."""
    since = [(bucket.id, _since(bucket, stands)) for bucket in stale]
    changes = await queries.changes(uow, since, limit=_MAX_CHANGES)
    by_bucket: dict[int, list[Change]] = {}
    for change in changes:
        by_bucket.setdefault(change.bucket_id, []).append(change)
    cut_off = changes[-1].bucket_id if len(changes) == _MAX_CHANGES and len(by_bucket) > 1 else None
    whole = [bucket for bucket in stale if bucket.id != cut_off]
    payloads = await _payloads(uow, registry, changes)
    totals = await queries.totals(uow, [bucket.id for bucket in whole])
    sent: list[Bucket] = []
    for bucket in whole:
        if lines.full:
            break
        lines.add(
            k="bucket",
            b=bucket.key,
            v=bucket.version,
            mode="reset" if _since(bucket, stands) == _EVERYTHING else "delta",
        )
        for change in by_bucket.get(bucket.id, []):
            lines.add_raw(_change_line(registry.projections[change.entity], change, payloads))
        count, digest = totals.get(bucket.id, (0, ""))
        lines.add(k="check", b=bucket.key, n=count, h=digest)
        sent.append(bucket)
    return sent


def _since(bucket: Bucket, stands: _Place) -> int:
    version = stands.buckets.get(bucket.key)
    # Tombstones below min_version are gone: a device that is further behind must forget and take everything.
    return version if version is not None and version >= bucket.min_version else _EVERYTHING


type _Payloads = dict[tuple[int, UUID], tuple[int, str]]


async def _payloads(uow: UnitOfWork, registry: Registry, changes: Sequence[Change]) -> _Payloads:
    """Answer version and JSON text of each living entity, one statement per kind."""
    wanted: dict[int, set[UUID]] = {}
    for change in changes:
        if change.op == "p":
            wanted.setdefault(change.entity, set()).add(change.entity_id)
    found: _Payloads = {}
    for code, ids in wanted.items():
        for row in await queries.projected(uow, registry.projections[code].sql, sorted(ids)):
            found[code, row["id"]] = (row["ver"], row["d"])
    return found


def _change_line(projection: Projection, change: Change, payloads: _Payloads) -> bytes:
    found = payloads.get((projection.code, change.entity_id)) if change.op == "p" else None
    if found is None:
        return _line(k="del", t=projection.name, id=str(change.entity_id))
    version, payload = found
    return f'{{"k":"put","t":"{projection.name}","id":"{change.entity_id}","ver":{version},"d":{payload}}}\n'.encode()


def _line(**fields: Any) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


class _Lines:
    def __init__(self, limit: int) -> None:
        self.lines: list[bytes] = []
        self._left = limit

    @property
    def full(self) -> bool:
        return self._left <= 0

    def add(self, **fields: Any) -> None:
        self.add_raw(_line(**fields))

    def add_raw(self, line: bytes) -> None:
        self.lines.append(line)
        self._left -= len(line)
