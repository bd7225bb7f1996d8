"""What was predicted of a drive when its engineer set out."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from server.core.tables import OrgTable, belongs_to, instant, of_organisation, point


class TravelPrediction(OrgTable, table=True):
    """Kept as it was said, whatever is learnt later."""

    __tablename__ = "travel_prediction"
    __table_args__ = (
        of_organisation(),
        belongs_to("visit_id", "visit", on_delete="CASCADE"),
        CheckConstraint("seconds > 0 and p90_seconds >= seconds", name="seconds"),
        Index(None, "org_id", "set_out_at"),
    )

    visit_id: UUID = Field(primary_key=True)
    set_out_at: datetime = instant()
    origin: Any = point()
    seconds: int
    p90_seconds: int
    metres: int
    source: str
