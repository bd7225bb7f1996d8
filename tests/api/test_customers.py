"""The customer file and the workforce over HTTP."""

from uuid import uuid4

import pytest

from tests.factories.workforce import an_engineer
from tests.factories.workorders import an_order, from_phone

AREA = {
    "type": "Polygon",
    "coordinates": [[[7.40, 43.72], [7.44, 43.72], [7.44, 43.75], [7.40, 43.75], [7.40, 43.72]]],
}
SITE = {"name": "Kitchen", "address": "1 Quai Antoine", "place": {"lon": 7.4246, "lat": 43.7384}}
ASSET = {"product": "oven", "model": "Combi 10", "serial": "OV-1", "installed_on": "2024-02-29"}


@pytest.fixture
async def office(signed_in):
    return await signed_in("dispatcher")


@pytest.fixture
async def admin(signed_in):
    return await signed_in("administrator")


async def a_customer(client, office, **more):
    answer = await client.post("/api/v1/customers", json={"name": "Hotel Azur", **more}, headers=office)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_customer_with_everything_is_shown_at_a_glance(client, office, admin, database, company, dispatcher):
    await client.post("/api/v1/territories", json={"name": "Monaco", "area": AREA}, headers=admin)
    customer = await a_customer(client, office, tier="vip", phone="+377 93 25 50 00", tags=["hotel"])
    url = f"/api/v1/customers/{customer['id']}"
    site = (await client.post(f"{url}/sites", json=SITE, headers=office)).json()
    contact = await client.post(f"{url}/contacts", json={"name": "Léa", "site_id": site["id"]}, headers=office)
    asset = await client.post(f"/api/v1/sites/{site['id']}/assets", json=ASSET, headers=office)
    assert (contact.status_code, asset.status_code) == (201, 201)
    assert site["territory_id"] is not None
    assert (site["place"], site["fence_radius_m"]) == (SITE["place"], 500)
    profile = (await client.get(url, headers=office)).json()
    assert (profile["number"], profile["tier"], profile["recent_orders"]) == ("C00001", "vip", [])
    assert [it["id"] for it in profile["sites"]] == [site["id"]]
    assert [it["name"] for it in profile["contacts"]] == ["Léa"]
    assert [it["installed_on"] for it in profile["assets"]] == ["2024-02-29"]
    listed = (await client.get("/api/v1/sites", params={"customer_id": customer["id"]}, headers=office)).json()
    assert listed == {"items": [site], "next_cursor": None}
    there = (await client.get("/api/v1/assets", params={"site_id": site["id"]}, headers=office)).json()
    assert there["items"] == [asset.json()]


async def test_a_profile_shows_recent_orders(client, office, database, company, dispatcher):
    async with database.unit_of_work(company.id) as uow:
        order = await an_order(uow, dispatcher)
    profile = (await client.get(f"/api/v1/customers/{order.customer_id}", headers=office)).json()
    assert [it["number"] for it in profile["recent_orders"]] == [order.number]


async def test_a_customer_is_added_once_per_key(client, office):
    headers = {**office, "Idempotency-Key": "k"}
    assert await a_customer(client, headers) == await a_customer(client, headers)
    assert len((await client.get("/api/v1/customers", headers=office)).json()["items"]) == 1


async def test_customers_are_searched_and_paged(client, office):
    for name in ("Azur", "Bellevue", "Casino"):
        await a_customer(client, office, name=name)
    first = (await client.get("/api/v1/customers", params={"limit": 2}, headers=office)).json()
    rest = (await client.get("/api/v1/customers", params={"cursor": first["next_cursor"]}, headers=office)).json()
    assert [it["name"] for it in first["items"] + rest["items"]] == ["Azur", "Bellevue", "Casino"]
    found = (await client.get("/api/v1/customers", params={"q": "belle"}, headers=office)).json()
    assert [it["name"] for it in found["items"]] == ["Bellevue"]


