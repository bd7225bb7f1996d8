"""What becomes of files in time: forgotten, removed, kept for ever, missed and asked for again."""

from datetime import timedelta

import pytest

from callout.files import REFERENCES
from server.media import keeping, queries, service
from server.media.domain import Announcement, BlobKey, BlobState, Chunk, FileRules, Purpose
from server.media.store import DiskStore
from server.media.uploads import receive
from server.migrations.metadata import METADATA
from tests.factories.media import a_photo
from tests.factories.sync import enrolled_phone
from tests.factories.workforce import an_engineer
from tests.factories.workorders import a_visit, an_order, from_phone

RULES = FileRules(references=REFERENCES)

# Columns that look like a file's hash and keep no file, each with its reason.
NO_REFERENCE = {
    "blob.sha256": "the file itself",
    "blob_holder.sha256": "says who has it, goes with it",
    "picture.sha256": "goes with its original",
    "sync_snapshot.sha256": "its content lies in the row",
    "refused_push.sha256": "the hash of a body that lies in the row; the hashes inside it count",
    "report_pdf.plain_sha256": "the print before it was sealed, which is not kept",
}
REFERRED = {"photo.sha256", "report_pdf.pdf_sha256", "picture.thumb_sha256", "picture.view_sha256"}


def test_every_column_that_names_a_file_keeps_it_or_says_why_not():
    named = {
        f"{table.name}.{column.name}"
        for table in METADATA.tables.values()
        for column in table.columns
        if "sha256" in column.name or "blob" in column.name
    }
    assert named == set(NO_REFERENCE) | REFERRED


@pytest.fixture
def store(tmp_path) -> DiskStore:
    return DiskStore(tmp_path)


@pytest.fixture
async def phone(database, company):
    return (await enrolled_phone(database, company.actor("engineer"))).actor


async def announce(database, store, actor, file, purpose=Purpose.PHOTO):
    wanted = Announcement(file.sha256, len(file.content), file.mime, purpose)
    return await service.announce(database, store, RULES, actor, wanted)


async def send(database, store, actor, file, content=None):
    async def pieces():
        yield file.content if content is None else content

    await announce(database, store, actor, file)
    await receive(database, store, actor.org, sha256=file.sha256, chunk=Chunk(0), pieces=pieces())


async def known(database, org, file):
    async with database.unit_of_work(org) as uow:
        return await queries.blob(uow, file.sha256)


async def attach(database, company, file):
    """Put the photo on an order of the engineer's."""
    engineer, dispatcher = company.actor("engineer"), company.actor("dispatcher")
    async with database.unit_of_work(company.id) as uow:
        await an_engineer(uow, engineer)
        order = await an_order(uow, dispatcher)
        visit = await a_visit(uow, dispatcher, engineer, order)
        args = {"id": uow.new_id(), "wo": order.id, "visit": visit.id, "sha256": file.sha256, "caption": "Plate"}
        await from_phone(uow, engineer, "photo.add", args)
    return args


async def test_an_upload_nobody_goes_on_with_is_forgotten_after_a_week(database, company, store, phone, clock):
    file = a_photo()
    await send(database, store, phone, file, file.content[:500])
    clock.forward(timedelta(days=6))
    assert await keeping.tidy(database, store, RULES, company.id, BlobState.PENDING) == 0
    await send_more(database, store, phone, file)
    clock.forward(timedelta(days=6, hours=23))
    assert await keeping.tidy(database, store, RULES, company.id, BlobState.PENDING) == 0
    clock.forward(timedelta(hours=2))
    assert await keeping.tidy(database, store, RULES, company.id, BlobState.PENDING) == 1
    assert await known(database, company.id, file) is None
    assert not list(store._partial(BlobKey(company.id, file.sha256)).parent.iterdir())


async def send_more(database, store, actor, file):
    async def pieces():
        yield file.content[500:600]

    await receive(database, store, actor.org, sha256=file.sha256, chunk=Chunk(500), pieces=pieces())


