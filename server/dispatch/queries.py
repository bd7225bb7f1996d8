"""Every statement of dispatch but the great one of the crew. What it reads of other packages it only reads."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from server.core.db import UnitOfWork
from server.dispatch.board import EngineerState, EngineerStatus
from server.dispatch.crew import open_work
from server.dispatch.decisions import Decision
from server.dispatch.domain import CustomerWish
from server.dispatch.scoring import Weights
from server.geo.positions import SHIFT_GRACE


async def statuses(uow: UnitOfWork, at: datetime, people: Sequence[UUID] | None = None) -> list[EngineerStatus]:
    """Answer the active engineers, or those among `people`, as a board shows them.

    Off shift and in a pause nobody's place is shown. The shift is the running one or else the next within a day.
    """
    return await uow.all_of(
        EngineerStatus,
        f"""
        with {open_work()},
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
               s.starts_at as shift_starts_at, s.ends_at as shift_ends_at, z.paused_until
        from shown s
        left join lateral (
            select max(ends_at) as paused_until from position_pause
            where person_id = s.person_id and starts_at <= %(at)s and ends_at > %(at)s
        ) z on true
        left join position_last l on l.person_id = s.person_id and s.visible and z.paused_until is null
        order by s.name, s.person_id
        """,
        **{"from": at},
        at=at,
        grace=SHIFT_GRACE,
        people=None if people is None else list(people),
        but=None,
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


async def insert_decision(uow: UnitOfWork, it: Decision) -> None:
    await uow.run(
        """
        insert into assignment_decision (org_id, id, visit_id, engineer_id, engineer_name, decided_by, decided_by_name,
                                         decided_at, how, plan_id, chosen_rank, note, job, weights_version, weights,
                                         candidates, excluded, others)
        values (%(org)s, %(id)s, %(visit)s, %(engineer)s, %(engineer_name)s, %(by)s, %(by_name)s, %(at)s, %(how)s,
                %(plan)s, %(rank)s, %(note)s, %(job)s, %(version)s, %(weights)s, %(candidates)s, %(excluded)s,
                %(others)s)
        """,
        org=uow.org,
        id=it.id,
        visit=it.visit_id,
        engineer=it.engineer_id,
        engineer_name=it.engineer_name,
        by=it.decided_by,
        by_name=it.decided_by_name,
        at=it.decided_at,
        how=it.how,
        plan=it.plan_id,
        rank=it.chosen_rank,
        note=it.note,
        job=it.job,
        version=it.weights_version,
        weights=it.weights,
        candidates=Jsonb(list(it.candidates)),
        excluded=Jsonb(list(it.excluded)),
        others=it.others,
    )


async def decisions(uow: UnitOfWork, work_order_id: UUID) -> list[Decision]:
    """Answer the decisions of an order, the newest first."""
    return await uow.all_of(
        Decision,
        """
        select d.id, d.visit_id, d.engineer_id, d.engineer_name, d.decided_by, d.decided_by_name, d.decided_at, d.how,
               d.plan_id, d.chosen_rank, d.note, d.job, d.weights_version, d.weights, d.candidates, d.excluded, d.others
        from visit v join assignment_decision d on d.visit_id = v.id
        where v.work_order_id = %(order)s
        order by d.decided_at desc, d.id desc
        """,
        order=work_order_id,
    )


async def wishes(uow: UnitOfWork, customer_id: UUID) -> list[CustomerWish]:
    """Answer what a customer says about engineers, also under an id that was merged into theirs; the newest counts."""
    return await uow.all_of(
        CustomerWish,
        """
        select * from (
            select distinct on (w.engineer_id) w.customer_id, w.engineer_id, p.name as engineer_name, w.wish, w.why,
                   w.recorded_by, w.at
            from customer_wish w join person p on p.id = w.engineer_id
            where w.customer_id = %(customer)s
               or w.customer_id in (select id from alias where now_id = %(customer)s and entity = 'customer')
            order by w.engineer_id, w.at desc
        ) said
        order by engineer_name, engineer_id
        """,
        customer=customer_id,
    )


async def save_wish(uow: UnitOfWork, it: CustomerWish) -> None:
    await uow.run(
        """
        insert into customer_wish (org_id, customer_id, engineer_id, wish, why, recorded_by, at)
        values (%(org)s, %(customer)s, %(engineer)s, %(wish)s, %(why)s, %(by)s, %(at)s)
        on conflict (org_id, customer_id, engineer_id)
        do update set wish = excluded.wish, why = excluded.why, recorded_by = excluded.recorded_by, at = excluded.at
        """,
        org=uow.org,
        customer=it.customer_id,
        engineer=it.engineer_id,
        wish=it.wish,
        why=it.why,
        by=it.recorded_by,
        at=it.at,
    )


async def delete_wish(uow: UnitOfWork, customer_id: UUID, engineer_id: UUID) -> bool:
    """Answer whether there was one, under any of the customer's ids."""
    gone = await uow.run(
        """
        delete from customer_wish
        where engineer_id = %(engineer)s and (
            customer_id = %(customer)s
            or customer_id in (select id from alias where now_id = %(customer)s and entity = 'customer'))
        """,
        customer=customer_id,
        engineer=engineer_id,
    )
    return gone > 0
