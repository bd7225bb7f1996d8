"""The feed can't skip a row, whoever writes and however late they commit."""

import asyncio

import pytest

from tests.factories.sync import PartArgs, _insert, catalogue_registry, enrolled_phone


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
    assert puts(await phone.pull(cookie=999)) == ["a"]


async def test_a_bucket_that_leaves_the_scope_is_one_drop(database, engineer, company):
    registry = catalogue_registry()
    phone = await enrolled_phone(database, engineer, registry)
    await add(database, company, "a")
    await phone.pull()
    registry.scopes.clear()
    registry.scope("select 'user:nobody', 1")
    lines = await phone.pull()
    assert {"k": "drop", "b": "catalog:parts", "why": "left_scope"} in lines
    assert [line["k"] for line in await phone.pull()] == ["head", "blobs", "tail"]


async def test_a_large_answer_is_cut_between_buckets_and_continued(database, engineer, company):
    registry = catalogue_registry()
    registry.projection(
        16,
        "person",
        "select id, 1 as ver, jsonb_build_object('pad', repeat('x', 20000)) as d from person where id = any(%(ids)s)",
    )
    registry.scope("select 'user:' || id, 1 from person")
    phone = await enrolled_phone(database, engineer, registry)
    await add(database, company, "a")
    seen, pulls = [], 0
    while True:
        lines = await phone.pull(max_bytes=30_000)
        pulls += 1
        seen += [line["b"] for line in lines if line["k"] == "bucket"]
        if not lines[-1]["more"]:
            break
    assert pulls > 2
    assert len(seen) == len(set(seen)) == len(company.people) + 1
    assert seen[-1] == "catalog:parts"


async def test_what_another_organisation_writes_never_appears(phone, database, company):
    from tests.factories.identity import found_company

    rival = await found_company(database, "rival", roles=("engineer",))
    await add(database, rival, "secret")
    await add(database, company, "ours")
    assert puts(await phone.pull()) == ["ours"]


async def test_pull_reports_the_watermark_of_the_stream(phone):
    await phone.push(phone.note("a"), phone.note("b"))
    assert (await phone.pull())[0]["last_seq"] == 2
