"""A company with an engineer who has an order and a phone."""

import pytest

from server.workorders import queries
from tests.factories.workforce import an_engineer
from tests.factories.workorders import a_visit, an_order
from tests.scenarios.handset import Handset
from tests.scenarios.phones import Field, send_out
from tests.scenarios.rules import Job


@pytest.fixture
async def hand_out(client, database, company, signed_in):
    """`await hand_out("engineer", order)` enrols a phone for that person; without an order they are sent a new one."""

    async def enrol(role="engineer", order=None):
        actor = company.actor(role)
        if order is None:
            async with database.unit_of_work(company.id) as uow:
                await an_engineer(uow, actor)
                placed = await an_order(uow, company.actor("dispatcher"))
                await a_visit(uow, company.actor("dispatcher"), actor, placed)
                order = placed.id
        office = await signed_in("administrator")
        code = (await client.post(f"/api/v1/people/{actor.person}/enrolment-codes", headers=office)).json()["code"]
        body = {"code": code, "name": "Phone", "platform": "test", "app_version": "1"}
        enrolled = (await client.post("/mobile/v1/sync/devices", json=body)).json()
        headers = {"Authorization": f"Bearer {enrolled['access_token']}"}
        return Handset(client, database, actor, enrolled["device_id"], headers, order)

    return enrol


@pytest.fixture
async def handset(hand_out):
    return await hand_out()


@pytest.fixture
async def field(app, database, company, clock, tmp_path) -> Field:
    """For scenarios that are about the device: reference devices and what the server has of their work."""
    return await send_out(app, database, company, clock, tmp_path)


@pytest.fixture
async def job(handset, database, dispatcher, clock) -> Job:
    """What the conflict rules are about: one order, given to the handset's engineer this morning."""
    async with database.unit_of_work(dispatcher.org) as uow:
        order = await queries.order(uow, handset.order)
        visit = await queries.visit_at_hand(uow, handset.order)
    assert order is not None
    assert visit is not None
    return Job(database, dispatcher, clock, order, clock.now(), {"engineer": visit})


@pytest.fixture
async def second(hand_out, handset, database, company):
    """Another engineer with a phone, not yet sent to the order."""
    phone = await hand_out("team_lead", handset.order)
    async with database.unit_of_work(company.id) as uow:
        await an_engineer(uow, phone.actor)
    return phone
