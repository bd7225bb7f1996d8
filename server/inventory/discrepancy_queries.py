"""Every statement on discrepancies: open tasks are found again by what they are about, so none is opened twice."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from server.core.db import UnitOfWork
from server.inventory.domain import Discrepancy, DiscrepancyKind, DiscrepancyState, WeighedCount

_DISCREPANCY = """
    select d.id, d.kind, d.part_id, p.sku, d.location_id, l.name as location_name, d.serial, d.expected, d.found,
           d.movement_id, d.count_id, d.transfer_id, d.mutation_id, d.work_order_id, d.note, d.state, d.opened_at,
           d.opened_by, d.resolved_at, d.resolved_by, d.resolution
    from discrepancy d
    join part p on (p.org_id, p.id) = (d.org_id, d.part_id)
    left join stock_location l on (l.org_id, l.id) = (d.org_id, d.location_id)
"""


async def insert(
    uow: UnitOfWork,
    *,
    kind: DiscrepancyKind,
    part_id: UUID,
    location_id: UUID | None = None,
    serial: str | None = None,
    expected: Decimal | None = None,
    found: Decimal | None = None,
    movement_id: UUID | None = None,
    transfer_id: UUID | None = None,
    mutation_id: UUID | None = None,
    work_order_id: UUID | None = None,
    note: str | None = None,
    opened_by: UUID | None = None,
) -> UUID | None:
    """Answer the new task's id, None when there is one about this already."""
    made: UUID | None = await uow.value(
        """
        insert into discrepancy (org_id, id, kind, part_id, location_id, serial, expected, found, movement_id,
                                 transfer_id, mutation_id, work_order_id, note, state, opened_at, opened_by)
        values (%(org)s, %(id)s, %(kind)s, %(part)s, %(location)s, %(serial)s, %(expected)s, %(found)s, %(movement)s,
                %(transfer)s, %(mutation)s, %(order)s, %(note)s, 'open', %(now)s, %(by)s)
        on conflict do nothing returning id
        """,
        org=uow.org,
        id=uow.new_id(),
        kind=kind,
        part=part_id,
        location=location_id,
        serial=serial,
        expected=expected,
        found=found,
        movement=movement_id,
        transfer=transfer_id,
        mutation=mutation_id,
        order=work_order_id,
        note=note,
        now=uow.now(),
        by=opened_by,
    )
    return made


async def weighed_counts(uow: UnitOfWork, count_ids: Sequence[UUID]) -> list[WeighedCount]:
    """Answer for each count what the ledger expected: what was found less everything booked for the count."""
    return await uow.all_of(
        WeighedCount,
        """
        with booked as (
            select c.id, c.location_id, c.part_id, c.quantity,
                   coalesce(sum(case when m.to_id = c.location_id then m.quantity else -m.quantity end), 0) as change
            from stock_count c left join stock_movement m on (m.org_id, m.count_id) = (c.org_id, c.id)
            where c.id = any(%(ids)s) group by c.org_id, c.id, m.serial
        )
        select id, location_id, part_id, quantity as found, quantity - sum(change) as expected,
               bool_or(change <> 0) as differs
        from booked group by id, location_id, part_id, quantity order by id
        """,
        ids=list(count_ids),
    )


async def put_count(uow: UnitOfWork, it: WeighedCount) -> UUID | None:
    """Open the count's task, or open it again; answer its id unless it was open or a person resolved it."""
    opened: UUID | None = await uow.value(
        """
        with known as (
            select id, state, resolved_by from discrepancy where count_id = %(count)s for update
        ), put as (
            insert into discrepancy as d (org_id, id, kind, part_id, location_id, expected, found, count_id, state,
                                          opened_at)
            values (%(org)s, %(id)s, 'count', %(part)s, %(location)s, %(expected)s, %(found)s, %(count)s, 'open',
                    %(now)s)
            on conflict (org_id, count_id) where count_id is not null do update
            set expected = excluded.expected, state = 'open', resolved_at = null, resolution = null
            where d.resolved_by is null
            returning d.id
        )
        select put.id from put where not exists (select from known where state = 'open')
        """,
        org=uow.org,
        id=uow.new_id(),
        part=it.part_id,
        location=it.location_id,
        expected=it.expected,
        found=it.found,
        count=it.id,
        now=uow.now(),
    )
    return opened


