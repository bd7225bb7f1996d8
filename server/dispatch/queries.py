"""Every statement of dispatch. What it reads of other packages it only reads, and for all engineers at once."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from server.core.db import UnitOfWork
from server.dispatch.board import EngineerState, EngineerStatus
from server.dispatch.scoring import Job, Prospect, Weights
from server.geo.positions import SHIFT_GRACE
from server.workorders.domain import OPEN_VISIT, VisitState

_OPEN = [str(state) for state in OPEN_VISIT]
_UNDER_WAY = [str(state) for state in (VisitState.TRAVELLING, VisitState.ON_SITE, VisitState.WORKING)]

# Engineers' open visits with what they cost. `%(but)s` is an order that does not count, because it is being decided.
_OPEN_VISITS = """
    open_visits as (
        select v.engineer_id, v.work_order_id, v.state, v.planned_start, v.planned_end, o.duration_minutes, s.place
        from visit v join work_order o on o.id = v.work_order_id join site s on s.id = o.site_id
        where v.state = any(%(open)s) and v.engineer_id is not null
          and v.work_order_id is distinct from %(but)s::uuid
    ),
    day as (
        select date_trunc('day', %(from)s::timestamptz, timezone) + interval '1 day' as ends_at from organisation
    ),
    load as (
        select v.engineer_id, sum(v.duration_minutes)::int as minutes, max(v.planned_end) as planned_until
        from open_visits v, day
        where v.planned_start is null or v.planned_start < day.ends_at
        group by v.engineer_id
    ),
    under_way as (
        select distinct on (engineer_id) * from open_visits
        where state = any(%(under_way)s) order by engineer_id, planned_start desc nulls last
    )
