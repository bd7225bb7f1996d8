"""What lists, boards and pages read of orders."""

from collections.abc import Sequence
from uuid import UUID

from server.core.db import UnitOfWork
from server.core.paging import Page, decode_cursor, id_in, page_of
from server.customers import service as customers
from server.customers.domain import Asset
from server.identity.domain import Actor, Permission
from server.workorders import access, checklists, hour_queries, queries, record_queries
from server.workorders.domain import (
    TRANSITIONS,
    Action,
    Requirement,
    Transition,
    Visit,
    VisitState,
    WorkOrder,
    actions_from,
)
from server.workorders.records import TimelineEntry
from server.workorders.views import Counts, Filter, WorkOrderDetail, WorkOrderSummary, checklist, extra

# A board shows at most this many open orders; the rest are found by the list.
MOST_ON_BOARD = 2_000


async def summaries(
    uow: UnitOfWork, actor: Actor, wanted: Filter, *, cursor: str | None = None, limit: int
) -> Page[WorkOrderSummary]:
    """Answer a page of the orders the actor may see, the newest first."""
    key = decode_cursor(cursor, 1)
    rows = await queries.summaries_after(
        uow,
        wanted,
        after=id_in(key[0]) if key else None,
        limit=limit + 1,
        door=access.ORDER.condition(actor),
        actor=actor,
    )
    return page_of(rows, limit, lambda order: (order.id,))


async def summary_of(uow: UnitOfWork, work_order_id: UUID) -> WorkOrderSummary | None:
    return next(iter(await queries.summaries(uow, [work_order_id])), None)


async def summaries_of(uow: UnitOfWork, work_order_ids: Sequence[UUID]) -> list[WorkOrderSummary]:
    return await queries.summaries(uow, work_order_ids)


async def open_summaries(uow: UnitOfWork) -> list[WorkOrderSummary]:
    """Answer what a board shows: open orders, those that must be answered first first."""
    return await queries.open_summaries(uow, MOST_ON_BOARD)


async def counts(uow: UnitOfWork) -> Counts:
    return await queries.counts(uow)


async def history(uow: UnitOfWork, actor: Actor, work_order_id: UUID) -> list[TimelineEntry]:
    await access.work_order_for(uow, actor, work_order_id)
    return await queries.timeline(uow, work_order_id)


async def detail(uow: UnitOfWork, actor: Actor, work_order_id: UUID) -> WorkOrderDetail:
    """Answer all that this and the packages below know about one order. Raises NotFound."""
    order = await access.work_order_for(uow, actor, work_order_id)
    procedure, items = await checklists.of_order(uow, order)
    summary = await summary_of(uow, order.id)
    assert summary is not None, "seen a statement ago, and orders are never deleted"
    answers = await record_queries.answers(uow, order.id)
    return WorkOrderDetail(
        order=order,
        summary=summary,
        skills=await queries.skills(uow, order.id),
        procedure_key=procedure.key if procedure else None,
        customer=await customers.customer_of(uow, order.customer_id),
        site=await customers.site_of(uow, order.site_id),
        asset=await _asset(uow, order.asset_id),
        contacts=await customers.contacts_of(uow, order.customer_id),
        visits=await queries.visits(uow, order.id),
        notes=await record_queries.notes(uow, order.id),
        checklist=checklist(items, answers),
        extra_answers=extra(items, answers),
        time=await hour_queries.time_entries(uow, order.id),
        costs=await record_queries.costs(uow, order.id),
        photos=await record_queries.photos(uow, order.id),
        allowed_actions=allowed_actions(actor, order, await queries.visit_at_hand(uow, order.id)),
    )


async def _asset(uow: UnitOfWork, asset_id: UUID | None) -> Asset | None:
    return await customers.asset_of(uow, asset_id) if asset_id else None


def allowed_actions(actor: Actor, order: WorkOrder, visit: Visit | None) -> list[Action]:
    """Answer which actions the table offers this actor now; what each one requires may still be missing."""
    return [action for action in actions_from(order.state) if _has_right(actor, TRANSITIONS[action], visit)]


def _has_right(actor: Actor, rule: Transition, visit: Visit | None) -> bool:
    if Requirement.WORK_DONE_UNKNOWING in rule.requires:
        return False
    if rule.by is Permission.VISITS_PERFORM:
        return visit is not None and _is_theirs(actor, visit) and actor.may(rule.by)
    return actor.may(rule.by)


def _is_theirs(actor: Actor, visit: Visit) -> bool:
    return visit.engineer_id == actor.person and visit.state is not VisitState.SUSPENDED
