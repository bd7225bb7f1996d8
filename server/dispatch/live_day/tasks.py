"""Each minute: who is late. Safe to run twice."""

from procrastinate import App as JobApp

from server.core.db import Database
from server.core.jobs import RETRY
from server.dispatch.live_day import disruptions
from server.geo.travel import Travel


def install(jobs: JobApp, database: Database, travel: Travel) -> None:
    @jobs.periodic(cron="* * * * *")
    @jobs.task(name="dispatch.notice_delays", queueing_lock="dispatch.notice_delays", retry=RETRY)
    async def notice_delays(timestamp: int = 0) -> None:
        del timestamp
        for org in await database.organisations():
            async with database.unit_of_work(org) as uow:
                await disruptions.notice_delays(uow, jobs, travel)
