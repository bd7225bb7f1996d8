"""Every statement about the health of devices."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from server.core.db import Row, UnitOfWork
from server.sync.matters import Alert


@dataclass(frozen=True)
class DeviceState:
    """A device as the office sees it: who has it, what it last said, what is open about it."""

    id: UUID
    person_id: UUID
    person_name: str
    person_active: bool
    name: str
    platform: str
    app_version: str
    enrolled_at: datetime
    last_contact_at: datetime
    revoked_at: datetime | None
    revoked_why: str | None
    wiped_at: datetime | None
    reported_at: datetime | None
    unsent_count: int | None
    unsent_bytes: int | None
    oldest_unsent_at: datetime | None
    files_waiting: int | None
    row_count: int | None
    storage_persisted: bool
    quota_bytes: int | None
    used_bytes: int | None
    clock_offset_ms: int | None
    clock_measured_at: datetime | None
    last_seq: int
    conflicts: int
    quarantined: int
    rescued: int
    alerts: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """Which buckets a device may hold; frozen when it was cut off."""

    buckets: list[str]
    frozen_at: datetime | None
    last_seq: int


_STATE = """
    select d.id, d.person_id, p.name as person_name, p.active as person_active, d.name, d.platform, d.app_version,
           d.enrolled_at, d.last_contact_at, d.revoked_at, d.revoked_why, d.wiped_at,
           h.reported_at, h.unsent_count, h.unsent_bytes, h.oldest_unsent_at, h.files_waiting, h.row_count,
           d.storage_persisted, h.quota_bytes, h.used_bytes,
           coalesce(k.offset_ms, h.clock_offset_ms) as clock_offset_ms, k.measured_at as clock_measured_at,
           coalesce((select max(s.last_seq) from sync_stream s where s.device_id = d.id), 0) as last_seq,
           coalesce(i.conflicts, 0) as conflicts, coalesce(i.quarantined, 0) as quarantined,
           (select coalesce(sum(r.accepted), 0)::bigint from rescue r where r.device_id = d.id) as rescued,
           coalesce((select array_agg(a.kind order by a.kind) from device_alert a
                     where a.device_id = d.id and a.cleared_at is null), '{}') as alerts
    from device d
    join person p on (p.org_id, p.id) = (d.org_id, d.person_id)
    left join device_health h on (h.org_id, h.device_id) = (d.org_id, d.id)
    left join lateral (
        select c.offset_ms, c.measured_at from device_clock c where c.device_id = d.id
        order by c.measured_at desc limit 1
    ) k on true
    left join lateral (
        select count(*) filter (where o.kind = 'conflict') as conflicts,
               count(*) filter (where o.kind = 'quarantine') as quarantined
        from review_item o where o.device_id = d.id and o.state = 'open'
    ) i on true
