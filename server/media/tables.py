"""Files by content: a blob's key is the sha256 of its bytes, within one organisation."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from server.core.tables import OrgTable, bigint, instant, of_organisation, one_of
from server.media.domain import BlobState


class Blob(OrgTable, table=True):
    __tablename__ = "blob"
    __table_args__ = (
        of_organisation(),
        one_of("state", BlobState),
        CheckConstraint("received between 0 and size", name="received"),
    )

    sha256: str = Field(primary_key=True)
    size: int = bigint()
    mime: str
    purpose: str
    state: str
    received: int = bigint()
    lease: UUID | None = None
    created_by: UUID
    created_at: datetime = instant()
    ready_at: datetime | None = instant(nullable=True)
