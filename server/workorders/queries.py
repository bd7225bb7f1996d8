"""Every statement about orders and visits. `door` is a condition made by a Door on the order's alias `o`."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from server.core.db import UnitOfWork
from server.core.search import containing
from server.identity.domain import Actor
from server.workforce.domain import SkillLevel
from server.workorders.domain import DONE, OVER, Visit, VisitState, WorkOrder
from server.workorders.procedures import Item
from server.workorders.records import TimelineEntry
from server.workorders.views import Counts, Filter, VisitView, WorkOrderSummary

_ORDER = ", ".join(f"o.{field.name}" for field in fields(WorkOrder))
_VISIT = ", ".join(f"v.{field.name}" for field in fields(Visit))
_DONE = ", ".join(f"'{state}'" for state in sorted(DONE))
# The visit an order is about now: one that is under way, else, once the work is done, the one it was done on, else the
# open one, else the last. Two are open only while a dispatcher has not decided between two engineers.
_MOST_AT_HAND = f"""
    case when v.finished_at is null and v.begun_at is not null then 0
         when v.state = '{VisitState.COMPLETED}' and o.state in ({_DONE}) then 1
         when v.finished_at is null then 2 else 3 end, v.ordinal desc
"""
_AT_HAND = f"""
    left join lateral (
        select v.* from visit v where v.work_order_id = o.id order by {_MOST_AT_HAND} limit 1
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
                                closed_at, version, findings, description_rev, findings_rev)
        values (%(org)s, %(id)s, %(number)s, %(customer_id)s, %(site_id)s, %(asset_id)s, %(title)s, %(problem_type)s,
                %(description)s, %(priority)s, %(channel)s, %(state)s, %(hold_reason)s, %(reported_at)s,
                %(reported_by)s, %(respond_by)s, %(window_start)s, %(window_end)s, %(duration_minutes)s,
                %(procedure_id)s, %(preferred_engineer_id)s, %(closed_at)s, %(version)s, %(findings)s,
                %(description_rev)s, %(findings_rev)s)
        """,
        org=uow.org,
        **vars(it),
    )


async def has_worked_at(uow: UnitOfWork, engineer_id: UUID, site_id: UUID) -> bool:
    """Answer whether somebody was ever assigned to an order at a site."""
    return bool(
        await uow.value(
            """
            select exists (
                select from work_order o join visit v on v.work_order_id = o.id
                where o.site_id = %(site)s and v.engineer_id = %(engineer)s)
            """,
            site=site_id,
            engineer=engineer_id,
        )
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


async def set_voided(
    uow: UnitOfWork, order_id: UUID, *, at: datetime | None, by: UUID | None, reason: str | None
) -> None:
    await uow.run(
        """
        update work_order set voided_at = %(at)s, voided_by = %(by)s, void_reason = %(reason)s, version = version + 1
        where id = %(id)s
        """,
        id=order_id,
        at=at,
        by=by,
        reason=reason,
    )


async def patch_order(uow: UnitOfWork, it: WorkOrder) -> None:
    """Write the office's fields of an order."""
    await uow.run(
        """
        update work_order
        set title = %(title)s, problem_type = %(problem_type)s, priority = %(priority)s,
            window_start = %(window_start)s, window_end = %(window_end)s, duration_minutes = %(duration_minutes)s,
            version = %(version)s
        where id = %(id)s
        """,
        **{
            name: value
            for name, value in vars(it).items()
            if name in {"id", "version", "title", "problem_type", "priority", "window_start", "window_end"}
        },
        duration_minutes=it.duration_minutes,
    )


async def visit(uow: UnitOfWork, visit_id: UUID) -> Visit | None:
    return await uow.one_of(Visit, f"select {_VISIT} from visit v where v.id = %(id)s", id=visit_id)


async def visit_at_hand(uow: UnitOfWork, order_id: UUID) -> Visit | None:
    """Answer the visit an order is about now, None when there was never one."""
    return await uow.one_of(
        Visit,
        f"""
        select {_VISIT} from visit v join work_order o on o.id = v.work_order_id
        where v.work_order_id = %(order)s order by {_MOST_AT_HAND} limit 1
        """,
        order=order_id,
    )


