"""Assignment rules in the product's words, and the worker's round as tests take it."""

from typing import Any

from server.core.db import UnitOfWork
from server.core.events import Event, Subscriptions
from server.dispatch.rules import editing
from server.dispatch.rules.domain import Conditions, Do, Limits, Rule, Treatment
from server.dispatch.rules.editing import Wording
from server.dispatch.rules.subscribers import subscribe
from server.geo.estimate import EstimatedTravel
from server.identity.domain import Actor

TRAVEL = EstimatedTravel()


def worded(
    do: Do = Do.ASSIGN,
    minutes: int | None = None,
    *,
    name: str = "Clear cases",
    active: bool = True,
    conditions: dict[str, Any] | None = None,
    **limits: float,
) -> Wording:
    return Wording(name, active, Conditions.from_db(conditions or {}), Limits.from_db(limits), Treatment(do, minutes))


async def a_rule(uow: UnitOfWork, administrator: Actor, *said: Any, **more: Any) -> Rule:
    return await editing.add(uow, administrator, worded(*said, **more))


async def hear(uow: UnitOfWork, *, times: int = 1, only: str | None = None) -> None:
    """Hand every event that happened so far, or those of one name, to the subscribers of rules, as the worker would."""
    subscriptions = Subscriptions()
    subscribe(subscriptions, TRAVEL)
    happened = await uow.all_of(
        Event,
        "select id, name, subject_kind, subject_id, payload, actor_id, trace_id, at, position from event "
        "where name = any(%(names)s) order by id",
        names=[only] if only else list(subscriptions.events),
    )
    for event in happened:
        for name in subscriptions.events[event.name] * times:
            await subscriptions.by_name[name](uow, event)
