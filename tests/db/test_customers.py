"""The customer file on real Postgres."""

import asyncio

import pytest

from server.core.errors import NotFound
from server.customers import access, service
from server.customers.domain import Caller
from server.customers.errors import SerialTaken, SiteOfAnotherCustomer
from server.geo.domain import Point
from server.workforce import service as workforce
from server.workforce.errors import NotAnArea, NotAnEngineer, ShiftOverlaps, UnknownSkills
from tests.factories.customers import MONTE_CARLO, a_customer, a_site, an_asset
from tests.factories.workforce import a_shift, an_engineer

BOX = [[7.40, 43.72], [7.44, 43.72], [7.44, 43.75], [7.40, 43.75], [7.40, 43.72]]


def polygon(*rings):
    return {"type": "Polygon", "coordinates": list(rings)}


async def names(uow, actor, q):
    return [it.name for it in (await service.customers(uow, actor, q=q, limit=50)).items]


async def test_numbers_follow_one_another_even_when_two_people_add_customers_at_once(database, company):
    async def add(name):
        async with database.unit_of_work(company.id) as uow:
            return (await a_customer(uow, name)).number

    numbers = await asyncio.gather(*(add(f"Customer {n}") for n in range(6)))
    assert sorted(numbers) == [f"C{n:05}" for n in range(1, 7)]


async def test_a_customer_is_found_by_name_number_phone_and_serial(uow, dispatcher):
    customer = await a_customer(uow, "Hôtel Métropole", phone="+377 93 15 15 15", email="desk@metropole.example")
    await an_asset(uow, await a_site(uow, customer), serial="SN/77-A")
    await a_customer(uow, "Casino")
    for q in ("métro", customer.number.lower(), "93151515", "(93) 15-15", "sn/77", "DESK@metro"):
        assert await names(uow, dispatcher, q) == ["Hôtel Métropole"], q


@pytest.mark.parametrize("q", ["%", "_", "\\", "100%"])
async def test_wildcards_find_only_themselves(uow, dispatcher, q):
    await a_customer(uow, "Plain")
    await a_customer(uow, r"100% \ _")
    assert await names(uow, dispatcher, q) == [r"100% \ _"]


async def test_pages_neither_skip_nor_repeat_while_customers_are_added(uow, dispatcher):
    for letter in "abcdefgh":
        await a_customer(uow, f"{letter} company")
    seen, cursor = [], None
    while True:
        page = await service.customers(uow, dispatcher, cursor=cursor, limit=3)
        seen += [it.name[0] for it in page.items]
        await a_customer(uow, "a newcomer before every page")
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == sorted(seen)
    assert [letter for letter in seen if letter != "a"] == list("bcdefgh")


async def test_customers_behind_a_closed_door_look_like_missing_ones(uow, engineer):
    customer = await a_customer(uow)
    with pytest.raises(NotFound):
        await access.customer_for(uow, engineer, customer.id)
    assert await names(uow, engineer, None) == []


async def test_a_profile_has_sites_contacts_and_machines(uow, dispatcher):
    customer = await a_customer(uow)
    site = await a_site(uow, customer)
    asset = await an_asset(uow, site)
    contact = await service.add_contact(uow, customer_id=customer.id, name="Léa", phone="12", site_id=site.id)
    profile = await service.profile(uow, dispatcher, customer.id)
    assert (profile.customer, profile.sites, profile.contacts, profile.assets) == (customer, [site], [contact], [asset])


async def test_a_contact_stands_at_a_site_of_its_own_customer(uow):
    elsewhere = await a_site(uow)
    with pytest.raises(SiteOfAnotherCustomer):
        await service.add_contact(uow, customer_id=(await a_customer(uow)).id, name="Léa", site_id=elsewhere.id)


async def test_a_serial_number_stands_for_one_machine(uow):
    site = await a_site(uow)
    await an_asset(uow, site, serial="1")
    with pytest.raises(SerialTaken):
        await an_asset(uow, site, serial="1")
    await an_asset(uow, site, serial="1", product="fridge")


