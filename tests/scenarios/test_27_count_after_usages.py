"""27: Count event arrives later than usages made before it (`at_est`)."""

import itertools
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from server.inventory import service
from tests.factories.inventory import a_part, goods_in
from tests.scenarios.handset import NOW


def at(minutes: int) -> str:
    return (datetime.fromisoformat(NOW) + timedelta(minutes=minutes)).isoformat()


@pytest.fixture
async def scene(hand_out, database, company, administrator, engineer, clock):
    """Ten pieces on the van since the morning; three hours later."""
    async with database.unit_of_work(company.id) as uow:
        part = await a_part(uow)
        van = await service.give_van(uow, engineer.person, "Van 7")
        await goods_in(uow, administrator, part, van, 10)
    clock.forward(timedelta(hours=3))
    return await hand_out(), part, van


def use(phone, part, quantity, minutes):
    args = {"id": str(uuid4()), "wo": str(phone.order), "part": str(part.id), "quantity": quantity}
    return phone.record("part.use", args, at=at(minutes))


def count(phone, part, found, minutes):
    args = {"id": str(uuid4()), "part": str(part.id), "quantity": found}
    return phone.record("part.count", args, at=at(minutes))


async def on_van(phone, part):
    (row,) = await phone.sql("select quantity from stock where part_id = %(part)s", part=part.id)
    return row["quantity"]


async def test_27_the_difference_is_booked_as_of_the_count_and_later_usages_come_off_it(scene, client, signed_in):
    phone, part, van = scene
    use(phone, part, 2, 10)
    use(phone, part, 1.5, 70)
    await phone.push(clock={"now": at(180)})
    assert float(await on_van(phone, part)) == 6.5
    # Made between the two usages and told after both: eight were there by the ledger, seven were found.
    counted = count(phone, part, 7, 40)
    assert (await phone.push(counted, clock={"now": at(180)})).json()["results"][0]["status"] == "applied"
    assert float(await on_van(phone, part)) == 7 - 1.5

    (booked,) = await phone.sql("select quantity, from_id, at, count_id from stock_movement where reason = 'counted'")
    assert (booked["quantity"], booked["from_id"], str(booked["count_id"])) == (1, van.id, counted["args"]["id"])
    (kept,) = await phone.sql("select at from stock_count")
    assert booked["at"] == kept["at"]
    desk = await signed_in("warehouse_clerk")
    (task,) = (await client.get("/api/v1/stock-discrepancies", headers=desk)).json()["items"]
    assert (task["kind"], task["expected"], task["found"], task["state"]) == ("count", 8, 7, "open")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
async def test_27_from_three_devices_in_any_order_of_arrival(scene, hand_out, database, company, order):
    phone, part, _van = scene
    phones = [phone, await hand_out("engineer", phone.order), await hand_out("engineer", phone.order)]
    use(phones[0], part, 2, 10)
    count(phones[1], part, 7, 40)
    use(phones[2], part, 1.5, 70)
    for index in order:
        answer = await phones[index].push(clock={"now": at(180)})
        assert [result["status"] for result in answer.json()["results"]] == ["applied"]
    assert float(await on_van(phone, part)) == 7 - 1.5
    (task,) = await phone.sql("select expected, found, state from discrepancy where kind = 'count'")
    assert task == {"expected": 8, "found": 7, "state": "open"}
    async with database.unit_of_work(company.id) as uow:
        assert await service.ledger_sum(uow) == 0
        assert await service.balances_match(uow)
