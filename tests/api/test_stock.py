"""The stock desk over HTTP."""

import pytest


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
@pytest.mark.parametrize("path", ["parts", "stock", "stock-movements"])
async def test_a_made_up_cursor_is_never_a_server_error(desk, path, cursor):
    answer = await desk.get(f"/api/v1/{path}", params={"cursor": cursor})
    assert answer.status_code in {200, 400}


async def test_searching_for_a_nul_is_refused_with_a_sentence(desk):
    answer = await desk.get("/api/v1/parts", params={"q": "a\x00b"})
    assert answer.status_code == 422
