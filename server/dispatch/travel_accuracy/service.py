"""How true predicted drives come: what is said when somebody sets out, and what came of it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from server.core.db import UnitOfWork
from server.customers import service as customers
from server.dispatch.learning.errors import PeriodRunsBackwards, PeriodTooLong
from server.dispatch.travel_accuracy import queries
from server.dispatch.travel_accuracy.domain import Report, report
from server.geo.travel import Travel
from server.workorders import queries as workorder_queries

LONGEST = timedelta(days=732)


async def predict(uow: UnitOfWork, travel: Travel, visit_id: UUID) -> None:
    """Keep how long the drive to a visit was to take when its engineer set out, once.

    Where nobody knows from where they set out nothing is kept: a guess would be judged.
    """
    visit = await workorder_queries.visit(uow, visit_id)
    if visit is None or visit.begun_at is None or visit.engineer_id is None:
        return
    here = await queries.place_at(uow, visit.engineer_id, visit.begun_at)
    order = await workorder_queries.order(uow, visit.work_order_id)
    if here is None or order is None:
        return
    site = await customers.site_of(uow, order.site_id)
    drive = await travel.route(here, site.place, visit.begun_at)
    if drive.seconds > 0:
        await queries.keep_prediction(uow, visit.id, visit.begun_at, here, drive)


async def accuracy(uow: UnitOfWork, since: datetime, until: datetime) -> Report:
    """Compare the drives begun from `since` to before `until`. Raises PeriodRunsBackwards, PeriodTooLong."""
    if until <= since:
        raise PeriodRunsBackwards
    if until - since > LONGEST:
        raise PeriodTooLong(days=LONGEST.days)
    return report(await queries.drives(uow, since, until))


async def names_of_districts(uow: UnitOfWork) -> Mapping[UUID, str]:
    return {it.id: it.name for it in await queries.districts(uow)}
