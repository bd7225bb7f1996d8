"""Windows besides the first and orders that depend on each other, as an office sets them and a plan keeps them."""

from datetime import datetime, timedelta

import pytest

from server.customers import service as customers
from server.workorders.domain import LinkKind
from tests.api.test_planning import PLANS, Day, lines
from tests.factories.workorders import an_order

LINKS = "/api/v1/work-order-links"


@pytest.fixture
async def day(database, company, clock) -> Day:
    it = Day(database, company, clock)
    await it.begin()
    return it


@pytest.fixture
async def pair(day):
    """Two orders at one site."""
    first = await day.order(600)
    async with day.database.unit_of_work(day.company.id) as uow:
        site = await uow.value("select site_id from work_order where id = %(id)s", id=first.id)
        return first, await an_order(uow, day.dispatcher, site=await customers.site_of(uow, site))


@pytest.fixture
async def office(client, signed_in):
    client.headers.update(await signed_in("dispatcher"))
    return client


async def link(office, kind, first, then, gap=0):
    body = {"kind": kind, "first_id": str(first.id), "then_id": str(then.id), "gap_minutes": gap}
    return await office.post(LINKS, json=body)


async def planned(office, day, work_through):
    made = (await office.post(PLANS, json={**day.span, "effort": "quick", "seed": 1})).json()
    await work_through()
    return await lines(office, made)


def start_of(line) -> datetime:
    return datetime.fromisoformat(line["after"]["start"])


async def test_two_engineers_begin_together(office, day, pair, work_through):
    first, then = pair
    made = await link(office, LinkKind.TOGETHER, first, then)
    assert made.status_code == 201, made.text
    found = await planned(office, day, work_through)
    one, other = found[str(first.id)], found[str(then.id)]
    assert start_of(one) == start_of(other)
    assert one["after"]["engineer_id"] != other["after"]["engineer_id"]


async def test_one_begins_when_the_other_has_ended_and_dried(office, day, work_through):
    first, then = await day.order(600), await day.order(900)
    await link(office, LinkKind.BEFORE, first, then, gap=45)
    found = await planned(office, day, work_through)
    ended = datetime.fromisoformat(found[str(first.id)]["after"]["end"])
    assert start_of(found[str(then.id)]) >= ended + timedelta(minutes=45)


async def test_a_second_window_is_kept_to(office, day, work_through):
    now = day.clock.now()
    order = await day.order(600, window_start=now, window_end=now + timedelta(minutes=1))
    opens, closes = now + timedelta(hours=5), now + timedelta(hours=6)
    body = {"items": [{"opens_at": opens.isoformat(), "closes_at": closes.isoformat()}]}
    assert (await office.put(f"/api/v1/work-orders/{order.id}/windows", json=body)).status_code == 200
    assert len((await office.get(f"/api/v1/work-orders/{order.id}/windows")).json()["items"]) == 1
    assert opens <= start_of((await planned(office, day, work_through))[str(order.id)]) <= closes


async def test_what_can_not_be_linked(office, day, pair):
    first, then = pair
    elsewhere = await day.order(3_000)
    assert (await link(office, LinkKind.TOGETHER, first, elsewhere)).json()["code"] == "work_order.link_elsewhere"
    assert (await link(office, LinkKind.BEFORE, first, then)).status_code == 201
    assert (await link(office, LinkKind.BEFORE, first, then)).json()["code"] == "work_order.link_taken"
    assert (await link(office, LinkKind.BEFORE, then, elsewhere)).status_code == 201
    round_about = await link(office, LinkKind.BEFORE, elsewhere, first)
    assert (round_about.status_code, round_about.json()["code"]) == (409, "work_order.link_runs_in_a_circle")
    assert (await link(office, LinkKind.BEFORE, first, first)).status_code == 422
    assert (await link(office, LinkKind.TOGETHER, first, then, gap=5)).status_code == 422


async def test_a_link_is_seen_from_both_ends_and_let_go(office, pair):
    first, then = pair
    await link(office, LinkKind.BEFORE, first, then, gap=5)
    seen = [(await office.get(f"/api/v1/work-orders/{it.id}/links")).json()["items"] for it in pair]
    assert seen[0] == seen[1]
    address = f"{LINKS}/{seen[0][0]['id']}"
    assert (await office.delete(address)).status_code == 204
    assert (await office.delete(address)).status_code == 404
    assert (await office.get(f"/api/v1/work-orders/{first.id}/links")).json()["items"] == []


async def test_windows_that_overlap_are_refused(office, day):
    order = await day.order()
    now = day.clock.now()
    spans = [{"opens_at": now.isoformat(), "closes_at": (now + timedelta(hours=it)).isoformat()} for it in (1, 2)]
    answer = await office.put(f"/api/v1/work-orders/{order.id}/windows", json={"items": spans})
    assert (answer.status_code, answer.json()["code"]) == (422, "work_order.windows_overlap")


async def test_a_shift_has_its_break_inside(client, signed_in, day):
    client.headers.update(await signed_in("dispatcher"))
    start = day.clock.now() + timedelta(days=3)
    hours = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=8)).isoformat()}
    rest = {"break_opens": start + timedelta(hours=3), "break_closes": start + timedelta(hours=5)}
    rest = {name: at.isoformat() for name, at in rest.items()}
    address = f"/api/v1/people/{day.anna.person}/shifts"
    half = await client.post(address, json=hours | rest)
    assert half.status_code == 422
    outside = await client.post(address, json=hours | rest | {"break_minutes": 240})
    assert outside.json()["code"] == "workforce.break_outside_shift"
    made = await client.post(address, json=hours | rest | {"break_minutes": 30, "overtime_minutes": 60})
    assert made.status_code == 201, made.text
    assert (made.json()["break_minutes"], made.json()["overtime_minutes"]) == (30, 60)
