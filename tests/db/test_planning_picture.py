"""What a plan is made from, read from real rows."""

from datetime import timedelta
from math import log

import pytest

from server.core.db import UnitOfWork
from server.dispatch import wishes
from server.dispatch.domain import Wish
from server.dispatch.learning import queries as learned
from server.dispatch.learning import service as learning
from server.dispatch.learning.domain import Kind, Lesson
from server.dispatch.learning.durations import Durations, Part, TypeTime
from server.dispatch.planning import reading
from server.dispatch.planning.domain import Scope
from server.dispatch.planning.picture import Picture, Policy
from server.identity.domain import Actor
from server.workforce import service as workforce
from server.workforce.domain import Hours, SkillLevel
from server.workorders import service as workorders
from server.workorders.domain import Action, Pin
from tests.factories.customers import MONTE_CARLO, a_customer, a_site
from tests.factories.geo import north_of
from tests.factories.workforce import HOME, a_shift, an_engineer, another_engineer
from tests.factories.workorders import a_visit, an_order, work_until


@pytest.fixture
async def anna(uow: UnitOfWork, engineer: Actor) -> Actor:
    await an_engineer(uow, engineer, oven=3)
    await a_shift(uow, engineer)
    return engineer


async def the_picture(uow: UnitOfWork, *, hours: float = 36, begins: float = 0) -> Picture:
    start = uow.now() + timedelta(hours=begins)
    return await reading.picture(uow, Scope(start, start + timedelta(hours=hours)), Policy())


async def send(uow: UnitOfWork, dispatcher: Actor, engineer: Actor, order, hours: float):
    start = uow.now() + timedelta(hours=hours)
    return await workorders.schedule_visit(
        uow,
        dispatcher,
        work_order_id=order.id,
        engineer_id=engineer.person,
        planned_start=start,
        planned_end=start + timedelta(hours=1),
    )


async def test_an_order_is_read_with_all_that_matters(uow: UnitOfWork, dispatcher: Actor, anna: Actor):
    now = uow.now()
    customer = await a_customer(uow)
    site = await a_site(uow, customer, place=north_of(MONTE_CARLO, 900))
    order = await an_order(
        uow,
        dispatcher,
        site=site,
        skills=(SkillLevel("oven", 2),),
        window_start=now + timedelta(hours=1),
        window_end=now + timedelta(hours=3),
        preferred_engineer_id=anna.person,
    )
    bruno = await another_engineer(uow, anna.org)
    await wishes.record_wish(
        uow, dispatcher, customer_id=customer.id, engineer_id=bruno.person, wish=Wish.BANNED, why="Rude"
    )
    (read,) = (await the_picture(uow)).orders
    assert (read.id, read.skills, read.preferred) == (order.id, (SkillLevel("oven", 2),), anna.person)
    assert [(it.opens, it.closes) for it in read.windows] == [(now + timedelta(hours=1), now + timedelta(hours=3))]
    assert read.banned == (bruno.person,)
    assert read.booked is None
    assert read.place.metres_to(site.place) == 0


async def test_a_shift_is_read_with_its_break_and_its_engineer(uow: UnitOfWork, engineer: Actor):
    await an_engineer(uow, engineer, oven=3)
    await workforce.set_engineer(
        uow, person=engineer.person, home=HOME, daily_capacity_minutes=480, pace_percent=80, skills=[]
    )
    start = uow.now() + timedelta(hours=2)
    rest = (start + timedelta(hours=3), start + timedelta(hours=4), 30)
    await workforce.add_shift(
        uow, person=engineer.person, hours=Hours(start, start + timedelta(hours=8), *rest, overtime_minutes=45)
    )
    (duty,) = (await the_picture(uow)).duties
    assert duty.rest is not None
    assert (duty.rest.opens, duty.rest.closes, duty.rest.minutes) == rest
    assert (duty.pace_percent, duty.overtime_minutes, duty.free_at) == (80, 45, start)


async def test_who_is_at_work_is_free_when_that_is_done_and_where(uow: UnitOfWork, dispatcher: Actor, anna: Actor):
    site = await a_site(uow, place=north_of(MONTE_CARLO, 5_000))
    order = await an_order(uow, dispatcher, site=site)
    visit = await send(uow, dispatcher, anna, order, 0)
    await work_until(uow, anna, order, Action.START)
    picture = await the_picture(uow)
    assert picture.orders == ()
    (duty,) = picture.duties
    assert duty.free_at == visit.planned_end
    assert duty.start.metres_to(site.place) == 0
    assert duty.home == HOME


async def test_what_is_not_to_be_planned_is_left_out(uow: UnitOfWork, dispatcher: Actor, anna: Actor):
    stranger = await another_engineer(uow, anna.org)  # without a shift
    kept = [await an_order(uow, dispatcher) for _ in range(2)]
    pinned = await send(uow, dispatcher, anna, kept[1], 5)
    await workorders.pin_visit(uow, dispatcher, visit_id=pinned.id, pin=Pin.TIME)
    cancelled, elsewhere, resolved, later = [await an_order(uow, dispatcher) for _ in range(4)]
    await workorders.perform(uow, dispatcher, work_order_id=cancelled.id, action=Action.CANCEL, reason="Called off")
    await a_visit(uow, dispatcher, stranger, elsewhere)
    await send(uow, dispatcher, anna, resolved, 0)
    await work_until(uow, anna, resolved, Action.RESOLVE)
    await send(uow, dispatcher, anna, later, 100)
    await an_order(uow, dispatcher, window_start=uow.now() + timedelta(days=5))
    picture = await the_picture(uow)
    assert {it.id for it in picture.orders} == {it.id for it in kept}
    assert [it.booked.pin for it in picture.orders if it.booked] == [Pin.TIME]


async def test_who_declined_is_not_asked_again(uow: UnitOfWork, dispatcher: Actor, anna: Actor):
    order = await an_order(uow, dispatcher)
    await send(uow, dispatcher, anna, order, 1)
    await workorders.perform(uow, anna, work_order_id=order.id, action=Action.DECLINE, reason="No ladder")
    (read,) = (await the_picture(uow)).orders
    assert read.banned == (anna.person,)


async def test_lapsed_skills_do_not_count(uow: UnitOfWork, anna: Actor):
    await uow.run("update engineer_skill set valid_until = %(day)s", day=(uow.now() - timedelta(days=1)).date())
    (duty,) = (await the_picture(uow)).duties
    assert duty.skills == ()


async def test_what_was_learnt_counts_once_it_is_accepted(
    uow: UnitOfWork, dispatcher: Actor, administrator: Actor, anna: Actor
):
    await an_order(uow, dispatcher, duration_minutes=60)
    known = Durations(0.4, {"no_heat": TypeTime(log(95.0), 0.4, 50)}, {}, {anna.person: Part(log(1.2), 30)}, {})
    today = uow.now().date()
    lesson = Lesson(Kind.DURATIONS, 50, today, today, known.to_json(), {}, better=True)
    model = await learned.insert_model(uow, lesson, 50)
    before = await the_picture(uow)
    assert (before.orders[0].minutes, before.duties[0].pace_percent) == (60, 100)
    await learning.accept(uow, administrator, model.id)
    after = await the_picture(uow)
    assert (after.orders[0].minutes, after.duties[0].pace_percent) == (95, 120)
