"""A plan in parts comes to the same whoever solves which part when, and looks over its borders."""

import asyncio
from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest

from server.customers import service as customers
from server.dispatch.planning import queries, service, solving
from server.dispatch.planning.domain import Change, Effort, PlanState, Scope
from server.dispatch.planning.picture import Policy
from server.geo.domain import Point
from server.geo.estimate import EstimatedTravel
from server.geo.journey import Matrix
from server.workforce import service as workforce
from tests.factories.customers import MONTE_CARLO, a_customer, a_site
from tests.factories.geo import north_of
from tests.factories.workforce import a_shift, another_engineer
from tests.factories.workorders import an_order

TRAVEL = EstimatedTravel()


@pytest.fixture
async def land(database, company, dispatcher):
    """South and north of a border at 10 km, two engineers each, three orders a kilometre apart on either side."""
    async with database.unit_of_work(company.id) as uow:
        await queries.insert_policy(uow, 1, Policy(split=10), dispatcher.person)
        customer = await a_customer(uow)
        sides = {}
        for name, (bottom, top) in {"South": (43.0, 43.8283), "North": (43.8283, 44.5)}.items():
            ring = [[7.0, bottom], [8.0, bottom], [8.0, top], [7.0, top], [7.0, bottom]]
            sides[name] = await workforce.add_territory(uow, name=name, area={"type": "Polygon", "coordinates": [ring]})
        for number, metres in enumerate((1_000, 6_000, 14_000, 19_000)):
            person = await another_engineer(uow, company.id, f"E{number}")
            await workforce.set_engineer(
                uow,
                person=person.person,
                home=north_of(MONTE_CARLO, metres),
                daily_capacity_minutes=480,
                territory_id=sides["South" if metres < 10_000 else "North"].id,
            )
            await a_shift(uow, person)
        for metres in range(2_000, 19_000, 1_500):
            site = await a_site(uow, customer, name=f"At {metres}", place=north_of(MONTE_CARLO, metres))
            await an_order(uow, dispatcher, site=site)
    return company


async def a_plan(database, services, land) -> UUID:
    async with database.unit_of_work(land.id) as uow:
        scope = Scope(uow.now(), uow.now() + timedelta(hours=12))
        plan = await service.begin(uow, services.jobs, scope=scope, effort=Effort.QUICK, seed=7)
    await solving.begin_plan(database, services.jobs, land.id, plan.id)
    return plan.id


async def solve(database, services, land, plan_id, numbers):
    for number in numbers:
        await solving.solve_part(database, services.jobs, TRAVEL, land.id, plan_id, number)


async def lines_of(database, land, plan_id):
    async with database.unit_of_work(land.id) as uow:
        plan = await service.plan_of(uow, plan_id)
        assert plan.state is PlanState.READY
        return plan, {it.number: (it.change, it.after) for it in await service.lines_of(uow, plan_id)}


async def test_a_plan_is_the_same_on_one_worker_and_on_two(database, services, land):
    one, other = [await a_plan(database, services, land) for _ in range(2)]
    await solve(database, services, land, one, [0, 1])
    await asyncio.gather(solve(database, services, land, other, [1]), solve(database, services, land, other, [0]))
    for plan_id in (one, other):
        await solving.join_parts(database, TRAVEL, land.id, plan_id)
    plan, lines = await lines_of(database, land, one)
    assert plan.parts == 2
    assert (await lines_of(database, land, other))[1] == lines
    assert {change for change, _ in lines.values()} == {Change.ASSIGN}


async def test_only_the_last_part_calls_for_joining_them(database, services, land):
    plan_id = await a_plan(database, services, land)
    jobs = "select count(*) from procrastinate_jobs where task_name = %(name)s"
    for number, waiting in ((1, 0), (0, 1), (0, 1)):
        await solve(database, services, land, plan_id, [number])
        async with database.unit_of_work(land.id) as uow:
            assert await uow.value(jobs, name=service.JOIN) == waiting


async def test_what_no_part_could_make_finds_its_place_over_the_border(database, services, land, dispatcher):
    """The south has no more room for a long job at the border; the north has."""
    async with database.unit_of_work(land.id) as uow:
        site = await uow.value("select site_id from work_order order by number limit 1")
        for _ in range(3):
            await an_order(uow, dispatcher, site=await customers.site_of(uow, site), duration_minutes=300)
    plan_id = await a_plan(database, services, land)
    await solve(database, services, land, plan_id, [0, 1])
    async with database.unit_of_work(land.id) as uow:
        south = await queries.answers(uow, plan_id)
        left = {it for answer in south for it in answer["left_out"]}
    assert left
    await solving.join_parts(database, TRAVEL, land.id, plan_id)
    plan, _ = await lines_of(database, land, plan_id)
    assert plan.after is not None
    assert plan.after["left_out"] < len(left)


_A_METRE = north_of(Point(7, 43), 1).lat - 43  # degrees


class Meridian(EstimatedTravel):
    """One road from south to north, 10 m a second; one drive in ten takes 30 % longer."""

    async def table(self, origins, to, leaving):  # noqa: ARG002 - the same at every hour
        metres = np.array([[round(abs(a.lat - b.lat) / _A_METRE) for b in to] for a in origins], np.int32)
        return Matrix(metres // 10, metres * 13 // 100, metres, np.zeros(metres.shape, bool))


@pytest.fixture
async def road(database, company, dispatcher):
    """Ann at the foot of a road, Bo 72 km up; between them an early visit, and one that Ann makes on a usual day."""
    async with database.unit_of_work(company.id) as uow:
        customer, now = await a_customer(uow), uow.now()
        people = {}
        for name, metres in (("Ann", 0), ("Bo", 72_000)):
            person = await another_engineer(uow, company.id, name)
            home = north_of(MONTE_CARLO, metres)
            await workforce.set_engineer(uow, person=person.person, home=home, daily_capacity_minutes=480)
            await a_shift(uow, person)
            people[name] = person.person
        orders = {}
        for metres, closes in ((18_000, 45), (36_000, 125)):
            site = await a_site(uow, customer, name=f"At {metres}", place=north_of(MONTE_CARLO, metres))
            window = {"window_start": now, "window_end": now + timedelta(minutes=closes)}
            orders[metres] = (await an_order(uow, dispatcher, site=site, duration_minutes=60, **window)).number
    return people, orders


@pytest.mark.parametrize(("caution", "who"), [(0, "Ann"), (100, "Bo")])
async def test_a_careful_plan_keeps_the_promises_of_a_slow_day(
    database, services, company, dispatcher, road, caution, who
):
    people, orders = road
    async with database.unit_of_work(company.id) as uow:
        await queries.insert_policy(uow, 1, Policy(caution_percent=caution, fairness=0), dispatcher.person)
    plan_id = await a_plan(database, services, company)
    await solving.solve_part(database, services.jobs, Meridian(), company.id, plan_id, 0)
    await solving.join_parts(database, Meridian(), company.id, plan_id)
    _, lines = await lines_of(database, company, plan_id)
    assert lines[orders[18_000]][1].engineer_id == people["Ann"]
    assert lines[orders[36_000]][1].engineer_id == people[who]
    async with database.unit_of_work(company.id) as uow:
        details = {it.number: it.details for it in await service.lines_of(uow, plan_id)}
    far = details[orders[36_000]]
    # What people read is the usual drive, whatever the plan allowed for, and what a slow day would do to the promise.
    assert far["drive_seconds"] == (1_800 if who == "Ann" else 3_600)
    assert (far["risk_seconds"] > 0) is (who == "Ann")
