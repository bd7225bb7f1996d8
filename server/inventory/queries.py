"""Every statement on parts, locations and the ledger. Quantities are Decimal with three places."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from server.core.db import Row, UnitOfWork
from server.core.search import containing
from server.inventory.domain import (
    VIRTUAL,
    Known,
    Location,
    LocationKind,
    MoveFacts,
    Movement,
    Part,
    PartUsed,
    Place,
    PlaceAfter,
    Reason,
    StockLevel,
    VanOf,
    owner_name,
)

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
        select s.location_id, l.name as location_name, s.part_id, p.sku, p.name as part_name, p.unit, s.quantity,
               promised.quantity as reserved
        from stock s
        join stock_location l on (l.org_id, l.id) = (s.org_id, s.location_id)
        join part p on (p.org_id, p.id) = (s.org_id, s.part_id)
        cross join lateral (
            select coalesce(sum(r.quantity - r.used), 0) as quantity from reservation r
            where (r.org_id, r.location_id, r.part_id) = (s.org_id, s.location_id, s.part_id) and r.state = 'open'
              and (r.expires_at is null or r.expires_at > %(now)s)
        ) promised
        where (s.quantity <> 0 or promised.quantity <> 0)
          and (%(location)s::uuid is null or s.location_id = %(location)s)
          and (%(part)s::uuid is null or s.part_id = %(part)s)
          and (%(name)s::text is null or (l.name, p.sku) > (%(name)s, %(sku)s))
        order by l.name, p.sku limit %(limit)s
        """,
        location=location_id,
        part=part_id,
        name=after[0] if after else None,
        sku=after[1] if after else None,
        now=uow.now(),
        limit=limit,
    )


async def quantity_at(uow: UnitOfWork, location_id: UUID, part_id: UUID) -> Decimal:
    found = await uow.value(
        "select quantity from stock where location_id = %(location)s and part_id = %(part)s",
        location=location_id,
        part=part_id,
    )
    return Decimal(found or 0)


async def hold_balance(uow: UnitOfWork, location_id: UUID, part_id: UUID) -> Decimal:
    """Answer what lies there and keep everyone from changing it until this transaction ends."""
    return Decimal(
        await uow.value(
            """
            insert into stock as s (org_id, location_id, part_id, quantity) values (%(org)s, %(location)s, %(part)s, 0)
            on conflict (org_id, location_id, part_id) do update set quantity = s.quantity returning quantity
            """,
            org=uow.org,
            location=location_id,
            part=part_id,
        )
    )


def _place(alias: str) -> str:
    """Condition on a location's id; parameters `<alias>_id`, `<alias>_van`, `<alias>_kind`, of which one is given."""
    return f"""{alias}.id = coalesce(%({alias}_id)s::uuid,
        (select id from stock_location where kind = 'van' and person_id = %({alias}_van)s::uuid),
        (select id from stock_location where kind = %({alias}_kind)s::text))"""


def _named(alias: str, place: Place) -> dict[str, object]:
    return {
        f"{alias}_id": place if isinstance(place, UUID) else None,
        f"{alias}_van": place.person if isinstance(place, VanOf) else None,
        f"{alias}_kind": str(place) if isinstance(place, LocationKind) else None,
    }


async def place(uow: UnitOfWork, where: Place) -> Location | None:
    return await uow.one_of(
        Location, f"select {_LOCATION} from stock_location l where {_place('l')}", **_named("l", where)
    )


