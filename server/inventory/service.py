"""Use cases of the stock ledger. A movement is written once and never changed; balances follow by trigger.

Nothing here commits. Office and field share `move`: the office is refused what a warehouse does not have; what a phone
tells goes through and leaves a task, because what was used in the field has happened.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from server.core.db import UnitOfWork
from server.core.errors import MalformedCursor
from server.core.paging import Page, decode_cursor, id_in, page_of
from server.identity.domain import Actor
from server.inventory import discrepancies, queries, reservation_queries, reservations
from server.inventory.domain import (
    FIELD,
    NEVER_BELOW_ZERO,
    VIRTUAL,
    FieldPiece,
    Known,
    Location,
    LocationKind,
    Moved,
    MoveFacts,
    Movement,
    Part,
    PartUsed,
    Place,
    PlaceAfter,
    Reason,
    StockLevel,
    VanOf,
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
    StandsByItself,
    UnknownLocation,
    UnknownMovement,
    UnknownPart,
    VanAlreadyGiven,
)
from server.workorders.evidence import content_changed

# These movements are one half of something that is corrected as a whole.
_TOLD_ELSEWHERE = frozenset({Reason.SENT, Reason.RECEIVED})


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
    """Answer the organisation's one location of each virtual kind, made at the first need."""
    found = await queries.virtual_locations(uow)
    if len(found) < len(VIRTUAL):
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


async def place(uow: UnitOfWork, where: Place) -> Location:
    """Raises NoVan, UnknownLocation."""
    found = await queries.place(uow, where)
    if found is None:
        raise NoVan if isinstance(where, VanOf) else UnknownLocation(location=where)
    return found


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
    source: Place,
    target: Place,
    quantity: Decimal,
    reason: Reason,
    serial: str | None = None,
    work_order_id: UUID | None = None,
    visit_id: UUID | None = None,
    at: datetime | None = None,
    device: UUID | None = None,
    stream: UUID | None = None,
    seq: int | None = None,
    why: str | None = None,
    reverses: UUID | None = None,
    reservation: UUID | None = None,
) -> Moved | None:
    """Take `quantity` (> 0, three decimal places) from `source` and give it to `target`.

    What an order consumes uses up what was promised to it. Answers None when this very movement is already in the
    ledger. `at` is when it really happened (default: now). Raises UnknownPart, UnknownLocation, NoVan, SameLocation,
    ReasonDoesNotFit, SerialNeeded, SerialNotTracked, SerialAlreadyUsed, SerialElsewhere, MovementIdTaken, and
    NotEnoughStock where the office would take more than there is; what a device tells has happened.
    """
    if serial is not None:
        await queries.hold_serial(uow, part, serial)
    facts = await _facts(uow, id, part, source, target, work_order_id)
    moved = _checked(facts, part, source, target)
    check_ends(reason, moved.origin, moved.destination)
    moved.part.check_serial(quantity, serial)
    draft = {
        "id": id,
        "part_id": part,
        "from_id": moved.origin.id,
        "to_id": moved.destination.id,
        "quantity": quantity,
        "serial": serial,
        "reason": str(reason),
        "work_order_id": work_order_id,
        "visit_id": visit_id,
        "reverses_id": reverses,
        "why": why,
        "moved_by": actor.person,
        "device_id": device,
        "stream_id": stream,
        "seq": seq,
        "at": at or uow.now(),
    }
    if _is_known(facts.known, draft):
        return None
    if serial is not None:
        await _check_piece(uow, moved, serial, reason)
    if not await queries.insert_movement(uow, draft):
        await _settle_clash(uow, draft)
        return None
    await _look_after(uow, actor, moved, draft)
    if device is None and work_order_id is not None:
        # A phone's word is admitted to the order, which knows whether anybody signed there; the office's is not.
        await content_changed(uow, actor, work_order_id, "part")
    return await _with_promises(uow, moved, draft, reservation, expected=facts.reserved)


async def reverse(
    uow: UnitOfWork,
    actor: Actor,
    movement_id: UUID,
    why: str,
    *,
    reversal: UUID | None = None,
    device: UUID | None = None,
    stream: UUID | None = None,
    seq: int | None = None,
) -> Movement:
    """Answer the movement that undoes `movement_id`, as of when that was: counts made since found the truth already.

    Raises UnknownMovement, ReversalStands, StandsByItself, AlreadyReversed.
    """
    undone = await movement(uow, movement_id)
    if undone.reverses_id is not None:
        raise ReversalStands
    if undone.count_id is not None or undone.reason in _TOLD_ELSEWHERE:
        raise StandsByItself
    reversal = reversal or uow.new_id()
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
        at=undone.at,
        device=device,
        stream=stream,
        seq=seq,
        why=why,
        reverses=undone.id,
    )
    return await movement(uow, reversal)


async def movement(uow: UnitOfWork, movement_id: UUID) -> Movement:
    found = await queries.movement(uow, movement_id)
    if found is None:
        raise UnknownMovement(movement=movement_id)
    return found


async def use_part(uow: UnitOfWork, actor: Actor, piece: FieldPiece) -> Moved | None:
    """Consume from the actor's van for an order. Answers and raises like `move`."""
    return await _move_piece(uow, actor, piece, VanOf(actor.person), LocationKind.CONSUMED, Reason.USED)


