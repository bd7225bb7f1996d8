"""The change feed and the log of what devices sent. See docs/sync-protocol.md."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CHAR,
    BigInteger,
    Column,
    Computed,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlmodel import Field

from server.core.tables import OrgRecord, OrgTable, belongs_to, bigint, instant, jsonb, of_organisation, one_of, texts
from server.sync.domain import Status
from server.sync.matters import Alert, ItemState, Matter

# Eight bytes that tell one state of one row from another; a bucket's checksum is all of them XORed.
_ROW_HASH = "('x' || encode(substr(sha256((entity_id::text || ':' || bv::text)::bytea), 1, 8), 'hex'))::bit(64)::bigint"


class SyncBucket(OrgTable, table=True):
    """The unit of visibility: everything in a bucket is seen together. Writers hold its row until they commit."""

    __tablename__ = "sync_bucket"
    __table_args__ = (of_organisation(), UniqueConstraint("org_id", "key"), {"postgresql_with": {"fillfactor": 50}})

    id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    key: str
    version: int = bigint()
    min_version: int = bigint()  # what left before is forgotten: a device further behind takes the bucket anew
    writer: int | None = bigint(nullable=True)  # the transaction that raised it last


class SyncEntry(OrgTable, table=True):
    """What is, or was, in a bucket, with the bucket version at which it last changed."""

    __tablename__ = "sync_entry"
    __table_args__ = (
        of_organisation(),
        belongs_to("bucket_id", "sync_bucket", on_delete="CASCADE"),
        Index("sync_entry_changes_idx", "org_id", "bucket_id", "bv", postgresql_include=["entity", "entity_id", "op"]),
        Index("sync_entry_home_idx", "org_id", "entity", "entity_id", postgresql_where="op = 'p'"),
        Index("sync_entry_departed_idx", "org_id", "at", postgresql_where="op = 'd'"),
    )

    bucket_id: int = Field(sa_column=Column(BigInteger, primary_key=True))
    entity: int = Field(sa_column=Column(SmallInteger, primary_key=True))
    entity_id: UUID = Field(primary_key=True)
    bv: int = bigint()
    op: str = Field(sa_column=Column(CHAR(1), nullable=False))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("now()")))
    h: int = Field(sa_column=Column(BigInteger, Computed(_ROW_HASH, persisted=True)))


class SyncSnapshot(OrgTable, table=True):
    """A large bucket as one file at one version: what a new phone takes instead of all its rows."""

    __tablename__ = "sync_snapshot"
    __table_args__ = (
        of_organisation(),
        belongs_to("bucket_id", "sync_bucket", on_delete="CASCADE"),
        Index(None, "org_id", "sha256"),
    )

    bucket_id: int = Field(sa_column=Column(BigInteger, primary_key=True))
    version: int = Field(sa_column=Column(BigInteger, primary_key=True))
    sha256: str
    rows: int = bigint()
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    made_at: datetime = instant()


class SyncDeviceState(OrgTable, table=True):
    """A device's cookies: what each of its last pulls brought it up to. Also the manifest of a lost phone."""

    __tablename__ = "sync_device_state"
    __table_args__ = (of_organisation(), belongs_to("device_id", "device", on_delete="CASCADE"))

    device_id: UUID = Field(primary_key=True)
    ordinal: int = Field(sa_column=Column(BigInteger, primary_key=True))
    epoch: int = bigint()
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
    durable_seq: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="0"))
    mark_seq: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="0"))  # committed by mark_lsn
    mark_lsn: int | None = bigint(nullable=True)
    marked_at: datetime | None = instant(nullable=True)
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
    work_order_id: UUID | None = None
    created_at: datetime = instant()
    settled_at: datetime | None = instant(nullable=True)
    settled_by: UUID | None = None
    settlement: str | None = None


class ReviewItem(OrgRecord, table=True):
    """Something a person should look at: a conflict, or a mutation in quarantine. `id` is the conflict's or mutation's.

    A trigger opens one for each, whoever wrote it. This says where it stands, `review` how it came there.
    """

    __tablename__ = "review_item"
    __table_args__ = (
        of_organisation(),
        belongs_to("mutation_id", "mutation_log"),
        one_of("kind", Matter),
        one_of("state", ItemState),
        Index("review_item_inbox_idx", "org_id", "state", "opened_at", "id"),
        Index("review_item_person_idx", "org_id", "person_id", "opened_at"),
        Index("review_item_order_idx", "org_id", "work_order_id", postgresql_where="work_order_id is not null"),
        Index("review_item_device_idx", "org_id", "device_id", postgresql_where="state = 'open'"),
        Index(None, "org_id", "mutation_id"),
    )

    kind: str
    mutation_id: UUID
    code: str
    name: str
    person_id: UUID
    device_id: UUID
    work_order_id: UUID | None = None
    opened_at: datetime = instant()
    state: str = ItemState.OPEN
    verdict: str | None = None
    settled_at: datetime | None = instant(nullable=True)
    settled_by: UUID | None = None


