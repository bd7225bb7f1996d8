"""The system's choices beside people's."""

from typing import Annotated

from fastapi import APIRouter, Query

from edge.auth import Work, permitted
from edge.problems import PROBLEMS
from server.core.wire import Instant, WireOut
from server.dispatch.decisions import How
from server.dispatch.evaluation import service
from server.identity.domain import Permission

router = APIRouter(prefix="/api/v1/dispatch", tags=["dispatch"], responses=PROBLEMS)


class FigureOut(WireOut):
    """A mean or a share of so many samples; with 95 % confidence it lies between `low` and `high`."""

    samples: int
    value: float | None
    low: float | None
    high: float | None


class SideOut(WireOut):
    """`hand_overs` are an order's: visits that their engineer lost or gave back. `satisfaction` is 1 to 5."""

    orders: int
    by_how: dict[How, int]
    first_time_fix: FigureOut
    hand_overs: FigureOut
    satisfaction: FigureOut
    jobs_per_engineer_day: FigureOut


class ComparisonOut(WireOut):
    """Both sides. It is no experiment: what people keep for themselves may be the harder work.

    An order counts for whoever chose its first engineer: the system, also where a person followed its first suggestion,
    or a person. `mixed_days`: days of engineers with visits of both, which count for neither.
    """

    system: SideOut
    manual: SideOut
    mixed_days: int


@router.get("/evaluation")
async def evaluate_dispatch(
    work: Annotated[Work, permitted(Permission.REPORTS_READ)],
    since: Annotated[Instant, Query(alias="from")],
    until: Instant,
) -> ComparisonOut:
    """Orders whose first engineer was chosen, and days worked, from one instant to before the other."""
    return ComparisonOut.model_validate(await service.evaluate(work.uow, since, until))
