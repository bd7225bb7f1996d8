"""What the rules would have done with the orders of the last days, before anybody switches them on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from server.core.db import UnitOfWork
from server.dispatch.rules import queries
from server.dispatch.rules.domain import Best, Rehearsed, Rule, first_match, foreseen
from server.dispatch.rules.queries import Past
from server.dispatch.rules.service import load_percent

MOST_REHEARSED = 1_000


async def rehearse(uow: UnitOfWork, days: int, *, inactive_too: bool) -> list[Rehearsed]:
    """Answer for each order of the last days which rule would have decided and what would have come of it.

    inactive_too: as if every rule were active. Orders are taken as they are known now, rules as they stand.
    """
    rules = await queries.rules(uow)
    if inactive_too:
        rules = [replace(rule, active=True) for rule in rules]
    zone = ZoneInfo(await queries.zone_of_organisation(uow))
    since = uow.now() - timedelta(days=days)
    return [_rehearsed(past, rules, zone) for past in await queries.past(uow, since, MOST_REHEARSED)]


def _rehearsed(past: Past, rules: Sequence[Rule], zone: ZoneInfo) -> Rehearsed:
    order = past.order
    rule = first_match(rules, order, order.reported_at, zone)
    best = _best(past)
    decided = past.sent_at is not None
    outcome = foreseen(rule, order, best, decided=decided, sent_at=past.sent_at) if rule else None
    return Rehearsed(
        work_order_id=order.id,
        number=past.number,
        title=past.title,
        reported_at=order.reported_at,
        rule=rule,
        outcome=outcome,
        limits=rule.limits.broken(best) if rule and best else (),
        best_id=past.leaders[0].engineer_id if past.leaders else None,
        sent_id=past.sent_id,
    )


def _best(past: Past) -> Best | None:
    if not past.leaders:
        return None
    best, *others = past.leaders
    return Best(
        score=best.score,
        lead=round(best.score - others[0].score, 4) if others else None,
        eta_minutes=round(best.eta_seconds / 60, 1),
        load_percent=load_percent(best.load_minutes + past.order.duration_minutes, best.capacity_minutes),
    )
