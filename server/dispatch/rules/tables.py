"""Rules as versioned data, what they came to, and the open pool."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlmodel import Field

from server.core.tables import OrgRecord, OrgTable, belongs_to, instant, jsonb, of_organisation, one_of
from server.dispatch.rules.domain import OfferEnding, RuleOutcome


def _under_rule() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["org_id", "rule_id", "rule_version"],
        ["assignment_rule_version.org_id", "assignment_rule_version.rule_id", "assignment_rule_version.version"],
    )


class AssignmentRule(OrgRecord, table=True):
    """A rule's place among the others; what it says stands in its versions."""

    __tablename__ = "assignment_rule"
    __table_args__ = (of_organisation(),)

    position: int
    deleted_at: datetime | None = instant(nullable=True)  # what it decided goes on naming it


class AssignmentRuleVersion(OrgTable, table=True):
    """The newest version is in force; old ones explain old attempts. Append-only."""

    __tablename__ = "assignment_rule_version"
    __table_args__ = (of_organisation(), belongs_to("rule_id", "assignment_rule", on_delete="CASCADE"))

    rule_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    name: str
    active: bool
    conditions: dict[str, Any] = jsonb()
    limits: dict[str, Any] = jsonb()
    treatment: dict[str, Any] = jsonb()
    created_by: UUID
    created_at: datetime = instant()


class AssignmentAttempt(OrgRecord, table=True):
    """What a rule did with an order. Rows are only added; of one that waits the end is noted."""

    __tablename__ = "assignment_attempt"
    __table_args__ = (
        of_organisation(),
        belongs_to("work_order_id", "work_order", on_delete="CASCADE"),
        _under_rule(),
        one_of("outcome", RuleOutcome),
        CheckConstraint("(outcome = 'waiting') = (until is not null)", name="until"),
        CheckConstraint("over_at is null or outcome = 'waiting'", name="over"),
        Index(None, "org_id", "work_order_id", "at"),
        Index(
            "assignment_attempt_waiting_idx",
            "org_id",
            "work_order_id",
            unique=True,
            postgresql_where="outcome = 'waiting' and over_at is null",
        ),
        Index("assignment_attempt_event_idx", "org_id", "event_id", postgresql_where="event_id is not null"),
    )

    work_order_id: UUID
    rule_id: UUID
    rule_version: int
    outcome: str
    at: datetime = instant()
    until: datetime | None = instant(nullable=True)
    over_at: datetime | None = instant(nullable=True)
    event_id: UUID | None = None  # because of which it was made
    engineer_id: UUID | None = None
    limits: list[Any] = jsonb()


class PoolOffer(OrgRecord, table=True):
    """An order on offer to whoever may take it. At most one of an order is open."""

    __tablename__ = "pool_offer"
    __table_args__ = (
        of_organisation(),
        belongs_to("work_order_id", "work_order", on_delete="CASCADE"),
        belongs_to("taken_by", "person"),
        _under_rule(),
        one_of("ending", OfferEnding),
        CheckConstraint("num_nonnulls(opened_by, rule_id) = 1", name="opened"),
        CheckConstraint("(ended_at is null) = (ending is null)", name="ended"),
        CheckConstraint("(taken_by is not null) = (ending is not distinct from 'taken')", name="taken"),
        Index(None, "org_id", "work_order_id"),
        Index("pool_offer_open_idx", "org_id", "work_order_id", unique=True, postgresql_where="ended_at is null"),
    )

    work_order_id: UUID
    opened_at: datetime = instant()
    opened_by: UUID | None = None
    rule_id: UUID | None = None
    rule_version: int | None = None
    closes_at: datetime = instant()
    ended_at: datetime | None = instant(nullable=True)
    ending: str | None = None
    taken_by: UUID | None = None


class PoolVisible(OrgTable, table=True):
    """Whose phone shows an open offer. A row that goes takes it from the phone."""

    __tablename__ = "pool_visible"
    __table_args__ = (
        of_organisation(),
        belongs_to("offer_id", "pool_offer", on_delete="CASCADE"),
        belongs_to("person_id", "person"),
    )

    offer_id: UUID = Field(primary_key=True)
    person_id: UUID = Field(primary_key=True)
    revision: int  # the order's version that was told: what changes of it is told again
