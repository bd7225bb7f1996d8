"""Every statement on parts, locations and the ledger. Quantities are Decimal with three places."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from server.core.db import UnitOfWork
from server.core.search import containing
from server.inventory.domain import VIRTUAL, Location, LocationKind, Movement, Part, PartUsed, StockLevel, owner_name

_PART = "p.id, p.sku, p.name, p.unit, p.serial_tracked, p.price_minor, p.currency"
_LOCATION = "l.id, l.kind, l.name, l.person_id"


async def part(uow: UnitOfWork, part_id: UUID) -> Part | None:
    return await uow.one_of(Part, f"select {_PART} from part p where p.id = %(id)s", id=part_id)


async def parts(uow: UnitOfWork, q: str | None, after: str | None, limit: int) -> list[Part]:
    """Answer parts whose number or either name contains `q`, by number, behind the number `after`."""
    return await uow.all_of(
        Part,
        f"""
        select {_PART} from part p
        where (%(after)s::text is null or p.sku > %(after)s)
          and (%(q)s::text is null or p.sku ilike %(like)s or p.name ->> 'en' ilike %(like)s
            or p.name ->> 'zh' ilike %(like)s)
        order by p.sku limit %(limit)s
        """,
        q=q,
        like=containing(q or ""),
        after=after,
        limit=limit,
    )


async def insert_part(uow: UnitOfWork, new: Part) -> bool:
    """Answer False when the number is taken."""
    return bool(
        await uow.run(
            """
            insert into part (org_id, id, sku, name, unit, serial_tracked, price_minor, currency)
            values (%(org)s, %(id)s, %(sku)s, %(name)s, %(unit)s, %(serial_tracked)s, %(price_minor)s, %(currency)s)
            on conflict (org_id, sku) do nothing
            """,
            org=uow.org,
            **vars(new),
        )
    )


async def location(uow: UnitOfWork, location_id: UUID) -> Location | None:
    return await uow.one_of(Location, f"select {_LOCATION} from stock_location l where l.id = %(id)s", id=location_id)


async def locations(uow: UnitOfWork) -> list[Location]:
    return await uow.all_of(Location, f"select {_LOCATION} from stock_location l order by l.kind, l.name")


async def van_of(uow: UnitOfWork, person: UUID) -> Location | None:
    return await uow.one_of(
        Location,
        f"select {_LOCATION} from stock_location l where l.kind = 'van' and l.person_id = %(person)s",
        person=person,
    )


async def virtual_locations(uow: UnitOfWork) -> dict[LocationKind, Location]:
    found = await uow.all_of(
        Location,
        f"select {_LOCATION} from stock_location l where l.kind = any(%(kinds)s)",
        kinds=[str(kind) for kind in VIRTUAL],
    )
    return {place.kind: place for place in found}


async def insert_virtual_locations(uow: UnitOfWork) -> None:
    await uow.run_many(
        """
        insert into stock_location (org_id, id, kind, name) values (%(org)s, %(id)s, %(kind)s, %(name)s)
        on conflict do nothing
        """,
        [{"org": uow.org, "id": uow.new_id(), "kind": str(kind), "name": owner_name(kind)} for kind in VIRTUAL],
    )


async def insert_location(uow: UnitOfWork, new: Location, place: Mapping[str, float] | None) -> bool:
    """Answer False when the name is taken or the person already has a van. `place` is WGS-84 `lon`, `lat`."""
    return bool(
        await uow.run(
            """
            insert into stock_location (org_id, id, kind, name, person_id, place)
            values (%(org)s, %(id)s, %(kind)s, %(name)s, %(person_id)s,
                    st_setsrid(st_makepoint(%(lon)s, %(lat)s), 4326)::geography)
            on conflict do nothing
            """,
            org=uow.org,
            lon=place["lon"] if place else None,
            lat=place["lat"] if place else None,
            **vars(new),
        )
    )


async def stock(
    uow: UnitOfWork, location_id: UUID | None, part_id: UUID | None, after: list[str] | None, limit: int
) -> list[StockLevel]:
    """Answer what lies where, by location and part number; rows at zero are left out."""
    return await uow.all_of(
        StockLevel,
        """
        select s.location_id, l.name as location_name, s.part_id, p.sku, p.name as part_name, p.unit, s.quantity
        from stock s
        join stock_location l on (l.org_id, l.id) = (s.org_id, s.location_id)
        join part p on (p.org_id, p.id) = (s.org_id, s.part_id)
        where s.quantity <> 0
          and (%(location)s::uuid is null or s.location_id = %(location)s)
          and (%(part)s::uuid is null or s.part_id = %(part)s)
          and (%(name)s::text is null or (l.name, p.sku) > (%(name)s, %(sku)s))
        order by l.name, p.sku limit %(limit)s
        """,
        location=location_id,
        part=part_id,
        name=after[0] if after else None,
        sku=after[1] if after else None,
        limit=limit,
    )


async def quantity_at(uow: UnitOfWork, location_id: UUID, part_id: UUID) -> Decimal:
    found = await uow.value(
        "select quantity from stock where location_id = %(location)s and part_id = %(part)s",
        location=location_id,
        part=part_id,
    )
    return Decimal(found or 0)


async def hold_serial(uow: UnitOfWork, part_id: UUID, serial: str) -> None:
    """Make everyone else who moves this very piece wait until this transaction ends."""
    await uow.run("select pg_advisory_xact_lock(hashtextextended(%(piece)s, 0))", piece=f"{uow.org}/{part_id}/{serial}")


async def places_of_serial(uow: UnitOfWork, part_id: UUID, serial: str) -> dict[UUID, str]:
    """Answer where the ledger has this piece: id and name of each location it was moved to more often than away."""
    found = await uow.rows(
        """
        select l.id, l.name
        from stock_movement m
        cross join lateral (values (m.to_id, 1), (m.from_id, -1)) as side (location_id, change)
        join stock_location l on (l.org_id, l.id) = (m.org_id, side.location_id)
        where m.part_id = %(part)s and m.serial = %(serial)s
        group by l.id, l.name having sum(side.change) > 0
        order by l.name
        """,
        part=part_id,
        serial=serial,
    )
    return {row["id"]: row["name"] for row in found}


async def insert_movement(uow: UnitOfWork, new: Mapping[str, object]) -> bool:
    """Append to the ledger; answer False when the id is known or the movement was already reversed."""
    return bool(
        await uow.run(
            """
            insert into stock_movement (org_id, id, part_id, from_id, to_id, quantity, serial, reason, work_order_id,
                                        visit_id, reverses_id, why, moved_by, device_id, at, recorded_at)
            values (%(org)s, %(id)s, %(part_id)s, %(from_id)s, %(to_id)s, %(quantity)s, %(serial)s, %(reason)s,
                    %(work_order_id)s, %(visit_id)s, %(reverses_id)s, %(why)s, %(moved_by)s, %(device_id)s, %(at)s,
                    %(now)s)
            on conflict do nothing
            """,
            org=uow.org,
            now=uow.now(),
            **new,
        )
    )


_MOVEMENT = """
    select m.id, m.part_id, p.sku, m.from_id, f.name as from_name, m.to_id, t.name as to_name, m.quantity, m.serial,
           m.reason, m.work_order_id, m.visit_id, m.reverses_id, m.why, m.moved_by,
           coalesce(a.name, '') as moved_by_name, m.device_id, m.at, m.recorded_at
    from stock_movement m
    join part p on (p.org_id, p.id) = (m.org_id, m.part_id)
    join stock_location f on (f.org_id, f.id) = (m.org_id, m.from_id)
    join stock_location t on (t.org_id, t.id) = (m.org_id, m.to_id)
    left join person a on (a.org_id, a.id) = (m.org_id, m.moved_by)
