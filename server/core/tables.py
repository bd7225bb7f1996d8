"""What every table shares. Classes here declare the schema for migrations and the drift check; they hold no rows.

An organisation's rows carry `org_id` first in their key and in every reference, so the database itself keeps
organisations apart (row-level security) and a later move to shards needs no rewrite.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import Geography
from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, ForeignKeyConstraint, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}


class OrgTable(SQLModel):
    """Base of every table that belongs to an organisation."""

    org_id: UUID = Field(primary_key=True)


class OrgRecord(OrgTable):
    """Base of tables whose rows are known by a UUIDv7 minted where they were born."""

    id: UUID = Field(primary_key=True)


def belongs_to(column: str, table: str, *, on_delete: str | None = None) -> ForeignKeyConstraint:
    """Reference `table` within the same organisation."""
    return ForeignKeyConstraint(["org_id", column], [f"{table}.org_id", f"{table}.id"], ondelete=on_delete)


def of_organisation() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["org_id"], ["organisation.id"], ondelete="CASCADE")


def one_of(column: str, values: Any) -> CheckConstraint:
    """Keep a column inside an enum."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({listed})", name=column)


def instant(*, nullable: bool = False) -> Any:
    return Field(sa_column=Column(DateTime(timezone=True), nullable=nullable))


def jsonb(*, nullable: bool = False) -> Any:
    return Field(sa_column=Column(JSONB, nullable=nullable))


def bigint(*, nullable: bool = False) -> Any:
    return Field(sa_column=Column(BigInteger, nullable=nullable))


def texts() -> Any:
    return Field(sa_column=Column(ARRAY(Text), nullable=False))


def point(*, nullable: bool = False) -> Any:
    return Field(sa_column=Column(Geography("POINT", 4326, spatial_index=False), nullable=nullable))


class Event(OrgRecord, table=True):
    """What happened, appended in the transaction that made it happen; the relay numbers and delivers it."""

    __tablename__ = "event"
    __table_args__ = (
        of_organisation(),
        Index("event_unrelayed_idx", "id", postgresql_where="position is null"),
        Index("event_org_position_idx", "org_id", "position"),
    )

    name: str
    subject_kind: str
    subject_id: UUID
    payload: dict[str, Any] = jsonb()
    actor_id: UUID | None = None
    trace_id: str
    at: datetime = instant()
    position: int | None = bigint(nullable=True)


class IdempotencyKey(OrgTable, table=True):
    """The answer once given to a request, stored with its effect."""

    __tablename__ = "idempotency_key"
    __table_args__ = (of_organisation(),)

    caller: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    request_hash: str
    answer: dict[str, Any] = jsonb()
    created_at: datetime = instant()
