"""25: Two vans use the last reserved part."""

import asyncio
from uuid import uuid4

import pytest

from server.inventory import service
from server.workorders import queries
from tests.factories.inventory import a_part, goods_in
from tests.factories.workforce import an_engineer
from tests.factories.workorders import a_visit
from tests.scenarios.handset import puts


@pytest.fixture
async def scene(hand_out, client, signed_in, database, company, administrator, dispatcher):
    """One piece on van 7, promised to the order that both engineers were sent to, one after the other."""
    first = await hand_out("engineer")
    second = await hand_out("team_lead", first.order)
    async with database.unit_of_work(company.id) as uow:
        await an_engineer(uow, second.actor)
        order = await queries.order(uow, first.order)
        assert order is not None
        await a_visit(uow, dispatcher, second.actor, order)
        part = await a_part(uow)
        vans = [
            await service.give_van(uow, phone.actor.person, name)
            for phone, name in ((first, "Van 7"), (second, "Van 8"))
        ]
        await goods_in(uow, administrator, part, vans[0], 1)
    asked = {"work_order_id": str(first.order), "part_id": str(part.id), "location_id": str(vans[0].id), "quantity": 1}
    desk = await signed_in("warehouse_clerk")
    reserved = await client.post("/api/v1/reservations", json=asked, headers=desk)
    assert reserved.status_code == 201, reserved.text
    return first, second, part, vans, reserved.json()["id"]


def usage(phone, part, reservation):
    args = {"id": str(uuid4()), "wo": str(phone.order), "part": str(part.id), "quantity": 1, "reservation": reservation}
    return phone.record("part.use", args)


async def test_25_both_entries_are_kept_stock_is_minus_one_and_the_reservation_is_closed_once(scene, client, signed_in):
    first, second, part, vans, reservation = scene
    promised = puts(await second.pull(), "reservation")
    assert [(it["part_id"], it["quantity"], it["used"], it["state"]) for it in promised] == [
        (str(part.id), 1, 0, "open")
    ]
    for phone in (first, second):
        usage(phone, part, reservation)
    answers = await asyncio.gather(first.push(), second.push())
    results = [answer.json()["results"][0] for answer in answers]
    assert [result["status"] for result in results] == ["applied", "applied"]
    assert sorted("RESERVATION_CLOSED" in result.get("flags", []) for result in results) == [False, True]
    again = [(await phone.push()).json()["results"][0] for phone in (first, second)]
    assert again == results

    desk = await signed_in("warehouse_clerk")
    stock = (await client.get("/api/v1/stock", params={"part_id": str(part.id)}, headers=desk)).json()["items"]
    assert {it["location_name"]: it["quantity"] for it in stock} == {"Van 8": -1}
    moved = await first.sql("select from_id, quantity from stock_movement where reason = 'used'")
    assert {(it["from_id"], it["quantity"]) for it in moved} == {(van.id, 1) for van in vans}
    (closed,) = (await client.get("/api/v1/reservations", headers=desk)).json()["items"]
    assert (closed["id"], closed["used"], closed["state"]) == (reservation, 1, "closed")
    assert await first.sql("select sum(quantity) as used, count(*) as times from reservation_use") == [
        {"used": 1, "times": 1}
    ]
    tasks = (await client.get("/api/v1/stock-discrepancies", headers=desk)).json()["items"]
    assert [(it["kind"], it["state"], it["location_id"], it["found"]) for it in tasks] == [
        ("negative", "open", str(vans[1].id), -1)
    ]
