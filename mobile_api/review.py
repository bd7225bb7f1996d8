"""What became of one's own work where it met somebody else's, and a say in it."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from edge.auth import Work, enrolled_device
from edge.idempotency import IdempotencyHeader, once
from edge.problems import PROBLEMS
from edge.services import ServicesOf
from server.core.paging import MAX_PAGE
from server.core.wire import Id, Text, WireIn, WireOut
from server.sync import review
from server.sync.matters import ItemState, Matter, Verdict
from server.sync.review_queries import Sought

router = APIRouter(prefix="/mobile/v1/sync", tags=["review"], responses=PROBLEMS)

type Cursor = Annotated[str | None, Query(max_length=1000)]
type Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]


class OwnItem(WireOut):
    """`name` is the mutation's; `verdict` what was decided."""

    id: UUID
    kind: Matter
    code: str
    name: str
    mutation_id: UUID
    work_order_id: UUID | None
    opened_at: datetime
    state: ItemState
    verdict: Verdict | None
    settled_at: datetime | None
    settled_by_name: str | None


class OwnItems(WireOut):
    items: list[OwnItem]
    next_cursor: str | None


class OwnRemark(WireOut):
    verdict: Verdict
    note: str | None
    person_name: str
    at: datetime


class OwnCase(OwnItem):
    """`mine` is what this person recorded, `theirs` what the server had; both null in quarantine."""

    mine: dict[str, Any] | None
    theirs: dict[str, Any] | None
    mutation: dict[str, Any]
    remarks: list[OwnRemark]


class SettleOwn(WireIn):
    choice: Literal["accept_mine", "accept_theirs", "annotate"]
    note: Text | None = None


@router.get("/conflicts")
async def own_conflicts(
    work: Annotated[Work, enrolled_device()],
    state: ItemState | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> OwnItems:
    """This person's conflicts, newest first."""
    return await _own(work, Matter.CONFLICT, state, limit, cursor)


@router.get("/quarantine")
async def own_quarantine(
    work: Annotated[Work, enrolled_device()],
    state: ItemState | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> OwnItems:
    """What of this person's work could not be taken in, newest first."""
    return await _own(work, Matter.QUARANTINE, state, limit, cursor)


async def _own(work: Work, kind: Matter, state: ItemState | None, limit: int, cursor: str | None) -> OwnItems:
    page = await review.items(
        work.uow, Sought(state=state, kind=kind, person_id=work.actor.person), cursor=cursor, limit=limit
    )
    return OwnItems(items=[OwnItem.model_validate(item) for item in page.items], next_cursor=page.next_cursor)


@router.get("/conflicts/{item_id}")
async def own_conflict(item_id: Id, work: Annotated[Work, enrolled_device()]) -> OwnCase:
    return await _own_case(work, item_id)


@router.get("/quarantine/{item_id}")
async def own_quarantined(item_id: Id, work: Annotated[Work, enrolled_device()]) -> OwnCase:
    return await _own_case(work, item_id)


async def _own_case(work: Work, item_id: UUID) -> OwnCase:
    found = await review.case(work.uow, item_id, person=work.actor.person)
    return OwnCase(
        **OwnItem.model_validate(found.item).model_dump(),
        mine=found.sides.mine if found.sides else None,
        theirs=found.sides.theirs if found.sides else None,
        mutation=dict(found.envelope),
        remarks=[OwnRemark.model_validate(remark) for remark in found.remarks],
    )


@router.post("/conflicts/{item_id}/settle")
async def settle_own_conflict(
    item_id: Id,
    body: SettleOwn,
    work: Annotated[Work, enrolled_device()],
    services: ServicesOf,
    key: IdempotencyHeader = None,
) -> OwnItem:
    """Settle one's own words against somebody else's, or add a remark; all else is for the office."""
    return await _settle(item_id, body, work, services, key)


@router.post("/quarantine/{item_id}/settle")
async def annotate_own_quarantined(
    item_id: Id,
    body: SettleOwn,
    work: Annotated[Work, enrolled_device()],
    services: ServicesOf,
    key: IdempotencyHeader = None,
) -> OwnItem:
    """Add a remark for the office."""
    return await _settle(item_id, body, work, services, key)


async def _settle(item_id: UUID, body: SettleOwn, work: Work, services: ServicesOf, key: str | None) -> OwnItem:
    async def act() -> OwnItem:
        verdict = Verdict(body.choice)
        item = await review.settle_own(work.uow, services.registry, work.actor, item_id, verdict, body.note)
        return OwnItem.model_validate(item)

    return await once(work, key, body, OwnItem, act)
