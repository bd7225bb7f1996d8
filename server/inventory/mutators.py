"""What a device may do to stock: say what was used, came back, was counted, handed over or arrived, and take it back.

Quantities are differences, never balances; only a count is absolute, and it is booked as a difference too.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from server.core.db import UnitOfWork
from server.core.errors import Problem
from server.core.wire import Id, Name, WireIn
from server.identity.domain import Actor
from server.inventory import counts, discrepancies, queries, service, transfers
from server.inventory.domain import CountTold, FieldPiece, Moved, Movement, Reason, TransferTold, VanOf
from server.inventory.errors import (
    AlreadyReversed,
    NotYourMovement,
    SerialAlreadyUsed,
    TransferAlreadyReceived,
    TransferDiffers,
)
from server.sync.domain import APPLIED, Mutation, Outcome, Status
from server.sync.registry import Nature, Registry
from server.workorders import evidence, timeline
from server.workorders.access import Admission, admit
from server.workorders.recording import circumstances_of, outcome_of

type Quantity = Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=3)]
type Counted = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=3)]
type Serial = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]

# A usage or return is the engineer's own word; everything else has another side that must agree.
_OWN_WORD = frozenset({Reason.USED, Reason.RETURNED})


class PartArgs(WireIn):
    id: Id
    wo: Id
    visit: Id | None = None
    part: Id
    quantity: Quantity
    serial: Serial | None = None
    reservation: Id | None = None


class ReverseArgs(WireIn):
    id: Id
    movement: Id
    why: Name


class CountArgs(WireIn):
    id: Id
    part: Id
    quantity: Counted
    serials: Annotated[list[Serial], Field(max_length=10_000)] | None = None
    location: Id | None = None


class TransferArgs(WireIn):
    """`id` names the transfer and its first movement; `source` is the actor's van unless named."""

    id: Id
    part: Id
    quantity: Quantity
    serial: Serial | None = None
    to: Id
    source: Id | None = None


class ReceiveArgs(WireIn):
    id: Id
    transfer: Id
    part: Id
    quantity: Quantity
    serial: Serial | None = None


async def use_part(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: PartArgs) -> Outcome:
    """Move from the actor's van to consumed, below zero if need be: the part was used."""
    try:
        return await _record(uow, actor, mutation, args, service.use_part, "part_used")
    except SerialAlreadyUsed as clash:
        await discrepancies.serial_clash(
            uow, actor, mutation=mutation.id, part=args.part, serial=args.serial, work_order_id=args.wo
        )
        return _set_aside(clash)


async def return_part(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: PartArgs) -> Outcome:
    return await _record(uow, actor, mutation, args, service.return_part, "part_returned")


async def reverse_part(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: ReverseArgs) -> Outcome:
    """Take back one's own usage or return, as of when it was recorded."""
    undone = await service.movement(uow, args.movement)
    if undone.moved_by != actor.person or undone.reason not in _OWN_WORD:
        raise NotYourMovement
    if await queries.known(uow, args.id) is not None:
        return Outcome.merged("ALREADY_RECORDED")
    try:
        async with uow.savepoint():
            made = await service.reverse(
                uow,
                actor,
                undone.id,
                args.why,
                reversal=args.id,
                device=mutation.device,
                stream=mutation.stream,
                seq=mutation.seq,
            )
    except AlreadyReversed:
        return Outcome.merged("ALREADY_REVERSED")
    if made.work_order_id is not None:
        await _tell_reversal(uow, actor, mutation, undone, made)
        await evidence.content_changed(uow, actor, made.work_order_id, "part")
    return APPLIED


async def count_part(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: CountArgs) -> Outcome:
    """Book the difference between what was found and what the ledger knows of that moment, now and later."""
    told = CountTold(
        id=args.id,
        location=args.location or VanOf(actor.person),
        part=args.part,
        quantity=args.quantity,
        serials=tuple(args.serials) if args.serials is not None else None,
        at=mutation.occurrence.at,
        device=mutation.device,
        stream=mutation.stream,
        seq=mutation.seq,
    )
    return APPLIED if await counts.count(uow, actor, told) else Outcome.merged("ALREADY_RECORDED")


async def transfer_part(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: TransferArgs) -> Outcome:
    told = _told(mutation, args, args.id)
    source = args.source or VanOf(actor.person)
    try:
        sent = await transfers.send(uow, actor, told, source=source, target=args.to)
    except TransferDiffers as clash:
        return await _clash(uow, actor, mutation, told, clash)
    return APPLIED if sent else Outcome.merged("ALREADY_RECORDED")


