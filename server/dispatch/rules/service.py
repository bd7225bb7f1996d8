"""What rules do with orders: at once when something happens to them, later when they have waited.

Every use case locks the order first and looks whether it still waits for somebody, so whoever comes second, a worker or
a dispatcher, finds it decided.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from server.core import events
from server.core.db import UnitOfWork
from server.dispatch import service as dispatch
from server.dispatch.decisions import How
from server.dispatch.rules import joint, pool, pool_queries, queries
from server.dispatch.rules.domain import (
    Attempt,
    Best,
    Broken,
    Do,
    Offer,
    OfferEnding,
    OrderFacts,
    Rule,
    RuleOutcome,
    first_match,
    last_resort,
)
from server.dispatch.rules.joint import Choice, Chosen, Wanting
from server.dispatch.scoring import Ranking
from server.geo.travel import Travel
from server.identity.domain import Actor, Audience, Permission
from server.workorders import access, timeline
from server.workorders import queries as workorder_queries
from server.workorders.domain import WorkOrder
from server.workorders.steps import payload_of

_AT_ONCE = 200  # orders taken up in one round; the next is a minute away


@dataclass(frozen=True)
class Case:
    """One order, locked and without anybody sent, under the rule that decides over it.

    since: when the rule began to apply. event_id: because of which, when it was one. chosen: together with others.
    """

    order: WorkOrder
    facts: OrderFacts
    rule: Rule
    since: datetime
    event_id: UUID | None = None
    chosen: Chosen | None = None


@dataclass(frozen=True)
class Automation:
    """What rules did with an order, the newest first, and its last offer."""

    attempts: Sequence[Attempt]
    offer: Offer | None


async def automation_of(uow: UnitOfWork, actor: Actor, work_order_id: UUID) -> Automation:
    """Raises NotFound."""
    order = await access.work_order_for(uow, actor, work_order_id)
    return Automation(await queries.attempts(uow, order.id), await pool_queries.last_offer(uow, order.id))


async def decide(uow: UnitOfWork, travel: Travel, work_order_id: UUID, event_id: UUID) -> None:
    """Let the first rule that means an order decide over it, because of an event that is heard once."""
    rules = [rule for rule in await queries.rules(uow) if rule.active]
    if not rules or await queries.was_heard(uow, event_id):
        return
    found = await _lock_waiting(uow, work_order_id)
    # Asked again under the lock: two deliveries of one event wait for each other there.
    if found is None or await queries.was_heard(uow, event_id):
        return
    await _decide(uow, travel, *found, rules, event_id)


async def reconsider(uow: UnitOfWork, travel: Travel, work_order_id: UUID, event_id: UUID) -> None:
    """Choose the rule of an order anew that was changed in what rules look at.

    A rule that goes on to mean it goes on as it began. An offer by a rule gives way to one that now decides first; an
    offer by a person stands.
    """
    rules = [rule for rule in await queries.rules(uow) if rule.active]
    if not rules or await queries.was_heard(uow, event_id):
        return
    found = await _lock_waiting(uow, work_order_id)
    if found is None or await queries.was_heard(uow, event_id):
        return
    order, facts = found
    rule = first_match(rules, facts, uow.now(), await _zone(uow))
    tried = await queries.attempts(uow, order.id)
    if rule and tried and tried[0].outcome is RuleOutcome.LEFT and _is_of(tried[0], rule):
        return
    offer = await pool_queries.open_offer(uow, order.id)
    if offer is not None and _gives_way(offer, rule, tried):
        await pool.close(uow, None, order, offer, OfferEnding.WITHDRAWN)
    await _decide(uow, travel, order, facts, rules, event_id)


def _gives_way(offer: Offer, rule: Rule | None, tried: Sequence[Attempt]) -> bool:
    """Whether a rule's offer is over because another rule decides, that was not asked before."""
    if offer.rule_id is None or (rule is not None and rule.treatment.do is Do.POOL):
        return False
    return rule is None or not any(_is_of(it, rule) for it in tried)


def _is_of(attempt: Attempt, rule: Rule) -> bool:
    return (attempt.rule_id, attempt.rule_version) == (rule.id, rule.version)


async def choose(uow: UnitOfWork, travel: Travel, orders: Sequence[UUID]) -> Choice:
    """Choose for several orders that have waited long enough whom each is to be given. Takes no locks.

    An order whose rule leaves it to people as things stand is neither chosen for nor put off.
    """
    rules = await queries.rules(uow)
    wanting = [await _wanting(uow, travel, it, rules) for it in orders]
    return joint.together([it for it in wanting if it is not None])


async def _wanting(uow: UnitOfWork, travel: Travel, work_order_id: UUID, rules: Sequence[Rule]) -> Wanting | None:
    facts, waiting = await queries.waiting_order(uow, work_order_id), await queries.waiting(uow, work_order_id)
    rule = _still_standing(rules, waiting) if facts and waiting else None
    if facts is None or rule is None or rule.treatment.do is not Do.WAIT:
        return None
    ranking = await dispatch.candidates(uow, _automaton(uow, rule), travel, work_order_id, uow.now())
    if not ranking.items or rule.limits.broken(standing_of(ranking, 0, facts.duration_minutes)):
        return None
    allowed = {
        it.engineer_id: it.score
        for place, it in enumerate(ranking.items)
        if not rule.limits.broken(standing_of(ranking, place, facts.duration_minutes))
    }
    return Wanting(work_order_id, facts.priority, allowed)


