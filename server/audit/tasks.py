"""Background jobs of the audit. Each is safe to run twice."""

from pathlib import Path

from procrastinate import App as JobApp

from server.audit.anchors import signed_heads, write_daily
from server.audit.sealing import seal_everything
from server.confirmation.sealing import Sealer
from server.core.db import Database
from server.core.jobs import RETRY


def install(jobs: JobApp, database: Database, sealer: Sealer, *, folder: Path) -> None:
    """Teach the queue to anchor chains. folder: where a file a day is left, to be taken elsewhere."""

    @jobs.periodic(cron="41 0 * * *")
    @jobs.task(name="audit.anchor", queueing_lock="audit.anchor", retry=RETRY)
    async def anchor(timestamp: int = 0) -> None:
        del timestamp
        await seal_everything(database)
        heads = await signed_heads(database, sealer, await database.organisations())
        write_daily(folder, sealer.wall.now().date(), heads)
