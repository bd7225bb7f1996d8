"""Every statement about fences and what they saw."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from server.core.db import UnitOfWork
from server.geo.domain import Point
from server.geo.fences import Crossed, Crossing, Machine, Side, Sight, Watch
from server.geo.positions import SHIFT_GRACE


async def open_fence(
    uow: UnitOfWork,
    *,
    subject_id: UUID,
    person: UUID,
    centre: Point,
    radius_m: int,
    area: Mapping[str, Any] | None,
    since: datetime,
) -> bool:
    """Start a fence unless this person is already watched for the subject; answer whether it is new."""
    return bool(
        await uow.run(
            """
            with drawn as (select st_setsrid(st_geomfromgeojson(%(area)s::text), 4326)::geography as area)
            insert into fence
                (org_id, id, subject_id, person_id, centre, radius_m, area, side, streak, created_at)
            select %(org)s, %(id)s, %(subject)s, %(person)s,
                   st_setsrid(st_makepoint(%(lon)s, %(lat)s), 4326)::geography,
                   case when area is null then %(radius)s else round(sqrt(st_area(area) / pi())) end, area,
                   %(outside)s, 0, %(since)s
            from drawn
            where not exists (
                select from fence where subject_id = %(subject)s and person_id = %(person)s and closed_at is null
            )
            """,
            org=uow.org,
            id=uow.new_id(),
            subject=subject_id,
            person=person,
            lon=centre.lon,
            lat=centre.lat,
            radius=radius_m,
            area=None if area is None else json.dumps(area),
            outside=Side.OUTSIDE,
            since=since,
        )
    )


async def close_fences(uow: UnitOfWork, *, subject_id: UUID, at: datetime, keep: UUID | None = None) -> list[UUID]:
    """Close the subject's open fences but those of `keep`; answer whose they were."""
    closed = await uow.rows(
        """
        update fence set closed_at = greatest(%(at)s, created_at)
        where subject_id = %(subject)s and closed_at is null and person_id is distinct from %(keep)s::uuid
        returning person_id
        """,
        subject=subject_id,
        at=at,
        keep=keep,
    )
    return [row["person_id"] for row in closed]


@dataclass(frozen=True)
class FenceRow:
    """A fence as stored, with all crossings that were ever announced; those that stand are by time."""

    id: UUID
    subject_id: UUID
    radius_m: int
    side: Side
    streak: int
    streak_since: datetime | None
    last_fix_at: datetime | None
    created_at: datetime
    stays: tuple[int, ...]
    kinds: tuple[Crossing, ...]
    times: tuple[datetime, ...]
    stands: tuple[bool, ...]

    @property
    def announced(self) -> frozenset[tuple[int, Crossing]]:
        return frozenset(zip(self.stays, self.kinds, strict=True))

    @property
    def watch(self) -> Watch:
        announced = zip(self.stays, self.kinds, self.times, self.stands, strict=True)
        crossings = tuple(Crossed(stay, kind, at) for stay, kind, at, stands in announced if stands)
        told = Machine.after(self.radius_m, crossings)
        machine = Machine(
            self.radius_m, self.side, self.streak, self.streak_since, self.last_fix_at, told.entered_at, told.dwelt
        )
        return Watch(machine, crossings)


async def fences_open_since(uow: UnitOfWork, person: UUID, earliest: datetime) -> list[FenceRow]:
    """Answer the person's fences that were open at `earliest` or later."""
    return await uow.all_of(
        FenceRow,
        """
        select f.id, f.subject_id, f.radius_m, f.side, f.streak, f.streak_since, f.last_fix_at, f.created_at,
               coalesce(c.stays, '{}') as stays, coalesce(c.kinds, '{}') as kinds, coalesce(c.times, '{}') as times,
               coalesce(c.stands, '{}') as stands
        from fence f
        left join lateral (
            select array_agg(stay order by at) as stays, array_agg(kind order by at) as kinds,
                   array_agg(at order by at) as times, array_agg(withdrawn_at is null order by at) as stands
            from fence_crossing where fence_id = f.id
        ) c on true
        where f.person_id = %(person)s and (f.closed_at is null or f.closed_at >= %(earliest)s)
        order by f.id
        """,
        person=person,
        earliest=earliest,
    )


@dataclass(frozen=True)
class Seen:
    """What a fence saw: fixes by time, or only until when if none of them can change its machine."""

    id: UUID
    until: datetime
    ats: tuple[datetime, ...] | None
    edges: tuple[float, ...] | None
    accuracies: tuple[int, ...] | None

    def by(self, watch: Watch) -> Watch:
        if self.ats is None or self.edges is None or self.accuracies is None:
            return watch.passed_over(self.until)
        return watch.see(map(Sight, self.ats, self.edges, self.accuracies))


