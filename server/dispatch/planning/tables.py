"""Plans with what they were made from, their parts, and a line for every order; and each engineer's way of a shift."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from server.core.tables import OrgRecord, OrgTable, belongs_to, instant, jsonb, of_organisation, one_of
from server.dispatch.planning.domain import Change, Effort, LineState, PartState, PlanKind, PlanState


class PlanningPolicy(OrgRecord, table=True):
    """What a plan weighs against what. The newest version is in force; old ones explain old plans."""

    __tablename__ = "planning_policy"
    __table_args__ = (of_organisation(), UniqueConstraint("org_id", "version"))

    version: int
    values: dict[str, Any] = jsonb()
    created_by: UUID | None = None
    created_at: datetime = instant()


class Plan(OrgRecord, table=True):
    __tablename__ = "plan"
    __table_args__ = (
        of_organisation(),
        one_of("kind", PlanKind),
        one_of("state", PlanState),
        one_of("effort", Effort),
        CheckConstraint("until > begins", name="span"),
        Index(None, "org_id", "state", "id"),
    )

    kind: str
    state: str
    begins: datetime = instant()
    until: datetime = instant()
    territories: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    engineers: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    effort: str
    seed: int
    policy_version: int
    requested_by: UUID | None = None
    cause: dict[str, Any] | None = jsonb(nullable=True)  # of a repair: what went wrong
    asked_at: datetime = instant()
    ready_at: datetime | None = instant(nullable=True)
    ended_at: datetime | None = instant(nullable=True)
    decided_by: UUID | None = None
    why: str | None = None  # it failed
    picture: dict[str, Any] | None = jsonb(nullable=True)  # everything it was made from, as it was then
    outcome: dict[str, Any] | None = jsonb(nullable=True)  # figures before and after, and every tour


class PlanPart(OrgTable, table=True):
    """One territory's share of a plan, solved by whichever worker is free."""

    __tablename__ = "plan_part"
    __table_args__ = (of_organisation(), belongs_to("plan_id", "plan", on_delete="CASCADE"), one_of("state", PartState))

    plan_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    name: str
    orders: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    shifts: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    steps: int
    state: str
    progress: float
    cost: int | None = Field(sa_column=Column(BigInteger, nullable=True), default=None)
    sequences: dict[str, Any] | None = jsonb(nullable=True)  # by shift: order ids in their order, null the warehouse


class PlanLine(OrgTable, table=True):
    __tablename__ = "plan_line"
    __table_args__ = (
        of_organisation(),
        belongs_to("plan_id", "plan", on_delete="CASCADE"),
        belongs_to("work_order_id", "work_order", on_delete="CASCADE"),
        one_of("change", Change),
        one_of("state", LineState),
        Index(None, "org_id", "work_order_id"),
    )

    plan_id: UUID = Field(primary_key=True)
    work_order_id: UUID = Field(primary_key=True)
    ordinal: int
    change: str
    state: str
    from_engineer_id: UUID | None = None
    from_start: datetime | None = instant(nullable=True)
    from_end: datetime | None = instant(nullable=True)
    to_engineer_id: UUID | None = None
    to_start: datetime | None = instant(nullable=True)
    to_end: datetime | None = instant(nullable=True)
    details: dict[str, Any] = jsonb()
    why: str | None = None  # it was overtaken or refused


class Route(OrgRecord, table=True):
    """An engineer's way through one shift, as phones and boards show it. Follows the visits; `id` is the shift's."""

    __tablename__ = "route"
    __table_args__ = (
        of_organisation(),
        belongs_to("id", "shift", on_delete="CASCADE"),
        belongs_to("person_id", "person"),
        Index(None, "org_id", "person_id", "leaves_at"),
    )

    person_id: UUID
    leaves_at: datetime = instant()
    rests_at: datetime | None = instant(nullable=True)
    returns_at: datetime = instant()
    stops: list[Any] = jsonb()
    made_at: datetime = instant()
