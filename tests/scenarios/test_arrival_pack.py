"""Arrived in a cellar without signal: everything the engineer needs there is on the phone, synced before they came."""

from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from server.customers import service as customers
from server.inventory import reservations
from server.inventory import service as inventory
from server.inventory.domain import FieldPiece
from server.workorders.domain import Action
from simulator.device import NoConnection
from tests.factories.customers import a_customer, a_site, an_asset
from tests.factories.inventory import a_part, a_warehouse, goods_in, transfer
from tests.factories.workforce import an_engineer
from tests.factories.workorders import a_procedure, a_visit, an_order, from_phone, work_until
from tests.scenarios.phones import Field


@pytest.fixture
async def field(app, database, company, clock, tmp_path) -> Field:
    """A second visit to a machine that was repaired five days ago, with parts promised to it."""
    office, engineer = company.actor("dispatcher"), company.actor("engineer")
    async with database.unit_of_work(company.id) as uow:
        await an_engineer(uow, engineer)
        customer = await a_customer(uow, notes="Ring twice", phone="+377 93 25 50 00")
        site = await a_site(uow, customer)
        await customers.add_contact(uow, customer_id=customer.id, name="Léa", phone="+377 11")
        oven = await an_asset(uow, site)
        part, van, depot = (
            await a_part(uow),
            await inventory.give_van(uow, engineer.person, "Van"),
            await a_warehouse(uow),
        )
        await goods_in(uow, office, part, depot, 10)
        await transfer(uow, office, part, depot, van, 3)

        before = await an_order(uow, office, site=site, asset_id=oven.id, title="Oven trips the fuse")
        await a_visit(uow, office, engineer, before)
        await from_phone(uow, engineer, "note.add", {"id": uow.new_id(), "wo": before.id, "body": "Fan is worn"})
        used = FieldPiece(uow.new_id(), part.id, Decimal(1), None, before.id, None, uow.now(), None)
        await inventory.use_part(uow, engineer, used)
        await uow.run("update work_order set findings = 'Changed the capacitor' where id = %(id)s", id=before.id)
        await work_until(uow, engineer, before, Action.RESOLVE)
    clock.forward(timedelta(days=5))
    async with database.unit_of_work(company.id) as uow:
        await a_procedure(uow)
        order = await an_order(uow, office, site=site, asset_id=oven.id, procedure_key="oven-service")
        await a_visit(uow, office, engineer, order)
        await from_phone(uow, engineer, "note.add", {"id": uow.new_id(), "wo": order.id, "body": "Bring a ladder"})
        await reservations.reserve(
            uow, office, work_order_id=order.id, part_id=part.id, location_id=van.id, quantity=Decimal(2)
        )
    return Field(app, database, company, clock, tmp_path, order)


async def test_a_phone_that_lost_its_signal_before_it_arrived_holds_the_whole_pack(field, clock):
    async with field.phone():
        pass
    clock.forward(timedelta(hours=20))

    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no signal", request=request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(silent), base_url="http://callout.test") as nowhere:
        phone = field.open(nowhere)
        with pytest.raises(NoConnection):
            await phone.sync()

        job = phone.shown("work_order")[str(field.order.id)]
        (visit,) = (it for it in phone.shown("visit").values() if it["work_order_id"] == str(field.order.id))
        assert (job["title"], visit["state"]) == ("Oven stays cold", "dispatched")
        customer, site = phone.shown("customer")[job["customer_id"]], phone.shown("site")[job["site_id"]]
        assert (customer["notes"], site["address"]) == ("Ring twice", "1 Quai Antoine")
        assert (site["fence_radius_m"], site["fence_area"]) == (500, None), "the app runs the machine itself"
        assert [it["name"] for it in phone.shown("contact").values()] == ["Léa"]
        assert phone.shown("asset")[job["asset_id"]]["serial"] == "OV-1001"
        assert "Bring a ladder" in {it["body"] for it in phone.shown("note").values()}
        steps = [it for it in phone.shown("procedure_item").values() if it["procedure_id"] == job["procedure_id"]]
        assert len(steps) == 2

        (part,) = phone.shown("part").items()
        (promised,) = (it for it in phone.shown("reservation").values() if it["state"] == "open")
        assert (promised["part_id"], promised["quantity"]) == (part[0], 2)
        assert [it["quantity"] for it in phone.shown("stock").values()] == [2]

        (last,) = (it for it in phone.shown("history").values() if it["work_order_id"] != str(field.order.id))
        assert (last["title"], last["asset_id"]) == ("Oven trips the fuse", job["asset_id"])
        assert {it["body"] for it in last["notes"]} == {"Fan is worn", "Done as planned."}
        assert last["findings"] == "Changed the capacitor"
        assert [(it["engineer_name"], it["state"]) for it in last["visits"]] == [("Engineer", "completed")]
        assert last["parts"] == [{"part_id": part[0], "quantity": 1}]
        phone.close()
