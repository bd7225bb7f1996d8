"""Report, photo and verification over HTTP."""

import io

import pytest
from pypdf import PdfReader

from server.confirmation import queries
from server.confirmation.reporting import make_report
from server.identity.domain import Audience
from server.media import service as media
from server.media.domain import Purpose
from tests.factories.confirmation import a_full_order, a_signature, from_phone
from tests.factories.identity import token_for
from tests.factories.media import a_photo


@pytest.fixture
async def signed(database, company, dispatcher, engineer):
    photo = a_photo()
    async with database.unit_of_work(company.id) as uow:
        order = await a_full_order(uow, dispatcher, engineer, photo)
        await from_phone(uow, engineer, "signature.capture", a_signature(uow, order))
    return order, photo


@pytest.fixture
async def reported(services, company, signed):
    order, _ = signed
    await make_report(
        services.database,
        services.blobs,
        company.id,
        order.id,
        sealer=services.sealer,
        verify_base="https://callout.test/portal/v1/verify/",
        mint_code=lambda: order.id.bytes[:8] + __import__("os").urandom(8),
    )
    return order


async def test_the_newest_report_is_a_pdf_in_the_language_asked_for(client, signed_in, reported):
    client.headers.update(await signed_in("dispatcher"))
    for language, title in (("en", "Service report"), ("zh", "服务报告")):
        answer = await client.get(f"/api/v1/work-orders/{reported.id}/report.pdf", params={"language": language})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        assert title in PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()
        assert f"report-{reported.number}-v1-{language}.pdf" in answer.headers["content-disposition"]
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_an_order_without_a_report_is_404_with_its_own_sentence(client, signed_in, signed):
    order, _ = signed
    client.headers.update(await signed_in("dispatcher"))
    answer = await client.get(f"/api/v1/work-orders/{order.id}/report.pdf")
    assert (answer.status_code, answer.json()["code"]) == (404, "report.none")


async def test_a_report_of_an_order_one_may_not_see_looks_like_none(client, signed_in, reported):
    client.headers.update(await signed_in("partner_engineer"))
    answer = await client.get(f"/api/v1/work-orders/{reported.id}/report.pdf")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_languages_that_are_not_printed_are_refused(client, signed_in, reported):
    client.headers.update(await signed_in("dispatcher"))
    answer = await client.get(f"/api/v1/work-orders/{reported.id}/report.pdf", params={"language": "fr"})
    assert answer.status_code == 422


async def test_a_photo_is_404_until_its_bytes_are_here_and_then_exactly_those(
    client, services, company, signed_in, signed, database
):
    order, photo = signed
    client.headers.update(await signed_in("dispatcher"))
    async with database.unit_of_work(company.id) as uow:
        photo_id = await uow.value("select id from photo where work_order_id = %(order)s", order=order.id)
    assert (await client.get(f"/api/v1/photos/{photo_id}/content")).status_code == 404
    await media.save_bytes(
        database, services.blobs, company.id, photo.content, mime=photo.mime, purpose=Purpose.PHOTO, made_by=company.id
    )
    answer = await client.get(f"/api/v1/photos/{photo_id}/content")
    assert (answer.content, answer.headers["content-type"]) == (photo.content, "image/jpeg")
    client.headers.update(await signed_in("partner_engineer"))
    assert (await client.get(f"/api/v1/photos/{photo_id}/content")).status_code == 404


async def test_the_engineer_s_phone_may_read_a_photo_of_their_order_that_somebody_else_sent(
    client, services, company, signed, database
):
    _, photo = signed
    await media.save_bytes(
        database, services.blobs, company.id, photo.content, mime=photo.mime, purpose=Purpose.PHOTO, made_by=company.id
    )
    for role, status in (("engineer", 200), ("partner_engineer", 404)):
        client.headers["Authorization"] = f"Bearer {await token_for(services, company, role, Audience.MOBILE)}"
        assert (await client.get(f"/mobile/v1/blobs/{photo.sha256}")).status_code == status


async def test_anyone_who_holds_the_paper_can_verify_it(client, database, company, reported):
    async with database.unit_of_work(company.id) as uow:
        report = (await queries.newest_reports(uow, reported.id))[0]
    answer = await client.get(f"/portal/v1/verify/{report.code}")
    assert answer.status_code == 200
    said = answer.json()
    seal = said.pop("seal")
    assert (seal["valid"], seal["why"], seal["level"], seal["timestamped_at"]) == (True, None, "B-B", None)
    assert "Acme Service" in seal["sealed_by"]
    assert said == {
        "valid": True,
        "number": reported.number,
        "version": 1,
        "newest_version": 1,
        "language": "en",
        "document_hash": report.document_hash,
        "signed_by": "Camille Rossi",
        "signed_at": report.document["signature"]["at"],
        "superseded_at": None,
        "organisation": "Acme Service",
    }
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("code", "status"), [("A" * 26, 404), ("short", 422), ("a" * 26, 422), ("'" * 26, 422)])
async def test_other_codes_say_nothing(client, code, status):
    assert (await client.get(f"/portal/v1/verify/{code}")).status_code == status
