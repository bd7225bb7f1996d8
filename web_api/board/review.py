"""The inbox: conflicts and what could not be taken in, settled by people."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from edge.auth import Work, anyone_signed_in
from edge.idempotency import IdempotencyHeader, once
from edge.problems import PROBLEMS
from edge.services import ServicesOf
from server.core.paging import MAX_PAGE
from server.core.wire import Id, Search, Text, WireIn, WireOut
from server.identity.domain import Permission
from server.sync import review
from server.sync.matters import ItemState, Matter, Verdict
from server.sync.reach import reach_of
from server.sync.review_queries import Item, Sought
from server.workorders import reading
from server.workorders.views import WorkOrderSummary

router = APIRouter(prefix="/api/v1/inbox", tags=["review"], responses=PROBLEMS)


class InboxOrder(WireOut):
    """The order an item is about."""

    id: UUID
    number: int
    title: str
    state: str
    customer_name: str
    site_name: str


class InboxItem(WireOut):
    """`at_estimated` is when it happened by the server's clock, `uncertainty_ms` either way; `order` if there is one.

    `name` is the mutation's. An item whose order is gone has a `work_order_id` and no `order`; who may not see orders
    gets neither.
    """

    id: UUID
    kind: Matter
    code: str
    name: str
    mutation_id: UUID
    work_order_id: UUID | None
    order: InboxOrder | None
    person_id: UUID
    person_name: str
    device_id: UUID
    device_name: str
    at_device: datetime
    at_estimated: datetime
    uncertainty_ms: int
    received_at: datetime
    opened_at: datetime
    state: ItemState
    verdict: Verdict | None
    settled_at: datetime | None
    settled_by_name: str | None
    notes: int


class InboxPage(WireOut):
    items: list[InboxItem]
    next_cursor: str | None


class InboxCounts(WireOut):
    """How many items are open."""

    conflict: int
    quarantine: int


class RemarkOut(WireOut):
    """`result` is what a replay came to."""

    id: UUID
    verdict: Verdict
    note: str | None
    result: dict[str, Any] | None
    person_id: UUID
    person_name: str
    at: datetime


class InboxCase(InboxItem):
    """Both sides (null in quarantine) and the mutation word for word as it was recorded, with its first result."""

    entity: str | None
    entity_id: UUID | None
    mine: dict[str, Any] | None
    theirs: dict[str, Any] | None
    mutation: dict[str, Any]
    result: dict[str, Any]
    remarks: list[RemarkOut]


class Settle(WireIn):
    """Conflicts take `accept_mine` (the device's side) or `accept_theirs`, quarantine `replay` or `discard`."""

    choice: Verdict
    note: Text | None = None


@router.get("")
async def list_inbox(
    work: Annotated[Work, anyone_signed_in()],
    state: ItemState | None = ItemState.OPEN,
    kind: Matter | None = None,
    code: Annotated[Search | None, Query()] = None,
    person_id: UUID | None = None,
    device_id: UUID | None = None,
    work_order_id: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> InboxPage:
    """Items, newest first; open ones unless asked otherwise. Who only keeps the stock gets what is about parts."""
    sought = Sought(state, kind, code, person_id, device_id, work_order_id, reach_of(work.actor).prefix)
    page = await review.items(work.uow, sought, cursor=cursor, limit=limit)
    return InboxPage(items=await _items_out(work, page.items), next_cursor=page.next_cursor)


@router.get("/counts")
async def count_inbox(work: Annotated[Work, anyone_signed_in()]) -> InboxCounts:
    found = await review.counts(work.uow, prefix=reach_of(work.actor).prefix)
    return InboxCounts(conflict=found.get(Matter.CONFLICT, 0), quarantine=found.get(Matter.QUARANTINE, 0))


@router.get("/{item_id}")
async def get_inbox_item(work: Annotated[Work, anyone_signed_in()], item_id: Id) -> InboxCase:
    found = await review.case(work.uow, item_id, prefix=reach_of(work.actor).prefix)
    return InboxCase(
        **(await _items_out(work, [found.item]))[0].model_dump(),
        entity=found.sides.entity if found.sides else None,
        entity_id=found.sides.entity_id if found.sides else None,
        mine=found.sides.mine if found.sides else None,
        theirs=found.sides.theirs if found.sides else None,
        mutation=dict(found.envelope),
        result=dict(found.result),
        remarks=[RemarkOut.model_validate(remark) for remark in found.remarks],
    )


@router.post("/{item_id}/settle")
async def settle_inbox_item(
    work: Annotated[Work, anyone_signed_in()],
    services: ServicesOf,
    item_id: Id,
    body: Settle,
    key: IdempotencyHeader = None,
) -> InboxItem:
    """Decide, remark or undo. Of two people at once the second gets 409 and who was first.

    A replay that fails again leaves the item open; why is among its remarks. Who only keeps the stock may replay,
    discard and remark on what is about parts.
    """
    reach = reach_of(work.actor)

    async def act() -> InboxItem:
        item = await review.settle_within(
            work.uow, services.registry, work.actor, reach, item_id, body.choice, body.note
        )
        return (await _items_out(work, [item]))[0]

    return await once(work, key, body, InboxItem, act)


async def _items_out(work: Work, items: list[Item]) -> list[InboxItem]:
    if not work.actor.may(Permission.ORDERS_READ):
        return [InboxItem(**(vars(item) | {"work_order_id": None}), order=None) for item in items]
    wanted = sorted({item.work_order_id for item in items if item.work_order_id})
    orders = {summary.id: summary for summary in await reading.summaries_of(work.uow, wanted)} if wanted else {}
    return [_item_out(item, orders) for item in items]


def _item_out(item: Item, orders: dict[UUID, WorkOrderSummary]) -> InboxItem:
    order = orders.get(item.work_order_id) if item.work_order_id else None
    return InboxItem(**vars(item), order=InboxOrder.model_validate(order) if order else None)
