"""Work orders, their visits, and everything recorded while they are worked on."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from server.core.tables import (
    OrgRecord,
    OrgTable,
    belongs_to,
    bigint,
    instant,
    jsonb,
    of_organisation,
    one_of,
    point,
)
from server.workorders.domain import Channel, Priority, State, VisitState
from server.workorders.procedures import ItemKind
from server.workorders.records import CostKind, TimeKind


class Procedure(OrgRecord, table=True):
    """A standard checklist. An order keeps the version it was opened with."""

    __tablename__ = "procedure"
    __table_args__ = (of_organisation(), UniqueConstraint("org_id", "key", "version"))

    key: str
    version: int
    name: dict[str, Any] = jsonb()  # {"en": …, "zh": …}


class ProcedureItem(OrgRecord, table=True):
    __tablename__ = "procedure_item"
    __table_args__ = (
        of_organisation(),
        belongs_to("procedure_id", "procedure", on_delete="CASCADE"),
        one_of("kind", ItemKind),
        UniqueConstraint("org_id", "procedure_id", "ordinal"),
    )

    procedure_id: UUID
    ordinal: int
    kind: str
    label: dict[str, Any] = jsonb()
    required: bool
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    choices: list[Any] = jsonb()  # [{"key": …, "en": …, "zh": …}]


class WorkOrderCounter(OrgTable, table=True):
    """Numbers people can say on the phone: dense within an organisation."""

    __tablename__ = "work_order_counter"
    __table_args__ = (of_organisation(),)

    last: int


class WorkOrder(OrgRecord, table=True):
    __tablename__ = "work_order"
    __table_args__ = (
        of_organisation(),
        belongs_to("customer_id", "customer"),
        belongs_to("site_id", "site"),
        belongs_to("asset_id", "asset"),
        belongs_to("procedure_id", "procedure"),
        belongs_to("preferred_engineer_id", "person"),
        one_of("state", State),
        one_of("priority", Priority),
        one_of("channel", Channel),
        CheckConstraint("window_end > window_start", name="window"),
        CheckConstraint("duration_minutes between 1 and 100000", name="duration"),
        UniqueConstraint("org_id", "number"),
        Index(None, "org_id", "state", "id"),
        Index(None, "org_id", "site_id"),
    )

    number: int
    customer_id: UUID
    site_id: UUID
    asset_id: UUID | None = None
    title: str
    problem_type: str
    description: str
    priority: str
    channel: str
    state: str
    hold_reason: str | None = None
    reported_at: datetime = instant()
    reported_by: str
    respond_by: datetime = instant()
    window_start: datetime | None = instant(nullable=True)
    window_end: datetime | None = instant(nullable=True)
    duration_minutes: int
    procedure_id: UUID | None = None
    preferred_engineer_id: UUID | None = None
    closed_at: datetime | None = instant(nullable=True)
    version: int


class WorkOrderSkill(OrgTable, table=True):
    __tablename__ = "work_order_skill"
    __table_args__ = (
        of_organisation(),
        belongs_to("work_order_id", "work_order", on_delete="CASCADE"),
        belongs_to("skill_id", "skill"),
        CheckConstraint("level between 1 and 5", name="level"),
    )

    work_order_id: UUID = Field(primary_key=True)
    skill_id: UUID = Field(primary_key=True)
    level: int


class Visit(OrgRecord, table=True):
    __tablename__ = "visit"
    __table_args__ = (
        of_organisation(),
        belongs_to("work_order_id", "work_order", on_delete="CASCADE"),
        belongs_to("engineer_id", "person"),
        one_of("state", VisitState),
        UniqueConstraint("org_id", "work_order_id", "ordinal"),
        Index(None, "org_id", "engineer_id", "state"),
        Index(None, "org_id", "engineer_id", "finished_at"),
    )

    work_order_id: UUID
    ordinal: int
    state: str
    engineer_id: UUID | None = None
    planned_start: datetime | None = instant(nullable=True)
    planned_end: datetime | None = instant(nullable=True)
    approached_at: datetime | None = instant(nullable=True)  # the fence around the site was entered
    finished_at: datetime | None = instant(nullable=True)  # server time at which it left the open states
    version: int


class TimelineEntry(OrgRecord, table=True):
    """Who did what, when by both clocks, where, from which device and why. Append-only."""

    __tablename__ = "timeline_entry"
    __table_args__ = (
        of_organisation(),
        belongs_to("work_order_id", "work_order", on_delete="CASCADE"),
        Index(None, "org_id", "work_order_id", "at"),
    )

    work_order_id: UUID
    visit_id: UUID | None = None
    action: str
    from_state: str | None = None
    to_state: str | None = None
    actor_id: UUID | None = None
    actor_name: str
    device_id: UUID | None = None
    at_device: datetime | None = instant(nullable=True)
    at: datetime = instant()
    recorded_at: datetime = instant()
    place: Any = point(nullable=True)
    why: str | None = None
    facts: dict[str, Any] = jsonb()


class Note(OrgRecord, table=True):
    __tablename__ = "note"
    __table_args__ = (
        of_organisation(),
        belongs_to("work_order_id", "work_order", on_delete="CASCADE"),
        belongs_to("author_id", "person"),
        Index(None, "org_id", "work_order_id"),
    )

    work_order_id: UUID
    visit_id: UUID | None = None
    author_id: UUID
    body: str
    at: datetime = instant()


class ChecklistAnswer(OrgRecord, table=True):
    """One answer as given; the newest of an item stands, the others are its history."""

    __tablename__ = "checklist_answer"
    __table_args__ = (
        of_organisation(),
        belongs_to("work_order_id", "work_order", on_delete="CASCADE"),
        belongs_to("item_id", "procedure_item"),
        belongs_to("answered_by", "person"),
        Index(None, "org_id", "work_order_id", "item_id"),
    )

    work_order_id: UUID
    visit_id: UUID | None = None
    item_id: UUID
    value: Any = jsonb()
    answered_by: UUID
    at: datetime = instant()
    superseded_by: UUID | None = None


class TimeEntry(OrgRecord, table=True):
    __tablename__ = "time_entry"
    __table_args__ = (
        of_organisation(),
        belongs_to("work_order_id", "work_order", on_delete="CASCADE"),
        belongs_to("person_id", "person"),
        one_of("kind", TimeKind),
        Index(None, "org_id", "work_order_id"),
        Index(None, "org_id", "person_id", "started_at"),
    )

    work_order_id: UUID
    visit_id: UUID | None = None
    person_id: UUID
    kind: str
    started_at: datetime = instant()
    ended_at: datetime | None = instant(nullable=True)


class Cost(OrgRecord, table=True):
    __tablename__ = "cost"
    __table_args__ = (
        of_organisation(),
        belongs_to("work_order_id", "work_order", on_delete="CASCADE"),
        belongs_to("person_id", "person"),
        one_of("kind", CostKind),
        Index(None, "org_id", "work_order_id"),
    )

    work_order_id: UUID
    visit_id: UUID | None = None
    person_id: UUID
    kind: str
    amount_minor: int = bigint()  # cents, fen
    currency: str
    description: str
    at: datetime = instant()


class Photo(OrgRecord, table=True):
    """A photo belongs to the order as soon as it was taken; its bytes may come before or after."""

    __tablename__ = "photo"
    __table_args__ = (
        of_organisation(),
        belongs_to("work_order_id", "work_order", on_delete="CASCADE"),
        belongs_to("author_id", "person"),
        Index(None, "org_id", "work_order_id"),
        Index(None, "org_id", "author_id", "at"),
        Index(None, "org_id", "sha256"),
    )

    work_order_id: UUID
    visit_id: UUID | None = None
    author_id: UUID
    sha256: str
    caption: str
    at: datetime = instant()
    hidden_why: str | None = None
