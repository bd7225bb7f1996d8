"""Every statement about what was learnt and what it is learnt from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from server.core.db import Row, UnitOfWork
from server.dispatch.decisions import How
from server.dispatch.learning.domain import Kind, Lesson, Model, ModelState, Policy
from server.dispatch.learning.durations import Worked
from server.dispatch.learning.preferences import Choice, Line
from server.dispatch.learning.success import Tried
from server.workorders.domain import Action, State, VisitState
from server.workorders.records import TimeKind

PERIOD = timedelta(days=730)  # older work says little about today's
_MOST_VISITS = 50_000  # the newest
_MOST_CHOICES = 5_000
_RANKED = 20  # candidates of a choice that are looked at; the chosen is, wherever they stood
_LONGEST_MINUTES = 24 * 60  # more on one visit is a timer that nobody stopped

_DONE = (State.RESOLVED, State.AWAITING_CONFIRMATION, State.CLOSED)
_MODEL = """
    id, kind, version, state, trained_from, trained_until, orders, samples, parameters, back_test, proposed_at,
    decided_by, decided_at, replaced
"""


def _listed(values: Sequence[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


# The first visit of each order on which somebody worked, and whether that was all there was to it: it was completed
# without a hold, nobody worked on the order afterwards, nobody is to, and it was not reopened. `{orders}` are the ids.
FIRST_VISITS = f"""
    first_visits as (
        select f.work_order_id, f.engineer_id, f.finished_at,
               f.state = '{VisitState.COMPLETED}' and not exists (
                   select from visit later
                   where later.work_order_id = f.work_order_id and later.ordinal > f.ordinal
                     and later.state not in ('{VisitState.CANCELLED}', '{VisitState.DECLINED}'))
               and not exists (
                   select from timeline_entry t
                   where t.work_order_id = f.work_order_id
                     and (t.action = '{Action.REOPEN}' or t.action = '{Action.HOLD}' and t.visit_id = f.id)) as fixed
        from (select distinct on (v.work_order_id) v.*
              from visit v join concerned c on c.work_order_id = v.work_order_id
              where v.engineer_id is not null and v.finished_at is not null
                and (v.state = '{VisitState.COMPLETED}' or v.state = '{VisitState.INTERRUPTED}' and exists (
                    select from timeline_entry t
                    where t.work_order_id = v.work_order_id and t.visit_id = v.id and t.action = '{Action.START}'))
              order by v.work_order_id, v.ordinal) f
    )
"""

# By paths, since to take every factor of every candidate apart as a row takes several times as long.
_FACTORS = """
    (array_agg(jsonb_path_query_array(l.line, '$.factors[*].name') order by {order}))[1] as factor_names,
    array_agg(jsonb_path_query_array(l.line, '$.factors[*].value') order by {order}) as factor_values