class Review(OrgRecord, table=True):
    """What somebody decided, tried or remarked about an item. Never changed: an undo is a row of its own."""

    __tablename__ = "review"
    __table_args__ = (of_organisation(), belongs_to("item_id", "review_item"), Index(None, "org_id", "item_id", "at"))

    item_id: UUID
    verdict: str
    note: str | None = None
    result: dict[str, Any] | None = jsonb(nullable=True)
    person_id: UUID
    at: datetime = instant()


class Rescue(OrgRecord, table=True):
    """A bundle that was taken in outside of the ordinary way: who brought it, from where, how much was new."""

    __tablename__ = "rescue"
    __table_args__ = (of_organisation(), belongs_to("device_id", "device"), Index(None, "org_id", "device_id", "at"))

    device_id: UUID
    stream_id: UUID  # as the device called it; its mutations are logged under one derived from it
    brought_by: UUID
    code: str
    reason: str
    app: str
    accepted: int
    duplicates: int
    at: datetime = instant()


class RefusedPush(OrgRecord, table=True):
    """A body nobody could read, kept as it came: it holds somebody's work."""

    __tablename__ = "refused_push"
    __table_args__ = (
        of_organisation(),
        belongs_to("device_id", "device", on_delete="CASCADE"),
        UniqueConstraint("org_id", "device_id", "sha256"),
    )

    device_id: UUID
    person_id: UUID
    sha256: str
    size: int = bigint()
    why: str
    body: bytes
    times: int
    first_at: datetime = instant()
    last_at: datetime = instant()


class DeviceHealth(OrgTable, table=True):
    """What a device last said about itself."""

    __tablename__ = "device_health"
    __table_args__ = (of_organisation(), belongs_to("device_id", "device", on_delete="CASCADE"))

    device_id: UUID = Field(primary_key=True)
    reported_at: datetime = instant()
    app: str
    unsent_count: int = bigint()
    unsent_bytes: int = bigint()
    oldest_unsent_at: datetime | None = instant(nullable=True)
    files_waiting: int = bigint()
    row_count: int = bigint()
    storage_persisted: bool
    quota_bytes: int | None = bigint(nullable=True)
    used_bytes: int | None = bigint(nullable=True)
    clock_offset_ms: int | None = bigint(nullable=True)
    storage_cleared_at: datetime | None = instant(nullable=True)


class DeviceClockOffset(OrgTable, table=True):
    """How far a device's clock was off, per boot, as the server measured it last: server time minus device time."""

    __tablename__ = "device_clock"
    __table_args__ = (of_organisation(), belongs_to("device_id", "device", on_delete="CASCADE"))

    device_id: UUID = Field(primary_key=True)
    boot: str = Field(primary_key=True)
    offset_ms: int = bigint()
    measured_at: datetime = instant()


class DeviceAlert(OrgRecord, table=True):
    """Something about a device that somebody should know, from when it began to when it was over."""

    __tablename__ = "device_alert"
    __table_args__ = (
        of_organisation(),
        belongs_to("device_id", "device", on_delete="CASCADE"),
        one_of("kind", Alert),
        Index(
            "device_alert_open_idx", "org_id", "device_id", "kind", unique=True, postgresql_where="cleared_at is null"
        ),
    )

    device_id: UUID
    kind: str
    facts: dict[str, Any] = jsonb()
    raised_at: datetime = instant()
    cleared_at: datetime | None = instant(nullable=True)


class DeviceManifest(OrgTable, table=True):
    """What a device may have held when it was cut off: the union of its last cookies, frozen."""

    __tablename__ = "device_manifest"
    __table_args__ = (of_organisation(), belongs_to("device_id", "device", on_delete="CASCADE"))

    device_id: UUID = Field(primary_key=True)
    frozen_at: datetime = instant()
    buckets: list[str] = texts()
    last_seq: int = bigint()
