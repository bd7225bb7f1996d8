"""Taking an order back, and bringing it back. It leaves every phone and every list; nothing of it is deleted."""

from uuid import UUID

from server.core import events
from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.identity.access import require
from server.identity.domain import Actor, Permission
from server.workorders import access, queries, timeline
from server.workorders.domain import WorkOrder
from server.workorders.errors import NotVoided, Voided
from server.workorders.steps import payload_of


async def void(uow: UnitOfWork, actor: Actor, work_order_id: UUID, *, reason: str) -> WorkOrder:
    """Take an order back, for example one that was opened by mistake or must be forgotten.

    What phones still send for it waits in quarantine as ENTITY_GONE. Raises Forbidden, NotFound, Voided.
    """
    order = await _held(uow, actor, work_order_id)
    if order.voided_at is not None:
        raise Voided
    return await _set(uow, actor, order, "void", reason)


async def restore(uow: UnitOfWork, actor: Actor, work_order_id: UUID, *, reason: str) -> WorkOrder:
    """Bring an order back as it was. Raises Forbidden, NotFound, NotVoided."""
    order = await _held(uow, actor, work_order_id)
    if order.voided_at is None:
        raise NotVoided
    return await _set(uow, actor, order, "restore", reason)


async def _held(uow: UnitOfWork, actor: Actor, work_order_id: UUID) -> WorkOrder:
    require(actor, Permission.ORDERS_CLOSE)
    order = await queries.lock_order(uow, work_order_id)
    if order is None:
        raise NotFound(thing=access.ORDER.thing)
    return order


async def _set(uow: UnitOfWork, actor: Actor, order: WorkOrder, action: str, reason: str) -> WorkOrder:
    at = uow.now() if action == "void" else None
    await queries.set_voided(uow, order.id, at=at, by=actor.person if at else None, reason=reason if at else None)
    await timeline.append(uow, actor, work_order_id=order.id, action=action, why=reason)
    visit = await queries.visit_at_hand(uow, order.id)
    await events.append(
        uow,
        "work_order.voided" if at else "work_order.restored",
        subject=("work_order", order.id),
        actor=actor.person,
        payload={**payload_of(order, visit), "reason": reason},
    )
    changed = await queries.order(uow, order.id)
    assert changed is not None, "held by this transaction"
    return changed