async def test_sites_and_assets_are_paged(client, office):
    customer = await a_customer(client, office)
    for number in range(3):
        site = await client.post(
            f"/api/v1/customers/{customer['id']}/sites", json={**SITE, "name": str(number)}, headers=office
        )
        await client.post(
            f"/api/v1/sites/{site.json()['id']}/assets", json={**ASSET, "serial": str(number)}, headers=office
        )
    for url in ("/api/v1/sites", "/api/v1/assets"):
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = (
                await client.get(url, params={"limit": 2} | ({"cursor": cursor} if cursor else {}), headers=office)
            ).json()
            seen += [it["id"] for it in page["items"]]
            cursor = page["next_cursor"]
        assert len(seen) == len(set(seen)) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "\ud800"},
        {"tier": "gold"},
        {"email": "nobody"},
        {"language": "fr"},
        {"tags": "hotel"},
        {"number": "C1"},
    ],
)
async def test_a_customer_that_makes_no_sense_is_refused(client, office, change):
    import json

    content = json.dumps({"name": "Azur", **change})
    headers = {**office, "Content-Type": "application/json"}
    answer = await client.post("/api/v1/customers", content=content, headers=headers)
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "change",
    [{"place": {"lon": 181, "lat": 0}}, {"place": None}, {"fence_radius_m": 1}, {"address": ""}],
)
async def test_a_site_that_makes_no_sense_is_refused(client, office, change):
    customer = await a_customer(client, office)
    url = f"/api/v1/customers/{customer['id']}/sites"
    assert (await client.post(url, json={**SITE, **change}, headers=office)).status_code == 422


def an_area(*corners):
    return {"type": "Polygon", "coordinates": [[*corners, corners[0]]]}


YARD = an_area([7.42, 43.73], [7.43, 43.73], [7.43, 43.74])


async def test_a_sites_fence_is_a_circle_an_area_or_the_organisations(client, office):
    customer = await a_customer(client, office)
    url = f"/api/v1/customers/{customer['id']}/sites"
    site = (await client.post(url, json={**SITE, "fence_area": YARD}, headers=office)).json()
    assert (site["fence_radius_m"], site["fence_is_default"], site["fence_area"]) == (500, True, YARD)
    fence = f"/api/v1/sites/{site['id']}/fence"
    circle = await client.put(fence, json={"radius_m": 80}, headers=office)
    assert circle.status_code == 200, circle.text
    assert circle.json() == site | {
        "fence_radius_m": 80,
        "fence_is_default": False,
        "fence_area": None,
        "version": 2,
    }
    default = (await client.put(fence, json={}, headers=office)).json()
    assert (default["fence_radius_m"], default["fence_is_default"]) == (500, True)
    (listed,) = (await client.get("/api/v1/sites", headers=office)).json()["items"]
    assert listed == default


@pytest.mark.parametrize(
    "area",
    [
        {},
        {"type": "Point", "coordinates": [7.42, 43.73]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": "here"},
        an_area([7.42, 43.73], [7.43, 43.74], [7.43, 43.73], [7.42, 43.74]),
        an_area([7.42, 43.73], [7.42001, 43.73], [7.42001, 43.73001]),
        an_area([7.42, 43.73, 5], [7.43, 43.73, 5], [7.43, 43.74, 5]),
        an_area([0, 40], [10, 40], [10, 50]),
        an_area([700, 43.73], [743, 43.73], [743, 43.74]),
    ],
)
async def test_what_can_be_no_fence_is_refused_with_a_sentence(client, office, area):
    customer = await a_customer(client, office)
    url = f"/api/v1/customers/{customer['id']}/sites"
    refused = await client.post(url, json={**SITE, "fence_area": area}, headers=office)
    assert (refused.status_code, refused.json()["code"]) == (422, "geo.not_a_fence")


async def test_nothing_is_added_to_a_customer_or_site_that_is_not_there(client, office):
    nowhere = uuid4()
    for url, body in (
        (f"/api/v1/customers/{nowhere}/sites", SITE),
        (f"/api/v1/customers/{nowhere}/contacts", {"name": "Léa"}),
        (f"/api/v1/sites/{nowhere}/assets", ASSET),
    ):
        assert (await client.post(url, json=body, headers=office)).status_code == 404, url
    assert (await client.get(f"/api/v1/customers/{nowhere}", headers=office)).status_code == 404


async def test_a_serial_number_is_taken_once(client, office):
    customer = await a_customer(client, office)
    site = (await client.post(f"/api/v1/customers/{customer['id']}/sites", json=SITE, headers=office)).json()
    url = f"/api/v1/sites/{site['id']}/assets"
    await client.post(url, json=ASSET, headers=office)
    again = await client.post(url, json=ASSET, headers=office)
    assert (again.status_code, again.json()["code"]) == (409, "asset.serial_taken")


async def test_only_the_office_reads_and_writes_the_file(client, signed_in, office):
    customer = await a_customer(client, office)
    engineer, auditor = await signed_in("engineer"), await signed_in("auditor")
    assert (await client.get(f"/api/v1/customers/{customer['id']}", headers=engineer)).status_code == 403
    assert (await client.get(f"/api/v1/customers/{customer['id']}", headers=auditor)).status_code == 200
    assert (await client.post("/api/v1/customers", json={"name": "x"}, headers=auditor)).status_code == 403


async def test_skills_are_defined_once(client, admin, office):
    body = {"key": "lifts", "name": {"en": "Lifts", "zh": "电梯"}}
    assert (await client.post("/api/v1/skills", json=body, headers=admin)).status_code == 201
    again = await client.post("/api/v1/skills", json=body, headers=admin)
    assert (again.status_code, again.json()["code"]) == (409, "workforce.skill_taken")
    assert (await client.post("/api/v1/skills", json={**body, "key": "A B"}, headers=admin)).status_code == 422
    assert (await client.post("/api/v1/skills", json=body, headers=office)).status_code == 403
    listed = (await client.get("/api/v1/skills", headers=office)).json()
    assert [(it["key"], it["name"]["zh"]) for it in listed["items"]] == [("lifts", "电梯")]


@pytest.mark.parametrize(
    "area",
    [
        {"type": "Point", "coordinates": [7, 43]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 1], [1, 0], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 1], [1, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [200, 1], [0, 1], [0, 0]]]},
    ],
)
async def test_an_area_nobody_could_draw_is_refused(client, admin, area):
    answer = await client.post("/api/v1/territories", json={"name": "x", "area": area}, headers=admin)
    assert answer.status_code == 422
    assert (await client.get("/api/v1/territories", headers=admin)).json()["items"] == []


