"""Use cases of confirmation that fit one transaction; rendering takes several and lives in `reporting`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from server.confirmation import queries
from server.confirmation.attestation import attested
from server.confirmation.canonical import canonical, digest
from server.confirmation.document import report_document
from server.confirmation.domain import (
    Attested,
    Confirmation,
    Ending,
    Language,
    Print,
    PrintedReport,
    Report,
    ReportLine,
    SealCheck,
    Signature,
    Stroke,
    Verification,
    content_hash,
    instant,
    part_hashes,
)
from server.confirmation.errors import NoReport, UnknownReport
from server.confirmation.sealing import Sealer, unsealed
from server.core import events
from server.core.db import Database, UnitOfWork
from server.identity.domain import Actor
from server.identity.queries import organisation
from server.media import service as media
from server.media.domain import BlobKey
from server.media.store import BlobStore
from server.sync.domain import Mutation
from server.workorders.access import Admission, work_order_for

EVIDENCE = "callout.signature/2"


@dataclass(frozen=True)
class SignatureDraft:
    """What a phone recorded when the customer was asked to sign."""

    id: UUID
    ending: Ending
    signer_name: str
    signer_role: str
    rating: int | None
    comment: str
    document_hash: str  # sha256 of the document as the phone showed it
    render_hash: str | None
    strokes: tuple[Stroke, ...]
    strokes_hash: str | None  # as the device counted it
    locale: str
    package: Mapping[str, Any]  # all of it, verbatim, as the device attests it
    attestation: str | None


@dataclass(frozen=True)
class Kept:
    """What became of a package; flags say what a reviewer should look at."""

    attested: Attested
    flags: tuple[str, ...]


async def keep_signature(
    uow: UnitOfWork, actor: Actor, admission: Admission, draft: SignatureDraft, mutation: Mutation
) -> Kept | None:
    """Store the immutable evidence package; None when this very one is already kept.

    Two hashes are kept side by side: of what the phone showed, and of the report's content as the server had it at
    receipt, in the signer's language. They are compared by whoever needs to, never corrected. What does not fit
    (a device's signature, a hash) is kept as it came and flagged.
    """
    language = Language.of(draft.locale)
    received = await report_document(uow, admission.order.id, language)
    package = canonical(draft.package)
    verdict = attested(await queries.public_key_of(uow, mutation.device), package, draft.attestation)
    strokes_hash = digest([[list(point) for point in stroke] for stroke in draft.strokes])
    happened = mutation.occurrence
    stored = await queries.insert_signature(
        uow,
        {
            "id": draft.id,
            "work_order_id": admission.order.id,
            "visit_id": admission.visit.id if admission.visit else None,
            "ending": str(draft.ending),
            "signer_name": draft.signer_name,
            "signer_role": draft.signer_role,
            "rating": draft.rating,
            "comment": draft.comment,
            "document_hash": draft.document_hash,
            "render_hash": draft.render_hash,
            "strokes_hash": strokes_hash,
            "package_hash": sha256(package).hexdigest(),
            "attested": str(verdict),
            "evidence": _evidence(actor, draft, mutation)
            | {
                "received": {
                    "document_hash": content_hash(received),
                    "parts": part_hashes(received),
                    "language": language.value,
                }
            },
            "captured_by": actor.person,
            "device_id": mutation.device,
            "at_device": happened.at_device,
            "at": happened.at,
            "received_at": happened.received_at,
        },
    )
    return Kept(verdict, _flags(verdict, draft, strokes_hash)) if stored else None


def _flags(verdict: Attested, draft: SignatureDraft, strokes_hash: str) -> tuple[str, ...]:
    invalid = ("ATTESTATION_INVALID",) if verdict is Attested.INVALID else ()
    differs = ("STROKES_DIFFER",) if draft.strokes_hash not in {None, strokes_hash} else ()
    return (*invalid, *differs)


def _evidence(actor: Actor, draft: SignatureDraft, mutation: Mutation) -> dict[str, Any]:
    happened = mutation.occurrence
    return {
        "schema": EVIDENCE,
        "package": dict(draft.package),
        "attestation": draft.attestation,
        "sent_by": {"id": str(actor.person), "name": actor.name},
        "device": str(mutation.device),
        "mutation": {"id": str(mutation.id), "v": mutation.v},
        "place": dict(mutation.place) if mutation.place else None,
        "time": {
            "device": happened.at_device.isoformat(),
            "estimated": happened.at.isoformat(),
            "uncertainty_ms": happened.uncertainty_ms,
            "received": happened.received_at.isoformat(),
        },
    }


async def announce(uow: UnitOfWork, event: str, actor: Actor, work_order_id: UUID, signature_id: UUID) -> None:
    """Tell those who follow an order of an answer that did not close it."""
    await events.append(
        uow,
        event,
        subject=("work_order", work_order_id),
        actor=actor.person,
        payload={"work_order_id": str(work_order_id), "signature_id": str(signature_id)},
    )


async def confirmations_of(uow: UnitOfWork, work_order_id: UUID) -> list[Confirmation]:
    """Answer an order's signatures in short, the newest first. Two engineers who each had it signed make two."""
    return [_in_short(signature) for signature in await queries.signatures(uow, work_order_id)]


def _in_short(signature: Signature) -> Confirmation:
    return Confirmation(
        signature_id=signature.id,
        ending=signature.ending,
        signer_name=signature.signer_name,
        signer_role=signature.signer_role,
        rating=signature.rating,
        comment=signature.comment,
        reason=signature.package.get("reason", ""),
        document_hash=signature.document_hash,
        attested=signature.attested,
        at=signature.at,
        superseded_at=signature.superseded_at,
        superseded_parts=signature.superseded_parts or [],
    )


async def reports_of(uow: UnitOfWork, work_order_id: UUID) -> list[ReportLine]:
    """Answer all versions, the newest first."""
    return await queries.report_lines(uow, work_order_id)


async def newest_report(uow: UnitOfWork, actor: Actor, work_order_id: UUID, language: Language) -> PrintedReport:
    """Raises NotFound for an order the actor may not see, NoReport."""
    await work_order_for(uow, actor, work_order_id)
    found = await queries.newest_report(uow, work_order_id, language.value)
    printed = await queries.newest_print(uow, found.id) if found else None
    if found is None or printed is None:
        raise NoReport(work_order=work_order_id)
    return PrintedReport(found, printed)


@dataclass(frozen=True)
class _Filed:
    """What our records say of the paper with some code."""

    org: UUID
    company: str
    report: Report
    newest_version: int
    printed: Print | None
    certificates: list[str]
    superseded_at: datetime | None


async def verify(database: Database, store: BlobStore, sealer: Sealer, code: str) -> Verification:
    """Answer what the paper with this code says. Whoever holds it needs no account. Raises UnknownReport."""
    filed = await _filed(database, code)
    report = filed.report
    signed: Mapping[str, Any] | None = report.document["signature"]
    return Verification(
        valid=digest(report.document) == report.document_hash,
        number=report.document["order"]["number"],
        version=report.version,
        newest_version=filed.newest_version,
        language=report.language,
        document_hash=report.document_hash,
        signed_by=signed["signer_name"] if signed else None,
        signed_at=instant(signed["at"]) if signed else None,
        superseded_at=filed.superseded_at,
        organisation=filed.company,
        seal=await _seal(store, sealer, filed),
    )


async def _filed(database: Database, code: str) -> _Filed:
    async with database.unit_of_work() as uow:
        org = await queries.organisation_of_report(uow, code)
        if org is None:
            raise UnknownReport
        await uow.enter(org)
        report = await queries.report_by_code(uow, code)
        if report is None:
            raise UnknownReport
        newest = await queries.newest_reports(uow, report.work_order_id)
        return _Filed(
            org,
            (await organisation(uow)).name,
            report,
            newest[0].version,
            await queries.newest_print(uow, report.id),
            await queries.certificates(uow),
            await queries.superseded_at(uow, report.signature_id) if report.signature_id else None,
        )


async def _seal(store: BlobStore, sealer: Sealer, filed: _Filed) -> SealCheck:
    """Check the print we keep: its own seal, and that it is the file we recorded."""
    if filed.printed is None:
        return unsealed("it was never printed")
    try:
        content = await media.load_bytes(store, BlobKey(filed.org, filed.printed.pdf_sha256))
    except FileNotFoundError:
        return unsealed("its file is missing")
    checked = await sealer.check(content, filed.certificates)
    if checked.valid and sha256(content).hexdigest() != filed.printed.pdf_sha256:
        return replace(checked, valid=False, why="it is not the file that was recorded")
    return checked