async def test_an_upload_that_an_order_waits_for_is_never_forgotten(database, company, store, phone, clock):
    file = a_photo()
    await send(database, store, phone, file, file.content[:500])
    await attach(database, company, file)
    clock.forward(timedelta(days=400))
    assert await keeping.tidy(database, store, RULES, company.id, BlobState.PENDING) == 0
    assert (await known(database, company.id, file)).received == 500


async def test_a_file_nothing_refers_to_is_kept_for_thirty_days(database, company, store, phone, clock):
    file = a_photo()
    await send(database, store, phone, file)
    clock.forward(timedelta(days=29))
    assert await keeping.tidy(database, store, RULES, company.id, BlobState.READY) == 0
    clock.forward(timedelta(days=2))
    assert await keeping.tidy(database, store, RULES, company.id, BlobState.READY) == 1
    assert await known(database, company.id, file) is None
    assert await store.size(BlobKey(company.id, file.sha256)) is None
    await send(database, store, phone, file)
    assert (await known(database, company.id, file)).state is BlobState.READY


async def test_announcing_a_file_again_keeps_it_longer(database, company, store, phone, clock):
    file = a_photo()
    await send(database, store, phone, file)
    clock.forward(timedelta(days=29))
    await announce(database, store, phone, file)
    clock.forward(timedelta(days=29))
    assert await keeping.tidy(database, store, RULES, company.id, BlobState.READY) == 0


async def test_a_photo_on_an_order_is_kept_for_ever_also_when_it_is_hidden(database, company, store, phone, clock):
    file = a_photo()
    await send(database, store, phone, file)
    args = await attach(database, company, file)
    async with database.unit_of_work(company.id) as uow:
        await uow.run("update photo set hidden_why = 'a face' where id = %(id)s", id=args["id"])
    clock.forward(timedelta(days=3_000))
    assert await keeping.tidy(database, store, RULES, company.id, BlobState.READY) == 0
    assert await store.size(BlobKey(company.id, file.sha256)) == len(file.content)


async def test_a_photo_that_only_a_mutation_in_quarantine_names_is_kept(database, company, store, phone, clock):
    from server.sync.push import push
    from server.sync.registry import Registry
    from tests.factories.sync import Phone

    file, sender = a_photo(), Phone(database, Registry(), phone)
    await send(database, store, phone, file)
    note = sender.note("x", name="photo.add", args={"id": "0" * 32, "sha256": file.sha256})
    receipt = await push(database, Registry(), phone, sender.batch(note))
    assert receipt.results[0]["status"] == "quarantined"
    clock.forward(timedelta(days=300))
    assert await keeping.tidy(database, store, RULES, company.id, BlobState.READY) == 0
    assert await store.size(BlobKey(company.id, file.sha256)) == len(file.content)


async def test_a_file_the_disk_lost_is_found_missing_and_asked_of_whoever_had_it(database, company, store, phone):
    file, other = a_photo(1), a_photo(2)
    await send(database, store, phone, file)
    await send(database, store, phone, other)
    await store.remove(BlobKey(company.id, file.sha256))
    assert await keeping.find_lost(database, store, company.id) == 1
    assert (await known(database, company.id, file)).state is BlobState.PENDING
    assert (await known(database, company.id, other)).state is BlobState.READY


async def test_usage_is_counted_and_what_came_since_is_added(database, company, store, phone, clock):
    first, second = a_photo(1), a_photo(2)
    await send(database, store, phone, first)
    await keeping.count_usage(database, company.id)
    clock.forward(timedelta(seconds=1))
    await send(database, store, phone, second)
    async with database.unit_of_work(company.id) as uow:
        assert await queries.bytes_kept(uow) == len(first.content) + len(second.content)
    clock.forward(timedelta(days=40))
    await keeping.tidy(database, store, RULES, company.id, BlobState.READY)
    await keeping.count_usage(database, company.id)
    async with database.unit_of_work(company.id) as uow:
        assert await queries.bytes_kept(uow) == 0
