"""What a board shows of engineers, and the news that keep it true. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from server.core.events import Event
from server.geo.domain import Point
from server.workorders.views import Counts, WorkOrderSummary


class EngineerState(StrEnum):
    OFF_SHIFT = "off_shift"
    IDLE = "idle"
    TRAVELLING = "travelling"
    ON_SITE = "on_site"
    WORKING = "working"


@dataclass(frozen=True)
class EngineerStatus:
    id: UUID
    name: str
    place: Point | None
    heading: int | None
    speed_kmh: int | None
    fixed_at: datetime | None
    state: EngineerState
    current_order_id: UUID | None
    load_minutes: int
    capacity_minutes: int
    shift_starts_at: datetime | None
    shift_ends_at: datetime | None
    paused_until: datetime | None  # until when this person does not want to be seen


@dataclass(frozen=True)
class Snapshot:
    """Everything a board starts from; news behind `position` bring it up to date."""

    position: int
    engineers: list[EngineerStatus]
    orders: list[WorkOrderSummary]
    counts: Counts


@dataclass(frozen=True)
class News:
    """One thing a board should know. Of several with one position only the last marks it as seen."""

    position: int
    what: WorkOrderSummary | EngineerStatus | Event
    marks: bool
