"""Every statement about the workforce."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from server.core.db import UnitOfWork
from server.geo.domain import Point
from server.workforce.domain import Engineer, Hours, Shift, Skill, Territory

_ENGINEER = """
    select e.person_id, p.name, array[st_x(e.home::geometry), st_y(e.home::geometry)] as home, e.territory_id,
           e.daily_capacity_minutes, e.pace_percent,
           coalesce(
               (select jsonb_agg(jsonb_build_object('key', s.key, 'level', es.level) order by s.key)
                from engineer_skill es join skill s on s.id = es.skill_id
                where es.person_id = e.person_id and (es.valid_until is null or es.valid_until >= %(today)s)),
               '[]') as skills
    from engineer e join person p on p.id = e.person_id
"""
_SHIFT = """
    select s.id, s.person_id, p.name as person_name, s.starts_at, s.ends_at, s.break_opens, s.break_closes,
           s.break_minutes, s.overtime_minutes
    from shift s join person p on p.id = s.person_id
"""


async def skills(uow: UnitOfWork) -> list[Skill]:
    return await uow.all_of(Skill, "select id, key, name from skill order by key")


async def skill_ids(uow: UnitOfWork, keys: Sequence[str]) -> dict[str, UUID]:
    found = await uow.rows("select key, id from skill where key = any(%(keys)s)", keys=list(keys))
    return {row["key"]: row["id"] for row in found}


async def insert_skill(uow: UnitOfWork, it: Skill) -> bool:
    """Answer whether it was new: false when the key is taken."""
    return bool(
        await uow.run(
            """
            insert into skill (org_id, id, key, name) values (%(org)s, %(id)s, %(key)s, %(name)s)
            on conflict (org_id, key) do nothing
            """,
            org=uow.org,
            id=it.id,
            key=it.key,
            name=dict(it.name),
        )
    )


async def territories(uow: UnitOfWork) -> list[Territory]:
    return await uow.all_of(
        Territory, "select id, name, st_asgeojson(area)::jsonb as area from territory order by name, id"
    )


async def territory(uow: UnitOfWork, territory_id: UUID) -> Territory | None:
    return await uow.one_of(
        Territory,
        "select id, name, st_asgeojson(area)::jsonb as area from territory where id = %(id)s",
        id=territory_id,
    )


async def territory_at(uow: UnitOfWork, place: Point) -> UUID | None:
    """Answer the smallest territory that covers the place."""
    found: UUID | None = await uow.value(
        """
        select id from territory
        where st_covers(area, st_point(%(lon)s, %(lat)s, 4326)::geography)
        order by st_area(area), id limit 1
        """,
        lon=place.lon,
        lat=place.lat,
    )
    return found


async def why_no_area(uow: UnitOfWork, polygon: Mapping[str, Any]) -> str | None:
    """Answer what PostGIS finds wrong with a GeoJSON polygon, None when it is sound."""
    found: str | None = await uow.value(
        """
        with given as (select st_setsrid(st_geomfromgeojson(%(polygon)s), 4326) as area)
        select case
            when st_isempty(area) then 'it is empty'
            when not st_isvalid(area) then st_isvalidreason(area)
            when st_area(area::geography) < 1 then 'it covers nothing'
        end
        from given
        """,
        polygon=json.dumps(polygon),
    )
    return found


async def insert_territory(uow: UnitOfWork, it: Territory) -> bool:
    """Answer whether it was new: false when the name is taken."""
    return bool(
        await uow.run(
            """
            insert into territory (org_id, id, name, area)
            values (%(org)s, %(id)s, %(name)s, st_setsrid(st_geomfromgeojson(%(area)s), 4326)::geography)
            on conflict (org_id, name) do nothing
            """,
            org=uow.org,
            id=it.id,
            name=it.name,
            area=json.dumps(it.area),
        )
    )


async def engineers(uow: UnitOfWork, people: Sequence[UUID]) -> list[Engineer]:
    return await uow.all_of(
        Engineer,
        f"{_ENGINEER} where e.person_id = any(%(people)s)",
        people=list(people),
        today=uow.now().date(),
    )


async def is_working(uow: UnitOfWork, person: UUID) -> bool:
    """Answer whether this is an active person with an engineer's profile."""
    return bool(
        await uow.value(
            """
            select exists (
                select from engineer e join person p on p.id = e.person_id where e.person_id = %(person)s and p.active)
            """,
            person=person,
        )
    )


