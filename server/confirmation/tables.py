"""What the customer confirmed, exactly as it was shown, and the report made of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from server.core.tables import OrgRecord, belongs_to, instant, jsonb, of_organisation


class Signature(OrgRecord, table=True):
    """Immutable evidence package; a later change of what was signed supersedes it, never alters it."""

    __tablename__ = "signature"
    __table_args__ = (
        of_organisation(),
        belongs_to("work_order_id", "work_order", on_delete="CASCADE"),
        CheckConstraint("rating between 1 and 5", name="rating"),
        Index(None, "org_id", "work_order_id"),
    )

    work_order_id: UUID
    visit_id: UUID | None = None
    signer_name: str
    signer_role: str
    rating: int
    comment: str
    document_hash: str
    strokes_hash: str
    evidence: dict[str, Any] = jsonb()
    captured_by: UUID
    device_id: UUID | None = None
    at_device: datetime = instant()
    at: datetime = instant()
    received_at: datetime = instant()


class ServiceReport(OrgRecord, table=True):
    """A rendered report; its PDF lies in the blob store under `pdf_sha256`."""

    __tablename__ = "service_report"
    __table_args__ = (
        of_organisation(),
        belongs_to("work_order_id", "work_order", on_delete="CASCADE"),
        belongs_to("signature_id", "signature"),
        UniqueConstraint("org_id", "work_order_id", "version", "language"),
        UniqueConstraint("code"),
    )

    work_order_id: UUID
    signature_id: UUID | None = None
    version: int
    language: str
    document: dict[str, Any] = jsonb()
    document_hash: str
    pdf_sha256: str
    code: str  # in the report's QR code; anyone who holds the paper may verify it
    created_at: datetime = instant()