async def seen_since(
    uow: UnitOfWork, person: UUID, watches: Mapping[UUID, Watch], *, earliest: datetime
) -> dict[UUID, Seen]:
    """Answer what each fence saw of the person's track behind its machine's last fix, while it was open.

    earliest: no fence has anything to see before. The bounds leave out days that hold nothing for it.
    """
    machines = [watch.machine for watch in watches.values()]
    seen = await uow.all_of(
        Seen,
        """
        with watched as materialized (
            select f.id, f.centre, f.radius_m, f.area, st_boundary(f.area::geometry)::geography as edge, w.rests,
                   f.created_at, coalesce(w.after, '-infinity') as after, coalesce(f.closed_at, 'infinity') as until,
                   box.west, box.east, box.south, box.north
            from unnest(%(ids)s::uuid[], %(after)s::timestamptz[], %(rests)s::bool[]) as w (id, after, rests)
            join fence f on f.id = w.id
            cross join lateral (
                select st_x(f.centre::geometry) as lon, st_y(f.centre::geometry) as lat,
                       f.radius_m / 110500.0 as reach) c
            -- A little more than the fence: whoever is outside of it is outside of the fence, without measuring.
            cross join lateral (
                select coalesce(st_xmin(f.area::geometry) - 0.01, lon - reach / greatest(cos(radians(lat)), 0.001)),
                       coalesce(st_xmax(f.area::geometry) + 0.01, lon + reach / greatest(cos(radians(lat)), 0.001)),
                       coalesce(st_ymin(f.area::geometry) - 0.01, lat - reach),
                       coalesce(st_ymax(f.area::geometry) + 0.01, lat + reach)
            ) box (west, east, south, north)
        ),
        sight as materialized (
            select w.id, t.fixed_at, t.accuracy_m, t.place
            from watched w join position_track t
              on t.fixed_at > w.after and t.fixed_at between w.created_at and w.until
            where t.person_id = %(person)s and t.fixed_at between %(earliest)s and %(latest)s
        ),
        looked as (
            select w.id, max(s.fixed_at) as until, not w.rests or bool_or(
                       st_y(s.place::geometry) between w.south and w.north
                       and (st_x(s.place::geometry) between w.west and w.east or w.west < -180 or w.east > 180)
                   ) as near
            from sight s join watched w on w.id = s.id group by w.id, w.rests
        )
        select l.id, l.until, m.ats, m.edges, m.accuracies
        from looked l
        join watched w on w.id = l.id
        left join lateral (
            select array_agg(s.fixed_at) as ats, array_agg(s.accuracy_m) as accuracies, array_agg(case
                       when w.area is null then st_distance(s.place, w.centre) - w.radius_m
                       when st_covers(w.area, s.place) then -st_distance(s.place, w.edge)
                       else st_distance(s.place, w.area) end) as edges
            from sight s where l.near and s.id = l.id
        ) m on true
        """,
        person=person,
        earliest=earliest,
        latest=uow.now() + SHIFT_GRACE,
        ids=list(watches),
        after=[machine.last_fix_at for machine in machines],
        rests=[machine.rests for machine in machines],
    )
    return {it.id: it for it in seen}


async def save_watches(uow: UnitOfWork, watches: Mapping[UUID, Watch]) -> None:
    """Store each fence's machine; its crossings are stored by `save_crossings`."""
    machines = [watch.machine for watch in watches.values()]
    await uow.run(
        """
        update fence f
        set side = m.side, streak = m.streak, streak_since = m.streak_since, last_fix_at = m.last_fix_at
        from unnest(%(ids)s::uuid[], %(sides)s::text[], %(streaks)s::int[], %(since)s::timestamptz[],
                    %(last)s::timestamptz[]) as m (id, side, streak, streak_since, last_fix_at)
        where f.id = m.id
        """,
        ids=list(watches),
        sides=[machine.side for machine in machines],
        streaks=[machine.streak for machine in machines],
        since=[machine.streak_since for machine in machines],
        last=[machine.last_fix_at for machine in machines],
    )


async def save_crossings(uow: UnitOfWork, watches: Mapping[UUID, Watch]) -> None:
    """Insert new crossings, move amended ones in time, withdraw those that late fixes disproved."""
    flat = [(fence, it) for fence, watch in watches.items() for it in watch.crossings]
    await uow.run(
        """
        with standing as (
            select * from unnest(%(ids)s::uuid[], %(of)s::uuid[], %(stays)s::int[], %(kinds)s::text[],
                                 %(ats)s::timestamptz[]) as n (id, fence_id, stay, kind, at)
        ),
        withdrawn as (
            update fence_crossing c set withdrawn_at = %(now)s
            where c.fence_id = any(%(fences)s) and c.withdrawn_at is null and not exists (
                select from standing s where (s.fence_id, s.stay, s.kind) = (c.fence_id, c.stay, c.kind))
        )
        insert into fence_crossing as c (org_id, id, fence_id, stay, kind, at, recorded_at, tellings)
        select %(org)s, s.id, s.fence_id, s.stay, s.kind, s.at, %(now)s, 0 from standing s
        on conflict (org_id, fence_id, stay, kind) do update set at = excluded.at, withdrawn_at = null
        where c.at <> excluded.at or c.withdrawn_at is not null
        """,
        org=uow.org,
        now=uow.now(),
        fences=list(watches),
        ids=[uow.new_id() for _ in flat],
        of=[fence for fence, _ in flat],
        stays=[it.stay for _, it in flat],
        kinds=[it.kind for _, it in flat],
        ats=[it.at for _, it in flat],
    )


@dataclass(frozen=True)
class Fact:
    """What is new of a crossing since its subject was last told. `at` is none when it turned out not to be."""

    kind: Crossing
    stay: int
    at: datetime | None
    was: datetime | None  # as told before
    tellings: int  # how often it was told before


async def take_facts(uow: UnitOfWork, fence: UUID) -> list[Fact]:
    """Answer the fence's crossings that differ from what its subject was told, and hold them for told."""
    return await uow.all_of(
        Fact,
        """
        with news as (
            select c.id, c.told_at as was, c.tellings, case when c.withdrawn_at is null then c.at end as at
            from fence_crossing c
            where c.fence_id = %(fence)s
              and case when c.withdrawn_at is null then c.at end is distinct from c.told_at
            order by c.id for update
        ),
        told as (
            update fence_crossing c set told_at = n.at, tellings = c.tellings + 1
            from news n where c.id = n.id returning c.id, c.kind, c.stay
        )
        select t.kind, t.stay, n.at, n.was, n.tellings from told t join news n on n.id = t.id
        order by t.stay, coalesce(n.at, n.was)
        """,
        fence=fence,
    )
