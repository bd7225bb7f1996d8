"""Customers without an account."""

import asyncio

import pytest

from tests.factories.customers import a_customer, a_site

URL = "/portal/v1/acme/requests"
REQUEST = {
    "name": "Nina",
    "phone": "06 12 34 56 78",
    "address": "9 Rue Grimaldi",
    "place": {"lon": 7.4187, "lat": 43.7325},
    "problem_type": "no_heat",
    "description": "Oven stays cold\nSince Monday",
    "urgency": "high",
}


@pytest.fixture
async def office(signed_in):
    return await signed_in("dispatcher")


async def orders(client, office):
    return (await client.get("/api/v1/work-orders", headers=office)).json()["items"]


async def test_a_fault_becomes_a_work_order(client, company, office):
    answer = await client.post(URL, json=REQUEST)
    assert answer.status_code == 201
    (order,) = await orders(client, office)
    assert answer.json() == {"reference": order["id"], "number": order["number"]}
    assert (order["title"], order["priority"], order["customer_name"]) == ("Oven stays cold", "high", "Nina")


async def test_a_request_sent_twice_with_its_key_is_one(client, company, office):
    headers = {"Idempotency-Key": "form-1"}
    answers = await asyncio.gather(*(client.post(URL, json=REQUEST, headers=headers) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert len({answer.text for answer in answers}) == 1
    assert len(await orders(client, office)) == 1
    other = await client.post(URL, json={**REQUEST, "description": "Another"}, headers=headers)
    assert other.status_code == 409


async def test_a_stranger_who_reports_three_faults_at_once_gets_one_file(client, company, office):
    answers = await asyncio.gather(*(client.post(URL, json={**REQUEST, "description": str(n)}) for n in range(3)))
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    opened = await orders(client, office)
    assert len(opened) == 3
    assert len({order["customer_id"] for order in opened}) == 1


async def test_the_same_key_in_two_portals_is_two_requests(client, company, database):
    from tests.factories.identity import found_company

    await found_company(database, "rival", roles=())
    headers = {"Idempotency-Key": "form-1"}
    here = await client.post(URL, json=REQUEST, headers=headers)
    there = await client.post("/portal/v1/rival/requests", json=REQUEST, headers=headers)
    assert (here.status_code, there.status_code) == (201, 201)
    assert here.json()["reference"] != there.json()["reference"]


async def test_a_customer_who_gives_number_and_site_is_served_there(client, company, database, office):
    async with database.unit_of_work(company.id) as uow:
        customer = await a_customer(uow)
        site = await a_site(uow, customer)
    request = {
        "name": customer.name,
        "customer_number": customer.number,
        "site_id": str(site.id),
        "problem_type": "no_heat",
        "description": "Cold",
        "urgency": "urgent",
        "preferred_start": "2026-11-23T09:00:00+01:00",
        "preferred_end": "2026-11-23T11:00:00+01:00",
    }
    assert (await client.post(URL, json=request)).status_code == 201
    (order,) = await orders(client, office)
    assert (order["site_id"], order["window_end"]) == (str(site.id), "2026-11-23T10:00:00Z")


async def test_no_portal_stands_at_an_unknown_address(client, company):
    answer = await client.post("/portal/v1/nobody/requests", json=REQUEST)
    assert (answer.status_code, answer.json()["code"]) == (404, "portal.unknown")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"place": None}, "request.place_unknown"),
        ({"description": ""}, "invalid"),
        ({"urgency": "now"}, "invalid"),
        ({"email": "nina"}, "invalid"),
        ({"preferred_start": "2026-11-23T09:00:00Z"}, "invalid"),
        ({"preferred_start": "2026-11-23T09:00:00Z", "preferred_end": "2026-11-23T08:00:00Z"}, "invalid"),
        ({"password": "x"}, "invalid"),
    ],
)
async def test_what_is_missing_is_asked_for(client, company, office, change, code):
    answer = await client.post(URL, json={**REQUEST, **change})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert await orders(client, office) == []
