"""Settling what machines can't: two truths about one thing, and mutations that could not be taken in.

The log keeps every mutation as it came. What people decide about it is told beside it, row by row, and can be undone
where the world allows it. An item's row is held while it is settled: of two reviewers at once the second is told who
was first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import psycopg

from server.core import events
from server.core.db import UnitOfWork
from server.core.errors import NotFound, Problem
from server.core.logging import logger, trace_id
from server.core.paging import Page, decode_cursor, id_in, instant_in, page_of
from server.identity import service as identity
from server.identity.domain import Actor, Audience, Permission, permissions_of
from server.sync import review_queries as queries
from server.sync.domain import Dispute, Mutation, Occurrence, Outcome, Side, Status
from server.sync.errors import InvalidArguments, ServerError
from server.sync.matters import ItemState, Matter, Verdict
from server.sync.queries import insert_conflicts
from server.sync.reach import Reach
from server.sync.refusals import (
    AlreadySettled,
    CannotStand,
    DoesNotFit,
    NoteMissing,
    NotSettled,
    OfficeOnly,
    ReplayStands,
)
from server.sync.registry import Registry
from server.sync.review_queries import Both, Item, Remark, Sought

log = logger(__name__)

# What may be settled by whoever wrote it: their own words against somebody else's.
OWN_TEXT = "TEXT_OVERLAP"
_FITS: Mapping[Matter, frozenset[Verdict]] = {
    Matter.CONFLICT: frozenset({Verdict.ACCEPT_MINE, Verdict.ACCEPT_THEIRS}),
    Matter.QUARANTINE: frozenset({Verdict.REPLAY, Verdict.DISCARD}),
}
_SIDES = {Verdict.ACCEPT_MINE: Side.MINE, Verdict.ACCEPT_THEIRS: Side.THEIRS}


@dataclass(frozen=True)
class Case:
    """Everything one needs to decide about an item. `envelope` is the mutation as it was recorded, word for word."""

    item: Item
    sides: Both | None
    envelope: Mapping[str, Any]
    result: Mapping[str, Any]
    remarks: list[Remark]


async def items(uow: UnitOfWork, sought: Sought, *, cursor: str | None, limit: int) -> Page[Item]:
    """Answer a page of items, newest first. Raises MalformedCursor."""
    key = decode_cursor(cursor, 2)
    after = (instant_in(key[0]), id_in(key[1])) if key else None
    rows = await queries.items_after(uow, sought, after=after, limit=limit + 1)
    return page_of(rows, limit, lambda item: (item.opened_at.isoformat(), item.id))


async def counts(uow: UnitOfWork, *, prefix: str = "") -> dict[Matter, int]:
    """Answer how many items of each kind are open, of mutations whose names begin so."""
    return await queries.counts(uow, prefix)


async def case(uow: UnitOfWork, item_id: UUID, *, person: UUID | None = None, prefix: str = "") -> Case:
    """Raises NotFound, also for what isn't `person`'s or doesn't begin with `prefix` where these are given."""
    item = await queries.item(uow, item_id)
    if item is None or person not in {None, item.person_id} or not item.name.startswith(prefix):
        raise NotFound(thing="item")
    logged = await queries.mutation(uow, item.mutation_id)
    sides = await queries.both_sides(uow, item_id)
    return Case(item, sides, logged["envelope"], logged["result"], await queries.remarks(uow, item_id))


async def settle(
    uow: UnitOfWork, registry: Registry, actor: Actor, item_id: UUID, verdict: Verdict, note: str | None = None
) -> Item:
    """Say what shall become of an item and answer how it stands then.

    A replay that ends in quarantine again leaves the item open; its outcome is among the remarks. Raises NotFound,
    AlreadySettled, NotSettled, DoesNotFit, NoteMissing, CannotStand, ReplayStands, and what the domain says when a
    side can't stand any more.
    """
    item = await queries.lock_item(uow, item_id)
    if item is None:
        raise NotFound(thing="item")
    match verdict:
        case Verdict.ANNOTATE:
            await _annotate(uow, actor, item, note)
        case Verdict.UNDO:
            await _undo(uow, registry, actor, item, note)
        case _:
            await _decide(uow, registry, actor, item, verdict, note)
    settled = await queries.item(uow, item_id)
    assert settled is not None
    return settled


async def settle_within(
    uow: UnitOfWork,
    registry: Registry,
    actor: Actor,
    reach: Reach,
    item_id: UUID,
    verdict: Verdict,
    note: str | None = None,
) -> Item:
    """`settle` what lies within somebody's reach. Raises NotFound beyond it, Forbidden for what they may not say."""
    item = await queries.item(uow, item_id)
    if item is None or not item.name.startswith(reach.prefix):
        raise NotFound(thing="item")
    reach.check(verdict)
    return await settle(uow, registry, actor, item_id, verdict, note)


async def settle_own(
    uow: UnitOfWork, registry: Registry, actor: Actor, item_id: UUID, verdict: Verdict, note: str | None = None
) -> Item:
    """What people may settle on their own phone: remarks on what is theirs, and their own words. Raises OfficeOnly."""
    item = await queries.item(uow, item_id)
    if item is None or item.person_id != actor.person:
        raise NotFound(thing="item")
    if verdict is Verdict.ANNOTATE:
        return await settle(uow, registry, actor, item_id, verdict, note)
    if item.code != OWN_TEXT:
        raise OfficeOnly
    # Their own words they may decide about, which in general only the office does.
    deciding = replace(actor, permissions=actor.permissions | {Permission.ORDERS_TRIAGE})
    return await settle(uow, registry, deciding, item_id, verdict, note)


async def _annotate(uow: UnitOfWork, actor: Actor, item: Item, note: str | None) -> None:
    if not (note or "").strip():
        raise NoteMissing
    await queries.insert_review(uow, item.id, actor.person, Verdict.ANNOTATE, note=note)


