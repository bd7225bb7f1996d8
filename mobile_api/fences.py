"""The fences a phone's own system watches while the app sleeps."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from edge.auth import Work, enrolled_device
from edge.problems import PROBLEMS
from server.core.wire import WireOut
from server.geo import native
from server.geo.domain import Point
from server.geo.native import FEWEST_WATCHED, MOST_WATCHED

router = APIRouter(prefix="/mobile/v1", tags=["positions"], responses=PROBLEMS)

_PLACE = r"^-?\d{1,3}(\.\d{1,15})?,-?\d{1,2}(\.\d{1,15})?$"


class FenceRegionOut(WireOut):
    """A circle to be watched. `area`, where there is one, is the fence itself; the circle lies around it."""

    fence_id: UUID
    visit_id: UUID
    lon: float
    lat: float
    radius_m: int
    area: dict[str, Any] | None


class FenceRefreshOut(WireOut):
    """To be watched besides: who leaves it asks again."""

    lon: float
    lat: float
    radius_m: int


class FenceSetOut(WireOut):
    regions: list[FenceRegionOut]
    refresh: FenceRefreshOut


@router.get("/fences")
async def fences_near(
    work: Annotated[Work, enrolled_device()],
    near: Annotated[str, Query(pattern=_PLACE, description="longitude,latitude of the phone")],
    most: Annotated[int, Query(ge=1, le=MOST_WATCHED)] = FEWEST_WATCHED,
) -> FenceSetOut:
    """The nearest of one's own open fences and how far one may go with them. Ask again also after a hint."""
    lon, lat = near.split(",")
    place = Point(float(lon), float(lat))
    found = await native.fences_near(work.uow, work.actor.person, place, most=most)
    return FenceSetOut(
        regions=[
            FenceRegionOut(
                fence_id=it.id,
                visit_id=it.subject_id,
                lon=it.centre.lon,
                lat=it.centre.lat,
                radius_m=it.radius_m,
                area=None if it.area is None else dict(it.area),
            )
            for it in found.regions
        ],
        refresh=FenceRefreshOut(lon=place.lon, lat=place.lat, radius_m=found.refresh.radius_m),
    )
