"""A job, and the whole crew as it sees them: one statement each, however many they are."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from server.core.db import Row, UnitOfWork
from server.dispatch.domain import Wish
from server.dispatch.prospects import FRESH, ORIGINS, Integers, Job, Numbers, Origin, Prospects
from server.dispatch.scoring import Person
from server.inventory.domain import LocationKind, ReservationState
from server.workforce.domain import SkillLevel
from server.workorders.domain import OPEN_VISIT, VisitState

# Written out, so that the index of open visits answers.
_OPEN = ", ".join(f"'{state}'" for state in sorted(OPEN_VISIT))
_UNDER_WAY = ", ".join(f"'{state}'" for state in (VisitState.TRAVELLING, VisitState.ON_SITE, VisitState.WORKING))


def open_work(only: str = "true") -> str:
    """Answer the parts `load` and `under_way` of a statement: engineers' work of the day, and what they are at.

    Work lasts as long as it is planned for, else as long as its order says. `%(but)s` is an order that does not count,
    because it is being decided. only: a condition on the visit `v`.
    """
    return f"""
    load as (
        select v.engineer_id, max(v.planned_end) as planned_until,
               (extract(epoch from sum(coalesce(
                   v.planned_end - v.planned_start,
                   (select make_interval(mins => o.duration_minutes) from work_order o where o.id = v.work_order_id)
               ))) / 60)::int as minutes
        from visit v
        where v.engineer_id is not null and v.state in ({_OPEN}) and {only}
          and v.work_order_id is distinct from %(but)s::uuid
          and (v.planned_start is null or v.planned_start < (
              select date_trunc('day', %(from)s::timestamptz, timezone) + interval '1 day' from organisation))
        group by v.engineer_id
    ),
    under_way as (
        select distinct on (v.engineer_id) v.engineer_id, v.work_order_id, v.state, v.planned_end
        from visit v
        where v.engineer_id is not null and v.state in ({_OPEN}) and v.state in ({_UNDER_WAY}) and {only}
          and v.work_order_id is distinct from %(but)s::uuid
        order by v.engineer_id, v.planned_start desc nulls last
    )
    """


async def job(uow: UnitOfWork, work_order_id: UUID) -> Job | None:
    return await uow.one_of(
        Job,
        f"""
        with known_as as (
            select customer_id as id from work_order where id = %(order)s
            union
            select a.id from alias a join work_order o on o.customer_id = a.now_id
            where o.id = %(order)s and a.entity = 'customer'
        ),
        wished as (
            select distinct on (engineer_id) engineer_id, wish, why
            from customer_wish where customer_id in (select id from known_as)
            order by engineer_id, at desc
        )
        select o.id, o.number, o.title, o.problem_type, o.customer_id, c.name as customer_name,
               array[st_x(s.place::geometry), st_y(s.place::geometry)] as place, o.duration_minutes, o.respond_by,
               o.window_start, o.window_end, o.preferred_engineer_id, s.territory_id, c.tier = 'vip' as vip,
               coalesce(
                   (select jsonb_agg(jsonb_build_object('key', k.key, 'level', w.level) order by k.key)
                    from work_order_skill w join skill k on k.id = w.skill_id where w.work_order_id = o.id),
                   '[]') as skills,
               exists (
                   select from reservation r
                   where r.work_order_id = o.id and r.state = '{ReservationState.OPEN}' and r.quantity > r.used
               ) as needs_parts,
               array(
                   select distinct v.engineer_id from visit v
                   where v.work_order_id = o.id and v.state = '{VisitState.DECLINED}' and v.engineer_id is not null
               ) as declined_by,
               array(select engineer_id from wished where wish = '{Wish.PREFERRED}') as wished_for,
               coalesce(
                   (select jsonb_agg(jsonb_build_object('engineer_id', engineer_id, 'why', why) order by engineer_id)
                    from wished where wish = '{Wish.BANNED}'),
                   '[]') as bans
        from work_order o join site s on s.id = o.site_id join customer c on c.id = o.customer_id
        where o.id = %(order)s
        """,
        order=work_order_id,
    )


# One engineer in `prospects`, as the database sends its types. An instant counts microseconds since 2000; before the
# numbers of a place stands that they are a point's.
_ENGINEER = np.dtype(
    [
        ("engineer_id", "V16"),
        ("active", "?"),
        ("in_territory", "?"),
        ("origin", ">i2"),
        ("kind", "V9"),
        ("lon", "<f8"),
        ("lat", "<f8"),
        ("capacity_minutes", ">i4"),
        ("load_minutes", ">i4"),
        ("shift_starts", ">i8"),
        ("shift_ends", ">i8"),
        ("busy_until", ">i8"),
        ("planned_until", ">i8"),
    ]
)
_KEPT = ("engineer_id", "active", "in_territory", "origin", "lon", "lat", "capacity_minutes", "load_minutes")
_INSTANTS = ("shift_starts", "shift_ends", "busy_until", "planned_until")
# What only some have.
_LEVEL = np.dtype([("engineer_id", "V16"), ("skill", ">i4"), ("level", ">i4")])
_REST = np.dtype(
    [
        ("engineer_id", "V16"),
        ("starts", ">i8"),
        ("opens", ">i8"),
        ("closes", ">i8"),
        ("minutes", ">i4"),
        ("overtime", ">i4"),
    ]
)
_VISITS = np.dtype([("engineer_id", "V16"), ("visits", ">i4")])
_RECORD = np.dtype([("engineer_id", "V16"), ("tried", ">i4"), ("fixed", ">i4")])
_PARTS = np.dtype([("engineer_id", "V16"), ("share", ">f8")])

_NEVER = np.iinfo(np.int64).max  # what `infinity` is sent as
_FROM = {origin: number for number, origin in enumerate(ORIGINS)}
_YEAR_2000 = datetime(2000, 1, 1, tzinfo=UTC)

_QUALIFIED = """
    qualified as (
        select es.person_id
        from unnest(%(skills)s::text[], %(levels)s::int[]) a(key, level) join skill k on k.key = a.key
        join engineer_skill es on es.skill_id = k.id and es.level >= a.level
        where es.valid_until is null or es.valid_until >= %(at)s::date
        group by es.person_id having count(*) = cardinality(%(skills)s::text[])
    ),
