"""What phones say about stock, as the engine hands it over."""

import pytest
from pydantic import ValidationError

from server.inventory import queries, service
from server.inventory.errors import NoVan, SerialAlreadyUsed, UnknownPart
from server.inventory.projections import _STOCK
from server.sync.domain import Status
from server.workorders.domain import Action
from server.workorders.errors import NeverAssigned
from tests.factories.confirmation import from_phone
from tests.factories.inventory import a_part
from tests.factories.workforce import an_engineer, another_engineer
from tests.factories.workorders import a_visit, an_order, work_until


@pytest.fixture
async def order(uow, dispatcher, engineer):
    await an_engineer(uow, engineer)
    order = await an_order(uow, dispatcher)
    await a_visit(uow, dispatcher, engineer, order)
    return await work_until(uow, engineer, order, Action.START)


def using(uow, order, part, quantity=1, **more):
    return {"id": uow.new_id(), "wo": order.id, "part": part.id, "quantity": quantity} | more


async def test_a_used_part_leaves_the_van_and_stands_in_the_order_and_its_history(uow, engineer, order):
    part, van = await a_part(uow), await service.give_van(uow, engineer.person, "Van 7")
    outcome = await from_phone(uow, engineer, "part.use", using(uow, order, part, 1.5))
    assert outcome.status is Status.APPLIED
    assert float(await queries.quantity_at(uow, van.id, part.id)) == -1.5
    assert [float(used.quantity) for used in await service.parts_used(uow, order.id)] == [1.5]
    facts = await uow.value("select facts from timeline_entry where action = 'part_used'")
    assert (facts["sku"], facts["quantity"]) == ("CAP-35", "1.5")


async def test_the_same_usage_again_is_merged_and_charged_once(uow, engineer, order):
    part, van = await a_part(uow), await service.give_van(uow, engineer.person, "Van 7")
    said = using(uow, order, part)
    await from_phone(uow, engineer, "part.use", said)
    again = await from_phone(uow, engineer, "part.use", said)
    assert (again.status, again.code) == (Status.MERGED, "ALREADY_RECORDED")
    assert int(await queries.quantity_at(uow, van.id, part.id)) == -1
    assert await uow.value("select count(*) from timeline_entry where action = 'part_used'") == 1


async def test_what_was_used_before_the_order_was_taken_away_is_booked_and_marked_late(
    uow, company, dispatcher, engineer, order
):
    part, van = await a_part(uow), await service.give_van(uow, engineer.person, "Van 7")
    bruno = await another_engineer(uow, company.id)
    fresh = await an_order(uow, dispatcher)
    await a_visit(uow, dispatcher, engineer, fresh)
    await a_visit(uow, dispatcher, bruno, fresh)
    outcome = await from_phone(uow, engineer, "part.use", using(uow, fresh, part))
    assert (outcome.status, outcome.facts) == (Status.APPLIED, {"late_after_reassign": True})
    assert int(await queries.quantity_at(uow, van.id, part.id)) == -1


async def test_a_return_puts_it_back(uow, engineer, order):
    part, van = await a_part(uow), await service.give_van(uow, engineer.person, "Van 7")
    await from_phone(uow, engineer, "part.use", using(uow, order, part, 3))
    await from_phone(uow, engineer, "part.return", using(uow, order, part, 2))
    assert int(await queries.quantity_at(uow, van.id, part.id)) == -1


async def test_a_serial_used_on_two_devices_is_refused_with_the_protocol_s_code(uow, engineer, order):
    part = await a_part(uow, "PUMP", serial_tracked=True)
    await service.give_van(uow, engineer.person, "Van 7")
    await from_phone(uow, engineer, "part.use", using(uow, order, part, serial="SN1"))
    with pytest.raises(SerialAlreadyUsed) as refused:
        await from_phone(uow, engineer, "part.use", using(uow, order, part, serial="SN1"))
    assert refused.value.code == "SERIAL_ALREADY_USED"


async def test_strangers_unknown_parts_and_people_without_a_van_are_refused_and_move_nothing(
    uow, company, engineer, order
):
    part = await a_part(uow)
    with pytest.raises(NoVan):
        await from_phone(uow, engineer, "part.use", using(uow, order, part))
    await service.give_van(uow, engineer.person, "Van 7")
    with pytest.raises(UnknownPart):
        await from_phone(uow, engineer, "part.use", using(uow, order, part) | {"part": uow.new_id()})
    with pytest.raises(NeverAssigned):
        await from_phone(uow, await another_engineer(uow, company.id), "part.use", using(uow, order, part))
    assert await uow.value("select count(*) from stock_movement") == 0


@pytest.mark.parametrize("changed", [{"quantity": 0}, {"quantity": -1}, {"quantity": 1e9}, {"serial": ""}, {"to": "x"}])
async def test_arguments_that_make_no_sense_are_refused(uow, engineer, order, changed):
    part = await a_part(uow)
    with pytest.raises(ValidationError):
        await from_phone(uow, engineer, "part.use", using(uow, order, part) | changed)


async def test_a_phone_is_told_of_its_own_van_s_balance_by_one_stable_id(uow, engineer, order):
    part, van = await a_part(uow), await service.give_van(uow, engineer.person, "Van 7")
    for _ in range(2):
        await from_phone(uow, engineer, "part.use", using(uow, order, part))
    told = await uow.rows(
        "select e.entity_id, b.key from sync_entry e join sync_bucket b on b.id = e.bucket_id where e.entity = 14"
    )
    assert [row["key"] for row in told] == [f"van:{van.id}"]
    projected = await uow.row(_STOCK, ids=[told[0]["entity_id"]])
    assert projected is not None
    assert projected["d"] == {"location_id": str(van.id), "part_id": str(part.id), "quantity": -2}
