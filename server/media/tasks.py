"""Background jobs of media. Each is safe to run twice."""

from uuid import UUID

import procrastinate
from procrastinate import App as JobApp

from server.core.db import Database
from server.core.jobs import RETRY
from server.media import derivatives, keeping
from server.media.domain import BlobState, FileRules
from server.media.store import BlobStore

MAKE_PICTURES = "media.make_pictures"

# Apart from everything else: a decoder takes a core for as long as it takes.
IMAGES = "images"

_TRIES = 3


def install(jobs: JobApp, database: Database, store: BlobStore, rules: FileRules) -> None:
    @jobs.task(name=MAKE_PICTURES, queue=IMAGES, retry=RETRY, priority=-10, pass_context=True)
    async def make_pictures(context: procrastinate.JobContext, org: str = "", sha256: str = "") -> None:
        await derivatives.make(database, store, UUID(org), sha256, last_try=context.job.attempts + 1 >= _TRIES)

    @jobs.periodic(cron="23 * * * *")
    @jobs.task(name="media.forget_uploads", queueing_lock="media.forget_uploads", retry=RETRY)
    async def forget_uploads(timestamp: int = 0) -> None:
        del timestamp
        for org in await database.organisations():
            await keeping.tidy(database, store, rules, org, BlobState.PENDING)
            await keeping.count_usage(database, org)

    @jobs.periodic(cron="41 3 * * *")
    @jobs.task(name="media.remove_unused", queueing_lock="media.remove_unused", retry=RETRY)
    async def remove_unused(timestamp: int = 0) -> None:
        del timestamp
        for org in await database.organisations():
            await keeping.tidy(database, store, rules, org, BlobState.READY)

    @jobs.periodic(cron="11 4 * * 0")
    @jobs.task(name="media.find_lost", queueing_lock="media.find_lost", retry=RETRY)
    async def find_lost(timestamp: int = 0) -> None:
        del timestamp
        for org in await database.organisations():
            await keeping.find_lost(database, store, org)
