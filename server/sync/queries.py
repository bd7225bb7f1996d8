"""Every statement of the engine."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from server.core.db import Row, UnitOfWork
from server.sync.domain import Disagreement


@dataclass(frozen=True)
class Stored:
    """A mutation as the log keeps it."""

    id: UUID
    stream_id: UUID
    seq: int
    payload_hash: str
    result: dict[str, Any]


@dataclass(frozen=True)
class Bucket:
    id: int
    key: str
    version: int
    min_version: int
    rank: int


@dataclass(frozen=True)
class Change:
    bucket_id: int
    entity: int
    entity_id: UUID
    op: str


async def epoch(uow: UnitOfWork) -> int:
    return int(await uow.value("select epoch from sync_epoch"))


async def lock_stream(uow: UnitOfWork, *, stream: UUID, device: UUID, person: UUID) -> Row:
    """Open the stream if it is new and hold its row until commit: batches of one stream never overlap."""
    await uow.run(
        """
        insert into sync_stream (org_id, id, device_id, person_id, last_seq, created_at)
        values (%(org)s, %(id)s, %(device)s, %(person)s, 0, %(now)s) on conflict do nothing
        """,
        org=uow.org,
        id=stream,
        device=device,
        person=person,
        now=uow.now(),
    )
    locked = await uow.row(
        "select device_id, person_id, last_seq from sync_stream where id = %(id)s for update", id=stream
    )
    assert locked is not None
    return locked


async def advance_stream(uow: UnitOfWork, stream: UUID, last_seq: int) -> None:
    await uow.run("update sync_stream set last_seq = %(seq)s where id = %(id)s", id=stream, seq=last_seq)


async def last_seq(uow: UnitOfWork, stream: UUID, device: UUID) -> int:
    found = await uow.value(
        "select last_seq from sync_stream where id = %(id)s and device_id = %(device)s", id=stream, device=device
    )
    return int(found or 0)


async def stored(uow: UnitOfWork, *, stream: UUID, seqs: Sequence[int], ids: Sequence[UUID]) -> list[Stored]:
    """Answer what the log already holds of a batch, by place in the stream or by id in any stream."""
    return await uow.all_of(
        Stored,
        """
        select id, stream_id, seq, payload_hash, result from mutation_log
        where (stream_id = %(stream)s and seq = any(%(seqs)s)) or id = any(%(ids)s)
        """,
        stream=stream,
        seqs=list(seqs),
        ids=list(ids),
    )


async def log_mutation(uow: UnitOfWork, **columns: object) -> None:
    await uow.run(
        """
        insert into mutation_log (org_id, id, stream_id, seq, device_id, person_id, name, v, envelope, payload_hash,
                                  status, code, result, at_device, at_estimated, uncertainty_ms, received_at)
        values (%(org)s, %(id)s, %(stream)s, %(seq)s, %(device)s, %(person)s, %(name)s, %(v)s, %(envelope)s,
                %(payload_hash)s, %(status)s, %(code)s, %(result)s, %(at_device)s, %(at_estimated)s,
                %(uncertainty_ms)s, %(received_at)s)
        """,
        org=uow.org,
        **columns,
    )


async def insert_conflict(uow: UnitOfWork, conflict: UUID, mutation: UUID, it: Disagreement) -> None:
    await uow.run(
        """
        insert into conflict (org_id, id, mutation_id, code, entity, entity_id, mine, theirs, created_at)
        values (%(org)s, %(id)s, %(mutation)s, %(code)s, %(entity)s, %(entity_id)s, %(mine)s, %(theirs)s, %(now)s)
        """,
        org=uow.org,
        id=conflict,
        mutation=mutation,
        code=it.code,
        entity=it.entity,
        entity_id=it.entity_id,
        mine=dict(it.mine),
        theirs=dict(it.theirs),
        now=uow.now(),
    )


async def durable_seq(uow: UnitOfWork, stream: UUID, before: datetime) -> int:
    found = await uow.value(
        "select max(seq) from mutation_log where stream_id = %(stream)s and received_at < %(before)s",
        stream=stream,
        before=before,
    )
    return int(found or 0)


async def buckets_in_scope(uow: UnitOfWork, scopes: Sequence[str], person: UUID) -> list[Bucket]:
    """Answer the buckets this person may see now, in the order a phone should receive them."""
    union = " union all ".join(f"select key, rank from ({scope}) s(key, rank)" for scope in scopes)
    return await uow.all_of(
        Bucket,
        f"""
        with wanted as (select key, min(rank) as rank from ({union}) all_scopes group by key)
        select b.id, b.key, b.version, b.min_version, w.rank
        from wanted w join sync_bucket b on b.key = w.key
        order by w.rank, b.id
        """,
        person=person,
        now=uow.now(),
    )


async def changes(uow: UnitOfWork, since: Sequence[tuple[int, int]], *, limit: int) -> list[Change]:
    """Answer the entries of each bucket behind the version the device has; a version of -1 wants everything alive."""
    return await uow.all_of(
        Change,
        """
        select e.bucket_id, e.entity, e.entity_id, e.op
        from unnest(%(buckets)s::bigint[], %(versions)s::bigint[]) with ordinality as since (bucket_id, version, rank)
        join sync_entry e on e.bucket_id = since.bucket_id and e.bv > since.version
        where since.version >= 0 or e.op = 'p'
        order by since.rank, e.entity, e.entity_id
        limit %(limit)s
        """,
        buckets=[bucket for bucket, _ in since],
        versions=[version for _, version in since],
        limit=limit,
    )


async def totals(uow: UnitOfWork, buckets: Sequence[int]) -> dict[int, tuple[int, str]]:
    """Answer per bucket how many rows live in it and a hash over their identities."""
    found = await uow.rows(
        """
        select bucket_id, count(*) as n,
               md5(string_agg(entity || ':' || entity_id, ',' order by entity, entity_id)) as h
        from sync_entry where bucket_id = any(%(buckets)s) and op = 'p' group by bucket_id
        """,
        buckets=list(buckets),
    )
    return {row["bucket_id"]: (row["n"], row["h"]) for row in found}


async def cookie(uow: UnitOfWork, device: UUID, ordinal: int) -> Row | None:
    return await uow.row(
        "select epoch, buckets from sync_device_state where device_id = %(device)s and ordinal = %(ordinal)s",
        device=device,
        ordinal=ordinal,
    )


async def store_cookie(
    uow: UnitOfWork, *, device: UUID, ordinal: int, epoch: int, buckets: dict[str, int], acked: int | None
) -> None:
    """Remember what this pull brings the device up to.

    The three newest are kept, and the one it asked with: pulls that break off again and again must not lose its place.
    """
    await uow.run(
        """
        with acknowledged as (
            update sync_device_state set acked_at = coalesce(acked_at, %(now)s)
            where device_id = %(device)s and ordinal = %(acked)s
        ), pruned as (
            delete from sync_device_state
            where device_id = %(device)s and ordinal <= %(ordinal)s - 3 and ordinal is distinct from %(acked)s
        )
        insert into sync_device_state (org_id, device_id, ordinal, epoch, buckets, sent_at)
        values (%(org)s, %(device)s, %(ordinal)s, %(epoch)s, %(buckets)s, %(now)s)
        """,
        org=uow.org,
        device=device,
        ordinal=ordinal,
        epoch=epoch,
        buckets=buckets,
        acked=acked,
        now=uow.now(),
    )


async def next_ordinal(uow: UnitOfWork, device: UUID) -> int:
    """Hand out the device's next cookie number, one pull at a time."""
    await uow.row("select 1 from device where id = %(device)s for no key update", device=device)
    return int(
        await uow.value(
            "select coalesce(max(ordinal), 0) + 1 from sync_device_state where device_id = %(device)s", device=device
        )
    )


async def awaited_files(uow: UnitOfWork, sources: Sequence[str], person: UUID) -> list[str]:
    """Answer the hashes of files that were recorded by this person and whose bytes are not complete."""
    if not sources:
        return []
    union = " union ".join(f"select sha256 from ({source}) f(sha256)" for source in sources)
    found = await uow.rows(f"{union} limit 500", person=person, now=uow.now())
    return [row["sha256"] for row in found]


async def projected(uow: UnitOfWork, sql: str, ids: Sequence[UUID]) -> list[Row]:
    """Answer id, version and payload (JSON text, built by the database) of the entities that exist."""
    return await uow.rows(f"select id, ver, d::text as d from ({sql}) projection", ids=list(ids))


async def last_contact(uow: UnitOfWork, device: UUID, at: datetime) -> None:
    await uow.run("update device set last_contact_at = %(at)s where id = %(device)s", device=device, at=at)
