"""What a device holds can be compared with what it should hold; large buckets travel as files."""

import hashlib
import json

import psycopg
import pytest
import zstandard

from server.core.errors import NotFound
from server.sync import snapshots
from server.sync.domain import Cookie
from server.sync.verify import Claim, verify
from tests.factories.sync import enrolled_phone
from tests.sync.test_pull import add, checksum_of, puts


@pytest.fixture
async def phone(database, engineer):
    return await enrolled_phone(database, engineer)


def opening(lines):
    return next(line for line in lines if line["k"] == "bucket")


async def compared(phone, lines, **changed):
    n, h = checksum_of(lines)
    claim = Claim(**({"v": opening(lines)["v"], "n": n, "h": h} | changed))
    return await verify(phone.database, phone.actor, phone.actor.device, phone.cookie, {"catalog:parts": claim})


async def test_a_device_that_holds_the_right_rows_is_told_so(phone, database, company):
    await add(database, company, "a", "b")
    found = await compared(phone, await phone.pull())
    assert (found.compared, found.reset, found.cookie) == (1, [], phone.cookie)


@pytest.mark.parametrize("wrong", [{"n": 1}, {"h": "0" * 16}])
async def test_a_device_that_differs_is_given_the_bucket_anew(phone, database, company, wrong):
    await add(database, company, "a", "b")
    found = await compared(phone, await phone.pull(), **wrong)
    assert found.reset == ["catalog:parts"]
    lines = await phone.pull(cookie=found.cookie)
    assert opening(lines)["mode"] == "reset"
    assert puts(lines) == ["a", "b"]


async def test_a_row_changed_behind_the_feeds_back_is_found(phone, database, company, test_database):
    await add(database, company, "a", "b")
    lines = await phone.pull()
    with psycopg.connect(test_database.owner_url, autocommit=True) as owner:
        owner.execute("delete from sync_entry where entity = 18 and entity_id = (select id from part where sku = 'b')")
    assert (await compared(phone, lines)).reset == ["catalog:parts"]


async def test_a_bucket_the_device_is_behind_in_is_not_compared(phone, database, company):
    await add(database, company, "a")
    lines = await phone.pull()
    await add(database, company, "b")
    found = await compared(phone, lines)
    assert (found.compared, found.reset) == (0, [])


async def test_an_unknown_cookie_can_not_be_verified(phone, database, company):
    await add(database, company, "a")
    lines = await phone.pull()
    phone.cookie = Cookie(1, 99)
    assert (await compared(phone, lines)).cookie is None


async def test_a_large_catalogue_comes_as_a_file_and_what_changed_since(phone, database, company):
    await add(database, company, *[f"p{n:04}" for n in range(1000)])
    assert await snapshots.make_snapshots(database, phone.registry, company.id) == 1
    assert await snapshots.make_snapshots(database, phone.registry, company.id) == 0
    async with database.unit_of_work(company.id) as uow:
        await uow.run("update part set sku = 'changed' where sku = 'p0001'")
        await uow.run("delete from part where sku = 'p0002'")
    lines = await phone.pull(snapshots=True)
    announced = opening(lines)
    assert announced["mode"] == "snapshot"
    async with database.unit_of_work(company.id) as uow:
        content = await snapshots.content(uow, phone.actor, announced["sha256"])
    assert hashlib.sha256(content).hexdigest() == announced["sha256"]
    assert len(content) == announced["bytes"]
    rows = {row["id"]: row for row in map(json.loads, zstandard.decompress(content).splitlines())}
    assert len(rows) == announced["rows"] == 1000
    rows |= {line["id"]: line for line in lines if line["k"] == "put"}
    for gone in [line["id"] for line in lines if line["k"] == "del"]:
        del rows[gone]
    check = next(line for line in lines if line["k"] == "check")
    assert checksum_of(list(rows.values())) == (check["n"], check["h"])


async def test_whoever_can_not_take_files_is_given_the_rows(phone, database, company):
    await add(database, company, *[f"p{n:04}" for n in range(1000)])
    await snapshots.make_snapshots(database, phone.registry, company.id)
    lines = await phone.pull()
    assert opening(lines)["mode"] == "reset"
    assert len(puts(lines)) == 1000


async def test_a_file_that_would_bring_back_forgotten_departures_is_not_offered(phone, database, company):
    await add(database, company, *[f"p{n:04}" for n in range(1000)])
    await snapshots.make_snapshots(database, phone.registry, company.id)
    async with database.unit_of_work(company.id) as uow:
        await uow.run("delete from part where sku = 'p0001'")
    async with database.unit_of_work(company.id) as uow:
        await uow.value("select sync_forget_departed(now() + interval '1 day')")
    lines = await phone.pull(snapshots=True)
    assert opening(lines)["mode"] == "reset"
    assert len(puts(lines)) == 999


async def test_a_file_of_another_organisation_does_not_exist(phone, database, company):
    from tests.factories.identity import found_company

    rival = await found_company(database, "rival", roles=("engineer",))
    await add(database, rival, *[f"p{n:04}" for n in range(1000)])
    await snapshots.make_snapshots(database, phone.registry, rival.id)
    async with database.unit_of_work(rival.id) as uow:
        sha256 = await uow.value("select sha256 from sync_snapshot")
    async with database.unit_of_work(company.id) as uow:
        with pytest.raises(NotFound):
            await snapshots.content(uow, phone.actor, sha256)
