"""Every statement on signatures and reports."""

from collections.abc import Mapping
from uuid import UUID

from server.confirmation.domain import Report, ReportLine, Signature
from server.core.db import UnitOfWork

_SIGNATURE = """
    select g.id, g.work_order_id, g.visit_id, g.signer_name, g.signer_role, g.rating, g.comment, g.document_hash,
           g.strokes_hash, g.evidence, g.captured_by, g.device_id, g.at_device, g.at, g.received_at
    from signature g
"""
_REPORT = """
    select r.id, r.work_order_id, r.signature_id, r.version, r.language, r.document, r.document_hash, r.pdf_sha256,
           r.code, r.created_at
    from service_report r
"""


async def insert_signature(uow: UnitOfWork, new: Mapping[str, object]) -> bool:
    """Answer False when this very signature is already kept."""
    return bool(
        await uow.run(
            """
            insert into signature (org_id, id, work_order_id, visit_id, signer_name, signer_role, rating, comment,
                                   document_hash, strokes_hash, evidence, captured_by, device_id, at_device, at,
                                   received_at)
            values (%(org)s, %(id)s, %(work_order_id)s, %(visit_id)s, %(signer_name)s, %(signer_role)s, %(rating)s,
                    %(comment)s, %(document_hash)s, %(strokes_hash)s, %(evidence)s, %(captured_by)s, %(device_id)s,
                    %(at_device)s, %(at)s, %(received_at)s)
            on conflict (org_id, id) do nothing
            """,
            org=uow.org,
            **new,
        )
    )


async def signatures(uow: UnitOfWork, work_order_id: UUID) -> list[Signature]:
    """Answer all signatures of an order, the newest first."""
    return await uow.all_of(
        Signature, f"{_SIGNATURE} where g.work_order_id = %(order)s order by g.at desc, g.id desc", order=work_order_id
    )


async def newest_signature(uow: UnitOfWork, work_order_id: UUID) -> Signature | None:
    return await uow.one_of(
        Signature,
        f"{_SIGNATURE} where g.work_order_id = %(order)s order by g.at desc, g.id desc limit 1",
        order=work_order_id,
    )


async def newest_report(uow: UnitOfWork, work_order_id: UUID, language: str) -> Report | None:
    return await uow.one_of(
        Report,
        f"{_REPORT} where r.work_order_id = %(order)s and r.language = %(language)s order by r.version desc limit 1",
        order=work_order_id,
        language=language,
    )


async def newest_reports(uow: UnitOfWork, work_order_id: UUID) -> list[Report]:
    """Answer the reports of the highest version, one a language."""
    return await uow.all_of(
        Report,
        f"""
        {_REPORT}
        where r.work_order_id = %(order)s
          and r.version = (select max(version) from service_report where work_order_id = %(order)s)
        order by r.language
        """,
        order=work_order_id,
    )


async def report_lines(uow: UnitOfWork, work_order_id: UUID) -> list[ReportLine]:
    return await uow.all_of(
        ReportLine,
        """
        select version, language, document_hash, code, created_at from service_report
        where work_order_id = %(order)s order by version desc, language
        """,
        order=work_order_id,
    )


async def report_by_code(uow: UnitOfWork, code: str) -> Report | None:
    return await uow.one_of(Report, f"{_REPORT} where r.code = %(code)s", code=code)


async def organisation_of_report(uow: UnitOfWork, code: str) -> UUID | None:
    found: UUID | None = await uow.value("select * from organisation_of_report(%(code)s)", code=code)
    return found


async def insert_report(uow: UnitOfWork, new: Report) -> bool:
    """Answer False when this version exists already."""
    return bool(
        await uow.run(
            """
            insert into service_report (org_id, id, work_order_id, signature_id, version, language, document,
                                        document_hash, pdf_sha256, code, created_at)
            values (%(org)s, %(id)s, %(work_order_id)s, %(signature_id)s, %(version)s, %(language)s, %(document)s,
                    %(document_hash)s, %(pdf_sha256)s, %(code)s, %(created_at)s)
            on conflict (org_id, work_order_id, version, language) do nothing
            """,
            org=uow.org,
            **(vars(new) | {"language": str(new.language)}),
        )
    )


async def replace_pdf(uow: UnitOfWork, report_id: UUID, pdf_sha256: str) -> None:
    await uow.run(
        "update service_report set pdf_sha256 = %(pdf)s where id = %(id)s and pdf_sha256 <> %(pdf)s",
        id=report_id,
        pdf=pdf_sha256,
    )


async def reported_orders_with_photo(uow: UnitOfWork, sha256: str) -> list[UUID]:
    """Answer the orders whose newest reports show a photo with these bytes."""
    found = await uow.rows(
        """
        select distinct f.work_order_id from photo f
        where f.sha256 = %(sha256)s
          and exists (select from service_report r where r.org_id = f.org_id and r.work_order_id = f.work_order_id)
        """,
        sha256=sha256,
    )
    return [row["work_order_id"] for row in found]
