"""A photo from pending to shown: its file comes, small copies are made, phones and board see it; or it never comes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callout.wiring import registry
from server.identity.domain import Audience
from server.media import derivatives, service
from server.media.domain import BlobKey, Purpose
from server.sync.pull import Ask, pull
from server.workorders import pictures, reading
from server.workorders.domain import State
from server.workorders.invoicing import Obstacle, obstacles
from server.workorders.tasks import watch
from tests.factories.identity import token_for
from tests.factories.media import a_photo
from tests.factories.sync import enrolled_phone
from tests.factories.workforce import an_engineer
from tests.factories.workorders import a_visit, an_order, from_phone


@pytest.fixture
async def order(database, company):
    async with database.unit_of_work(company.id) as uow:
        engineer = company.actor("engineer")
        await an_engineer(uow, engineer)
        made = await an_order(uow, company.actor("dispatcher"))
        await a_visit(uow, company.actor("dispatcher"), engineer, made)
    return made


async def attach(database, company, order, file):
    async with database.unit_of_work(company.id) as uow:
        args = {"id": uow.new_id(), "wo": order.id, "sha256": file.sha256, "caption": "Plate"}
        await from_phone(uow, company.actor("engineer"), "photo.add", args)
    return args["id"]


async def arrive(services, database, company, file) -> None:
    await service.save_bytes(
        database,
        services.blobs,
        company.id,
        file.content,
        mime=file.mime,
        purpose=Purpose.PHOTO,
        made_by=company.actor("engineer").person,
    )


async def derive(services, database, company, file) -> None:
    await derivatives.make(database, services.blobs, company.id, file.sha256, last_try=True)


async def follow(database, company, file) -> None:
    async with database.unit_of_work(company.id) as uow:
        await pictures.follow(uow, file.sha256)


async def photo_of(database, company, order):
    async with database.unit_of_work(company.id) as uow:
        return (await reading.detail(uow, company.actor("dispatcher"), order.id)).photos[0]


async def events(database, company, name):
    async with database.unit_of_work(company.id) as uow:
        return await uow.rows("select * from event where name = %(name)s order by id", name=name)


async def test_pending_then_ready_then_derived(services, database, company, order):
    file = a_photo(1, 640, 480)
    await attach(database, company, order, file)
    assert (await photo_of(database, company, order)).state == "pending_blob"
    await arrive(services, database, company, file)
    await follow(database, company, file)
    assert (await photo_of(database, company, order)).state == "ready"
    await derive(services, database, company, file)
    await follow(database, company, file)
    shown = await photo_of(database, company, order)
    assert (shown.state, shown.width, shown.height, len(shown.blurhash)) == ("derived", 640, 480, 28)


async def test_a_photo_whose_file_came_first_knows_all_at_once(services, database, company, order):
    file = a_photo()
    await arrive(services, database, company, file)
    await derive(services, database, company, file)
    await attach(database, company, order, file)
    assert (await photo_of(database, company, order)).state == "derived"


async def test_a_photo_nobody_can_decode_keeps_its_original_and_says_why(services, database, company, order):
    file = replace(a_photo(), content=a_photo().content[:3000])
    await attach(database, company, order, file)
    await arrive(services, database, company, file)
    await derive(services, database, company, file)
    await follow(database, company, file)
    shown = await photo_of(database, company, order)
    assert (shown.state, shown.undecodable_why, shown.blurhash) == ("undecodable", "broken", None)
    assert await service.load_bytes(services.blobs, BlobKey(company.id, file.sha256)) == file.content


async def test_small_copies_are_made_once(services, database, company):
    file = a_photo()
    await arrive(services, database, company, file)
    await derive(services, database, company, file)
    await derive(services, database, company, file)
    assert len(await events(database, company, "picture.made")) == 1


async def test_phones_see_what_became_of_a_photo(services, database, company, order):
    file = a_photo()
    phone = (await enrolled_phone(database, company.actor("engineer"))).actor
    await attach(database, company, order, file)
    await arrive(services, database, company, file)
    await derive(services, database, company, file)
    await follow(database, company, file)
    assert phone.device
    patch = await pull(database, registry(), phone, Ask(phone.device, order.id, None))
    line = next(line for line in patch.splitlines() if b'"t":"photo"' in line)
    assert b'"state": "derived"' in line
    assert b'"blurhash": "L' in line


async def test_small_copies_are_for_whoever_sees_the_order_and_the_original_for_author_and_office(
    client, services, database, company, order
):
    file = a_photo(1, 640, 480)
    photo = await attach(database, company, order, file)
    await arrive(services, database, company, file)
    blob, board = f"/mobile/v1/blobs/{file.sha256}", f"/api/v1/photos/{photo}/content"
    mobile = {"Authorization": f"Bearer {await token_for(services, company, 'engineer', Audience.MOBILE)}"}
    assert (await client.get(f"{blob}?v=thumb", headers=mobile)).json()["code"] == "blob.no_small_copy"
    await derive(services, database, company, file)
    small = await client.get(f"{blob}?v=thumb", headers=mobile)
    assert (small.status_code, small.headers["content-type"]) == (200, "image/webp")
    assert (await client.get(blob, headers=mobile)).content == file.content
    office = {"Authorization": f"Bearer {await token_for(services, company, 'dispatcher')}"}
    assert (await client.get(board, headers=office)).content == file.content
    assert (await client.get(f"{board}?v=view", headers=office)).headers["content-type"] == "image/webp"

    # A colleague who takes the order over sees the photo, not where and with what it was taken.
    colleague = company.actor("partner_engineer")
    taken_over = {"Authorization": f"Bearer {await token_for(services, company, 'partner_engineer', Audience.MOBILE)}"}
    assert (await client.get(f"{blob}?v=view", headers=taken_over)).status_code == 404
    async with database.unit_of_work(company.id) as uow:
        await an_engineer(uow, colleague)
        await uow.run("update visit set engineer_id = %(who)s", who=colleague.person)
    assert (await client.get(f"{blob}?v=view", headers=taken_over)).status_code == 200
    refused = await client.get(blob, headers=taken_over)
    assert (refused.status_code, refused.json()["code"]) == (403, "blob.original_restricted")


async def test_a_missing_file_is_told_once_after_a_day_and_again_when_it_comes(
    services, database, company, order, clock
):
    file = a_photo()
    photo = await attach(database, company, order, file)
    clock.forward(timedelta(hours=23))
    await watch(database, services.jobs, company.id)
    assert await events(database, company, "photo.missing") == []
    clock.forward(timedelta(hours=2))
    await watch(database, services.jobs, company.id)
    await watch(database, services.jobs, company.id)
    told = await events(database, company, "photo.missing")
    assert [(it["subject_id"], it["payload"]["photo_id"]) for it in told] == [(order.id, str(photo))]
    assert (await photo_of(database, company, order)).missing
    await arrive(services, database, company, file)
    await follow(database, company, file)
    assert len(await events(database, company, "photo.arrived")) == 1
    assert not (await photo_of(database, company, order)).missing


async def test_missing_files_are_listed_for_the_office_only(
    client, services, database, company, order, signed_in, clock
):
    for seed in (1, 2, 3):
        await attach(database, company, order, a_photo(seed))
        clock.forward(timedelta(seconds=1))
    office = await signed_in("dispatcher")
    first = (await client.get("/api/v1/missing-files?limit=2", headers=office)).json()
    assert [it["sha256"] for it in first["items"]] == [a_photo(1).sha256, a_photo(2).sha256]
    assert (first["items"][0]["number"], first["items"][0]["overdue"]) == (order.number, False)
    rest = (await client.get("/api/v1/missing-files", params={"cursor": first["next_cursor"]}, headers=office)).json()
    assert [it["sha256"] for it in rest["items"]] == [a_photo(3).sha256]
    assert (await client.get("/api/v1/missing-files", headers=await signed_in("engineer"))).status_code == 403


async def test_a_photo_written_while_its_file_came_is_caught_up_with(services, database, company, order, clock):
    file = a_photo()
    await attach(database, company, order, file)
    await arrive(services, database, company, file)
    await watch(database, services.jobs, company.id)
    assert (await photo_of(database, company, order)).state == "ready"
    clock.forward(timedelta(hours=2))
    await watch(database, services.jobs, company.id)
    async with database.unit_of_work(company.id) as uow:
        queued = await uow.rows("select queue_name, args from procrastinate_jobs")
    assert [(it["queue_name"], it["args"]["sha256"]) for it in queued] == [("images", file.sha256)]


async def test_what_the_server_misses_is_asked_of_everyone_who_once_had_it_and_of_nobody_else(
    services, database, company, order
):
    file = a_photo()
    await attach(database, company, order, file)
    phones = {
        role: (await enrolled_phone(database, company.actor(role))).actor
        for role in ("engineer", "partner_engineer", "team_lead")
    }
    from server.media.domain import Announcement, FileRules

    announced = Announcement(file.sha256, len(file.content), file.mime, Purpose.PHOTO)
    await service.announce(database, services.blobs, FileRules(), phones["partner_engineer"], announced)

    async def asked(role: str) -> bool:
        device = phones[role].device
        assert device
        patch = await pull(database, registry(), phones[role], Ask(device, order.id, None))
        line = next(line for line in patch.splitlines() if b'"k":"blobs"' in line)
        return file.sha256.encode() in line

    assert await asked("engineer")  # took the photo
    assert await asked("partner_engineer")  # once announced the very same bytes
    assert not await asked("team_lead")
    await arrive(services, database, company, file)
    assert not await asked("engineer")


@pytest.mark.parametrize(
    ("state", "missing", "in_the_way"),
    [
        (State.CLOSED, 0, []),
        (State.CLOSED, 2, [Obstacle.FILES_MISSING]),
        (State.RESOLVED, 0, [Obstacle.NOT_CLOSED]),
        (State.COMPLETED_DISPUTED, 1, [Obstacle.DISPUTED, Obstacle.FILES_MISSING]),
    ],
)
def test_money_waits_for_what_the_work_did_not_wait_for(state, missing, in_the_way):
    assert obstacles(state, missing_files=missing) == in_the_way
