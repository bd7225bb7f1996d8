"""Goods handed from one place to another. Sender and receiver tell it independently, and either may be heard first.

What was sent waits in transit until somebody says it arrived. What somebody received is theirs at once, also when
nobody said yet that they sent it: the goods are in the van, and the transfer's task stays open until the sender's phone
is heard.
"""

from decimal import Decimal
from uuid import UUID

from server.core import events
from server.core.db import UnitOfWork
from server.core.paging import Page, decode_cursor, id_in, page_of
from server.identity.domain import Actor
from server.inventory import counts, discrepancies, queries, service
from server.inventory import transfer_queries as rows
from server.inventory.domain import (
    VIRTUAL,
    Location,
    LocationKind,
    Place,
    Reason,
    Transfer,
    TransferState,
    TransferTold,
)
from server.inventory.errors import (
    NoPlaceForStock,
    NotYourVan,
    SameLocation,
    TransferAlreadyReceived,
    TransferDiffers,
    UnknownTransfer,
)


async def send(uow: UnitOfWork, actor: Actor, told: TransferTold, *, source: Place, target: UUID) -> Transfer | None:
    """Give goods from the actor's van, or from a place that is nobody's van, to another place.

    What the actor takes into their own van has arrived. Answers None when this very transfer is known. Raises
    TransferDiffers, before anything is written, when something else was sent or received under its id; NoVan,
    UnknownLocation, SameLocation, NoPlaceForStock, NotYourVan, and like `service.move`.
    """
    origin, destination = await _ends(uow, actor, source, target)
    await rows.hold_ends(uow, told.part, {origin.id, destination.id})
    sent = await rows.put_sent(
        uow,
        transfer_id=told.transfer,
        part_id=told.part,
        serial=told.serial,
        from_id=origin.id,
        to_id=destination.id,
        quantity=told.quantity,
        at=told.at,
        by=actor.person,
    )
    if sent is None:
        await _check_same_sending(uow, told, origin, destination)
        return None
    if destination.person_id == actor.person:
        sent = await _put_received(uow, actor, told, destination.id) or sent
        await _move(uow, actor, told, origin.id, destination.id, Reason.TRANSFER)
    else:
        await _move(uow, actor, told, origin.id, LocationKind.TRANSIT, Reason.SENT)
    await _settle(uow, actor, sent)
    await _tell(uow, actor, "stock.sent", sent)
    return sent


async def receive(uow: UnitOfWork, actor: Actor, told: TransferTold, *, into: Place) -> Transfer | None:
    """Say that goods arrived. Answers None when this side of the transfer is not to be written, and nothing is moved.

    Raises NoVan, UnknownLocation, NoPlaceForStock, NotYourVan, and like `service.move`.
    """
    place = await counts.place_for(uow, actor, into)
    announced = await rows.transfer(uow, told.transfer)
    ends = (announced.from_id, announced.to_id) if announced else ()
    await rows.hold_ends(uow, told.part, {place.id, *(end for end in ends if end)})
    received = await _put_received(uow, actor, told, place.id)
    if received is None:
        return None
    await _move(uow, actor, told, LocationKind.TRANSIT, place.id, Reason.RECEIVED)
    await _settle(uow, actor, received)
    await _tell(uow, actor, "stock.received", received)
    return received


async def accept(uow: UnitOfWork, actor: Actor, transfer_id: UUID, *, into: UUID, quantity: Decimal) -> Transfer:
    """Receive at the office what somebody sent. Raises UnknownTransfer, TransferAlreadyReceived, and like `receive`."""
    known = await find(uow, transfer_id)
    told = TransferTold(
        id=uow.new_id(),
        transfer=transfer_id,
        part=known.part_id,
        quantity=quantity,
        serial=known.serial,
        at=uow.now(),
    )
    received = await receive(uow, actor, told, into=into)
    if received is None:
        raise TransferAlreadyReceived(transfer=transfer_id)
    return received


