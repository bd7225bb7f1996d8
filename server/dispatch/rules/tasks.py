"""Each minute: orders that have waited, orders near breach, offers that are over. Safe to run twice."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from uuid import UUID

from procrastinate import App as JobApp

from server.core.db import Database, UnitOfWork
from server.core.errors import Problem
from server.core.jobs import RETRY
from server.core.logging import logger
from server.dispatch.rules import pool_queries, service
from server.dispatch.rules.joint import Chosen
from server.geo.travel import Travel

log = logger(__name__)

_TURNS = 3  # then one after the other: with so few engineers for so many orders there is little to choose


def install(jobs: JobApp, database: Database, travel: Travel) -> None:
    @jobs.periodic(cron="* * * * *")
    @jobs.task(name="dispatch.apply_rules", queueing_lock="dispatch.apply_rules", retry=RETRY)
    async def apply_rules(timestamp: int = 0) -> None:
        del timestamp
        for org in await database.organisations():
            await look_round(database, travel, org)


async def look_round(database: Database, travel: Travel, org: UUID) -> None:
    """Go on with what waits in an organisation. Each order is a transaction of its own."""
    async with database.unit_of_work(org) as uow:
        expired = await pool_queries.expired(uow, uow.now())
        due, near = await service.due(uow), await service.near_breach(uow)
        on_offer = await pool_queries.has_open(uow)
    await _each(database, org, expired, service.expire)
    await _take_up(database, travel, org, due)
    await _each(database, org, near, service.offer_near_breach)
    if on_offer:
        # Skills are learnt and lost, people come and go, while an offer is open.
        async with database.unit_of_work(org) as uow:
            await pool_queries.show(uow)


async def _take_up(database: Database, travel: Travel, org: UUID, due: Sequence[UUID]) -> None:
    """Take up what has waited long enough: several orders together, each engineer with one of them a turn."""
    for _ in range(_TURNS):
        if len(due) <= 1:
            break
        async with database.unit_of_work(org) as uow:
            choice = await service.choose(uow, travel, due)
        await _each(database, org, [it for it in due if it not in choice.later], partial(_one, travel, choice.chosen))
        due = choice.later
    await _each(database, org, due, partial(_one, travel, {}))


async def _one(travel: Travel, chosen: Mapping[UUID, Chosen], uow: UnitOfWork, work_order_id: UUID) -> None:
    await service.take_up(uow, travel, work_order_id, chosen.get(work_order_id))


async def _each(
    database: Database, org: UUID, orders: Iterable[UUID], act: Callable[[UnitOfWork, UUID], Awaitable[None]]
) -> None:
    for order in orders:
        try:
            async with database.unit_of_work(org) as uow:
                await act(uow, order)
        except Problem as problem:
            # One order that can't be helped must not keep the others waiting.
            log.warning("rule not carried out", work_order=str(order), code=problem.code)
