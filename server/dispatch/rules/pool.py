"""The open pool: orders that whoever may can take. The order is always locked before its offer is looked at."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from server.core import events
from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.dispatch import service as dispatch
from server.dispatch.decisions import How
from server.dispatch.rules import pool_queries, queries
from server.dispatch.rules.domain import UNASSIGNED, Offer, OfferEnding, OrderFacts, Rule, closing_of
from server.dispatch.rules.errors import ClosesInThePast, NotForThePool, NotForYou, OfferOver
from server.geo.travel import Travel
from server.identity.access import require
from server.identity.domain import Actor, Permission
from server.notify import service as notify
from server.notify.domain import Hint
from server.workorders import access, timeline
from server.workorders import queries as workorder_queries
from server.workorders.domain import Visit, WorkOrder
from server.workorders.errors import EntityGone, Voided
from server.workorders.steps import payload_of

TOLD_AT_ONCE = 50  # the nearest; everybody else sees an offer when their phone asks the next time


async def offer_by_hand(uow: UnitOfWork, actor: Actor, work_order_id: UUID, closes_at: datetime | None) -> Offer:
    """Offer an order to the field. What is on offer already stays as it is.

    Raises NotFound, Forbidden, Voided, NotForThePool, ClosesInThePast.
    """
    require(actor, Permission.VISITS_DISPATCH)
    order = await _held(uow, actor, work_order_id)
    known = await pool_queries.open_offer(uow, order.id)
    if known is not None:
        return known
    facts = await queries.waiting_order(uow, order.id)
    if facts is None:
        raise NotForThePool(state=order.state)
    if closes_at is not None and closes_at <= uow.now():
        raise ClosesInThePast
    return await open_offer(uow, actor, order, facts, closes_at=closes_at)


async def open_offer(
    uow: UnitOfWork,
    actor: Actor,
    order: WorkOrder,
    facts: OrderFacts,
    *,
    rule: Rule | None = None,
    closes_at: datetime | None = None,
) -> Offer:
    """Offer an order that is locked and waits for somebody; in the name of a rule, if one is given."""
    offer = Offer(
        id=uow.new_id(),
        work_order_id=order.id,
        opened_at=uow.now(),
        opened_by=None if rule else actor.person,
        rule_id=rule.id if rule else None,
        rule_version=rule.version if rule else None,
        closes_at=closes_at or closing_of(facts, uow.now()),
        ended_at=None,
        ending=None,
        taken_by=None,
    )
    await pool_queries.insert_offer(uow, offer)
    await pool_queries.show(uow, order.id)
    said = {"closes_at": offer.closes_at.isoformat(), **(named(rule) if rule else {})}
    await _record(uow, actor, order, "opened", offer, said, why=rule.name if rule else None)
    for person in await pool_queries.nearest_at_work(uow, offer.id, TOLD_AT_ONCE):
        await notify.queue_hint(uow, person, Hint.SYNC, offer.id, f"pool:{offer.id}")
    return offer


async def withdraw(uow: UnitOfWork, actor: Actor, work_order_id: UUID) -> None:
    """Take an order's offer back. Raises NotFound, Forbidden, Voided."""
    require(actor, Permission.VISITS_DISPATCH)
    order = await _held(uow, actor, work_order_id)
    offer = await pool_queries.open_offer(uow, order.id)
    if offer is None:
        raise NotFound(thing="offer")
    await close(uow, actor, order, offer, OfferEnding.WITHDRAWN)


async def close(uow: UnitOfWork, actor: Actor | None, order: WorkOrder, offer: Offer, ending: OfferEnding) -> None:
    """End an offer of an order that is locked. No actor means that it ended by itself."""
    await pool_queries.end_offer(uow, offer.id, ending)
    await _record(uow, actor, order, "closed", offer, {"ending": str(ending)})


@dataclass(frozen=True)
class Taken:
    """It is theirs now. visit: the one they were sent on; None when it was theirs before."""

    visit: Visit | None


@dataclass(frozen=True)
class TooLate:
    """Somebody else has it. Who that is stays the office's business."""

    ending: OfferEnding
    at: datetime


