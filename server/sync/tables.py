"""The change feed and the log of what devices sent. See docs/sync-protocol.md."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CHAR, BigInteger, Column, Identity, Index, SmallInteger, UniqueConstraint
from sqlmodel import Field

from server.core.tables import OrgRecord, OrgTable, belongs_to, bigint, instant, jsonb, of_organisation
from server.sync.domain import Status


class SyncBucket(OrgTable, table=True):
    """The unit of visibility: everything in a bucket is seen together. Writers hold its row until they commit."""

    __tablename__ = "sync_bucket"
    __table_args__ = (of_organisation(), UniqueConstraint("org_id", "key"), {"postgresql_with": {"fillfactor": 50}})

    id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    key: str
    version: int = bigint()
    min_version: int = bigint()


class SyncEntry(OrgTable, table=True):
    """What is, or was, in a bucket, with the bucket version at which it last changed."""

    __tablename__ = "sync_entry"
    __table_args__ = (
        of_organisation(),
        belongs_to("bucket_id", "sync_bucket", on_delete="CASCADE"),
        Index("sync_entry_changes_idx", "org_id", "bucket_id", "bv", postgresql_include=["entity", "entity_id", "op"]),
        Index("sync_entry_home_idx", "org_id", "entity", "entity_id", postgresql_where="op = 'p'"),
    )

    bucket_id: int = Field(sa_column=Column(BigInteger, primary_key=True))
    entity: int = Field(sa_column=Column(SmallInteger, primary_key=True))
    entity_id: UUID = Field(primary_key=True)
    bv: int = bigint()
    op: str = Field(sa_column=Column(CHAR(1), nullable=False))


class SyncDeviceState(OrgTable, table=True):
    """A device's cookies: what each of its last pulls brought it up to. Also the manifest of a lost phone."""

    __tablename__ = "sync_device_state"
    __table_args__ = (of_organisation(), belongs_to("device_id", "device", on_delete="CASCADE"))

    device_id: UUID = Field(primary_key=True)
    ordinal: int = Field(sa_column=Column(BigInteger, primary_key=True))
    epoch: int
    buckets: dict[str, Any] = jsonb()
    sent_at: datetime = instant()
    acked_at: datetime | None = instant(nullable=True)


class SyncStream(OrgRecord, table=True):
    """One ordered outbox of one device database."""

    __tablename__ = "sync_stream"
    __table_args__ = (of_organisation(), belongs_to("device_id", "device"), belongs_to("person_id", "person"))

    device_id: UUID
    person_id: UUID
    last_seq: int = bigint()
    created_at: datetime = instant()


class MutationLog(OrgRecord, table=True):
    """Every mutation ever received, verbatim, with its result. Rows are never changed but for a review's outcome."""

    __tablename__ = "mutation_log"
    __table_args__ = (
        of_organisation(),
        belongs_to("stream_id", "sync_stream"),
        UniqueConstraint("org_id", "stream_id", "seq"),
        Index("mutation_log_open_idx", "org_id", "status", postgresql_where=f"status = '{Status.QUARANTINED}'"),
    )

    stream_id: UUID
    seq: int = bigint()
    device_id: UUID
    person_id: UUID
    name: str
    v: int
    envelope: dict[str, Any] = jsonb()
    payload_hash: str
    status: str
    code: str | None = None
    result: dict[str, Any] = jsonb()
    at_device: datetime = instant()
    at_estimated: datetime = instant()
    uncertainty_ms: int = bigint()
    received_at: datetime = instant()


class Conflict(OrgRecord, table=True):
    """Two truths about one thing, for a person to settle; both sides are kept."""

    __tablename__ = "conflict"
    __table_args__ = (of_organisation(), belongs_to("mutation_id", "mutation_log"), Index(None, "org_id", "settled_at"))

    mutation_id: UUID
    code: str
    entity: str
    entity_id: UUID
    mine: dict[str, Any] = jsonb()
    theirs: dict[str, Any] = jsonb()
    created_at: datetime = instant()
    settled_at: datetime | None = instant(nullable=True)
    settled_by: UUID | None = None
    settlement: str | None = None
