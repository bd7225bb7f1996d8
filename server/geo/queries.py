"""Every statement about positions and fences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from server.core.db import UnitOfWork
from server.geo.domain import Point
from server.geo.fences import Machine, Side, Sight, Watch, kind_of
from server.geo.positions import Fix, Interval, LastPosition


async def lock_track(uow: UnitOfWork, person: UUID) -> None:
    """Make everything about one engineer's track happen one after another until this transaction ends."""
    await uow.run("select pg_advisory_xact_lock(hashtextextended('track:' || %(person)s::text, 0))", person=person)


@dataclass(frozen=True)
class Stored:
    on_shift: int
    accepted: int
    earliest: datetime | None
    latest: datetime | None
    moved: bool  # the newest of them is also the newest ever


async def store_fixes(
    uow: UnitOfWork, *, person: UUID, device: UUID, fixes: Sequence[Fix], working: Sequence[Interval]
) -> Stored:
    """Keep the fixes that lie in `working` and were not known; one statement whatever their number."""
    stored = await uow.one_of(
        Stored,
        """
        with given as (
            select * from unnest(
                %(seqs)s::bigint[], %(ats)s::timestamptz[], %(lons)s::float8[], %(lats)s::float8[],
                %(accuracies)s::int[], %(headings)s::int[], %(speeds)s::int[]
            ) as f (seq, fixed_at, lon, lat, accuracy_m, heading, speed_kmh)
        ),
        on_shift as (
            select g.*, st_setsrid(st_makepoint(g.lon, g.lat), 4326)::geography as place
            from given g
            where exists (
                select from unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) as w (starts_at, ends_at)
                where g.fixed_at between w.starts_at and w.ends_at
            )
        ),
        stored as (
            insert into position_track (org_id, device_id, seq, person_id, place, accuracy_m, fixed_at)
            select %(org)s, %(device)s, seq, %(person)s, place, accuracy_m, fixed_at from on_shift
            on conflict do nothing
            returning seq, fixed_at
        ),
        newest as (
            select o.* from on_shift o join stored s on (s.seq, s.fixed_at) = (o.seq, o.fixed_at)
            order by o.fixed_at desc, o.seq desc limit 1
        ),
        shown as (
            insert into position_last as l
                (org_id, person_id, device_id, place, accuracy_m, heading, speed_kmh, fixed_at, received_at)
            select %(org)s, %(person)s, %(device)s, place, accuracy_m, heading, speed_kmh, fixed_at, %(now)s from newest
            on conflict (org_id, person_id) do update set
                device_id = excluded.device_id, place = excluded.place, accuracy_m = excluded.accuracy_m,
                heading = excluded.heading, speed_kmh = excluded.speed_kmh,
                fixed_at = excluded.fixed_at, received_at = excluded.received_at
            where l.fixed_at < excluded.fixed_at
            returning l.person_id
        )
        select (select count(*) from on_shift) as on_shift, count(*) as accepted,
               min(fixed_at) as earliest, max(fixed_at) as latest, exists (select from shown) as moved
        from stored
        """,
        org=uow.org,
        now=uow.now(),
        person=person,
        device=device,
        seqs=[fix.seq for fix in fixes],
        ats=[fix.at for fix in fixes],
        lons=[fix.place.lon for fix in fixes],
        lats=[fix.place.lat for fix in fixes],
        accuracies=[fix.accuracy_m for fix in fixes],
        headings=[fix.heading for fix in fixes],
        speeds=[fix.speed_kmh for fix in fixes],
        starts=[stretch.starts_at for stretch in working],
        ends=[stretch.ends_at for stretch in working],
    )
    assert stored is not None, "an aggregate always answers a row"
    return stored


async def last_positions(uow: UnitOfWork, people: Sequence[UUID]) -> list[LastPosition]:
    return await uow.all_of(
        LastPosition,
        """
        select person_id, st_x(place::geometry) as lon, st_y(place::geometry) as lat,
               accuracy_m, heading, speed_kmh, fixed_at
        from position_last where person_id = any(%(people)s)
        """,
        people=list(people),
    )


