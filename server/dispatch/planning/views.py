"""Plans and their lines as pages show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from server.dispatch.planning.domain import Booking, Change, Effort, LineState, PlanKind, PlanState, Scope
from server.geo.domain import Point
from server.workorders.domain import Priority


@dataclass(frozen=True)
class PlanView:
    """before, after: `Figures` as JSON. lines: how many, by "change:state"."""

    id: UUID
    kind: PlanKind
    state: PlanState
    begins: datetime
    until: datetime
    territories: tuple[UUID, ...]
    engineers: tuple[UUID, ...]
    effort: Effort
    seed: int
    policy_version: int
    requested_by: UUID | None
    requested_by_name: str | None
    cause: Mapping[str, Any] | None
    asked_at: datetime
    ready_at: datetime | None
    ended_at: datetime | None
    why: str | None
    progress: float
    parts: int
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    lines: Mapping[str, int]

    @property
    def scope(self) -> Scope:
        return Scope(self.begins, self.until, tuple(self.territories), tuple(self.engineers))


@dataclass(frozen=True)
class LineView:
    work_order_id: UUID
    number: int
    title: str
    priority: Priority
    site_name: str
    place: Point
    change: Change
    state: LineState
    from_engineer_id: UUID | None
    from_engineer_name: str | None
    from_start: datetime | None
    from_end: datetime | None
    to_engineer_id: UUID | None
    to_engineer_name: str | None
    to_start: datetime | None
    to_end: datetime | None
    details: Mapping[str, Any]
    why: str | None

    @property
    def before(self) -> Booking | None:
        return _booking(self.from_engineer_id, self.from_start, self.from_end)

    @property
    def after(self) -> Booking | None:
        return _booking(self.to_engineer_id, self.to_start, self.to_end)


def _booking(engineer: UUID | None, start: datetime | None, end: datetime | None) -> Booking | None:
    return Booking(engineer, start, end) if engineer and start and end else None