async def upsert_engineer(
    uow: UnitOfWork,
    *,
    person: UUID,
    home: Point,
    territory_id: UUID | None,
    daily_capacity_minutes: int,
    pace_percent: int,
) -> None:
    await uow.run(
        """
        insert into engineer (org_id, person_id, home, territory_id, daily_capacity_minutes, pace_percent)
        values (%(org)s, %(person)s, st_point(%(lon)s, %(lat)s, 4326)::geography, %(territory)s, %(capacity)s, %(pace)s)
        on conflict (org_id, person_id) do update
        set home = excluded.home, territory_id = excluded.territory_id,
            daily_capacity_minutes = excluded.daily_capacity_minutes, pace_percent = excluded.pace_percent
        """,
        org=uow.org,
        person=person,
        lon=home.lon,
        lat=home.lat,
        territory=territory_id,
        capacity=daily_capacity_minutes,
        pace=pace_percent,
    )


async def replace_skills(uow: UnitOfWork, person: UUID, levels: Mapping[UUID, int]) -> None:
    await uow.run("delete from engineer_skill where person_id = %(person)s", person=person)
    await uow.run(
        """
        insert into engineer_skill (org_id, person_id, skill_id, level)
        select %(org)s, %(person)s, given.skill_id, given.level
        from unnest(%(skills)s::uuid[], %(levels)s::int[]) as given (skill_id, level)
        """,
        org=uow.org,
        person=person,
        skills=list(levels.keys()),
        levels=list(levels.values()),
    )


async def lock_engineer(uow: UnitOfWork, person: UUID) -> bool:
    """Hold an engineer's shifts still until this transaction ends; false when there is no such engineer."""
    return bool(await uow.run("select 1 from engineer where person_id = %(person)s for no key update", person=person))


async def shift_between(uow: UnitOfWork, person: UUID, start: datetime, end: datetime) -> Shift | None:
    """Answer the person's first shift that overlaps [start, end)."""
    return await uow.one_of(
        Shift,
        f"""
        {_SHIFT} where s.person_id = %(person)s and s.starts_at < %(end)s and s.ends_at > %(start)s
        order by s.starts_at limit 1
        """,
        person=person,
        start=start,
        end=end,
    )


async def shifts_between(
    uow: UnitOfWork, start: datetime, end: datetime, *, person: UUID | None, limit: int
) -> list[Shift]:
    """Answer shifts that overlap [start, end), of one person or of all, by start."""
    return await uow.all_of(
        Shift,
        f"""
        {_SHIFT}
        where s.starts_at < %(end)s and s.ends_at > %(start)s
          and (%(person)s::uuid is null or s.person_id = %(person)s)
        order by s.starts_at, s.id limit %(limit)s
        """,
        start=start,
        end=end,
        person=person,
        limit=limit,
    )


async def insert_shift(uow: UnitOfWork, *, shift: UUID, person: UUID, hours: Hours) -> None:
    await uow.run(
        """
        insert into shift (org_id, id, person_id, starts_at, ends_at, break_opens, break_closes, break_minutes,
                           overtime_minutes)
        values (%(org)s, %(id)s, %(person)s, %(starts_at)s, %(ends_at)s, %(break_opens)s, %(break_closes)s,
                %(break_minutes)s, %(overtime_minutes)s)
        """,
        org=uow.org,
        id=shift,
        person=person,
        **vars(hours),
    )


async def shift(uow: UnitOfWork, shift_id: UUID) -> Shift | None:
    return await uow.one_of(Shift, f"{_SHIFT} where s.id = %(id)s", id=shift_id)
