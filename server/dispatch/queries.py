"""Every statement of dispatch. What it reads of other packages it only reads, and for all engineers at once."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from server.core.db import UnitOfWork
from server.dispatch.board import EngineerState, EngineerStatus
from server.dispatch.decisions import How
from server.dispatch.scoring import FRESH, ORIGINS, Job, Origin, Prospects, Weights
from server.geo.positions import SHIFT_GRACE
from server.workforce.domain import SkillLevel
from server.workorders.domain import OPEN_VISIT, VisitState

_OPEN = [str(state) for state in OPEN_VISIT]
_UNDER_WAY = [str(state) for state in (VisitState.TRAVELLING, VisitState.ON_SITE, VisitState.WORKING)]

# Engineers' open visits with what they cost. `%(but)s` is an order that does not count, because it is being decided.
_OPEN_VISITS = """
    open_visits as (
        select v.engineer_id, v.work_order_id, v.state, v.planned_start, v.planned_end, o.duration_minutes, o.site_id
        from visit v join work_order o on o.id = v.work_order_id
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


# One engineer in `prospects`, as the database sends its types. An instant counts microseconds since 2000.
_ENGINEER = np.dtype(
    [
        ("engineer_id", "V16"),
        ("active", "?"),
        ("declined", "?"),
        ("preferred", "?"),
        ("in_territory", "?"),
        ("origin", ">i2"),
        ("lon", ">f8"),
        ("lat", ">f8"),
        ("capacity_minutes", ">i4"),
        ("load_minutes", ">i4"),
        ("visits_here", ">i4"),
        ("shift_starts", ">i8"),
        ("shift_ends", ">i8"),
        ("busy_until", ">i8"),
        ("planned_until", ">i8"),
    ]
)
_LEVEL_OF = np.dtype([("engineer_id", "V16"), ("skill", ">i4"), ("level", ">i4")])
_INSTANTS = ("shift_starts", "shift_ends", "busy_until", "planned_until")
_NEVER = np.iinfo(np.int64).max  # what `infinity` is sent as
_FROM = {origin: number for number, origin in enumerate(ORIGINS)}
_YEAR_2000 = datetime(2000, 1, 1, tzinfo=UTC)

# Ten thousand engineers are one row of packed numbers: reading it costs no object for each.
PROSPECTS = f"""
    with {_OPEN_VISITS},
    shifts as (
        select person_id, min(array[starts_at, ends_at]) as first from shift
        where ends_at > %(from)s and starts_at < %(until)s
        group by person_id
    ),
    known_here as (
        select v.engineer_id, count(*)::int as visits
        from site s join work_order o on o.site_id = s.id join visit v on v.work_order_id = o.id
        where s.customer_id = (select customer_id from work_order where id = %(but)s) and v.state = 'completed'
        group by v.engineer_id
    ),
    declined as (
        select distinct engineer_id from visit where work_order_id = %(but)s and state = 'declined'
    ),
    everyone as (
        select e.person_id, p.name, p.active, e.person_id is not distinct from %(preferred)s::uuid as preferred,
               e.territory_id is not distinct from %(territory)s::uuid as in_territory, e.daily_capacity_minutes,
               case when s.place is not null then {_FROM[Origin.CURRENT_VISIT]}
                    when l.place is not null then {_FROM[Origin.POSITION]} else {_FROM[Origin.HOME]} end as origin,
               coalesce(s.place, l.place, e.home)::geometry as place,
               coalesce(load.minutes, 0) as load_minutes, coalesce(known_here.visits, 0) as visits_here,
               shifts.first[1] as starts_at, shifts.first[2] as ends_at, load.planned_until,
               declined.engineer_id is not null as declined,
               coalesce(u.planned_end, %(at)s + make_interval(mins => u.duration_minutes)) as busy_until
        from engineer e
        join person p on p.id = e.person_id
        left join load on load.engineer_id = e.person_id
        left join under_way u on u.engineer_id = e.person_id
        left join site s on s.id = u.site_id
        left join shifts on shifts.person_id = e.person_id
        left join position_last l on l.person_id = e.person_id and l.fixed_at >= %(at)s - %(fresh)s::interval
        left join known_here on known_here.engineer_id = e.person_id
        left join declined on declined.engineer_id = e.person_id
    )
    select string_agg(
               uuid_send(person_id) || boolsend(active) || boolsend(declined) || boolsend(preferred)
               || boolsend(in_territory) || int2send(origin::int2) || float8send(st_x(place)) || float8send(st_y(place))
               || int4send(daily_capacity_minutes) || int4send(load_minutes) || int4send(visits_here)
               || timestamptz_send(coalesce(starts_at, 'infinity')) || timestamptz_send(coalesce(ends_at, 'infinity'))
               || timestamptz_send(coalesce(busy_until, 'infinity'))
               || timestamptz_send(coalesce(planned_until, 'infinity')),
               '') as engineers,
           array_agg(name) as names,
           (select string_agg(uuid_send(es.person_id) || int4send(a.number::int) || int4send(es.level), '')
            from unnest(%(skills)s::text[]) with ordinality a(key, number) join skill k on k.key = a.key
            join engineer_skill es on es.skill_id = k.id
            where es.valid_until is null or es.valid_until >= %(at)s::date) as levels
    from everyone
"""


async def prospects(uow: UnitOfWork, asked: Job, at: datetime) -> Prospects:
    """Answer every engineer of the organisation as this job sees them at `at`, in one statement."""
    found = await uow.row(PROSPECTS, **prospects_asked(asked, at))
    assert found is not None, "an aggregate answers one row"
    engineers = np.frombuffer(found["engineers"] or b"", dtype=_ENGINEER)
    by_id = np.argsort(_sortable(engineers["engineer_id"]))
    engineers = engineers[by_id]
    columns: dict[str, Any] = {name: engineers[name] for name in _ENGINEER.names or ()}
    columns |= {name: _seconds_after(at, engineers[name]) for name in _INSTANTS}
    levels = np.zeros((len(engineers), len(asked.skills)), dtype=np.int64)
    held = np.frombuffer(found["levels"] or b"", dtype=_LEVEL_OF)
    rows = np.searchsorted(_sortable(engineers["engineer_id"]), _sortable(held["engineer_id"]))
    levels[rows, held["skill"] - 1] = held["level"]
    names = found["names"] or []
    return Prospects(**columns, name=[names[index] for index in by_id.tolist()], levels=levels)


def _sortable(ids: NDArray[np.void]) -> NDArray[np.bytes_]:
    return np.ascontiguousarray(ids).view("S16")


async def skills_of(uow: UnitOfWork, people: Sequence[UUID], at: datetime) -> dict[UUID, tuple[SkillLevel, ...]]:
    """Answer what each of these people may do at `at`, by key; who may do nothing is left out."""
    found = await uow.rows(
        """
        select es.person_id, array_agg(k.key order by k.key) as keys, array_agg(es.level order by k.key) as levels
        from engineer_skill es join skill k on k.id = es.skill_id
        where es.person_id = any(%(people)s) and (es.valid_until is null or es.valid_until >= %(at)s::date)
        group by es.person_id
        """,
        people=list(people),
        at=at,
    )
    return {row["person_id"]: tuple(map(SkillLevel, row["keys"], row["levels"])) for row in found}


def prospects_asked(asked: Job, at: datetime) -> dict[str, object]:
    return {
        "from": max(at, asked.window_start or at),
        "at": at,
        "until": asked.until(at),
        "fresh": FRESH,
        "but": asked.id,
        "preferred": asked.preferred_engineer_id,
        "territory": asked.territory_id,
        "open": _OPEN,
        "under_way": _UNDER_WAY,
        "skills": [skill.key for skill in asked.skills],
    }


def _seconds_after(at: datetime, instants: NDArray[np.int64]) -> NDArray[np.float64]:
    """Seconds from `at` to each of the database's instants, NaN where there is none."""
    moment = (at - _YEAR_2000) // timedelta(microseconds=1)
    return np.where(instants == _NEVER, np.nan, (instants - moment) / 1e6)


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
    decided_by: UUID | None,
    how: How,
    chosen_rank: int | None,
    plan: UUID | None,
    note: str | None,
    weights_version: int,
    candidates: Sequence[dict[str, Any]],
) -> None:
    await uow.run(
        """
        insert into assignment_decision (org_id, id, visit_id, engineer_id, decided_by, decided_at, how, chosen_rank,
                                         plan_id, note, weights_version, candidates)
        values (%(org)s, %(id)s, %(visit)s, %(engineer)s, %(by)s, %(now)s, %(how)s, %(rank)s, %(plan)s, %(note)s,
                %(version)s, %(candidates)s::jsonb)
        """,
        org=uow.org,
        id=uow.new_id(),
        visit=visit,
        engineer=engineer,
        by=decided_by,
        now=uow.now(),
        how=how,
        rank=chosen_rank,
        plan=plan,
        note=note,
        version=weights_version,
        candidates=json.dumps(candidates),
    )
