"""Every statement about orders and visits. `door` is a condition made by a Door on the order's alias `o`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from server.core.db import UnitOfWork
from server.core.search import containing
from server.identity.domain import Actor
from server.workforce.domain import SkillLevel
from server.workorders.domain import OVER, Visit, VisitState, WorkOrder
from server.workorders.records import TimelineEntry
from server.workorders.views import Counts, Filter, VisitView, WorkOrderSummary

_ORDER = """
    o.id, o.number, o.customer_id, o.site_id, o.asset_id, o.title, o.problem_type, o.description, o.priority, o.channel,
    o.state, o.hold_reason, o.reported_at, o.reported_by, o.respond_by, o.window_start, o.window_end,
    o.duration_minutes, o.procedure_id, o.preferred_engineer_id, o.closed_at, o.version
"""
_VISIT = """
    v.id, v.work_order_id, v.ordinal, v.state, v.engineer_id, v.planned_start, v.planned_end, v.approached_at,
    v.finished_at, v.version
"""
# The open visit, of which there is at most one, else the last.
_AT_HAND = """
    left join lateral (
        select v.* from visit v where v.work_order_id = o.id order by v.finished_at is null desc, v.ordinal desc limit 1
    ) v on true
"""
_SUMMARY = f"""
    select o.id, o.number, o.title, o.problem_type, o.state, o.priority, o.customer_id, c.name as customer_name,
           c.tier as customer_tier, o.site_id, s.name as site_name,
           array[st_x(s.place::geometry), st_y(s.place::geometry)] as place, o.reported_at, o.respond_by,
           o.window_start, o.window_end, o.duration_minutes, v.engineer_id, p.name as engineer_name, v.id as visit_id,
           v.state as visit_state, v.planned_start, v.planned_end, o.version
    from work_order o
    join customer c on c.id = o.customer_id
    join site s on s.id = o.site_id
    {_AT_HAND}
    left join person p on p.id = v.engineer_id
"""
_OVER = [str(state) for state in OVER]


async def next_number(uow: UnitOfWork) -> int:
    """Answer the next order number. The counter's row stays locked until commit, so numbers have no holes."""
    return int(
        await uow.value(
            """
            insert into work_order_counter as k (org_id, last) values (%(org)s, 1)
            on conflict (org_id) do update set last = k.last + 1 returning last
            """,
            org=uow.org,
        )
    )


async def insert_order(uow: UnitOfWork, it: WorkOrder) -> None:
    await uow.run(
        """
        insert into work_order (org_id, id, number, customer_id, site_id, asset_id, title, problem_type, description,
                                priority, channel, state, hold_reason, reported_at, reported_by, respond_by,
                                window_start, window_end, duration_minutes, procedure_id, preferred_engineer_id,
                                closed_at, version)
        values (%(org)s, %(id)s, %(number)s, %(customer_id)s, %(site_id)s, %(asset_id)s, %(title)s, %(problem_type)s,
                %(description)s, %(priority)s, %(channel)s, %(state)s, %(hold_reason)s, %(reported_at)s,
                %(reported_by)s, %(respond_by)s, %(window_start)s, %(window_end)s, %(duration_minutes)s,
                %(procedure_id)s, %(preferred_engineer_id)s, %(closed_at)s, %(version)s)
        """,
        org=uow.org,
        **vars(it),
    )


async def insert_skills(uow: UnitOfWork, order_id: UUID, levels: Mapping[UUID, int]) -> None:
    await uow.run(
        """
        insert into work_order_skill (org_id, work_order_id, skill_id, level)
        select %(org)s, %(order)s, asked.skill_id, asked.level
        from unnest(%(skills)s::uuid[], %(levels)s::int[]) as asked (skill_id, level)
        """,
        org=uow.org,
        order=order_id,
        skills=list(levels.keys()),
        levels=list(levels.values()),
    )


async def skills(uow: UnitOfWork, order_id: UUID) -> list[SkillLevel]:
    return await uow.all_of(
        SkillLevel,
        """
        select s.key, w.level from work_order_skill w join skill s on s.id = w.skill_id
        where w.work_order_id = %(order)s order by s.key
        """,
        order=order_id,
    )


async def order(uow: UnitOfWork, order_id: UUID) -> WorkOrder | None:
    return await uow.one_of(WorkOrder, f"select {_ORDER} from work_order o where o.id = %(id)s", id=order_id)