async def take(
    uow: UnitOfWork, actor: Actor, travel: Travel, *, offer_id: UUID, work_order_id: UUID
) -> Taken | TooLate:
    """Send the actor to what is on offer, unless somebody was quicker.

    Raises Forbidden, EntityGone, OfferOver, NotForYou.
    """
    require(actor, Permission.VISITS_PERFORM)
    order = await workorder_queries.lock_order(uow, work_order_id)
    offer = await pool_queries.offer(uow, offer_id)
    if order is None or order.voided_at is not None or offer is None or offer.work_order_id != order.id:
        raise EntityGone(thing="offer")
    at_hand = await workorder_queries.visit_at_hand(uow, order.id)
    if at_hand is not None and at_hand.is_open and at_hand.engineer_id == actor.person:
        return Taken(None)
    if late := _too_late(offer, at_hand, uow.now()):
        return late
    _check_open(offer, order, uow.now())
    await _check_able(uow, actor, travel, order.id)
    visit = await dispatch.assign(
        uow, _sending_oneself(actor), travel, work_order_id=order.id, engineer_id=actor.person, how=How.POOL
    )
    await pool_queries.end_offer(uow, offer.id, OfferEnding.TAKEN, taken_by=actor.person)
    await queries.end_waiting(uow, order.id)
    sent = await workorder_queries.order(uow, order.id) or order
    await _record(uow, actor, sent, "taken", offer, {"visit_id": str(visit.id), "engineer_id": str(actor.person)})
    return Taken(visit)


def _too_late(offer: Offer, at_hand: Visit | None, now: datetime) -> TooLate | None:
    if offer.ended_at is not None and offer.ending in {OfferEnding.TAKEN, OfferEnding.ASSIGNED}:
        return TooLate(offer.ending, offer.ended_at)
    # The office has sent somebody, and the offer is about to close because of it.
    return TooLate(OfferEnding.ASSIGNED, now) if at_hand is not None and at_hand.is_open else None


def _check_open(offer: Offer, order: WorkOrder, now: datetime) -> None:
    if offer.ending is not None:
        raise OfferOver(ending=f"it was {offer.ending}")
    if order.state not in UNASSIGNED:
        raise OfferOver(ending=f"the work order is {order.state}")
    if offer.closes_at <= now:
        raise OfferOver(ending=f"it was {OfferEnding.EXPIRED}")


async def _check_able(uow: UnitOfWork, actor: Actor, travel: Travel, work_order_id: UUID) -> None:
    ranking = await dispatch.candidates(
        uow, _sending_oneself(actor), travel, work_order_id, uow.now(), about=[actor.person]
    )
    if ranking.start_of(actor.person) is None:
        raise NotForYou(why="You have no engineer's profile.")
    excluded = next((other for other in ranking.excluded if other.engineer_id == actor.person), None)
    if excluded is not None:
        raise NotForYou(why=" ".join(reason.sentence for reason in excluded.reasons))


def _sending_oneself(actor: Actor) -> Actor:
    """Who takes an offer does for themselves, and for this order alone, what else a dispatcher does."""
    return replace(actor, permissions=actor.permissions | {Permission.VISITS_DISPATCH, Permission.ORDERS_READ})


async def _held(uow: UnitOfWork, actor: Actor, work_order_id: UUID) -> WorkOrder:
    await access.living_order_for(uow, actor, work_order_id)
    order = await workorder_queries.lock_order(uow, work_order_id)
    if order is None:
        raise NotFound(thing=access.ORDER.thing)
    if order.voided_at is not None:
        raise Voided
    return order


def named(rule: Rule) -> dict[str, Any]:
    """A rule as records name it."""
    return {"rule_id": str(rule.id), "rule_version": rule.version, "rule_name": rule.name}


async def _record(
    uow: UnitOfWork,
    actor: Actor | None,
    order: WorkOrder,
    what: str,
    offer: Offer,
    said: Mapping[str, Any],
    *,
    why: str | None = None,
) -> None:
    facts = {"offer_id": str(offer.id), **said}
    if actor is not None:
        await timeline.append(uow, actor, work_order_id=order.id, action=f"pool_{what}", why=why, facts=facts)
    await events.append(
        uow,
        f"pool.{what}",
        subject=("work_order", order.id),
        actor=actor.person if actor else None,
        payload={**payload_of(order, None), **facts},
    )
