"""Dependencies that would point up become events.

A domain appends an event in its own transaction. The relay in the worker gives each committed event the next
`position` and, in the same transaction, enqueues one job per subscriber: nothing is delivered that did not
happen, nothing that happened is missed. Positions are handed out by one relay at a time, after commit, so a
reader that remembers the last position it saw can't skip a slow writer's event.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from server.core.db import UnitOfWork
from server.core.logging import trace_id


@dataclass(frozen=True)
class Event:
    id: UUID
    name: str  # for example "visit.assigned"
    subject_kind: str
    subject_id: UUID
    payload: Mapping[str, Any]
    actor_id: UUID | None
    trace_id: str  # of the request that made it happen
    at: datetime
    position: int | None


type Subscriber = Callable[[UnitOfWork, Event], Awaitable[None]]


@dataclass(frozen=True)
class Subscriptions:
    """Who wants to know what. Built once at the composition root."""

    by_name: dict[str, Subscriber] = field(default_factory=dict)
    events: dict[str, list[str]] = field(default_factory=dict)

    def on(self, event: str, subscriber: Subscriber) -> None:
        name = f"{subscriber.__module__}.{subscriber.__name__}"
        self.by_name[name] = subscriber
        self.events.setdefault(event, []).append(name)


async def append(
    uow: UnitOfWork,
    name: str,
    *,
    subject: tuple[str, UUID],
    actor: UUID | None = None,
    payload: Mapping[str, Any] | None = None,
) -> None:
    """Record that something happened; `payload` holds plain JSON values."""
    kind, subject_id = subject
    await uow.run(
        """
        insert into event (org_id, id, name, subject_kind, subject_id, payload, actor_id, trace_id, at)
        values (%(org)s, %(id)s, %(name)s, %(kind)s, %(subject)s, %(payload)s, %(actor)s, %(trace)s, %(at)s)
        """,
        org=uow.org,
        id=uow.new_id(),
        name=name,
        kind=kind,
        subject=subject_id,
        payload=dict(payload or {}),
        actor=actor,
        trace=trace_id.get(),
        at=uow.now(),
    )


_COLUMNS = "id, name, subject_kind, subject_id, payload, actor_id, trace_id, at, position"


async def event(uow: UnitOfWork, event_id: UUID) -> Event | None:
    return await uow.one_of(Event, f"select {_COLUMNS} from event where id = %(id)s", id=event_id)


async def events_after(uow: UnitOfWork, position: int, limit: int = 500) -> list[Event]:
    """Answer the organisation's relayed events behind `position`, oldest first."""
    return await uow.all_of(
        Event,
        f"select {_COLUMNS} from event where position > %(position)s order by position limit %(limit)s",
        position=position,
        limit=limit,
    )


async def last_position(uow: UnitOfWork) -> int:
    return int(await uow.value("select coalesce(max(position), 0) from event"))
