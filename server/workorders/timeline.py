"""The history of an order. Every change leaves an entry, whoever made it and however late it arrived."""

from collections.abc import Mapping
from typing import Any, Required, TypedDict, Unpack
from uuid import UUID

from server.core.db import UnitOfWork
from server.identity.domain import Actor
from server.workorders import queries
from server.workorders.domain import OFFICE, Circumstances, State
from server.workorders.records import TimelineEntry

PORTAL_NAME = "Customer portal"


class Said(TypedDict, total=False):
    """What an entry says, besides who and when."""

    action: Required[str]
    visit_id: UUID | None
    moved: tuple[State | None, State] | None
    why: str | None
    facts: Mapping[str, Any] | None
    circumstances: Circumstances


async def append(uow: UnitOfWork, actor: Actor | None, *, work_order_id: UUID, **said: Unpack[Said]) -> TimelineEntry:
    """Record one thing that happened. No actor means the customer, through the portal."""
    it = entry(uow, actor, **said)
    await queries.insert_timeline(uow, it, work_order_id)
    return it


def entry(
    uow: UnitOfWork,
    actor: Actor | None,
    *,
    action: str,
    visit_id: UUID | None = None,
    moved: tuple[State | None, State] | None = None,
    why: str | None = None,
    facts: Mapping[str, Any] | None = None,
    circumstances: Circumstances = OFFICE,
) -> TimelineEntry:
    """Put an entry together, to be written with what it tells of."""
    occurrence = circumstances.occurrence
    before, after = moved or (None, None)
    return TimelineEntry(
        id=uow.new_id(),
        visit_id=visit_id,
        action=action,
        from_state=before,
        to_state=after,
        actor_id=actor.person if actor else None,
        actor_name=actor.name if actor else PORTAL_NAME,
        device_id=circumstances.device,
        at_device=occurrence.at_device if occurrence else None,
        at=occurrence.at if occurrence else uow.now(),
        recorded_at=uow.now(),
        place=circumstances.place,
        why=why,
        facts={**(facts or {}), **_evidence(circumstances)},
    )


def _evidence(circumstances: Circumstances) -> dict[str, Any]:
    """Answer what is worth knowing about how an entry came about."""
    found: dict[str, Any] = {}
    if circumstances.mutation:
        found["mutation_id"] = str(circumstances.mutation)
    if circumstances.occurrence:
        found["uncertainty_ms"] = circumstances.occurrence.uncertainty_ms
        if circumstances.occurrence.clock_future:
            found["clock_future"] = True
    return found
