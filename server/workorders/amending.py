"""Changing the office's fields of an order: by the office, and as a wish of the field."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from server.core import events
from server.core.db import UnitOfWork
from server.identity.domain import Actor
from server.sync.merge import FieldsMerged, Owner, merge_fields
from server.workorders import queries, timeline
from server.workorders.domain import OFFICE, Circumstances, Priority, WorkOrder
from server.workorders.errors import PlanRunsBackwards
from server.workorders.evidence import content_changed
from server.workorders.steps import payload_of

ORDER_OWNERS: Mapping[str, Owner] = dict.fromkeys(
    ("priority", "title", "problem_type", "window_start", "window_end", "duration_minutes"), Owner.OFFICE
)
_RANK = {Priority.NORMAL: 0, Priority.HIGH: 1, Priority.URGENT: 2}


async def amend(
    uow: UnitOfWork,
    actor: Actor,
    order: WorkOrder,
    *,
    base: Mapping[str, Any],
    wanted: Mapping[str, Any],
    signed: bool = False,
    circumstances: Circumstances = OFFICE,
) -> FieldsMerged:
    """Change fields of an order, which is held, against what the person saw. Raises PlanRunsBackwards."""
    found = merge_fields(base, wanted, vars(order), ORDER_OWNERS)
    changed = replace(order, **found.taken, version=order.version + 1)
    if changed.window_start and changed.window_end and changed.window_end <= changed.window_start:
        raise PlanRunsBackwards
    if found.taken:
        await queries.patch_order(uow, changed)
    if found.taken or found.kept_out:
        await _record(uow, actor, order, changed, found, circumstances)
    if found.taken and signed:
        await content_changed(uow, actor, order.id, "order")
    return found


async def _record(
    uow: UnitOfWork,
    actor: Actor,
    order: WorkOrder,
    changed: WorkOrder,
    found: FieldsMerged,
    circumstances: Circumstances,
) -> None:
    facts = {"taken": plain(found.taken), "kept_out": plain(found.kept_out), "was": plain(_was(order, found))}
    await timeline.append(uow, actor, work_order_id=order.id, action="amend", facts=facts, circumstances=circumstances)
    await events.append(
        uow,
        "work_order.amended" if found.taken else "work_order.proposed",
        subject=("work_order", order.id),
        actor=actor.person,
        payload={**payload_of(changed if found.taken else order, None), **facts},
    )


def _was(order: WorkOrder, found: FieldsMerged) -> dict[str, Any]:
    return {name: getattr(order, name) for name in {**found.taken, **found.kept_out}}


def is_alarm(kept_out: Mapping[str, Any], order: WorkOrder) -> bool:
    """Whether a wish that was not taken says that it is worse than the office thinks."""
    wished = kept_out.get("priority")
    return wished is not None and _RANK[Priority(wished)] > _RANK[order.priority]


def plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Answer fields as JSON holds them."""
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in fields.items()}
