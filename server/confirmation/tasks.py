"""Background jobs of confirmation. Each is safe to run twice."""

import secrets
from uuid import UUID

from procrastinate import App as JobApp

from server.confirmation.domain import CODE_BYTES
from server.confirmation.reporting import make_report
from server.confirmation.sealing import Sealer
from server.core.db import Database
from server.core.jobs import RETRY
from server.media.store import BlobStore

RENDER_REPORT = "confirmation.render_report"


def install(jobs: JobApp, database: Database, store: BlobStore, sealer: Sealer, *, verify_base: str) -> None:
    """Teach the queue to make reports. `verify_base` is the public address that is followed by a report's code."""

    @jobs.task(name=RENDER_REPORT, queue="reports", retry=RETRY)
    async def render_report(org: str = "", work_order: str = "") -> None:
        await make_report(
            database,
            store,
            UUID(org),
            UUID(work_order),
            sealer=sealer,
            verify_base=verify_base,
            mint_code=lambda: secrets.token_bytes(CODE_BYTES),
        )
