"""From a signature on a phone to a report anybody can download, through the outbox and the queue."""

from datetime import timedelta

from tests.factories.confirmation import a_full_order, a_signature, from_phone
from tests.factories.media import a_photo


async def test_a_signature_becomes_a_report_and_a_later_photo_completes_it(
    client, signed_in, database, services, clock, company, dispatcher, engineer, work_through
):
    photo = a_photo()
    async with database.unit_of_work(company.id) as uow:
        order = await a_full_order(uow, dispatcher, engineer, photo)
        await from_phone(uow, engineer, "signature.capture", a_signature(uow, order))
    await work_through()
    client.headers.update(await signed_in("dispatcher"))
    address = f"/api/v1/work-orders/{order.id}/report.pdf"
    first = await client.get(address)
    assert first.content.startswith(b"%PDF-")

    upload = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
    phone = await _phone_headers(services, company)
    await client.post("/mobile/v1/blobs", json=photo.announcement(), headers=phone)
    sent = await client.patch(f"/mobile/v1/blobs/{photo.sha256}", content=photo.content, headers=phone | upload)
    assert sent.status_code == 204
    clock.forward(timedelta(seconds=1))
    await work_through()
    second = await client.get(address)
    assert second.headers["etag"] != first.headers["etag"]
    assert "-v1-" in second.headers["content-disposition"]


async def _phone_headers(services, company) -> dict[str, str]:
    from server.identity.domain import Audience
    from tests.factories.identity import token_for

    return {"Authorization": f"Bearer {await token_for(services, company, 'engineer', Audience.MOBILE)}"}
