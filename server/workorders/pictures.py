"""Who may see a photo: whoever may see its order."""

from uuid import UUID

from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.identity.domain import Actor
from server.workorders import access, record_queries
from server.workorders.records import Photo

_THING = "photo"


async def photo_for(uow: UnitOfWork, actor: Actor, photo_id: UUID) -> Photo:
    """Raises NotFound, also for what the actor may not see."""
    found = await record_queries.photo(uow, photo_id)
    if found is None:
        raise NotFound(thing=_THING)
    try:
        await access.work_order_for(uow, actor, found.work_order_id)
    except NotFound:
        raise NotFound(thing=_THING) from None
    return found


async def check_hash_visible(uow: UnitOfWork, actor: Actor, sha256: str) -> None:
    """Raise NotFound unless a photo with these bytes belongs to an order the actor may see."""
    visible = await uow.value(
        f"""
        select true from photo f join work_order o on (o.org_id, o.id) = (f.org_id, f.work_order_id)
        where f.sha256 = %(sha256)s and f.hidden_why is null and {access.ORDER.condition(actor)} limit 1
        """,
        sha256=sha256,
        actor=actor.person,
    )
    if not visible:
        raise NotFound(thing=_THING)
