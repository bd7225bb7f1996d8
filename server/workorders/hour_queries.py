"""Every statement about hours. What is odd about them is found by the statement that writes them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from server.core.db import Row, UnitOfWork
from server.workorders.record_queries import keep
from server.workorders.records import LONGEST_STRETCH, TimeEntry, TimeKind, TimelineEntry


@dataclass(frozen=True)
class Stretch:
    """From when to when, on the server's clock and on the device's."""

    started_at: datetime
    ended_at: datetime
    device_started_at: datetime
    device_ended_at: datetime
    uncertainty_ms: int | None
    zone: str | None
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """All clocks at one act: the server's (estimated), the device's, its zone, its milliseconds since boot."""

    at: datetime
    device_at: datetime
    uncertainty_ms: int | None
    zone: str | None
    boot: str | None
    mono_ms: float | None
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Tip:
    """The newest revision of an entry."""

    id: UUID
    work_order_id: UUID
    visit_id: UUID | None
    person_id: UUID
    kind: TimeKind
    started_at: datetime
    ended_at: datetime | None
    revision: int
    approved_at: datetime | None


# The device's clock may be corrected by a little while a timer runs; more than this is worth a look.
_CLOCK_JUMP_MS = 120_000
_LEARNT = "jsonb_build_object('look_at', to_jsonb(new.flags))"


def _oddities(started: str, ended: str, *, but: str) -> str:
    """SQL for what an approver should look at. Nothing here refuses it: the hours were worked."""
    return f"""
        array_remove(array[
            case when {ended} - {started} > interval '{LONGEST_STRETCH.total_seconds()} seconds'
                 then 'TIME_OVER_16H' end,
            case when exists (
                select from time_entry t
                where t.person_id = %(person)s and t.superseded_by is null and t.id <> {but}
                  and t.started_at < {ended} and coalesce(t.ended_at, 'infinity') > {started}) then 'TIME_OVERLAP' end
        ]::text[], null)
    """


_COLUMNS = """
    org_id, id, work_order_id, visit_id, person_id, kind, started_at, ended_at, device_started_at, device_ended_at,
    uncertainty_ms, started_zone, ended_zone
"""
_STRETCH = """
    %(org)s, %(id)s, %(order)s, %(t_visit_id)s, %(person)s, %(kind)s, %(started)s, %(ended)s, %(device_started)s,
    %(device_ended)s, %(uncertainty)s, %(zone)s, %(zone)s
