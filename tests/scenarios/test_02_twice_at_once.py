"""2: Same batch sent twice concurrently on two connections."""

import asyncio

from tests.scenarios.handset import statuses


async def test_02_one_applies_and_the_other_waits_on_the_stream_and_answers_the_same(handset):
    batch = [handset.note(str(number)) for number in range(20)]
    await handset.push(*batch[:1])
    # Both are on their way before the stream's row is let go.
    async with handset.database.unit_of_work(handset.actor.org) as uow:
        await uow.row("select 1 from sync_stream where id = %(id)s for update", id=handset.stream)
        both = [asyncio.create_task(handset.push(*batch)) for _ in range(2)]
        await asyncio.sleep(0.3)
        assert not any(task.done() for task in both)
    one, two = await asyncio.gather(*both)
    assert one.json()["results"] == two.json()["results"]
    assert set(statuses(one)) == {"applied"}
    assert len(await handset.bodies()) == 20
    assert len(await handset.logged()) == 20
