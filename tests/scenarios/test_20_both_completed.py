"""20: … A and B both completed."""

import pytest

from server.inventory import service as inventory
from tests.factories.confirmation import a_signature
from tests.factories.inventory import a_part
from tests.scenarios.handset import outcomes, statuses
from tests.scenarios.rules import evidence, reconnect, whole_job


@pytest.fixture
async def part(database, company, handset, second):
    async with database.unit_of_work(company.id) as uow:
        for phone, van in ((handset, "Van 7"), (second, "Van 8")):
            await inventory.give_van(uow, phone.actor.person, van)
        return await a_part(uow)


async def signs(phone, job, at):
    async with job.database.unit_of_work(job.office.org) as uow:
        phone.record("signature.capture", a_signature(uow, job.order, visit=None), at=at)


async def test_20_the_first_completion_stays_and_the_second_is_a_visit_of_its_own_with_all_that_was_used(
    handset, second, job, part
):
    whole_job(handset, job.visits["engineer"], job, 5, 10, 20, 30, 55)
    evidence(handset, "part.use", job.at(50), part=str(part.id), quantity=1)
    await signs(handset, job, job.at(56))
    job.later(15)
    theirs = await job.give_to("team_lead", second.actor)
    whole_job(second, theirs, job, 16, 20, 25, 30, 50)
    evidence(second, "part.use", job.at(49), part=str(part.id), quantity=2)
    await signs(second, job, job.at(51))
    job.later(58)
    first_in = statuses(await reconnect(second, job))
    assert first_in[:6] == ["applied"] * 6
    closed = await job.state()
    job.later(60)
    assert outcomes(await reconnect(handset, job))[:6] == [
        ("merged", "BOOKED_AS_FACT"),
        ("merged", "BOOKED_AS_FACT"),
        ("merged", "BOOKED_AS_FACT"),
        ("merged", "BOOKED_AS_FACT"),
        ("conflict", "BOTH_COMPLETED"),
        ("applied", None),
    ]
    assert await job.state() == closed
    assert await job.visit_states() == ["completed", "completed"]
    assert await job.count("signature") == 2
    moved = await job.sql("select sum(quantity) as n from stock_movement where work_order_id = %(order)s")
    assert moved == [{"n": 3}]
    assert "BOTH_COMPLETED" in [it["code"] for it in await job.conflicts()]
