"""Promises of stock to orders: made by the office, used up by consumption, given back by release and reversal."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from server.core import events
from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.core.paging import Page, decode_cursor, id_in, page_of
from server.identity.domain import Actor
from server.inventory import queries
from server.inventory import reservation_queries as rows
from server.inventory.domain import NEVER_BELOW_ZERO, LocationKind, Reservation, ReservationState, Share
from server.inventory.errors import (
    NoPlaceForStock,
    NotEnoughFree,
    ReservationEnded,
    UnknownLocation,
    UnknownPart,
    UnknownReservation,
)
from server.workorders import queries as workorders
from server.workorders.access import ORDER

_PLACES = NEVER_BELOW_ZERO | {LocationKind.VAN}

_FLAG_OF: Mapping[ReservationState, str] = {
    ReservationState.CLOSED: "RESERVATION_CLOSED",
    ReservationState.RELEASED: "RESERVATION_RELEASED",
}


async def reserve(
    uow: UnitOfWork,
    actor: Actor,
    *,
    work_order_id: UUID,
    part_id: UUID,
    location_id: UUID,
    quantity: Decimal,
    expires_at: datetime | None = None,
) -> Reservation:
    """Promise `quantity` (> 0, three decimal places) of what lies free at a place to an order.

    Raises UnknownPart, UnknownLocation, NoPlaceForStock, NotFound (order), NotEnoughFree.
    """
    part, location = await queries.part(uow, part_id), await queries.location(uow, location_id)
    if part is None:
        raise UnknownPart(part=part_id)
    if location is None:
        raise UnknownLocation(location=location_id)
    if location.kind not in _PLACES:
        raise NoPlaceForStock(location=location.name)
    # The stock desk may not read orders; it promises stock to those it is asked for by id.
    order = await workorders.order(uow, work_order_id)
    if order is None:
        raise NotFound(thing=ORDER.thing)
    # Whoever else promises or moves this stock waits here, and then sees what was promised.
    held = await queries.hold_balance(uow, location_id, part_id)
    free = held - await rows.promised(uow, location_id, part_id)
    if free < quantity:
        raise NotEnoughFree(
            location=location.name, sku=part.sku, unit=part.unit, free=f"{free:f}", wanted=f"{quantity:f}"
        )
    made = uow.new_id()
    await rows.insert(
        uow,
        reservation_id=made,
        work_order_id=order.id,
        part_id=part_id,
        location_id=location_id,
        quantity=quantity,
        expires_at=expires_at,
        reserved_by=actor.person,
    )
    await _tell(uow, actor, "reservation.made", made)
    return await find(uow, made)


async def release(uow: UnitOfWork, actor: Actor, reservation_id: UUID, why: str) -> Reservation:
    """Give back what is left of a promise; released twice is released. Raises UnknownReservation, ReservationEnded."""
    if await rows.release(uow, one=reservation_id, why=why):
        await _tell(uow, actor, "reservation.released", reservation_id)
    found = await find(uow, reservation_id)
    if found.state is not ReservationState.RELEASED:
        raise ReservationEnded(reservation=reservation_id, state=found.state)
    return found


async def release_all_of(uow: UnitOfWork, work_order_id: UUID, why: str) -> None:
    """Give back what an order no longer needs."""
    for released in await rows.release(uow, work_order_id=work_order_id, why=why):
        await _tell(uow, None, "reservation.released", released)


async def find(uow: UnitOfWork, reservation_id: UUID) -> Reservation:
    found = await rows.reservation(uow, reservation_id)
    if found is None:
        raise UnknownReservation(reservation=reservation_id)
    return found


async def list_reservations(
    uow: UnitOfWork,
    *,
    work_order_id: UUID | None,
    location_id: UUID | None,
    part_id: UUID | None,
    state: ReservationState | None,
    cursor: str | None,
    limit: int,
) -> Page[Reservation]:
    """Answer the newest first."""
    key = decode_cursor(cursor, 1)
    found = await rows.reservations(
        uow,
        work_order_id=work_order_id,
        location_id=location_id,
        part_id=part_id,
        state=state,
        before=id_in(key[0]) if key else None,
        limit=limit + 1,
    )
    return page_of(found, limit, lambda row: (row.id,))


async def draw(
    uow: UnitOfWork,
    *,
    movement: UUID,
    work_order_id: UUID,
    part: UUID,
    quantity: Decimal,
    named: UUID | None,
    origin: UUID,
) -> tuple[Decimal, tuple[str, ...]]:
    """Let a consumption use up what was promised to its order; the rest comes from free stock.

    Answers how much had been promised, and flags for a promise that could not be kept as it was made.
    """
    shares = await rows.draw(
        uow, movement_id=movement, work_order_id=work_order_id, part_id=part, quantity=quantity, named=named
    )
    if not shares:
        return Decimal(0), await _why_not(uow, named, work_order_id, part)
    elsewhere = any(share.location_id != origin for share in shares)
    return _sum(shares), ("RESERVATION_ELSEWHERE",) if elsewhere else ()


async def put_back(
    uow: UnitOfWork, *, movement: UUID, work_order_id: UUID, part: UUID, quantity: Decimal, named: UUID
) -> tuple[Decimal, tuple[str, ...]]:
    """Let a return open the promise again it was drawn from. Answers like `draw`."""
    shares = await rows.put_back(
        uow, movement_id=movement, work_order_id=work_order_id, part_id=part, quantity=quantity, named=named
    )
    return _sum(shares), () if shares else await _why_not(uow, named, work_order_id, part)


def _sum(shares: list[Share]) -> Decimal:
    return sum((share.quantity for share in shares), Decimal(0))


async def _why_not(uow: UnitOfWork, named: UUID | None, work_order_id: UUID, part: UUID) -> tuple[str, ...]:
    """Say why the promise a device counted on was not used: it was made for the phone's own past."""
    if named is None:
        return ()
    found = await rows.reservation(uow, named)
    if found is None:
        return ("RESERVATION_UNKNOWN",)
    if (found.work_order_id, found.part_id) != (work_order_id, part):
        return ("RESERVATION_REASSIGNED",)
    if found.state in _FLAG_OF:
        return (_FLAG_OF[found.state],)
    return ("RESERVATION_EXPIRED",) if found.expired(uow.now()) else ("RESERVATION_UNUSED",)


async def _tell(uow: UnitOfWork, actor: Actor | None, name: str, reservation_id: UUID) -> None:
    await events.append(uow, name, subject=("reservation", reservation_id), actor=actor.person if actor else None)
