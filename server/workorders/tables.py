"""Work orders, their visits, and everything recorded while they are worked on."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, Index, Text, UniqueConstraint, text
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
    texts,
)
from server.workorders.domain import OPEN_VISIT, Channel, LinkKind, Pin, Priority, State, VisitState
from server.workorders.procedures import ItemKind
from server.workorders.records import CostKind, PhotoState, TimeKind
from server.workorders.texts import Origin, TextField

_OPEN_VISIT = ", ".join(f"'{state}'" for state in sorted(OPEN_VISIT))


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
    safety_critical: bool = False  # two people who answer differently must be heard by a third


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
    findings: str  # what the engineer found and did, in their own words
    description_rev: int  # revision of the text that stands; kept by trigger, whoever writes
    findings_rev: int
    voided_at: datetime | None = instant(nullable=True)  # taken back by the office: on no phone, in no list
    voided_by: UUID | None = None
    void_reason: str | None = None


class TextRevision(OrgRecord, table=True):
    """Every text an order's field ever had, and every one a device sent for it. Append-only.

    parent: the revision its author saw. One that stands nowhere was outvoted and is kept all the same.
    """

    __tablename__ = "text_revision"
    __table_args__ = (
        of_organisation(),
        belongs_to("work_order_id", "work_order", on_delete="CASCADE"),
        one_of("field", TextField),
        one_of("origin", Origin),
        UniqueConstraint("org_id", "work_order_id", "field", "rev"),
    )

    work_order_id: UUID
    field: str
    rev: int
    parent: int | None = None
    body: str
    origin: str
    author_id: UUID | None = None
    device_id: UUID | None = None
    mutation_id: UUID | None = None
    at: datetime = instant()


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


class WorkOrderWindow(OrgRecord, table=True):
    """Another time the customer offered besides the order's own window: work may begin from then to then."""

    __tablename__ = "work_order_window"
    __table_args__ = (
        of_organisation(),
        belongs_to("work_order_id", "work_order", on_delete="CASCADE"),
        CheckConstraint("closes_at > opens_at", name="order"),
        Index(None, "org_id", "work_order_id"),
    )

    work_order_id: UUID
    opens_at: datetime = instant()
    closes_at: datetime = instant()


class WorkOrderLink(OrgRecord, table=True):
    """Two orders that depend on each other: begun together by two engineers, or one when the other has ended."""

    __tablename__ = "work_order_link"
    __table_args__ = (
        of_organisation(),
        belongs_to("first_id", "work_order", on_delete="CASCADE"),
        belongs_to("then_id", "work_order", on_delete="CASCADE"),
        one_of("kind", LinkKind),
        CheckConstraint("first_id <> then_id", name="two"),
        CheckConstraint("gap_minutes between 0 and 100000 and (gap_minutes = 0 or kind = 'before')", name="gap"),
        UniqueConstraint("org_id", "first_id", "then_id"),
        Index(None, "org_id", "then_id"),
    )

    kind: str
    first_id: UUID
    then_id: UUID
    gap_minutes: int


class Visit(OrgRecord, table=True):
    __tablename__ = "visit"
    __table_args__ = (
        of_organisation(),
        one_of("pin", Pin),
        belongs_to("work_order_id", "work_order", on_delete="CASCADE"),
        belongs_to("engineer_id", "person"),
        one_of("state", VisitState),
        one_of("field_state", VisitState),
        UniqueConstraint("org_id", "work_order_id", "ordinal"),
        Index(None, "org_id", "engineer_id", "state"),
        Index(None, "org_id", "engineer_id", "finished_at"),
        # Everybody's work ahead, read without the visits themselves.
        Index(
            "visit_open_idx",
            "org_id",
            "engineer_id",
            "planned_start",
            postgresql_include=["planned_end", "state", "work_order_id"],
            postgresql_where=f"engineer_id is not null and state in ({_OPEN_VISIT})",
        ),
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
    # How far the engineer says they are. Differs from `state` while the office decided otherwise behind their back.
    field_state: str
    begun_at: datetime | None = instant(nullable=True)  # estimated time at which the engineer set out
    pin: str | None = None  # what no plan may change about it


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
        belongs_to("answered_by", "person"),
        Index(None, "org_id", "work_order_id", "item_id"),
    )

    work_order_id: UUID
    visit_id: UUID | None = None
    item_id: UUID  # without a reference: an answer outlives the item it was given to
    value: Any = jsonb()
    answered_by: UUID
    at: datetime = instant()
    superseded_by: UUID | None = None
    disputed: bool = False  # two people say different things about safety; both stand until somebody decides
    stream_id: UUID | None = None
    seq: int | None = bigint(nullable=True)  # place in its stream: one's own later word counts


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
    started_at: datetime = instant()  # estimated on the server's clock
    ended_at: datetime | None = instant(nullable=True)  # none while the timer runs
    device_started_at: datetime | None = instant(nullable=True)  # as the device's clock said
    device_ended_at: datetime | None = instant(nullable=True)
    uncertainty_ms: int | None = None
    started_zone: str | None = None  # where the device was, as an IANA zone
    ended_zone: str | None = None
    boot: str | None = None  # of the device when the timer started; within it the monotonic clock measures
    mono_ms: float | None = None
    flags: list[str] = texts()
    revision: int = 1
    superseded_by: UUID | None = None  # the same person's later correction
    approved_at: datetime | None = instant(nullable=True)
    approved_by: UUID | None = None


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
        one_of("state", PhotoState),
        Index(None, "org_id", "work_order_id"),
        Index(None, "org_id", "author_id", "at"),
        Index(None, "org_id", "sha256"),
        Index("photo_unsettled_idx", "org_id", "author_id", postgresql_where="state in ('pending_blob', 'ready')"),
    )

    work_order_id: UUID
    visit_id: UUID | None = None
    author_id: UUID
    sha256: str
    caption: str
    at: datetime = instant()
    recorded_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("now()"))
    )
    hidden_why: str | None = None
    state: str = Field(sa_column=Column(Text, nullable=False, server_default="pending_blob"))
    undecodable_why: str | None = None
    width: int | None = None
    height: int | None = None
    blurhash: str | None = None
    missing_told_at: datetime | None = instant(nullable=True)  # when the alarm was raised, once
