"""12: Writer A takes version first, commits last, device pulls in between."""

import asyncio

from tests.scenarios.handset import puts


async def test_12_the_later_pull_delivers_the_slow_writers_rows(handset, database, company):
    await handset.pull()
    insert = """
        insert into note (org_id, id, work_order_id, author_id, body, at)
        values (%(org)s, gen_random_uuid(), %(order)s, %(author)s, %(body)s, now())
    """
    named = {"org": company.id, "order": handset.order, "author": handset.actor.person}
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow():
        async with database.unit_of_work(company.id) as uow:
            await uow.run(insert, body="slow", **named)
            began.set()
            await go_on.wait()

    async def quick():
        async with database.unit_of_work(company.id) as uow:
            await uow.run(insert, body="quick", **named)

    writing = asyncio.create_task(slow())
    await began.wait()
    other = asyncio.create_task(quick())
    await asyncio.sleep(0.2)
    seen = [note["body"] for note in puts(await handset.pull(), "note")]
    go_on.set()
    await asyncio.gather(writing, other)
    seen += [note["body"] for note in puts(await handset.pull(), "note")]
    assert sorted(seen) == ["quick", "slow"]
