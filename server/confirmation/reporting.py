"""Making the report of an order: read in one transaction, render and seal in none, publish in one more.

Safe to run at any time and any number of times: when nothing changed, nothing is written. Changed content makes the
next version, in both languages at once. Photos whose bytes came later only make a better print of the same version.
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from server.confirmation import queries
from server.confirmation.canonical import digest
from server.confirmation.document import report_document
from server.confirmation.domain import Document, Language, Print, Report, SealLevel, Signature, code_of
from server.confirmation.drawing import thumbnail
from server.confirmation.errors import ReportChangedMeanwhile
from server.confirmation.rendering import render_pdf
from server.confirmation.sealing import Sealer
from server.confirmation.staleness import supersede_what_changed
from server.core.db import Database, UnitOfWork
from server.identity.queries import organisation
from server.media import derivatives
from server.media import service as media
from server.media.domain import PDF, BlobKey, Purpose, Showing
from server.media.store import BlobStore

_TRIES = 3
_MOST_PHOTOS = 60

type MintCode = Callable[[], bytes]


@dataclass(frozen=True)
class _Sheet:
    """One language of the version to be made; `known` and `printed` are its rows if there are any already."""

    document: Document
    document_hash: str
    code: str
    known: Report | None
    printed: Print | None


@dataclass(frozen=True)
class _Printed:
    """A finished print, whose bytes by now lie in the store."""

    pdf_sha256: str
    plain_sha256: str
    level: SealLevel
    fingerprint: str
    pem: str


@dataclass(frozen=True)
class _Plan:
    company: str
    work_order_id: UUID
    version: int
    sheets: list[_Sheet]
    signature: Signature | None
    photos: Showing


async def make_report(
    database: Database,
    store: BlobStore,
    org: UUID,
    work_order_id: UUID,
    *,
    sealer: Sealer,
    verify_base: str,
    mint_code: MintCode,
) -> int:
    """Bring the order's report up to date and answer its version.

    verify_base: address that, followed by a report's code, shows its verification. mint_code: 16 random bytes a call.
    sealer: with whose keys the prints are sealed. Raises NotFound (work order), FontsMissing, ReportChangedMeanwhile.
    """
    for _ in range(_TRIES):
        async with database.unit_of_work(org) as uow:
            plan = await _plan(uow, work_order_id, mint_code)
        thumbnails = await _thumbnails(store, org, plan.photos)
        printed = []
        for sheet in plan.sheets:
            plain = await _render(plan, sheet, thumbnails, verify_base)
            printed.append(await _print(database, store, sealer, org, plan.company, sheet, plain))
        async with database.unit_of_work(org) as uow:
            if await _publish(uow, plan, printed):
                return plan.version
    raise ReportChangedMeanwhile


async def _plan(uow: UnitOfWork, work_order_id: UUID, mint_code: MintCode) -> _Plan:
    await supersede_what_changed(uow, work_order_id, changed_by=None)
    documents = {language: await report_document(uow, work_order_id, language) for language in Language}
    hashes = {language: digest(document) for language, document in documents.items()}
    newest = await queries.newest_reports(uow, work_order_id)
    unchanged = {report.language: report.document_hash for report in newest} == hashes
    version = newest[0].version + (0 if unchanged else 1) if newest else 1
    known = {report.language: report for report in newest if unchanged}
    photos = [photo["sha256"] for photo in documents[Language.EN]["photos"]]
    prints = {language: await queries.newest_print(uow, report.id) for language, report in known.items()}
    return _Plan(
        (await organisation(uow)).name,
        work_order_id,
        version,
        [
            _Sheet(
                documents[language],
                hashes[language],
                known[language].code if language in known else code_of(mint_code()),
                known.get(language),
                prints.get(language),
            )
            for language in Language
        ],
        await queries.newest_signature(uow, work_order_id),
        await derivatives.showing(uow, photos[:_MOST_PHOTOS]),
    )


async def _thumbnails(store: BlobStore, org: UUID, photos: Showing) -> dict[str, bytes]:
    made: dict[str, bytes] = {}
    for sha256, copy in photos.copies.items():
        content = await media.load_bytes(store, BlobKey(org, copy))
        small = await asyncio.to_thread(thumbnail, content)
        if small is not None:
            made[sha256] = small
    return made


async def _render(plan: _Plan, sheet: _Sheet, thumbnails: dict[str, bytes], verify_base: str) -> bytes:
    return await asyncio.to_thread(
        render_pdf,
        sheet.document,
        version=plan.version,
        code=sheet.code,
        document_hash=sheet.document_hash,
        verify_url=verify_base + sheet.code,
        strokes=plan.signature.strokes if plan.signature else (),
        thumbnails=thumbnails,
        gaps=plan.photos.gaps,
    )


async def _print(
    database: Database, store: BlobStore, sealer: Sealer, org: UUID, company: str, sheet: _Sheet, plain: bytes
) -> _Printed | None:
    """Seal and keep a print; None when the newest one already shows just this and is sealed as well as we can."""
    plain_sha256 = hashlib.sha256(plain).hexdigest()
    have = sheet.printed
    if have and have.plain_sha256 == plain_sha256 and have.level in {sealer.level, SealLevel.TIMESTAMPED}:
        return None
    sealed = await sealer.seal(org, company, plain)
    kept = await media.save_bytes(database, store, org, sealed.content, mime=PDF, purpose=Purpose.REPORT, made_by=org)
    return _Printed(kept, plain_sha256, sealed.level, sealed.fingerprint, sealed.pem)


async def _publish(uow: UnitOfWork, plan: _Plan, prints: list[_Printed | None]) -> bool:
    """Write both languages; False when somebody else published this version in between."""
    for sheet, printed in zip(plan.sheets, prints, strict=True):
        report = sheet.known or _report(uow, plan, sheet)
        if sheet.known is None and not await queries.insert_report(uow, report):
            return False
        if printed is not None:
            await queries.keep_certificate(uow, fingerprint=printed.fingerprint, pem=printed.pem)
            await queries.insert_print(uow, _row_of(uow, report, printed))
    return True


def _report(uow: UnitOfWork, plan: _Plan, sheet: _Sheet) -> Report:
    return Report(
        id=uow.new_id(),
        work_order_id=plan.work_order_id,
        signature_id=plan.signature.id if plan.signature else None,
        version=plan.version,
        language=Language(sheet.document["language"]),
        document=sheet.document,
        document_hash=sheet.document_hash,
        code=sheet.code,
        created_at=uow.now(),
    )


def _row_of(uow: UnitOfWork, report: Report, printed: _Printed) -> Print:
    return Print(
        id=uow.new_id(),
        report_id=report.id,
        pdf_sha256=printed.pdf_sha256,
        plain_sha256=printed.plain_sha256,
        level=printed.level,
        fingerprint=printed.fingerprint,
        created_at=uow.now(),
    )
