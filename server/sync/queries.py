"""Every statement of the engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from psycopg.types.json import Jsonb

from server.core.db import UnitOfWork
from server.sync.domain import Cookie, Disagreement


@dataclass(frozen=True)
class Stored:
    """A mutation as the log keeps it."""

    id: UUID
    stream_id: UUID
    seq: int
    payload_hash: str
    result: dict[str, Any]


@dataclass(frozen=True)
class Snapshot:
    """A large bucket as a file: everything that lived in it at `version`."""

    bucket_id: int
    version: int
    sha256: str
    rows: int
    bytes: int


@dataclass(frozen=True)
class Stale:
    """A bucket in which the device is behind.

    id: None when it left the person's sight. since: the version the device has, None to take everything anew.
    """

    key: str
    id: int | None
    version: int
    min_version: int
    since: int | None
    snapshot: Snapshot | None = None

    def after(self, snapshot: Snapshot) -> "Stale":
        """The same, for a device that takes `snapshot` first."""
        return replace(self, since=snapshot.version, snapshot=snapshot)


@dataclass(frozen=True)
class Standing:
    """Where a device stands. `cookie` is None when it starts from nothing."""

    epoch: int
    cookie: Cookie | None
    last_seq: int
    durable_seq: int


@dataclass(frozen=True)
class Contents:
    """What lives in a bucket, and how many rows of it changed since the device looked, of which entities."""

    NOTHING: ClassVar["Contents"]

    bucket_id: int
    n: int
    h: int
    changed: int
    entities: list[int]

    @property
    def checksum(self) -> str:
        return checksum(self.h)


Contents.NOTHING = Contents(0, 0, 0, 0, [])


def checksum(h: int) -> str:
    """Spell a bucket's checksum as the protocol does: sixteen hexadecimal digits."""
    return f"{h % 2**64:016x}"


async def epoch(uow: UnitOfWork) -> int:
    """Answer the number that is raised after a restore. Cookies of another epoch mean nothing."""
    return int(await uow.value("select epoch from sync_epoch"))


@dataclass(frozen=True)
class Stream:
    device_id: UUID
    person_id: UUID
    last_seq: int
    durable_seq: int
    epoch: int


async def lock_stream(uow: UnitOfWork, *, stream: UUID, device: UUID, person: UUID) -> Stream:
    """Open the stream if it is new and hold its row until commit: batches of one stream never overlap."""
    found = await _locked_stream(uow, stream)
    if found is None:
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
        found = await _locked_stream(uow, stream)
    assert found is not None
    return found


async def _locked_stream(uow: UnitOfWork, stream: UUID) -> Stream | None:
    return await uow.one_of(
        Stream,
        """
        select t.device_id, t.person_id, t.last_seq, t.durable_seq, e.epoch
        from sync_stream t cross join sync_epoch e where t.id = %(id)s for update of t
        """,
        id=stream,
    )


async def advance_stream(
    uow: UnitOfWork, stream: UUID, last_seq: int, *, device: UUID, at: datetime, boot: str | None, ahead: timedelta
) -> None:
    """Move the watermark; note that the device was heard of, and how its clock differs in this boot."""
    await uow.run(
        """
        with contact as (
            update device set last_contact_at = %(at)s where id = %(device)s
        ), measured as (
            insert into device_clock (org_id, device_id, boot, offset_ms, measured_at)
            select %(org)s, %(device)s, %(boot)s::text, %(ahead)s, %(at)s where %(boot)s::text is not null
            on conflict (org_id, device_id, boot) do update
            set offset_ms = excluded.offset_ms, measured_at = excluded.measured_at
        )
        update sync_stream set last_seq = %(seq)s where id = %(id)s
        """,
        org=uow.org,
        id=stream,
        seq=last_seq,
        device=device,
        at=at,
        boot=boot,
        ahead=round(ahead.total_seconds() * 1000),
    )


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