async def _decide(
    uow: UnitOfWork, registry: Registry, actor: Actor, item: Item, verdict: Verdict, note: str | None
) -> None:
    if item.state is not ItemState.OPEN:
        raise AlreadySettled(by=item.settled_by_name, verdict=item.verdict, at=item.settled_at)
    if verdict not in _FITS[item.kind]:
        raise DoesNotFit(matter=item.kind, verdict=verdict)
    result = None
    if verdict is Verdict.REPLAY:
        result = await _replay(uow, registry, item)
    elif verdict in _SIDES:
        await _stand(uow, registry, actor, item, _SIDES[verdict])
    await queries.insert_review(uow, item.id, actor.person, verdict, note=note, result=result)
    if result is None or result["status"] != Status.QUARANTINED:
        await queries.mark(uow, item.id, verdict, actor.person)
    await _tell(uow, actor, item, verdict)


async def _undo(uow: UnitOfWork, registry: Registry, actor: Actor, item: Item, note: str | None) -> None:
    match item.verdict:
        case None:
            raise NotSettled
        case Verdict.REPLAY:
            raise ReplayStands
        case Verdict.ACCEPT_MINE:
            # What the server had stood before, so it does again while the item is open.
            await _stand(uow, registry, actor, item, Side.THEIRS)
        case _:
            pass
    await queries.insert_review(uow, item.id, actor.person, Verdict.UNDO, note=note)
    await queries.mark(uow, item.id, None, actor.person)
    await _tell(uow, actor, item, Verdict.UNDO)


async def _tell(uow: UnitOfWork, actor: Actor, item: Item, verdict: Verdict) -> None:
    about = {"verdict": str(verdict), "kind": str(item.kind), "code": item.code, "person": str(item.person_id)}
    await events.append(uow, "review.settled", subject=("review_item", item.id), actor=actor.person, payload=about)


async def _stand(uow: UnitOfWork, registry: Registry, actor: Actor, item: Item, side: Side) -> None:
    """Let the domain make one side stand. The server's side stands anyway where a domain has nothing to do for it."""
    stand = registry.settlements.get(item.code)
    if stand is None:
        if side is Side.MINE:
            raise CannotStand(what=item.code)
        return
    both = await queries.both_sides(uow, item.id)
    assert both is not None
    dispute = Dispute(
        id=item.id,
        mutation_id=item.mutation_id,
        code=item.code,
        entity=both.entity,
        entity_id=both.entity_id,
        work_order_id=item.work_order_id,
        mine=both.mine,
        theirs=both.theirs,
        person=item.person_id,
        device=item.device_id,
    )
    await stand(uow, actor, dispute, side)


async def _replay(uow: UnitOfWork, registry: Registry, item: Item) -> dict[str, Any]:
    """Run the mutation again as whoever recorded it; answer its outcome as a device would read it."""
    logged = await queries.mutation(uow, item.mutation_id)
    author = await _author(uow, logged["person_id"], logged["device_id"])
    outcome = await _outcome(uow, registry, author, _mutation(logged), logged["envelope"])
    result: dict[str, Any] = {"status": str(outcome.status), "facts": dict(outcome.facts), "flags": list(outcome.flags)}
    if outcome.code:
        result["code"] = outcome.code
    if outcome.disagreement:
        conflict = uow.new_id()
        result["conflict"] = str(conflict)
        await insert_conflicts(uow, [(conflict, item.mutation_id, outcome.disagreement)])
    return result


async def _author(uow: UnitOfWork, person_id: UUID, device: UUID) -> Actor:
    """Who recorded it, with the roles they have now; an account that was disabled since doesn't undo what was done."""
    person = await identity.person(uow, person_id)
    assert uow.org is not None
    return Actor(
        org=uow.org,
        person=person.id,
        name=person.name,
        permissions=permissions_of(person.roles),
        audience=Audience.MOBILE,
        language=person.language,
        device=device,
    )


def _mutation(logged: Mapping[str, Any]) -> Mutation:
    envelope = logged["envelope"]
    place = envelope.get("geo")
    return Mutation(
        id=logged["id"],
        seq=logged["seq"],
        name=logged["name"],
        v=logged["v"],
        base=envelope.get("base") or {},
        device=logged["device_id"],
        stream=logged["stream_id"],
        occurrence=Occurrence(
            at_device=logged["at_device"],
            at=logged["at_estimated"],
            uncertainty_ms=logged["uncertainty_ms"],
            received_at=logged["received_at"],
            flags=tuple(logged["result"].get("flags", ())),
        ),
        place={"lon": place["lon"], "lat": place["lat"]} if place else None,
    )


async def _outcome(
    uow: UnitOfWork, registry: Registry, author: Actor, mutation: Mutation, envelope: Mapping[str, Any]
) -> Outcome:
    try:
        async with uow.savepoint():
            return await _handled(uow, registry, author, mutation, envelope.get("args"))
    except Problem as problem:
        return Outcome(Status.QUARANTINED, problem.code, {"detail": str(problem)})
    except psycopg.OperationalError:
        raise
    except Exception:
        log.exception("mutator failed at replay", mutation=str(mutation.id), name=mutation.name)
        failed = ServerError(trace=trace_id.get())
        return Outcome(Status.QUARANTINED, failed.code, {"detail": str(failed)})


async def _handled(uow: UnitOfWork, registry: Registry, author: Actor, mutation: Mutation, args: Any) -> Outcome:
    if not isinstance(args, dict):
        raise InvalidArguments(why="what came can't be read as a mutation")
    mutator, lifted = registry.lifted(mutation.name, mutation.v, args)
    return await mutator.run(uow, author, mutation, lifted)
