"""Use cases of the stock ledger. A movement is written once and never changed; balances follow by trigger.

Nothing here commits. Office and field share `move`: a warehouse refuses to go below zero, a van goes through and
leaves an event, because what was used in the field has happened.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from server.core import events
from server.core.db import UnitOfWork
from server.core.errors import MalformedCursor
from server.core.paging import Page, decode_cursor, id_in, page_of
from server.identity.domain import Actor
from server.inventory import queries
from server.inventory.domain import (
    FIELD,
    NEVER_BELOW_ZERO,
    FieldPiece,
    Location,
    LocationKind,
    Movement,
    Part,
    PartUsed,
    Reason,
    StockLevel,
    check_ends,
)
from server.inventory.errors import (
    AlreadyReversed,
    LocationIsMadeByItself,
    LocationNameTaken,
    LocationNeedsDriver,
    MovementIdTaken,
    NotEnoughStock,
    NoVan,
    ReversalStands,
    SerialAlreadyUsed,
    SerialElsewhere,
    SkuTaken,
    UnknownLocation,
    UnknownMovement,
    UnknownPart,
    VanAlreadyGiven,
)


async def add_part(
    uow: UnitOfWork,
    *,
    sku: str,
    name: dict[str, str],
    unit: str,
    serial_tracked: bool,
    price_minor: int,
    currency: str,
) -> Part:
    """Put a part into the catalogue. `name` is {"en", "zh"}, `price_minor` cents or fen. Raises SkuTaken."""
    new = Part(uow.new_id(), sku, name, unit, serial_tracked, price_minor, currency)
    if not await queries.insert_part(uow, new):
        raise SkuTaken(sku=sku)
    return new


async def find_part(uow: UnitOfWork, part_id: UUID) -> Part:
    found = await queries.part(uow, part_id)
    if found is None:
        raise UnknownPart(part=part_id)
    return found


async def list_parts(uow: UnitOfWork, *, q: str | None, cursor: str | None, limit: int) -> Page[Part]:
    key = decode_cursor(cursor, 1)
    rows = await queries.parts(uow, q, key[0] if key else None, limit + 1)
    return page_of(rows, limit, lambda row: (row.sku,))


async def ensure_virtual_locations(uow: UnitOfWork) -> Mapping[LocationKind, Location]:
    """Answer the organisation's supplier, consumed and adjustment locations, made at the first need."""
    found = await queries.virtual_locations(uow)
    if not found:
        await queries.insert_virtual_locations(uow)
        found = await queries.virtual_locations(uow)
    return found


async def list_locations(uow: UnitOfWork) -> list[Location]:
    await ensure_virtual_locations(uow)
    return await queries.locations(uow)


async def add_location(
    uow: UnitOfWork,
    *,
    kind: LocationKind,
    name: str,
    person_id: UUID | None = None,
    place: Mapping[str, float] | None = None,
) -> Location:
    """Add a warehouse, quarantine or somebody's van; `place` is WGS-84 {"lon", "lat"}.

    Raises LocationIsMadeByItself, LocationNeedsDriver, VanAlreadyGiven or LocationNameTaken.
    """
    new = Location(uow.new_id(), kind, name, person_id)
    if new.virtual:
        raise LocationIsMadeByItself(kind=kind)
    if (kind is LocationKind.VAN) != (person_id is not None):
        raise LocationNeedsDriver
    # Their names are taken before anybody else can take them.
    await ensure_virtual_locations(uow)
    if await queries.insert_location(uow, new, place):
        return new
    van = await queries.van_of(uow, person_id) if person_id else None
    if van is not None:
        raise VanAlreadyGiven(van=van.name)
    raise LocationNameTaken(name=name)


async def give_van(uow: UnitOfWork, person: UUID, name: str) -> Location:
    """Answer the person's van, a new one called `name` if they have none."""
    return await queries.van_of(uow, person) or await add_location(
        uow, kind=LocationKind.VAN, name=name, person_id=person
    )


async def van_of(uow: UnitOfWork, person: UUID) -> Location:
    """Raises NoVan."""
    van = await queries.van_of(uow, person)
    if van is None:
        raise NoVan
    return van


