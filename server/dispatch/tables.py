"""Scoring weights as data, and every decision with the inputs it was taken on."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from server.core.tables import OrgRecord, OrgTable, belongs_to, instant, jsonb, of_organisation, one_of
from server.dispatch.decisions import How, Wish


class ScoreWeights(OrgRecord, table=True):
    """The newest version is in force; old ones explain old decisions."""

    __tablename__ = "score_weights"
    __table_args__ = (of_organisation(), UniqueConstraint("org_id", "version"))

    version: int
    weights: dict[str, Any] = jsonb()
    created_by: UUID | None = None
    created_at: datetime = instant()


class AssignmentDecision(OrgRecord, table=True):
    __tablename__ = "assignment_decision"
    __table_args__ = (
        of_organisation(),
        belongs_to("visit_id", "visit", on_delete="CASCADE"),
        one_of("how", How),
        Index(None, "org_id", "visit_id"),
    )

    visit_id: UUID
    engineer_id: UUID
    decided_by: UUID | None = None  # nobody: a rule did
    decided_at: datetime = instant()
    how: str
    plan_id: UUID | None = None
    chosen_rank: int | None = None  # from 1; none when the rules excluded whom they chose
    note: str | None = None
    weights_version: int
    candidates: list[Any] = jsonb()


class CustomerWish(OrgTable, table=True):
    """Whom a customer would rather have, or never again."""

    __tablename__ = "customer_wish"
    __table_args__ = (
        of_organisation(),
        belongs_to("customer_id", "customer", on_delete="CASCADE"),
        belongs_to("engineer_id", "person"),
        one_of("wish", Wish),
    )

    customer_id: UUID = Field(primary_key=True)
    engineer_id: UUID = Field(primary_key=True)
    wish: str
    why: str | None = None
    recorded_by: UUID | None = None
    at: datetime = instant()
