"""Areas that stand in for the circle around a site."""

import json
from collections.abc import Mapping
from typing import Any

import psycopg

from server.core.db import UnitOfWork
from server.geo.errors import NotAFence

# Smaller than this nobody's phone can tell inside from outside; larger than a city is a mistake.
_SMALLEST_M2, _LARGEST_M2 = 400, 1_000_000_000
_MOST_CORNERS = 500


async def check(uow: UnitOfWork, area: Mapping[str, Any]) -> None:
    """Raise NotAFence unless this is a GeoJSON polygon in WGS-84 that can be a fence."""
    try:
        async with uow.savepoint():
            wrong = await _why_none(uow, area)
    except (psycopg.errors.InternalError, psycopg.DataError) as refused:
        raise NotAFence(why=refused.diag.message_primary or "it can't be read") from None
    if wrong:
        raise NotAFence(why=wrong)


async def _why_none(uow: UnitOfWork, area: Mapping[str, Any]) -> str | None:
    found: str | None = await uow.value(
        """
        with given as (select st_setsrid(st_geomfromgeojson(%(area)s), 4326) as area)
        select case
            when geometrytype(area) <> 'POLYGON' then 'it is no polygon'
            when st_isempty(area) then 'it is empty'
            when st_ndims(area) <> 2 then 'it has heights'
            when st_npoints(area) > %(corners)s then 'it has too many corners'
            when st_xmin(area) < -180 or st_xmax(area) > 180 or st_ymin(area) < -90 or st_ymax(area) > 90
                then 'it is not in degrees'
            when not st_isvalid(area) then st_isvalidreason(area)
            when st_area(area::geography) < %(smallest)s then 'it is too small'
            when st_area(area::geography) > %(largest)s then 'it is too large'
        end
        from given
        """,
        area=json.dumps(area),
        corners=_MOST_CORNERS,
        smallest=_SMALLEST_M2,
        largest=_LARGEST_M2,
    )
    return found
