"""What the customer confirmed, exactly as it was shown, and the report made of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from server.confirmation.domain import Attested, Ending, SealLevel
from server.core.tables import OrgRecord, OrgTable, belongs_to, instant, jsonb, of_organisation, one_of


class Signature(OrgRecord, table=True):
    """Immutable evidence package; a later change of what was signed supersedes it, never alters it."""

    __tablename__ = "signature"
    __table_args__ = (
        of_organisation(),
        belongs_to("work_order_id", "work_order", on_delete="CASCADE"),
        one_of("ending", Ending),
        one_of("attested", Attested),
        CheckConstraint("rating between 1 and 5", name="rating"),
        CheckConstraint("ending <> 'signed' or rating is not null", name="signed_with_rating"),
        Index(None, "org_id", "work_order_id"),
    )

    work_order_id: UUID
    visit_id: UUID | None = None
    ending: str
    signer_name: str
    signer_role: str
    rating: int | None = None
    comment: str
    document_hash: str
    render_hash: str | None = None  # of the picture the phone showed; phones of the first version sent none
    strokes_hash: str
    package_hash: str | None = None  # of everything the device sent, as it signed it
    attested: str
    evidence: dict[str, Any] = jsonb()
    captured_by: UUID
    device_id: UUID | None = None
    at_device: datetime = instant()
    at: datetime = instant()
    received_at: datetime = instant()


class SignatureSuperseded(OrgTable, table=True):
    """What a customer signed was changed afterwards. The signature stays what it is; this says that it is old."""

    __tablename__ = "signature_superseded"
    __table_args__ = (
        of_organisation(),
        belongs_to("signature_id", "signature", on_delete="CASCADE"),
        UniqueConstraint("org_id", "id"),
        Index(None, "org_id", "work_order_id"),
    )

    signature_id: UUID = Field(primary_key=True)
    id: UUID
    work_order_id: UUID
    content_hash: str  # of what stands in the place of what was signed
    changed: list[Any] = jsonb()  # names of the parts of the document that read differently now
    changed_by: UUID | None = None
    at: datetime = instant()


class ServiceReport(OrgRecord, table=True):
    """One version of a report in one language, as data. Append-only; its prints are `report_pdf`."""

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
    code: str  # in the report's QR code; anyone who holds the paper may verify it
    created_at: datetime = instant()


class SealCertificate(OrgRecord, table=True):
    """Every certificate an organisation ever sealed with; what an old one sealed stays verifiable."""

    __tablename__ = "seal_certificate"
    __table_args__ = (of_organisation(), UniqueConstraint("org_id", "fingerprint"))

    fingerprint: str  # sha256 of its DER, hex
    pem: str
    first_used_at: datetime = instant()


class ReportPdf(OrgRecord, table=True):
    """A print of a report, sealed. The newest one is shown; its bytes lie in the blob store under `pdf_sha256`."""

    __tablename__ = "report_pdf"
    __table_args__ = (
        of_organisation(),
        belongs_to("report_id", "service_report", on_delete="CASCADE"),
        one_of("level", SealLevel),
        Index(None, "org_id", "report_id", "id"),
    )

    report_id: UUID
    pdf_sha256: str
    plain_sha256: str  # of the print before it was sealed: the same content is sealed once
    level: str
    fingerprint: str | None = None  # of the certificate; prints from before there were seals have none
    created_at: datetime = instant()
