"""Reading the picture a plan is made from: what is open, who is on shift, what lies in which van. Set-based."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from server.core.db import UnitOfWork
from server.dispatch.learning import service as learning
from server.dispatch.learning.durations import Durations, Task
from server.dispatch.planning.domain import Scope
from server.dispatch.planning.picture import (
    Away,
    Booked,
    Depot,
    Duty,
    Link,
    Need,
    Order,
    Picture,
    Policy,
    Rest,
    Span,
    present,
)
from server.dispatch.prospects import FRESH
from server.geo.domain import Point
from server.inventory.domain import LocationKind
from server.workforce.domain import SkillLevel
from server.workorders.domain import BEGUN_VISIT, DONE, LinkKind, Pin, Priority, State, VisitState

_TO_PLAN = [str(it) for it in (State.NEW, State.TRIAGED, State.REOPENED)]
_WAITING = [str(it) for it in (VisitState.PLANNED, VisitState.DISPATCHED, VisitState.ACCEPTED)]
_UNDER_WAY = [str(it) for it in BEGUN_VISIT - {VisitState.PAUSED}]
_OVERDUE = timedelta(days=1)  # who is later than this will not come any more as it was planned

_DUTIES = f"""
    with span as (
        select s.*, row_number() over (partition by s.person_id order by s.starts_at) as number
        from shift s
        where s.ends_at > greatest(%(begins)s, %(at)s) and s.starts_at < %(until)s
    ),
    busy as (
        select distinct on (v.engineer_id) v.engineer_id, t.place,
               coalesce(v.planned_end, %(at)s + make_interval(mins => o.duration_minutes)) as until
        from visit v join work_order o on o.id = v.work_order_id join site t on t.id = o.site_id
        where v.state = any(%(under_way)s) and v.finished_at is null
        order by v.engineer_id, v.planned_start desc nulls last
    )
    select s.id as shift_id, e.person_id as engineer_id, p.name, e.territory_id, s.starts_at, s.ends_at,
           s.break_opens, s.break_closes, s.break_minutes, s.overtime_minutes, e.pace_percent,
           array[st_x(e.home::geometry), st_y(e.home::geometry)] as home,
           case when s.number = 1 and s.starts_at <= %(at)s then b.until end as busy_until,
           case when s.number = 1 and s.starts_at <= %(at)s and coalesce(b.place, l.place) is not null
                then array[st_x(coalesce(b.place, l.place)::geometry), st_y(coalesce(b.place, l.place)::geometry)]
           end as place,
           coalesce(
               (select jsonb_agg(jsonb_build_object('key', k.key, 'level', es.level) order by k.key)
                from engineer_skill es join skill k on k.id = es.skill_id
                where es.person_id = e.person_id and (es.valid_until is null or es.valid_until >= s.starts_at::date)),
               '[]') as skills,
           coalesce(
               (select jsonb_agg(
                    jsonb_build_object('part', q.part_id, 'quantity', floor(q.quantity)) order by q.part_id)
                from stock_location van join stock q on q.location_id = van.id
                where van.kind = '{LocationKind.VAN}' and van.person_id = e.person_id and q.quantity >= 1),
               '[]') as stock
    from span s
    join engineer e on e.person_id = s.person_id
    join person p on p.id = e.person_id and p.active
    left join busy b on b.engineer_id = e.person_id
    left join position_last l on l.person_id = e.person_id and l.fixed_at >= %(at)s - %(fresh)s::interval
    where (cardinality(%(territories)s::uuid[]) = 0 or e.territory_id = any(%(territories)s))
      and (cardinality(%(engineers)s::uuid[]) = 0 or e.person_id = any(%(engineers)s))
    order by e.person_id, s.starts_at
"""

# Two halves, each by an index: a company's history is long, and what is expected of somebody is short.
_WANTED = """
    with wanted as (
        select o.*, v.id as visit_id, v.engineer_id, v.planned_start, v.planned_end, v.pin
        from visit v join work_order o on o.id = v.work_order_id
        where v.engineer_id = any(%(people)s) and v.state = any(%(waiting)s) and v.finished_at is null
          and o.voided_at is null
          and coalesce(v.planned_start, %(at)s) < %(until)s and coalesce(v.planned_start, %(at)s) >= %(since)s
          and not exists (select from visit l where l.work_order_id = o.id and l.finished_at is null
                          and l.ordinal > v.ordinal)
        union all
        select o.*, null, null, null, null, null
        from work_order o join site s on s.id = o.site_id
        where %(with_new)s and o.voided_at is null and o.state = any(%(to_plan)s)
          and coalesce(o.window_start, %(at)s) < %(until)s
          and (cardinality(%(territories)s::uuid[]) = 0 or s.territory_id = any(%(territories)s))
          and not exists (select from visit v where v.work_order_id = o.id and v.finished_at is null)
    )
