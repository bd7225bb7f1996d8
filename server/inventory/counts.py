"""Counting: an absolute quantity, true at the moment it was found. The ledger books the difference as of that moment.

What was moved before a count and is told later changes nothing about what the count found: the ledger's trigger
answers it with the opposite movement. So stock is the last count and what was moved after it, in whatever order
phones report.
"""

from uuid import UUID

from server.core import events
from server.core.db import UnitOfWork
from server.identity.domain import Actor, Permission
from server.inventory import count_queries, discrepancies, queries, service
from server.inventory.domain import (
    VIRTUAL,
    CountTold,
    Difference,
    Location,
    LocationKind,
    Part,
    Place,
    Reason,
    StockCount,
)
from server.inventory.errors import (
    CountIdTaken,
    CountNeedsSerials,
    NoPlaceForStock,
    NotYourVan,
    SerialNotTracked,
)


async def count(uow: UnitOfWork, actor: Actor, told: CountTold) -> StockCount | None:
    """Keep a count and book its difference; answer None when this very count is known.

    Raises UnknownPart, NoVan, UnknownLocation, NoPlaceForStock, NotYourVan, CountNeedsSerials, SerialNotTracked,
    CountIdTaken.
    """
    part = await service.find_part(uow, told.part)
    place = await place_for(uow, actor, told.location)
    _check_serials(part, told)
    # From here on nobody moves this stock: what the ledger says now is what the difference is taken against.
    await queries.hold_balance(uow, place.id, part.id)
    made = await count_queries.insert(uow, told, location_id=place.id, counted_by=actor.person)
    if made is None:
        await _check_same(uow, told, place)
        return None
    await _book(uow, actor, made)
    await events.append(
        uow,
        "stock.counted",
        subject=("stock_location", place.id),
        actor=actor.person,
        payload={"count_id": str(made.id), "part_id": str(part.id), "quantity": f"{made.quantity:f}"},
    )
    return made


async def place_for(uow: UnitOfWork, actor: Actor, where: Place) -> Location:
    """Answer a place where stock lies that the actor may speak for: one's own van, or any for the stock desk.

    Raises NoVan, UnknownLocation, NoPlaceForStock, NotYourVan.
    """
    place = await service.place(uow, where)
    if place.kind in VIRTUAL:
        raise NoPlaceForStock(location=place.name)
    if place.person_id != actor.person and not actor.may(Permission.STOCK_MOVE):
        raise NotYourVan(location=place.name)
    return place


def _check_serials(part: Part, told: CountTold) -> None:
    serials = told.serials
    if not part.serial_tracked and serials is not None:
        raise SerialNotTracked(sku=part.sku)
    if part.serial_tracked and (serials is None or len(set(serials)) != len(serials) or len(serials) != told.quantity):
        raise CountNeedsSerials(sku=part.sku, quantity=f"{told.quantity:f}")


async def _check_same(uow: UnitOfWork, told: CountTold, place: Location) -> None:
    known = await count_queries.count(uow, told.id)
    if known is None or (known.location_id, known.part_id, known.quantity, known.serials) != (
        place.id,
        told.part,
        told.quantity,
        told.serials,
    ):
        raise CountIdTaken(count=told.id)


async def _book(uow: UnitOfWork, actor: Actor, made: StockCount) -> None:
    outside = await service.ensure_virtual_locations(uow)
    adjustment = outside[LocationKind.ADJUSTMENT].id
    due = await count_queries.differences(uow, made.id)
    for difference in due:
        await queries.insert_movement(uow, _movement(uow.new_id(), actor, made, difference, adjustment))
    await discrepancies.weigh_counts(uow, actor, {made.id} | {difference.count_id for difference in due})


def _movement(
    movement: UUID, actor: Actor, made: StockCount, difference: Difference, adjustment: UUID
) -> dict[str, object]:
    here = made.location_id
    source, target = (adjustment, here) if difference.change > 0 else (here, adjustment)
    return {
        "id": movement,
        "part_id": made.part_id,
        "from_id": source,
        "to_id": target,
        "quantity": abs(difference.change),
        "serial": difference.serial,
        "reason": str(Reason.COUNTED),
        "count_id": difference.count_id,
        "moved_by": actor.person,
        "at": difference.at,
    }