async def list_stock(
    uow: UnitOfWork, *, location_id: UUID | None, part_id: UUID | None, cursor: str | None, limit: int
) -> Page[StockLevel]:
    rows = await queries.stock(uow, location_id, part_id, decode_cursor(cursor, 2), limit + 1)
    return page_of(rows, limit, lambda row: (row.location_name, row.sku))


async def list_movements(
    uow: UnitOfWork,
    *,
    part_id: UUID | None,
    location_id: UUID | None,
    work_order_id: UUID | None,
    cursor: str | None,
    limit: int,
) -> Page[Movement]:
    """Answer the newest movements first."""
    key = decode_cursor(cursor, 2)
    rows = await queries.movements(
        uow,
        part_id=part_id,
        location_id=location_id,
        work_order_id=work_order_id,
        before=(_instant_in(key[0]), id_in(key[1])) if key else None,
        limit=limit + 1,
    )
    return page_of(rows, limit, lambda row: (row.recorded_at.isoformat(), row.id))


async def parts_used(uow: UnitOfWork, work_order_id: UUID) -> list[PartUsed]:
    """Answer what the order consumed: used less returned and reversed, by part number."""
    return await queries.parts_used(uow, work_order_id)


async def move(
    uow: UnitOfWork,
    actor: Actor,
    *,
    id: UUID,  # noqa: A002 - the movement's id, minted where it was recorded
    part: UUID,
    source: UUID,
    target: UUID,
    quantity: Decimal,
    reason: Reason,
    serial: str | None = None,
    work_order_id: UUID | None = None,
    visit_id: UUID | None = None,
    at: datetime | None = None,
    device: UUID | None = None,
    why: str | None = None,
    reverses: UUID | None = None,
) -> bool:
    """Take `quantity` (> 0, three decimal places) from `source` and give it to `target`.

    Answers False when this very movement is already in the ledger. `at` is when it really happened (default: now).
    Raises UnknownPart, UnknownLocation, SameLocation, ReasonDoesNotFit, SerialNeeded, SerialNotTracked,
    SerialAlreadyUsed, SerialElsewhere, MovementIdTaken, and NotEnoughStock where stock may not go below zero.
    """
    moved = await find_part(uow, part)
    origin, destination = await _location(uow, source), await _location(uow, target)
    check_ends(reason, origin, destination)
    moved.check_serial(quantity, serial)
    draft = {
        "id": id,
        "part_id": part,
        "from_id": source,
        "to_id": target,
        "quantity": quantity,
        "serial": serial,
        "reason": str(reason),
        "work_order_id": work_order_id,
        "visit_id": visit_id,
        "reverses_id": reverses,
        "why": why,
        "moved_by": actor.person,
        "device_id": device,
        "at": at or uow.now(),
    }
    if serial is not None:
        await queries.hold_serial(uow, part, serial)
    if await _is_known(uow, draft):
        return False
    if serial is not None:
        await _check_piece(uow, moved, serial, origin, destination, reason)
    if not await queries.insert_movement(uow, draft):
        return await _settle_clash(uow, draft)
    await _check_what_is_left(uow, actor, moved, origin, quantity)
    return True


async def reverse(uow: UnitOfWork, actor: Actor, movement_id: UUID, why: str) -> Movement:
    """Answer the movement that undoes `movement_id`. Raises UnknownMovement, ReversalStands, AlreadyReversed."""
    undone = await queries.movement(uow, movement_id)
    if undone is None:
        raise UnknownMovement(movement=movement_id)
    if undone.reverses_id is not None:
        raise ReversalStands
    reversal = uow.new_id()
    await move(
        uow,
        actor,
        id=reversal,
        part=undone.part_id,
        source=undone.to_id,
        target=undone.from_id,
        quantity=undone.quantity,
        reason=Reason.REVERSED,
        serial=undone.serial,
        work_order_id=undone.work_order_id,
        visit_id=undone.visit_id,
        why=why,
        reverses=undone.id,
    )
    return await movement(uow, reversal)


async def movement(uow: UnitOfWork, movement_id: UUID) -> Movement:
    found = await queries.movement(uow, movement_id)
    if found is None:
        raise UnknownMovement(movement=movement_id)
    return found


