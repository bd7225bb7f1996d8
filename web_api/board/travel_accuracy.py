"""How true predicted drives come, and what drives taught the server about the roads."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from edge.auth import Work, permitted
from edge.problems import PROBLEMS
from server.core.wire import Instant, WireOut
from server.dispatch.travel_accuracy import service
from server.geo.learning import service as learning
from server.geo.learning.accuracy import Accuracy
from server.geo.learning.domain import Outcome
from server.identity.domain import Permission

router = APIRouter(prefix="/api/v1", tags=["geo"], responses=PROBLEMS)

type Reader = Annotated[Work, permitted(Permission.REPORTS_READ)]


class AccuracyOut(WireOut):
    """In per cent, null without drives. `mape`: the mean error of what a drive took, whatever its sign.

    `bias`: the mean error with its sign, above 0 where drives were quicker than predicted. `within_median` and
    `within_p90`: how many took no longer; 50 and 90 would be right.
    """

    drives: int
    mape: float | None
    bias: float | None
    within_median: float | None
    within_p90: float | None


class BySourceOut(AccuracyOut):
    source: Annotated[str, Field(description="where predictions came from: roads, or an estimate without them")]


class ByHourOut(AccuracyOut):
    hour: Annotated[int, Field(description="0 to 23, of setting out, by the organisation's clocks")]


class ByDistrictOut(AccuracyOut):
    """`territory_id` is null for sites outside of every territory."""

    territory_id: UUID | None
    name: str | None


class TravelAccuracyOut(WireOut):
    """Groups without a drive are left out."""

    overall: AccuracyOut
    by_source: list[BySourceOut]
    by_hour: list[ByHourOut]
    by_district: list[ByDistrictOut]


class NightOut(WireOut):
    """`back_test`: figures on the latest days, which the tested speeds had not seen, beside those without them.

    `sets`: factor, p90 over median and drives of each day part that was put in force.
    """

    id: UUID
    region: str | None
    outcome: Outcome
    progress: str
    began_at: datetime
    ended_at: datetime | None
    drives: int
    trained_from: date | None
    trained_until: date | None
    back_test: dict[str, Any] | None
    sets: dict[str, Any] | None


class NightsOut(WireOut):
    """The newest first."""

    items: list[NightOut]


@router.get("/travel-accuracy")
async def travel_accuracy(
    work: Reader, since: Annotated[Instant, Query(alias="from")], until: Instant
) -> TravelAccuracyOut:
    """What was predicted when engineers set out beside what they took, from one instant to before the other."""
    found = await service.accuracy(work.uow, since, until)
    names = await service.names_of_districts(work.uow)
    return TravelAccuracyOut(
        overall=AccuracyOut(**_said(found.overall)),
        by_source=[BySourceOut(source=source, **_said(it)) for source, it in found.by_source.items()],
        by_hour=[ByHourOut(hour=hour, **_said(it)) for hour, it in found.by_hour.items()],
        by_district=[
            ByDistrictOut(territory_id=district, name=names.get(district) if district else None, **_said(it))
            for district, it in found.by_district.items()
        ],
    )


@router.get("/travel-learning")
async def travel_learning(work: Reader) -> NightsOut:
    """The last nights in which the server learnt travel times, of everybody's roads."""
    return NightsOut(items=[NightOut.model_validate(it) for it in await learning.nights(work.uow)])


def _said(it: Accuracy) -> dict[str, Any]:
    return vars(it)
