"""Every statement on signatures and reports."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from server.confirmation.domain import Print, Report, ReportLine, Signature
from server.core.db import UnitOfWork

_SIGNATURE = """
    select g.id, g.work_order_id, g.visit_id, g.ending, g.signer_name, g.signer_role, g.rating, g.comment,
           g.document_hash, g.render_hash, g.strokes_hash, g.package_hash, g.attested, g.evidence, g.captured_by,
           g.device_id, g.at_device, g.at, g.received_at, s.at as superseded_at, s.changed as superseded_parts
    from signature g left join signature_superseded s on (s.org_id, s.signature_id) = (g.org_id, g.id)
"""
_REPORT = """
    select r.id, r.work_order_id, r.signature_id, r.version, r.language, r.document, r.document_hash, r.code,
           r.created_at
    from service_report r
"""


async def insert_signature(uow: UnitOfWork, new: Mapping[str, object]) -> bool:
    """Answer False when this very signature is already kept."""
    return bool(
        await uow.run(
            """
            insert into signature (org_id, id, work_order_id, visit_id, ending, signer_name, signer_role, rating,
                                   comment, document_hash, render_hash, strokes_hash, package_hash, attested, evidence,
                                   captured_by, device_id, at_device, at, received_at)
            values (%(org)s, %(id)s, %(work_order_id)s, %(visit_id)s, %(ending)s, %(signer_name)s, %(signer_role)s,
                    %(rating)s, %(comment)s, %(document_hash)s, %(render_hash)s, %(strokes_hash)s, %(package_hash)s,
                    %(attested)s, %(evidence)s, %(captured_by)s, %(device_id)s, %(at_device)s, %(at)s, %(received_at)s)
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
    """Answer what the order's customer signed last; that nobody would sign is no signature."""
    return await uow.one_of(
        Signature,
        f"""
        {_SIGNATURE} where g.work_order_id = %(order)s and g.ending = 'signed' order by g.at desc, g.id desc limit 1
        """,
        order=work_order_id,
    )


async def newest_answer(uow: UnitOfWork, work_order_id: UUID) -> Signature | None:
    """Answer how the customer last ended being asked for a signature: signed if they ever did."""
    return await uow.one_of(
        Signature,
        f"""
        {_SIGNATURE} where g.work_order_id = %(order)s
        order by (g.ending = 'signed') desc, g.at desc, g.id desc limit 1
        """,
        order=work_order_id,
    )


async def was_asked_again(uow: UnitOfWork, work_order_id: UUID, signature_id: UUID) -> bool:
    """Answer whether all that was signed on this order before is superseded, and something was."""
    return bool(
        await uow.value(
            """
            select count(*) > 0 and count(*) = count(s.signature_id)
            from signature g left join signature_superseded s on (s.org_id, s.signature_id) = (g.org_id, g.id)
            where g.work_order_id = %(order)s and g.ending = 'signed' and g.id <> %(signature)s
            """,
            order=work_order_id,
            signature=signature_id,
        )
    )


async def superseded_at(uow: UnitOfWork, signature_id: UUID) -> datetime | None:
    found: datetime | None = await uow.value(
        "select at from signature_superseded where signature_id = %(id)s", id=signature_id
    )
    return found


async def public_key_of(uow: UnitOfWork, device: UUID) -> str | None:
    found: str | None = await uow.value("select public_key from device where id = %(id)s", id=device)
    return found


async def standing_signatures(uow: UnitOfWork, work_order_id: UUID) -> list[Signature]:
    """Answer what was signed and has not been superseded."""
    return await uow.all_of(
        Signature,
        f"""
        {_SIGNATURE}
        where g.work_order_id = %(order)s and g.ending = 'signed' and s.signature_id is null order by g.id
        """,
        order=work_order_id,
    )


async def supersede(
    uow: UnitOfWork, signature: Signature, *, content_hash: str, changed: Sequence[str], changed_by: UUID | None
) -> bool:
    """Answer False when it was superseded before."""
    return bool(
        await uow.run(
            """
            insert into signature_superseded (org_id, signature_id, id, work_order_id, content_hash, changed,
                                              changed_by, at)
            values (%(org)s, %(signature)s, %(id)s, %(order)s, %(content_hash)s, to_jsonb(%(changed)s::text[]),
                    %(changed_by)s, %(at)s)
            on conflict (org_id, signature_id) do nothing
            """,
            org=uow.org,
            id=uow.new_id(),
            signature=signature.id,
            order=signature.work_order_id,
            content_hash=content_hash,
            changed=list(changed),
            changed_by=changed_by,
            at=uow.now(),
        )
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
                                        document_hash, code, created_at)
            values (%(org)s, %(id)s, %(work_order_id)s, %(signature_id)s, %(version)s, %(language)s, %(document)s,
                    %(document_hash)s, %(code)s, %(created_at)s)
            on conflict (org_id, work_order_id, version, language) do nothing
            """,
            org=uow.org,
            **(vars(new) | {"language": str(new.language)}),
        )
    )


async def newest_print(uow: UnitOfWork, report_id: UUID) -> Print | None:
    return await uow.one_of(
        Print,
        """
        select id, report_id, pdf_sha256, plain_sha256, level, fingerprint, created_at from report_pdf
        where report_id = %(report)s order by id desc limit 1
        """,
        report=report_id,
    )


async def insert_print(uow: UnitOfWork, new: Print) -> None:
    """Add a print, unless the newest one has the same content: of two workers at once one is enough."""
    await uow.run(
        """
        insert into report_pdf (org_id, id, report_id, pdf_sha256, plain_sha256, level, fingerprint, created_at)
        select %(org)s, %(id)s, %(report_id)s, %(pdf_sha256)s, %(plain_sha256)s::text, %(level)s::text, %(fingerprint)s,
               %(created_at)s
        where not exists (
            select from (
                select p.plain_sha256, p.level from report_pdf p where p.report_id = %(report_id)s
                order by p.id desc limit 1) newest
            where newest.plain_sha256 = %(plain_sha256)s::text and newest.level = %(level)s::text)
        """,
        org=uow.org,
        **(vars(new) | {"level": str(new.level)}),
    )


async def keep_certificate(uow: UnitOfWork, *, fingerprint: str, pem: str) -> None:
    await uow.run(
        """
        insert into seal_certificate (org_id, id, fingerprint, pem, first_used_at)
        values (%(org)s, %(id)s, %(fingerprint)s, %(pem)s, %(now)s) on conflict (org_id, fingerprint) do nothing
        """,
        org=uow.org,
        id=uow.new_id(),
        fingerprint=fingerprint,
        pem=pem,
        now=uow.now(),
    )


async def certificates(uow: UnitOfWork) -> list[str]:
    """Answer every certificate this organisation ever sealed with, as PEM."""
    return [row["pem"] for row in await uow.rows("select pem from seal_certificate order by first_used_at, id")]


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