async def move_facts(
    uow: UnitOfWork, *, movement_id: UUID, part_id: UUID, source: Place, target: Place, work_order_id: UUID | None
) -> MoveFacts:
    """Answer in one statement what a movement has to be checked against."""
    found = await uow.row(
        f"""
        select p.id as p_id, p.sku as p_sku, p.name as p_name, p.unit as p_unit, p.serial_tracked as p_serial_tracked,
               p.price_minor as p_price_minor, p.currency as p_currency,
               f.id as f_id, f.kind as f_kind, f.name as f_name, f.person_id as f_person_id,
               t.id as t_id, t.kind as t_kind, t.name as t_name, t.person_id as t_person_id,
               k.part_id as k_part_id, k.from_id as k_from_id, k.to_id as k_to_id, k.quantity as k_quantity,
               k.serial as k_serial, k.reason as k_reason, k.work_order_id as k_work_order_id,
               exists (select from reservation r
                       where r.work_order_id = %(order)s and r.part_id = %(part)s and r.state = 'open') as reserved
        from (values (1)) one
        left join part p on p.id = %(part)s
        left join stock_location f on {_place("f")}
        left join stock_location t on {_place("t")}
        left join stock_movement k on k.id = %(id)s
        """,
        id=movement_id,
        part=part_id,
        order=work_order_id,
        **_named("f", source),
        **_named("t", target),
    )
    assert found is not None
    part, origin, destination, known = (_cut(found, prefix) for prefix in ("p_", "f_", "t_", "k_"))
    return MoveFacts(
        part=Part(**part) if part["id"] else None,
        origin=_located(origin),
        destination=_located(destination),
        known=Known(**(known | {"reason": Reason(known["reason"])})) if known["part_id"] else None,
        reserved=found["reserved"],
    )


async def known(uow: UnitOfWork, movement_id: UUID) -> Known | None:
    return await uow.one_of(
        Known,
        """
        select part_id, from_id, to_id, quantity, serial, reason, work_order_id from stock_movement where id = %(id)s
        """,
        id=movement_id,
    )


def _cut(row: Row, prefix: str) -> Row:
    return {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}


def _located(row: Row) -> Location | None:
    return Location(**(row | {"kind": LocationKind(row["kind"])})) if row["id"] else None


async def places_after(uow: UnitOfWork, part_id: UUID, ends: Sequence[UUID], at: datetime) -> list[PlaceAfter]:
    """Answer what the physical ones of two places hold, and their counts made after `at` or shortly before."""
    return await uow.all_of(
        PlaceAfter,
        """
        select l.id, l.kind, l.name, coalesce(s.quantity, 0) as quantity,
               array(select c.id from stock_count c
                     where (c.org_id, c.location_id) = (l.org_id, l.id) and c.part_id = %(part)s
                       and c.at > %(at)s::timestamptz - interval '10 minutes') as counts
        from stock_location l
        left join stock s on (s.org_id, s.location_id) = (l.org_id, l.id) and s.part_id = %(part)s
        where l.id = any(%(ends)s) and l.kind <> all(%(virtual)s)
        """,
        part=part_id,
        ends=list(ends),
        at=at,
        virtual=[str(kind) for kind in VIRTUAL],
    )


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


_NOTHING_MORE = dict.fromkeys(
    ("serial", "work_order_id", "visit_id", "reverses_id", "count_id", "why", "device_id", "stream_id", "seq")
)


async def insert_movement(uow: UnitOfWork, new: Mapping[str, object]) -> bool:
    """Append to the ledger; answer False when the id is known or the movement was already reversed."""
    return bool(
        await uow.run(
            """
            insert into stock_movement (org_id, id, part_id, from_id, to_id, quantity, serial, reason, work_order_id,
                                        visit_id, reverses_id, count_id, why, moved_by, device_id, stream_id, seq, at,
                                        recorded_at)
            values (%(org)s, %(id)s, %(part_id)s, %(from_id)s, %(to_id)s, %(quantity)s, %(serial)s, %(reason)s,
                    %(work_order_id)s, %(visit_id)s, %(reverses_id)s, %(count_id)s, %(why)s, %(moved_by)s,
                    %(device_id)s, %(stream_id)s, %(seq)s, %(at)s, %(now)s)
            on conflict do nothing
            """,
            org=uow.org,
            now=uow.now(),
            **(_NOTHING_MORE | dict(new)),
        )
    )


_MOVEMENT = """
    select m.id, m.part_id, p.sku, m.from_id, f.name as from_name, m.to_id, t.name as to_name, m.quantity, m.serial,
           m.reason, m.work_order_id, m.visit_id, m.reverses_id, m.count_id, m.why, m.moved_by,
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
