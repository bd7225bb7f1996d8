"""What the engine does behind everybody's back. Each is safe to run twice."""

from datetime import timedelta

from procrastinate import App as JobApp

from server.core.db import Database
from server.core.jobs import RETRY
from server.sync import queries
from server.sync.registry import Registry
from server.sync.snapshots import make_snapshots

# Without a replica or an archive to ask, what has been noted for this long is taken to be in a backup.
_TRUSTED_AFTER = timedelta(hours=24)
# As long as a phone may be away before it takes a bucket anew instead of what left it.
_DEPARTED_FOR = timedelta(days=90)


def install(jobs: JobApp, database: Database, registry: Registry) -> None:
    """Teach the queue the engine's periodic work."""

    @jobs.periodic(cron="* * * * *")
    @jobs.task(name="sync.advance_durable", queueing_lock="sync.advance_durable", retry=RETRY)
    async def advance_durable(timestamp: int = 0) -> None:
        del timestamp
        for org in await database.organisations():
            async with database.unit_of_work(org) as uow:
                await queries.advance_durable(uow, trusted_before=uow.now() - _TRUSTED_AFTER)

    @jobs.periodic(cron="*/5 * * * *")
    @jobs.task(name="sync.make_snapshots", queueing_lock="sync.make_snapshots", retry=RETRY)
    async def snapshots(timestamp: int = 0) -> None:
        del timestamp
        for org in await database.organisations():
            await make_snapshots(database, registry, org)

    @jobs.periodic(cron="23 3 * * *")
    @jobs.task(name="sync.forget_departed", queueing_lock="sync.forget_departed", retry=RETRY)
    async def forget_departed(timestamp: int = 0) -> None:
        del timestamp
        for org in await database.organisations():
            async with database.unit_of_work(org) as uow:
                await queries.forget_departed(uow, before=uow.now() - _DEPARTED_FOR)
