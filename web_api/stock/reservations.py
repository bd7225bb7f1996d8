"""Promising stock to orders."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status
from pydantic import Field

from edge.auth import Work, permitted
from edge.idempotency import IdempotencyHeader, once
from edge.problems import PROBLEMS
from server.core.paging import MAX_PAGE
from server.core.wire import Id, Instant, Name, WireIn, WireOut
from server.identity.domain import Permission
from server.inventory import reservations
from server.inventory.domain import ReservationState

router = APIRouter(prefix="/api/v1", tags=["stock"], responses=PROBLEMS)


class NewReservation(WireIn):
    work_order_id: Id
    part_id: Id
    location_id: Id
    quantity: Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=3)]
    expires_at: Instant | None = None


class ReleaseReservation(WireIn):
    why: Name


class ReservationOut(WireOut):
    id: UUID
    work_order_id: UUID
    part_id: UUID
    sku: str
    location_id: UUID
    location_name: str
    quantity: float
    used: float
    state: ReservationState
    expires_at: datetime | None
    reserved_by: UUID
    at: datetime
    ended_at: datetime | None
    why: str | None


class ReservationsOut(WireOut):
    items: list[ReservationOut]
    next_cursor: str | None


@router.post("/reservations", status_code=status.HTTP_201_CREATED)
async def reserve_stock(
    work: Annotated[Work, permitted(Permission.STOCK_MOVE)], body: NewReservation, key: IdempotencyHeader = None
) -> ReservationOut:
    """Promise what lies free at a place to an order. Nothing is promised twice."""

    async def act() -> ReservationOut:
        return ReservationOut.model_validate(await reservations.reserve(work.uow, work.actor, **dict(body)))

    return await once(work, key, body, ReservationOut, act)


@router.post("/reservations/{reservation_id}/release")
async def release_reservation(
    work: Annotated[Work, permitted(Permission.STOCK_MOVE)],
    reservation_id: Id,
    body: ReleaseReservation,
    key: IdempotencyHeader = None,
) -> ReservationOut:
    """Give back what is left of a promise."""

    async def act() -> ReservationOut:
        return ReservationOut.model_validate(await reservations.release(work.uow, work.actor, reservation_id, body.why))

    return await once(work, key, body, ReservationOut, act)


@router.get("/reservations")
async def list_reservations(
    work: Annotated[Work, permitted(Permission.STOCK_READ)],
    work_order_id: Id | None = None,
    location_id: Id | None = None,
    part_id: Id | None = None,
    state: ReservationState | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> ReservationsOut:
    """Answer the newest first."""
    return ReservationsOut.model_validate(
        await reservations.list_reservations(
            work.uow,
            work_order_id=work_order_id,
            location_id=location_id,
            part_id=part_id,
            state=state,
            cursor=cursor,
            limit=limit,
        )
    )
