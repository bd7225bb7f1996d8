"""What was predicted when somebody set out, beside when they arrived."""

from datetime import timedelta

import pytest

from server.core.db import UnitOfWork
from server.dispatch.learning.errors import PeriodRunsBackwards, PeriodTooLong
from server.dispatch.travel_accuracy import queries, service
from server.dispatch.travel_accuracy.domain import Drive, report
from server.geo import service as geo
from server.geo.estimate import EstimatedTravel
from server.geo.journey import Source
from server.identity.domain import Actor
from server.workorders import service as workorders
from server.workorders.domain import Action, WorkOrder
from tests.factories.customers import MONTE_CARLO, a_site
from tests.factories.geo import Track, all_day, device_of, with_phone
from tests.factories.workforce import a_shift, an_engineer
from tests.factories.workorders import a_visit, an_order
from tests.fakes.clock import FakeClock

TRAVEL = EstimatedTravel()
AWAY = 4_000.0


@pytest.fixture
async def anna(uow: UnitOfWork, engineer: Actor) -> Actor:
    await an_engineer(uow, engineer)
    await a_shift(uow, engineer)
    return await with_phone(uow, engineer)


async def stands(uow: UnitOfWork, phone: Actor, metres: float, seq: int) -> None:
    fixes = Track(uow.now(), around=MONTE_CARLO).fixes(metres, first_seq=seq)
    await geo.record_fixes(uow, phone, device_of(phone), fixes, all_day(uow.now()))


async def sets_out(uow: UnitOfWork, dispatcher: Actor, anna: Actor, seq: int = 1, **site) -> WorkOrder:
    """Anna sets out to a new order, from 4 km north of it unless nobody knows."""
    if seq:
        await stands(uow, anna, AWAY, seq)
    order = await an_order(uow, dispatcher, site=await a_site(uow, **site))
    visit = await a_visit(uow, dispatcher, anna, order)
    for action in (Action.ACCEPT, Action.TRAVEL):
        await workorders.perform(uow, anna, work_order_id=order.id, action=action)
    await service.predict(uow, TRAVEL, visit.id)
    return order


async def arrives(uow: UnitOfWork, clock: FakeClock, anna: Actor, order: WorkOrder, after: timedelta) -> None:
    clock.forward(after)
    await workorders.perform(uow, anna, work_order_id=order.id, action=Action.ARRIVE)


async def of_today(uow: UnitOfWork):
    return await service.accuracy(uow, uow.now() - timedelta(days=1), uow.now() + timedelta(days=1))


async def test_a_drive_is_judged_by_when_its_engineer_arrived(uow, clock, dispatcher, anna):
    order = await sets_out(uow, dispatcher, anna)
    drive = await TRAVEL.route(Track(uow.now(), around=MONTE_CARLO).fixes(AWAY)[0].place, MONTE_CARLO, uow.now())
    assert (await of_today(uow)).overall.drives == 0  # on the way
    await arrives(uow, clock, anna, order, timedelta(seconds=drive.seconds * 2))
    found = await of_today(uow)
    assert (found.overall.drives, found.overall.mape, found.overall.bias) == (1, 50, -50)
    assert (found.overall.within_median, found.overall.within_p90) == (0, 0)
    assert found.by_source == {Source.ESTIMATE: found.overall}
    assert list(found.by_hour.values()) == list(found.by_district.values()) == [found.overall]


async def test_what_was_said_first_stands(uow, clock, dispatcher, anna):
    await sets_out(uow, dispatcher, anna)
    visit = await uow.value("select visit_id from travel_prediction")
    before = await uow.rows("select * from travel_prediction")
    clock.forward(timedelta(minutes=5))
    await stands(uow, anna, 100, 2)
    await service.predict(uow, TRAVEL, visit)
    assert await uow.rows("select * from travel_prediction") == before


async def test_from_where_nobody_knows_nothing_is_predicted(uow, dispatcher, anna):
    await sets_out(uow, dispatcher, anna, seq=0)
    assert await uow.value("select count(*) from travel_prediction") == 0


async def test_a_phone_that_tells_late_is_predicted_from_where_it_was(uow, clock, dispatcher, anna):
    await stands(uow, anna, AWAY, 1)
    at = uow.now()
    clock.forward(timedelta(minutes=8))
    await stands(uow, anna, 500, 2)
    place = await queries.place_at(uow, anna.person, at + timedelta(minutes=1))
    assert place.metres_to(MONTE_CARLO) == pytest.approx(AWAY, abs=5)
    assert await queries.place_at(uow, anna.person, at + timedelta(hours=1)) is None


async def test_who_forgets_to_say_that_they_arrived_is_believed_to_be_where_the_fence_saw_them(
    uow, clock, dispatcher, anna
):
    order = await sets_out(uow, dispatcher, anna)
    visit = await uow.value("select visit_id from travel_prediction")
    clock.forward(timedelta(minutes=12))
    await workorders.set_approach(uow, visit_id=visit, at=uow.now())
    await arrives(uow, clock, anna, order, timedelta(minutes=70))
    (drive,) = await queries.drives(uow, uow.now() - timedelta(days=1), uow.now() + timedelta(days=1))
    assert drive.took == 12 * 60


async def test_a_drive_of_half_a_day_or_of_a_moment_is_none(uow, clock, dispatcher, anna):
    one = await sets_out(uow, dispatcher, anna)
    await arrives(uow, clock, anna, one, timedelta(seconds=20))
    for action in (Action.START, Action.RESOLVE):
        await workorders.perform(uow, anna, work_order_id=one.id, action=action, note="Done.")
    other = await sets_out(uow, dispatcher, anna, seq=2, name="Cellar")
    await arrives(uow, clock, anna, other, timedelta(hours=5))
    assert (await of_today(uow)).overall.drives == 0


async def test_drives_are_told_apart_by_the_sites_district(uow, clock, dispatcher, administrator, anna):
    order = await sets_out(uow, dispatcher, anna)
    square = [[7.3, 43.6], [7.5, 43.6], [7.5, 43.9], [7.3, 43.9], [7.3, 43.6]]
    harbour = uow.new_id()
    await uow.run(
        """
        insert into territory (org_id, id, name, area)
        values (%(org)s, %(id)s, 'Harbour', st_geomfromgeojson(%(area)s)::geography)
        """,
        org=uow.org,
        id=harbour,
        area={"type": "Polygon", "coordinates": [square]},
    )
    await uow.run("update site set territory_id = %(id)s", id=harbour)
    await arrives(uow, clock, anna, order, timedelta(minutes=15))
    assert list((await of_today(uow)).by_district) == [harbour]
    assert (await service.names_of_districts(uow))[harbour] == "Harbour"


async def test_a_period_runs_forwards_and_has_an_end(uow):
    with pytest.raises(PeriodRunsBackwards):
        await service.accuracy(uow, uow.now(), uow.now())
    with pytest.raises(PeriodTooLong):
        await service.accuracy(uow, uow.now() - timedelta(days=1000), uow.now())


def test_groups_are_in_order_and_those_without_a_district_come_last():
    drives = [
        Drive(17, None, Source.ROADS, 600, 900, 700.0),
        Drive(8, None, Source.ESTIMATE, 600, 900, 500.0),
        Drive(8, None, Source.ROADS, 600, 900, 1000.0),
    ]
    found = report(drives)
    assert list(found.by_hour) == [8, 17]
    assert list(found.by_source) == sorted({Source.ROADS, Source.ESTIMATE})
    assert (found.by_hour[8].drives, found.by_hour[8].within_p90, found.overall.drives) == (2, 50, 3)
    assert report([]).overall.mape is None
