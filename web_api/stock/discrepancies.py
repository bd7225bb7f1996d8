"""Where ledger and world differ: the stock desk's list of things to clear up."""

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
from server.core.wire import Id, Name, WireIn, WireOut
from server.identity.domain import Permission
from server.inventory import discrepancies
from server.inventory.domain import DiscrepancyKind, DiscrepancyState

router = APIRouter(prefix="/api/v1", tags=["stock"], responses=PROBLEMS)

type Difference = Annotated[Decimal, Field(ge=-1_000_000, le=1_000_000, decimal_places=3)]


class NewDiscrepancy(WireIn):
    kind: DiscrepancyKind
    part_id: Id
    location_id: Id
    note: Name
    serial: Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)] | None = None
    expected: Difference | None = None
    found: Difference | None = None


class ResolveDiscrepancy(WireIn):
    why: Name


class DiscrepancyOut(WireOut):
    id: UUID
    kind: DiscrepancyKind
    part_id: UUID
    sku: str
    location_id: UUID | None
    location_name: str | None
    serial: str | None
    expected: float | None
    found: float | None
    movement_id: UUID | None
    count_id: UUID | None
    transfer_id: UUID | None
    mutation_id: UUID | None
    work_order_id: UUID | None
    note: str | None
    state: DiscrepancyState
    opened_at: datetime
    opened_by: UUID | None
    resolved_at: datetime | None
    resolved_by: UUID | None
    resolution: str | None


class DiscrepanciesOut(WireOut):
    items: list[DiscrepancyOut]
    next_cursor: str | None


@router.get("/stock-discrepancies")
async def list_stock_discrepancies(
    work: Annotated[Work, permitted(Permission.STOCK_READ)],
    state: DiscrepancyState | None = None,
    kind: DiscrepancyKind | None = None,
    location_id: Id | None = None,
    part_id: Id | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> DiscrepanciesOut:
    """Answer the newest first."""
    return DiscrepanciesOut.model_validate(
        await discrepancies.list_discrepancies(
            work.uow,
            state=state,
            kind=kind,
            location_id=location_id,
            part_id=part_id,
            cursor=cursor,
            limit=limit,
        )
    )


@router.get("/stock-discrepancies/{discrepancy_id}")
async def read_stock_discrepancy(
    work: Annotated[Work, permitted(Permission.STOCK_READ)], discrepancy_id: Id
) -> DiscrepancyOut:
    return DiscrepancyOut.model_validate(await discrepancies.find(work.uow, discrepancy_id))


@router.post("/stock-discrepancies", status_code=status.HTTP_201_CREATED)
async def open_stock_discrepancy(
    work: Annotated[Work, permitted(Permission.STOCK_MOVE)], body: NewDiscrepancy, key: IdempotencyHeader = None
) -> DiscrepancyOut:
    """Note a difference somebody saw. A van below zero has one open task at most: it is answered then."""

    async def act() -> DiscrepancyOut:
        return DiscrepancyOut.model_validate(
            await discrepancies.open_by_hand(
                work.uow,
                work.actor,
                kind=body.kind,
                part=body.part_id,
                location=body.location_id,
                note=body.note,
                expected=body.expected,
                found=body.found,
                serial=body.serial,
            )
        )

    return await once(work, key, body, DiscrepancyOut, act)


@router.post("/stock-discrepancies/{discrepancy_id}/resolution")
async def resolve_stock_discrepancy(
    work: Annotated[Work, permitted(Permission.STOCK_MOVE)],
    discrepancy_id: Id,
    body: ResolveDiscrepancy,
    key: IdempotencyHeader = None,
) -> DiscrepancyOut:
    """Say what it was. Stock is put right by counting or moving it, not here."""

    async def act() -> DiscrepancyOut:
        return DiscrepancyOut.model_validate(
            await discrepancies.resolve(work.uow, work.actor, discrepancy_id, body.why)
        )

    return await once(work, key, body, DiscrepancyOut, act)
