"""Who may see the customer file on the web. Engineers see their customers through sync, with their visits."""

from uuid import UUID

from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.customers import queries
from server.customers.domain import Customer, Site
from server.identity.access import Door
from server.identity.domain import Actor, Permission

CUSTOMER = Door("customer", Permission.CUSTOMERS_READ)
SITE = Door("site", Permission.CUSTOMERS_READ)
ASSET = Door("asset", Permission.CUSTOMERS_READ)


async def customer_for(uow: UnitOfWork, actor: Actor, customer_id: UUID) -> Customer:
    """Raises NotFound, also for what the actor may not see."""
    found = await queries.customer(uow, customer_id, door=CUSTOMER.condition(actor))
    if found is None:
        raise NotFound(thing=CUSTOMER.thing)
    return found


async def site_for(uow: UnitOfWork, actor: Actor, site_id: UUID) -> Site:
    """Raises NotFound, also for what the actor may not see."""
    found = await queries.site(uow, site_id, door=SITE.condition(actor))
    if found is None:
        raise NotFound(thing=SITE.thing)
    return found
