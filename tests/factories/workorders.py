"""Orders at every stage of their life, and what phones say about them."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from server.core.db import UnitOfWork
from server.customers.domain import Site
from server.identity.domain import Actor
from server.sync.domain import Mutation, Occurrence, Outcome
from server.sync.registry import Registry
from server.workorders import checklists, mutators, service
from server.workorders.domain import Action, OrderRequest, Requirement, Visit, WorkOrder
from server.workorders.procedures import Item, ItemDraft, ItemKind, Procedure
from tests.factories.customers import a_site

FIELD = Registry()
mutators.register(FIELD)

# The shortest way of an engineer from a dispatched visit to a resolved order.
WORKDAY = (Action.ACCEPT, Action.TRAVEL, Action.ARRIVE, Action.START, Action.RESOLVE)


async def an_order(uow: UnitOfWork, actor: Actor, *, site: Site | None = None, **details: Any) -> WorkOrder:
    site = site or await a_site(uow)
    said = {"title": "Oven stays cold", "problem_type": "no_heat", "description": "Since this morning.", **details}
    return await service.open_work_order(uow, actor, OrderRequest(site_id=site.id, **said))


async def a_visit(uow: UnitOfWork, dispatcher: Actor, engineer: Actor, order: WorkOrder) -> Visit:
    """Send an engineer (who has a profile) to the order tomorrow morning."""
    start = uow.now() + timedelta(days=1)
    return await service.schedule_visit(
        uow,
        dispatcher,
        work_order_id=order.id,
        engineer_id=engineer.person,
        planned_start=start,
        planned_end=start + timedelta(hours=1),
    )


async def work_until(uow: UnitOfWork, engineer: Actor, order: WorkOrder, last: Action) -> WorkOrder:
    """Let the engineer of a dispatched visit go on until and including `last`."""
    for action in WORKDAY[: WORKDAY.index(last) + 1]:
        note = "Done as planned." if action is Action.RESOLVE else None
        order = await service.perform(uow, engineer, work_order_id=order.id, action=action, note=note)
    return order


async def confirm(uow: UnitOfWork, engineer: Actor, order: WorkOrder) -> WorkOrder:
    """Close a resolved order as a signature with a rating does."""
    signed = frozenset({Requirement.SIGNATURE, Requirement.RATING})
    return await service.perform(uow, engineer, work_order_id=order.id, action=Action.CONFIRM, at_hand=signed)


async def a_procedure(uow: UnitOfWork, key: str = "oven-service") -> tuple[Procedure, list[Item]]:
    """A checklist of one required yes/no and one optional reading between 180 and 250 degrees."""
    await checklists.define_procedure(
        uow,
        key=key,
        name={"en": "Oven service", "zh": "烤箱保养"},
        items=[
            ItemDraft(ItemKind.YES_NO, {"en": "Isolated?", "zh": "已断电?"}),
            ItemDraft(
                ItemKind.NUMBER, {"en": "Heat", "zh": "温度"}, required=False, unit="°C", minimum=180, maximum=250
            ),
        ],
    )
    return next((it, items) for it, items in await checklists.procedures(uow) if it.key == key)


def an_occurrence(received: datetime, *, ago: timedelta = timedelta(), skew: timedelta = timedelta()) -> Occurrence:
    """Something that happened `ago`, told by a device whose clock is `skew` ahead."""
    at = received - ago
    return Occurrence(at + skew, at, 500, received)


def a_mutation(uow: UnitOfWork, device: UUID, name: str, occurrence: Occurrence | None = None, **more: Any) -> Mutation:
    return Mutation(
        id=uow.new_id(),
        seq=1,
        name=name,
        v=1,
        base={},
        device=device,
        stream=device,
        occurrence=occurrence or an_occurrence(uow.now()),
        place=more.get("place", {"lon": 7.42, "lat": 43.73}),
    )


async def from_phone(
    uow: UnitOfWork,
    actor: Actor,
    name: str,
    args: Mapping[str, Any],
    *,
    occurrence: Occurrence | None = None,
    mutation: Mutation | None = None,
    v: int = 1,
) -> Outcome:
    """Apply one mutation as the engine does: arguments parsed strictly, effects undone when it raises."""
    mutator, lifted = FIELD.lifted(name, v, json.loads(json.dumps(args, default=str)))
    parsed = mutator.args.model_validate(lifted)
    given = mutation or a_mutation(uow, actor.device or UUID(int=7), name, occurrence)
    async with uow.savepoint():
        return await mutator.handle(uow, actor, given, parsed)
