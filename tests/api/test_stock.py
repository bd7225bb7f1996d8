"""The stock desk over HTTP."""

from decimal import Decimal
from uuid import UUID

import pytest

from server.inventory import service, transfers
from server.inventory.domain import TransferTold, VanOf
from tests.factories.workorders import an_order


@pytest.fixture
async def desk(client, signed_in):
    client.headers.update(await signed_in("warehouse_clerk"))
    return client


async def make(desk, path: str, body: dict, **headers: str):
    answer = await desk.post(f"/api/v1{path}", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


def a_part(sku: str = "CAP-35", **changed) -> dict:
    plain = {
        "sku": sku,
        "name": {"en": "Capacitor", "zh": "电容器"},
        "unit": "pc",
        "price_minor": 1890,
        "currency": "EUR",
    }
    return plain | changed


async def places(desk) -> dict[str, str]:
    return {place["name"]: place["id"] for place in (await desk.get("/api/v1/stock-locations")).json()["items"]}


@pytest.fixture
async def stocked(desk):
    """Ten capacitors in the central warehouse."""
    part = await make(desk, "/parts", a_part())
    central = await make(desk, "/stock-locations", {"kind": "warehouse", "name": "Central"})
    supplier = (await places(desk))["Supplier"]
    await make(desk, "/stock-movements", moving(part["id"], supplier, central["id"], 10, "goods_in"))
    return part["id"], central["id"]


def moving(part: str, source: str, target: str, quantity, reason: str = "transfer", **more) -> dict:
    return {"part_id": part, "from_id": source, "to_id": target, "quantity": quantity, "reason": reason} | more


async def test_from_goods_in_to_a_van_with_what_is_left_shown(desk, stocked, company):
    part, central = stocked
    van = await make(
        desk,
        "/stock-locations",
        {"kind": "van", "name": "Van 7", "person_id": str(company.actor("engineer").person)},
    )
    moved = await make(desk, "/stock-movements", moving(part, central, van["id"], 2.5))
    assert (moved["from_name"], moved["to_name"], moved["quantity"]) == ("Central", "Van 7", 2.5)
    assert moved["moved_by_name"] == "Warehouse Clerk"
    levels = (await desk.get("/api/v1/stock", params={"part_id": part})).json()["items"]
    assert {level["location_name"]: level["quantity"] for level in levels} == {"Central": 7.5, "Van 7": 2.5}
    listed = (await desk.get("/api/v1/stock-movements", params={"location_id": van["id"]})).json()["items"]
    assert [movement["id"] for movement in listed] == [moved["id"]]


async def test_taking_more_than_there_is_says_what_is_there_and_moves_nothing(desk, stocked):
    part, central = stocked
    other = await make(desk, "/stock-locations", {"kind": "warehouse", "name": "North"})
    refused = await desk.post("/api/v1/stock-movements", json=moving(part, central, other["id"], 11))
    assert (refused.status_code, refused.json()["code"]) == (409, "stock.not_enough")
    assert "Central has 10" in refused.json()["detail"]
    levels = (await desk.get("/api/v1/stock")).json()["items"]
    assert [level["quantity"] for level in levels] == [10]


async def test_a_repeated_request_moves_once(desk, stocked):
    part, central = stocked
    other = await make(desk, "/stock-locations", {"kind": "warehouse", "name": "North"})
    body = moving(part, central, other["id"], 4)
    first, second = [await make(desk, "/stock-movements", body, **{"Idempotency-Key": "move-1"}) for _ in range(2)]
    assert first == second
    levels = (await desk.get("/api/v1/stock", params={"location_id": central})).json()["items"]
    assert [level["quantity"] for level in levels] == [6]


async def test_a_reversal_puts_it_back_and_says_why(desk, stocked):
    part, central = stocked
    other = await make(desk, "/stock-locations", {"kind": "warehouse", "name": "North"})
    moved = await make(desk, "/stock-movements", moving(part, central, other["id"], 4))
    undone = await make(desk, f"/stock-movements/{moved['id']}/reversal", {"why": "wrong shelf"})
    assert (undone["reverses_id"], undone["why"], undone["reason"]) == (moved["id"], "wrong shelf", "reversed")
    again = await desk.post(f"/api/v1/stock-movements/{moved['id']}/reversal", json={"why": "again"})
    assert (again.status_code, again.json()["code"]) == (409, "stock.already_reversed")


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"quantity": 0}, 422),
        ({"quantity": -1}, 422),
        ({"quantity": "NaN"}, 422),
        ({"quantity": 1e300}, 422),
        ({"quantity": 0.0001}, 422),
        ({"reason": "reversed"}, 422),
        ({"reason": "goods_in"}, 422),
        ({"serial": "SN1"}, 422),
        ({"part_id": "01931111-0000-7000-8000-000000000000"}, 404),
        ({"to_id": "01931111-0000-7000-8000-000000000000"}, 404),
        ({"work_order_id": "01931111-0000-7000-8000-000000000000"}, 422),
        ({"serial": "a\u0000b"}, 422),
    ],
)
async def test_movements_that_make_no_sense_are_refused(desk, stocked, changed, status):
    part, central = stocked
    other = await make(desk, "/stock-locations", {"kind": "quarantine", "name": "Returns"})
    refused = await desk.post("/api/v1/stock-movements", json=moving(part, central, other["id"], 1) | changed)
    assert refused.status_code == status, refused.text
    assert refused.headers["content-type"] == "application/problem+json"