async def test_a_territory_comes_back_as_it_was_drawn(client, admin):
    made = await client.post("/api/v1/territories", json={"name": "Monaco", "area": AREA}, headers=admin)
    listed = (await client.get("/api/v1/territories", headers=admin)).json()["items"]
    assert made.status_code == 201
    assert [(it["name"], it["area"]) for it in listed] == [("Monaco", AREA)]
    again = await client.post("/api/v1/territories", json={"name": "Monaco", "area": AREA}, headers=admin)
    assert (again.status_code, again.json()["code"]) == (409, "workforce.territory_taken")


async def test_shifts_are_planned_and_seen(client, office, database, company, engineer):
    async with database.unit_of_work(company.id) as uow:
        await an_engineer(uow, engineer)
    url = f"/api/v1/people/{engineer.person}/shifts"
    shift = {"starts_at": "2026-11-23T08:00:00+01:00", "ends_at": "2026-11-23T16:00:00+01:00"}
    made = await client.post(url, json=shift, headers=office)
    assert (made.status_code, made.json()["person_name"]) == (201, "Engineer")
    again = await client.post(url, json=shift, headers=office)
    assert (again.status_code, again.json()["code"]) == (409, "workforce.shift_overlaps")
    backwards = {"starts_at": shift["ends_at"], "ends_at": shift["starts_at"]}
    assert (await client.post(url, json=backwards, headers=office)).status_code == 422
    unknown = await client.post(f"/api/v1/people/{uuid4()}/shifts", json=shift, headers=office)
    assert (unknown.status_code, unknown.json()["code"]) == (422, "workforce.not_an_engineer")
    day = {"from": "2026-11-23T00:00:00Z", "to": "2026-11-24T00:00:00Z"}
    assert (await client.get("/api/v1/shifts", params=day, headers=office)).json()["items"] == [made.json()]
    assert (await client.get("/api/v1/shifts", headers=office)).status_code == 422


async def test_what_was_recorded_twice_is_listed_and_merged_or_kept_apart_by_a_person(
    client, office, database, company, dispatcher, engineer
):
    customer = await a_customer(client, office)
    site = (await client.post(f"/api/v1/customers/{customer['id']}/sites", json=SITE, headers=office)).json()
    known = (await client.post(f"/api/v1/sites/{site['id']}/assets", json=ASSET, headers=office)).json()
    found = {"site": site["id"], "product": "oven", "model": "Combi 10", "serial": "OV-1"}
    async with database.unit_of_work(company.id) as uow:
        for _ in range(2):
            await from_phone(uow, company.actor("administrator"), "asset.create", {"id": uow.new_id(), **found})
    listed = (await client.get("/api/v1/merge-suggestions", headers=office)).json()["items"]
    assert [(it["older_id"], it["why"]) for it in listed] == [(known["id"], "same_serial")] * 2
    for suggestion, choice in zip(listed, ("merge", "keep-apart"), strict=True):
        url = f"/api/v1/merge-suggestions/{suggestion['id']}"
        assert (await client.post(f"{url}/{choice}", headers=office)).status_code == 200
        again = await client.post(f"{url}/merge", headers=office)
        assert (again.status_code, again.json()["code"]) == (409, "duplicate.settled")
    assert (await client.get("/api/v1/merge-suggestions", headers=office)).json()["items"] == []
    left = (await client.get(f"/api/v1/assets?site_id={site['id']}", headers=office)).json()["items"]
    assert [it["id"] for it in left] == [known["id"], listed[1]["newer_id"]]