"""

_FACTS = """
    select o.id, o.number, array[st_x(s.place::geometry), st_y(s.place::geometry)] as place, s.territory_id, o.priority,
           c.tier = 'vip' as vip, o.duration_minutes, o.problem_type, a.product, a.model, o.respond_by, o.window_start,
           o.window_end, o.preferred_engineer_id, o.visit_id, o.engineer_id, o.planned_start, o.planned_end, o.pin,
           coalesce(
               (select jsonb_agg(jsonb_build_object('key', k.key, 'level', w.level) order by k.key)
                from work_order_skill w join skill k on k.id = w.skill_id where w.work_order_id = o.id),
               '[]') as skills,
           array(select array[extract(epoch from w.opens_at), extract(epoch from w.closes_at)] from work_order_window w
                 where w.work_order_id = o.id order by w.opens_at) as windows,
           coalesce(
               (select jsonb_agg(jsonb_build_object('part', r.part_id, 'quantity', r.quantity) order by r.part_id)
                from (select part_id, ceil(sum(quantity - used)) as quantity from reservation
                      where work_order_id = o.id and state = 'open'
                      group by part_id having sum(quantity - used) > 0) r),
               '[]') as parts,
           array(select d.engineer_id from visit d where d.work_order_id = o.id and d.state = 'declined'
                 union select w.engineer_id from customer_wish w
                 where w.customer_id = o.customer_id and w.wish = 'banned') as banned,
           (select w.engineer_id from customer_wish w where w.customer_id = o.customer_id and w.wish = 'preferred'
            order by w.at desc limit 1) as liked
    from wanted o join site s on s.id = o.site_id join customer c on c.id = o.customer_id
    left join asset a on a.id = o.asset_id
    order by o.number
"""

_LINKS = f"""
    select l.kind, l.first_id, l.then_id, l.gap_minutes,
           f.state in ({", ".join(f"'{it}'" for it in sorted(DONE))}) as first_done,
           (select max(v.planned_end) from visit v where v.work_order_id = f.id and v.finished_at is null) as first_ends
    from work_order_link l join work_order f on f.id = l.first_id
    where (l.first_id = any(%(orders)s) or l.then_id = any(%(orders)s)) and f.state <> '{State.CANCELLED}'
    order by l.first_id, l.then_id
"""


_ONE = """
    with wanted as (
        select o.*, v.id as visit_id, v.engineer_id, v.planned_start, v.planned_end, v.pin
        from work_order o
        left join lateral (
            select * from visit v
            where v.work_order_id = o.id and v.finished_at is null and v.state = any(%(waiting)s)
            order by v.ordinal desc limit 1) v on true
        where o.id = %(id)s and o.voided_at is null
    )
"""

# Who was reported away, and who said or was seen to be late, as long as they are still at it.
_AWAYS = """
    select d.engineer_id, d.from_at as since, d.until_at as until, d.kind = 'delay' as busy
    from disruption d left join visit v on v.id = d.visit_id
    where d.kind in ('absence', 'breakdown', 'delay') and d.state <> 'ignored'
      and d.until_at > %(at)s and d.from_at < %(until)s
      and (d.kind <> 'delay' or v.id is null or v.state = any(%(under_way)s))
    order by d.from_at, d.id
"""


async def picture(
    uow: UnitOfWork, scope: Scope, policy: Policy, *, with_new: bool = True, without: frozenset[UUID] = frozenset()
) -> Picture:
    """Answer what is known now of a scope. with_new: orders that nobody has, too. without: people who are not there.

    Who is not there has no shift in it, but their orders are in it, without a booking. So it is with whoever was
    reported away, as long as they are.
    """
    at = uow.now()
    learnt = await learning.durations_in_force(uow)
    duties = [_at_pace(it, learnt) for it in await _duties(uow, scope, at)]
    rows = await _orders(uow, scope, at, duties, with_new=with_new)
    aways = await _aways(uow, at, scope.until) + [Away(it, scope.begins - _OVERDUE, scope.until) for it in without]
    usual = learnt.usual([_task(row) for row in rows])
    orders = tuple(
        _lost(replace(_order(row, at), minutes=minutes), aways) for row, minutes in zip(rows, usual, strict=True)
    )
    there = [present(it, aways) for it in duties]
    links = await uow.rows(_LINKS, orders=[it.id for it in orders])
    return Picture(
        at=at,
        begins=scope.begins,
        until=scope.until,
        orders=orders,
        duties=tuple(it for it in there if it is not None),
        links=tuple(Link(**{**row, "kind": LinkKind(row["kind"])}) for row in links),
        depots=await _depots(uow),
        policy=policy,
    )


def _task(row: dict[str, Any]) -> Task:
    return Task(row["problem_type"], row["duration_minutes"], row["product"], row["model"])


def _at_pace(duty: Duty, learnt: Durations) -> Duty:
    """An engineer's own pace, where it was learnt and the office took it over."""
    return (
        replace(duty, pace_percent=learnt.pace_percent(duty.engineer_id)) if duty.engineer_id in learnt.paces else duty
    )