async def return_part(uow: UnitOfWork, actor: Actor, piece: FieldPiece) -> Moved | None:
    """Put what an order had consumed back on the actor's van. Answers and raises like `move`."""
    return await _move_piece(uow, actor, piece, LocationKind.CONSUMED, VanOf(actor.person), Reason.RETURNED)


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


async def _move_piece(
    uow: UnitOfWork, actor: Actor, piece: FieldPiece, source: Place, target: Place, reason: Reason
) -> Moved | None:
    return await move(
        uow,
        actor,
        id=piece.id,
        part=piece.part,
        source=source,
        target=target,
        quantity=piece.quantity,
        reason=reason,
        serial=piece.serial,
        work_order_id=piece.work_order_id,
        visit_id=piece.visit_id,
        at=piece.at,
        device=piece.device,
        stream=piece.stream,
        seq=piece.seq,
        reservation=piece.reservation,
    )


async def _facts(
    uow: UnitOfWork, movement_id: UUID, part: UUID, source: Place, target: Place, work_order_id: UUID | None
) -> MoveFacts:
    ask = partial(
        queries.move_facts,
        uow,
        movement_id=movement_id,
        part_id=part,
        source=source,
        target=target,
        work_order_id=work_order_id,
    )
    facts = await ask()
    missing = [end for end, found in ((source, facts.origin), (target, facts.destination)) if found is None]
    if any(isinstance(end, LocationKind) for end in missing):
        await ensure_virtual_locations(uow)
        facts = await ask()
    return facts


def _checked(facts: MoveFacts, part: UUID, source: Place, target: Place) -> Moved:
    if facts.part is None:
        raise UnknownPart(part=part)
    return Moved(facts.part, _found(facts.origin, source), _found(facts.destination, target))


def _found(location: Location | None, where: Place) -> Location:
    if location is None:
        raise NoVan if isinstance(where, VanOf) else UnknownLocation(location=where)
    return location


def _is_known(known: Known | None, draft: Mapping[str, object]) -> bool:
    if known is None:
        return False
    if any(value != draft[name] for name, value in vars(known).items()):
        raise MovementIdTaken(movement=draft["id"])
    return True


async def _settle_clash(uow: UnitOfWork, draft: Mapping[str, object]) -> None:
    """Decide what an insert met that lost against a concurrent one: itself, or the other reversal."""
    if not _is_known(await queries.known(uow, UUID(str(draft["id"]))), draft):
        raise AlreadyReversed(movement=draft["reverses_id"])


async def _check_piece(uow: UnitOfWork, moved: Moved, serial: str, reason: Reason) -> None:
    places = await queries.places_of_serial(uow, moved.part.id, serial)
    if moved.destination.kind is LocationKind.CONSUMED and moved.destination.id in places:
        raise SerialAlreadyUsed(sku=moved.part.sku, serial=serial)
    if reason in FIELD or (moved.origin.virtual and not places) or moved.origin.id in places:
        return
    place = ", ".join(places.values()) or "no place"
    raise SerialElsewhere(sku=moved.part.sku, serial=serial, location=moved.origin.name, place=place)


async def _look_after(uow: UnitOfWork, actor: Actor, moved: Moved, draft: Mapping[str, Any]) -> None:
    """Look after writing: the movement's own trigger holds the balances' rows, so nobody moves in between."""
    places = await queries.places_after(uow, moved.part.id, (moved.origin.id, moved.destination.id), draft["at"])
    for place in places:
        if place.id == moved.origin.id and place.quantity < 0:
            _refuse_shortage(moved, place, draft)
            await discrepancies.below_zero(uow, actor, moved, draft["id"], place)
    counts = {count for place in places for count in place.counts}
    await discrepancies.weigh_counts(uow, actor, counts)


def _refuse_shortage(moved: Moved, place: PlaceAfter, draft: Mapping[str, Any]) -> None:
    """The office plans with what is there; what a phone tells has happened, wherever it happened."""
    if place.kind in NEVER_BELOW_ZERO and draft["device_id"] is None:
        raise NotEnoughStock(
            location=place.name,
            sku=moved.part.sku,
            unit=moved.part.unit,
            available=f"{place.quantity + draft['quantity']:f}",
            wanted=f"{draft['quantity']:f}",
        )


async def _with_promises(
    uow: UnitOfWork, moved: Moved, draft: Mapping[str, Any], named: UUID | None, *, expected: bool
) -> Moved:
    """Let the movement use up or give back what was promised to its order."""
    if draft["reverses_id"] is not None:
        await reservation_queries.give_back(uow, movement_id=draft["id"], undone_id=draft["reverses_id"])
        return moved
    told = {
        "movement": draft["id"],
        "work_order_id": draft["work_order_id"],
        "part": moved.part.id,
        "quantity": draft["quantity"],
    }
    drawn: Decimal = Decimal(0)
    flags: tuple[str, ...] = ()
    if draft["reason"] == Reason.USED and (expected or named is not None):
        drawn, flags = await reservations.draw(uow, **told, named=named, origin=moved.origin.id)
    elif draft["reason"] == Reason.RETURNED and named is not None:
        drawn, flags = await reservations.put_back(uow, **told, named=named)
    return replace(moved, drawn=drawn, flags=flags)