def _still_standing(rules: Sequence[Rule], waiting: Attempt) -> Rule | None:
    """Answer the rule an order waits under; None when it has changed or counts no more."""
    return next((it for it in rules if it.active and _is_of(waiting, it)), None)


async def take_up(uow: UnitOfWork, travel: Travel, work_order_id: UUID, chosen: Chosen | None = None) -> None:
    """Go on with an order that has waited long enough, by the rule it waits under if that still stands.

    chosen: who is to be sent, where several orders were looked at together and nothing speaks against it by now.
    """
    found = await _lock_waiting(uow, work_order_id)
    waiting = await queries.waiting(uow, work_order_id)
    if waiting is None:
        return
    await queries.end_waiting(uow, work_order_id)
    if found is None:
        return
    rules = await queries.rules(uow)
    rule = _still_standing(rules, waiting)
    if rule is not None:
        await _carry_out(uow, travel, Case(*found, rule, waiting.at, chosen=chosen))
    else:
        await _decide(uow, travel, *found, rules, None)


async def offer_near_breach(uow: UnitOfWork, work_order_id: UUID) -> None:
    """Put an order into the pool that nobody was sent to, if a rule says so and nothing else is under way."""
    found = await _lock_waiting(uow, work_order_id)
    if found is None:
        return
    order, facts = found
    rule = last_resort(await queries.rules(uow), facts, uow.now(), await _zone(uow))
    under_way = await queries.waiting(uow, order.id) or await pool_queries.last_offer(uow, order.id)
    if rule is not None and under_way is None:
        await _offer(uow, Case(order, facts, rule, uow.now()))


async def near_breach(uow: UnitOfWork) -> list[UUID]:
    """Answer the orders that some rule puts into the pool now."""
    rules = [rule for rule in await queries.rules(uow) if rule.active]
    minutes = [rule.treatment.minutes or 0 for rule in rules if rule.treatment.do is Do.POOL]
    if not minutes:
        return []
    zone = await _zone(uow)
    near = await queries.near_breach(uow, uow.now() + timedelta(minutes=max(minutes)), _AT_ONCE)
    return [facts.id for facts in near if last_resort(rules, facts, uow.now(), zone)]


async def due(uow: UnitOfWork) -> list[UUID]:
    return await queries.due(uow, _AT_ONCE)


async def settle(uow: UnitOfWork, work_order_id: UUID) -> None:
    """End what rules have under way with an order that waits for nobody any more."""
    if await queries.waiting(uow, work_order_id) is None and await pool_queries.open_offer(uow, work_order_id) is None:
        return
    order = await workorder_queries.lock_order(uow, work_order_id)
    if order is None or await queries.waiting_order(uow, work_order_id) is not None:
        return
    await queries.end_waiting(uow, order.id)
    offer = await pool_queries.open_offer(uow, order.id)
    if offer is not None:
        visit = await workorder_queries.visit_at_hand(uow, order.id)
        sent = visit is not None and visit.is_open
        await pool.close(uow, None, order, offer, OfferEnding.ASSIGNED if sent else OfferEnding.WITHDRAWN)


async def expire(uow: UnitOfWork, work_order_id: UUID) -> None:
    """Close an offer nobody took in time."""
    order = await workorder_queries.lock_order(uow, work_order_id)
    offer = await pool_queries.open_offer(uow, work_order_id)
    if order is not None and offer is not None and offer.closes_at <= uow.now():
        await pool.close(uow, None, order, offer, OfferEnding.EXPIRED)


async def _lock_waiting(uow: UnitOfWork, work_order_id: UUID) -> tuple[WorkOrder, OrderFacts] | None:
    order = await workorder_queries.lock_order(uow, work_order_id)
    facts = await queries.waiting_order(uow, work_order_id)
    return (order, facts) if order and facts else None


async def _decide(
    uow: UnitOfWork,
    travel: Travel,
    order: WorkOrder,
    facts: OrderFacts,
    rules: Sequence[Rule],
    event_id: UUID | None,
) -> None:
    rule = first_match(rules, facts, uow.now(), await _zone(uow))
    waiting = await queries.waiting(uow, order.id)
    if rule and waiting and _is_of(waiting, rule):
        return
    await queries.end_waiting(uow, order.id)
    if rule is not None and await pool_queries.open_offer(uow, order.id) is None:
        await _carry_out(uow, travel, Case(order, facts, rule, uow.now(), event_id))


