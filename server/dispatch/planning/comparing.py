"""What a plan would change: a line for every order, against what people know. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from server.dispatch.planning.domain import Booking, Change, Line
from server.dispatch.planning.picture import Order, Picture
from server.dispatch.planning.timetable import Call, Timetable

NOTICED = timedelta(minutes=5)  # nobody is told of less


@dataclass(frozen=True)
class Reason:
    """Why an order is left out: the planner's code, what it would cost more, and with whom."""

    why: str
    cost: int | None = None
    engineer_id: UUID | None = None


def lines_of(
    picture: Picture,
    tables: Sequence[Timetable],
    reasons: Mapping[UUID, Reason],
    alternatives: Mapping[UUID, Mapping[str, Any]],
) -> list[Line]:
    """Answer what becomes of each order, and who else could have made it: what changes first, in the day's order."""
    calls = {call.order_id: (table, call) for table in tables for call in table.calls if call.order_id is not None}
    lines = [_line(picture, it, calls.get(it.id), reasons.get(it.id), alternatives.get(it.id)) for it in picture.orders]
    kinds = list(Change)
    return sorted(lines, key=lambda it: (kinds.index(it.change), _when(it), it.work_order_id))


def _when(it: Line) -> float:
    booking = it.after or it.before
    return booking.start.timestamp() if booking else 0.0


def _line(
    picture: Picture,
    order: Order,
    made: tuple[Timetable, Call] | None,
    reason: Reason | None,
    alternatives: Mapping[str, Any] | None,
) -> Line:
    booked = order.known
    before = Booking(booked.engineer_id, booked.start, booked.end) if booked else None
    facts: dict[str, Any] = {"number": order.number, "priority": order.priority}
    if made is None:
        change = Change.UNASSIGN if booked else Change.LEAVE_OUT
        if order.booked and order.booked.pin:
            change = Change.KEEP  # what is held fast stays, be it impossible
        return Line(order.id, change, before, before if change is Change.KEEP else None, facts | _said(reason))
    table, call = made
    facts |= {
        "drive_seconds": call.drive.seconds,
        "drive_metres": call.drive.metres,
        "arrives_at": call.arrives.isoformat(),
        "slack_seconds": call.slack_seconds,
        "late_seconds": call.late_seconds,
        "risk_seconds": call.risk_seconds,
        "alternatives": alternatives,
    }
    after = Booking(table.engineer_id, call.begins, call.ends)
    change = _change(picture, before, after)
    return Line(order.id, change, before, before if change is Change.KEEP else after, facts)


def _change(picture: Picture, before: Booking | None, after: Booking) -> Change:
    if before is None:
        return Change.ASSIGN
    if before.start < picture.frozen_until and before.engineer_id == after.engineer_id:
        return Change.KEEP
    if before.engineer_id != after.engineer_id or abs(after.start - before.start) > timedelta(hours=12):
        return Change.MOVE
    differs = max(abs(after.start - before.start), abs(after.end - before.end))
    return Change.RETIME if differs >= NOTICED else Change.KEEP


def _said(reason: Reason | None) -> dict[str, Any]:
    if reason is None:
        return {}
    with_whom = reason.engineer_id and str(reason.engineer_id)
    return {"reason": reason.why, "would_cost": reason.cost, "would_go": with_whom}
