"""Learnt models with their back-tests, who took them, and why weights were changed."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field

from server.core.tables import OrgRecord, OrgTable, belongs_to, instant, jsonb, of_organisation, one_of
from server.dispatch.learning.domain import Kind, ModelState


class LearningPolicy(OrgTable, table=True):
    """The newest version is in force. Append-only."""

    __tablename__ = "learning_policy"
    __table_args__ = (of_organisation(), CheckConstraint("enough_orders between 1 and 10000000", name="enough_orders"))

    version: int = Field(primary_key=True)
    enough_orders: int  # completed ones, before anything is learnt
    set_by: UUID
    set_at: datetime = instant()


class LearnedModel(OrgRecord, table=True):
    """A proposal until a person decides; what it says is never changed."""

    __tablename__ = "learned_model"
    __table_args__ = (
        of_organisation(),
        belongs_to("replaced", "learned_model"),
        one_of("kind", Kind),
        one_of("state", ModelState),
        UniqueConstraint("org_id", "kind", "version"),
        Index("learned_model_in_force_key", "org_id", "kind", unique=True, postgresql_where="state = 'accepted'"),
    )

    kind: str
    version: int
    state: str
    trained_from: date
    trained_until: date
    orders: int  # completed when it was learnt
    samples: int
    parameters: dict[str, Any] = jsonb()
    back_test: dict[str, Any] = jsonb()
    proposed_at: datetime = instant()
    decided_by: UUID | None = None
    decided_at: datetime | None = instant(nullable=True)
    replaced: UUID | None = None


class WeightsChange(OrgTable, table=True):
    """Why a version of the score weights was set, and the learned model it came from. Append-only."""

    __tablename__ = "weights_change"
    __table_args__ = (
        of_organisation(),
        ForeignKeyConstraint(
            ["org_id", "version"], ["score_weights.org_id", "score_weights.version"], ondelete="CASCADE"
        ),
        belongs_to("model_id", "learned_model"),
    )

    version: int = Field(primary_key=True)
    why: str
    model_id: UUID | None = None
