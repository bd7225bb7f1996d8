"""Records made twice: suggested to a person, merged by a person, and the id that went stays understood."""

from uuid import UUID

from server.core import events
from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.customers import duplicate_queries
from server.customers.domain import Asset, Entity, Likeness, Suggestion
from server.customers.errors import SuggestionSettled
from server.customers.likeness import same_machine
from server.identity.access import require
from server.identity.domain import Actor, Permission


async def suggest(uow: UnitOfWork, entity: Entity, *, newer: UUID, older: UUID, why: Likeness, by: UUID | None) -> None:
    """Put two records before a person; a pair is suggested once."""
    if await duplicate_queries.insert_suggestion(
        uow, suggestion_id=uow.new_id(), entity=entity, newer=newer, older=older, why=why
    ):
        await events.append(
            uow,
            "duplicate.suggested",
            subject=(entity, newer),
            actor=by,
            payload={"entity": entity, "newer": str(newer), "older": str(older), "why": why},
        )


async def likeness_of(uow: UnitOfWork, it: Asset) -> tuple[Asset, Likeness] | None:
    """Answer the asset that this one probably is."""
    return same_machine(it, await duplicate_queries.assets_like(uow, it))


async def open_suggestions(uow: UnitOfWork, actor: Actor) -> list[Suggestion]:
    """Answer what waits for a decision, the oldest first."""
    require(actor, Permission.CUSTOMERS_READ)
    return await duplicate_queries.open_suggestions(uow)


async def merge(uow: UnitOfWork, actor: Actor, suggestion_id: UUID) -> Suggestion:
    """Let the newer record become the older one: what refers to it follows, its id stays understood.

    Raises Forbidden, NotFound, SuggestionSettled.
    """
    it = await _held(uow, actor, suggestion_id)
    match it.entity:
        case Entity.ASSET:
            await duplicate_queries.merge_assets(uow, gone=it.newer_id, stays=it.older_id, by=actor.person)
        case Entity.CUSTOMER:
            await duplicate_queries.merge_customers(uow, gone=it.newer_id, stays=it.older_id, by=actor.person)
    await _settle(uow, actor, it, "merged")
    return it


async def keep_apart(uow: UnitOfWork, actor: Actor, suggestion_id: UUID) -> Suggestion:
    """Say that the two are two. Raises Forbidden, NotFound, SuggestionSettled."""
    it = await _held(uow, actor, suggestion_id)
    await _settle(uow, actor, it, "distinct")
    return it


async def _held(uow: UnitOfWork, actor: Actor, suggestion_id: UUID) -> Suggestion:
    require(actor, Permission.CUSTOMERS_WRITE)
    found = await duplicate_queries.lock_suggestion(uow, suggestion_id)
    if found is None:
        raise NotFound(thing="suggestion")
    if found.settlement is not None:
        raise SuggestionSettled(settlement=found.settlement)
    return found


async def _settle(uow: UnitOfWork, actor: Actor, it: Suggestion, settlement: str) -> None:
    await duplicate_queries.settle(uow, it.id, by=actor.person, settlement=settlement)
    await events.append(
        uow,
        "duplicate.settled",
        subject=(it.entity, it.older_id),
        actor=actor.person,
        payload={"newer": str(it.newer_id), "older": str(it.older_id), "settlement": settlement},
    )
