"""Erasing an order for good, on record: what went leaves a sealed word of who, when and why (see decision 16)."""

from dataclasses import dataclass

from server.audit import erasing_queries as queries
from server.core.db import UnitOfWork
from server.core.errors import Kind, Problem


class NoOrderToErase(Problem):
    code = "audit.no_order"
    kind = Kind.NOT_FOUND
    sentence = "There is no order {number}, and none of that number was erased."


@dataclass(frozen=True)
class Erased:
    """records: sealed ones now on record. unreadable: pushes nobody could read that name the order, left alone."""

    records: int
    unreadable: int


async def erase_order(uow: UnitOfWork, number: int, *, why: str, by: str | None = None) -> Erased:
    """Erase an order and all that hangs on it, in the one transaction that puts it on record.

    Takes an administrator's connection; the product's role is refused by the database. An order that is gone already
    is erased again: phones that were away for long may have told more about it since.

    why, by: stay for ever and must tell nothing about whom it concerns. by: None is the database role.
    Raises NoOrderToErase.
    """
    await queries.take_time(uow)
    order = await queries.hold_order(uow, number) or await queries.erased_order(uow, number)
    if order is None:
        raise NoOrderToErase(number=number)
    parts = await queries.parts_of_order(uow, order)
    mutations = await queries.mutations_about(uow, order, parts)
    records = await queries.put_on_record(uow, order, mutations, number=number, why=why, by=by, at=uow.now())
    await queries.clear_inbox(uow, order, mutations)
    await queries.empty_mutations(uow, mutations)
    await queries.forget_traces(uow, parts)
    await queries.forget_planning(uow, order)
    await queries.delete_order(uow, order)
    return Erased(records, await queries.unreadable_pushes(uow, order))
