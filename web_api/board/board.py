"""The dispatcher's board: everything at once, then what changes."""

import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.sse import EventSourceResponse, ServerSentEvent

from edge.auth import Work, permitted
from edge.problems import PROBLEMS
from edge.services import ServicesOf
from edge.streams import LastEventId, Listener, listening
from server.core.events import Event
from server.core.wire import PlaceOut, WireOut
from server.dispatch import live
from server.dispatch.board import EngineerState, EngineerStatus, News
from server.identity.access import require
from server.identity.domain import Permission
from server.workorders.views import WorkOrderSummary as OrderView
from web_api.board.summaries import WorkOrderSummary

router = APIRouter(prefix="/api/v1", tags=["board"], responses=PROBLEMS)

_POSITION = re.compile(r"\d{1,18}")


class ShiftTimes(WireOut):
    starts_at: datetime
    ends_at: datetime


class BoardEngineer(WireOut):
    """`place` is null off shift and in a pause: nobody is watched then. `load_minutes` is open work of today."""

    id: UUID
    name: str
    place: PlaceOut | None
    heading: int | None
    speed_kmh: int | None
    fixed_at: datetime | None
    state: EngineerState
    current_order_id: UUID | None
    load_minutes: int
    capacity_minutes: int
    shift: ShiftTimes | None
    paused_until: datetime | None


class CountsOut(WireOut):
    by_state: dict[str, int]
    by_priority: dict[str, int]


class RegionOut(WireOut):
    name: str
    bounds: list[float]


class BoardSnapshot(WireOut):
    """`position` is what to send as Last-Event-ID to `/board/events`."""

    server_time: datetime
    position: int
    engineers: list[BoardEngineer]
    orders: list[WorkOrderSummary]
    counts: CountsOut
    region: RegionOut | None


class OrderNews(WireOut):
    order: WorkOrderSummary


class EngineerNews(WireOut):
    engineer: BoardEngineer


class EventNews(WireOut):
    name: str
    subject_id: UUID
    at: datetime
    payload: dict[str, Any]


@router.get("/board/snapshot")
async def board_snapshot(
    work: Annotated[Work, permitted(Permission.ORDERS_READ)], services: ServicesOf
) -> BoardSnapshot:
    require(work.actor, Permission.POSITIONS_READ)
    shown = await live.snapshot(work.uow)
    region = services.region
    return BoardSnapshot(
        server_time=work.uow.now(),
        position=shown.position,
        engineers=[_engineer(status) for status in shown.engineers],
        orders=[WorkOrderSummary.model_validate(order) for order in shown.orders],
        counts=CountsOut.model_validate(shown.counts),
        region=RegionOut(name=region.name, bounds=region.bounds.as_list()) if region else None,
    )


@router.get("/board/events", response_class=EventSourceResponse)
async def board_events(
    listener: Annotated[Listener, listening(Permission.ORDERS_READ, Permission.POSITIONS_READ)],
    services: ServicesOf,
    last_event_id: LastEventId = None,
) -> AsyncIterator[ServerSentEvent]:
    """Events `order`, `engineer`, `event`, and `resync` when too much was missed: read the snapshot again.

    Send the snapshot's `position`, later the last id seen, as Last-Event-ID; without it the stream begins now.
    It ends when the access token does; come back with a fresh one.
    """
    org = listener.actor.org
    async with services.board.listen(org, str(listener.actor.person)) as inbox:
        seen, news = await _missed(services, org, last_event_id)
        yield ServerSentEvent(comment="listening", id=str(seen), retry=1_000)
        if news is None:
            yield ServerSentEvent(event="resync", data={}, id=str(seen))
        for item in news or []:
            yield _told(item)
        async for item in listener.take(inbox):
            # What was relayed while the missed news were read is in both.
            if item.position > seen:
                yield _told(item)


async def _missed(services: ServicesOf, org: UUID, last_event_id: str | None) -> tuple[int, list[News] | None]:
    """Answer up to where the board is brought, and how; None when it must read the snapshot again."""
    async with services.database.unit_of_work(org) as uow:
        if last_event_id is None:
            return await live.now(uow), []
        if not _POSITION.fullmatch(last_event_id):
            return await live.now(uow), None
        return await live.missed(uow, int(last_event_id))


def _told(news: News) -> ServerSentEvent:
    # Only the last of several news with one position carries the id: who is cut off in between gets them all again.
    marked = str(news.position) if news.marks else None
    match news.what:
        case OrderView():
            order = WorkOrderSummary.model_validate(news.what)
            return ServerSentEvent(event="order", data=OrderNews(order=order), id=marked)
        case EngineerStatus():
            return ServerSentEvent(event="engineer", data=EngineerNews(engineer=_engineer(news.what)), id=marked)
        case Event():
            return ServerSentEvent(event="event", data=EventNews.model_validate(news.what), id=marked)


def _engineer(status: EngineerStatus) -> BoardEngineer:
    starts_at, ends_at = status.shift_starts_at, status.shift_ends_at
    shift = ShiftTimes(starts_at=starts_at, ends_at=ends_at) if starts_at and ends_at else None
    return BoardEngineer.model_validate({**vars(status), "shift": shift})