async def use_part(uow: UnitOfWork, actor: Actor, piece: FieldPiece) -> bool:
    """Consume from the actor's van for an order. Answers and raises like `move`, and NoVan."""
    van, consumed = await _van_and_consumed(uow, actor)
    return await _move_piece(uow, actor, piece, van, consumed, Reason.USED)


async def return_part(uow: UnitOfWork, actor: Actor, piece: FieldPiece) -> bool:
    """Put what an order had consumed back on the actor's van. Answers and raises like `move`, and NoVan."""
    van, consumed = await _van_and_consumed(uow, actor)
    return await _move_piece(uow, actor, piece, consumed, van, Reason.RETURNED)


async def ledger_sum(uow: UnitOfWork) -> Decimal:
    """Zero, always: what any location gained, another lost."""
    return await queries.ledger_sum(uow)


async def balances_match(uow: UnitOfWork) -> bool:
    """Whether every kept balance equals the movements replayed."""
    return not await queries.drifted_balances(uow)


def _instant_in(part: str) -> datetime:
    try:
        return datetime.fromisoformat(part)
    except ValueError:
        raise MalformedCursor from None


async def _van_and_consumed(uow: UnitOfWork, actor: Actor) -> tuple[Location, Location]:
    outside = await ensure_virtual_locations(uow)
    return await van_of(uow, actor.person), outside[LocationKind.CONSUMED]


async def _move_piece(
    uow: UnitOfWork, actor: Actor, piece: FieldPiece, source: Location, target: Location, reason: Reason
) -> bool:
    return await move(
        uow,
        actor,
        id=piece.id,
        part=piece.part,
        source=source.id,
        target=target.id,
        quantity=piece.quantity,
        reason=reason,
        serial=piece.serial,
        work_order_id=piece.work_order_id,
        visit_id=piece.visit_id,
        at=piece.at,
        device=piece.device,
    )


async def _location(uow: UnitOfWork, location_id: UUID) -> Location:
    found = await queries.location(uow, location_id)
    if found is None:
        raise UnknownLocation(location=location_id)
    return found


async def _is_known(uow: UnitOfWork, draft: Mapping[str, object]) -> bool:
    known = await queries.movement(uow, UUID(str(draft["id"])))
    if known is None:
        return False
    same = ("part_id", "from_id", "to_id", "quantity", "serial", "reason", "work_order_id")
    if any(getattr(known, name) != draft[name] for name in same):
        raise MovementIdTaken(movement=known.id)
    return True


async def _settle_clash(uow: UnitOfWork, draft: Mapping[str, object]) -> bool:
    """Decide what an insert met that lost against a concurrent one: itself, or the other reversal."""
    if await _is_known(uow, draft):
        return False
    raise AlreadyReversed(movement=draft["reverses_id"])


async def _check_piece(
    uow: UnitOfWork, moved: Part, serial: str, origin: Location, destination: Location, reason: Reason
) -> None:
    places = await queries.places_of_serial(uow, moved.id, serial)
    if destination.kind is LocationKind.CONSUMED and destination.id in places:
        raise SerialAlreadyUsed(sku=moved.sku, serial=serial)
    if reason in FIELD or (origin.virtual and not places) or origin.id in places:
        return
    place = ", ".join(places.values()) or "no place"
    raise SerialElsewhere(sku=moved.sku, serial=serial, location=origin.name, place=place)


async def _check_what_is_left(uow: UnitOfWork, actor: Actor, moved: Part, origin: Location, quantity: Decimal) -> None:
    """Look after writing: the movement's own trigger holds the balance's row, so nobody moves in between."""
    if origin.virtual:
        return
    left = await queries.quantity_at(uow, origin.id, moved.id)
    if left >= 0:
        return
    if origin.kind in NEVER_BELOW_ZERO:
        raise NotEnoughStock(
            location=origin.name,
            sku=moved.sku,
            unit=moved.unit,
            available=f"{left + quantity:f}",
            wanted=f"{quantity:f}",
        )
    if left + quantity >= 0:
        await events.append(
            uow,
            "stock.went_negative",
            subject=("stock_location", origin.id),
            actor=actor.person,
            payload={"part_id": str(moved.id), "sku": moved.sku, "quantity": f"{left:f}"},
        )
