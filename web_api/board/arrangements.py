"""When else a customer could be visited, and which orders depend on each other."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, status
from pydantic import Field, model_validator

from edge.auth import Work, anyone_signed_in, permitted
from edge.problems import PROBLEMS
from server.core.wire import Id, Instant, WireIn, WireOut
from server.identity.domain import Permission
from server.workorders import access, arrangements
from server.workorders.domain import LinkKind
from server.workorders.views import Window

router = APIRouter(prefix="/api/v1", tags=["work orders"], responses=PROBLEMS)

type Triaging = Annotated[Work, permitted(Permission.ORDERS_TRIAGE)]


class WindowIn(WireIn):
    """Work may begin from `opens_at` to `closes_at`."""

    opens_at: Instant
    closes_at: Instant

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.closes_at <= self.opens_at:
            message = "closes_at must lie after opens_at"
            raise ValueError(message)
        return self


class Windows(WireIn):
    items: Annotated[list[WindowIn], Field(max_length=20)]


class WindowOut(WireOut):
    opens_at: datetime
    closes_at: datetime


class WindowsOut(WireOut):
    items: list[WindowOut]


class NewLink(WireIn):
    """`together`: begun in the same minute by two engineers; `before`: `then_id` begins after `first_id` has ended."""

    kind: LinkKind
    first_id: Id
    then_id: Id
    gap_minutes: Annotated[int, Field(ge=0, le=100_000)] = 0

    @model_validator(mode="after")
    def _are_two(self) -> Self:
        if self.first_id == self.then_id:
            message = "an order can't depend on itself"
            raise ValueError(message)
        if self.gap_minutes and self.kind is LinkKind.TOGETHER:
            message = "what begins together has no gap"
            raise ValueError(message)
        return self


class LinkOut(WireOut):
    id: UUID
    kind: LinkKind
    first_id: UUID
    first_number: int
    first_title: str
    then_id: UUID
    then_number: int
    then_title: str
    gap_minutes: int


class LinksOut(WireOut):
    items: list[LinkOut]


@router.get("/work-orders/{work_order_id}/windows")
async def list_windows(work_order_id: Id, work: Annotated[Work, anyone_signed_in()]) -> WindowsOut:
    """Times the customer offered besides the order's own window."""
    await access.work_order_for(work.uow, work.actor, work_order_id)
    return WindowsOut.model_validate({"items": await arrangements.windows(work.uow, work_order_id)})


@router.put("/work-orders/{work_order_id}/windows")
async def set_windows(work_order_id: Id, work: Triaging, body: Windows) -> WindowsOut:
    wanted = [Window(it.opens_at, it.closes_at) for it in body.items]
    kept = await arrangements.set_windows(work.uow, work.actor, work_order_id, wanted)
    return WindowsOut.model_validate({"items": kept})


@router.get("/work-orders/{work_order_id}/links")
async def list_links(work_order_id: Id, work: Annotated[Work, anyone_signed_in()]) -> LinksOut:
    await access.work_order_for(work.uow, work.actor, work_order_id)
    return LinksOut.model_validate({"items": await arrangements.links(work.uow, work_order_id)})


@router.post("/work-order-links", status_code=status.HTTP_201_CREATED)
async def link_orders(work: Triaging, body: NewLink) -> LinksOut:
    """Link two orders; answers every link of the first."""
    return LinksOut.model_validate({"items": await arrangements.link(work.uow, work.actor, **dict(body))})


@router.delete("/work-order-links/{link_id}", status_code=status.HTTP_204_NO_CONTENT)
async def unlink_orders(link_id: Id, work: Triaging) -> None:
    await arrangements.unlink(work.uow, work.actor, link_id)
