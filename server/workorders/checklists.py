"""Procedures: writing them down, and how far an order has got with its own."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from server.core.db import UnitOfWork
from server.workorders import record_queries
from server.workorders.domain import WorkOrder
from server.workorders.errors import UnknownProcedure
from server.workorders.procedures import Item, ItemDraft, Procedure, check_drafts, unanswered


async def define_procedure(
    uow: UnitOfWork, *, key: str, name: Mapping[str, str], items: Sequence[ItemDraft]
) -> Procedure:
    """Write a procedure down as its next version; orders keep the version they were opened with.

    Raises ProcedureWithoutItems.
    """
    check_drafts(items)
    earlier = await record_queries.newest_procedure(uow, key)
    it = Procedure(uow.new_id(), key, earlier.version + 1 if earlier else 1, name)
    await record_queries.insert_procedure(
        uow, it, [_item(uow.new_id(), it.id, ordinal, draft) for ordinal, draft in enumerate(items, start=1)]
    )
    return it


def _item(item_id: UUID, procedure_id: UUID, ordinal: int, draft: ItemDraft) -> Item:
    return Item(
        item_id,
        procedure_id,
        ordinal,
        draft.kind,
        draft.label,
        draft.required,
        draft.unit,
        draft.minimum,
        draft.maximum,
        list(draft.choices),
        draft.safety_critical,
    )


async def newest(uow: UnitOfWork, key: str) -> Procedure:
    """Raises UnknownProcedure."""
    found = await record_queries.newest_procedure(uow, key)
    if found is None:
        raise UnknownProcedure(key=key)
    return found


async def procedures(uow: UnitOfWork) -> list[tuple[Procedure, list[Item]]]:
    """Answer the newest version of every procedure with its items."""
    newest_ones = await record_queries.procedures(uow)
    by_procedure: dict[UUID, list[Item]] = {it.id: [] for it in newest_ones}
    for item in await record_queries.items(uow, list(by_procedure)):
        by_procedure[item.procedure_id].append(item)
    return [(it, by_procedure[it.id]) for it in newest_ones]


async def of_order(uow: UnitOfWork, order: WorkOrder) -> tuple[Procedure | None, list[Item]]:
    if order.procedure_id is None:
        return None, []
    procedure = await record_queries.procedure(uow, order.procedure_id)
    return procedure, await record_queries.items(uow, [order.procedure_id])


async def is_complete(uow: UnitOfWork, order: WorkOrder) -> bool:
    """Answer whether every required item of the order's procedure has an answer that stands."""
    _, items = await of_order(uow, order)
    if not items:
        return True
    answers = await record_queries.answers(uow, order.id, standing_only=True)
    return not unanswered(items, [answer.item_id for answer in answers])
