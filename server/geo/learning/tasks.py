"""Every night: what drives teach about the roads. Safe to run twice."""

from collections.abc import Callable

from procrastinate import App as JobApp

from server.core.db import Database
from server.core.jobs import RETRY
from server.core.logging import logger
from server.geo.learning.service import learn_tonight
from server.geo.region import Region

log = logger(__name__)


def install(jobs: JobApp, database: Database, find_region: Callable[[], Region | None]) -> None:
    """find_region: the region in use, asked anew each night."""

    @jobs.periodic(cron="41 2 * * *")
    @jobs.task(name="travel.learn", queueing_lock="travel.learn", lock="travel.learn", retry=RETRY)
    async def learn(timestamp: int = 0) -> None:
        del timestamp
        log.info("learnt travel times", outcome=str(await learn_tonight(database, find_region())))
