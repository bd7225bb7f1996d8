"""Counting shelves and receiving what was sent."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status
from pydantic import Field, StringConstraints

from edge.auth import Work, permitted
from edge.idempotency import IdempotencyHeader, once
from edge.problems import PROBLEMS
from server.core.paging import MAX_PAGE
from server.core.wire import Id, WireIn, WireOut
from server.identity.domain import Permission
from server.inventory import counts, transfers
from server.inventory.domain import CountTold, TransferState

router = APIRouter(prefix="/api/v1", tags=["stock"], responses=PROBLEMS)

type Serial = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]


class NewStockCount(WireIn):
    location_id: Id
    part_id: Id
    quantity: Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=3)]
    serials: Annotated[
        list[Serial] | None, Field(max_length=10_000, description="of each piece, where serial numbers are tracked")
    ] = None


class StockCountOut(WireOut):
    id: UUID
    location_id: UUID
    part_id: UUID
    quantity: float
    serials: list[str] | None
    counted_by: UUID
    device_id: UUID | None
    at: datetime
    recorded_at: datetime


class NewReceipt(WireIn):
    location_id: Id
    quantity: Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=3)]


class TransferOut(WireOut):
    id: UUID
    part_id: UUID
    serial: str | None
    from_id: UUID | None
    to_id: UUID
    into_id: UUID | None
    state: TransferState
    sent: float | None
    sent_at: datetime | None
    sent_by: UUID | None
    received: float | None
    received_at: datetime | None
    received_by: UUID | None


class TransfersOut(WireOut):
    items: list[TransferOut]
    next_cursor: str | None


@router.post("/stock-counts", status_code=status.HTTP_201_CREATED)
async def count_stock(
    work: Annotated[Work, permitted(Permission.STOCK_MOVE)], body: NewStockCount, key: IdempotencyHeader = None
) -> StockCountOut:
    """Say what lies there now; the difference is booked, and a task is opened for it."""

    async def act() -> StockCountOut:
        told = CountTold(
            id=work.uow.new_id(),
            location=body.location_id,
            part=body.part_id,
            quantity=body.quantity,
            serials=tuple(body.serials) if body.serials is not None else None,
            at=work.uow.now(),
        )
        return StockCountOut.model_validate(await counts.count(work.uow, work.actor, told))

    return await once(work, key, body, StockCountOut, act)


@router.get("/stock-transfers")
async def list_stock_transfers(
    work: Annotated[Work, permitted(Permission.STOCK_READ)],
    state: Annotated[list[TransferState] | None, Query(max_length=len(TransferState))] = None,
    location_id: Id | None = None,
    part_id: Id | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> TransfersOut:
    """Answer the newest first; those in the state `sent` are on the way."""
    return TransfersOut.model_validate(
        await transfers.list_transfers(
            work.uow,
            states=tuple(state or TransferState),
            location_id=location_id,
            part_id=part_id,
            cursor=cursor,
            limit=limit,
        )
    )


@router.post("/stock-transfers/{transfer_id}/receipt")
async def receive_stock_transfer(
    work: Annotated[Work, permitted(Permission.STOCK_MOVE)],
    transfer_id: Id,
    body: NewReceipt,
    key: IdempotencyHeader = None,
) -> TransferOut:
    """Say that what somebody sent arrived. What differs from what was sent becomes a task."""

    async def act() -> TransferOut:
        return TransferOut.model_validate(
            await transfers.accept(work.uow, work.actor, transfer_id, into=body.location_id, quantity=body.quantity)
        )

    return await once(work, key, body, TransferOut, act)
