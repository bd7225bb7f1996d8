"""46: Mutation arrives, photo never does."""

from datetime import timedelta
from uuid import uuid4

from server.workorders.pictures import follow
from server.workorders.tasks import watch
from tests.factories.media import a_photo
from tests.scenarios.uploading import Uploading


async def test_46_pending_told_after_a_day_no_invoice_and_asked_of_any_device_that_has_it(
    handset, hand_out, client, database, services, company, clock, signed_in, settings
):
    up = Uploading(handset, a_photo(46), settings.state_dir / "blobs")
    colleague = Uploading(await hand_out("partner_engineer"), up.file, up.root)
    await colleague.announce()  # has the same bytes, on an order of another customer, and lost the network then
    office = await signed_in("dispatcher")

    handset.record("photo.add", {"id": str(uuid4()), "wo": str(handset.order), "sha256": up.file.sha256, "caption": ""})
    assert (await handset.push()).json()["results"][0]["status"] == "applied"
    await watch(database, services.jobs, company.id)
    assert await photo(client, office, handset) == ("pending_blob", False)

    clock.forward(timedelta(hours=25))
    for _ in range(2):
        await watch(database, services.jobs, company.id)
    office = await signed_in("dispatcher")
    assert await photo(client, office, handset) == ("pending_blob", True)  # the technician's phone sees the same row
    assert await told(database, company) == [str(handset.order)]  # the dispatcher's board hears of it, once
    listed = (await client.get("/api/v1/missing-files", headers=office)).json()["items"]
    assert [(item["sha256"], item["overdue"]) for item in listed] == [(up.file.sha256, True)]
    detail = (await client.get(f"/api/v1/work-orders/{handset.order}", headers=office)).json()
    assert (detail["missing_files"], "files_missing" in detail["invoice_obstacles"]) == (1, True)

    again = Uploading(await hand_out("partner_engineer", colleague.handset.order), up.file, up.root)
    assert up.file.sha256 in await asked_for(again.handset)
    await again.announce()
    assert (await again.send(0)).status_code == 204
    async with database.unit_of_work(company.id) as uow:
        await follow(uow, up.file.sha256)  # what the worker does when it hears that the file is here
    assert await photo(client, office, handset) == ("ready", False)
    detail = (await client.get(f"/api/v1/work-orders/{handset.order}", headers=office)).json()
    assert (detail["missing_files"], "files_missing" in detail["invoice_obstacles"]) == (0, False)
    assert up.file.sha256 not in await asked_for(again.handset)


async def photo(client, office, handset) -> tuple[str, bool]:
    detail = (await client.get(f"/api/v1/work-orders/{handset.order}", headers=office)).json()
    return detail["photos"][0]["state"], detail["photos"][0]["missing"]


async def told(database, company) -> list[str]:
    async with database.unit_of_work(company.id) as uow:
        rows = await uow.rows("select subject_id from event where name = 'photo.missing'")
    return [str(row["subject_id"]) for row in rows]


async def asked_for(handset) -> list[str]:
    return next(line["missing"] for line in await handset.pull() if line["k"] == "blobs")
