"""Where the phone was. Off shift and in a pause nothing is stored, and its person sees how much was dropped."""

import math
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from edge.auth import Work, enrolled_device
from edge.problems import PROBLEMS
from server.core.wire import Id, Instant, Latitude, Longitude, WireIn, WireOut
from server.geo import service as geo
from server.geo import tracking
from server.geo.domain import Point
from server.geo.positions import MAX_FIXES, SHIFT_GRACE, Fix, Interval, Pause
from server.workforce import service as workforce

router = APIRouter(prefix="/mobile/v1", tags=["positions"], responses=PROBLEMS)

_FARTHEST_M = 100_000
_FASTEST_KMH = 1_000

type Device = Annotated[Work, enrolled_device()]


class FixIn(WireIn):
    """One fix as the phone's receiver gave it."""

    seq: Annotated[int, Field(ge=1, lt=2**63 - 1, description="counts up on the device; resent fixes keep theirs")]
    at: Instant
    lon: Longitude
    lat: Latitude
    accuracy_m: Annotated[float, Field(ge=0, le=_FARTHEST_M)]
    heading: Annotated[float, Field(ge=0, le=360, description="degrees clockwise from north")] | None = None
    speed_kmh: Annotated[float, Field(ge=0, le=_FASTEST_KMH)] | None = None

    def fix(self) -> Fix:
        return Fix(
            self.seq,
            self.at,
            Point(self.lon, self.lat),
            # Rounded up: a fence must never believe a fix more than the receiver did.
            math.ceil(self.accuracy_m),
            None if self.heading is None else round(self.heading) % 360,
            None if self.speed_kmh is None else round(self.speed_kmh),
        )


class PositionsIn(WireIn):
    device: Id
    fixes: Annotated[list[FixIn], Field(min_length=1, max_length=MAX_FIXES)]


class PositionsOut(WireOut):
    accepted: int
    duplicates: int
    dropped_off_shift: int
    dropped_paused: int
    dropped_too_old: int


class PauseIn(WireIn):
    starts_at: Instant
    ends_at: Instant


class PauseOut(WireOut):
    id: UUID
    starts_at: datetime
    ends_at: datetime


class DayCountOut(WireOut):
    """What became of one day's fixes, in the organisation's zone."""

    day: date
    kept: int
    off_shift: int
    paused: int
    too_old: int


class DayCountsOut(WireOut):
    days: list[DayCountOut]


@router.post("/positions")
async def record_positions(body: PositionsIn, work: Device) -> PositionsOut:
    fixes = [fix.fix() for fix in body.fixes]
    shifts = await _shifts_around(work, work.actor.person, fixes)
    recorded = await geo.record_fixes(work.uow, work.actor, body.device, fixes, shifts)
    return PositionsOut.model_validate(recorded)


@router.put("/positions/pauses/{pause_id}")
async def pause_positions(pause_id: Id, body: PauseIn, work: Device) -> PauseOut:
    """Be not seen from then to then. The same pause again with another end: it lasts until that, now for one."""
    wanted = Pause(pause_id, body.starts_at, body.ends_at)
    return PauseOut.model_validate(await tracking.set_pause(work.uow, work.actor, wanted))


@router.get("/positions/days")
async def own_position_days(work: Device) -> DayCountsOut:
    """How many of one's own fixes were kept and dropped, the last month day by day."""
    return DayCountsOut.model_validate({"days": await tracking.day_counts(work.uow, work.actor.person)})


async def _shifts_around(work: Work, person: UUID, fixes: list[Fix]) -> list[Interval]:
    times = [fix.at for fix in fixes]
    found = await workforce.shifts_between(work.uow, min(times) - SHIFT_GRACE, max(times) + SHIFT_GRACE, person=person)
    return [Interval(shift.starts_at, shift.ends_at) for shift in found]
