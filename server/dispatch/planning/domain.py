"""Words of planning: what a plan covers, how far it is, and what becomes of each of its lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class PlanKind(StrEnum):
    DAY = "day"  # somebody asked for it
    REPAIR = "repair"  # something went wrong


class PlanState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    READY = "ready"  # a proposal, to be accepted or not
    APPLYING = "applying"
    DONE = "done"  # every line was decided
    CANCELLED = "cancelled"
    FAILED = "failed"


LIVE = frozenset({PlanState.QUEUED, PlanState.RUNNING})
OPEN = LIVE | {PlanState.READY, PlanState.APPLYING}


class PartState(StrEnum):
    WAITING = "waiting"
    SOLVED = "solved"


class Effort(StrEnum):
    """How long to look for something better."""

    QUICK = "quick"
    NORMAL = "normal"
    THOROUGH = "thorough"


class Change(StrEnum):
    """What a line asks for."""

    ASSIGN = "assign"  # nobody had it
    MOVE = "move"  # another engineer, or another shift of the same
    RETIME = "retime"  # the same engineer, at another time
    KEEP = "keep"
    UNASSIGN = "unassign"  # somebody had it, and there is no room any more
    LEAVE_OUT = "leave_out"  # nobody had it and nobody gets it


class LineState(StrEnum):
    PROPOSED = "proposed"
    ACCEPTED = "accepted"  # on its way
    APPLIED = "applied"
    OVERTAKEN = "overtaken"  # somebody changed the visit meanwhile
    REFUSED = "refused"  # a rule forbids it by now
    DECLINED = "declined"  # by the dispatcher
    UNDONE = "undone"


ASKS = frozenset({Change.ASSIGN, Change.MOVE, Change.RETIME, Change.UNASSIGN})


@dataclass(frozen=True)
class Scope:
    """What is to be planned: the shifts of these territories and people that lie in a span of time; empty is all."""

    begins: datetime
    until: datetime
    territories: tuple[UUID, ...] = ()
    engineers: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class Booking:
    """Whose visit it is, and when."""

    engineer_id: UUID
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Line:
    """One order in a plan. details: drive, slack, lateness, reason; see `comparing`."""

    work_order_id: UUID
    change: Change
    before: Booking | None
    after: Booking | None
    details: Mapping[str, Any]


@dataclass(frozen=True)
class Figures:
    """What a plan comes to; times in seconds, ways in metres. late: begun after the promise, of all visits made."""

    visits: int
    left_out: int
    engineers: int
    travel_seconds: int
    travel_metres: int
    late_visits: int
    late_seconds: int
    overtime_seconds: int
    waiting_seconds: int
    working_seconds: int
