"""Background jobs of orders. Each is safe to run twice."""

from uuid import UUID

from procrastinate import App as JobApp

from server.core.db import Database
from server.core.jobs import RETRY
from server.media.subscribers import order_small_copies
from server.workorders import pictures


def install(jobs: JobApp, database: Database) -> None:
    @jobs.periodic(cron="*/15 * * * *")
    @jobs.task(name="workorders.watch_photos", queueing_lock="workorders.watch_photos", retry=RETRY)
    async def watch_photos(timestamp: int = 0) -> None:
        del timestamp
        for org in await database.organisations():
            await watch(database, jobs, org)


async def watch(database: Database, jobs: JobApp, org: UUID) -> None:
    """Bring photos up to date with their files, and say which files are overdue."""
    async with database.unit_of_work(org) as uow:
        for sha256 in await pictures.catch_up(uow):
            await order_small_copies(uow, jobs, sha256)
        await pictures.raise_alarms(uow)
