"""Making the report of an order: read in one transaction, render in none, publish in one more.

Safe to run at any time and any number of times: when nothing changed, nothing is written. Changed content makes the
next version, in both languages at once. Photos whose bytes came later only make a better picture of the same version.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from server.confirmation import queries
from server.confirmation.canonical import digest
from server.confirmation.document import report_document
from server.confirmation.domain import Document, Language, Report, Signature, code_of
from server.confirmation.drawing import thumbnail
from server.confirmation.errors import ReportChangedMeanwhile
from server.confirmation.rendering import render_pdf
from server.core.db import Database, UnitOfWork
from server.media import service as media
from server.media.domain import PDF, BlobKey, Purpose
from server.media.store import BlobStore

_TRIES = 3
_MOST_PHOTOS = 60

type MintCode = Callable[[], bytes]


@dataclass(frozen=True)
class _Sheet:
    """One language of the version to be made; `known` is its row if there is one already."""

    document: Document
    document_hash: str
    code: str
    known: Report | None


@dataclass(frozen=True)
class _Plan:
    work_order_id: UUID
    version: int
    sheets: list[_Sheet]
    signature: Signature | None
    photos: list[str]  # hashes of those whose bytes are here


async def make_report(
    database: Database, store: BlobStore, org: UUID, work_order_id: UUID, *, verify_base: str, mint_code: MintCode
) -> int:
    """Bring the order's report up to date and answer its version.

    verify_base: address that, followed by a report's code, shows its verification. mint_code: 16 random bytes a call.
    Raises NotFound (work order), FontsMissing, ReportChangedMeanwhile.
    """
    for _ in range(_TRIES):
        async with database.unit_of_work(org) as uow:
            plan = await _plan(uow, work_order_id, mint_code)
        thumbnails = await _thumbnails(store, org, plan.photos)
        hashes = [await _render(database, store, org, plan, sheet, thumbnails, verify_base) for sheet in plan.sheets]
        async with database.unit_of_work(org) as uow:
            if await _publish(uow, plan, hashes):
                return plan.version
    raise ReportChangedMeanwhile


async def _plan(uow: UnitOfWork, work_order_id: UUID, mint_code: MintCode) -> _Plan:
    documents = {language: await report_document(uow, work_order_id, language) for language in Language}
    hashes = {language: digest(document) for language, document in documents.items()}
    newest = await queries.newest_reports(uow, work_order_id)
    unchanged = {report.language: report.document_hash for report in newest} == hashes
    version = newest[0].version + (0 if unchanged else 1) if newest else 1
    known = {report.language: report for report in newest if unchanged}
    photos = [photo["sha256"] for photo in documents[Language.EN]["photos"]]
    return _Plan(
        work_order_id,
        version,
        [
            _Sheet(
                documents[language],
                hashes[language],
                known[language].code if language in known else code_of(mint_code()),
                known.get(language),
            )
            for language in Language
        ],
        await queries.newest_signature(uow, work_order_id),
        [blob.sha256 for blob in await media.ready_among(uow, photos[:_MOST_PHOTOS])],
    )


async def _thumbnails(store: BlobStore, org: UUID, hashes: list[str]) -> dict[str, bytes]:
    made: dict[str, bytes] = {}
    for sha256 in hashes:
        content = await media.load_bytes(store, BlobKey(org, sha256))
        small = await asyncio.to_thread(thumbnail, content)
        if small is not None:
            made[sha256] = small
    return made


async def _render(
    database: Database,
    store: BlobStore,
    org: UUID,
    plan: _Plan,
    sheet: _Sheet,
    thumbnails: dict[str, bytes],
    verify_base: str,
) -> str:
    """Answer the sha256 of the finished PDF, which by then is kept."""
    pdf = await asyncio.to_thread(
        render_pdf,
        sheet.document,
        version=plan.version,
        code=sheet.code,
        document_hash=sheet.document_hash,
        verify_url=verify_base + sheet.code,
        strokes=plan.signature.strokes if plan.signature else (),
        thumbnails=thumbnails,
    )
    return await media.save_bytes(database, store, org, pdf, mime=PDF, purpose=Purpose.REPORT, made_by=org)


async def _publish(uow: UnitOfWork, plan: _Plan, pdf_hashes: list[str]) -> bool:
    """Write both languages; False when somebody else published this version in between."""
    for sheet, pdf_sha256 in zip(plan.sheets, pdf_hashes, strict=True):
        if sheet.known is not None:
            await queries.replace_pdf(uow, sheet.known.id, pdf_sha256)
        elif not await queries.insert_report(uow, _report(uow, plan, sheet, pdf_sha256)):
            return False
    return True


def _report(uow: UnitOfWork, plan: _Plan, sheet: _Sheet, pdf_sha256: str) -> Report:
    return Report(
        id=uow.new_id(),
        work_order_id=plan.work_order_id,
        signature_id=plan.signature.id if plan.signature else None,
        version=plan.version,
        language=Language(sheet.document["language"]),
        document=sheet.document,
        document_hash=sheet.document_hash,
        pdf_sha256=pdf_sha256,
        code=sheet.code,
        created_at=uow.now(),
    )
