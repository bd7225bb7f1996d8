"""A day is planned by jobs, looked at line by line, taken whole or in part, and taken back."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from callout.wiring import registry
from server.dispatch.planning import queries, service, solving
from server.inventory import reservations
from server.inventory import service as inventory
from server.inventory.domain import LocationKind
from server.workforce import service as workforce
from server.workorders import queries as of_orders
from server.workorders import service as workorders
from server.workorders.domain import Action
from tests.factories.customers import MONTE_CARLO, a_customer, a_site
from tests.factories.geo import north_of
from tests.factories.inventory import a_part, goods_in
from tests.factories.sync import enrolled_phone
from tests.factories.workforce import a_shift, an_engineer, another_engineer
from tests.factories.workorders import an_order

PLANS = "/api/v1/plans"


class Day:
    """Two engineers, Anna in the south and Bruno in the north, and orders between them."""

    def __init__(self, database, company, clock) -> None:
        self.database, self.company, self.clock = database, company, clock
        self.dispatcher, self.anna = company.actor("dispatcher"), company.actor("engineer")

    async def begin(self) -> None:
        async with self.database.unit_of_work(self.company.id) as uow:
            await an_engineer(uow, self.anna, home=MONTE_CARLO)
            self.bruno = await another_engineer(uow, self.company.id)
            await an_engineer(uow, self.bruno, home=north_of(MONTE_CARLO, 20_000))
            self.customer = await a_customer(uow)
            self.shifts = [await a_shift(uow, it) for it in (self.anna, self.bruno)]

    @property
    def span(self):
        now = self.clock.now()
        return {"begins": now.isoformat(), "until": (now + timedelta(hours=12)).isoformat()}

    async def order(self, metres: float = 1_000, **details):
        async with self.database.unit_of_work(self.company.id) as uow:
            site = await a_site(uow, self.customer, name=f"At {metres}", place=north_of(MONTE_CARLO, metres))
            return await an_order(uow, self.dispatcher, site=site, **details)

    async def send(self, order, engineer, hours: float):
        async with self.database.unit_of_work(self.company.id) as uow:
            start = self.clock.now() + timedelta(hours=hours)
            return await workorders.schedule_visit(
                uow,
                self.dispatcher,
                work_order_id=order.id,
                engineer_id=engineer.person,
                planned_start=start,
                planned_end=start + timedelta(hours=1),
            )

    async def open_visit(self, order):
        async with self.database.unit_of_work(self.company.id) as uow:
            visit = await of_orders.visit_at_hand(uow, order.id)
            return visit if visit and visit.is_open else None


@pytest.fixture
async def day(database, company, clock) -> Day:
    it = Day(database, company, clock)
    await it.begin()
    return it


@pytest.fixture
async def ask(client, signed_in, day, work_through):
    """`await ask(**wanted)` plans the day and answers the plan as it is when every job has run."""
    client.headers.update(await signed_in("dispatcher"))

    async def plan(**wanted):
        made = await client.post(PLANS, json={**day.span, "effort": "quick", "seed": 1, **wanted})
        assert made.status_code == 201, made.text
        await work_through()
        return (await client.get(f"{PLANS}/{made.json()['id']}")).json()

    return plan


async def lines(client, plan):
    found = (await client.get(f"{PLANS}/{plan['id']}/lines")).json()["items"]
    return {it["work_order_id"]: it for it in found}


async def test_a_day_is_planned_looked_at_and_taken(client, day, ask, work_through):
    near, far = await day.order(500), await day.order(19_000)
    nobody = await day.order(800, duration_minutes=1_200)
    plan = await ask()
    assert (plan["state"], plan["progress"], plan["parts"]) == ("ready", 1.0, 1)
    assert plan["before"]["visits"] == 0
    assert plan["after"]["visits"] == 2
    assert plan["after"]["left_out"] == 1
    found = await lines(client, plan)
    assert found[str(near.id)]["after"]["engineer_id"] == str(day.anna.person)
    assert found[str(far.id)]["after"]["engineer_id"] == str(day.bruno.person)
    assert found[str(nobody.id)]["details"]["reason"] == "unreachable"
    tours = (await client.get(f"{PLANS}/{plan['id']}/tours")).json()["tours"]
    assert {it["name"]: [stop["work_order_id"] for stop in it["stops"]] for it in tours} == {
        day.anna.name: [str(near.id)],
        day.bruno.name: [str(far.id)],
    }

    assert (await client.post(f"{PLANS}/{plan['id']}/accept", json={})).json()["state"] == "applying"
    await work_through()
    done = (await client.get(f"{PLANS}/{plan['id']}")).json()
    assert (done["state"], done["lines"]) == ("done", {"assign:applied": 2, "leave_out:proposed": 1})
    visit = await day.open_visit(near)
    assert visit is not None
    assert visit.engineer_id == day.anna.person
    assert visit.planned_start.isoformat() == found[str(near.id)]["after"]["start"].replace("Z", "+00:00")


async def test_a_visit_keeps_its_engineers_yes_when_only_its_time_moves(client, day, ask, work_through):
    early = await day.order(500, window_start=day.clock.now() + timedelta(hours=5))
    sent = await day.send(early, day.anna, 2)
    async with day.database.unit_of_work(day.company.id) as uow:
        await workorders.perform(uow, day.anna, work_order_id=early.id, action=Action.ACCEPT)
    plan = await ask()
    line = (await lines(client, plan))[str(early.id)]
    assert line["change"] == "retime"
    await client.post(f"{PLANS}/{plan['id']}/accept", json={})
    await work_through()
    visit = await day.open_visit(early)
    assert visit is not None
    assert (visit.id, visit.state) == (sent.id, "accepted")
    assert visit.planned_start >= day.clock.now() + timedelta(hours=5)


async def test_part_of_a_plan_is_taken_and_the_rest_declined(client, day, ask, work_through):
    one, other = await day.order(500), await day.order(700)
    plan = await ask()
    await client.post(f"{PLANS}/{plan['id']}/accept", json={"work_orders": [str(one.id)]})
    await work_through()
    half = (await client.get(f"{PLANS}/{plan['id']}")).json()
    assert (half["state"], half["lines"]) == ("ready", {"assign:applied": 1, "assign:proposed": 1})
    assert await day.open_visit(one)
    assert await day.open_visit(other) is None
    rest = (await client.post(f"{PLANS}/{plan['id']}/decline", json={})).json()
    assert (rest["state"], rest["lines"]) == ("done", {"assign:applied": 1, "assign:declined": 1})


async def test_taken_in_part_nothing_overlaps_with_what_stayed(client, day, ask, work_through):
    """Anna keeps a visit the plan would have moved: what is accepted goes round it."""
    stays = await day.order(500, window_start=day.clock.now() + timedelta(hours=4))
    await day.send(stays, day.anna, 1)
    comes = await day.order(600, preferred_engineer_id=day.anna.person, duration_minutes=60)
    plan = await ask()
    found = await lines(client, plan)
    assert found[str(stays.id)]["change"] == "retime"
    assert found[str(comes.id)]["after"]["engineer_id"] == str(day.anna.person)
    await client.post(f"{PLANS}/{plan['id']}/accept", json={"work_orders": [str(comes.id)]})
    await work_through()
    new, old = await day.open_visit(comes), await day.open_visit(stays)
    assert new.planned_end <= old.planned_start or new.planned_start >= old.planned_end


async def test_what_was_changed_meanwhile_is_left_as_it_is(client, day, ask, work_through):
    order = await day.order(500)
    plan = await ask()
    by_hand = await day.send(order, day.bruno, 6)
    await client.post(f"{PLANS}/{plan['id']}/accept", json={})
    await work_through()
    assert (await lines(client, plan))[str(order.id)]["state"] == "overtaken"
    assert (await day.open_visit(order)).id == by_hand.id


async def test_a_plan_is_taken_back(client, day, ask, work_through):
    new, moved = await day.order(500), await day.order(18_000)
    before = await day.send(moved, day.anna, 5)
    plan = await ask()
    await client.post(f"{PLANS}/{plan['id']}/accept", json={})
    await work_through()
    assert (await day.open_visit(moved)).engineer_id == day.bruno.person
    assert (await client.post(f"{PLANS}/{plan['id']}/undo")).status_code == 200
    await work_through()
    assert (await client.get(f"{PLANS}/{plan['id']}")).json()["lines"] == {"assign:undone": 1, "move:undone": 1}
    assert await day.open_visit(new) is None
    back = await day.open_visit(moved)
    assert (back.engineer_id, back.planned_start) == (day.anna.person, before.planned_start)
    again = await client.post(f"{PLANS}/{plan['id']}/undo")
    assert (again.status_code, again.json()["code"]) == (409, "plan.nothing_to_undo")


async def test_pinned_visits_stay(client, day, ask):
    order = await day.order(18_000)
    visit = await day.send(order, day.anna, 5)
    pinned = await client.post(f"/api/v1/visits/{visit.id}/pin", json={"pin": "engineer"})
    assert pinned.status_code == 200, pinned.text
    line = (await lines(client, await ask()))[str(order.id)]
    assert line["change"] in {"keep", "retime"}
    await client.post(f"/api/v1/visits/{visit.id}/pin", json={"pin": None})
    assert (await lines(client, await ask()))[str(order.id)]["change"] == "move"


async def test_the_same_seed_gives_the_same_plan(client, day, ask):
    for metres in range(1_000, 19_000, 1_500):
        await day.order(metres)
    one, other = await ask(seed=5), await ask(seed=5)
    said = [
        {key: (it["change"], it["after"]) for key, it in (await lines(client, plan)).items()} for plan in (one, other)
    ]
    assert said[0] == said[1]
    assert one["after"] == other["after"]


async def test_a_territory_is_planned_for_itself(client, day, ask):
    async with day.database.unit_of_work(day.company.id) as uow:
        box = [[7.0, 43.7], [8.0, 43.7], [8.0, 43.8], [7.0, 43.8], [7.0, 43.7]]
        south = await workforce.add_territory(uow, name="South", area={"type": "Polygon", "coordinates": [box]})
        await workforce.set_engineer(
            uow, person=day.anna.person, home=MONTE_CARLO, daily_capacity_minutes=480, territory_id=south.id
        )
    inside, outside = await day.order(500), await day.order(18_000)
    found = await lines(client, await ask(territories=[str(south.id)]))
    assert found[str(inside.id)]["change"] == "assign"
    assert str(outside.id) not in found


@pytest.mark.parametrize(("empty", "why"), [("orders", "nothing_to_plan"), ("shifts", "nobody_on_shift")])
async def test_a_plan_that_can_not_be_made_says_why(client, day, ask, empty, why):
    wanted = {}
    if empty == "shifts":
        await day.order()
        later = day.clock.now() + timedelta(days=3)
        wanted = {"begins": later.isoformat(), "until": (later + timedelta(days=1)).isoformat()}
    plan = await ask(**wanted)
    assert (plan["state"], plan["why"]) == ("failed", why)


async def test_a_plan_is_cancelled_and_nothing_comes_of_it(client, signed_in, day, work_through):
    await day.order()
    client.headers.update(await signed_in("dispatcher"))
    made = (await client.post(PLANS, json=day.span)).json()
    assert (await client.post(f"{PLANS}/{made['id']}/cancel")).json()["state"] == "cancelled"
    await work_through()
    assert (await client.get(f"{PLANS}/{made['id']}")).json()["state"] == "cancelled"
    refused = await client.post(f"{PLANS}/{made['id']}/accept", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "plan.not_ready")


async def test_cancelling_stops_a_search_that_runs(client, signed_in, day, services, database):
    for metres in range(1_000, 19_000, 1_500):
        await day.order(metres)
    client.headers.update(await signed_in("dispatcher"))
    made = (await client.post(PLANS, json=day.span)).json()
    plan_id, org = UUID(made["id"]), day.company.id
    await solving.begin_plan(database, services.jobs, org, plan_id)
    async with database.unit_of_work(org) as uow:
        await uow.run("update plan_part set steps = 1000000000")
    running = asyncio.create_task(solving.solve_part(database, services.jobs, services.travel, org, plan_id, 0))
    await asyncio.sleep(2)
    assert 0 <= (await client.get(f"{PLANS}/{plan_id}")).json()["progress"] < 1
    await client.post(f"{PLANS}/{plan_id}/cancel")
    await asyncio.wait_for(running, 30)
    async with database.unit_of_work(org) as uow:
        assert await queries.answers(uow, plan_id) == [None]


async def test_jobs_that_run_twice_change_nothing(client, day, ask, services, database):
    await day.order()
    plan = await ask()
    before = await lines(client, plan)
    plan_id, org = UUID(plan["id"]), day.company.id
    await solving.begin_plan(database, services.jobs, org, plan_id)
    await solving.solve_part(database, services.jobs, services.travel, org, plan_id, 0)
    await solving.join_parts(database, services.travel, org, plan_id)
    assert await lines(client, plan) == before


async def test_what_is_refused(client, signed_in, day, ask):
    now = day.clock.now()
    spans = [
        ({"begins": now.isoformat(), "until": (now + timedelta(days=15)).isoformat()}, "plan.span_too_long"),
        ({"begins": now.isoformat(), "until": now.isoformat()}, "plan.span_too_long"),
        ({"begins": (now - timedelta(days=2)).isoformat(), "until": now.isoformat()}, "plan.span_over"),
    ]
    for span, code in spans:
        answer = await client.post(PLANS, json=span)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    await day.order()
    plan = await ask()
    strange = await client.post(f"{PLANS}/{plan['id']}/accept", json={"work_orders": [str(uuid4())]})
    assert (strange.status_code, strange.json()["code"]) == (422, "plan.unknown_lines")
    client.headers.update(await signed_in("service_agent"))
    assert (await client.post(PLANS, json=day.span)).status_code == 403


async def test_the_timeline_shows_shifts_and_visits(client, signed_in, day):
    order = await day.order()
    visit = await day.send(order, day.anna, 2)
    client.headers.update(await signed_in("dispatcher"))
    asked = {"from": day.span["begins"], "to": day.span["until"]}
    found = (await client.get("/api/v1/timeline", params=asked)).json()
    assert {it["name"] for it in found["engineers"]} == {day.anna.name, day.bruno.name}
    assert len(found["shifts"]) == 2
    (shown,) = found["visits"]
    assert (shown["id"], shown["engineer_id"], shown["number"]) == (str(visit.id), str(day.anna.person), order.number)


async def test_a_visit_moves_in_time_and_its_history_says_so(client, signed_in, day):
    order = await day.order()
    visit = await day.send(order, day.anna, 2)
    client.headers.update(await signed_in("dispatcher"))
    start = day.clock.now() + timedelta(hours=4)
    body = {"planned_start": start.isoformat(), "planned_end": (start + timedelta(hours=1)).isoformat()}
    answer = await client.post(f"/api/v1/visits/{visit.id}/replan", json={**body, "reason": "Customer asked"})
    assert answer.status_code == 200, answer.text
    assert (await day.open_visit(order)).planned_start == start
    backwards = await client.post(
        f"/api/v1/visits/{visit.id}/replan", json={**body, "planned_end": day.clock.now().isoformat()}
    )
    assert backwards.json()["code"] == "visit.plan_runs_backwards"
    async with day.database.unit_of_work(day.company.id) as uow:
        await workorders.perform(uow, day.anna, work_order_id=order.id, action=Action.ACCEPT)
        await workorders.perform(uow, day.anna, work_order_id=order.id, action=Action.TRAVEL)
    for path, said in (("replan", body), ("pin", {"pin": "time"})):
        late = await client.post(f"/api/v1/visits/{visit.id}/{path}", json=said)
        assert (late.status_code, late.json()["code"]) == (409, "visit.over")


async def test_a_phone_knows_its_way_over_the_warehouse_and_nothing_of_others(database, day, work_through):
    phones = {it.person: await enrolled_phone(database, it, registry()) for it in (day.anna, day.bruno)}
    first, then = await day.order(500), await day.order(900)
    async with database.unit_of_work(day.company.id) as uow:
        clerk = day.company.actor("administrator")
        part = await a_part(uow)
        depot = await inventory.add_location(
            uow,
            kind=LocationKind.WAREHOUSE,
            name="Central",
            place={"lon": MONTE_CARLO.lon, "lat": MONTE_CARLO.lat + 0.003},
        )
        await goods_in(uow, clerk, part, depot, 5)
        await inventory.give_van(uow, day.anna.person, "Anna's van")
        await reservations.reserve(
            uow, clerk, work_order_id=then.id, part_id=part.id, location_id=depot.id, quantity=Decimal(2)
        )
    await day.send(first, day.anna, 1)
    visit = await day.send(then, day.anna, 3)
    await work_through()
    (route,) = [it for it in await phones[day.anna.person].pull(want=frozenset({"core"})) if it.get("t") == "route"]
    stops = route["d"]["stops"]
    assert [it["work_order_id"] for it in stops if it["work_order_id"]] == [str(first.id), str(then.id)]
    (fetch,) = [it for it in stops if it["work_order_id"] is None]
    assert (fetch["location_id"], fetch["parts"]) == (str(depot.id), [{"part_id": str(part.id), "quantity": 2}])
    assert not [it for it in await phones[day.bruno.person].pull(want=frozenset({"core"})) if it.get("t") == "route"]

    later = visit.planned_start + timedelta(hours=1)
    async with database.unit_of_work(day.company.id) as uow:
        await workorders.replan_visit(
            uow, day.dispatcher, visit_id=visit.id, planned_start=later, planned_end=later + timedelta(hours=1)
        )
    await work_through()
    (route,) = [it for it in await phones[day.anna.person].pull(want=frozenset({"core"})) if it.get("t") == "route"]
    assert route["d"]["stops"][-1]["begins_at"] == later.isoformat()


async def test_a_plan_that_breaks_off_again_and_again_has_failed(client, signed_in, day, services, work_through):
    await day.order()
    client.headers.update(await signed_in("dispatcher"))
    made = (await client.post(PLANS, json=day.span)).json()
    async with day.database.unit_of_work(day.company.id) as uow:
        await uow.run("""update plan set cause = '{"without": ["nobody"]}'""")
    begin = services.jobs.tasks[service.BEGIN].func
    for attempts, state in ((0, "queued"), (3, "failed")):
        context = SimpleNamespace(job=SimpleNamespace(attempts=attempts))
        with pytest.raises(ValueError, match="UUID"):
            await begin(context, org=str(day.company.id), plan=made["id"])
        assert (await client.get(f"{PLANS}/{made['id']}")).json()["state"] == state
    assert (await client.get(f"{PLANS}/{made['id']}")).json()["why"] == "broke_off"
