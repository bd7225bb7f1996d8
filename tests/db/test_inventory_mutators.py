"""What phones say about stock, as the engine hands it over."""

from uuid import UUID

import pytest
from pydantic import ValidationError

from server.inventory import mutators as inventory
from server.inventory import queries, service
from server.inventory.errors import NotYourMovement, NoVan, UnknownPart
from server.inventory.projections import _STOCK
from server.sync.domain import Status
from server.workorders.domain import Action
from server.workorders.errors import NeverAssigned
from tests.factories.inventory import a_part, a_warehouse, goods_in, transfer
from tests.factories.workforce import an_engineer, another_engineer
from tests.factories.workorders import FIELD, a_mutation, a_visit, an_order, from_phone, work_until

inventory.register(FIELD)


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


async def test_a_serial_used_twice_is_set_aside_with_the_protocol_s_code_and_leaves_a_task(uow, engineer, order):
    part = await a_part(uow, "PUMP", serial_tracked=True)
    van = await service.give_van(uow, engineer.person, "Van 7")
    await from_phone(uow, engineer, "part.use", using(uow, order, part, serial="SN1"))
    again, the_same = using(uow, order, part, serial="SN1"), a_mutation(uow, UUID(int=7), "part.use")
    for _ in range(2):  # also when a person has it tried again
        refused = await from_phone(uow, engineer, "part.use", again, mutation=the_same)
        assert (refused.status, refused.code) == (Status.QUARANTINED, "SERIAL_ALREADY_USED")
    assert await queries.quantity_at(uow, van.id, part.id) == -1
    assert await queries.known(uow, again["id"]) is None
    tasks = await uow.rows("select serial, mutation_id, work_order_id from discrepancy where kind = 'serial_clash'")
    assert tasks == [{"serial": "SN1", "mutation_id": the_same.id, "work_order_id": order.id}]


async def test_taking_back_ones_own_usage_restores_the_van_and_stands_in_the_history(uow, engineer, order):
    part, van = await a_part(uow), await service.give_van(uow, engineer.person, "Van 7")
    used = using(uow, order, part, 2)
    await from_phone(uow, engineer, "part.use", used)
    back = {"id": uow.new_id(), "movement": used["id"], "why": "wrong part"}
    assert (await from_phone(uow, engineer, "part.reverse", back)).status is Status.APPLIED
    assert (await from_phone(uow, engineer, "part.reverse", back)).code == "ALREADY_RECORDED"
    other = back | {"id": uow.new_id()}
    assert (await from_phone(uow, engineer, "part.reverse", other)).code == "ALREADY_REVERSED"
    assert await queries.quantity_at(uow, van.id, part.id) == 0
    assert await service.parts_used(uow, order.id) == []
    assert await uow.value("select why from timeline_entry where action = 'part_reversed'") == "wrong part"


async def test_another_s_usage_and_the_office_s_movements_are_not_taken_back_by_a_phone(
    uow, company, administrator, engineer, order
):
    part, van = await a_part(uow), await service.give_van(uow, engineer.person, "Van 7")
    used = using(uow, order, part)
    await from_phone(uow, engineer, "part.use", used)
    bruno = await another_engineer(uow, company.id)
    with pytest.raises(NotYourMovement):
        await from_phone(uow, bruno, "part.reverse", {"id": uow.new_id(), "movement": used["id"], "why": "mine"})
    central = await a_warehouse(uow)
    await goods_in(uow, engineer, part, central, 5)
    moved = await transfer(uow, engineer, part, central, van, 1)
    with pytest.raises(NotYourMovement):
        await from_phone(uow, engineer, "part.reverse", {"id": uow.new_id(), "movement": moved, "why": "mine"})


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