async def open_fence(
    uow: UnitOfWork, *, subject_id: UUID, person: UUID, centre: Point, radius_m: int, since: datetime
) -> bool:
    """Start a fence unless this person is already watched for the subject; answer whether it is new."""
    return bool(
        await uow.run(
            """
            insert into fence (org_id, id, subject_id, person_id, centre, radius_m, side, streak, created_at)
            select %(org)s, %(id)s, %(subject)s, %(person)s,
                   st_setsrid(st_makepoint(%(lon)s, %(lat)s), 4326)::geography, %(radius)s, %(outside)s, 0, %(since)s
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
    """A fence as stored; `announced` crossings have ordinals 1…announced, those in `crossed_at` still stand."""

    id: UUID
    subject_id: UUID
    radius_m: int
    side: Side
    streak: int
    streak_since: datetime | None
    last_fix_at: datetime | None
    crossed_at: tuple[datetime, ...]
    announced: int

    @property
    def watch(self) -> Watch:
        machine = Machine(self.radius_m, self.side, self.streak, self.streak_since, self.last_fix_at)
        return Watch(machine, self.crossed_at)


async def fences_open_between(uow: UnitOfWork, person: UUID, earliest: datetime, latest: datetime) -> list[FenceRow]:
    return await uow.all_of(
        FenceRow,
        """
        select f.id, f.subject_id, f.radius_m, f.side, f.streak, f.streak_since, f.last_fix_at,
               coalesce(c.crossed_at, '{}') as crossed_at, coalesce(c.announced, 0) as announced
        from fence f
        left join lateral (
            select array_agg(at order by ordinal) filter (where withdrawn_at is null) as crossed_at,
                   count(*)::int as announced
            from fence_crossing where fence_id = f.id
        ) c on true
        where f.person_id = %(person)s and f.created_at <= %(latest)s
          and (f.closed_at is null or f.closed_at >= %(earliest)s)
        order by f.id
        """,
        person=person,
        earliest=earliest,
        latest=latest,
    )


async def sights_after(
    uow: UnitOfWork, person: UUID, fences: Mapping[UUID, datetime | None]
) -> dict[UUID, list[Sight]]:
    """What each fence saw of the person's track after the given time, while it was open; None is from its start."""
    seen = await uow.rows(
        """
        select f.id, t.fixed_at, st_distance(t.place, f.centre) as distance_m, t.accuracy_m
        from unnest(%(ids)s::uuid[], %(after)s::timestamptz[]) as w (id, after)
        join fence f on f.id = w.id
        join position_track t
          on t.person_id = %(person)s and t.fixed_at >= greatest(f.created_at, w.after)
             and t.fixed_at > coalesce(w.after, '-infinity') and t.fixed_at <= coalesce(f.closed_at, 'infinity')
        """,
        person=person,
        ids=list(fences),
        after=list(fences.values()),
    )
    sights: dict[UUID, list[Sight]] = {fence: [] for fence in fences}
    for row in seen:
        sights[row["id"]].append(Sight(row["fixed_at"], row["distance_m"], row["accuracy_m"]))
    return sights


async def save_watches(uow: UnitOfWork, watches: Mapping[UUID, Watch]) -> None:
    """Store each fence's machine and make its crossings the standing ones."""
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
    flat = [
        (fence, ordinal, kind_of(ordinal), at)
        for fence, watch in watches.items()
        for ordinal, at in enumerate(watch.crossed_at, start=1)
    ]
    await uow.run(
        """
        with withdrawn as (
            update fence_crossing c set withdrawn_at = %(now)s
            from unnest(%(fences)s::uuid[], %(counts)s::int[]) as w (fence_id, standing)
            where c.fence_id = w.fence_id and c.ordinal > w.standing and c.withdrawn_at is null
        )
        insert into fence_crossing as c (org_id, id, fence_id, ordinal, kind, at, recorded_at)
        select %(org)s, n.id, n.fence_id, n.ordinal, n.kind, n.at, %(now)s
        from unnest(%(ids)s::uuid[], %(of)s::uuid[], %(ordinals)s::int[], %(kinds)s::text[], %(ats)s::timestamptz[])
             as n (id, fence_id, ordinal, kind, at)
        on conflict (org_id, fence_id, ordinal) do update set at = excluded.at, withdrawn_at = null
        where c.at <> excluded.at or c.withdrawn_at is not null
        """,
        org=uow.org,
        now=uow.now(),
        fences=list(watches),
        counts=[len(watch.crossed_at) for watch in watches.values()],
        ids=[uow.new_id() for _ in flat],
        of=[row[0] for row in flat],
        ordinals=[row[1] for row in flat],
        kinds=[row[2] for row in flat],
        ats=[row[3] for row in flat],
    )
