"""Where stock can be, and how much of it is there."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status

from edge.auth import Work, permitted
from edge.idempotency import IdempotencyHeader, once
from edge.problems import PROBLEMS
from server.core.paging import MAX_PAGE
from server.core.wire import Id, Name, PlaceIn, WireIn, WireOut
from server.identity.domain import Permission
from server.inventory import service
from server.inventory.domain import LocationKind

router = APIRouter(prefix="/api/v1", tags=["stock"], responses=PROBLEMS)


class NewStockLocation(WireIn):
    kind: LocationKind
    name: Name
    person_id: Id | None = None
    place: PlaceIn | None = None


class StockLocationOut(WireOut):
    id: UUID
    kind: LocationKind
    name: str
    person_id: UUID | None


class StockLocationsOut(WireOut):
    items: list[StockLocationOut]
    next_cursor: str | None


class StockLevelOut(WireOut):
    location_id: UUID
    location_name: str
    part_id: UUID
    sku: str
    part_name: dict[str, str]
    unit: str
    quantity: float
    reserved: float
    free: float


class StockOut(WireOut):
    items: list[StockLevelOut]
    next_cursor: str | None


@router.get("/stock-locations")
async def list_stock_locations(work: Annotated[Work, permitted(Permission.STOCK_READ)]) -> StockLocationsOut:
    """Answer all locations, the outside world's three included; there is one page."""
    found = await service.list_locations(work.uow)
    return StockLocationsOut(items=[StockLocationOut.model_validate(place) for place in found], next_cursor=None)


@router.post("/stock-locations", status_code=status.HTTP_201_CREATED)
async def add_stock_location(
    work: Annotated[Work, permitted(Permission.STOCK_MOVE)], body: NewStockLocation, key: IdempotencyHeader = None
) -> StockLocationOut:
    async def act() -> StockLocationOut:
        made = await service.add_location(
            work.uow,
            kind=body.kind,
            name=body.name,
            person_id=body.person_id,
            place=body.place.model_dump() if body.place else None,
        )
        return StockLocationOut.model_validate(made)

    return await once(work, key, body, StockLocationOut, act)


@router.get("/stock")
async def list_stock(
    work: Annotated[Work, permitted(Permission.STOCK_READ)],
    location_id: Id | None = None,
    part_id: Id | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> StockOut:
    """Answer what lies where; a van below zero is shown as it is."""
    return StockOut.model_validate(
        await service.list_stock(work.uow, location_id=location_id, part_id=part_id, cursor=cursor, limit=limit)
    )