async def log_mutations(uow: UnitOfWork, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the log of a batch in one statement."""
    if not rows:
        return
    await uow.run(
        """
        insert into mutation_log (org_id, id, stream_id, seq, device_id, person_id, name, v, envelope, payload_hash,
                                  status, code, result, at_device, at_estimated, uncertainty_ms, received_at)
        select %(org)s, r.* from jsonb_to_recordset(%(rows)s) r (
            id uuid, stream_id uuid, seq bigint, device_id uuid, person_id uuid, name text, v integer, envelope jsonb,
            payload_hash text, status text, code text, result jsonb, at_device timestamptz, at_estimated timestamptz,
            uncertainty_ms bigint, received_at timestamptz)
        """,
        org=uow.org,
        rows=Jsonb(list(rows)),
    )


async def insert_conflicts(uow: UnitOfWork, found: Sequence[tuple[UUID, UUID, Disagreement]]) -> None:
    """Put disagreements (conflict id, mutation id, both sides) into the inbox."""
    for conflict, mutation, it in found:
        await uow.run(
            """
            insert into conflict (org_id, id, mutation_id, code, entity, entity_id, work_order_id, mine, theirs,
                                  created_at)
            values (%(org)s, %(id)s, %(mutation)s, %(code)s, %(entity)s, %(entity_id)s, %(order)s, %(mine)s,
                    %(theirs)s, %(now)s)
            """,
            org=uow.org,
            id=conflict,
            mutation=mutation,
            code=it.code,
            entity=it.entity,
            entity_id=it.entity_id,
            order=it.work_order_id,
            mine=dict(it.mine),
            theirs=dict(it.theirs),
            now=uow.now(),
        )


async def quarantined_maker(uow: UnitOfWork, entity: str) -> UUID | None:
    """Answer the quarantined mutation that was to make this entity."""
    found: UUID | None = await uow.value(
        """
        select id from mutation_log
        where status = 'quarantined' and envelope -> 'args' ->> 'id' = %(entity)s order by received_at limit 1
        """,
        entity=entity,
    )
    return found


async def standing(uow: UnitOfWork, device: UUID, stream: UUID, cookie: Cookie | None) -> Standing:
    """Answer where a device stands. A cookie that is unknown, or from before a restore, means nothing any more."""
    found = await uow.row(
        """
        select e.epoch, s.ordinal, coalesce(t.last_seq, 0) as last_seq,
               coalesce(t.durable_seq, 0) as durable_seq
        from sync_epoch e
        left join sync_device_state s
          on s.device_id = %(device)s and s.ordinal = %(ordinal)s and s.epoch = e.epoch and e.epoch = %(epoch)s
        left join sync_stream t on t.id = %(stream)s and t.device_id = %(device)s
        """,
        device=device,
        stream=stream,
        epoch=cookie.epoch if cookie else None,
        ordinal=cookie.ordinal if cookie else None,
    )
    assert found is not None
    known = cookie if found["ordinal"] is not None else None
    return Standing(found["epoch"], known, found["last_seq"], found["durable_seq"])


async def held_buckets(uow: UnitOfWork, device: UUID, cookie: Cookie) -> dict[str, int]:
    """Answer at which version a device holds each bucket, by a cookie that is known."""
    held: dict[str, int] = await uow.value(
        "select buckets from sync_device_state where device_id = %(device)s and ordinal = %(ordinal)s",
        device=device,
        ordinal=cookie.ordinal,
    )
    return held


async def differing_buckets(
    uow: UnitOfWork, person: UUID, device: UUID, cookie: Cookie | None, want: frozenset[str]
) -> list[Stale]:
    """Answer every bucket in which a device differs from what its person may see now, in the order to receive them.

    Those that left their sight come first.
    """
    return await uow.all_of(
        Stale,
        """
        with held as (
            select held.key, held.version::bigint as version
            from sync_device_state s cross join jsonb_each_text(s.buckets) held (key, version)
            where s.device_id = %(device)s and s.ordinal = %(ordinal)s
        ), seen as (
            select b.key, b.id, b.version, b.min_version, s.rank
            from (select key, min(rank) as rank from sync_scope(%(person)s, %(now)s) group by key) s
            join sync_bucket b on b.key = s.key
        )
        select coalesce(seen.key, held.key) as key, seen.id, coalesce(seen.version, 0) as version,
               coalesce(seen.min_version, 0) as min_version,
               case when held.version >= seen.min_version then held.version end as since
        from seen full join held on held.key = seen.key
        where seen.version is distinct from held.version
          and (seen.id is null or cardinality(%(want)s::text[]) = 0
            or case when seen.key like 'catalog:%%' then 'catalog' else 'core' end = any(%(want)s))
        order by seen.rank nulls first, seen.id
        """,
        person=person,
        now=uow.now(),
        device=device,
        ordinal=cookie.ordinal if cookie else None,
        want=sorted(want),
    )


async def contents(uow: UnitOfWork, buckets: Sequence[Stale]) -> dict[int, Contents]:
    """Answer for each bucket how many rows live in it, their checksum, and how many changed for the device."""
    if not buckets:
        return {}
    found = await uow.all_of(
        Contents,
        """
        select w.bucket_id, count(*) filter (where e.op = 'p') as n,
               coalesce(bit_xor(e.h) filter (where e.op = 'p'), 0) as h,
               count(*) filter (where e.bv > w.since and (w.since >= 0 or e.op = 'p')) as changed,
               coalesce(array_agg(distinct e.entity) filter (where e.bv > w.since), '{}') as entities
        from unnest(%(buckets)s::bigint[], %(since)s::bigint[]) w (bucket_id, since)
        join sync_entry e on e.bucket_id = w.bucket_id
        group by w.bucket_id
        """,
        **_versions(buckets),
    )
    return {it.bucket_id: it for it in found}


async def written_lines(
    uow: UnitOfWork, entity: int, name: str, projection: str, buckets: Sequence[Stale]
) -> list[tuple[int, str]]:
    """Answer the lines of one kind of entity per bucket: what changed since the device looked, as it reads now."""
    found = await uow.rows(
        f"""
        with changed as materialized (
            select e.bucket_id, e.entity_id, e.bv, e.op
            from unnest(%(buckets)s::bigint[], %(since)s::bigint[]) w (bucket_id, since)
            join sync_entry e on e.bucket_id = w.bucket_id and e.bv > w.since
            where e.entity = %(entity)s and (w.since >= 0 or e.op = 'p')
        ), living as (
            {projection.replace("%(ids)s", "array(select entity_id from changed where op = 'p')")}
        )
        select c.bucket_id, string_agg(
            case when p.id is null then format(E'{{"k":"del","t":"%%s","id":"%%s"}}\n', %(name)s::text, c.entity_id)
            else '{{"k":"put","t":"' || %(name)s || '","id":"' || c.entity_id || '","ver":' || c.bv || ',"d":'
                 || p.d::text || E'}}\n' end, '' order by c.entity_id) as lines
        from changed c left join living p on p.id = c.entity_id and c.op = 'p'
        group by c.bucket_id
        """,
        entity=entity,
        name=name,
        **_versions(buckets),
    )
    return [(row["bucket_id"], row["lines"]) for row in found]


def _versions(buckets: Sequence[Stale]) -> dict[str, object]:
    # A version of -1 is before everything.
    return {
        "buckets": [bucket.id for bucket in buckets],
        "since": [-1 if bucket.since is None else bucket.since for bucket in buckets],
    }


async def newest_snapshots(uow: UnitOfWork, buckets: Sequence[int | None]) -> dict[int, Snapshot]:
    if not buckets:
        return {}
    found = await uow.all_of(
        Snapshot,
        """
        select distinct on (bucket_id) bucket_id, version, sha256, rows, length(content) as bytes
        from sync_snapshot where bucket_id = any(%(buckets)s) order by bucket_id, version desc
        """,
        buckets=list(buckets),
    )
    return {it.bucket_id: it for it in found}


async def store_cookie(
    uow: UnitOfWork,
    device: UUID,
    stands: Standing,
    *,
    dropped: Sequence[str],
    sent: dict[str, int],
    asked: Cookie | None,
) -> Cookie:
    """Remember what an answer brings a device to: where it stood, without `dropped`, plus `sent` (key: version)."""
    ordinal = await uow.value(
        """
        select sync_store_cookie(%(device)s, %(epoch)s, %(based_on)s, %(dropped)s::text[], %(sent)s, %(asked)s, %(now)s)
        """,
        device=device,
        epoch=stands.epoch,
        based_on=stands.cookie.ordinal if stands.cookie else None,
        dropped=list(dropped),
        sent=sent,
        asked=asked.ordinal if asked else None,
        now=uow.now(),
    )
    return Cookie(stands.epoch, int(ordinal))


async def awaited_files(uow: UnitOfWork, sources: Sequence[str], person: UUID) -> list[str]:
    """Answer the hashes of files that were recorded by this person and whose bytes are not complete."""
    if not sources:
        return []
    union = " union ".join(f"select sha256 from ({source}) f(sha256)" for source in sources)
    found = await uow.rows(f"{union} limit 500", person=person, now=uow.now())
    return [row["sha256"] for row in found]


async def buckets_at(uow: UnitOfWork, versions: Mapping[str, int]) -> list[Stale]:
    """Answer those buckets that are at exactly these versions, to look at all of their contents."""
    return await uow.all_of(
        Stale,
        """
        select b.key, b.id, b.version, b.min_version, null::bigint as since
        from unnest(%(keys)s::text[], %(versions)s::bigint[]) claimed (key, version)
        join sync_bucket b on b.key = claimed.key and b.version = claimed.version
        """,
        keys=list(versions),
        versions=list(versions.values()),
    )


async def buckets_due_for_snapshot(uow: UnitOfWork, *, at_least: int) -> list[Stale]:
    """Answer catalogue buckets of at least so many rows of which a twentieth changed since their last file."""
    return await uow.all_of(
        Stale,
        """
        with last as (
            select b.key, b.id, b.version, b.min_version, coalesce(max(s.version), -1) as made
            from sync_bucket b left join sync_snapshot s on s.bucket_id = b.id
            where b.key like 'catalog:%%' group by b.org_id, b.id
        ), counted as (
            select last.*, count(*) filter (where e.op = 'p') as living, count(*) filter (where e.bv > made) as changed
            from last join sync_entry e on e.bucket_id = last.id
            where last.version > last.made group by key, id, version, min_version, made
        )
        select key, id, version, min_version, null::bigint as since from counted
        where living >= %(at_least)s and (made < min_version or changed * 20 >= living)
        """,
        at_least=at_least,
    )


async def store_snapshot(uow: UnitOfWork, bucket: Stale, *, sha256: str, rows: int, content: bytes) -> None:
    """Keep a bucket's file; the one before stays for whoever is downloading it."""
    await uow.run(
        """
        with outdated as (
            delete from sync_snapshot where bucket_id = %(bucket)s and version not in (
                select version from sync_snapshot where bucket_id = %(bucket)s order by version desc limit 1)
        )
        insert into sync_snapshot (org_id, bucket_id, version, sha256, rows, content, made_at)
        values (%(org)s, %(bucket)s, %(version)s, %(sha256)s, %(rows)s, %(content)s, %(now)s) on conflict do nothing
        """,
        org=uow.org,
        bucket=bucket.id,
        version=bucket.version,
        sha256=sha256,
        rows=rows,
        content=content,
        now=uow.now(),
    )


async def snapshot_content(uow: UnitOfWork, person: UUID, sha256: str) -> bytes | None:
    found = await uow.value(
        """
        select s.content from sync_snapshot s join sync_bucket b on b.id = s.bucket_id
        where s.sha256 = %(sha256)s and b.key in (select key from sync_scope(%(person)s, %(now)s))
        """,
        sha256=sha256,
        person=person,
        now=uow.now(),
    )
    return None if found is None else bytes(found)


async def advance_durable(uow: UnitOfWork, *, trusted_before: datetime) -> None:
    """Move every stream's durable number up to what is safe outside this server."""
    await uow.value("select sync_advance_durable(%(now)s, %(trusted)s)", now=uow.now(), trusted=trusted_before)


async def forget_departed(uow: UnitOfWork, *, before: datetime) -> None:
    await uow.value("select sync_forget_departed(%(before)s)", before=before)


async def clock_offsets(uow: UnitOfWork, device: UUID) -> dict[str, timedelta]:
    """Answer, per boot of the device, how far the server's clock was ahead of its own when last measured."""
    rows = await uow.rows("select boot, offset_ms from device_clock where device_id = %(device)s", device=device)
    return {row["boot"]: timedelta(milliseconds=row["offset_ms"]) for row in rows}