async def _carry_out(uow: UnitOfWork, travel: Travel, case: Case) -> None:
    treatment = case.rule.treatment
    due = treatment.due(case.facts, case.since)
    match treatment.do:
        case Do.NEVER:
            await _note(uow, case, RuleOutcome.LEFT)
        case Do.WAIT | Do.POOL if due > uow.now():
            await _note(uow, case, RuleOutcome.WAITING, until=due)
        case Do.POOL:
            await _offer(uow, case)
        case _:
            await _assign(uow, travel, case)


async def _offer(uow: UnitOfWork, case: Case) -> None:
    await pool.open_offer(uow, _automaton(uow, case.rule), case.order, case.facts, rule=case.rule)
    await _note(uow, case, RuleOutcome.POOLED)


async def _assign(uow: UnitOfWork, travel: Travel, case: Case) -> None:
    # One after another, so that each sees the load that the one before has made.
    await queries.lock_rules(uow)
    actor = _automaton(uow, case.rule)
    ranking = await dispatch.candidates(uow, actor, travel, case.order.id, uow.now())
    if not ranking.items:
        await _note(uow, case, RuleOutcome.NOBODY)
        return
    place, how = _place(ranking, case)
    engineer_id, best = ranking.items[place].engineer_id, standing_of(ranking, place, case.facts.duration_minutes)
    if broken := case.rule.limits.broken(best):
        await _note(uow, case, RuleOutcome.LIMITS_NOT_MET, engineer_id=engineer_id, limits=broken)
        return
    visit = await dispatch.assign(
        uow,
        actor,
        travel,
        work_order_id=case.order.id,
        engineer_id=engineer_id,
        how=how,
        note=case.rule.name,
    )
    await timeline.append(
        uow,
        actor,
        work_order_id=case.order.id,
        visit_id=visit.id,
        action="assign_by_rule",
        why=case.rule.name,
        facts={
            **pool.named(case.rule),
            "engineer_id": str(engineer_id),
            "score": best.score,
            **(_alone(ranking, case.chosen) if how is How.JOINT else {}),
        },
    )
    sent = await workorder_queries.order(uow, case.order.id) or case.order
    await _note(uow, replace(case, order=sent), RuleOutcome.ASSIGNED, engineer_id=engineer_id)


def _place(ranking: Ranking, case: Case) -> tuple[int, How]:
    """Answer whose turn it is: who was chosen together with other orders if they still suit it, or who leads."""
    wanted = case.chosen and case.chosen.engineer_id
    for place, it in enumerate(ranking.items):
        standing = standing_of(ranking, place, case.facts.duration_minutes)
        if it.engineer_id == wanted and not case.rule.limits.broken(standing):
            return place, How.JOINT
    return 0, How.AUTOMATIC


def _alone(ranking: Ranking, chosen: Chosen | None) -> Mapping[str, Any]:
    """Who would have been sent, had there been no other orders."""
    best = ranking.items[0]
    return {
        "others": chosen and chosen.others,
        "best_alone_id": str(best.engineer_id),
        "best_alone_name": best.name,
        "best_alone_score": best.score,
    }


def standing_of(ranking: Ranking, place: int, duration_minutes: int) -> Best:
    """Answer a candidate as limits see them; who does not lead is behind the one who does."""
    it = ranking.items[place]
    rival = next((one for one in ranking.items if one is not it), None)
    return Best(
        score=it.score,
        lead=round(it.score - rival.score, 4) if rival else None,
        eta_minutes=round(it.eta_seconds / 60, 1),
        load_percent=load_percent(it.load_minutes + duration_minutes, it.capacity_minutes),
    )


def load_percent(minutes: int, capacity_minutes: int) -> float:
    return round(100 * minutes / capacity_minutes, 1)


async def _note(
    uow: UnitOfWork,
    case: Case,
    outcome: RuleOutcome,
    *,
    until: datetime | None = None,
    engineer_id: UUID | None = None,
    limits: Sequence[Broken] = (),
) -> None:
    """Keep what came of it, and let boards know."""
    await queries.insert_attempt(
        uow,
        work_order_id=case.order.id,
        rule=case.rule,
        outcome=outcome,
        event_id=case.event_id,
        until=until,
        engineer_id=engineer_id,
        limits=limits,
    )
    said: dict[str, Any] = {
        "outcome": str(outcome),
        **pool.named(case.rule),
        "until": until.isoformat() if until else None,
        "engineer_id": str(engineer_id) if engineer_id else None,
        "limits": [vars(broken) for broken in limits],
    }
    await events.append(
        uow,
        "work_order.decided_by_rule",
        subject=("work_order", case.order.id),
        actor=case.rule.id,
        payload={**payload_of(case.order, None), **said},
    )


def _automaton(uow: UnitOfWork, rule: Rule) -> Actor:
    """Who acts for the record: the rule, with no more rights than sending somebody asks for."""
    assert uow.org is not None, "rules belong to an organisation"
    rights = frozenset({Permission.VISITS_DISPATCH, Permission.ORDERS_READ})
    return Actor(uow.org, rule.id, "Automatic assignment", rights, Audience.WEB, "en")


async def _zone(uow: UnitOfWork) -> ZoneInfo:
    return ZoneInfo(await queries.zone_of_organisation(uow))
