"""How often an engineer's first visit settled a type of problem: counted again whenever an order ends or comes back.

What a ranking goes by where no model of it is accepted; see `learning.success`.
"""

from datetime import timedelta
from uuid import UUID

from server.core.db import UnitOfWork
from server.workorders.domain import Action, VisitState

# Whoever has to come again later than this comes for something new.
CAME_BACK_WITHIN = timedelta(days=30)


async def count_again(uow: UnitOfWork, work_order_id: UUID) -> None:
    """Count for those who completed a visit to this order, with its type of problem; twice comes to the same.

    The first completed visit of an order counts, as fixed unless another was completed or the order was reopened soon.
    """
    await uow.run(
        f"""
        with touched as (
            select distinct v.engineer_id, o.problem_type
            from visit v join work_order o on o.id = v.work_order_id
            where o.id = %(order)s and v.state = '{VisitState.COMPLETED}' and v.engineer_id is not null
        ),
        first as (
            select v.id, v.work_order_id, v.engineer_id, o.problem_type, v.finished_at
            from touched t join visit v on v.engineer_id = t.engineer_id
            join work_order o on o.id = v.work_order_id and o.problem_type = t.problem_type
            where v.state = '{VisitState.COMPLETED}' and o.voided_at is null and not exists (
                select from visit before
                where before.work_order_id = v.work_order_id and before.state = '{VisitState.COMPLETED}'
                  and before.ordinal < v.ordinal)
        )
        insert into first_fix (org_id, problem_type, engineer_id, tried, fixed)
        select %(org)s, f.problem_type, f.engineer_id, count(*), count(*) filter (
                   where not exists (
                       select from visit later
                       where later.work_order_id = f.work_order_id and later.state = '{VisitState.COMPLETED}'
                         and later.id <> f.id and later.finished_at < f.finished_at + %(soon)s)
                   and not exists (
                       select from timeline_entry t
                       where t.work_order_id = f.work_order_id and t.action = '{Action.REOPEN}'
                         and t.at >= f.finished_at and t.at < f.finished_at + %(soon)s))
        from first f
        group by f.problem_type, f.engineer_id
        on conflict (org_id, problem_type, engineer_id) do update set tried = excluded.tried, fixed = excluded.fixed
        """,
        order=work_order_id,
        org=uow.org,
        soon=CAME_BACK_WITHIN,
    )
