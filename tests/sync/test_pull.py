"""The feed can't skip a row, whoever writes and however late they commit."""

import asyncio
import hashlib

import psycopg
import pytest

from server.inventory import service as inventory
from server.sync.domain import Cookie
from tests.factories.sync import PartArgs, _insert, enrolled_phone


@pytest.fixture
async def phone(database, engineer):
    return await enrolled_phone(database, engineer)


async def add(database, company, *skus):
    async with database.unit_of_work(company.id) as uow:
        for sku in skus:
            await _insert(uow, PartArgs(id=uow.new_id(), sku=sku))


def puts(lines):
    return sorted(line["d"]["sku"] for line in lines if line["k"] == "put")


async def test_a_first_pull_brings_everything_and_the_next_one_nothing(phone, database, company):
    await add(database, company, "a", "b")
    first = await phone.pull()
    assert [line["k"] for line in first] == ["head", "bucket", "put", "put", "check", "blobs", "tail"]
    assert first[1]["mode"] == "reset"
    assert first[4]["n"] == 2
    assert not first[-1]["more"]
    assert [line["k"] for line in await phone.pull()] == ["head", "blobs", "tail"]


async def test_only_what_changed_comes_again_and_raw_deletes_arrive_too(phone, database, company):
    await add(database, company, "a", "b", "c")
    await phone.pull()
    async with database.unit_of_work(company.id) as uow:
        await uow.run("update part set sku = 'b2' where sku = 'b'")
        await uow.run("delete from part where sku = 'c'")
    delta = await phone.pull()
    assert delta[1]["mode"] == "delta"
    assert puts(delta) == ["b2"]
    assert sum(line["k"] == "del" for line in delta) == 1
    assert delta[-3]["n"] == 2


async def test_writing_without_change_sends_nothing(phone, database, company):
    await add(database, company, "a")
    await phone.pull()
    async with database.unit_of_work(company.id) as uow:
        await uow.run("update part set sku = sku")
    assert puts(await phone.pull()) == []


async def test_a_writer_that_began_first_and_commits_last_is_not_skipped(phone, database, company):
    await add(database, company, "before")
    await phone.pull()
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow_writer():
        async with database.unit_of_work(company.id) as uow:
            await _insert(uow, PartArgs(id=uow.new_id(), sku="slow"))
            began.set()
            await go_on.wait()

    writing = asyncio.create_task(slow_writer())
    await began.wait()
    quick = asyncio.create_task(add(database, company, "quick"))
    await asyncio.sleep(0.1)
    between = puts(await phone.pull())
    go_on.set()
    await asyncio.gather(writing, quick)
    assert sorted(between + puts(await phone.pull())) == ["quick", "slow"]


async def test_the_same_cookie_again_brings_the_same_rows(phone, database, company):
    await add(database, company, "a")
    await phone.pull()
    cookie = phone.cookie
    await add(database, company, "b")
    lost = await phone.pull(cookie=cookie)
    again = await phone.pull(cookie=cookie)
    assert puts(lost) == puts(again) == ["b"]


async def test_a_made_up_cookie_only_costs_a_full_pull(phone, database, company):
    await add(database, company, "a")
    await phone.pull()
    assert puts(await phone.pull(cookie=Cookie(1, 999))) == ["a"]


EVERYTHING: frozenset[str] = frozenset()


async def test_a_bucket_that_leaves_the_scope_is_one_drop(phone, database, company, engineer):
    async with database.unit_of_work(company.id) as uow:
        van = await inventory.give_van(uow, engineer.person, "Van 1")
    assert f"van:{van.id}" in {line.get("b") for line in await phone.pull(want=EVERYTHING)}
    async with database.unit_of_work(company.id) as uow:
        await uow.run("update stock_location set person_id = null where id = %(id)s", id=van.id)
    lines = await phone.pull(want=EVERYTHING)
    assert {"k": "drop", "b": f"van:{van.id}", "why": "left_scope"} in lines
    assert [line["k"] for line in await phone.pull(want=EVERYTHING)] == ["head", "blobs", "tail"]


async def test_a_large_answer_is_cut_between_buckets_and_continued(phone, database, company, engineer):
    await add(database, company, "a")
    async with database.unit_of_work(company.id) as uow:
        van = await inventory.give_van(uow, engineer.person, "Van 1")
    seen, more = [], True
    while more:
        lines = await phone.pull(max_bytes=1, want=EVERYTHING)
        seen += [line["b"] for line in lines if line["k"] == "bucket"]
        more = lines[-1]["more"]
    assert seen == [f"user:{engineer.person}", f"van:{van.id}", "catalog:parts"]


