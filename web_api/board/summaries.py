"""An order as a line of a list or a dot on a map: the shape lists, boards and their news share."""

from datetime import datetime
from uuid import UUID

from server.core.wire import PlaceOut, WireOut


class WorkOrderSummary(WireOut):
    id: UUID
    number: int
    title: str
    problem_type: str
    state: str
    priority: str
    customer_id: UUID
    customer_name: str
    customer_tier: str
    site_id: UUID
    site_name: str
    place: PlaceOut
    reported_at: datetime
    respond_by: datetime
    window_start: datetime | None
    window_end: datetime | None
    duration_minutes: int
    engineer_id: UUID | None
    engineer_name: str | None
    visit_id: UUID | None
    visit_state: str | None
    planned_start: datetime | None
    planned_end: datetime | None
    version: int
