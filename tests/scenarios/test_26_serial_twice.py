"""26: Same serial consumed twice (two devices)."""

import asyncio
from uuid import uuid4

from server.inventory import service
from tests.factories.inventory import a_part, goods_in
from tests.factories.workforce import an_engineer


async def test_26_the_first_is_applied_the_second_is_quarantined_and_a_task_is_opened(
    hand_out, client, signed_in, database, company, administrator
):
    first = await hand_out("engineer")
    second = await hand_out("team_lead")
    async with database.unit_of_work(company.id) as uow:
        await an_engineer(uow, second.actor)
        pump = await a_part(uow, "PUMP", serial_tracked=True)
        vans = [
            await service.give_van(uow, phone.actor.person, name)
            for phone, name in ((first, "Van 7"), (second, "Van 8"))
        ]
        await goods_in(uow, administrator, pump, vans[0], 1, serial="SN-1")
    for phone in (first, second):
        args = {"id": str(uuid4()), "wo": str(phone.order), "part": str(pump.id), "quantity": 1, "serial": "SN-1"}
        phone.record("part.use", args)
        phone.note("The pump is in.")

    answers = await asyncio.gather(first.push(), second.push())
    results = [answer.json()["results"] for answer in answers]
    assert sorted(result[0]["status"] for result in results) == ["applied", "quarantined"]
    assert [result[1]["status"] for result in results] == ["applied", "applied"]
    loser, refused = next(
        (phone, result[0])
        for phone, result in zip((first, second), results, strict=True)
        if result[0]["status"] == "quarantined"
    )
    assert refused["code"] == "SERIAL_ALREADY_USED"
    assert (await loser.push()).json()["results"][0] == refused

    used = await first.sql("select serial from stock_movement where reason = 'used'")
    assert used == [{"serial": "SN-1"}]
    kept = await first.sql("select id, envelope from mutation_log where status = 'quarantined'")
    assert [str(it["id"]) for it in kept] == [loser.outbox[0]["id"]]
    assert kept[0]["envelope"]["args"] == loser.outbox[0]["args"]
    desk = await signed_in("warehouse_clerk")
    tasks = (await client.get("/api/v1/stock-discrepancies", params={"state": "open"}, headers=desk)).json()["items"]
    clashes = [it for it in tasks if it["kind"] == "serial_clash"]
    assert [(it["serial"], it["mutation_id"], it["work_order_id"]) for it in clashes] == [
        ("SN-1", loser.outbox[0]["id"], str(loser.order))
    ]