"""
# What a job asks of everybody that needs no way there. It only keeps the rules from being asked in vain: whoever it
# leaves out they exclude.
_SIEVE = """
    e.person_id = any(%(also)s::uuid[]) or
    p.active and s.ends_at is not null and e.person_id <> all(%(unwanted)s::uuid[])
"""


def prospects_statement(*, everybody: bool, skilled: bool) -> str:
    """Answer one row of packed numbers: reading ten thousand engineers costs no object for each.

    everybody: also whom the rules exclude at first sight. skilled: the job asks for skills.
    """
    narrow = skilled and not everybody
    sieve = "true" if everybody else _SIEVE
    return f"""
    with {_QUALIFIED if narrow else ""}
    shifts as (
        -- Nobody has two at once: the first to begin is the first to end.
        select person_id, min(starts_at) as starts_at, min(ends_at) as ends_at from shift
        where ends_at > %(from)s and starts_at < %(until)s
          and not exists (
            -- Whoever was reported away has no shift while they are.
            select from disruption d
            where d.engineer_id = shift.person_id and d.kind in ('absence', 'breakdown') and d.state <> 'ignored'
              and d.from_at <= greatest(%(from)s, shift.starts_at) and d.until_at > greatest(%(from)s, shift.starts_at))
        group by person_id
    ),
    crew as (
        select e.person_id, e.home, e.daily_capacity_minutes, p.active,
               e.territory_id is not distinct from %(territory)s::uuid as in_territory,
               s.starts_at, s.ends_at
        from engineer e
        join person p on p.id = e.person_id
        left join shifts s on s.person_id = e.person_id
        where {sieve} {"and e.person_id in (select person_id from qualified)" if narrow else ""}
    ),
    {open_work("v.engineer_id = any(array(select person_id from crew))" if narrow else "true")},
    seen as (
        select person_id, place from position_last where fixed_at >= %(at)s - %(fresh)s::interval
    ),
    busy as (
        select u.engineer_id,
               case when u.state <> '{VisitState.TRAVELLING}' and l.place is not null then l.place
                    else (select s.place from work_order o join site s on s.id = o.site_id where o.id = u.work_order_id)
               end as place,
               coalesce(u.planned_end, (
                   select %(at)s + make_interval(mins => o.duration_minutes) from work_order o
                   where o.id = u.work_order_id)) as until
        from under_way u left join seen l on l.person_id = u.engineer_id
    ),
    known_here as (
        select v.engineer_id, count(*)::int as visits
        from site s join work_order o on o.site_id = s.id join visit v on v.work_order_id = o.id
        where s.customer_id = %(customer)s and v.state = '{VisitState.COMPLETED}' and v.engineer_id is not null
        group by v.engineer_id
    ),
    wanted as (
        select part_id, sum(quantity - used) as quantity, count(*) over () as kinds
        from reservation
        where work_order_id = %(but)s and state = '{ReservationState.OPEN}' and quantity > used
        group by part_id
    ),
    aboard as (
        select l.person_id, least(1, sum(
                   least(1, greatest(0, k.quantity - coalesce(promised.quantity, 0)) / w.quantity) / w.kinds
               ))::float8 as share
        from wanted w join stock k on k.part_id = w.part_id
        join stock_location l on l.id = k.location_id and l.kind = '{LocationKind.VAN}'
        left join lateral (
            select sum(r.quantity - r.used) as quantity from reservation r
            where r.location_id = k.location_id and r.part_id = k.part_id and r.state = '{ReservationState.OPEN}'
              and r.work_order_id <> %(but)s
        ) promised on true
        group by l.person_id
    )
    select string_agg(
               uuid_send(c.person_id) || boolsend(c.active) || boolsend(c.in_territory)
               || int2send((case when b.place is not null then {_FROM[Origin.CURRENT_VISIT]}
                                 when l.place is not null then {_FROM[Origin.POSITION]}
                                 else {_FROM[Origin.HOME]} end)::int2)
               || geography_send(coalesce(b.place, l.place, c.home))
               || int4send(c.daily_capacity_minutes) || int4send(coalesce(load.minutes, 0))
               || timestamptz_send(coalesce(c.starts_at, 'infinity'))
               || timestamptz_send(coalesce(c.ends_at, 'infinity'))
               || timestamptz_send(coalesce(b.until, 'infinity'))
               || timestamptz_send(coalesce(load.planned_until, 'infinity')),
               '') as engineers,
           (select string_agg(uuid_send(es.person_id) || int4send(a.number::int) || int4send(es.level), '')
            from unnest(%(skills)s::text[]) with ordinality a(key, number) join skill k on k.key = a.key
            join engineer_skill es on es.skill_id = k.id
            where es.valid_until is null or es.valid_until >= %(at)s::date) as levels,
           (select string_agg(
                       uuid_send(person_id) || timestamptz_send(starts_at)
                       || timestamptz_send(coalesce(break_opens, 'infinity'))
                       || timestamptz_send(coalesce(break_closes, 'infinity'))
                       || int4send(coalesce(break_minutes, 0)) || int4send(overtime_minutes), '')
            from shift
            where ends_at > %(from)s and starts_at < %(until)s
              and (break_minutes is not null or overtime_minutes > 0)) as rests,
           (select string_agg(uuid_send(engineer_id) || int4send(visits), '') from known_here) as visits,
           (select string_agg(uuid_send(engineer_id) || int4send(tried) || int4send(fixed), '')
            from first_fix where problem_type = %(problem_type)s) as records,
           (select string_agg(uuid_send(person_id) || float8send(share), '') from aboard) as parts
    from crew c
    left join load on load.engineer_id = c.person_id
    left join busy b on b.engineer_id = c.person_id
    left join seen l on l.person_id = c.person_id
    """


async def prospects(
    uow: UnitOfWork, asked: Job, at: datetime, *, everybody: bool, also: Collection[UUID] = ()
) -> Prospects:
    """Answer the engineers of the organisation as this job sees them at `at`.

    everybody: also whom the rules exclude at first sight; else of those only the ones in `also`.
    """
    found = await uow.row(
        prospects_statement(everybody=everybody, skilled=bool(asked.skills)), **prospects_asked(asked, at, also)
    )
    assert found is not None, "an aggregate answers one row"
    return _columns(found, asked, at)


def prospects_asked(asked: Job, at: datetime, also: Collection[UUID] = ()) -> dict[str, object]:
    return {
        "from": max(at, asked.window_start or at),
        "at": at,
        "until": asked.until(at),
        "fresh": FRESH,
        "but": asked.id,
        "customer": asked.customer_id,
        "problem_type": asked.problem_type,
        "territory": asked.territory_id,
        "unwanted": [*asked.declined_by, *(ban.engineer_id for ban in asked.bans)],
        "also": list(also),
        "skills": [skill.key for skill in asked.skills],
        "levels": [skill.level for skill in asked.skills],
    }


def _columns(found: Row, asked: Job, at: datetime) -> Prospects:
    engineers = np.frombuffer(found["engineers"] or b"", dtype=_ENGINEER)
    ids = np.ascontiguousarray(engineers["engineer_id"]).view("S16")
    by_id = np.argsort(ids)
    engineers, ids = engineers[by_id], ids[by_id]
    columns: dict[str, Any] = {name: np.ascontiguousarray(engineers[name]) for name in _KEPT}
    columns |= {name: _seconds_after(at, engineers[name]) for name in _INSTANTS}
    levels = np.zeros((len(ids), len(asked.skills)), dtype=np.int64)
    rows, held = _of(ids, found["levels"], _LEVEL)
    levels[rows, held["skill"] - 1] = held["level"]
    here = np.zeros(len(ids), dtype=np.int64)
    rows, visits = _of(ids, found["visits"], _VISITS)
    here[rows] = visits["visits"]
    parts = np.full(len(ids), 0.0 if asked.needs_parts else 1.0)
    rows, aboard = _of(ids, found["parts"], _PARTS)
    parts[rows] = aboard["share"]
    return Prospects(
        **columns,
        levels=levels,
        visits_here=here,
        parts=parts,
        **_rests(ids, found["rests"], engineers["shift_starts"], at),
        **_records(ids, found["records"]),
    )


def _rests(ids: NDArray[np.bytes_], packed: bytes | None, starts: NDArray[np.int64], at: datetime) -> dict[str, Any]:
    """Breaks and agreed overtime of the shifts that are looked at."""
    rows, rests = _of(ids, packed, _REST)
    of_this_shift = starts[rows] == rests["starts"]
    rows, rests = rows[of_this_shift], rests[of_this_shift]
    found = {name: np.full(len(ids), np.nan) for name in ("rest_opens", "rest_closes", "rest_seconds")}
    found["rest_opens"][rows] = _seconds_after(at, rests["opens"])
    found["rest_closes"][rows] = _seconds_after(at, rests["closes"])
    found["rest_seconds"][rows] = rests["minutes"] * 60.0
    overtime = np.zeros(len(ids))
    overtime[rows] = rests["overtime"]
    return found | {"overtime_minutes": overtime}


def _records(ids: NDArray[np.bytes_], packed: bytes | None) -> dict[str, Any]:
    """How first visits to this type of problem went; of everybody together, also of whom the rules exclude."""
    everybody = np.frombuffer(packed or b"", dtype=_RECORD)
    tried, fixed = np.zeros(len(ids), dtype=np.int64), np.zeros(len(ids), dtype=np.int64)
    rows, known = _of(ids, packed, _RECORD)
    tried[rows], fixed[rows] = known["tried"], known["fixed"]
    in_all = int(everybody["tried"].sum())
    return {"tried": tried, "fixed": fixed, "usual_fix_rate": int(everybody["fixed"].sum()) / in_all if in_all else 0.5}


def _of(ids: NDArray[np.bytes_], packed: bytes | None, kind: np.dtype[np.void]) -> tuple[Integers, NDArray[Any]]:
    """Answer the rows of those who are here, and what was sent about them. `ids` rise."""
    sent = np.frombuffer(packed or b"", dtype=kind)
    if not len(sent) or not len(ids):
        return np.zeros(0, dtype=np.int64), sent[:0]
    theirs = np.ascontiguousarray(sent["engineer_id"]).view("S16")
    rows = np.minimum(np.searchsorted(ids, theirs), len(ids) - 1)
    here = ids[rows] == theirs
    return rows[here], sent[here]


def _seconds_after(at: datetime, instants: NDArray[np.int64]) -> Numbers:
    """Seconds from `at` to each of the database's instants, NaN where there is none."""
    moment = (at - _YEAR_2000) // timedelta(microseconds=1)
    return np.where(instants == _NEVER, np.nan, (instants - moment) / 1e6)


async def size(uow: UnitOfWork) -> int:
    """Count everybody with an engineer's profile."""
    return int(await uow.value("select count(*) from engineer"))


async def people(uow: UnitOfWork, asked: Sequence[UUID], at: datetime) -> dict[UUID, Person]:
    """Answer the names of these people and what they may do at `at`, by key."""
    found = await uow.rows(
        """
        select p.id, p.name, array_agg(k.key order by k.key) filter (where k.key is not null) as keys,
               array_agg(es.level order by k.key) filter (where k.key is not null) as levels
        from person p
        left join engineer_skill es
               on es.person_id = p.id and (es.valid_until is null or es.valid_until >= %(at)s::date)
        left join skill k on k.id = es.skill_id
        where p.id = any(%(people)s)
        group by p.org_id, p.id
        """,
        people=list(asked),
        at=at,
    )
    return {
        row["id"]: Person(row["name"], tuple(map(SkillLevel, row["keys"] or (), row["levels"] or ()))) for row in found
    }


async def names(uow: UnitOfWork) -> dict[UUID, str]:
    """Answer everybody's name."""
    found = await uow.rows("select p.id, p.name from engineer e join person p on p.id = e.person_id")
    return {row["id"]: row["name"] for row in found}
