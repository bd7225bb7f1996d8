"""Every statement of rescuing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from server.core.db import Row, UnitOfWork


async def device(uow: UnitOfWork, device_id: UUID) -> Row | None:
    """Answer whose device this is and whether both are still welcome."""
    return await uow.row(
        """
        select d.person_id, d.revoked_at is not null as revoked, p.active
        from device d join person p on (p.org_id, p.id) = (d.org_id, d.person_id) where d.id = %(id)s
        """,
        id=device_id,
    )


async def stream_owner(uow: UnitOfWork, stream: UUID) -> Row | None:
    return await uow.row("select device_id, person_id from sync_stream where id = %(id)s", id=stream)


async def hold_stream(uow: UnitOfWork, stream: UUID, device_id: UUID, person: UUID) -> int:
    """Open the stream of what is rescued if it is new, hold it until commit, answer how far it goes."""
    await uow.run(
        """
        insert into sync_stream (org_id, id, device_id, person_id, last_seq, created_at)
        values (%(org)s, %(id)s, %(device)s, %(person)s, 0, %(now)s) on conflict do nothing
        """,
        org=uow.org,
        id=stream,
        device=device_id,
        person=person,
        now=uow.now(),
    )
    return int(await uow.value("select last_seq from sync_stream where id = %(id)s for update", id=stream))


async def advance_stream(uow: UnitOfWork, stream: UUID, last_seq: int) -> None:
    await uow.run("update sync_stream set last_seq = %(seq)s where id = %(id)s", id=stream, seq=last_seq)


async def known(uow: UnitOfWork, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Answer what the log holds under these ids."""
    found = await uow.rows("select id, envelope from mutation_log where id = any(%(ids)s)", ids=list(ids))
    return {row["id"]: row["envelope"] for row in found}


async def names_file(uow: UnitOfWork, device_id: UUID, sha256: str) -> bool:
    """Answer whether a mutation of the device names this hash, wherever in it: as a photo, a list, a signature."""
    return bool(
        await uow.value(
            """
            select true from sync_stream s join mutation_log m on (m.org_id, m.stream_id) = (s.org_id, s.id)
            where s.device_id = %(device)s and strpos(m.envelope::text, %(sha256)s) > 0
            limit 1
            """,
            device=device_id,
            sha256=sha256,
        )
    )


async def log_rescued(uow: UnitOfWork, rows: Sequence[Mapping[str, object]]) -> None:
    await uow.run_many(
        """
        insert into mutation_log (org_id, id, stream_id, seq, device_id, person_id, name, v, envelope, payload_hash,
                                  status, code, result, at_device, at_estimated, uncertainty_ms, received_at)
        values (%(org)s, %(id)s, %(stream)s, %(seq)s, %(device)s, %(person)s, %(name)s, %(v)s, %(envelope)s,
                %(payload_hash)s, 'quarantined', %(code)s, %(result)s, %(at_device)s, %(at_estimated)s,
                %(uncertainty_ms)s, %(received_at)s)
        """,
        rows,
    )


async def insert_rescue(uow: UnitOfWork, **columns: object) -> None:
    await uow.run(
        """
        insert into rescue (org_id, id, device_id, stream_id, brought_by, code, reason, app, accepted, duplicates, at)
        values (%(org)s, %(id)s, %(device)s, %(stream)s, %(brought_by)s, %(code)s, %(reason)s, %(app)s, %(accepted)s,
                %(duplicates)s, %(now)s)
        """,
        org=uow.org,
        id=uow.new_id(),
        now=uow.now(),
        **columns,
    )


async def keep_body(
    uow: UnitOfWork,
    *,
    device_id: UUID,
    person: UUID,
    sha256: str,
    body: bytes,
    why: str,
    most: int,
    most_bytes: int,
    forget_before: datetime,
) -> bool:
    """Keep a body once per content, as long as the device has room for it; answer whether it is kept."""
    return bool(
        await uow.value(
            """
            with forgotten as (
                delete from refused_push where device_id = %(device)s and last_at < %(before)s
                returning id, size
            ), held as (
                select count(*) as n, coalesce(sum(size), 0) as bytes from refused_push
                where device_id = %(device)s and id not in (select id from forgotten)
            )
            insert into refused_push as r (org_id, id, device_id, person_id, sha256, size, why, body, times, first_at,
                                           last_at)
            select %(org)s, %(id)s, %(device)s, %(person)s, %(sha256)s::text, %(size)s, %(why)s, %(body)s, 1, %(now)s,
                   %(now)s
            from held where (n < %(most)s and bytes + %(size)s <= %(most_bytes)s)
                or exists (select from refused_push k where k.device_id = %(device)s and k.sha256 = %(sha256)s)
            on conflict (org_id, device_id, sha256) do update set times = r.times + 1, last_at = excluded.last_at
            returning true
            """,
            org=uow.org,
            id=uow.new_id(),
            device=device_id,
            person=person,
            sha256=sha256,
            size=len(body),
            body=body,
            why=why,
            most=most,
            most_bytes=most_bytes,
            before=forget_before,
            now=uow.now(),
        )
    )