"""


async def devices_after(
    uow: UnitOfWork, *, after: tuple[datetime, UUID] | None, person: UUID | None, limit: int
) -> list[DeviceState]:
    """Answer devices, the latest enrolled first, older than the key `after`."""
    conditions = ["true"]
    if person is not None:
        conditions.append("d.person_id = %(person)s")
    if after is not None:
        conditions.append("(d.enrolled_at, d.id) < (%(after_at)s, %(after_id)s)")
    after_at, after_id = after or (None, None)
    return await uow.all_of(
        DeviceState,
        f"{_STATE} where {' and '.join(conditions)} order by d.enrolled_at desc, d.id desc limit %(limit)s",
        person=person,
        after_at=after_at,
        after_id=after_id,
        limit=limit,
    )


async def device(uow: UnitOfWork, device_id: UUID) -> DeviceState | None:
    return await uow.one_of(DeviceState, f"{_STATE} where d.id = %(id)s", id=device_id)


async def store_health(uow: UnitOfWork, device_id: UUID, said: Mapping[str, object]) -> Row | None:
    """Replace what the device said before and answer what that was: `unsent_count` and `reported_at`."""
    return await uow.row(
        """
        with before as (
            select unsent_count, reported_at from device_health where device_id = %(device)s
        ), seen as (
            update device set last_contact_at = %(now)s, app_version = %(app)s, storage_persisted = %(persisted)s
            where id = %(device)s
        ), stored as (
            insert into device_health (org_id, device_id, reported_at, app, unsent_count, unsent_bytes,
                                       oldest_unsent_at, files_waiting, row_count, storage_persisted, quota_bytes,
                                       used_bytes, clock_offset_ms, storage_cleared_at)
            values (%(org)s, %(device)s, %(now)s, %(app)s, %(unsent_count)s, %(unsent_bytes)s, %(oldest_unsent_at)s,
                    %(files_waiting)s, %(rows)s, %(persisted)s, %(quota_bytes)s, %(used_bytes)s, %(clock_offset_ms)s,
                    %(cleared_at)s)
            on conflict (org_id, device_id) do update set
                reported_at = excluded.reported_at, app = excluded.app, unsent_count = excluded.unsent_count,
                unsent_bytes = excluded.unsent_bytes, oldest_unsent_at = excluded.oldest_unsent_at,
                files_waiting = excluded.files_waiting, row_count = excluded.row_count,
                storage_persisted = excluded.storage_persisted, quota_bytes = excluded.quota_bytes,
                used_bytes = excluded.used_bytes, clock_offset_ms = excluded.clock_offset_ms,
                storage_cleared_at = coalesce(excluded.storage_cleared_at, device_health.storage_cleared_at)
        )
        select unsent_count, reported_at from before
        """,
        org=uow.org,
        device=device_id,
        now=uow.now(),
        **said,
    )


async def open_alert(uow: UnitOfWork, device_id: UUID, kind: Alert, facts: dict[str, Any]) -> bool:
    """Begin an alert unless it is on already; answer whether it began."""
    return bool(
        await uow.run(
            """
            insert into device_alert (org_id, id, device_id, kind, facts, raised_at)
            values (%(org)s, %(id)s, %(device)s, %(kind)s, %(facts)s, %(now)s)
            on conflict (org_id, device_id, kind) where cleared_at is null do nothing
            """,
            org=uow.org,
            id=uow.new_id(),
            device=device_id,
            kind=kind,
            facts=facts,
            now=uow.now(),
        )
    )


async def clear_alert(uow: UnitOfWork, device_id: UUID, kind: Alert) -> bool:
    return bool(
        await uow.run(
            """
            update device_alert set cleared_at = %(now)s
            where device_id = %(device)s and kind = %(kind)s and cleared_at is null
            """,
            device=device_id,
            kind=kind,
            now=uow.now(),
        )
    )


async def devices_in_trouble(
    uow: UnitOfWork, device_id: UUID | None, *, unsent_before: datetime, many_rows: int
) -> list[Row]:
    """Answer what holds now and is not known, or is known and no longer holds: device_id, kind, holds, facts.

    Of one device, or of all with None.
    """
    return await uow.rows(
        """
        with holding as (
            select h.device_id, %(unsent)s as kind,
                   jsonb_build_object('count', h.unsent_count, 'oldest', h.oldest_unsent_at) as facts
            from device_health h join device d on (d.org_id, d.id) = (h.org_id, h.device_id)
            where h.unsent_count > 0 and h.oldest_unsent_at < %(unsent_before)s and d.wiped_at is null
              and (%(device)s::uuid is null or h.device_id = %(device)s)
            union all
            select i.device_id, %(quarantine)s, jsonb_build_object('count', count(*))
            from review_item i where i.state = 'open' and i.kind = 'quarantine'
              and (%(device)s::uuid is null or i.device_id = %(device)s) group by i.device_id
            union all
            select h.device_id, %(rows)s, jsonb_build_object('rows', h.row_count)
            from device_health h where h.row_count > %(many_rows)s
              and (%(device)s::uuid is null or h.device_id = %(device)s)
        ), known as (
            select device_id, kind from device_alert
            where cleared_at is null and kind in (%(unsent)s, %(quarantine)s, %(rows)s)
              and (%(device)s::uuid is null or device_id = %(device)s)
        )
        select coalesce(h.device_id, k.device_id) as device_id, coalesce(h.kind, k.kind) as kind,
               h.device_id is not null as holds, coalesce(h.facts, '{}') as facts
        from holding h full join known k on (k.device_id, k.kind) = (h.device_id, h.kind)
        where h.device_id is null or k.device_id is null
        """,
        unsent=Alert.UNSENT_TOO_LONG,
        quarantine=Alert.QUARANTINE,
        rows=Alert.TOO_MANY_ROWS,
        device=device_id,
        unsent_before=unsent_before,
        many_rows=many_rows,
    )


async def freeze_manifest(uow: UnitOfWork, device_id: UUID) -> None:
    """Keep what the device's last cookies say it holds, answered or not: what was sent may have arrived."""
    await uow.run(
        """
        insert into device_manifest (org_id, device_id, frozen_at, buckets, last_seq)
        select %(org)s, %(device)s, %(now)s, m.buckets, m.last_seq from (
            select coalesce(array_agg(distinct b.key order by b.key), '{}') as buckets,
                   (select coalesce(max(s.last_seq), 0) from sync_stream s where s.device_id = %(device)s) as last_seq
            from sync_device_state c cross join jsonb_object_keys(c.buckets) b (key) where c.device_id = %(device)s
        ) m
        on conflict do nothing
        """,
        org=uow.org,
        device=device_id,
        now=uow.now(),
    )


async def frozen_manifest(uow: UnitOfWork, device_id: UUID) -> Manifest | None:
    return await uow.one_of(
        Manifest,
        "select buckets, frozen_at, last_seq from device_manifest where device_id = %(device)s",
        device=device_id,
    )


async def manifest_now(uow: UnitOfWork, device_id: UUID) -> Manifest:
    found = await uow.one_of(
        Manifest,
        """
        select coalesce(array_agg(distinct b.key order by b.key), '{}') as buckets, null::timestamptz as frozen_at,
               (select coalesce(max(s.last_seq), 0) from sync_stream s where s.device_id = %(device)s) as last_seq
        from sync_device_state c cross join jsonb_object_keys(c.buckets) b (key) where c.device_id = %(device)s
        """,
        device=device_id,
    )
    assert found is not None, "an aggregate always answers a row"
    return found


async def mark_wiped(uow: UnitOfWork, device_id: UUID) -> bool:
    """Answer whether this was the first time it said so."""
    return bool(
        await uow.run(
            "update device set wiped_at = %(now)s where id = %(id)s and wiped_at is null", id=device_id, now=uow.now()
        )
    )
