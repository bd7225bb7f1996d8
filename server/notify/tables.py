"""What must reach somebody outside: a push is only a hint, so a message never carries personal data."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field

from server.core.tables import OrgRecord, belongs_to, instant, jsonb, of_organisation, one_of
from server.notify.domain import MessageState


class Message(OrgRecord, table=True):
    __tablename__ = "message"
    __table_args__ = (
        of_organisation(),
        belongs_to("person_id", "person"),
        one_of("state", MessageState),
        Index("message_waiting_idx", "org_id", "next_try_at", postgresql_where="state = 'waiting'"),
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
    sent_at: datetime | None = instant(nullable=True)
