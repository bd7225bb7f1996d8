"""Every statement about disruptions, and what tells whether a tour is still as it was."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from server.core.db import UnitOfWork
from server.customers.domain import Tier
from server.dispatch.live_day.domain import Disruption, DisruptionKind, DisruptionState, Repair
from server.dispatch.live_day.linked import Mate
from server.dispatch.planning.domain import ASKS, LineState, PlanKind, PlanState
from server.dispatch.prospects import FRESH
from server.geo.domain import Point
from server.workorders.domain import BEGUN_VISIT, DONE, State, VisitState

_UNDER_WAY = [str(it) for it in BEGUN_VISIT - {VisitState.PAUSED}]
_WAITING = [str(it) for it in (VisitState.PLANNED, VisitState.DISPATCHED, VisitState.ACCEPTED)]
_UNDECIDED = [str(it) for it in (PlanState.QUEUED, PlanState.RUNNING, PlanState.READY)]

_DISRUPTION = """
    select d.id, d.kind, d.state, d.engineer_id, p.name as engineer_name, d.work_order_id, d.visit_id, d.from_at,
           d.until_at, d.reported_by, d.reported_at, d.why, d.plan_id
    from disruption d join person p on p.id = d.engineer_id
"""


async def insert(
    uow: UnitOfWork,
    kind: DisruptionKind,
    *,
    engineer: UUID,
    since: datetime,
    until: datetime,
    why: str,
    reported_by: UUID | None,
    order: UUID | None = None,
    visit: UUID | None = None,
) -> UUID | None:
    """Answer the new row's id; None for a visit of which the same was told before."""
    found: UUID | None = await uow.value(
        f"""
        insert into disruption (org_id, id, kind, state, engineer_id, work_order_id, visit_id, from_at, until_at,
                                reported_by, reported_at, why)
        values (%(org)s, %(id)s, %(kind)s, '{DisruptionState.OPEN}', %(engineer)s, %(order)s, %(visit)s, %(since)s,
                %(until)s, %(by)s, %(now)s, %(why)s)
        on conflict do nothing
        returning id
        """,
        org=uow.org,
        id=uow.new_id(),
        kind=kind,
        engineer=engineer,
        order=order,
        visit=visit,
        since=since,
        until=until,
        by=reported_by,
        now=uow.now(),
        why=why,
    )
    return found


async def disruption(uow: UnitOfWork, disruption_id: UUID) -> Disruption | None:
    return await uow.one_of(Disruption, f"{_DISRUPTION} where d.id = %(id)s", id=disruption_id)


async def disruptions(uow: UnitOfWork, since: datetime, state: DisruptionState | None) -> list[Disruption]:
    """Answer what was reported since, or is not over yet, the newest first."""
    return await uow.all_of(
        Disruption,
        f"""
        {_DISRUPTION}
        where (d.reported_at >= %(since)s or d.until_at >= %(now)s) and (%(state)s::text is null or d.state = %(state)s)
        order by d.id desc limit 500
        """,
        since=since,
        now=uow.now(),
        state=state,
    )


async def open_disruptions(uow: UnitOfWork) -> list[Disruption]:
    """Answer those that a repair should mend: open, and not over."""
    return await uow.all_of(
        Disruption,
        f"{_DISRUPTION} where d.state = '{DisruptionState.OPEN}' and d.until_at > %(now)s order by d.id",
        now=uow.now(),
    )


async def hold_repairs(uow: UnitOfWork) -> None:
    """Whoever opens a repair waits for whoever does."""
    await uow.run("select pg_advisory_xact_lock(hashtextextended('repair:' || %(org)s::text, 0))", org=uow.org)


async def undecided_repairs(uow: UnitOfWork) -> list[UUID]:
    rows = await uow.rows(
        f"""
        select id from plan where kind = '{PlanKind.REPAIR}' and state = any(%(states)s) order by id for no key update
        """,
        states=_UNDECIDED,
    )
    return [row["id"] for row in rows]


async def mend_by(uow: UnitOfWork, disruptions: Iterable[UUID], plan: UUID) -> None:
    await uow.run("update disruption set plan_id = %(plan)s where id = any(%(ids)s)", plan=plan, ids=list(disruptions))


async def settle(uow: UnitOfWork, ids: Sequence[UUID], state: DisruptionState) -> None:
    await uow.run("update disruption set state = %(state)s where id = any(%(ids)s)", ids=list(ids), state=state)


async def of_plan(uow: UnitOfWork, plan: UUID) -> list[Disruption]:
    return await uow.all_of(Disruption, f"{_DISRUPTION} where d.plan_id = %(plan)s order by d.id", plan=plan)


