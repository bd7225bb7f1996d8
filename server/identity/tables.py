"""Organisations, the people in them, and every credential they hold. Secrets are stored only as hashes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from server.core.tables import OrgRecord, belongs_to, instant, of_organisation, texts
from server.identity.domain import Role

_ROLES = ", ".join(f"'{role}'" for role in Role)


class Organisation(SQLModel, table=True):
    """A company that runs on this installation; its own id is its organisation id."""

    __tablename__ = "organisation"

    id: UUID = Field(primary_key=True)
    name: str
    slug: str = Field(unique=True)
    language: str
    timezone: str
    created_at: datetime = instant()


class Person(OrgRecord, table=True):
    __tablename__ = "person"
    __table_args__ = (
        of_organisation(),
        UniqueConstraint("org_id", "email"),
        Index("person_email_idx", "email"),
        CheckConstraint(f"roles <@ array[{_ROLES}]::text[]", name="roles"),
        CheckConstraint("email = lower(email)", name="email_lower"),
    )

    email: str
    name: str
    phone: str | None = None
    language: str
    roles: list[str] = texts()
    password_hash: str | None = None
    active: bool = True
    created_at: datetime = instant()


class Device(OrgRecord, table=True):
    __tablename__ = "device"
    __table_args__ = (of_organisation(), belongs_to("person_id", "person"), Index(None, "org_id", "person_id"))

    person_id: UUID
    name: str
    platform: str
    app_version: str
    public_key: str | None = None
    storage_persisted: bool
    enrolled_at: datetime = instant()
    last_contact_at: datetime = instant()
    revoked_at: datetime | None = instant(nullable=True)
    revoked_why: str | None = None
    wiped_at: datetime | None = instant(nullable=True)


class EnrolmentCode(OrgRecord, table=True):
    __tablename__ = "enrolment_code"
    __table_args__ = (of_organisation(), belongs_to("person_id", "person"), belongs_to("device_id", "device"))

    code_hash: str = Field(unique=True)
    person_id: UUID
    created_by: UUID
    created_at: datetime = instant()
    expires_at: datetime = instant()
    used_at: datetime | None = instant(nullable=True)
    device_id: UUID | None = None


class Session(OrgRecord, table=True):
    """A family of refresh tokens: one login on one browser or device."""

    __tablename__ = "session"
    __table_args__ = (of_organisation(), belongs_to("person_id", "person"), belongs_to("device_id", "device"))

    person_id: UUID
    device_id: UUID | None = None
    audience: str
    created_at: datetime = instant()
    revoked_at: datetime | None = instant(nullable=True)
    revoked_why: str | None = None


class RefreshToken(OrgRecord, table=True):
    """Stays valid until a successor is first used, so a lost reply never logs anybody out."""

    __tablename__ = "refresh_token"
    __table_args__ = (
        of_organisation(),
        belongs_to("session_id", "session", on_delete="CASCADE"),
        UniqueConstraint("org_id", "token_hash"),
    )

    session_id: UUID
    token_hash: str
    parent_id: UUID | None = None
    issued_at: datetime = instant()
    expires_at: datetime = instant()
    spent_at: datetime | None = instant(nullable=True)


class ApiKey(OrgRecord, table=True):
    __tablename__ = "api_key"
    __table_args__ = (of_organisation(), belongs_to("created_by", "person"), UniqueConstraint("org_id", "key_hash"))

    name: str
    prefix: str
    key_hash: str
    scopes: list[str] = texts()
    created_by: UUID
    created_at: datetime = instant()
    last_used_at: datetime | None = instant(nullable=True)
    revoked_at: datetime | None = instant(nullable=True)
