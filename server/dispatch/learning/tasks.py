"""Background jobs of learning. Each is safe to run twice."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from procrastinate import App as JobApp

from server.core.db import Database
from server.core.jobs import RETRY
from server.core.logging import logger
from server.dispatch.learning import service
from server.dispatch.learning.errors import NotEnoughHistory
from server.dispatch.learning.service import Learnt

log = logger(__name__)


def install(jobs: JobApp, database: Database) -> None:
    """Teach the queue to look every week, in the night from Sunday to Monday, whether there is something to propose."""

    @jobs.periodic(cron="23 2 * * 1")
    @jobs.task(name="learning.propose", queueing_lock="learning.propose", retry=RETRY)
    async def propose(timestamp: int = 0) -> None:
        del timestamp
        for org in await database.organisations():
            await study(database, org)


async def study(database: Database, org: UUID) -> Sequence[Learnt]:
    """Learn from an organisation's history and propose what is better; no transaction waits while it thinks."""
    try:
        async with database.unit_of_work(org) as uow:
            past = await service.history(uow)
    except NotEnoughHistory:
        return []
    taught = await asyncio.to_thread(service.lessons, past)
    async with database.unit_of_work(org) as uow:
        found = await service.propose(uow, past, taught)
    log.info("learnt", org=str(org), **{str(it.kind): str(it.outcome) for it in found})
    return found
