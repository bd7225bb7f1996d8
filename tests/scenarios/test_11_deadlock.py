"""11: Deadlock/serialization failure."""

import asyncio

from tests.factories.workorders import a_visit, an_order
from tests.scenarios.handset import statuses


async def test_11_a_real_deadlock_is_retried_and_the_client_sees_200(handset, database, company):
    """The office holds the second order's bucket and wants the first's; the push has them the other way round."""
    async with database.unit_of_work(company.id) as uow:
        second = await an_order(uow, company.actor("dispatcher"))
        await a_visit(uow, company.actor("dispatcher"), handset.actor, second)
    batch = [handset.note("first"), handset.note("second")]
    batch[1]["args"]["wo"] = str(second.id)
    lock = "select 1 from sync_bucket where key = %(key)s for update"
    lost = 0
    async with database.unit_of_work(company.id) as office:
        # Whoever looks first is the victim: the office is made the patient one.
        await office.run("set local lock_timeout = '15s'")
        await office.row(lock, key=f"wo:{second.id}")
        pushing = asyncio.create_task(handset.push(*batch))
        await asyncio.sleep(0.3)
        try:
            async with office.savepoint():
                await office.row(lock, key=f"wo:{handset.order}")
        except Exception as failed:  # noqa: BLE001 - either of the two may be the victim
            lost += 1
            assert "deadlock" in str(failed)  # noqa: PT017
    assert statuses(await pushing) == ["applied", "applied"]
    assert lost <= 1
    rows = await handset.sql("select count(*) as n from note where author_id = %(p)s", p=handset.actor.person)
    assert rows[0]["n"] == 2