async def order_behind(uow: UnitOfWork, order_id: UUID, *, door: str, actor: Actor) -> WorkOrder | None:
    return await uow.one_of(
        WorkOrder,
        f"select {_ORDER} from work_order o where o.id = %(id)s and {door}",
        id=order_id,
        actor=actor.person,
    )


async def lock_order(uow: UnitOfWork, order_id: UUID) -> WorkOrder | None:
    """Answer the order and keep others from changing it until this transaction ends; what refers to it may be added."""
    return await uow.one_of(
        WorkOrder, f"select {_ORDER} from work_order o where o.id = %(id)s for no key update", id=order_id
    )


async def save_order(uow: UnitOfWork, it: WorkOrder) -> None:
    await uow.run(
        """
        update work_order
        set state = %(state)s, hold_reason = %(hold)s, closed_at = %(closed)s, version = %(version)s
        where id = %(id)s
        """,
        id=it.id,
        state=it.state,
        hold=it.hold_reason,
        closed=it.closed_at,
        version=it.version,
    )


async def visit(uow: UnitOfWork, visit_id: UUID) -> Visit | None:
    return await uow.one_of(Visit, f"select {_VISIT} from visit v where v.id = %(id)s", id=visit_id)


async def visit_at_hand(uow: UnitOfWork, order_id: UUID) -> Visit | None:
    """Answer the open visit of an order, else its last."""
    return await uow.one_of(
        Visit,
        f"""
        select {_VISIT} from visit v where v.work_order_id = %(order)s
        order by v.finished_at is null desc, v.ordinal desc limit 1
        """,
        order=order_id,
    )


async def visits_of_engineer(uow: UnitOfWork, order_id: UUID, engineer_id: UUID) -> list[Visit]:
    """Answer the engineer's visits to one order, the newest first."""
    return await uow.all_of(
        Visit,
        f"""
        select {_VISIT} from visit v where v.work_order_id = %(order)s and v.engineer_id = %(engineer)s
        order by v.ordinal desc
        """,
        order=order_id,
        engineer=engineer_id,
    )


async def insert_visit(
    uow: UnitOfWork,
    *,
    visit_id: UUID,
    order_id: UUID,
    engineer_id: UUID,
    planned_start: datetime | None,
    planned_end: datetime | None,
) -> Visit:
    made = await uow.one_of(
        Visit,
        f"""
        insert into visit as v (org_id, id, work_order_id, ordinal, state, engineer_id, planned_start, planned_end,
                                version)
        select %(org)s, %(id)s, %(order)s, coalesce(max(o.ordinal), 0) + 1, '{VisitState.PLANNED}', %(engineer)s,
               %(start)s, %(end)s, 1
        from visit o where o.work_order_id = %(order)s
        returning {_VISIT}
        """,
        org=uow.org,
        id=visit_id,
        order=order_id,
        engineer=engineer_id,
        start=planned_start,
        end=planned_end,
    )
    assert made is not None
    return made


async def save_visit(uow: UnitOfWork, it: Visit) -> None:
    await uow.run(
        """
        update visit
        set state = %(state)s, approached_at = %(approached)s, finished_at = %(finished)s, version = %(version)s
        where id = %(id)s
        """,
        id=it.id,
        state=it.state,
        approached=it.approached_at,
        finished=it.finished_at,
        version=it.version,
    )


async def visits(uow: UnitOfWork, order_id: UUID) -> list[VisitView]:
    return await uow.all_of(
        VisitView,
        """
        select v.id, v.ordinal, v.state, v.engineer_id, p.name as engineer_name, v.planned_start, v.planned_end,
               v.approached_at, v.finished_at, v.version
        from visit v left join person p on p.id = v.engineer_id
        where v.work_order_id = %(order)s order by v.ordinal
        """,
        order=order_id,
    )