async def put_transfer(
    uow: UnitOfWork, transfer_id: UUID, *, part_id: UUID, location_id: UUID, expected: Decimal, found: Decimal
) -> UUID | None:
    """As `put_count`, for what was sent and what was received."""
    opened: UUID | None = await uow.value(
        """
        with known as (
            select id, state from discrepancy where transfer_id = %(transfer)s and mutation_id is null for update
        ), put as (
            insert into discrepancy as d (org_id, id, kind, part_id, location_id, expected, found, transfer_id, state,
                                          opened_at)
            values (%(org)s, %(id)s, 'transfer', %(part)s, %(location)s, %(expected)s, %(found)s, %(transfer)s, 'open',
                    %(now)s)
            on conflict (org_id, transfer_id) where transfer_id is not null and mutation_id is null do update
            set expected = excluded.expected, found = excluded.found, state = 'open', resolved_at = null,
                resolution = null
            where d.resolved_by is null
            returning d.id
        )
        select put.id from put where not exists (select from known where state = 'open')
        """,
        org=uow.org,
        id=uow.new_id(),
        part=part_id,
        location=location_id,
        expected=expected,
        found=found,
        transfer=transfer_id,
        now=uow.now(),
    )
    return opened


async def explain(
    uow: UnitOfWork, resolution: str, *, counts: Sequence[UUID] = (), transfers: Sequence[UUID] = ()
) -> list[UUID]:
    """Resolve the open tasks of these counts and transfers in nobody's name; answer which they were."""
    rows = await uow.rows(
        """
        update discrepancy set state = 'resolved', resolved_at = %(now)s, resolution = %(resolution)s
        where state = 'open' and (count_id = any(%(counts)s)
            or transfer_id = any(%(transfers)s) and mutation_id is null)
        returning id
        """,
        now=uow.now(),
        resolution=resolution,
        counts=list(counts),
        transfers=list(transfers),
    )
    return [row["id"] for row in rows]


async def resolve(uow: UnitOfWork, discrepancy_id: UUID, *, by: UUID, resolution: str) -> bool:
    """Answer False when it is not open."""
    return bool(
        await uow.run(
            """
            update discrepancy
            set state = 'resolved', resolved_at = %(now)s, resolved_by = %(by)s, resolution = %(resolution)s
            where id = %(id)s and state = 'open'
            """,
            id=discrepancy_id,
            by=by,
            resolution=resolution,
            now=uow.now(),
        )
    )


async def discrepancy(uow: UnitOfWork, discrepancy_id: UUID) -> Discrepancy | None:
    return await uow.one_of(Discrepancy, f"{_DISCREPANCY} where d.id = %(id)s", id=discrepancy_id)


async def discrepancies(
    uow: UnitOfWork,
    *,
    state: DiscrepancyState | None,
    kind: DiscrepancyKind | None,
    location_id: UUID | None,
    part_id: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[Discrepancy]:
    """Answer the newest first."""
    return await uow.all_of(
        Discrepancy,
        f"""
        {_DISCREPANCY}
        where (%(state)s::text is null or d.state = %(state)s) and (%(wanted)s::text is null or d.kind = %(wanted)s)
          and (%(location)s::uuid is null or d.location_id = %(location)s)
          and (%(part)s::uuid is null or d.part_id = %(part)s)
          and (%(before)s::uuid is null or d.id < %(before)s)
        order by d.id desc limit %(limit)s
        """,
        state=state,
        wanted=kind,
        location=location_id,
        part=part_id,
        before=before,
        limit=limit,
    )
