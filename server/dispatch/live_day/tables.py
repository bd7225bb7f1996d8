"""What went wrong during the day, and the repair that was made of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index

from server.core.tables import OrgRecord, belongs_to, instant, of_organisation, one_of
from server.dispatch.live_day.domain import DisruptionKind, DisruptionState


class Disruption(OrgRecord, table=True):
    __tablename__ = "disruption"
    __table_args__ = (
        of_organisation(),
        belongs_to("engineer_id", "person"),
        belongs_to("work_order_id", "work_order", on_delete="CASCADE"),
        belongs_to("visit_id", "visit", on_delete="CASCADE"),
        belongs_to("plan_id", "plan", on_delete="CASCADE"),
        one_of("kind", DisruptionKind),
        one_of("state", DisruptionState),
        CheckConstraint("until_at > from_at", name="span"),
        Index(None, "org_id", "state", "until_at"),
        Index(None, "org_id", "engineer_id", "until_at"),
        Index(None, "org_id", "plan_id"),
        Index(
            "disruption_once_idx",
            "org_id",
            "kind",
            "visit_id",
            unique=True,
            postgresql_where="kind in ('no_show', 'cancellation')",
        ),
    )

    kind: str
    state: str
    engineer_id: UUID
    work_order_id: UUID | None = None
    visit_id: UUID | None = None
    from_at: datetime = instant()
    until_at: datetime = instant()
    reported_by: UUID | None = None  # none: noticed by the system
    reported_at: datetime = instant()
    why: str
    plan_id: UUID | None = None  # its repair