"""


async def completed_orders(uow: UnitOfWork, since: datetime) -> int:
    """Count the orders that were completed since then."""
    found = await uow.value(
        f"""
        select count(*) from work_order o
        where o.state in ({_listed(_DONE)}) and o.voided_at is null and exists (
            select from visit v where v.work_order_id = o.id and v.state = '{VisitState.COMPLETED}'
                                  and v.finished_at >= %(since)s)
        """,
        since=since,
    )
    return int(found)


async def worked(uow: UnitOfWork, since: datetime) -> list[Worked]:
    """Answer what the newest completed visits took their engineers: the work that stands, a running timer left out."""
    return await uow.all_of(
        Worked,
        f"""
        with done as (
            select v.id, v.work_order_id, v.engineer_id, v.finished_at,
                   count(*) over (partition by v.work_order_id, v.engineer_id) = 1 as only
            from visit v
            where v.state = '{VisitState.COMPLETED}' and v.engineer_id is not null and v.finished_at >= %(since)s
            order by v.finished_at desc limit {_MOST_VISITS}
        ),
        summed as (
            select d.id, sum(extract(epoch from t.ended_at - t.started_at)) / 60 as minutes
            from done d
            join time_entry t on t.work_order_id = d.work_order_id and t.person_id = d.engineer_id
                             and (t.visit_id = d.id or t.visit_id is null and d.only)
            where t.kind = '{TimeKind.WORK}' and t.superseded_by is null
            group by d.id
            having bool_and(t.ended_at is not null)
        )
        select o.problem_type, a.product, a.model, d.engineer_id, o.duration_minutes as planned_minutes,
               s.minutes::float8 as minutes, (d.finished_at at time zone g.timezone)::date as day
        from done d
        join summed s on s.id = d.id
        join work_order o on o.id = d.work_order_id
        join organisation g on g.id = o.org_id
        left join asset a on a.id = o.asset_id
        where o.voided_at is null and s.minutes between 1 and {_LONGEST_MINUTES}
        """,
        since=since,
    )


async def tried(uow: UnitOfWork, since: datetime) -> list[Tried]:
    """Answer how the first visits of orders turned out, the newest."""
    return await uow.all_of(
        Tried,
        f"""
        with concerned as (
            select v.work_order_id from visit v join work_order o on o.id = v.work_order_id
            where v.finished_at >= %(since)s and o.voided_at is null and o.state <> '{State.CANCELLED}'
            group by v.work_order_id order by max(v.finished_at) desc limit {_MOST_VISITS}
        ),
        {FIRST_VISITS}
        select o.problem_type, f.engineer_id, f.fixed, (f.finished_at at time zone g.timezone)::date as day
        from first_visits f join work_order o on o.id = f.work_order_id join organisation g on g.id = o.org_id
        """,
        since=since,
    )


async def choices(uow: UnitOfWork, since: datetime) -> list[Choice]:
    """Answer whom people chose out of a ranking; a choice the rules excluded, and one among one, says nothing."""
    found = await uow.rows(
        f"""
        with chosen as (
            select d.id, d.engineer_id, d.candidates, (d.decided_at at time zone g.timezone)::date as day
            from assignment_decision d join organisation g on g.id = d.org_id
            where d.how in ('{How.MANUAL}', '{How.SUGGESTED}') and d.decided_at >= %(since)s
            order by d.decided_at desc limit {_MOST_CHOICES}
        )
        select c.engineer_id, c.day, array_agg(l.line ->> 'engineer_id' order by l.number) as engineers,
               {_FACTORS.format(order="l.number")}
        from chosen c, jsonb_array_elements(c.candidates) with ordinality l(line, number)
        where l.line ? 'factors'
          and (l.number <= {_RANKED} or l.line ->> 'engineer_id' = c.engineer_id::text)
        group by c.id, c.engineer_id, c.day
        having count(*) > 1 and bool_or(l.line ->> 'engineer_id' = c.engineer_id::text)
        """,
        since=since,
    )
    return [_choice(row) for row in found]


def _choice(row: Row) -> Choice:
    engineers = [UUID(engineer) for engineer in row["engineers"]]
    lines = [Line(engineer, values) for engineer, values in zip(engineers, factor_values(row), strict=True)]
    return Choice(engineers.index(row["engineer_id"]), lines, row["day"])


def factor_values(row: Row) -> list[dict[str, float]]:
    """Answer each candidate's factor values by name: a ranking names them alike for all."""
    names = row["factor_names"]
    return [dict(zip(names, values, strict=True)) for values in row["factor_values"]]


async def policy(uow: UnitOfWork) -> Policy | None:
    return await uow.one_of(
        Policy, "select version, enough_orders, set_by, set_at from learning_policy order by version desc limit 1"
    )


async def insert_policy(uow: UnitOfWork, new: Policy) -> bool:
    """Answer False when this version is there already."""
    written = await uow.run(
        """
        insert into learning_policy (org_id, version, enough_orders, set_by, set_at)
        values (%(org)s, %(version)s, %(enough)s, %(by)s, %(at)s)
        on conflict do nothing
        """,
        org=uow.org,
        version=new.version,
        enough=new.enough_orders,
        by=new.set_by,
        at=new.set_at,
    )
    return written == 1


async def lock_kind(uow: UnitOfWork, kind: Kind) -> None:
    """Whoever proposes or decides about a kind waits for whoever does so already."""
    await uow.run("select pg_advisory_xact_lock(hashtextextended(%(kind)s, 0))", kind=f"{uow.org}/learned/{kind}")


async def models(uow: UnitOfWork, kind: Kind | None = None) -> list[Model]:
    """Answer every model, the newest of each kind first."""
    return await uow.all_of(
        Model,
        f"""
        select {_MODEL} from learned_model where %(of)s::text is null or kind = %(of)s
        order by kind, version desc
        """,
        of=kind,
    )


async def model(uow: UnitOfWork, model_id: UUID) -> Model | None:
    return await uow.one_of(Model, f"select {_MODEL} from learned_model where id = %(id)s", id=model_id)


async def accepted(uow: UnitOfWork, kind: Kind) -> Model | None:
    return await uow.one_of(
        Model,
        f"select {_MODEL} from learned_model where kind = %(of)s and state = '{ModelState.ACCEPTED}'",
        of=kind,
    )


async def accepted_id(uow: UnitOfWork, kind: Kind) -> UUID | None:
    found: UUID | None = await uow.value(
        f"select id from learned_model where kind = %(of)s and state = '{ModelState.ACCEPTED}'", of=kind
    )
    return found


async def insert_model(uow: UnitOfWork, lesson: Lesson, orders: int) -> Model:
    """Write a proposal as the next version of its kind."""
    made = await uow.one_of(
        Model,
        f"""
        insert into learned_model (org_id, id, kind, version, state, trained_from, trained_until, orders, samples,
                                   parameters, back_test, proposed_at)
        select %(org)s, %(id)s, %(of)s::text, coalesce(max(version), 0) + 1, '{ModelState.PROPOSED}', %(from)s,
               %(until)s, %(orders)s, %(samples)s, %(parameters)s, %(back_test)s, %(now)s
        from learned_model where kind = %(of)s::text
        returning {_MODEL}
        """,
        **{"from": lesson.trained_from},
        org=uow.org,
        id=uow.new_id(),
        of=lesson.kind,
        until=lesson.trained_until,
        orders=orders,
        samples=lesson.samples,
        parameters=dict(lesson.parameters),
        back_test=dict(lesson.back_test),
        now=uow.now(),
    )
    assert made is not None, "an insert answers its row"
    return made


