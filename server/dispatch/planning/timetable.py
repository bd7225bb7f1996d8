"""What sequences mean for people: when somebody leaves, arrives, begins and is home, of one shift at a time. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import hypot
from typing import Any
from uuid import UUID

from server.dispatch.planner.plan import Tour, Undrivable, tour_of
from server.dispatch.planning.asking import Asked, softened, whole_minutes
from server.dispatch.planning.domain import Figures
from server.dispatch.planning.picture import Leg


@dataclass(frozen=True)
class Call:
    """A stop of a tour: an order, or the warehouse where `order_id` is None.

    slack_seconds: how much later work may begin before a hard rule breaks. late_seconds: begun after its promise.
    risk_seconds: how much of a promise or a window nine such days in ten may miss it by, if drives take their p90.
    """

    order_id: UUID | None
    arrives: datetime
    begins: datetime
    ends: datetime
    drive: Leg
    slack_seconds: int
    late_seconds: int
    risk_seconds: int


@dataclass(frozen=True)
class Timetable:
    """One shift as it would be driven. `breaks_rules`: it can only be driven late, as people know it."""

    shift_id: UUID
    engineer_id: UUID
    name: str
    leaves: datetime
    rests: datetime | None
    returns: datetime
    calls: tuple[Call, ...]
    home: Leg
    overtime_seconds: int
    breaks_rules: bool


def timetable_of(asked: Asked, sequence: Sequence[UUID | None]) -> Timetable:
    """Drive a sequence through the first shift of a picture; what can't be driven by the rules is driven late."""
    visits = asked.numbered({asked.picture.duties[0].shift_id: sequence})[0]
    try:
        return _read(asked, tour_of(asked.problem, 0, visits), breaks_rules=False)
    except Undrivable:
        return _read(asked, tour_of(softened(asked), 0, visits), breaks_rules=True)


def known_timetable_of(asked: Asked, sequence: Sequence[UUID | None]) -> Timetable:
    """Drive what people know: nothing begins before the time they were told."""
    visits = asked.numbered({asked.picture.duties[0].shift_id: sequence})[0]
    return _read(asked, tour_of(softened(asked), 0, visits), breaks_rules=False)


def _read(asked: Asked, tour: Tour, *, breaks_rules: bool) -> Timetable:
    duty, shift = asked.picture.duties[0], asked.problem.shifts[0]
    here, spread, calls = shift.start, 0.0, []
    for stop in tour.stops:
        there = _row(asked, stop.visit)
        drive = _leg(asked, here, there)
        spread = hypot(spread, drive.p90_seconds - drive.seconds)
        late, risk = _late(asked, stop.visit, stop.begins, stop.begins - stop.arrives, spread)
        calls.append(
            Call(
                None if stop.visit is None else asked.picture.orders[stop.visit].id,
                asked.instant(stop.arrives),
                asked.instant(whole_minutes(stop.begins)),
                asked.instant(whole_minutes(stop.begins) + stop.ends - stop.begins),
                drive,
                stop.slack,
                late,
                risk,
            )
        )
        here = there
    return Timetable(
        duty.shift_id,
        duty.engineer_id,
        duty.name,
        asked.instant(tour.leaves),
        None if tour.rests is None else asked.instant(tour.rests),
        asked.instant(tour.returns),
        tuple(calls),
        _leg(asked, here, shift.end if shift.end is not None else here),
        max(0, tour.returns - shift.ends),
        breaks_rules,
    )


def _row(asked: Asked, visit: int | None) -> int:
    if visit is not None:
        return asked.problem.visits[visit].place
    warehouse = asked.problem.shifts[0].warehouse
    assert warehouse is not None, "it was driven to"
    return warehouse.place


def _leg(asked: Asked, here: int, there: int) -> Leg:
    drives = asked.drives
    return Leg(int(drives.seconds[here, there]), int(drives.p90_seconds[here, there]), int(drives.metres[here, there]))


def _late(asked: Asked, visit: int | None, begins: int, waits: int, spread: float) -> tuple[int, int]:
    """Answer the seconds after the promise, and those that a slow day may add after the promise or the window."""
    if visit is None:
        return 0, 0
    it = asked.problem.visits[visit]
    late = max(0, begins - it.due) if it.due is not None else 0
    closes = next((window.closes for window in it.windows if begins <= window.closes), it.windows[-1].closes)
    last = closes if it.due is None else min(closes, it.due)
    slow = begins + max(0, round(spread) - waits)
    return late, max(0, slow - last) if begins <= last else 0


def figures_of(tables: Sequence[Timetable], left_out: int) -> Figures:
    calls = [call for table in tables for call in table.calls]
    made = [call for call in calls if call.order_id is not None]
    drives = [call.drive for call in calls] + [table.home for table in tables if table.calls]
    return Figures(
        visits=len(made),
        left_out=left_out,
        engineers=sum(1 for table in tables if table.calls),
        travel_seconds=sum(it.seconds for it in drives),
        travel_metres=sum(it.metres for it in drives),
        late_visits=sum(1 for call in made if call.late_seconds > 0),
        late_seconds=sum(call.late_seconds for call in made),
        overtime_seconds=sum(table.overtime_seconds for table in tables),
        waiting_seconds=sum(_seconds(call.begins - call.arrives) for call in made if call.begins > call.arrives),
        working_seconds=sum(_seconds(call.ends - call.begins) for call in made),
    )


def _seconds(span: timedelta) -> int:
    return round(span.total_seconds())


def plain(table: Timetable) -> dict[str, Any]:
    """A timetable as JSON."""
    return {
        "shift_id": str(table.shift_id),
        "engineer_id": str(table.engineer_id),
        "name": table.name,
        "leaves_at": table.leaves.isoformat(),
        "rests_at": table.rests and table.rests.isoformat(),
        "returns_at": table.returns.isoformat(),
        "overtime_seconds": table.overtime_seconds,
        "breaks_rules": table.breaks_rules,
        "home_seconds": table.home.seconds,
        "home_metres": table.home.metres,
        "stops": [plain_call(it) for it in table.calls],
    }


def plain_call(it: Call) -> dict[str, Any]:
    return {
        "work_order_id": it.order_id and str(it.order_id),
        "arrives_at": it.arrives.isoformat(),
        "begins_at": it.begins.isoformat(),
        "ends_at": it.ends.isoformat(),
        "drive_seconds": it.drive.seconds,
        "drive_metres": it.drive.metres,
        "slack_seconds": it.slack_seconds,
        "late_seconds": it.late_seconds,
        "risk_seconds": it.risk_seconds,
    }
