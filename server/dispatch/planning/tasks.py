"""Background jobs of planning. Each is safe to run twice."""

from uuid import UUID

from procrastinate import App as JobApp

from server.core.db import Database
from server.core.jobs import RETRY
from server.dispatch.planning import applying, service, solving
from server.geo.travel import Travel


def install(jobs: JobApp, database: Database, travel: Travel) -> None:
    """Teach the queue to make plans and to put them into effect."""

    @jobs.task(name=service.BEGIN, queue=service.QUEUE, retry=RETRY)
    async def begin_plan(org: str = "", plan: str = "") -> None:
        await solving.begin_plan(database, jobs, UUID(org), UUID(plan))

    @jobs.task(name=service.PART, queue=service.QUEUE, retry=RETRY)
    async def solve_part(org: str = "", plan: str = "", number: str = "0") -> None:
        await solving.solve_part(database, jobs, travel, UUID(org), UUID(plan), int(number))

    @jobs.task(name=service.JOIN, queue=service.QUEUE, retry=RETRY)
    async def join_parts(org: str = "", plan: str = "") -> None:
        await solving.join_parts(database, travel, UUID(org), UUID(plan))

    @jobs.task(name=service.APPLY, queue=service.QUEUE, retry=RETRY)
    async def apply_plan(org: str = "", plan: str = "") -> None:
        await applying.apply_plan(database, travel, UUID(org), UUID(plan))

    @jobs.task(name=service.UNDO, queue=service.QUEUE, retry=RETRY)
    async def undo_plan(org: str = "", plan: str = "") -> None:
        await applying.undo_plan(database, UUID(org), UUID(plan))
