"""The history of an order. Every change leaves an entry, whoever made it and however late it arrived."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from server.core.db import UnitOfWork
from server.identity.domain import Actor
from server.workorders import queries
from server.workorders.domain import OFFICE, Circumstances, State
from server.workorders.records import TimelineEntry

PORTAL_NAME = "Customer portal"


async def append(
    uow: UnitOfWork,
    actor: Actor | None,
    *,
    work_order_id: UUID,
    action: str,
    visit_id: UUID | None = None,
    moved: tuple[State | None, State] | None = None,
    why: str | None = None,
    facts: Mapping[str, Any] | None = None,
    circumstances: Circumstances = OFFICE,
) -> TimelineEntry:
    """Record one thing that happened. No actor means the customer, through the portal."""
    occurrence = circumstances.occurrence
    before, after = moved or (None, None)
    entry = TimelineEntry(
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
    await queries.insert_timeline(uow, entry, work_order_id)
    return entry


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
