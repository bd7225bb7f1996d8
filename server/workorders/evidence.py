"""What people record while they work: notes, costs, photos. Evidence is kept, however late it comes.

Ids come from the device. Every function answers None when it already knows the id, which then changes nothing.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from server.core import events
from server.core.db import UnitOfWork
from server.identity.domain import Actor
from server.workorders import record_queries, timeline
from server.workorders.access import Admission
from server.workorders.domain import OFFICE, Circumstances
from server.workorders.errors import EntityGone
from server.workorders.records import CostKind, TimelineEntry


@dataclass(frozen=True)
class Recorded:
    """Something kept. `code` names what became of it if it does not simply stand; `flags` what to look at."""

    facts: dict[str, Any] = field(default_factory=dict)
    code: str | None = None
    flags: tuple[str, ...] = ()


async def add_note(
    uow: UnitOfWork,
    actor: Actor,
    admission: Admission,
    *,
    note_id: UUID,
    body: str,
    circumstances: Circumstances = OFFICE,
) -> Recorded | None:
    new = await record_queries.keep_note(
        uow,
        entry_of(uow, actor, admission, circumstances, "note", {"note_id": str(note_id)}),
        note_id=note_id,
        order_id=admission.order.id,
        author_id=actor.person,
        body=body,
    )
    return await kept(uow, actor, admission, "note") if new else None


async def add_cost(
    uow: UnitOfWork,
    actor: Actor,
    admission: Admission,
    *,
    cost_id: UUID,
    kind: CostKind,
    amount_minor: int,
    currency: str,
    description: str,
    circumstances: Circumstances = OFFICE,
) -> Recorded | None:
    """Record money spent, in the currency's smallest unit."""
    facts = {"cost_id": str(cost_id), "amount_minor": amount_minor, "currency": currency}
    new = await record_queries.keep_cost(
        uow,
        entry_of(uow, actor, admission, circumstances, "cost", facts),
        cost_id=cost_id,
        order_id=admission.order.id,
        person_id=actor.person,
        kind=kind,
        amount_minor=amount_minor,
        currency=currency,
        description=description,
    )
    return await kept(uow, actor, admission, "cost") if new else None


async def add_photo(
    uow: UnitOfWork,
    actor: Actor,
    admission: Admission,
    *,
    photo_id: UUID,
    sha256: str,
    caption: str,
    circumstances: Circumstances = OFFICE,
) -> Recorded | None:
    """Attach a photo by the hash of its bytes, which may come before or after."""
    new = await record_queries.keep_photo(
        uow,
        entry_of(uow, actor, admission, circumstances, "photo", {"photo_id": str(photo_id), "sha256": sha256}),
        photo_id=photo_id,
        order_id=admission.order.id,
        author_id=actor.person,
        sha256=sha256,
        caption=caption,
    )
    return await kept(uow, actor, admission, "photo") if new else None


async def change_photo(
    uow: UnitOfWork,
    actor: Actor,
    admission: Admission,
    *,
    photo_id: UUID,
    action: str,
    caption: str | None = None,
    hidden_why: str | None = None,
    circumstances: Circumstances = OFFICE,
) -> Recorded:
    """Write a caption, hide a photo for a reason or show it again. The last word received counts, the history has all.

    action: photo_caption, photo_hide or photo_show. Raises EntityGone.
    """
    facts = {"photo_id": str(photo_id), "caption": caption}
    entry = entry_of(uow, actor, admission, circumstances, action, facts, why=hidden_why)
    changed = await record_queries.change_photo(
        uow,
        entry,
        photo_id=photo_id,
        order_id=admission.order.id,
        caption=caption,
        hiding=action != "photo_caption",
        hidden_why=hidden_why,
    )
    if not changed:
        raise EntityGone(thing="photo")
    return await kept(uow, actor, admission, action)


def happened_at(uow: UnitOfWork, circumstances: Circumstances) -> datetime:
    """Answer business time: when a device says it happened, on the server's clock; otherwise now."""
    return circumstances.occurrence.at if circumstances.occurrence else uow.now()


def entry_of(
    uow: UnitOfWork,
    actor: Actor,
    admission: Admission,
    circumstances: Circumstances,
    action: str,
    facts: dict[str, Any],
    *,
    why: str | None = None,
) -> TimelineEntry:
    """Put together the history entry that every piece of evidence leaves, to be written with it."""
    return timeline.entry(
        uow,
        actor,
        visit_id=admission.visit.id if admission.visit else None,
        action=action,
        why=why,
        facts={**facts, **late_facts(admission)},
        circumstances=circumstances,
    )


def late_facts(admission: Admission) -> dict[str, Any]:
    return {"late_after_reassign": True} if admission.late else {}


async def kept(
    uow: UnitOfWork,
    actor: Actor,
    admission: Admission,
    what: str,
    *,
    code: str | None = None,
    flags: tuple[str, ...] = (),
) -> Recorded:
    """Finish recording. Where a customer has signed, what they signed is not the whole any more: say so."""
    if admission.signed:
        await content_changed(uow, actor, admission.order.id, what)
    return Recorded(late_facts(admission), code, flags)


async def content_changed(uow: UnitOfWork, actor: Actor, work_order_id: UUID, what: str) -> None:
    """Tell those who keep signatures that what an order holds has changed. `what` names the part, for people."""
    await events.append(
        uow,
        "work_order.content_changed",
        subject=("work_order", work_order_id),
        actor=actor.person,
        payload={"work_order_id": str(work_order_id), "what": what},
    )
