"""Every statement about predicted drives and how they turned out."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from server.core.db import UnitOfWork
from server.dispatch.travel_accuracy.domain import Drive
from server.geo.domain import Point
from server.geo.journey import Route
from server.workorders.domain import Action

_NEAR = "10 minutes"  # an older fix says little about where somebody set out
_SHORTEST_S, _LONGEST_S = 60, 4 * 3600  # less is no drive; more is a button that nobody pressed
_FORGOTTEN = "15 minutes"  # after the site's fence was entered: arriving was told late


async def place_at(uow: UnitOfWork, person: UUID, at: datetime) -> Point | None:
    """Answer where somebody was at a time: their fix next to it, None where there is none near."""
    row = await uow.row(
        f"""
        select array[st_x(place::geometry), st_y(place::geometry)] as place from position_track
        where person_id = %(person)s
          and fixed_at between %(at)s::timestamptz - interval '{_NEAR}' and %(at)s::timestamptz + interval '{_NEAR}'
        order by abs(extract(epoch from fixed_at - %(at)s::timestamptz)) limit 1
        """,
        person=person,
        at=at,
    )
    return Point.from_db(row["place"]) if row else None


async def keep_prediction(uow: UnitOfWork, visit: UUID, set_out_at: datetime, origin: Point, drive: Route) -> None:
    """Store what was said first; nothing said later changes it."""
    await uow.run(
        """
        insert into travel_prediction (org_id, visit_id, set_out_at, origin, seconds, p90_seconds, metres, source)
        values (%(org)s, %(visit)s, %(at)s, st_point(%(lon)s, %(lat)s, 4326)::geography, %(seconds)s, %(p90)s,
                %(metres)s, %(source)s)
        on conflict do nothing
        """,
        org=uow.org,
        visit=visit,
        at=set_out_at,
        lon=origin.lon,
        lat=origin.lat,
        seconds=drive.seconds,
        p90=drive.p90_seconds,
        metres=drive.metres,
        source=drive.source,
    )


async def drives(uow: UnitOfWork, since: datetime, until: datetime) -> list[Drive]:
    """Answer the drives begun in a period whose engineers arrived.

    Somebody arrives when they say so; where the site's fence was entered long before, arriving was told late and the
    fence is believed.
    """
    return await uow.all_of(
        Drive,
        f"""
        with arrived as (
            select p.*, v.work_order_id,
                   case when v.approached_at > p.set_out_at and t.at > v.approached_at + interval '{_FORGOTTEN}'
                        then v.approached_at else t.at end as arrived_at
            from travel_prediction p
            join visit v on v.id = p.visit_id
            join lateral (
                select min(at) as at from timeline_entry t
                where t.work_order_id = v.work_order_id and t.visit_id = v.id and t.action = '{Action.ARRIVE}'
                  and t.at > p.set_out_at
            ) t on t.at is not null
            where p.set_out_at >= %(since)s and p.set_out_at < %(until)s
        )
        select extract(hour from a.set_out_at at time zone g.timezone)::int as hour, s.territory_id as district,
               a.source, a.seconds, a.p90_seconds, extract(epoch from a.arrived_at - a.set_out_at)::float8 as took
        from arrived a
        join work_order o on o.id = a.work_order_id
        join site s on s.id = o.site_id
        join organisation g on g.id = o.org_id
        where extract(epoch from a.arrived_at - a.set_out_at) between {_SHORTEST_S} and {_LONGEST_S}
        """,
        since=since,
        until=until,
    )


@dataclass(frozen=True)
class District:
    id: UUID
    name: str


async def districts(uow: UnitOfWork) -> list[District]:
    return await uow.all_of(District, "select id, name from territory")