"""


async def movement(uow: UnitOfWork, movement_id: UUID) -> Movement | None:
    return await uow.one_of(Movement, f"{_MOVEMENT} where m.id = %(id)s", id=movement_id)


async def movements(
    uow: UnitOfWork,
    *,
    part_id: UUID | None,
    location_id: UUID | None,
    work_order_id: UUID | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Movement]:
    """Answer the newest movements first, those recorded before (`recorded_at`, `id`) of the last page."""
    return await uow.all_of(
        Movement,
        f"""
        {_MOVEMENT}
        where (%(part)s::uuid is null or m.part_id = %(part)s)
          and (%(location)s::uuid is null or %(location)s in (m.from_id, m.to_id))
          and (%(order)s::uuid is null or m.work_order_id = %(order)s)
          and (%(at)s::timestamptz is null or (m.recorded_at, m.id) < (%(at)s, %(id)s))
        order by m.recorded_at desc, m.id desc limit %(limit)s
        """,
        part=part_id,
        location=location_id,
        order=work_order_id,
        at=before[0] if before else None,
        id=before[1] if before else None,
        limit=limit,
    )


async def parts_used(uow: UnitOfWork, work_order_id: UUID) -> list[PartUsed]:
    return await uow.all_of(
        PartUsed,
        """
        with change as (
            select m.part_id, m.serial, case when t.kind = 'consumed' then m.quantity else -m.quantity end as quantity
            from stock_movement m
            join stock_location f on (f.org_id, f.id) = (m.org_id, m.from_id)
            join stock_location t on (t.org_id, t.id) = (m.org_id, m.to_id)
            where m.work_order_id = %(order)s and 'consumed' in (f.kind, t.kind)
        ),
        piece as (select part_id, serial, sum(quantity) as quantity from change group by part_id, serial)
        select p.id as part_id, p.sku, p.name, p.unit, sum(piece.quantity) as quantity,
               coalesce(array_agg(piece.serial order by piece.serial)
                            filter (where piece.serial is not null and piece.quantity > 0), '{}') as serials,
               p.price_minor, p.currency
        from piece join part p on p.id = piece.part_id
        group by p.org_id, p.id having sum(piece.quantity) <> 0
        order by p.sku
        """,
        order=work_order_id,
    )


async def ledger_sum(uow: UnitOfWork) -> Decimal:
    """Answer kept balances plus what the ledger sent to the outside world: zero, or stock has appeared or vanished."""
    return Decimal(
        await uow.value(
            """
            select (select coalesce(sum(quantity), 0) from stock)
                 + (select coalesce(sum(case when l.id = m.to_id then m.quantity else -m.quantity end), 0)
                    from stock_movement m
                    join stock_location l on l.id in (m.from_id, m.to_id)
                    where l.kind = any(%(virtual)s))
            """,
            virtual=[str(kind) for kind in VIRTUAL],
        )
    )


async def drifted_balances(uow: UnitOfWork) -> list[tuple[UUID, UUID, Decimal, Decimal]]:
    """Answer (location, part, kept balance, replayed balance) wherever the two differ; empty is right."""
    found = await uow.rows(
        """
        with replayed as (
            select l.id as location_id, m.part_id, sum(side.change) as quantity
            from stock_movement m
            cross join lateral (values (m.to_id, m.quantity), (m.from_id, -m.quantity)) as side (location_id, change)
            join stock_location l on l.id = side.location_id and l.kind <> all(%(virtual)s)
            group by l.id, m.part_id
        )
        select location_id, part_id, coalesce(s.quantity, 0) as kept, coalesce(r.quantity, 0) as replayed
        from stock s full join replayed r using (location_id, part_id)
        where coalesce(s.quantity, 0) <> coalesce(r.quantity, 0)
        """,
        virtual=[str(kind) for kind in VIRTUAL],
    )
    return [(row["location_id"], row["part_id"], row["kept"], row["replayed"]) for row in found]
