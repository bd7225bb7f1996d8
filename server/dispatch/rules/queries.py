"""Every statement about rules and what they came to."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from server.core.db import UnitOfWork
from server.core.rows import part_of_row
from server.dispatch.rules.domain import UNASSIGNED, Attempt, Broken, OrderFacts, Rule, RuleOutcome
from server.workorders.domain import OPEN_VISIT

_UNASSIGNED = [str(state) for state in UNASSIGNED]
_OPEN_VISIT = [str(state) for state in OPEN_VISIT]

_FACTS = """
    o.id, o.priority, o.problem_type, s.territory_id, o.channel, c.tier, o.reported_at, o.respond_by, o.duration_minutes
"""
_OF_ORDER = "from work_order o join site s on s.id = o.site_id join customer c on c.id = o.customer_id"
# Nobody is sent, and somebody should be.
_WAITS = """
    o.state = any(%(unassigned)s) and o.voided_at is null
    and not exists (select from visit v where v.work_order_id = o.id and v.state = any(%(open_visit)s))
"""
_RULE = """
    select r.id, v.version, r.position, v.name, v.active, v.conditions, v.limits, v.treatment, v.created_by,
           v.created_at
    from assignment_rule r
    join lateral (select * from assignment_rule_version v where v.rule_id = r.id order by v.version desc limit 1) v
      on true
    where r.deleted_at is null
"""
_ATTEMPT = """
    select a.id, a.work_order_id, a.rule_id, a.rule_version, v.name as rule_name, a.outcome, a.at, a.until, a.over_at,
           a.engineer_id, p.name as engineer_name, a.limits
    from assignment_attempt a
    join assignment_rule_version v on (v.rule_id, v.version) = (a.rule_id, a.rule_version)
    left join person p on p.id = a.engineer_id