async def admission(
    uow: UnitOfWork, order_id: UUID, *, engineer_id: UUID, visit_id: UUID | None, item_id: UUID | None, hold: bool
) -> dict[str, Any] | None:
    """Answer all that decides whether somebody's evidence is let in, in one statement.

    The order's columns begin with `o_`; those of the engineer's visit (the one named, else their newest) with `v_`,
    all null where they have none; those of the checklist item with `i_`.
    `active`: whether a visit of theirs is open or completed, null where they have none;
    `assignee`: whose visit the order is about now; `signed`: whether a customer has signed.
    hold: keep others from changing the order until this transaction ends.
    """
    return await uow.row(
        f"""
        select {_as_part(WorkOrder, "o")}, {_as_part(Visit, "v")}, {_as_part(Item, "i")},
               theirs.active, h.engineer_id as assignee,
               exists (select from signature g where g.work_order_id = o.id) as signed
        from work_order o
        left join lateral (
            select bool_or(w.finished_at is null or w.state = '{VisitState.COMPLETED}') as active
            from visit w where w.work_order_id = o.id and w.engineer_id = %(engineer)s
        ) theirs on true
        left join lateral (
            select w.* from visit w where w.work_order_id = o.id and w.engineer_id = %(engineer)s
            order by (w.id = %(visit)s) desc nulls last, w.ordinal desc limit 1
        ) v on true
        left join lateral (
            select v.engineer_id from visit v where v.work_order_id = o.id order by {_MOST_AT_HAND} limit 1
        ) h on true
        left join procedure_item i on i.id = %(item)s
        where o.id = %(id)s
        {"for no key update of o" if hold else ""}
        """,
        id=order_id,
        engineer=engineer_id,
        visit=visit_id,
        item=item_id,
    )


def _as_part(kind: type[Any], alias: str) -> str:
    return ", ".join(f"{alias}.{field.name} as {alias}_{field.name}" for field in fields(kind))


async def open_visits(uow: UnitOfWork, order_id: UUID) -> list[Visit]:
    return await uow.all_of(
        Visit,
        f"select {_VISIT} from visit v where v.work_order_id = %(order)s and v.finished_at is null order by v.ordinal",
        order=order_id,
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
        insert into visit as v (org_id, id, work_order_id, ordinal, state, field_state, engineer_id, planned_start,
                                planned_end, version)
        select %(org)s, %(id)s, %(order)s, coalesce(max(o.ordinal), 0) + 1, '{VisitState.PLANNED}',
               '{VisitState.PLANNED}', %(engineer)s, %(start)s, %(end)s, 1
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
        set state = %(state)s, approached_at = %(approached)s, finished_at = %(finished)s, version = %(version)s,
            field_state = %(field_state)s, begun_at = %(begun)s, planned_start = %(start)s, planned_end = %(end)s,
            pin = %(pin)s
        where id = %(id)s
        """,
        id=it.id,
        state=it.state,
        approached=it.approached_at,
        finished=it.finished_at,
        version=it.version,
        field_state=it.field_state,
        begun=it.begun_at,
        start=it.planned_start,
        end=it.planned_end,
        pin=it.pin,
    )


async def visits(uow: UnitOfWork, order_id: UUID) -> list[VisitView]:
    return await uow.all_of(
        VisitView,
        """
        select v.id, v.ordinal, v.state, v.engineer_id, p.name as engineer_name, v.planned_start, v.planned_end,
               v.approached_at, v.finished_at, v.pin, v.version
        from visit v left join person p on p.id = v.engineer_id
        where v.work_order_id = %(order)s order by v.ordinal
        """,
        order=order_id,
    )


# An entry's parameters begin with `t_`, so that one statement can write a record and what the history says of it.
TIMELINE_COLUMNS = """
    org_id, id, work_order_id, visit_id, action, from_state, to_state, actor_id, actor_name, device_id, at_device, at,
    recorded_at, place, why, facts
"""
TIMELINE_VALUES = """
    %(org)s, %(t_id)s, %(t_order)s, %(t_visit_id)s, %(t_action)s, %(t_from_state)s, %(t_to_state)s, %(t_actor_id)s,
    %(t_actor_name)s, %(t_device_id)s, %(t_at_device)s, %(t_at)s, %(t_recorded_at)s,
    st_point(%(t_lon)s::float8, %(t_lat)s::float8, 4326)::geography, %(t_why)s, %(t_facts)s
"""


def timeline_params(it: TimelineEntry, order_id: UUID) -> dict[str, object]:
    place = {"t_lon": it.place.lon if it.place else None, "t_lat": it.place.lat if it.place else None}
    said = {f"t_{name}": value for name, value in vars(it).items() if name not in {"place", "facts"}}
    return {**said, **place, "t_order": order_id, "t_facts": dict(it.facts)}


async def insert_timeline(uow: UnitOfWork, it: TimelineEntry, order_id: UUID) -> None:
    await uow.run(
        f"insert into timeline_entry ({TIMELINE_COLUMNS}) values ({TIMELINE_VALUES})",
        org=uow.org,
        **timeline_params(it, order_id),
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
        where {door} and (o.voided_at is not null) = %(voided)s and (%(after)s::uuid is null or o.id < %(after)s)
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
        voided=wanted.voided,
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
        f"""
        {_SUMMARY} where o.state <> all(%(over)s) and o.voided_at is null
        order by o.respond_by, o.id limit %(limit)s
        """,
        over=_OVER,
        limit=limit,
    )


async def counts(uow: UnitOfWork) -> Counts:
    found: dict[str, Any] | None = await uow.row(
        """
        with open as (
            select state, priority, count(*) as many from work_order
            where state <> all(%(over)s) and voided_at is null group by 1, 2),
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
