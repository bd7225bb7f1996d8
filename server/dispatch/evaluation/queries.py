"""Every statement about what became of orders, by how their engineers were chosen."""

from datetime import datetime

from server.core.db import UnitOfWork
from server.dispatch.evaluation.domain import Course, EngineerDay
from server.dispatch.learning.queries import FIRST_VISITS
from server.workorders.domain import State, VisitState

_TAKEN = ", ".join(f"'{it}'" for it in (VisitState.CANCELLED, VisitState.INTERRUPTED, VisitState.DECLINED))


async def courses(uow: UnitOfWork, since: datetime, until: datetime) -> list[Course]:
    """Answer the orders whose first engineer was chosen in this time; those that were cancelled say nothing.

    A hand-over is a visit that its engineer lost or gave back and that did not come to the same engineer again.
    """
    return await uow.all_of(
        Course,
        f"""
        with decided as (
            select d.id, d.how, d.decided_at, v.work_order_id
            from assignment_decision d join visit v on v.id = d.visit_id
            where d.decided_at >= %(since)s and d.decided_at < %(until)s
        ),
        concerned as (
            select distinct on (d.work_order_id) d.work_order_id, d.how
            from decided d join work_order o on o.id = d.work_order_id
            where o.voided_at is null and o.state <> '{State.CANCELLED}' and not exists (
                select from visit v join assignment_decision before on before.visit_id = v.id
                where v.work_order_id = d.work_order_id and before.decided_at < %(since)s)
            order by d.work_order_id, d.decided_at, d.id
        ),
        {FIRST_VISITS},
        handed as (
            select it.work_order_id, count(*)::int as times
            from (select v.work_order_id, v.state, v.engineer_id,
                         lead(v.engineer_id) over (partition by v.work_order_id order by v.ordinal) as next
                  from visit v join concerned c on c.work_order_id = v.work_order_id) it
            where it.state in ({_TAKEN}) and it.engineer_id is not null and it.next is distinct from it.engineer_id
            group by it.work_order_id
        )
        select c.work_order_id, c.how, f.fixed, coalesce(h.times, 0) as hand_overs,
               (select g.rating from signature g where g.work_order_id = c.work_order_id and g.rating is not null
                order by g.at desc limit 1) as rating
        from concerned c
        left join first_visits f on f.work_order_id = c.work_order_id
        left join handed h on h.work_order_id = c.work_order_id
        """,
        since=since,
        until=until,
    )


async def engineer_days(uow: UnitOfWork, since: datetime, until: datetime) -> list[EngineerDay]:
    """Answer what each engineer completed on each day of the organisation's, and how those visits came about."""
    return await uow.all_of(
        EngineerDay,
        f"""
        select v.engineer_id, (v.finished_at at time zone g.timezone)::date as day, count(*)::int as jobs,
               coalesce(array_agg(distinct d.how) filter (where d.how is not null), '{{}}') as how,
               bool_and(d.how is not null) as known
        from visit v
        join organisation g on g.id = v.org_id
        left join lateral (
            select how from assignment_decision d where d.visit_id = v.id order by d.decided_at desc, d.id desc limit 1
        ) d on true
        where v.state = '{VisitState.COMPLETED}' and v.engineer_id is not null
          and v.finished_at >= %(since)s and v.finished_at < %(until)s
        group by v.engineer_id, day
        """,
        since=since,
        until=until,
    )