"""


async def job(uow: UnitOfWork, work_order_id: UUID) -> Job | None:
    return await uow.one_of(
        Job,
        """
        select o.id, array[st_x(s.place::geometry), st_y(s.place::geometry)] as place, o.duration_minutes, o.respond_by,
               o.window_start, o.window_end, o.preferred_engineer_id, s.territory_id, c.tier = 'vip' as vip,
               coalesce(
                   (select jsonb_agg(jsonb_build_object('key', k.key, 'level', w.level) order by k.key)
                    from work_order_skill w join skill k on k.id = w.skill_id where w.work_order_id = o.id),
                   '[]') as skills
        from work_order o join site s on s.id = o.site_id join customer c on c.id = o.customer_id
        where o.id = %(order)s
        """,
        order=work_order_id,
    )


async def prospects(uow: UnitOfWork, asked: Job, at: datetime) -> list[Prospect]:
    """Answer every engineer of the organisation as this job sees them at `at`, in one statement."""
    return await uow.all_of(
        Prospect,
        f"""
        with {_OPEN_VISITS},
        shifts as (
            select distinct on (person_id) person_id, starts_at, ends_at from shift
            where ends_at > %(from)s and starts_at < %(until)s
            order by person_id, starts_at
        ),
        known_here as (
            select v.engineer_id, count(*)::int as visits
            from visit v join work_order o on o.id = v.work_order_id
            where v.state = 'completed' and o.customer_id = (select customer_id from work_order where id = %(but)s)
            group by v.engineer_id
        ),
        declined as (
            select distinct engineer_id from visit where work_order_id = %(but)s and state = 'declined'
        ),
        able as (
            select es.person_id, jsonb_agg(jsonb_build_object('key', k.key, 'level', es.level) order by k.key) as skills
            from engineer_skill es join skill k on k.id = es.skill_id
            where es.valid_until is null or es.valid_until >= %(at)s::date
            group by es.person_id
        )
        select e.person_id as engineer_id, p.name, p.active,
               array[st_x(e.home::geometry), st_y(e.home::geometry)] as home,
               e.territory_id, e.daily_capacity_minutes as capacity_minutes, coalesce(load.minutes, 0) as load_minutes,
               coalesce(able.skills, '[]') as skills,
               shifts.starts_at as shift_starts_at, shifts.ends_at as shift_ends_at,
               case when l.place is not null then array[st_x(l.place::geometry), st_y(l.place::geometry)] end as place,
               l.fixed_at,
               case when u.place is not null then array[st_x(u.place::geometry), st_y(u.place::geometry)] end
                   as busy_place,
               coalesce(u.planned_end, %(at)s + make_interval(mins => u.duration_minutes)) as busy_until,
               load.planned_until, coalesce(known_here.visits, 0) as visits_here,
               declined.engineer_id is not null as declined
        from engineer e
        join person p on p.id = e.person_id
        left join load on load.engineer_id = e.person_id
        left join under_way u on u.engineer_id = e.person_id
        left join shifts on shifts.person_id = e.person_id
        left join able on able.person_id = e.person_id
        left join position_last l on l.person_id = e.person_id
        left join known_here on known_here.engineer_id = e.person_id
        left join declined on declined.engineer_id = e.person_id
        order by e.person_id
        """,
        **{"from": max(at, asked.window_start or at)},
        at=at,
        until=asked.until(at),
        but=asked.id,
        open=_OPEN,
        under_way=_UNDER_WAY,
    )


async def statuses(uow: UnitOfWork, at: datetime, people: Sequence[UUID] | None = None) -> list[EngineerStatus]:
    """Answer the active engineers, or those among `people`, as a board shows them.

    Off shift nobody's place is shown. The shift is the running one or else the next within a day.
    """
    return await uow.all_of(
        EngineerStatus,
        f"""
        with {_OPEN_VISITS},
        shifts as (
            select distinct on (person_id) person_id, starts_at, ends_at,
                   %(at)s between starts_at - %(grace)s::interval and ends_at + %(grace)s::interval as about_now,
                   %(at)s between starts_at and ends_at as now
            from shift
            where ends_at > %(at)s - %(grace)s::interval and starts_at < %(at)s + interval '1 day'
            order by person_id, ends_at < %(at)s, starts_at
        ),
        shown as (
            select e.person_id, e.daily_capacity_minutes, p.name, s.starts_at, s.ends_at, u.work_order_id, load.minutes,
                   case when u.state is not null then u.state when s.now then '{EngineerState.IDLE}'
                        else '{EngineerState.OFF_SHIFT}' end as state,
                   coalesce(s.about_now, false) or u.state is not null as visible
            from engineer e
            join person p on p.id = e.person_id
            left join shifts s on s.person_id = e.person_id
            left join under_way u on u.engineer_id = e.person_id
            left join load on load.engineer_id = e.person_id
            where p.active and (%(people)s::uuid[] is null or e.person_id = any(%(people)s))
        )
        select s.person_id as id, s.name,
               case when l.place is not null then array[st_x(l.place::geometry), st_y(l.place::geometry)] end as place,
               l.heading, l.speed_kmh, l.fixed_at, s.state, s.work_order_id as current_order_id,
               coalesce(s.minutes, 0) as load_minutes, s.daily_capacity_minutes as capacity_minutes,
               s.starts_at as shift_starts_at, s.ends_at as shift_ends_at
        from shown s left join position_last l on l.person_id = s.person_id and s.visible
        order by s.name, s.person_id
        """,
        **{"from": at},
        at=at,
        grace=SHIFT_GRACE,
        people=None if people is None else list(people),
        but=None,
        open=_OPEN,
        under_way=_UNDER_WAY,
    )


async def newest_weights(uow: UnitOfWork) -> tuple[int, Weights] | None:
    found = await uow.row("select version, weights from score_weights order by version desc limit 1")
    return (found["version"], found["weights"]) if found else None


async def insert_weights(uow: UnitOfWork, version: int, weights: Weights) -> None:
    """Write a version unless it is there already."""
    await uow.run(
        """
        insert into score_weights (org_id, id, version, weights, created_at)
        values (%(org)s, %(id)s, %(version)s, %(weights)s, %(now)s)
        on conflict (org_id, version) do nothing
        """,
        org=uow.org,
        id=uow.new_id(),
        version=version,
        weights=dict(weights),
        now=uow.now(),
    )


async def insert_decision(
    uow: UnitOfWork,
    *,
    visit: UUID,
    engineer: UUID,
    decided_by: UUID,
    weights_version: int,
    candidates: Sequence[dict[str, Any]],
) -> None:
    await uow.run(
        """
        insert into assignment_decision (org_id, id, visit_id, engineer_id, decided_by, decided_at, weights_version,
                                         candidates)
        values (%(org)s, %(id)s, %(visit)s, %(engineer)s, %(by)s, %(now)s, %(version)s, %(candidates)s::jsonb)
        """,
        org=uow.org,
        id=uow.new_id(),
        visit=visit,
        engineer=engineer,
        by=decided_by,
        now=uow.now(),
        version=weights_version,
        candidates=json.dumps(candidates),
    )
