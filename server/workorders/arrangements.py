"""When a customer could also be visited, and which orders depend on each other: what planning has to keep to."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID

from server.core import events
from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.identity.access import require
from server.identity.domain import Actor, Permission
from server.workorders import arrangement_queries as queries
from server.workorders import timeline
from server.workorders.domain import LinkKind
from server.workorders.errors import LinkElsewhere, LinkRunsInACircle, LinkTaken, Voided, WindowsOverlap
from server.workorders.queries import lock_order
from server.workorders.steps import payload_of
from server.workorders.views import Linked, Window


async def windows(uow: UnitOfWork, work_order_id: UUID) -> list[Window]:
    return await queries.windows(uow, work_order_id)


async def set_windows(uow: UnitOfWork, actor: Actor, work_order_id: UUID, wanted: Sequence[Window]) -> list[Window]:
    """Say when the customer could be visited besides the order's own window.

    Raises Forbidden, NotFound, Voided, WindowsOverlap.
    """
    require(actor, Permission.ORDERS_TRIAGE)
    await _hold(uow, work_order_id)
    ordered = sorted(wanted, key=lambda it: it.opens_at)
    if any(one.closes_at >= after.opens_at for one, after in pairwise(ordered)):
        raise WindowsOverlap
    await queries.replace_windows(uow, work_order_id, ordered)
    said = [{"from": it.opens_at.isoformat(), "to": it.closes_at.isoformat()} for it in ordered]
    await _tell(uow, actor, work_order_id, "windows", {"windows": said})
    return ordered


async def links(uow: UnitOfWork, work_order_id: UUID) -> list[Linked]:
    return await queries.links(uow, work_order_id)


async def link(
    uow: UnitOfWork, actor: Actor, *, kind: LinkKind, first_id: UUID, then_id: UUID, gap_minutes: int = 0
) -> list[Linked]:
    """Have two orders begin together, or one after the other has ended. Answers the first order's links.

    Raises Forbidden, NotFound, Voided, LinkElsewhere (together, at two places), LinkTaken, LinkRunsInACircle.
    """
    require(actor, Permission.ORDERS_TRIAGE)
    # In one order whoever links them, so that two who link the same two the other way round don't wait for each other.
    for order in sorted({first_id, then_id}):
        await _hold(uow, order)
    if kind is LinkKind.TOGETHER and not await queries.at_one_site(uow, first_id, then_id):
        raise LinkElsewhere
    if await queries.leads_to(uow, then_id, first_id):
        raise LinkRunsInACircle
    if kind is LinkKind.TOGETHER and await queries.leads_to(uow, first_id, then_id):
        raise LinkRunsInACircle
    if not await queries.insert_link(uow, kind, first_id, then_id, gap_minutes):
        raise LinkTaken
    facts = {"kind": kind, "first_id": str(first_id), "then_id": str(then_id), "gap_minutes": gap_minutes}
    for order in (first_id, then_id):
        await _tell(uow, actor, order, "link", facts)
    return await queries.links(uow, first_id)


async def unlink(uow: UnitOfWork, actor: Actor, link_id: UUID) -> None:
    """Let two orders go their own ways. Raises Forbidden, NotFound."""
    require(actor, Permission.ORDERS_TRIAGE)
    gone = await queries.delete_link(uow, link_id)
    if gone is None:
        raise NotFound(thing="link")
    first, then = gone
    for order in (first, then):
        await _tell(uow, actor, order, "unlink", {"first_id": str(first), "then_id": str(then)})


async def _hold(uow: UnitOfWork, work_order_id: UUID) -> None:
    order = await lock_order(uow, work_order_id)
    if order is None:
        raise NotFound(thing="work order")
    if order.voided_at is not None:
        raise Voided


async def _tell(uow: UnitOfWork, actor: Actor, work_order_id: UUID, action: str, facts: dict[str, Any]) -> None:
    await timeline.append(uow, actor, work_order_id=work_order_id, action=action, facts=facts)
    order = await lock_order(uow, work_order_id)
    assert order is not None, "held by this transaction"
    await events.append(
        uow,
        "work_order.arranged",
        subject=("work_order", work_order_id),
        actor=actor.person,
        payload={**payload_of(order, None), **facts},
    )
