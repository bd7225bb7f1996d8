"""Days as a dispatcher's timeline shows them: everybody's shifts, visits and ways."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from server.core.db import UnitOfWork
from server.workorders.domain import OPEN_VISIT, Pin, Priority, VisitState


@dataclass(frozen=True)
class ShiftRow:
    """leaves_at to stops: the engineer's way through it, null until it is known."""

    id: UUID
    engineer_id: UUID
    starts_at: datetime
    ends_at: datetime
    break_opens: datetime | None
    break_closes: datetime | None
    break_minutes: int | None
    overtime_minutes: int
    leaves_at: datetime | None
    rests_at: datetime | None
    returns_at: datetime | None
    stops: list[Mapping[str, Any]] | None


@dataclass(frozen=True)
class VisitRow:
    """begun_at, finished_at: what became of it."""

    id: UUID
    work_order_id: UUID
    number: int
    title: str
    priority: Priority
    site_name: str
    customer_name: str
    engineer_id: UUID
    state: VisitState
    planned_start: datetime
    planned_end: datetime
    begun_at: datetime | None
    finished_at: datetime | None
    pin: Pin | None
    respond_by: datetime
    window_start: datetime | None
    window_end: datetime | None


@dataclass(frozen=True)
class EngineerRow:
    id: UUID
    name: str
    territory_id: UUID | None
    daily_capacity_minutes: int


@dataclass(frozen=True)
class Days:
    engineers: list[EngineerRow]
    shifts: list[ShiftRow]
    visits: list[VisitRow]


async def days(uow: UnitOfWork, begins: datetime, until: datetime) -> Days:
    """Answer everybody who works or has a visit in a span of time; withdrawn visits are left out."""
    shifts = await uow.all_of(
        ShiftRow,
        """
        select s.id, s.person_id as engineer_id, s.starts_at, s.ends_at, s.break_opens, s.break_closes, s.break_minutes,
               s.overtime_minutes, r.leaves_at, r.rests_at, r.returns_at, r.stops
        from shift s left join route r on r.id = s.id
        where s.ends_at > %(begins)s and s.starts_at < %(until)s
        order by s.person_id, s.starts_at
        """,
        begins=begins,
        until=until,
    )
    visits = await uow.all_of(
        VisitRow,
        f"""
        select v.id, v.work_order_id, o.number, o.title, o.priority, s.name as site_name, c.name as customer_name,
               v.engineer_id, v.state, v.planned_start, v.planned_end, v.begun_at, v.finished_at, v.pin, o.respond_by,
               o.window_start, o.window_end
        from visit v
        join work_order o on o.id = v.work_order_id
        join site s on s.id = o.site_id
        join customer c on c.id = o.customer_id
        where v.planned_end > %(begins)s and v.planned_start < %(until)s and o.voided_at is null
          and (v.state = any(%(open)s) or v.state = '{VisitState.COMPLETED}')
        order by v.engineer_id, v.planned_start, v.id
        """,
        begins=begins,
        until=until,
        open=[str(it) for it in OPEN_VISIT],
    )
    engineers = await uow.all_of(
        EngineerRow,
        """
        select e.person_id as id, p.name, e.territory_id, e.daily_capacity_minutes
        from engineer e join person p on p.id = e.person_id
        where e.person_id = any(%(people)s) order by p.name, p.id
        """,
        people=list({it.engineer_id for it in shifts} | {it.engineer_id for it in visits}),
    )
    return Days(engineers, shifts, visits)
