"""Background jobs of notification. Each is safe to run twice."""

from datetime import timedelta

from procrastinate import App as JobApp

from server.core.db import Database
from server.core.jobs import RETRY
from server.notify import queries

KEEP_SETTLED = timedelta(days=30)


def install(jobs: JobApp, database: Database) -> None:
    @jobs.periodic(cron="53 3 * * *")
    @jobs.task(name="notify.forget_settled", queueing_lock="notify.forget_settled", retry=RETRY)
    async def forget_settled(timestamp: int = 0) -> None:
        # What became of a hint is asked about within days, and every phone has pulled since.
        del timestamp
        for org in await database.organisations():
            async with database.unit_of_work(org) as uow:
                await queries.forget_settled(uow, uow.now() - KEEP_SETTLED)
