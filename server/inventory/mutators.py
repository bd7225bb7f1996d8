"""What a device may do to stock: say what was used and what came back. Counts never come from a device."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Annotated

from pydantic import Field, StringConstraints

from server.core.db import UnitOfWork
from server.core.wire import Id, WireIn
from server.identity.domain import Actor
from server.inventory import service
from server.inventory.domain import FieldPiece
from server.sync.domain import Mutation, Outcome
from server.sync.registry import Nature, Registry
from server.workorders import timeline
from server.workorders.access import Admission, admit
from server.workorders.mutators import circumstances_of

type Quantity = Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=3)]
type Serial = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]


class PartArgs(WireIn):
    id: Id
    wo: Id
    visit: Id | None = None
    part: Id
    quantity: Quantity
    serial: Serial | None = None


async def use_part(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: PartArgs) -> Outcome:
    """Move from the actor's van to consumed, below zero if need be: the part was used."""
    return await _record(uow, actor, mutation, args, service.use_part, "part_used")


async def return_part(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: PartArgs) -> Outcome:
    return await _record(uow, actor, mutation, args, service.return_part, "part_returned")


async def _record(
    uow: UnitOfWork,
    actor: Actor,
    mutation: Mutation,
    args: PartArgs,
    move: Callable[[UnitOfWork, Actor, FieldPiece], Awaitable[bool]],
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
    )
    if not await move(uow, actor, piece):
        return Outcome.merged("ALREADY_RECORDED")
    late = {"late_after_reassign": True} if admission.late else {}
    await _tell_history(uow, actor, mutation, admission, piece, action, late)
    return Outcome(facts=late)


async def _tell_history(
    uow: UnitOfWork,
    actor: Actor,
    mutation: Mutation,
    admission: Admission,
    piece: FieldPiece,
    action: str,
    late: dict[str, bool],
) -> None:
    part = await service.find_part(uow, piece.part)
    await timeline.append(
        uow,
        actor,
        work_order_id=admission.order.id,
        visit_id=piece.visit_id,
        action=action,
        facts={
            "movement_id": str(piece.id),
            "sku": part.sku,
            "quantity": f"{piece.quantity.normalize():f}",
            "serial": piece.serial,
            **late,
        },
        circumstances=circumstances_of(mutation),
    )


def register(registry: Registry) -> None:
    registry.mutator("part.use", PartArgs, use_part, nature=Nature.EVIDENCE)
    registry.mutator("part.return", PartArgs, return_part, nature=Nature.EVIDENCE)