async def test_a_site_belongs_to_the_smallest_territory_around_it(uow):
    await workforce.add_territory(uow, name="Coast", area=polygon([[7, 43], [8, 43], [8, 44], [7, 44], [7, 43]]))
    monaco = await workforce.add_territory(uow, name="Monaco", area=polygon(BOX))
    assert (await a_site(uow)).territory_id == monaco.id
    assert (await a_site(uow, place=Point(2.35, 48.85))).territory_id is None


@pytest.mark.parametrize(
    "area",
    [
        polygon([[0, 0], [1, 1], [0, 1], [1, 0], [0, 0]]),
        polygon([[0, 0], [1, 1], [1, 0]]),
        polygon([[0, 0], [0, 0], [0, 0], [0, 0]]),
        polygon(),
        {"type": "Polygon", "coordinates": "here"},
    ],
)
async def test_an_unusable_area_is_refused_and_the_transaction_lives_on(uow, area):
    with pytest.raises(NotAnArea):
        await workforce.add_territory(uow, name="Nowhere", area=area)
    assert await workforce.territories(uow) == []


async def test_an_engineer_is_described_once_and_again(uow, engineer):
    await an_engineer(uow, engineer, ovens=3, lifts=1)
    again = await an_engineer(uow, engineer, ovens=4)
    assert [(skill.key, skill.level) for skill in again.skills] == [("ovens", 4)]
    assert (await workforce.engineers(uow, [engineer.person])) == {engineer.person: again}


async def test_unknown_skills_are_named(uow):
    with pytest.raises(UnknownSkills) as refused:
        await workforce.skill_ids(uow, {"flying", "swimming"})
    assert refused.value.facts["keys"] == "flying, swimming"


async def test_shifts_do_not_overlap_and_touch_freely(uow, engineer, dispatcher, clock):
    await an_engineer(uow, engineer)
    first = await a_shift(uow, engineer)
    with pytest.raises(ShiftOverlaps):
        await a_shift(uow, engineer, hours=1)
    clock.at = first.ends_at
    second = await a_shift(uow, engineer)
    assert await workforce.shifts_between(uow, first.starts_at, second.ends_at) == [first, second]
    assert await workforce.shifts_between(uow, second.starts_at, second.ends_at) == [second]
    with pytest.raises(NotAnEngineer):
        await a_shift(uow, dispatcher)


@pytest.mark.parametrize(
    ("caller", "by"),
    [
        (Caller("x", asset_serial="OV-1001", customer_number="C00002"), "asset_serial"),
        (Caller("x", customer_number="c00001"), "customer_number"),
        (Caller("x", email="DESK@azur.example"), "email"),
        (Caller("x", phone="00 377 93-25 50 00"), "phone"),
        (Caller("x", phone="0600000001"), "phone"),
    ],
)
async def test_a_caller_is_recognised(uow, caller, by):
    customer = await a_customer(uow, email="desk@azur.example", phone="0037793255000")
    site = await a_site(uow, customer)
    await an_asset(uow, site)
    await service.add_contact(uow, customer_id=customer.id, name="Léa", phone="06 00 00 00 01")
    await a_customer(uow, "Somebody else")
    found = await service.recognise(uow, caller)
    assert found is not None
    assert (found.customer_id, found.matched_by) == (customer.id, by)


async def test_a_stranger_is_not_mistaken_for_a_customer_without_details(uow):
    await a_customer(uow)
    assert await service.recognise(uow, Caller("x")) is None
    assert await service.recognise(uow, Caller("x", phone="12")) is None


async def test_a_report_from_the_pavement_means_the_site_there(uow):
    site = await a_site(uow)
    near, far = Point(MONTE_CARLO.lon + 0.0005, MONTE_CARLO.lat), Point(MONTE_CARLO.lon + 0.01, MONTE_CARLO.lat)
    assert await service.site_meant(uow, site.customer_id, site_id=None, place=near) == site
    assert await service.site_meant(uow, site.customer_id, site_id=None, place=far) is None
    assert await service.site_meant(uow, site.customer_id, site_id=None, place=None) == site