async def _duties(uow: UnitOfWork, scope: Scope, at: datetime) -> list[Duty]:
    rows = await uow.rows(
        _DUTIES,
        at=at,
        begins=scope.begins,
        until=scope.until,
        territories=list(scope.territories),
        engineers=list(scope.engineers),
        under_way=_UNDER_WAY,
        fresh=FRESH,
    )
    return [_duty(row, at) for row in rows]


def _duty(row: dict[str, Any], at: datetime) -> Duty:
    home = Point.from_db(row["home"])
    rest = row["break_minutes"]
    return Duty(
        shift_id=row["shift_id"],
        engineer_id=row["engineer_id"],
        name=row["name"],
        territory_id=row["territory_id"],
        start=Point.from_db(row["place"]) if row["place"] else home,
        home=home,
        free_at=max(row["starts_at"], at, row["busy_until"] or at),
        ends=row["ends_at"],
        rest=Rest(row["break_opens"], row["break_closes"], rest) if rest else None,
        overtime_minutes=row["overtime_minutes"],
        pace_percent=row["pace_percent"],
        skills=tuple(SkillLevel.from_db(it) for it in row["skills"]),
        stock=_needs(row["stock"]),
    )


async def order(uow: UnitOfWork, order_id: UUID) -> Order | None:
    """Answer one order as plans see it, whatever its state; booked while an engineer is expected."""
    found = await uow.row(_ONE + _FACTS, id=order_id, waiting=_WAITING)
    return _order(found, uow.now()) if found else None


async def _aways(uow: UnitOfWork, at: datetime, until: datetime) -> list[Away]:
    return await uow.all_of(Away, _AWAYS, at=at, until=until, under_way=_UNDER_WAY)


def _lost(order: Order, aways: Sequence[Away]) -> Order:
    """An order whose engineer will not be there when it is to be made."""
    it = order.booked
    if it is None:
        return order
    gone = any(not a.busy and a.engineer_id == it.engineer_id and a.since <= it.start < a.until for a in aways)
    return replace(order, booked=None, lost=it) if gone else order


async def _orders(
    uow: UnitOfWork, scope: Scope, at: datetime, duties: Sequence[Duty], *, with_new: bool
) -> list[dict[str, Any]]:
    # Of a time to come nothing counts that is to be done before; of now, what is overdue.
    first = min([scope.begins, *(it.free_at for it in duties)])
    return await uow.rows(
        _WANTED + _FACTS,
        at=at,
        until=scope.until,
        territories=list(scope.territories),
        to_plan=_TO_PLAN,
        waiting=_WAITING,
        people=[it.engineer_id for it in duties],
        with_new=with_new,
        since=first if scope.begins > at else min(scope.begins, at - _OVERDUE),
    )


def _order(row: dict[str, Any], at: datetime) -> Order:
    windows = [Span(row["window_start"] or at, row["window_end"])] if row["window_end"] else []
    if row["window_start"] and not row["window_end"]:
        windows = [Span(row["window_start"], row["window_start"] + timedelta(days=365))]
    windows += [Span(*(datetime.fromtimestamp(float(it), at.tzinfo) for it in pair)) for pair in row["windows"]]
    return Order(
        id=row["id"],
        number=row["number"],
        place=Point.from_db(row["place"]),
        territory_id=row["territory_id"],
        priority=Priority(row["priority"]),
        vip=row["vip"],
        minutes=row["duration_minutes"],
        windows=tuple(windows),
        respond_by=row["respond_by"],
        skills=tuple(SkillLevel.from_db(it) for it in row["skills"]),
        parts=_needs(row["parts"]),
        preferred=row["preferred_engineer_id"] or row["liked"],
        banned=tuple(sorted(row["banned"])),
        booked=_booked(row, at),
    )


def _booked(row: dict[str, Any], at: datetime) -> Booked | None:
    if row["visit_id"] is None:
        return None
    start = row["planned_start"] or at
    end = row["planned_end"] or start + timedelta(minutes=row["duration_minutes"])
    return Booked(row["visit_id"], row["engineer_id"], start, end, Pin(row["pin"]) if row["pin"] else None)


def _needs(listed: list[dict[str, Any]]) -> tuple[Need, ...]:
    return tuple(Need(UUID(it["part"]), int(it["quantity"])) for it in listed)


async def _depots(uow: UnitOfWork) -> tuple[Depot, ...]:
    rows = await uow.rows(
        f"""
        select id, name, array[st_x(place::geometry), st_y(place::geometry)] as place from stock_location
        where kind = '{LocationKind.WAREHOUSE}' and place is not null order by name, id
        """
    )
    return tuple(Depot(it["id"], it["name"], Point.from_db(it["place"])) for it in rows)


async def territory_names(uow: UnitOfWork) -> dict[UUID, str]:
    return {it["id"]: it["name"] for it in await uow.rows("select id, name from territory")}