"""


async def zone_of_organisation(uow: UnitOfWork) -> str:
    return str(await uow.value("select timezone from organisation"))


async def rules(uow: UnitOfWork) -> list[Rule]:
    """Answer every rule as it is now, in the order they are asked."""
    return await uow.all_of(Rule, f"{_RULE} order by r.position, r.id")


async def rule(uow: UnitOfWork, rule_id: UUID) -> Rule | None:
    return await uow.one_of(Rule, f"{_RULE} and r.id = %(id)s", id=rule_id)


async def lock_rules(uow: UnitOfWork) -> list[UUID]:
    """Keep others from changing rules or assigning by them until this transaction ends; answer their ids in order."""
    found = await uow.rows(
        "select id from assignment_rule where deleted_at is null order by position, id for no key update"
    )
    return [row["id"] for row in found]


async def insert_rule(uow: UnitOfWork, rule_id: UUID, position: int) -> None:
    await uow.run(
        "insert into assignment_rule (org_id, id, position) values (%(org)s, %(id)s, %(position)s)",
        org=uow.org,
        id=rule_id,
        position=position,
    )


async def insert_version(uow: UnitOfWork, it: Rule) -> None:
    await uow.run(
        """
        insert into assignment_rule_version (org_id, rule_id, version, name, active, conditions, limits, treatment,
                                             created_by, created_at)
        values (%(org)s, %(rule)s, %(version)s, %(name)s, %(active)s, %(conditions)s, %(limits)s, %(treatment)s,
                %(by)s, %(at)s)
        """,
        org=uow.org,
        rule=it.id,
        version=it.version,
        name=it.name,
        active=it.active,
        conditions=it.conditions.as_json(),
        limits=it.limits.as_json(),
        treatment=it.treatment.as_json(),
        by=it.created_by,
        at=it.created_at,
    )


async def set_positions(uow: UnitOfWork, ids: Sequence[UUID]) -> None:
    """Number the rules from 1 in this order."""
    await uow.run(
        """
        update assignment_rule r set position = given.position
        from unnest(%(ids)s::uuid[]) with ordinality given (id, position)
        where r.id = given.id and r.position <> given.position
        """,
        ids=list(ids),
    )


async def delete_rule(uow: UnitOfWork, rule_id: UUID) -> bool:
    """Answer whether there was one."""
    return bool(
        await uow.run(
            "update assignment_rule set deleted_at = %(now)s where id = %(id)s and deleted_at is null",
            id=rule_id,
            now=uow.now(),
        )
    )


async def unknown_territories(uow: UnitOfWork, ids: Sequence[UUID]) -> list[UUID]:
    found = await uow.rows(
        "select id from unnest(%(ids)s::uuid[]) given (id) where id not in (select id from territory)", ids=list(ids)
    )
    return [row["id"] for row in found]


async def waiting_order(uow: UnitOfWork, work_order_id: UUID) -> OrderFacts | None:
    """Answer what rules look at, None when the order needs nobody to be sent."""
    return await uow.one_of(
        OrderFacts,
        f"select {_FACTS} {_OF_ORDER} where o.id = %(id)s and {_WAITS}",
        id=work_order_id,
        unassigned=_UNASSIGNED,
        open_visit=_OPEN_VISIT,
    )


async def near_breach(uow: UnitOfWork, before: datetime, limit: int) -> list[OrderFacts]:
    """Answer orders that nobody was sent to, whose promise ends by then, and that nothing was begun with.

    An order that was on offer before is not among them: whoever withdrew it, or nobody who took it, had their say.
    """
    return await uow.all_of(
        OrderFacts,
        f"""
        select {_FACTS} {_OF_ORDER}
        where o.respond_by <= %(before)s and {_WAITS}
          and not exists (select from pool_offer f where f.work_order_id = o.id)
          and not exists (select from assignment_attempt a
                          where a.work_order_id = o.id and a.outcome = '{RuleOutcome.WAITING}' and a.over_at is null)
        order by o.respond_by, o.id limit %(limit)s
        """,
        before=before,
        limit=limit,
        unassigned=_UNASSIGNED,
        open_visit=_OPEN_VISIT,
    )


async def due(uow: UnitOfWork, limit: int) -> list[UUID]:
    """Answer the orders that have waited long enough, those that have waited longest first."""
    found = await uow.rows(
        f"""
        select work_order_id from assignment_attempt
        where outcome = '{RuleOutcome.WAITING}' and over_at is null and until <= %(now)s
        order by until, id limit %(limit)s
        """,
        now=uow.now(),
        limit=limit,
    )
    return [row["work_order_id"] for row in found]


async def was_heard(uow: UnitOfWork, event_id: UUID) -> bool:
    return bool(
        await uow.value("select exists (select from assignment_attempt where event_id = %(event)s)", event=event_id)
    )


async def waiting(uow: UnitOfWork, work_order_id: UUID) -> Attempt | None:
    return await uow.one_of(
        Attempt,
        f"{_ATTEMPT} where a.work_order_id = %(order)s and a.outcome = '{RuleOutcome.WAITING}' and a.over_at is null",
        order=work_order_id,
    )


async def end_waiting(uow: UnitOfWork, work_order_id: UUID) -> None:
    await uow.run(
        f"""
        update assignment_attempt set over_at = %(now)s
        where work_order_id = %(order)s and outcome = '{RuleOutcome.WAITING}' and over_at is null
        """,
        order=work_order_id,
        now=uow.now(),
    )


async def insert_attempt(
    uow: UnitOfWork,
    *,
    work_order_id: UUID,
    rule: Rule,
    outcome: RuleOutcome,
    event_id: UUID | None,
    until: datetime | None,
    engineer_id: UUID | None,
    limits: Sequence[Broken],
) -> None:
    await uow.run(
        """
        insert into assignment_attempt (org_id, id, work_order_id, rule_id, rule_version, outcome, at, until, event_id,
                                        engineer_id, limits)
        values (%(org)s, %(id)s, %(order)s, %(rule)s, %(version)s, %(outcome)s, %(now)s, %(until)s, %(event)s,
                %(engineer)s, %(limits)s::jsonb)
        """,
        org=uow.org,
        id=uow.new_id(),
        order=work_order_id,
        rule=rule.id,
        version=rule.version,
        outcome=outcome,
        now=uow.now(),
        until=until,
        event=event_id,
        engineer=engineer_id,
        limits=json.dumps([vars(broken) for broken in limits]),
    )


async def attempts(uow: UnitOfWork, work_order_id: UUID) -> list[Attempt]:
    """Answer what rules did with an order, the newest first."""
    return await uow.all_of(
        Attempt, f"{_ATTEMPT} where a.work_order_id = %(order)s order by a.at desc, a.id desc", order=work_order_id
    )


@dataclass(frozen=True)
class Leader:
    """A candidate of a stored decision."""

    engineer_id: UUID
    score: float
    eta_seconds: float
    load_minutes: int
    capacity_minutes: int

    @classmethod
    def from_db(cls, value: dict[str, Any]) -> Self:
        return cls(UUID(value["engineer_id"]), *(value[name] for name in _MEASURED))


_MEASURED = ("score", "eta_seconds", "load_minutes", "capacity_minutes")


@dataclass(frozen=True)
class Past:
    """An order of the past, with the two who led when somebody was sent first."""

    order: OrderFacts
    number: int
    title: str
    sent_id: UUID | None
    sent_at: datetime | None
    leaders: tuple[Leader, ...]


async def past(uow: UnitOfWork, since: datetime, limit: int) -> list[Past]:
    """Answer the orders reported since then, the newest first."""
    found = await uow.rows(
        f"""
        select {_FACTS}, o.number, o.title, d.engineer_id as sent_id, d.decided_at as sent_at, led.leaders
        {_OF_ORDER}
        left join lateral (
            select d.engineer_id, d.decided_at, d.candidates
            from visit v join assignment_decision d on d.visit_id = v.id
            where v.work_order_id = o.id order by d.decided_at, d.id limit 1
        ) d on true
        left join lateral (
            select jsonb_agg(best.line order by best.number) as leaders
            from (select line, number from jsonb_array_elements(d.candidates) with ordinality e (line, number)
                  where line ? 'score' order by number limit 2) best
        ) led on true
        where o.reported_at >= %(since)s and o.voided_at is null
        order by o.reported_at desc, o.id desc limit %(limit)s
        """,
        since=since,
        limit=limit,
    )
    return [_past(row) for row in found]


def _past(row: dict[str, Any]) -> Past:
    facts = part_of_row(OrderFacts, row, "")
    assert facts is not None, "an order has a number"
    leaders = tuple(Leader.from_db(line) for line in row["leaders"] or ())
    return Past(facts, row["number"], row["title"], row["sent_id"], row["sent_at"], leaders)