async def retire_proposals(uow: UnitOfWork, kind: Kind) -> None:
    await uow.run(
        f"""
        update learned_model set state = '{ModelState.RETIRED}'
        where kind = %(kind)s and state = '{ModelState.PROPOSED}'
        """,
        kind=kind,
    )


async def decide(
    uow: UnitOfWork, model_id: UUID, state: ModelState, *, by: UUID | None, replaced: UUID | None = None
) -> Model:
    changed = await uow.one_of(
        Model,
        f"""
        update learned_model
        set state = %(state)s, decided_by = %(by)s, decided_at = %(now)s, replaced = coalesce(%(replaced)s, replaced)
        where id = %(id)s
        returning {_MODEL}
        """,
        id=model_id,
        state=state,
        by=by,
        replaced=replaced,
        now=uow.now(),
    )
    assert changed is not None, "a model that was just read is there"
    return changed


@dataclass(frozen=True)
class WeightsVersion:
    """created_by_name, why: none for the first version, which the first use wrote."""

    version: int
    weights: dict[str, float]
    created_by: UUID | None
    created_by_name: str | None
    created_at: datetime
    why: str | None
    model_id: UUID | None


async def weights_versions(uow: UnitOfWork, limit: int | None = None) -> list[WeightsVersion]:
    """Answer the versions of the score weights, the newest first; that one is in force."""
    return await uow.all_of(
        WeightsVersion,
        """
        select w.version, w.weights, w.created_by, p.name as created_by_name, w.created_at, c.why, c.model_id
        from score_weights w
        left join weights_change c on c.version = w.version
        left join person p on p.id = w.created_by
        order by w.version desc limit %(limit)s
        """,
        limit=limit,
    )


async def insert_weights(uow: UnitOfWork, version: int, weights: dict[str, float], by: UUID | None) -> bool:
    """Answer False when this version is there already."""
    written = await uow.run(
        """
        insert into score_weights (org_id, id, version, weights, created_by, created_at)
        values (%(org)s, %(id)s, %(version)s, %(weights)s, %(by)s, %(now)s)
        on conflict (org_id, version) do nothing
        """,
        org=uow.org,
        id=uow.new_id(),
        version=version,
        weights=weights,
        by=by,
        now=uow.now(),
    )
    return written == 1


async def insert_change(uow: UnitOfWork, version: int, why: str, model_id: UUID | None) -> None:
    await uow.run(
        """
        insert into weights_change (org_id, version, why, model_id) values (%(org)s, %(version)s, %(why)s, %(model)s)
        """,
        org=uow.org,
        version=version,
        why=why,
        model=model_id,
    )


async def decisions(uow: UnitOfWork, since: datetime, until: datetime, limit: int, ranked: int) -> list[Row]:
    """Answer the newest decisions of a time, the oldest first, each with its best candidates; but those without any."""
    return await uow.rows(
        f"""
        with taken as (
            select d.id, d.engineer_id, p.name as chosen_name, d.candidates, d.decided_at, o.id as work_order_id,
                   o.number, o.duration_minutes, (d.decided_at at time zone g.timezone)::date as day
            from assignment_decision d
            join organisation g on g.id = d.org_id
            join visit v on v.id = d.visit_id
            join work_order o on o.id = v.work_order_id
            join person p on p.id = d.engineer_id
            where d.decided_at >= %(since)s and d.decided_at < %(until)s
            order by d.decided_at desc, d.id limit %(limit)s
        )
        select t.engineer_id as chosen_id, t.chosen_name, t.decided_at, t.work_order_id, t.number, t.duration_minutes,
               t.day, array_agg(l.line ->> 'engineer_id' order by l.place) as engineers,
               array_agg(l.line ->> 'name' order by l.place) as names,
               array_agg((l.line -> 'eta_seconds')::float8 order by l.place) as etas,
               array_agg((jsonb_path_query_first(l.line, '$.factors[*] ? (@.name == "sla").raw'))::float8
                         order by l.place) as slacks,
               {_FACTORS.format(order="l.place")}
        from taken t, jsonb_array_elements(t.candidates) with ordinality l(line, place)
        where l.line ? 'factors' and l.place <= %(ranked)s
        group by t.id, t.engineer_id, t.chosen_name, t.decided_at, t.work_order_id, t.number, t.duration_minutes, t.day
        order by t.decided_at, t.id
        """,
        since=since,
        until=until,
        limit=limit,
        ranked=ranked,
    )


async def count_decisions(uow: UnitOfWork, since: datetime, until: datetime) -> int:
    found = await uow.value(
        "select count(*) from assignment_decision where decided_at >= %(since)s and decided_at < %(until)s",
        since=since,
        until=until,
    )
    return int(found)