async def test_what_another_organisation_writes_never_appears(phone, database, company):
    from tests.factories.identity import found_company

    rival = await found_company(database, "rival", roles=("engineer",))
    await add(database, rival, "secret")
    await add(database, company, "ours")
    assert puts(await phone.pull()) == ["ours"]


async def test_pull_reports_the_watermark_of_the_stream(phone):
    await phone.push(phone.note("a"), phone.note("b"))
    assert (await phone.pull())[0]["last_seq"] == 2


def checksum_of(lines):
    """What a phone computes from the rows it holds."""
    rows = {line["id"]: line["ver"] for line in lines if line["k"] == "put"}
    digest = 0
    for row, ver in rows.items():
        digest ^= int.from_bytes(hashlib.sha256(f"{row}:{ver}".encode()).digest()[:8], "big")
    return len(rows), f"{digest:016x}"


async def test_the_checksum_is_what_a_phone_computes_from_ids_and_versions(phone, database, company):
    await add(database, company, "a", "b", "c")
    lines = await phone.pull()
    check = next(line for line in lines if line["k"] == "check")
    assert checksum_of(lines) == (check["n"], check["h"])


async def bucket(database, company, key="catalog:parts"):
    async with database.unit_of_work(company.id) as uow:
        return await uow.row("select * from sync_bucket where key = %(key)s", key=key)


async def test_a_transaction_raises_a_bucket_once_however_often_it_writes(database, company):
    await add(database, company, "a", "b", "c")
    assert (await bucket(database, company))["version"] == 1
    async with database.unit_of_work(company.id) as uow:
        await uow.run("update part set sku = sku || '!'")
        async with uow.connection.transaction(force_rollback=True):
            await uow.run("update part set unit = 'box'")
        await uow.run("delete from part where sku = 'a!'")
    assert (await bucket(database, company))["version"] == 2


async def test_a_write_undone_by_a_savepoint_does_not_hide_the_next_one(phone, database, company):
    await add(database, company, "a")
    await phone.pull()
    async with database.unit_of_work(company.id) as uow:
        async with uow.connection.transaction(force_rollback=True):
            await uow.run("update part set sku = 'never'")
        await uow.run("update part set sku = 'kept'")
    assert puts(await phone.pull()) == ["kept"]


async def test_a_row_that_moves_leaves_one_bucket_and_enters_another(database, company, engineer):
    phone = await enrolled_phone(database, engineer)
    async with database.unit_of_work(company.id) as uow:
        shift = uow.new_id()
        await uow.run(
            "insert into shift (org_id, id, person_id, starts_at, ends_at) "
            "values (%(org)s, %(id)s, %(person)s, %(now)s, %(now)s::timestamptz + interval '8 hours')",
            org=company.id,
            id=shift,
            person=engineer.person,
            now=uow.now(),
        )
    assert str(shift) in {line.get("id") for line in await phone.pull(want=EVERYTHING)}
    async with database.unit_of_work(company.id) as uow:
        other = company.actor("dispatcher").person
        await uow.run("update shift set person_id = %(other)s where id = %(id)s", other=other, id=shift)
    assert {"k": "del", "t": "shift", "id": str(shift)} in await phone.pull(want=EVERYTHING)


async def test_truncate_is_refused_because_no_phone_would_learn_of_it(test_database):
    with psycopg.connect(test_database.owner_url) as owner, pytest.raises(psycopg.errors.RaiseException):
        owner.execute("truncate part cascade")


async def test_an_import_of_many_rows_raises_its_bucket_once(phone, database, company):
    async with database.unit_of_work(company.id) as uow:
        await uow.run(
            """
            insert into part (org_id, id, sku, name, unit, serial_tracked, price_minor, currency)
            select %(org)s, gen_random_uuid(), 'p' || n, '{"en": "Part"}', 'pcs', false, 1, 'EUR'
            from generate_series(1, 2000) n
            """,
            org=company.id,
        )
    assert (await bucket(database, company))["version"] == 1
    assert len(puts(await phone.pull())) == 2000


async def test_a_pull_that_finds_nothing_new_writes_nothing(phone, database, company):
    await add(database, company, "a")
    await phone.pull()
    before = phone.cookie
    await phone.pull()
    assert phone.cookie == before


async def test_whoever_was_away_while_departures_were_forgotten_takes_the_bucket_anew(phone, database, company):
    await add(database, company, "a", "b")
    await phone.pull()
    async with database.unit_of_work(company.id) as uow:
        await uow.run("delete from part where sku = 'a'")
    async with database.unit_of_work(company.id) as uow:
        assert await uow.value("select sync_forget_departed(now() + interval '1 day')") == 1
    lines = await phone.pull()
    assert [line["mode"] for line in lines if line["k"] == "bucket"] == ["reset"]
    assert puts(lines) == ["b"]
