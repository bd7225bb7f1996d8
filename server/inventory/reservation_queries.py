"""Every statement on reservations. What a movement drew is kept beside it, so that it can be given back exactly."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from server.core.db import UnitOfWork
from server.inventory.domain import Reservation, ReservationState, Share

_RESERVATION = """
    select r.id, r.work_order_id, r.part_id, p.sku, r.location_id, l.name as location_name, r.quantity, r.used, r.state,
           r.expires_at, r.reserved_by, r.at, r.ended_at, r.why
    from reservation r
    join part p on (p.org_id, p.id) = (r.org_id, r.part_id)
    join stock_location l on (l.org_id, l.id) = (r.org_id, r.location_id)
"""


async def reservation(uow: UnitOfWork, reservation_id: UUID) -> Reservation | None:
    return await uow.one_of(Reservation, f"{_RESERVATION} where r.id = %(id)s", id=reservation_id)


async def reservations(
    uow: UnitOfWork,
    *,
    work_order_id: UUID | None,
    location_id: UUID | None,
    part_id: UUID | None,
    state: ReservationState | None,
    before: UUID | None,
    limit: int,
) -> list[Reservation]:
    """Answer the newest first."""
    return await uow.all_of(
        Reservation,
        f"""
        {_RESERVATION}
        where (%(order)s::uuid is null or r.work_order_id = %(order)s)
          and (%(location)s::uuid is null or r.location_id = %(location)s)
          and (%(part)s::uuid is null or r.part_id = %(part)s)
          and (%(state)s::text is null or r.state = %(state)s)
          and (%(before)s::uuid is null or r.id < %(before)s)
        order by r.id desc limit %(limit)s
        """,
        order=work_order_id,
        location=location_id,
        part=part_id,
        state=state,
        before=before,
        limit=limit,
    )


async def promised(uow: UnitOfWork, location_id: UUID, part_id: UUID) -> Decimal:
    """Answer how much of what lies there open reservations still want."""
    return Decimal(
        await uow.value(
            """
            select coalesce(sum(quantity - used), 0) from reservation
            where location_id = %(location)s and part_id = %(part)s and state = 'open'
              and (expires_at is null or expires_at > %(now)s)
            """,
            location=location_id,
            part=part_id,
            now=uow.now(),
        )
    )


async def insert(
    uow: UnitOfWork,
    *,
    reservation_id: UUID,
    work_order_id: UUID,
    part_id: UUID,
    location_id: UUID,
    quantity: Decimal,
    expires_at: datetime | None,
    reserved_by: UUID,
) -> None:
    await uow.run(
        """
        insert into reservation (org_id, id, work_order_id, part_id, location_id, quantity, used, state, expires_at,
                                 reserved_by, at)
        values (%(org)s, %(id)s, %(order)s, %(part)s, %(location)s, %(quantity)s, 0, 'open', %(expires)s, %(by)s,
                %(now)s)
        """,
        org=uow.org,
        id=reservation_id,
        order=work_order_id,
        part=part_id,
        location=location_id,
        quantity=quantity,
        expires=expires_at,
        by=reserved_by,
        now=uow.now(),
    )


async def release(
    uow: UnitOfWork, *, why: str, one: UUID | None = None, work_order_id: UUID | None = None
) -> list[UUID]:
    """Release one reservation, or all of an order, as far as they are open; answer which they were."""
    rows = await uow.rows(
        """
        update reservation set state = 'released', ended_at = %(now)s, why = %(why)s
        where state = 'open' and (id = %(one)s or work_order_id = %(order)s) returning id
        """,
        one=one,
        order=work_order_id,
        why=why,
        now=uow.now(),
    )
    return [row["id"] for row in rows]


async def draw(
    uow: UnitOfWork, *, movement_id: UUID, work_order_id: UUID, part_id: UUID, quantity: Decimal, named: UUID | None
) -> list[Share]:
    """Take `quantity` from what was promised to the order, the oldest promise first, as far as it goes.

    named: only from this reservation. Rows are locked before they are read, so two movements never draw the same.
    """
    return await uow.all_of(
        Share,
        """
        with open as (
            select r.id, r.location_id, r.at, r.quantity - r.used as rest from reservation r
            where r.work_order_id = %(order)s and r.part_id = %(part)s and r.state = 'open'
              and (r.expires_at is null or r.expires_at > %(now)s) and (%(named)s::uuid is null or r.id = %(named)s)
            order by r.at, r.id for update
        ), share as (
            select id, location_id, least(rest, %(quantity)s - coalesce(sum(rest) over earlier, 0)) as quantity
            from open window earlier as (order by at, id rows between unbounded preceding and 1 preceding)
        ), kept as (
            insert into reservation_use (org_id, reservation_id, movement_id, quantity)
            select %(org)s, id, %(movement)s, quantity from share where quantity > 0
        )
        update reservation r
        set used = r.used + share.quantity,
            state = case when r.used + share.quantity = r.quantity then 'closed' else 'open' end,
            ended_at = case when r.used + share.quantity = r.quantity then %(now)s::timestamptz end
        from share where r.id = share.id and share.quantity > 0
        returning r.id as reservation_id, r.location_id, share.quantity, r.state
        """,
        org=uow.org,
        movement=movement_id,
        order=work_order_id,
        part=part_id,
        quantity=quantity,
        named=named,
        now=uow.now(),
    )


async def give_back(uow: UnitOfWork, *, movement_id: UUID, undone_id: UUID) -> None:
    """Let a reversal return what the undone movement drew; a reservation that had ended by it is open again."""
    await uow.run(
        """
        with drawn as (
            select u.reservation_id, u.quantity from reservation_use u where u.movement_id = %(undone)s
        ), kept as (
            insert into reservation_use (org_id, reservation_id, movement_id, quantity)
            select %(org)s, reservation_id, %(movement)s, -quantity from drawn
        )
        update reservation r
        set used = r.used - drawn.quantity,
            state = case r.state when 'closed' then 'open' else r.state end,
            ended_at = case r.state when 'closed' then null else r.ended_at end
        from drawn where r.id = drawn.reservation_id
        """,
        org=uow.org,
        movement=movement_id,
        undone=undone_id,
    )


async def put_back(
    uow: UnitOfWork, *, movement_id: UUID, work_order_id: UUID, part_id: UUID, quantity: Decimal, named: UUID
) -> list[Share]:
    """Let a return give back to the named reservation what was drawn from it, up to `quantity`."""
    return await uow.all_of(
        Share,
        """
        with drawn as (
            select r.id, least(r.used, %(quantity)s) as quantity from reservation r
            where r.id = %(named)s and r.work_order_id = %(order)s and r.part_id = %(part)s and r.state <> 'released'
              and (r.expires_at is null or r.expires_at > %(now)s)
            for update
        ), kept as (
            insert into reservation_use (org_id, reservation_id, movement_id, quantity)
            select %(org)s, id, %(movement)s, -quantity from drawn where quantity > 0
        )
        update reservation r set used = r.used - drawn.quantity, state = 'open', ended_at = null
        from drawn where r.id = drawn.id and drawn.quantity > 0
        returning r.id as reservation_id, r.location_id, drawn.quantity, r.state
        """,
        org=uow.org,
        movement=movement_id,
        order=work_order_id,
        part=part_id,
        quantity=quantity,
        named=named,
        now=uow.now(),
    )