def same_receipt(known: Transfer, told: TransferTold, actor: Actor) -> bool:
    """Whether what is told of an arrival is what was told before."""
    return (known.received_by, known.received, known.part_id, known.serial) == (
        actor.person,
        told.quantity,
        told.part,
        told.serial,
    )


async def find(uow: UnitOfWork, transfer_id: UUID) -> Transfer:
    found = await rows.transfer(uow, transfer_id)
    if found is None:
        raise UnknownTransfer(transfer=transfer_id)
    return found


async def list_transfers(
    uow: UnitOfWork,
    *,
    states: tuple[TransferState, ...],
    location_id: UUID | None,
    part_id: UUID | None,
    cursor: str | None,
    limit: int,
) -> Page[Transfer]:
    """Answer the newest first."""
    key = decode_cursor(cursor, 1)
    found = await rows.transfers(
        uow,
        states=states,
        location_id=location_id,
        part_id=part_id,
        before=id_in(key[0]) if key else None,
        limit=limit + 1,
    )
    return page_of(found, limit, lambda row: (row.id,))


async def _check_same_sending(uow: UnitOfWork, told: TransferTold, origin: Location, destination: Location) -> None:
    known = await find(uow, told.transfer)
    if (known.part_id, known.serial, known.from_id, known.to_id, known.sent) != (
        told.part,
        told.serial,
        origin.id,
        destination.id,
        told.quantity,
    ):
        raise TransferDiffers(transfer=told.transfer)


async def _ends(uow: UnitOfWork, actor: Actor, source: Place, target: UUID) -> tuple[Location, Location]:
    origin, destination = await service.place(uow, source), await service.place(uow, target)
    if origin.id == destination.id:
        raise SameLocation
    for end in (origin, destination):
        if end.kind in VIRTUAL:
            raise NoPlaceForStock(location=end.name)
    if origin.person_id not in (None, actor.person):
        raise NotYourVan(location=origin.name)
    return origin, destination


async def _move(
    uow: UnitOfWork, actor: Actor, told: TransferTold, source: Place, target: Place, reason: Reason
) -> object | None:
    return await service.move(
        uow,
        actor,
        id=told.id,
        part=told.part,
        source=source,
        target=target,
        quantity=told.quantity,
        reason=reason,
        serial=told.serial,
        at=told.at,
        device=told.device,
        stream=told.stream,
        seq=told.seq,
    )


async def _put_received(uow: UnitOfWork, actor: Actor, told: TransferTold, into: UUID) -> Transfer | None:
    return await rows.put_received(
        uow,
        transfer_id=told.transfer,
        part_id=told.part,
        serial=told.serial,
        into_id=into,
        quantity=told.quantity,
        at=told.at,
        by=actor.person,
    )


async def _settle(uow: UnitOfWork, actor: Actor, transfer: Transfer) -> None:
    """Leave nothing in transit once both sides are known; a person looks at what differs."""
    await discrepancies.weigh_transfer(uow, actor, transfer)
    if transfer.state is not TransferState.RECEIVED or transfer.sent == transfer.received:
        return
    assert transfer.sent is not None
    assert transfer.received is not None
    lost = transfer.sent - transfer.received
    outside = await service.ensure_virtual_locations(uow)
    transit, adjustment = outside[LocationKind.TRANSIT].id, outside[LocationKind.ADJUSTMENT].id
    source, target = (transit, adjustment) if lost > 0 else (adjustment, transit)
    await queries.insert_movement(
        uow,
        {
            "id": uow.new_id(),
            "part_id": transfer.part_id,
            "from_id": source,
            "to_id": target,
            "quantity": abs(lost),
            "reason": str(Reason.COUNTED),
            "moved_by": actor.person,
            "at": uow.now(),
        },
    )


async def _tell(uow: UnitOfWork, actor: Actor, name: str, transfer: Transfer) -> None:
    quantity: Decimal | None = transfer.received if name == "stock.received" else transfer.sent
    await events.append(
        uow,
        name,
        subject=("transfer", transfer.id),
        actor=actor.person,
        payload={"part_id": str(transfer.part_id), "to_id": str(transfer.to_id), "quantity": f"{quantity:f}"},
    )