async def test_parts_are_found_by_number_and_by_either_name_page_by_page(desk):
    for sku in ("CAP-35", "CAP-50", "FAN-01"):
        await make(desk, "/parts", a_part(sku))
    assert (await desk.post("/api/v1/parts", json=a_part())).status_code == 409
    for q, expected in (("cap-", ["CAP-35", "CAP-50"]), ("电容", ["CAP-35", "CAP-50", "FAN-01"]), ("%", []), ("_", [])):
        found = await desk.get("/api/v1/parts", params={"q": q})
        assert [part["sku"] for part in found.json()["items"]] == expected
    first = (await desk.get("/api/v1/parts", params={"limit": 2})).json()
    rest = (await desk.get("/api/v1/parts", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [part["sku"] for part in first["items"] + rest["items"]] == ["CAP-35", "CAP-50", "FAN-01"]
    assert rest["next_cursor"] is None


async def test_movements_page_without_gaps(desk, stocked):
    part, central = stocked
    other = await make(desk, "/stock-locations", {"kind": "warehouse", "name": "North"})
    made = [(await make(desk, "/stock-movements", moving(part, central, other["id"], 1)))["id"] for _ in range(5)]
    seen, cursor = [], None
    while True:
        page = (
            await desk.get("/api/v1/stock-movements", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
        ).json()
        seen += [movement["id"] for movement in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert len(seen) == len(set(seen)) == 6
    assert set(made) < set(seen)


async def test_an_engineer_cannot_read_or_move_the_company_s_stock(client, signed_in):
    headers = await signed_in("engineer")
    assert (await client.get("/api/v1/stock", headers=headers)).status_code == 403
    assert (await client.post("/api/v1/parts", headers=headers, json=a_part())).status_code == 403


@pytest.mark.parametrize("cursor", ["x", "WyJhIl0", "WyJcdWQ4MDAiXQ", "WyJcdWQ4MDAiLCJhIl0", "WyIwIiwiMCJd"])
@pytest.mark.parametrize(
    "path", ["parts", "stock", "stock-movements", "reservations", "stock-discrepancies", "stock-transfers"]
)
async def test_a_made_up_cursor_is_never_a_server_error(desk, path, cursor):
    answer = await desk.get(f"/api/v1/{path}", params={"cursor": cursor})
    assert answer.status_code in {200, 400}


async def test_searching_for_a_nul_is_refused_with_a_sentence(desk):
    answer = await desk.get("/api/v1/parts", params={"q": "a\x00b"})
    assert answer.status_code == 422


@pytest.fixture
async def order(database, company, dispatcher):
    async with database.unit_of_work(company.id) as uow:
        return str((await an_order(uow, dispatcher)).id)


async def test_promised_stock_is_shown_as_not_free_and_can_be_given_back(desk, stocked, order):
    part, central = stocked
    asked = {"work_order_id": order, "part_id": part, "location_id": central, "quantity": 4}
    first, again = [await make(desk, "/reservations", asked, **{"Idempotency-Key": "promise-1"}) for _ in range(2)]
    assert first == again
    level = (await desk.get("/api/v1/stock")).json()["items"][0]
    assert (level["quantity"], level["reserved"], level["free"]) == (10, 4, 6)
    refused = await desk.post("/api/v1/reservations", json=asked | {"quantity": 7})
    assert (refused.status_code, refused.json()["code"]) == (409, "stock.not_enough_free")
    released = await desk.post(f"/api/v1/reservations/{first['id']}/release", json={"why": "not needed"})
    assert (released.status_code, released.json()["state"]) == (200, "released")
    assert (await desk.get("/api/v1/stock")).json()["items"][0]["free"] == 10
    listed = (await desk.get("/api/v1/reservations", params={"work_order_id": order})).json()["items"]
    assert [(it["id"], it["why"]) for it in listed] == [(first["id"], "not needed")]


async def test_a_count_books_the_difference_and_its_task_is_resolved_with_a_reason(desk, stocked):
    part, central = stocked
    counted = await make(desk, "/stock-counts", {"location_id": central, "part_id": part, "quantity": 8.5})
    assert counted["quantity"] == 8.5
    assert (await desk.get("/api/v1/stock")).json()["items"][0]["quantity"] == 8.5
    (task,) = (await desk.get("/api/v1/stock-discrepancies", params={"state": "open"})).json()["items"]
    assert (task["kind"], task["expected"], task["found"], task["count_id"]) == ("count", 10, 8.5, counted["id"])
    address = f"/api/v1/stock-discrepancies/{task['id']}"
    assert (await desk.get(address)).json() == task
    resolved = await desk.post(
        f"{address}/resolution", json={"why": "broken ones"}, headers={"Idempotency-Key": "resolve-1"}
    )
    again = await desk.post(
        f"{address}/resolution", json={"why": "broken ones"}, headers={"Idempotency-Key": "resolve-1"}
    )
    assert resolved.status_code == 200
    assert resolved.json() == again.json()
    assert (resolved.json()["state"], resolved.json()["resolution"]) == ("resolved", "broken ones")
    late = await desk.post(f"{address}/resolution", json={"why": "really"})
    assert (late.status_code, late.json()["code"]) == (409, "stock.discrepancy_resolved")


async def test_a_difference_is_noted_by_hand_and_listed_page_by_page(desk, stocked):
    part, central = stocked
    noted = {"kind": "count", "part_id": part, "location_id": central, "note": "Box was open.", "found": 3}
    made = [await make(desk, "/stock-discrepancies", noted) for _ in range(3)]
    first = (await desk.get("/api/v1/stock-discrepancies", params={"limit": 2, "kind": "count"})).json()
    rest = (await desk.get("/api/v1/stock-discrepancies", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [it["id"] for it in first["items"] + rest["items"]] == sorted((it["id"] for it in made), reverse=True)
    unknown = await desk.post("/api/v1/stock-discrepancies", json=noted | {"part_id": central})
    assert unknown.status_code == 404


async def test_what_an_engineer_sent_back_is_received_once(desk, stocked, database, company, engineer):
    part, central = stocked
    async with database.unit_of_work(company.id) as uow:
        await service.give_van(uow, engineer.person, "Van 7")
        told = TransferTold(sent := uow.new_id(), sent, UUID(part), Decimal(2), None, uow.now(), UUID(int=7))
        await transfers.send(uow, engineer, told, source=VanOf(engineer.person), target=UUID(central))
    (shown,) = (await desk.get("/api/v1/stock-transfers", params={"state": "sent"})).json()["items"]
    assert (shown["id"], shown["sent"], shown["received"]) == (str(sent), 2, None)
    address = f"/api/v1/stock-transfers/{sent}/receipt"
    received = await desk.post(address, json={"location_id": central, "quantity": 2})
    assert (received.status_code, received.json()["state"]) == (200, "received")
    again = await desk.post(address, json={"location_id": central, "quantity": 2})
    assert (again.status_code, again.json()["code"]) == (409, "TRANSFER_ALREADY_RECEIVED")
    levels = (await desk.get("/api/v1/stock", params={"location_id": central})).json()["items"]
    assert [level["quantity"] for level in levels] == [12]
