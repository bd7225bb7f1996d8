"""A plan in parts comes to the same whoever solves which part when, and looks over its borders."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from server.customers import service as customers
from server.dispatch.planning import queries, service, solving
from server.dispatch.planning.domain import Change, Effort, PlanState, Scope
from server.dispatch.planning.picture import Policy
from server.geo.estimate import EstimatedTravel
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
