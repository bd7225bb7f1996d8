"""Whom customers like to see, and whom not again."""

from uuid import UUID

from server.core import events
from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.customers import access
from server.dispatch import queries
from server.dispatch.domain import CustomerWish, Wish
from server.identity.access import require
from server.identity.domain import Actor, Permission
from server.workforce import service as workforce
from server.workforce.errors import NotAnEngineer


async def wishes_of(uow: UnitOfWork, actor: Actor, customer_id: UUID) -> list[CustomerWish]:
    """Answer a customer's wishes by the engineers' names. Raises NotFound."""
    customer = await access.customer_for(uow, actor, customer_id)
    return await queries.wishes(uow, customer.id)


async def record_wish(
    uow: UnitOfWork, actor: Actor, *, customer_id: UUID, engineer_id: UUID, wish: Wish, why: str
) -> CustomerWish:
    """Record what a customer says about an engineer, in place of what they said before.

    Raises Forbidden, NotFound, NotAnEngineer.
    """
    require(actor, Permission.CUSTOMERS_WRITE)
    customer = await access.customer_for(uow, actor, customer_id)
    engineer = await workforce.engineer_of(uow, engineer_id)
    if engineer is None:
        raise NotAnEngineer
    said = CustomerWish(customer.id, engineer_id, engineer.name, wish, why, actor.person, uow.now())
    await queries.save_wish(uow, said)
    await _tell(uow, actor, "customer.wish_recorded", customer.id, {"engineer_id": str(engineer_id), "wish": wish})
    return said


async def withdraw_wish(uow: UnitOfWork, actor: Actor, *, customer_id: UUID, engineer_id: UUID) -> None:
    """Forget what a customer said about an engineer. Raises Forbidden, NotFound."""
    require(actor, Permission.CUSTOMERS_WRITE)
    customer = await access.customer_for(uow, actor, customer_id)
    if not await queries.delete_wish(uow, customer.id, engineer_id):
        raise NotFound(thing="wish")
    await _tell(uow, actor, "customer.wish_withdrawn", customer.id, {"engineer_id": str(engineer_id)})


async def _tell(uow: UnitOfWork, actor: Actor, what: str, customer_id: UUID, payload: dict[str, str]) -> None:
    await events.append(uow, what, subject=("customer", customer_id), actor=actor.person, payload=payload)
