"""Use cases of confirmation that fit one transaction; rendering takes several and lives in `reporting`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from server.confirmation import queries
from server.confirmation.canonical import digest
from server.confirmation.document import report_document
from server.confirmation.domain import (
    Confirmation,
    Language,
    Report,
    ReportLine,
    Signature,
    Stroke,
    Verification,
    content_hash,
    instant,
)
from server.confirmation.errors import NoReport, UnknownReport
from server.core import events
from server.core.db import Database, UnitOfWork
from server.identity.domain import Actor
from server.identity.queries import organisation
from server.sync.domain import Mutation
from server.workorders.access import Admission, work_order_for

EVIDENCE = "callout.signature/1"


@dataclass(frozen=True)
class SignatureDraft:
    """What a phone recorded when the customer signed."""

    id: UUID
    signer_name: str
    signer_role: str
    consent_version: str
    rating: int
    comment: str
    document_hash: str  # sha256 of the document as the phone showed it
    strokes: tuple[Stroke, ...]
    locale: str


async def keep_signature(
    uow: UnitOfWork, actor: Actor, admission: Admission, draft: SignatureDraft, mutation: Mutation
) -> bool:
    """Store the immutable evidence package; False when this very signature is already kept.

    Two hashes are kept side by side: of what the phone showed, and of the report's content as the server had it at
    receipt, in the signer's language. They are compared by whoever needs to, never corrected.
    """
    language = Language.of(draft.locale)
    received = await report_document(uow, admission.order.id, language)
    strokes = [[list(point) for point in stroke] for stroke in draft.strokes]
    evidence = _evidence(actor, draft, mutation) | {
        "strokes": strokes,
        "received": {"document_hash": content_hash(received), "language": language.value},
    }
    happened = mutation.occurrence
    return await queries.insert_signature(
        uow,
        {
            "id": draft.id,
            "work_order_id": admission.order.id,
            "visit_id": admission.visit.id if admission.visit else None,
            "signer_name": draft.signer_name,
            "signer_role": draft.signer_role,
            "rating": draft.rating,
            "comment": draft.comment,
            "document_hash": draft.document_hash,
            "strokes_hash": digest(strokes),
            "evidence": evidence,
            "captured_by": actor.person,
            "device_id": mutation.device,
            "at_device": happened.at_device,
            "at": happened.at,
            "received_at": happened.received_at,
        },
    )


def _evidence(actor: Actor, draft: SignatureDraft, mutation: Mutation) -> dict[str, Any]:
    happened = mutation.occurrence
    return {
        "schema": EVIDENCE,
        "signer": {"name": draft.signer_name, "role": draft.signer_role},
        "consent": {"version": draft.consent_version, "accepted": True},
        "rating": draft.rating,
        "comment": draft.comment,
        "locale": draft.locale,
        "shown": {"document_hash": draft.document_hash},
        "in_presence_of": {"id": str(actor.person), "name": actor.name},
        "device": str(mutation.device),
        "mutation": str(mutation.id),
        "place": dict(mutation.place) if mutation.place else None,
        "time": {
            "device": happened.at_device.isoformat(),
            "estimated": happened.at.isoformat(),
            "uncertainty_ms": happened.uncertainty_ms,
            "received": happened.received_at.isoformat(),
        },
    }


async def announce_late_signature(uow: UnitOfWork, actor: Actor, work_order_id: UUID, signature_id: UUID) -> None:
    """Tell those who make reports of a signature that came without closing its order."""
    await events.append(
        uow,
        "signature.kept",
        subject=("work_order", work_order_id),
        actor=actor.person,
        payload={"work_order_id": str(work_order_id), "signature_id": str(signature_id)},
    )


async def confirmations_of(uow: UnitOfWork, work_order_id: UUID) -> list[Confirmation]:
    """Answer an order's signatures in short, the newest first. Two engineers who each had it signed make two."""
    return [_in_short(signature) for signature in await queries.signatures(uow, work_order_id)]


def _in_short(signature: Signature) -> Confirmation:
    return Confirmation(
        signature.id,
        signature.signer_name,
        signature.signer_role,
        signature.rating,
        signature.comment,
        signature.document_hash,
        signature.at,
    )


async def reports_of(uow: UnitOfWork, work_order_id: UUID) -> list[ReportLine]:
    """Answer all versions, the newest first."""
    return await queries.report_lines(uow, work_order_id)


async def newest_report(uow: UnitOfWork, actor: Actor, work_order_id: UUID, language: Language) -> Report:
    """Raises NotFound for an order the actor may not see, NoReport."""
    await work_order_for(uow, actor, work_order_id)
    found = await queries.newest_report(uow, work_order_id, language.value)
    if found is None:
        raise NoReport(work_order=work_order_id)
    return found


async def verify(database: Database, code: str) -> Verification:
    """Answer what the paper with this code says. Whoever holds it needs no account. Raises UnknownReport."""
    async with database.unit_of_work() as uow:
        org = await queries.organisation_of_report(uow, code)
        if org is None:
            raise UnknownReport
        await uow.enter(org)
        report = await queries.report_by_code(uow, code)
        if report is None:
            raise UnknownReport
        newest = await queries.newest_reports(uow, report.work_order_id)
        return _verification(report, newest[0].version, (await organisation(uow)).name)


def _verification(report: Report, newest_version: int, company: str) -> Verification:
    signed: Mapping[str, Any] | None = report.document["signature"]
    return Verification(
        valid=digest(report.document) == report.document_hash,
        number=report.document["order"]["number"],
        version=report.version,
        newest_version=newest_version,
        language=report.language,
        document_hash=report.document_hash,
        signed_by=signed["signer_name"] if signed else None,
        signed_at=instant(signed["at"]) if signed else None,
        organisation=company,
    )
