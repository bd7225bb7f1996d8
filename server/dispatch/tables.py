"""Scoring weights as data, what weighs, and every decision with the inputs it was taken on."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from server.core.tables import OrgRecord, OrgTable, belongs_to, instant, jsonb, of_organisation, one_of
from server.dispatch.decisions import How
from server.dispatch.domain import Wish


class ScoreWeights(OrgRecord, table=True):
    """The newest version is in force; old ones explain old decisions."""

    __tablename__ = "score_weights"
    __table_args__ = (of_organisation(), UniqueConstraint("org_id", "version"))

    version: int
    weights: dict[str, Any] = jsonb()
    created_by: UUID | None = None
    created_at: datetime = instant()


class AssignmentDecision(OrgRecord, table=True):
    """Why somebody was sent, to be read years later without any other table: names are inside."""

    __tablename__ = "assignment_decision"
    __table_args__ = (
        of_organisation(),
        belongs_to("visit_id", "visit", on_delete="CASCADE"),
        one_of("how", How),
        Index(None, "org_id", "visit_id"),
    )

    visit_id: UUID
    engineer_id: UUID
    engineer_name: str
    decided_by: UUID | None = None  # nobody: a rule did
    decided_by_name: str | None = None
    decided_at: datetime = instant()
    how: str
    plan_id: UUID | None = None
    chosen_rank: int | None = None  # from 1; none when the rules excluded whom they chose
    note: str | None = None
    job: dict[str, Any] | None = jsonb(nullable=True)  # as it was; decisions before 2026-12 don't know it
    weights_version: int
    weights: dict[str, Any] = jsonb()
    candidates: list[Any] = jsonb()  # the best and the chosen with every factor
    excluded: list[Any] = jsonb()  # some, and the chosen if they are among them, with sentences
    others: dict[str, Any] = jsonb()  # everybody else in short: see decisions.py


class CustomerWish(OrgTable, table=True):
    """What a customer said about an engineer."""

    __tablename__ = "customer_wish"
    __table_args__ = (of_organisation(), belongs_to("engineer_id", "person"), one_of("wish", Wish))

    # Without a reference: when customers are merged, the id that went stays understood (see `alias`).
    customer_id: UUID = Field(primary_key=True)
    engineer_id: UUID = Field(primary_key=True)
    wish: str
    why: str
    recorded_by: UUID
    at: datetime = instant()


class FirstFix(OrgTable, table=True):
    """First visits of an engineer to a type of problem, and after how many nobody had to come again."""

    __tablename__ = "first_fix"
    __table_args__ = (
        of_organisation(),
        belongs_to("engineer_id", "person"),
        CheckConstraint("fixed between 0 and tried", name="fixed"),
    )

    problem_type: str = Field(primary_key=True)
    engineer_id: UUID = Field(primary_key=True)
    tried: int
    fixed: int
