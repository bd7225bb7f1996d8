"""The chain, and what waits to become a link of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Identity, Index, UniqueConstraint, text
from sqlmodel import Field

from server.core.tables import OrgRecord, OrgTable, instant, of_organisation


class AuditEntry(OrgTable, table=True):
    """One link: the digest of one row and the hash of everything sealed before it. Written by `audit_append` alone."""

    __tablename__ = "audit_entry"
    __table_args__ = (of_organisation(), UniqueConstraint("org_id", "kind", "ref"))

    n: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    kind: str
    ref: UUID
    digest: str
    prev_hash: str
    hash: str
    at: datetime = instant()


class AuditPending(OrgTable, table=True):
    """Rows that were written and not sealed yet: a trigger adds in the writer's transaction, the sealing removes."""

    __tablename__ = "audit_pending"
    __table_args__ = (of_organisation(),)

    ticket: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    kind: str
    ref: UUID
    marked_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()"))
    )


class AuditErasure(OrgRecord, table=True):
    """A sealed record that was rightfully erased. Append-only, sealed itself; written by an administrator alone."""

    __tablename__ = "audit_erasure"
    __table_args__ = (
        of_organisation(),
        CheckConstraint("kind <> 'erasure'", name="kind"),
        CheckConstraint("why <> '' and erased_by <> ''", name="said"),
        UniqueConstraint("org_id", "kind", "ref"),
        Index(None, "org_id", "number"),
    )

    kind: str
    ref: UUID
    work_order_id: UUID  # with which it went
    number: int  # of that order, as people say it
    why: str
    erased_by: str  # a person's name as given, else the database role
    at: datetime = instant()
