"""What must reach somebody outside: a push is only a hint, so a message never carries personal data."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from server.core.tables import OrgRecord, OrgTable, belongs_to, bigint, instant, jsonb, of_organisation, one_of
from server.notify.domain import MessageState, PushKind


class Message(OrgRecord, table=True):
    __tablename__ = "message"
    __table_args__ = (
        of_organisation(),
        belongs_to("person_id", "person"),
        one_of("state", MessageState),
        Index("message_waiting_idx", "org_id", "next_try_at", postgresql_where="state = 'waiting'"),
        Index("message_due_idx", "next_try_at", postgresql_where="state = 'waiting'"),
        Index("message_settled_idx", "org_id", "created_at", postgresql_where="state <> 'waiting'"),
        Index(
            "message_collapse_idx",
            "org_id",
            "person_id",
            "collapse_key",
            unique=True,
            postgresql_where="state = 'waiting'",
        ),
    )

    person_id: UUID
    hint: str
    subject_id: UUID
    collapse_key: str
    payload: dict[str, Any] = jsonb()
    state: str
    channel: str | None = None
    attempts: int = Field(default=0)
    next_try_at: datetime = instant()
    last_error: str | None = None
    created_at: datetime = instant()
    expires_at: datetime = instant()
    reached: list[UUID] = Field(sa_column=Column(ARRAY(Uuid()), nullable=False, server_default=text("'{}'")))
    sent_at: datetime | None = instant(nullable=True)


class PushEndpoint(OrgRecord, table=True):
    """Where a device is reached while its app is closed. An address is one device's, across all organisations."""

    __tablename__ = "push_endpoint"
    __table_args__ = (
        of_organisation(),
        belongs_to("device_id", "device", on_delete="CASCADE"),
        belongs_to("person_id", "person"),
        UniqueConstraint("org_id", "device_id"),
        one_of("kind", PushKind),
        Index(None, "org_id", "person_id"),
    )

    device_id: UUID
    person_id: UUID
    kind: str
    address: str
    address_hash: str = Field(unique=True)
    p256dh: str | None = None
    auth: str | None = None
    registered_at: datetime = instant()


class PushHealth(OrgTable, table=True):
    """How a channel has been doing: counted up with every round, the rate as its sender last saw it."""

    __tablename__ = "push_health"
    __table_args__ = (of_organisation(),)

    channel: str = Field(primary_key=True)
    sent: int = bigint()
    failed: int = bigint()
    endpoints_gone: int = bigint()
    last_sent_at: datetime | None = instant(nullable=True)
    last_failed_at: datetime | None = instant(nullable=True)
    last_error: str | None = None
    rate_per_s: float | None = None
