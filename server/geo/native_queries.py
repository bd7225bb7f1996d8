"""The statement about regions a phone's system watches."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from server.core.db import UnitOfWork
from server.geo.domain import Metres, Point


@dataclass(frozen=True)
class Region:
    """A circle around a fence. The machine of the app decides what was entered; this only wakes it."""

    id: UUID
    subject_id: UUID
    centre: Point
    radius_m: Metres
    edge_m: float  # from where the phone is, negative inside
    area: Mapping[str, Any] | None


async def nearest(uow: UnitOfWork, person: UUID, near: Point, *, limit: int) -> list[Region]:
    """Answer the person's open fences by the distance to their edges; around an area it is a circle's."""
    return await uow.all_of(
        Region,
        """
        with centred as (
            select id, subject_id, area, radius_m, coalesce(st_centroid(area), centre) as centre
            from fence where person_id = %(person)s and closed_at is null
        ),
        circle as (
            select c.id, c.subject_id, c.area, c.centre, case when c.area is null then c.radius_m else (
                select ceil(max(st_distance(c.centre, corner.geom::geography)))::int
                from st_dumppoints(c.area::geometry) corner) end as radius_m
            from centred c
        )
        select id, subject_id, array[st_x(centre::geometry), st_y(centre::geometry)] as centre, radius_m,
               st_distance(centre, st_setsrid(st_makepoint(%(lon)s, %(lat)s), 4326)::geography) - radius_m as edge_m,
               st_asgeojson(area)::jsonb as area
        from circle order by edge_m, id limit %(limit)s
        """,
        person=person,
        lon=near.lon,
        lat=near.lat,
        limit=limit,
    )
