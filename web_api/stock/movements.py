"""The ledger: what moved, and moving it."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status
from pydantic import Field, StringConstraints

from edge.auth import Work, permitted
from edge.idempotency import IdempotencyHeader, once
from edge.problems import PROBLEMS
from server.core.paging import MAX_PAGE
from server.core.wire import Id, Line, Name, WireIn, WireOut
from server.identity.domain import Permission
from server.inventory import service
from server.inventory.domain import Reason

router = APIRouter(prefix="/api/v1", tags=["stock"], responses=PROBLEMS)


class OfficeReason(StrEnum):
    """Why the office moves stock; a reversal is made by naming the movement it undoes."""

    GOODS_IN = "goods_in"
    TRANSFER = "transfer"
    USED = "used"
    RETURNED = "returned"
    COUNTED = "counted"


class NewStockMovement(WireIn):
    part_id: Id
    from_id: Id
    to_id: Id
    quantity: Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=3)]
    reason: OfficeReason
    serial: Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)] | None = None
    work_order_id: Id | None = None
    why: Line | None = None


class ReverseMovement(WireIn):
    why: Name


class StockMovementOut(WireOut):
    id: UUID
    part_id: UUID
    sku: str
    from_id: UUID
    from_name: str
    to_id: UUID
    to_name: str
    quantity: float
    serial: str | None
    reason: Reason
    work_order_id: UUID | None
    visit_id: UUID | None
    reverses_id: UUID | None
    count_id: UUID | None
    why: str | None
    moved_by: UUID
    moved_by_name: str
    device_id: UUID | None
    at: datetime
    recorded_at: datetime


class StockMovementsOut(WireOut):
    items: list[StockMovementOut]
    next_cursor: str | None


@router.post("/stock-movements", status_code=status.HTTP_201_CREATED)
async def move_stock(
    work: Annotated[Work, permitted(Permission.STOCK_MOVE)], body: NewStockMovement, key: IdempotencyHeader = None
) -> StockMovementOut:
    """Take from one location and give to another. A warehouse never goes below zero."""

    async def act() -> StockMovementOut:
        movement = work.uow.new_id()
        await service.move(
            work.uow,
            work.actor,
            id=movement,
            part=body.part_id,
            source=body.from_id,
            target=body.to_id,
            quantity=body.quantity,
            reason=Reason(body.reason),
            serial=body.serial,
            work_order_id=body.work_order_id,
            why=body.why,
        )
        return StockMovementOut.model_validate(await service.movement(work.uow, movement))

    return await once(work, key, body, StockMovementOut, act)


@router.post("/stock-movements/{movement_id}/reversal", status_code=status.HTTP_201_CREATED)
async def reverse_stock_movement(
    work: Annotated[Work, permitted(Permission.STOCK_MOVE)],
    movement_id: Id,
    body: ReverseMovement,
    key: IdempotencyHeader = None,
) -> StockMovementOut:
    """Undo a movement by its opposite; both stay in the ledger."""

    async def act() -> StockMovementOut:
        return StockMovementOut.model_validate(await service.reverse(work.uow, work.actor, movement_id, body.why))

    return await once(work, key, body, StockMovementOut, act)


@router.get("/stock-movements")
async def list_stock_movements(
    work: Annotated[Work, permitted(Permission.STOCK_READ)],
    part_id: Id | None = None,
    location_id: Id | None = None,
    work_order_id: Id | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> StockMovementsOut:
    """Answer the newest first."""
    return StockMovementsOut.model_validate(
        await service.list_movements(
            work.uow,
            part_id=part_id,
            location_id=location_id,
            work_order_id=work_order_id,
            cursor=cursor,
            limit=limit,
        )
    )
