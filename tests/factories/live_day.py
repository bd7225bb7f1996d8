"""A day that runs: engineers around a town with tours that people know."""

from datetime import timedelta

from server.core.db import UnitOfWork
from server.customers.domain import Customer
from server.geo.domain import Point
from server.identity.domain import Actor
from server.workforce import service as workforce
from server.workforce.domain import Hours
from server.workorders import service as workorders
from server.workorders.domain import Visit, WorkOrder
from tests.factories.customers import a_customer, a_site
from tests.factories.workforce import an_engineer, another_engineer
from tests.factories.workorders import an_order


def east_of(place: Point, metres: float) -> Point:
    return Point(place.lon + metres / 80_500, place.lat)


class Town:
    """Sites on a line through a customer's town, engineers who live at chosen metres along it."""

    def __init__(self, uow: UnitOfWork, dispatcher: Actor, centre: Point) -> None:
        self.uow, self.dispatcher, self.centre = uow, dispatcher, centre
        self._customer: Customer | None = None

    async def engineer(self, name: str, metres: float, *, hours: float = 9, days: int = 1, **skills: int) -> Actor:
        org = self.uow.org
        assert org is not None
        found = await another_engineer(self.uow, org, name)
        await an_engineer(self.uow, found, home=east_of(self.centre, metres), **skills)
        for day in range(days):
            starts = self.uow.now() + timedelta(days=day)
            worked = Hours(starts, starts + timedelta(hours=hours))
            await workforce.add_shift(self.uow, person=found.person, hours=worked)
        return found

    async def order(self, metres: float, **said) -> WorkOrder:
        self._customer = self._customer or await a_customer(self.uow)
        site = await a_site(self.uow, self._customer, name=f"At {metres}", place=east_of(self.centre, metres))
        return await an_order(self.uow, self.dispatcher, site=site, **said)

    async def visit(self, engineer: Actor, metres: float, hours: float, **said) -> tuple[WorkOrder, Visit]:
        """Send somebody so many hours from now."""
        order = await self.order(metres, **said)
        return order, await self.send(order, engineer, hours)

    async def send(self, order: WorkOrder, engineer: Actor, hours: float) -> Visit:
        start = self.uow.now() + timedelta(hours=hours)
        return await workorders.schedule_visit(
            self.uow,
            self.dispatcher,
            work_order_id=order.id,
            engineer_id=engineer.person,
            planned_start=start,
            planned_end=start + timedelta(minutes=order.duration_minutes),
        )