async def insert_timeline(uow: UnitOfWork, it: TimelineEntry, order_id: UUID) -> None:
    await uow.run(
        """
        insert into timeline_entry (org_id, id, work_order_id, visit_id, action, from_state, to_state, actor_id,
                                    actor_name, device_id, at_device, at, recorded_at, place, why, facts)
        values (%(org)s, %(id)s, %(order)s, %(visit)s, %(action)s, %(from)s, %(to)s, %(actor)s, %(name)s, %(device)s,
                %(at_device)s, %(at)s, %(recorded)s,
                st_point(%(lon)s::float8, %(lat)s::float8, 4326)::geography, %(why)s, %(facts)s)
        """,
        **{
            "org": uow.org,
            "id": it.id,
            "order": order_id,
            "visit": it.visit_id,
            "action": it.action,
            "from": it.from_state,
            "to": it.to_state,
            "actor": it.actor_id,
            "name": it.actor_name,
            "device": it.device_id,
            "at_device": it.at_device,
            "at": it.at,
            "recorded": it.recorded_at,
            "lon": it.place.lon if it.place else None,
            "lat": it.place.lat if it.place else None,
            "why": it.why,
            "facts": dict(it.facts),
        },
    )


async def timeline(uow: UnitOfWork, order_id: UUID) -> list[TimelineEntry]:
    """Answer an order's history in the order it happened."""
    return await uow.all_of(
        TimelineEntry,
        """
        select t.id, t.visit_id, t.action, t.from_state, t.to_state, t.actor_id, t.actor_name, t.device_id, t.at_device,
               t.at, t.recorded_at,
               case when t.place is not null then array[st_x(t.place::geometry), st_y(t.place::geometry)] end as place,
               t.why, t.facts
        from timeline_entry t where t.work_order_id = %(order)s order by t.at, t.recorded_at, t.id
        """,
        order=order_id,
    )


async def summaries_after(
    uow: UnitOfWork, wanted: Filter, *, after: UUID | None, limit: int, door: str, actor: Actor
) -> list[WorkOrderSummary]:
    """Answer the newest orders older than `after`."""
    return await uow.all_of(
        WorkOrderSummary,
        rf"""
        {_SUMMARY}
        where {door} and (%(after)s::uuid is null or o.id < %(after)s)
          and (%(states)s::text[] is null or o.state = any(%(states)s))
          and (%(priorities)s::text[] is null or o.priority = any(%(priorities)s))
          and (not %(open)s or o.state <> all(%(over)s))
          and (%(engineer)s::uuid is null or v.engineer_id = %(engineer)s)
          and (%(customer)s::uuid is null or o.customer_id = %(customer)s)
          and (%(pattern)s::text is null
            or o.title ilike %(pattern)s escape '\' or c.name ilike %(pattern)s escape '\'
            or s.name ilike %(pattern)s escape '\' or o.number::text = %(typed)s
            or exists (select from asset a where a.id = o.asset_id and a.serial ilike %(pattern)s escape '\'))
        order by o.id desc limit %(limit)s
        """,
        after=after,
        states=list(wanted.states) or None,
        priorities=list(wanted.priorities) or None,
        open=wanted.open_only,
        over=_OVER,
        engineer=wanted.engineer_id,
        customer=wanted.customer_id,
        pattern=containing(wanted.q) if wanted.q else None,
        typed=(wanted.q or "").strip().lstrip("#"),
        limit=limit,
        actor=actor.person,
    )


async def summaries(uow: UnitOfWork, order_ids: Sequence[UUID]) -> list[WorkOrderSummary]:
    return await uow.all_of(
        WorkOrderSummary, f"{_SUMMARY} where o.id = any(%(ids)s) order by o.id desc", ids=list(order_ids)
    )


async def open_summaries(uow: UnitOfWork, limit: int) -> list[WorkOrderSummary]:
    """Answer the open orders, those that must be answered first first."""
    return await uow.all_of(
        WorkOrderSummary,
        f"{_SUMMARY} where o.state <> all(%(over)s) order by o.respond_by, o.id limit %(limit)s",
        over=_OVER,
        limit=limit,
    )


async def counts(uow: UnitOfWork) -> Counts:
    found: dict[str, Any] | None = await uow.row(
        """
        with open as (
            select state, priority, count(*) as many from work_order where state <> all(%(over)s) group by 1, 2),
        states as (select state, sum(many)::int as many from open group by 1),
        priorities as (select priority, sum(many)::int as many from open group by 1)
        select coalesce((select jsonb_object_agg(state, many) from states), '{}') as by_state,
               coalesce((select jsonb_object_agg(priority, many) from priorities), '{}') as by_priority
        """,
        over=_OVER,
    )
    assert found is not None
    return Counts(**found)


async def organisation_of_slug(uow: UnitOfWork, slug: str) -> UUID | None:
    found: UUID | None = await uow.value("select organisation_of_slug(%(slug)s)", slug=slug)
    return found