async def receive_part(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: ReceiveArgs) -> Outcome:
    """Put what arrived into the actor's van, also when nobody said yet that they sent it."""
    told = _told(mutation, args, args.transfer)
    received = await transfers.receive(uow, actor, told, into=VanOf(actor.person))
    if received is not None:
        return Outcome(flags=("TRANSFER_UNANNOUNCED",)) if received.sent is None else APPLIED
    known = await transfers.find(uow, args.transfer)
    if transfers.same_receipt(known, told, actor):
        return Outcome.merged("ALREADY_RECEIVED")
    same_goods = (known.part_id, known.serial) == (told.part, told.serial)
    clash = TransferAlreadyReceived() if same_goods else TransferDiffers()
    return await _clash(uow, actor, mutation, told, clash)


async def _record(
    uow: UnitOfWork,
    actor: Actor,
    mutation: Mutation,
    args: PartArgs,
    move: Callable[[UnitOfWork, Actor, FieldPiece], Awaitable[Moved | None]],
    action: str,
) -> Outcome:
    admission = await admit(uow, actor, work_order_id=args.wo, visit_id=args.visit)
    piece = FieldPiece(
        id=args.id,
        part=args.part,
        quantity=args.quantity,
        serial=args.serial,
        work_order_id=args.wo,
        visit_id=admission.visit.id if admission.visit else None,
        at=mutation.occurrence.at,
        device=mutation.device,
        stream=mutation.stream,
        seq=mutation.seq,
        reservation=args.reservation,
    )
    moved = await move(uow, actor, piece)
    if moved is None:
        return Outcome.merged("ALREADY_RECORDED")
    await _tell_history(uow, actor, mutation, admission, piece, moved, action)
    return outcome_of(await evidence.kept(uow, actor, admission, "part", flags=moved.flags))


async def _tell_history(
    uow: UnitOfWork,
    actor: Actor,
    mutation: Mutation,
    admission: Admission,
    piece: FieldPiece,
    moved: Moved,
    action: str,
) -> None:
    await timeline.append(
        uow,
        actor,
        work_order_id=admission.order.id,
        visit_id=piece.visit_id,
        action=action,
        facts={
            "movement_id": str(piece.id),
            "sku": moved.part.sku,
            "quantity": _plain(piece.quantity),
            "serial": piece.serial,
            **({"reserved": _plain(moved.drawn)} if moved.drawn else {}),
            **({"flags": list(moved.flags)} if moved.flags else {}),
            **evidence.late_facts(admission),
        },
        circumstances=circumstances_of(mutation),
    )


async def _tell_reversal(uow: UnitOfWork, actor: Actor, mutation: Mutation, undone: Movement, made: Movement) -> None:
    assert made.work_order_id is not None
    await timeline.append(
        uow,
        actor,
        work_order_id=made.work_order_id,
        visit_id=made.visit_id,
        action="part_reversed",
        why=made.why,
        facts={
            "movement_id": str(made.id),
            "reverses": str(undone.id),
            "sku": made.sku,
            "quantity": _plain(made.quantity),
            "serial": made.serial,
        },
        circumstances=circumstances_of(mutation),
    )


def _told(mutation: Mutation, args: TransferArgs | ReceiveArgs, transfer: Id) -> TransferTold:
    return TransferTold(
        id=args.id,
        transfer=transfer,
        part=args.part,
        quantity=args.quantity,
        serial=args.serial,
        at=mutation.occurrence.at,
        device=mutation.device,
        stream=mutation.stream,
        seq=mutation.seq,
    )


async def _clash(uow: UnitOfWork, actor: Actor, mutation: Mutation, told: TransferTold, clash: Problem) -> Outcome:
    known = await transfers.find(uow, told.transfer)
    await discrepancies.transfer_clash(
        uow, actor, mutation=mutation.id, known=known, part=told.part, serial=told.serial, told=told.quantity
    )
    return _set_aside(clash)


def _set_aside(problem: Problem) -> Outcome:
    """Quarantine without raising: nothing was moved, and the task that was opened for a person has to stay."""
    facts: dict[str, Any] = {"detail": str(problem)}
    return Outcome(Status.QUARANTINED, problem.code, facts)


def _plain(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"


def register(registry: Registry) -> None:
    registry.mutator("part.use", PartArgs, use_part, nature=Nature.EVIDENCE)
    registry.mutator("part.return", PartArgs, return_part, nature=Nature.EVIDENCE)
    registry.mutator("part.reverse", ReverseArgs, reverse_part, nature=Nature.EVIDENCE)
    registry.mutator("part.count", CountArgs, count_part, nature=Nature.EVIDENCE)
    registry.mutator("part.transfer", TransferArgs, transfer_part, nature=Nature.EVIDENCE)
    registry.mutator("part.receive", ReceiveArgs, receive_part, nature=Nature.EVIDENCE)
