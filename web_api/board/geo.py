"""Drives between two points."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AfterValidator, Field

from edge.auth import Work, anyone_signed_in
from edge.problems import PROBLEMS
from edge.services import ServicesOf
from server.core.wire import WireOut
from server.geo.domain import Point, line_to_geojson

router = APIRouter(prefix="/api/v1", tags=["geo"], responses=PROBLEMS)

_NUMBER = r"-?\d{1,3}(\.\d{1,15})?"


def _on_earth(lon_lat: str) -> str:
    lon, lat = (float(part) for part in lon_lat.split(","))
    if abs(lon) > 180 or abs(lat) > 90:  # noqa: PLR2004 - degrees
        message = "must be a longitude between -180 and 180 and a latitude between -90 and 90"
        raise ValueError(message)
    return lon_lat


type LonLat = Annotated[
    str,
    Query(
        pattern=f"^{_NUMBER},{_NUMBER}$", description="longitude,latitude in WGS-84 degrees", examples=["7.42,43.73"]
    ),
    AfterValidator(_on_earth),
]


class RouteOut(WireOut):
    """A drive as of now. `seconds` is the median; nine in ten stay within `p90_seconds`."""

    seconds: int
    p90_seconds: int
    metres: int
    source: Annotated[str, Field(description="osrm: on real roads; estimate: great circle x detour")]
    line: Annotated[dict[str, Any], Field(description="GeoJSON LineString")]


def _point(lon_lat: str) -> Point:
    lon, lat = lon_lat.split(",")
    return Point(float(lon), float(lat))


@router.get("/geo/route")
async def route(
    work: Annotated[Work, anyone_signed_in()],
    services: ServicesOf,
    from_: Annotated[LonLat, Query(alias="from")],
    to: LonLat,
) -> RouteOut:
    drive = await services.travel.route(_point(from_), _point(to), work.uow.now())
    return RouteOut(
        seconds=drive.seconds,
        p90_seconds=drive.p90_seconds,
        metres=drive.metres,
        source=drive.source,
        line=line_to_geojson(drive.line),
    )
