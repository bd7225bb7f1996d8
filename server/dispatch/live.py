"""A board's beginning and its news, read set-based from the relayed events."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import NoReturn
from uuid import UUID

from server.core import events
from server.core.db import Database, UnitOfWork
from server.core.events import Event
from server.dispatch import queries
from server.dispatch.board import EngineerStatus, News, Snapshot
from server.notify.lines import Lines
from server.workorders import reading
from server.workorders.views import WorkOrderSummary

POLL_S = 0.3
MOST_MISSED = 1_000  # who missed more is quicker with a fresh snapshot
_BATCH = 500

# Kinds of subjects whose events are told to boards; the rest is nobody's business there.
_TOLD = frozenset({"work_order", "visit", "fence", "plan", "disruption"})


async def snapshot(uow: UnitOfWork) -> Snapshot:
    # The position comes first: what changes while the rest is read is then told again as news, never missed.
    position = await events.last_position(uow)
    return Snapshot(
        position,
        await queries.statuses(uow, uow.now()),
        await reading.open_summaries(uow),
        await reading.counts(uow),
    )


async def follow(database: Database, org: UUID, lines: Lines[News]) -> NoReturn:
    """Tell an organisation's boards in this process what happens, for as long as it runs."""
    async with database.unit_of_work(org) as uow:
        position = await events.last_position(uow)
    lines.ready.set()
    while True:
        async with database.unit_of_work(org) as uow:
            happened = await events.events_after(uow, position, _BATCH)
            news = await news_of(uow, happened)
        for item in news:
            lines.put_to_all(item)
        if happened:
            position = happened[-1].position or position
        if len(happened) < _BATCH:
            await asyncio.sleep(POLL_S)


async def now(uow: UnitOfWork) -> int:
    """Answer the position of the newest event told."""
    return await events.last_position(uow)


async def missed(uow: UnitOfWork, position: int) -> tuple[int, list[News] | None]:
    """Answer up to where a board that saw `position` is brought, and its news; None when it must start afresh."""
    newest = await events.last_position(uow)
    happened = await events.events_after(uow, position, MOST_MISSED + 1)
    # A position from the future is one of another database, restored from an older state.
    if len(happened) > MOST_MISSED or position > newest:
        return newest, None
    return (happened[-1].position or newest) if happened else newest, await news_of(uow, happened)


async def news_of(uow: UnitOfWork, happened: Sequence[Event]) -> list[News]:
    """Answer what boards show of these events: each order and engineer once, as they are now, then the events told."""
    if not happened:
        return []
    orders, engineers = _touched(happened)
    summaries = await reading.summaries_of(uow, list(orders)) if orders else []
    statuses = await queries.statuses(uow, uow.now(), list(engineers)) if engineers else []
    told = [event for event in happened if event.subject_kind in _TOLD]
    placed: list[tuple[int, int, WorkOrderSummary | EngineerStatus | Event]] = [
        *((orders[order.id], 0, order) for order in summaries),
        *((engineers[engineer.id], 1, engineer) for engineer in statuses),
        *((event.position or 0, 2, event) for event in told),
    ]
    placed.sort(key=lambda item: item[:2])
    # A reader remembers a position only when all news of it have been sent.
    ends = [here[0] != following[0] for here, following in pairwise(placed)]
    marks = [*ends, True] if placed else []
    return [News(position, what, mark) for (position, _, what), mark in zip(placed, marks, strict=True)]


def _touched(happened: Sequence[Event]) -> tuple[dict[UUID, int], dict[UUID, int]]:
    """The orders and engineers these events are about, each with the position of the last of them."""
    orders: dict[UUID, int] = {}
    engineers: dict[UUID, int] = {}
    for event in happened:
        position = event.position or 0
        if event.subject_kind == "work_order":
            orders[event.subject_id] = position
        if event.subject_kind == "person":
            engineers[event.subject_id] = position
        if engineer := event.payload.get("engineer_id"):
            engineers[UUID(engineer)] = position
    return orders, engineers