"""
_STRETCH_FLAGS = _oddities("%(started)s::timestamptz", "%(ended)s::timestamptz", but="%(id)s") + " || %(flags)s::text[]"


async def keep_stretch(
    uow: UnitOfWork,
    entry: TimelineEntry,
    it: Stretch,
    *,
    entry_id: UUID,
    order_id: UUID,
    person_id: UUID,
    kind: TimeKind,
) -> tuple[str, ...] | None:
    """Answer what is odd about it, None when the entry was known already; as all of these do."""
    insert = f"""
        new as (
            insert into time_entry ({_COLUMNS}, flags, revision) select {_STRETCH}, {_STRETCH_FLAGS}, 1
            on conflict (org_id, id) do nothing returning flags)
    """
    return _flags(
        await keep(
            uow, insert, entry, order_id, learnt=_LEARNT, id=entry_id, person=person_id, kind=kind, **_params(it)
        )
    )


async def revise(
    uow: UnitOfWork, entry: TimelineEntry, it: Stretch, *, entry_id: UUID, replaces: Tip, kind: TimeKind
) -> tuple[str, ...] | None:
    insert = f"""
        old as (
            update time_entry set superseded_by = %(id)s where id = %(replaces)s and superseded_by is null returning id
        ),
        new as (
            insert into time_entry ({_COLUMNS}, flags, revision)
            select {_STRETCH}, {_STRETCH_FLAGS.replace("t.id <> %(id)s", "t.id not in (%(id)s, %(replaces)s)")},
                   %(revision)s
            from old
            on conflict (org_id, id) do nothing returning flags)
    """
    return _flags(
        await keep(
            uow,
            insert,
            entry,
            replaces.work_order_id,
            learnt=_LEARNT,
            id=entry_id,
            person=replaces.person_id,
            kind=kind,
            replaces=replaces.id,
            revision=replaces.revision + 1,
            **_params(it),
        )
    )


async def start(
    uow: UnitOfWork,
    entry: TimelineEntry,
    it: Reading,
    *,
    entry_id: UUID,
    order_id: UUID,
    person_id: UUID,
    kind: TimeKind,
) -> tuple[str, ...] | None:
    """Start a timer, or give one whose stop came first its beginning."""
    running = _oddities("%(at)s::timestamptz", "%(at)s::timestamptz + interval '1 second'", but="%(id)s")
    insert = f"""
        new as (
            insert into time_entry as e (org_id, id, work_order_id, visit_id, person_id, kind, started_at,
                                         device_started_at, uncertainty_ms, started_zone, boot, mono_ms, flags,
                                         revision)
            select %(org)s, %(id)s, %(order)s, %(t_visit_id)s, %(person)s, %(kind)s, %(at)s, %(device_at)s,
                   %(uncertainty)s, %(zone)s, %(boot)s, %(mono)s, {running} || %(flags)s::text[], 1
            on conflict (org_id, id) do update
            set started_at = least(excluded.started_at, e.ended_at), device_started_at = excluded.device_started_at,
                started_zone = excluded.started_zone, kind = excluded.kind,
                flags = array_remove(e.flags, 'NO_START') || excluded.flags
            where 'NO_START' = any(e.flags) and e.person_id = excluded.person_id
            returning e.flags)
    """
    return _flags(
        await keep(
            uow,
            insert,
            entry,
            order_id,
            learnt=_LEARNT,
            id=entry_id,
            person=person_id,
            kind=kind,
            **_clocks(it),
        )
    )


async def stop(
    uow: UnitOfWork,
    entry: TimelineEntry,
    it: Reading,
    *,
    entry_id: UUID,
    order_id: UUID,
    person_id: UUID,
    kind: TimeKind,
) -> tuple[str, ...] | None:
    """Stop a timer that runs; where none is known, keep the stop alone. None when it was stopped already.

    Within one boot the monotonic clock tells the length, whatever was done to the wall clock and its zone meanwhile.
    """
    insert = f"""
        measured as (
            select e.id, e.flags,
                   case when e.boot = %(boot)s and e.mono_ms <= %(mono)s
                        then e.started_at + (%(mono)s - e.mono_ms) * interval '1 millisecond'
                        else greatest(%(at)s, e.started_at) end as ended_at, e.started_at,
                   e.boot = %(boot)s and e.mono_ms <= %(mono)s and abs(
                       extract(epoch from %(device_at)s - e.device_started_at) * 1000 - (%(mono)s - e.mono_ms)
                   ) > {_CLOCK_JUMP_MS} as jumped
            from time_entry e
            where e.id = %(id)s and e.person_id = %(person)s and e.work_order_id = %(order)s and e.ended_at is null
              and e.superseded_by is null
        ),
        stopped as (
            update time_entry e
            set ended_at = m.ended_at, device_ended_at = %(device_at)s, ended_zone = %(zone)s,
                uncertainty_ms = greatest(e.uncertainty_ms, %(uncertainty)s),
                flags = array(
                    select distinct f from unnest(
                        m.flags || %(flags)s::text[] || {_oddities("m.started_at", "m.ended_at", but="m.id")}
                        || case when m.jumped then array['CLOCK_JUMP'] else '{{}}'::text[] end) f order by f)
            from measured m where e.id = m.id and e.org_id = %(org)s and e.ended_at is null
            returning e.flags
        ),
        orphan as (
            insert into time_entry ({_COLUMNS}, flags, revision)
            select %(org)s, %(id)s, %(order)s, %(t_visit_id)s, %(person)s, %(kind)s, %(at)s, %(at)s, null,
                   %(device_at)s, %(uncertainty)s, %(zone)s, %(zone)s, array['NO_START'] || %(flags)s::text[], 1
            where not exists (select from time_entry e where e.id = %(id)s)
            on conflict (org_id, id) do nothing returning flags
        ),
        new as (select flags from stopped union all select flags from orphan)
    """
    return _flags(
        await keep(
            uow,
            insert,
            entry,
            order_id,
            learnt=_LEARNT,
            id=entry_id,
            person=person_id,
            kind=kind,
            **_clocks(it),
        )
    )


async def tip(uow: UnitOfWork, entry_id: UUID) -> Tip | None:
    """Answer the newest revision of an entry and hold it until this transaction ends."""
    return await uow.one_of(
        Tip,
        """
        with recursive chain as (
            select id, superseded_by from time_entry where id = %(id)s
            union all
            select t.id, t.superseded_by from chain c join time_entry t on t.id = c.superseded_by
        )
        select t.id, t.work_order_id, t.visit_id, t.person_id, t.kind, t.started_at, t.ended_at, t.revision,
               t.approved_at
        from time_entry t where t.id = (select id from chain where superseded_by is null) for no key update
        """,
        id=entry_id,
    )


async def approve(uow: UnitOfWork, entry_id: UUID, *, by: UUID) -> None:
    await uow.run(
        "update time_entry set approved_at = %(now)s, approved_by = %(by)s where id = %(id)s",
        id=entry_id,
        by=by,
        now=uow.now(),
    )


async def time_entries(uow: UnitOfWork, order_id: UUID) -> list[TimeEntry]:
    """Answer an order's hours as they stand; replaced revisions are history."""
    return await uow.all_of(
        TimeEntry,
        """
        select t.id, t.visit_id, t.person_id, p.name as person_name, t.kind, t.started_at, t.ended_at,
               t.device_started_at, t.device_ended_at, t.uncertainty_ms, t.started_zone, t.ended_zone, t.flags,
               t.revision, t.approved_at
        from time_entry t join person p on p.id = t.person_id
        where t.work_order_id = %(order)s and t.superseded_by is null order by t.started_at, t.id
        """,
        order=order_id,
    )


def _clocks(it: Reading) -> dict[str, object]:
    return {
        "at": it.at,
        "device_at": it.device_at,
        "uncertainty": it.uncertainty_ms,
        "zone": it.zone,
        "boot": it.boot,
        "mono": it.mono_ms,
        "flags": list(it.flags),
    }


def _params(it: Stretch) -> dict[str, object]:
    return {
        "started": it.started_at,
        "ended": it.ended_at,
        "device_started": it.device_started_at,
        "device_ended": it.device_ended_at,
        "uncertainty": it.uncertainty_ms,
        "zone": it.zone,
        "flags": list(it.flags),
    }


def _flags(found: Row | None) -> tuple[str, ...] | None:
    return tuple(found["flags"]) if found else None
