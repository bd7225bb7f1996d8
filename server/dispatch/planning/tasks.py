"""Background jobs of planning. Each is safe to run twice."""

from collections.abc import Awaitable
from uuid import UUID

from procrastinate import App as JobApp
from procrastinate import JobContext, RetryStrategy

from server.core.db import Database
from server.core.jobs import RETRY
from server.core.logging import logger
from server.dispatch.planning import applying, service, solving
from server.geo.travel import Travel

log = logger(__name__)

# Somebody waits for a plan: they are told soon that there will be none.
_TRIES = 3
_SOON = RetryStrategy(max_attempts=_TRIES, exponential_wait=3)


def install(jobs: JobApp, database: Database, travel: Travel) -> None:
    """Teach the queue to make plans and to put them into effect."""

    async def made(context: JobContext, org: str, plan: str, work: Awaitable[None]) -> None:
        """Await a part of making a plan; when it has failed for the last time, the plan has failed."""
        try:
            await work
        except Exception:
            log.exception("planning broke off", plan=plan, attempts=context.job.attempts)
            if context.job.attempts >= _TRIES:
                await solving.fail(database, UUID(org), UUID(plan), solving.BROKE_OFF)
            raise

    @jobs.task(name=service.BEGIN, queue=service.QUEUE, retry=_SOON, pass_context=True)
    async def begin_plan(context: JobContext, org: str = "", plan: str = "") -> None:
        await made(context, org, plan, solving.begin_plan(database, jobs, UUID(org), UUID(plan)))

    @jobs.task(name=service.PART, queue=service.QUEUE, retry=_SOON, pass_context=True)
    async def solve_part(context: JobContext, org: str = "", plan: str = "", number: str = "0") -> None:
        part = solving.solve_part(database, jobs, travel, UUID(org), UUID(plan), int(number))
        await made(context, org, plan, part)

    @jobs.task(name=service.JOIN, queue=service.QUEUE, retry=_SOON, pass_context=True)
    async def join_parts(context: JobContext, org: str = "", plan: str = "") -> None:
        await made(context, org, plan, solving.join_parts(database, travel, UUID(org), UUID(plan)))

    @jobs.task(name=service.APPLY, queue=service.QUEUE, retry=RETRY)
    async def apply_plan(org: str = "", plan: str = "") -> None:
        await applying.apply_plan(database, travel, UUID(org), UUID(plan))

    @jobs.task(name=service.UNDO, queue=service.QUEUE, retry=RETRY)
    async def undo_plan(org: str = "", plan: str = "") -> None:
        await applying.undo_plan(database, UUID(org), UUID(plan))
