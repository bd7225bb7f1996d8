"""Is the system better at sending people than people are?"""

import asyncio
from datetime import datetime, timedelta

from server.core.db import UnitOfWork
from server.dispatch.evaluation import queries
from server.dispatch.evaluation.domain import Comparison, compare
from server.dispatch.learning.errors import PeriodRunsBackwards, PeriodTooLong

LONGEST = timedelta(days=732)


async def evaluate(uow: UnitOfWork, since: datetime, until: datetime) -> Comparison:
    """Compare what was decided and done from `since` to before `until`. Raises PeriodRunsBackwards, PeriodTooLong."""
    if until <= since:
        raise PeriodRunsBackwards
    if until - since > LONGEST:
        raise PeriodTooLong(days=LONGEST.days)
    courses = await queries.courses(uow, since, until)
    return await asyncio.to_thread(compare, courses, await queries.engineer_days(uow, since, until))
