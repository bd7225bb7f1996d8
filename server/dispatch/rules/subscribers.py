"""What makes rules decide, and what makes their decision void. Every subscriber may run twice."""

from server.core.db import UnitOfWork
from server.core.events import Event, Subscriptions
from server.dispatch.rules import pool_queries, service
from server.geo.travel import Travel

_NOBODY_IS_SENT = (
    "work_order.opened",
    "work_order.triaged",
    "work_order.reopened",
    "work_order.restored",
    "visit.declined",
)
_RULES_LOOK_AT = {"priority", "problem_type", "duration_minutes"}  # of what can be amended
_NOBODY_IS_NEEDED = ("visit.dispatched", "work_order.held", "work_order.cancelled", "work_order.voided")


def subscribe(subscriptions: Subscriptions, travel: Travel) -> None:
    async def decide_by_rule(uow: UnitOfWork, event: Event) -> None:
        await service.decide(uow, travel, event.subject_id, event.id)

    async def choose_rule_anew(uow: UnitOfWork, event: Event) -> None:
        if not _RULES_LOOK_AT.isdisjoint(event.payload["taken"]):
            await service.reconsider(uow, travel, event.subject_id, event.id)

    for event in _NOBODY_IS_SENT:
        subscriptions.on(event, decide_by_rule)
    for event in _NOBODY_IS_NEEDED:
        subscriptions.on(event, settle_automation)
    subscriptions.on("work_order.amended", show_change)
    subscriptions.on("work_order.amended", choose_rule_anew)


async def settle_automation(uow: UnitOfWork, event: Event) -> None:
    """Somebody was sent, or nobody is to be: what waits is over, what is on offer closes."""
    await service.settle(uow, event.subject_id)


async def show_change(uow: UnitOfWork, event: Event) -> None:
    """Phones that show an order on offer show it as it is now."""
    await pool_queries.show(uow, event.subject_id)
