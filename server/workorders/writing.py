"""Editing an order's texts: what two people wrote at once is merged by words, and every version is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from server.core.db import UnitOfWork
from server.identity.domain import Actor
from server.sync.merge import Merged, merge_text
from server.workorders import text_queries, timeline
from server.workorders.domain import OFFICE, Circumstances, WorkOrder
from server.workorders.evidence import content_changed, happened_at
from server.workorders.text_queries import Revision
from server.workorders.texts import Origin, TextField


@dataclass(frozen=True)
class Written:
    """How an edit ended: the revision that was sent, the one that stands, and whether they overlapped.

    clash: the text that stands, where both changed the same words; None when nothing is in dispute.
    """

    rev: int
    stands: int
    merged: bool
    clash: str | None = None


async def edit_text(
    uow: UnitOfWork,
    actor: Actor,
    order: WorkOrder,
    *,
    field: TextField,
    base_rev: int,
    new: str,
    signed: bool,
    circumstances: Circumstances = OFFICE,
) -> Written | None:
    """Write a text that was begun from revision `base_rev`; the order is held. None when it reads so already.

    Nothing overlaps: both edits stand together. Otherwise the standing text stays, and what was sent is kept as a
    revision for a person to decide on.
    """
    standing, now = text_of(order, field)
    if new == standing:
        return None
    base = await text_queries.base(uow, order.id, field, base_rev, device=circumstances.device)
    # An unknown base shares nothing with either text: whatever stands is then in dispute, never overwritten.
    before = standing if base_rev == now else base.body if base else ""
    sent = await _keep(uow, actor, order, field, new, Origin.EDIT, parent=base_rev, circumstances=circumstances)
    merged = merge_text(before, new, standing)
    if not isinstance(merged, Merged):
        await _record(uow, actor, order, field, circumstances, rev=sent, stands=now)
        return Written(sent, now, merged=False, clash=standing)
    stands = sent
    if merged.text != new:
        stands = await _keep(
            uow, actor, order, field, merged.text, Origin.MERGE, parent=sent, circumstances=circumstances
        )
    await text_queries.let_stand(uow, order.id, field, stands, merged.text)
    await _record(uow, actor, order, field, circumstances, rev=sent, stands=stands)
    if signed:
        await content_changed(uow, actor, order.id, field)
    return Written(sent, stands, merged=merged.text != new)


async def revisions(uow: UnitOfWork, order: WorkOrder, field: TextField) -> Sequence[Revision]:
    """Answer all versions of a text, oldest first; a text nobody edited has one."""
    found = await text_queries.revisions(uow, order.id, field)
    body, rev = text_of(order, field)
    return found or [Revision(rev, None, body, Origin.FIRST, None, order.reported_at)]


def text_of(order: WorkOrder, field: TextField) -> tuple[str, int]:
    """Answer a text as it stands and the number of its revision."""
    match field:
        case TextField.DESCRIPTION:
            return order.description, order.description_rev
        case TextField.FINDINGS:
            return order.findings, order.findings_rev


async def _keep(
    uow: UnitOfWork,
    actor: Actor,
    order: WorkOrder,
    field: TextField,
    body: str,
    origin: Origin,
    *,
    parent: int,
    circumstances: Circumstances,
) -> int:
    at: datetime = happened_at(uow, circumstances)
    author: UUID = actor.person
    return await text_queries.keep(
        uow,
        revision_id=uow.new_id(),
        order_id=order.id,
        field=field,
        parent=parent,
        body=body,
        origin=origin,
        author_id=author,
        device_id=circumstances.device,
        mutation_id=circumstances.mutation,
        at=at,
    )


async def _record(
    uow: UnitOfWork,
    actor: Actor,
    order: WorkOrder,
    field: TextField,
    circumstances: Circumstances,
    *,
    rev: int,
    stands: int,
) -> None:
    await timeline.append(
        uow,
        actor,
        work_order_id=order.id,
        action="edit_text",
        facts={"field": field, "rev": rev, "stands": stands},
        circumstances=circumstances,
    )
