"""What geo does behind everybody's back. Each is safe to run twice."""

from procrastinate import App as JobApp

from server.core.db import Database
from server.core.jobs import RETRY
from server.geo import tracking


def install(jobs: JobApp, database: Database) -> None:
    @jobs.periodic(cron="7 * * * *")
    @jobs.task(name="geo.keep_tracks", queueing_lock="geo.keep_tracks", retry=RETRY)
    async def keep_tracks(timestamp: int = 0) -> None:
        del timestamp
        await tracking.keep_house(database)