async def repairs(uow: UnitOfWork, plans: Iterable[UUID]) -> dict[UUID, Repair]:
    """Answer how these plans stand."""
    found = await uow.all_of(
        Repair,
        """
        select l.id as plan_id, l.state, count(n.work_order_id)::int as changes,
               (count(*) filter (where n.state = %(applied)s))::int as applied,
               (count(*) filter (where n.state = %(declined)s))::int as declined,
               coalesce((l.cause->>'by_itself')::bool, false) as by_itself
        from plan l left join plan_line n on n.plan_id = l.id and n.change = any(%(asks)s)
        where l.id = any(%(plans)s)
        group by l.id, l.state, l.cause
        """,
        plans=list(plans),
        asks=[str(it) for it in ASKS],
        applied=LineState.APPLIED,
        declined=LineState.DECLINED,
    )
    return {it.plan_id: it for it in found}


async def note_by_itself(uow: UnitOfWork, plan: UUID) -> None:
    """Keep that nobody decided about a repair: it was within the limits."""
    await uow.run("""update plan set cause = cause || '{"by_itself": true}' where id = %(plan)s""", plan=plan)


async def told_of(uow: UnitOfWork, kind: DisruptionKind, visit: UUID) -> Disruption:
    """Answer what was told of a visit before; it must have been."""
    found = await uow.one_of(
        Disruption, f"{_DISRUPTION} where d.kind = %(what)s and d.visit_id = %(visit)s", what=kind, visit=visit
    )
    assert found is not None, "it is unique and was not inserted"
    return found


async def delayed_until(uow: UnitOfWork, engineer: UUID) -> datetime | None:
    """Answer until when an engineer is known to be late."""
    found: datetime | None = await uow.value(
        f"""
        select max(until_at) from disruption
        where engineer_id = %(engineer)s and kind = '{DisruptionKind.DELAY}' and state <> '{DisruptionState.IGNORED}'
          and until_at > %(now)s
        """,
        engineer=engineer,
        now=uow.now(),
    )
    return found


@dataclass(frozen=True)
class Shift:
    starts_at: datetime
    ends_at: datetime
    over_at: datetime


async def shift_around(uow: UnitOfWork, engineer: UUID, at: datetime) -> Shift | None:
    """Answer the shift an engineer is in at `at`, or the next within a day."""
    return await uow.one_of(
        Shift,
        """
        select starts_at, ends_at, ends_at + make_interval(mins => overtime_minutes) as over_at from shift
        where person_id = %(engineer)s and ends_at > %(at)s and starts_at < %(at)s + interval '1 day'
        order by starts_at limit 1
        """,
        engineer=engineer,
        at=at,
    )


@dataclass(frozen=True)
class UnderWay:
    """A visit that its engineer is at, and what comes after it on that day."""

    visit_id: UUID
    work_order_id: UUID
    engineer_id: UUID
    state: VisitState
    planned_start: datetime
    planned_end: datetime
    begun_at: datetime | None
    minutes: int
    place: Point
    here: Point | None
    name: str


async def under_way(uow: UnitOfWork, engineer: UUID | None = None) -> list[UnderWay]:
    """Answer the visits that engineers are at who have others still to come within a day; or one engineer's."""
    return await uow.all_of(
        UnderWay,
        """
        select distinct on (v.engineer_id) v.id as visit_id, v.work_order_id, v.engineer_id, v.state, v.planned_start,
               v.planned_end, v.begun_at, o.duration_minutes * e.pace_percent / 100 as minutes,
               array[st_x(s.place::geometry), st_y(s.place::geometry)] as place,
               case when l.place is not null then array[st_x(l.place::geometry), st_y(l.place::geometry)] end as here,
               p.name
        from visit v
        join work_order o on o.id = v.work_order_id
        join site s on s.id = o.site_id
        join engineer e on e.person_id = v.engineer_id
        join person p on p.id = v.engineer_id
        left join position_last l on l.person_id = v.engineer_id and l.fixed_at >= %(now)s - %(fresh)s::interval
        where v.state = any(%(under_way)s) and v.planned_end is not null and v.finished_at is null
          and (%(engineer)s::uuid is null or v.engineer_id = %(engineer)s)
          and exists (select from visit n where n.engineer_id = v.engineer_id and n.state = any(%(waiting)s)
                      and n.planned_start >= v.planned_start and n.planned_start < %(now)s + interval '1 day')
        order by v.engineer_id, v.planned_start desc
        """,
        now=uow.now(),
        fresh=FRESH,
        under_way=_UNDER_WAY,
        waiting=_WAITING,
        engineer=engineer,
    )


async def has_later_visits(uow: UnitOfWork, engineer: UUID, until: datetime) -> bool:
    return bool(
        await uow.value(
            """
            select exists (select from visit where engineer_id = %(engineer)s and state = any(%(waiting)s)
                           and planned_start >= %(now)s and planned_start < %(until)s)
            """,
            engineer=engineer,
            waiting=_WAITING,
            now=uow.now(),
            until=until,
        )
    )


