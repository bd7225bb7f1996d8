"""22: Work order deleted (GDPR/void) while A edits."""

import psycopg

from tests.scenarios.handset import outcomes, puts
from tests.scenarios.rules import reconnect


async def void(client, office, job, what="void"):
    answer = await client.post(
        f"/api/v1/work-orders/{job.order.id}/{what}", json={"reason": "Opened by mistake"}, headers=office
    )
    assert answer.status_code == 200, answer.text


async def quarantined(job):
    return await job.sql(
        """
        select i.id, i.code, m.envelope -> 'args' ->> 'body' as body
        from review_item i join mutation_log m on m.id = i.mutation_id where i.kind = 'quarantine'
        """
    )


async def test_22_what_was_recorded_waits_in_quarantine_word_for_word_and_can_be_brought_back(
    handset, job, client, signed_in
):
    office = await signed_in("dispatcher")
    await handset.pull()
    handset.note("Seal replaced")
    await void(client, office, job)
    assert outcomes(await reconnect(handset, job)) == [("quarantined", "ENTITY_GONE")]
    (kept,) = await quarantined(job)
    assert (kept["code"], kept["body"]) == ("ENTITY_GONE", "Seal replaced")
    assert await handset.bodies() == []
    assert f"wo:{job.order.id}" in [line["b"] for line in await handset.pull() if line["k"] == "drop"]
    listed = (await client.get("/api/v1/work-orders", headers=office)).json()["items"]
    assert listed == []
    taken_back = (await client.get("/api/v1/work-orders?voided=true", headers=office)).json()["items"]
    assert [it["id"] for it in taken_back] == [str(job.order.id)]

    await void(client, office, job, "restore")
    replayed = await client.post(f"/api/v1/inbox/{kept['id']}/settle", json={"choice": "replay"}, headers=office)
    assert replayed.status_code == 200, replayed.text
    assert await handset.bodies() == ["Seal replaced"]
    back = await handset.pull()
    assert [it["body"] for it in puts(back, "note")] == ["Seal replaced"]


async def test_22_nobody_works_on_an_order_that_was_taken_back(job, client, signed_in):
    office = await signed_in("dispatcher")
    await void(client, office, job)
    order = f"/api/v1/work-orders/{job.order.id}"
    for method, path, body in (
        ("POST", "/actions", {"action": "cancel", "reason": "x"}),
        ("POST", "/notes", {"body": "x"}),
        ("PUT", "/texts/findings", {"base_rev": 1, "text": "x"}),
        ("POST", "/void", {"reason": "again"}),
    ):
        refused = await client.request(method, order + path, json=body, headers=office)
        assert (refused.status_code, refused.json()["code"]) == (409, "work_order.voided"), path


async def test_22_an_order_deleted_past_the_use_cases_is_gone_too(handset, job, test_database):
    handset.note("Seal replaced")
    with psycopg.connect(test_database.owner_url, autocommit=True) as raw:
        raw.execute("delete from work_order where id = %s", [job.order.id])
    assert outcomes(await reconnect(handset, job)) == [("quarantined", "ENTITY_GONE")]
    assert [row["body"] for row in await quarantined(job)] == ["Seal replaced"]
