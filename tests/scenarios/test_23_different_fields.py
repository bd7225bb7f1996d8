"""23: Two people edit different fields / different checklist items."""

import pytest

from tests.factories.workorders import a_procedure
from tests.scenarios.handset import outcomes, statuses
from tests.scenarios.rules import evidence, reconnect


@pytest.fixture
async def items(database, company):
    async with database.unit_of_work(company.id) as uow:
        return (await a_procedure(uow))[1]


async def test_23_both_fields_are_kept_and_nobody_is_asked(handset, job, client, signed_in):
    seen = {"title": "Oven stays cold", "priority": "normal"}
    handset.record("wo.patch", {"wo": str(job.order.id), "base": seen, "set": {"title": "Grill stays cold"}})
    office = await signed_in("dispatcher")
    order = (await client.get(f"/api/v1/work-orders/{job.order.id}", headers=office)).json()
    body = {"expected_version": order["version"], "priority": "high"}
    assert (await client.patch(f"/api/v1/work-orders/{job.order.id}", json=body, headers=office)).status_code == 200
    assert outcomes(await reconnect(handset, job)) == [("merged", "FIELDS_MERGED")]
    now = (await client.get(f"/api/v1/work-orders/{job.order.id}", headers=office)).json()
    assert (now["title"], now["priority"]) == ("Grill stays cold", "high")
    assert await job.conflicts() == []


async def test_23_answers_to_different_items_are_both_kept(handset, second, job, items):
    for phone, item, value in ((handset, items[0], True), (second, items[1], 200)):
        evidence(phone, "answer.set", job.at(1), item=str(item.id), value=value)
    job.later(2)
    await job.give_to("team_lead", second.actor)
    assert statuses(await reconnect(second, job)) == ["applied"]
    assert statuses(await reconnect(handset, job)) == ["applied"]
    standing = await job.sql(
        "select value from checklist_answer where work_order_id = %(order)s and superseded_by is null "
        "order by value::text"
    )
    assert [row["value"] for row in standing] == [200, True]
    assert await job.conflicts() == []


async def test_23_the_same_office_field_keeps_the_offices_word_and_the_wish(handset, job, client, signed_in):
    seen = {"title": "Oven stays cold", "priority": "normal"}
    wish = {"wo": str(job.order.id), "base": seen}
    handset.record("wo.patch", wish | {"set": {"title": "Grill stays cold"}})
    handset.record("wo.patch", wish | {"set": {"priority": "urgent"}})
    office = await signed_in("dispatcher")
    order = (await client.get(f"/api/v1/work-orders/{job.order.id}", headers=office)).json()
    body = {"expected_version": order["version"], "priority": "high", "title": "Oven and grill"}
    assert (await client.patch(f"/api/v1/work-orders/{job.order.id}", json=body, headers=office)).status_code == 200
    assert outcomes(await reconnect(handset, job)) == [("merged", "PROPOSAL_KEPT"), ("conflict", "PRIORITY_RAISED")]
    now = (await client.get(f"/api/v1/work-orders/{job.order.id}", headers=office)).json()
    assert (now["title"], now["priority"]) == ("Oven and grill", "high")
    kept = await job.sql("select facts from timeline_entry where work_order_id = %(order)s and action = 'amend'")
    assert {"title": "Grill stays cold"} in [row["facts"]["kept_out"] for row in kept]
