"""18: Work order reassigned while A offline with parts, photos, time."""

import pytest

from server.inventory import service as inventory
from tests.factories.inventory import a_part
from tests.scenarios.handset import puts, statuses
from tests.scenarios.rules import evidence, reconnect

SHA = "ab" * 32


@pytest.fixture
async def part(database, company, handset):
    async with database.unit_of_work(company.id) as uow:
        await inventory.give_van(uow, handset.actor.person, "Van 7")
        return await a_part(uow)


async def test_18_everything_is_booked_once_and_flagged_the_old_phone_drops_it_and_the_new_one_sees_it(
    handset, second, job, part
):
    await handset.pull()
    evidence(handset, "part.use", job.at(20), part=str(part.id), quantity=1)
    evidence(handset, "photo.add", job.at(25), sha256=SHA, caption="Old seal")
    evidence(handset, "time.add", job.at(40), kind="work", started_at=job.at(10), ended_at=job.at(40))
    job.later(60)
    await job.give_to("team_lead", second.actor)
    job.later(90)

    pushed = await reconnect(handset, job)
    assert statuses(pushed) == ["applied"] * 3
    assert all(result["facts"]["late_after_reassign"] for result in pushed.json()["results"])
    again = await reconnect(handset, job)
    assert again.json()["results"] == pushed.json()["results"]
    assert [await job.count(table) for table in ("stock_movement", "photo", "time_entry")] == [1, 1, 1]
    assert await job.sql("select quantity from stock") == [{"quantity": -1}]

    dropped = [line["b"] for line in await handset.pull() if line["k"] == "drop"]
    assert f"wo:{handset.order}" in dropped
    seen = await second.pull()
    assert [it["caption"] for it in puts(seen, "photo")] == ["Old seal"]
    assert [it["started_at"] for it in puts(seen, "time_entry")] == [job.at(10)]
