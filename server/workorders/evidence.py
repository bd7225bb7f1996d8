"""What people record while they work: notes, answers, hours, costs, photos. Evidence is kept, however late it comes.

Ids come from the device. Every function answers None when it already knows the id, which then changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from server.core.db import UnitOfWork
from server.identity.domain import Actor
from server.workorders import queries, record_queries, timeline
from server.workorders.access import Admission
from server.workorders.domain import OFFICE, Circumstances
from server.workorders.errors import EntityGone
from server.workorders.procedures import check_answer
from server.workorders.records import CostKind, TimeKind, oddities


@dataclass(frozen=True)
class Recorded:
    """Something kept. `code` names what a reviewer should know; the facts stand in the history too."""

    facts: dict[str, Any]
    code: str | None = None


async def add_note(
    uow: UnitOfWork,
    actor: Actor,
    admission: Admission,
    *,
    note_id: UUID,
    body: str,
    circumstances: Circumstances = OFFICE,
) -> Recorded | None:
    new = await record_queries.insert_note(
        uow,
        note_id=note_id,
        order_id=admission.order.id,
        visit_id=_visit_id(admission),
        author_id=actor.person,
        body=body,
        at=happened_at(uow, circumstances),
    )
    return await _kept(uow, actor, admission, circumstances, "note", {"note_id": str(note_id)}) if new else None


async def set_answer(
    uow: UnitOfWork,
    actor: Actor,
    admission: Admission,
    *,
    answer_id: UUID,
    item_id: UUID,
    value: Any,
    circumstances: Circumstances = OFFICE,
) -> Recorded | None:
    """Answer a checklist item. The newest answer by receipt stands, and none is lost.

    An answer that comes late, from somebody the order was taken from, does not displace another person's.
    Raises EntityGone (item), AnswerDoesNotFit.
    """
    item = await record_queries.item(uow, item_id)
    if item is None:
        raise EntityGone(thing="checklist item")
    check_answer(item, value)
    # Two answers to one item arriving together must not both stand.
    await queries.lock_order(uow, admission.order.id)
    standing = await record_queries.standing_answer(uow, admission.order.id, item_id)
    outranked = admission.late and standing is not None and standing.answered_by != actor.person
    new = await record_queries.insert_answer(
        uow,
        answer_id=answer_id,
        order_id=admission.order.id,
        visit_id=_visit_id(admission),
        item_id=item_id,
        value=value,
        answered_by=actor.person,
        at=happened_at(uow, circumstances),
        superseded_by=standing.id if outranked and standing else None,
    )
    if not new:
        return None
    if not outranked:
        await record_queries.supersede_answers(uow, admission.order.id, item_id, by=answer_id)
    facts = {"answer_id": str(answer_id), "item_id": str(item_id)}
    code = "ANSWER_KEPT_BESIDE" if outranked else None
    return await _kept(uow, actor, admission, circumstances, "answer", facts, code)


async def add_time(
    uow: UnitOfWork,
    actor: Actor,
    admission: Admission,
    *,
    entry_id: UUID,
    kind: TimeKind,
    started_at: datetime,
    ended_at: datetime,
    circumstances: Circumstances = OFFICE,
) -> Recorded | None:
    """Record a stretch of time given by the device's clock; it is stored on the server's, the original beside it."""
    by = _clock_correction(circumstances)
    started, ended = started_at + by, ended_at + by
    overlapping = await record_queries.overlaps_time(uow, actor.person, started, ended)
    new = await record_queries.insert_time(
        uow,
        entry_id=entry_id,
        order_id=admission.order.id,
        visit_id=_visit_id(admission),
        person_id=actor.person,
        kind=kind,
        started_at=started,
        ended_at=ended,
    )
    if not new:
        return None
    facts = {
        "time_entry_id": str(entry_id),
        "kind": kind,
        "device_started_at": started_at.isoformat(),
        "device_ended_at": ended_at.isoformat(),
        "look_at": oddities(started, ended, overlapping=overlapping),
    }
    return await _kept(uow, actor, admission, circumstances, "time", facts)


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
    new = await record_queries.insert_cost(
        uow,
        cost_id=cost_id,
        order_id=admission.order.id,
        visit_id=_visit_id(admission),
        person_id=actor.person,
        kind=kind,
        amount_minor=amount_minor,
        currency=currency,
        description=description,
        at=happened_at(uow, circumstances),
    )
    facts = {"cost_id": str(cost_id), "amount_minor": amount_minor, "currency": currency}
    return await _kept(uow, actor, admission, circumstances, "cost", facts) if new else None


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
    new = await record_queries.insert_photo(
        uow,
        photo_id=photo_id,
        order_id=admission.order.id,
        visit_id=_visit_id(admission),
        author_id=actor.person,
        sha256=sha256,
        caption=caption,
        at=happened_at(uow, circumstances),
    )
    facts = {"photo_id": str(photo_id), "sha256": sha256}
    return await _kept(uow, actor, admission, circumstances, "photo", facts) if new else None


def happened_at(uow: UnitOfWork, circumstances: Circumstances) -> datetime:
    """Answer business time: when a device says it happened, on the server's clock; otherwise now."""
    return circumstances.occurrence.at if circumstances.occurrence else uow.now()


def _clock_correction(circumstances: Circumstances) -> timedelta:
    occurrence = circumstances.occurrence
    return occurrence.at - occurrence.at_device if occurrence else timedelta()


def _visit_id(admission: Admission) -> UUID | None:
    return admission.visit.id if admission.visit else None


async def _kept(
    uow: UnitOfWork,
    actor: Actor,
    admission: Admission,
    circumstances: Circumstances,
    action: str,
    facts: dict[str, Any],
    code: str | None = None,
) -> Recorded:
    """Write the history entry that every piece of evidence leaves."""
    late = {"late_after_reassign": True} if admission.late else {}
    await timeline.append(
        uow,
        actor,
        work_order_id=admission.order.id,
        visit_id=_visit_id(admission),
        action=action,
        facts={**facts, **late},
        circumstances=circumstances,
    )
    return Recorded(late, code)
