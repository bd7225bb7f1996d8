"""The parts catalogue."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status
from pydantic import Field, StringConstraints

from edge.auth import Work, permitted
from edge.idempotency import IdempotencyHeader, once
from edge.problems import PROBLEMS
from server.core.paging import MAX_PAGE
from server.core.wire import Name, Search, WireIn, WireOut
from server.identity.domain import Permission
from server.inventory import service

router = APIRouter(prefix="/api/v1", tags=["stock"], responses=PROBLEMS)


class PartName(WireIn):
    en: Name
    zh: Name


class NewPart(WireIn):
    sku: Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]
    name: PartName
    unit: Annotated[str, StringConstraints(min_length=1, max_length=20, strip_whitespace=True)]
    serial_tracked: bool = False
    price_minor: Annotated[int, Field(ge=0, lt=2**31, description="of one unit, in the currency's smallest unit")]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class PartOut(WireOut):
    id: UUID
    sku: str
    name: dict[str, str]
    unit: str
    serial_tracked: bool
    price_minor: int
    currency: str


class PartsOut(WireOut):
    items: list[PartOut]
    next_cursor: str | None


@router.get("/parts")
async def list_parts(
    work: Annotated[Work, permitted(Permission.STOCK_READ)],
    q: Annotated[Search | None, Query(description="in the number or either name")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> PartsOut:
    return PartsOut.model_validate(await service.list_parts(work.uow, q=q, cursor=cursor, limit=limit))


@router.post("/parts", status_code=status.HTTP_201_CREATED)
async def add_part(
    work: Annotated[Work, permitted(Permission.STOCK_MOVE)], body: NewPart, key: IdempotencyHeader = None
) -> PartOut:
    async def act() -> PartOut:
        made = await service.add_part(work.uow, **(dict(body) | {"name": body.name.model_dump()}))
        return PartOut.model_validate(made)

    return await once(work, key, body, PartOut, act)
