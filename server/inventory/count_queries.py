"""Every statement on counts. `stock_before` decides what was moved before one, for the trigger and queries alike."""

from uuid import UUID

from server.core.db import UnitOfWork
from server.inventory.domain import CountTold, Difference, StockCount

_COUNT = """
    c.id, c.location_id, c.part_id, c.quantity, c.serials, c.counted_by, c.device_id, c.at, c.recorded_at
"""


async def count(uow: UnitOfWork, count_id: UUID) -> StockCount | None:
    return await uow.one_of(StockCount, f"select {_COUNT} from stock_count c where c.id = %(id)s", id=count_id)


async def insert(uow: UnitOfWork, told: CountTold, *, location_id: UUID, counted_by: UUID) -> StockCount | None:
    """Keep what was found; answer None when the id is known.

    A stream's second count of a shelf is later than its first one, even where two estimates of its clock say otherwise.
    """
    return await uow.one_of(
        StockCount,
        f"""
        insert into stock_count as c (org_id, id, location_id, part_id, quantity, serials, counted_by, device_id,
                                      stream_id, seq, at, recorded_at)
        select %(org)s, %(id)s, %(location)s, %(part)s, %(quantity)s, %(serials)s, %(by)s, %(device)s, %(stream)s,
               %(seq)s,
               greatest(%(at)s::timestamptz, max(o.at) + interval '1 microsecond'), %(now)s
        from (values (1)) one
        left join stock_count o on o.location_id = %(location)s and o.part_id = %(part)s
            and o.stream_id = %(stream)s::uuid
            and o.seq < %(seq)s::bigint
            and o.at between %(at)s::timestamptz and %(at)s::timestamptz + interval '10 minutes'
        on conflict (org_id, id) do nothing
        returning {_COUNT}
        """,
        org=uow.org,
        id=told.id,
        location=location_id,
        part=told.part,
        quantity=told.quantity,
        serials=list(told.serials) if told.serials is not None else None,
        by=counted_by,
        device=told.device,
        stream=told.stream,
        seq=told.seq,
        at=told.at,
        now=uow.now(),
    )


async def differences(uow: UnitOfWork, count_id: UUID) -> list[Difference]:
    """Answer what is not booked yet for a count and for the one after it, per piece where serial numbers are tracked.

    A count found Q. The count before it found P, and in between C was moved (signed; before the first count all that
    was ever moved, and P = 0). Then Q - P - C belongs to the count; less what was booked for it already.
    """
    return await uow.all_of(
        Difference,
        """
        with mine as (select * from stock_count where id = %(count)s),
        told as (
            select c.*, row_number() over (order by c.at, c.id) as n
            from stock_count c join mine on (c.location_id, c.part_id) = (mine.location_id, mine.part_id)
        ),
        place as (select n from told where id = %(count)s),
        near as (select told.* from told join place on told.n between place.n - 1 and place.n + 1),
        since as (
            select coalesce(max(told.at), '-infinity') - interval '10 minutes' as at
            from told join place on told.n = place.n - 1
        ),
        moved as (
            select m.serial, first.n,
                   case when m.to_id = mine.location_id then m.quantity else -m.quantity end as change
            from mine
            join stock_movement m on m.part_id = mine.part_id and mine.location_id in (m.from_id, m.to_id)
            join since on m.at > since.at
            left join stock_movement undone on undone.id = m.reverses_id
            cross join lateral (
                select min(told.n) as n from told
                where stock_before(m.at, case when undone.id is null then m.stream_id else undone.stream_id end,
                                   case when undone.id is null then m.seq else undone.seq end,
                                   told.at, told.stream_id, told.seq)
            ) first
            where m.count_id is null
        ),
        piece as (
            select serial from moved union select unnest(serials) from near
            union select null where exists (select from mine where serials is null)
        ),
        found as (
            select near.n, near.id, near.at, piece.serial,
                   case when near.serials is null then case when piece.serial is null then near.quantity else 0 end
                        when piece.serial = any (near.serials) then 1 else 0 end as quantity
            from near cross join piece
        ),
        due as (
            select f.n, f.id, f.at, f.serial,
                   f.quantity - coalesce(lag(f.quantity) over (partition by f.serial order by f.n), 0)
                   - coalesce((select sum(m.change) from moved m
                               where m.n = f.n and m.serial is not distinct from f.serial), 0) as change
            from found f
        ),
        booked as (
            select m.count_id, m.serial,
                   sum(case when m.to_id = near.location_id then m.quantity else -m.quantity end) as change
            from near join stock_movement m on m.count_id = near.id group by m.count_id, m.serial
        )
        select due.id as count_id, due.at, due.serial, due.change - coalesce(booked.change, 0) as change
        from due
        join place on due.n >= place.n
        left join booked on booked.count_id = due.id and booked.serial is not distinct from due.serial
        where due.change <> coalesce(booked.change, 0)
        order by due.n, due.serial
        """,
        count=count_id,
    )
