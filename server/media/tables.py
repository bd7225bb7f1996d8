"""Files by content: a blob's key is the sha256 of its bytes, within one organisation."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKeyConstraint, Index, Text, text
from sqlmodel import Field

from server.core.tables import OrgTable, bigint, instant, of_organisation, one_of
from server.media.domain import BlobState, PictureState


def _of_blob() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["org_id", "sha256"], ["blob.org_id", "blob.sha256"], ondelete="CASCADE")


def _since_now() -> Any:
    return Field(sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("now()")))


class Blob(OrgTable, table=True):
    __tablename__ = "blob"
    __table_args__ = (
        of_organisation(),
        one_of("state", BlobState),
        CheckConstraint("received between 0 and size", name="received"),
        Index(None, "org_id", "created_at"),
        Index(None, "org_id", "device_id", "created_at"),
        Index(None, "org_id", "state", "touched_at"),
    )

    sha256: str = Field(primary_key=True)
    size: int = bigint()
    mime: str
    purpose: str
    state: str
    received: int = bigint()
    staged: str = Field(sa_column=Column(Text, nullable=False, server_default=""))  # the store's word for these bytes
    lease: UUID | None = None
    created_by: UUID
    device_id: UUID | None = None  # whose quota it counts against
    created_at: datetime = instant()
    touched_at: datetime = _since_now()  # last announced or sent to
    ready_at: datetime | None = instant(nullable=True)


class BlobHolder(OrgTable, table=True):
    """Who said they have these bytes: whom to ask when they are missing."""

    __tablename__ = "blob_holder"
    __table_args__ = (of_organisation(), _of_blob(), Index(None, "org_id", "person_id"))

    sha256: str = Field(primary_key=True)
    person_id: UUID = Field(primary_key=True)
    device_id: UUID | None = None
    announced_at: datetime = instant()


class Picture(OrgTable, table=True):
    """What a photo turned out to be, and the harmless small copies made of it."""

    __tablename__ = "picture"
    __table_args__ = (of_organisation(), _of_blob(), one_of("state", PictureState))

    sha256: str = Field(primary_key=True)
    state: str
    why: str | None = None
    width: int | None = None
    height: int | None = None
    blurhash: str | None = None
    thumb_sha256: str | None = None
    view_sha256: str | None = None
    made_at: datetime = instant()


class BlobUsage(OrgTable, table=True):
    """How much an organisation keeps, counted now and then; what came since is added when it is asked for."""

    __tablename__ = "blob_usage"
    __table_args__ = (of_organisation(),)

    bytes: int = bigint()
    counted_at: datetime = instant()