async def neighbours(uow: UnitOfWork, affected: Sequence[UUID], until: datetime, many: int) -> list[UUID]:
    """Answer who is on shift, can do something of what the affected have to do, and is nearest to it."""
    rows = await uow.rows(
        """
        with theirs as (
            select o.id, s.place
            from visit v join work_order o on o.id = v.work_order_id join site s on s.id = o.site_id
            where v.engineer_id = any(%(affected)s) and v.state = any(%(waiting)s) and v.planned_start < %(until)s
        ),
        present as (
            select distinct e.person_id, coalesce(l.place, e.home) as place
            from engineer e
            join person p on p.id = e.person_id and p.active
            join shift f on f.person_id = e.person_id and f.ends_at > %(now)s and f.starts_at < %(until)s
            left join position_last l on l.person_id = e.person_id and l.fixed_at >= %(now)s - %(fresh)s::interval
            where e.person_id <> all(%(affected)s)
        )
        select n.person_id from present n join theirs t on not exists (
            select from work_order_skill w
            left join engineer_skill es on es.skill_id = w.skill_id and es.person_id = n.person_id
            where w.work_order_id = t.id and coalesce(es.level, 0) < w.level)
        group by n.person_id order by min(n.place <-> t.place), n.person_id limit %(many)s
        """,
        affected=list(affected),
        until=until,
        many=many,
        now=uow.now(),
        fresh=FRESH,
        waiting=_WAITING,
    )
    return [row["person_id"] for row in rows]


@dataclass(frozen=True)
class SiteFacts:
    """What an order that is not opened yet takes over from its site and customer."""

    place: Point
    territory_id: UUID | None
    tier: Tier
    banned: tuple[UUID, ...]
    liked: UUID | None


async def site_facts(uow: UnitOfWork, site_id: UUID) -> SiteFacts | None:
    return await uow.one_of(
        SiteFacts,
        """
        select array[st_x(s.place::geometry), st_y(s.place::geometry)] as place, s.territory_id, c.tier,
               array(select w.engineer_id from customer_wish w
                     where w.customer_id = c.id and w.wish = 'banned' order by 1) as banned,
               (select w.engineer_id from customer_wish w where w.customer_id = c.id and w.wish = 'preferred'
                order by w.at desc limit 1) as liked
        from site s join customer c on c.id = s.customer_id
        where s.id = %(id)s
        """,
        id=site_id,
    )


async def mates(uow: UnitOfWork, work_order_id: UUID) -> list[Mate]:
    """Answer the orders that an order is linked with, and when somebody is expected there."""
    return await uow.all_of(
        Mate,
        f"""
        select l.kind, l.first_id = o.id as first, l.gap_minutes, o.number,
               o.state in ({", ".join(f"'{it}'" for it in sorted(DONE))}) as done,
               v.planned_start as starts, v.planned_end as ends, v.engineer_id
        from work_order_link l
        join work_order o on o.id in (l.first_id, l.then_id) and o.id <> %(order)s
        left join lateral (
            select planned_start, planned_end, engineer_id from visit v
            where v.work_order_id = o.id and v.finished_at is null
            order by v.ordinal desc limit 1) v on true
        where %(order)s in (l.first_id, l.then_id) and o.state <> '{State.CANCELLED}' and o.voided_at is null
        order by o.number
        """,
        order=work_order_id,
    )


# --- whether a tour is still as it was --------------------------------------------------------------------------------


async def shift_marks(uow: UnitOfWork, begins: datetime, until: datetime) -> dict[UUID, str]:
    """Answer for each person something that changes with their shifts and absences of a span of time."""
    rows = await uow.rows(
        """
        with said as (
            select person_id, s::text as what from shift s
            where ends_at > greatest(%(begins)s, %(now)s) and starts_at < %(until)s
            union all
            select engineer_id, concat(id, state, until_at) from disruption
            where until_at > %(now)s and from_at < %(until)s
        )
        select person_id, md5(string_agg(what, ' ' order by what)) as mark from said group by person_id
        """,
        begins=begins,
        until=until,
        now=uow.now(),
    )
    return {row["person_id"]: row["mark"] for row in rows}


@dataclass(frozen=True)
class Happened:
    id: UUID
    position: int | None
    order_id: UUID | None
    engineer_id: str | None


async def happened_since(uow: UnitOfWork, position: int) -> list[Happened]:
    """Answer what happened to orders behind a position, and what has none yet."""
    return await uow.all_of(
        Happened,
        """
        select id, position, case when subject_kind = 'work_order' then subject_id end as order_id,
               payload ->> 'engineer_id' as engineer_id
        from event where (position > %(position)s or position is null) and name <> 'engineer.moved'
        """,
        position=position,
    )


async def zone(uow: UnitOfWork) -> str:
    return str(await uow.value("select timezone from organisation"))
