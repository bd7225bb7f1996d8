"""5: PG backend terminated in mid-batch."""

import asyncio
from uuid import uuid4

import psycopg

from tests.scenarios.apart import Apart
from tests.scenarios.handset import NOW, Handset, outcomes


def time_spent(handset: Handset) -> dict[str, object]:
    args = {"id": str(uuid4()), "wo": str(handset.order), "kind": "work", "started_at": NOW, "ended_at": NOW}
    return handset.record("time.add", args)


async def test_05_the_answer_is_503_nothing_of_the_batch_is_there_and_the_resend_is_taken(apart: Apart) -> None:
    handset = apart.handset
    batch = [time_spent(handset), time_spent(handset), handset.note("in the middle"), time_spent(handset)]
    with apart.held("lock table note in share mode"):
        pushing = asyncio.create_task(handset.push(*batch))
        session = await apart.waiting()  # the first two are written, the third waits
        with psycopg.connect(apart.owner_url) as connection:
            connection.execute("select pg_terminate_backend(%s)", [session])
        answer = await pushing
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert await handset.logged() == []
    assert await handset.sql("select id from time_entry") == []
    assert await handset.sql("select id from sync_stream") == []
    assert outcomes(await handset.push(*batch)) == [("applied", None)] * 4
    assert await handset.bodies() == ["in the middle"]
    assert len(await handset.sql("select id from time_entry")) == 3
    assert [row["seq"] for row in await handset.logged()] == [1, 2, 3, 4]
