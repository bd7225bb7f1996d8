"""Every statement about tracks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.types.multirange import TimestamptzMultirange
from psycopg.types.range import TimestamptzRange

from server.core.db import UnitOfWork
from server.geo.positions import TOLD_EVERY, Fix, Interval, LastPosition

# A device that numbers its fixes has one range; what lies between the oldest of so many counts as known.
_MOST_RANGES = 1_000


async def lock_track(uow: UnitOfWork, person: UUID) -> None:
    """Make everything about one engineer's track happen one after another until this transaction ends."""
    await uow.run("select pg_advisory_xact_lock(hashtextextended('track:' || %(person)s::text, 0))", person=person)


async def make_days(uow: UnitOfWork, first: datetime, last: datetime) -> None:
    """Have a partition for each day from `first` to `last`; nearly always they are there."""
    await uow.run(
        """
        with asked as (
            select (%(first)s::timestamptz at time zone 'UTC')::date as first,
                   (%(last)s::timestamptz at time zone 'UTC')::date as last
        )
        select make_track_days(first, last) from asked
        where exists (
            select from generate_series(first, last, interval '1 day') day
            where to_regclass('position_track_' || to_char(day, 'YYYYMMDD')) is null)
        """,
        first=first,
        last=last,
    )


@dataclass(frozen=True)
class Stored:
    accepted: int
    off_shift: int
    paused: int
    too_old: int
    earliest: datetime | None  # of the accepted
    tell: bool  # the newest of them is also the newest ever, and boards have not heard for a while


async def store_fixes(
    uow: UnitOfWork,
    *,
    person: UUID,
    device: UUID,
    fixes: Sequence[Fix],
    working: Sequence[Interval],
    keep_from: datetime,
) -> Stored:
    """Keep the fixes that were not known, lie in `working`, in no pause and not before `keep_from`; count the others.

    One statement whatever their number. The track is locked: what a device sent is decided by nobody else meanwhile.
    """
    stored = await uow.one_of(
        Stored,
        """
        with given as (
            select * from unnest(
                %(seqs)b::bigint[], %(ats)b::timestamptz[], %(lons)b::float8[], %(lats)b::float8[],
                %(accuracies)b::int[], %(headings)b::int[], %(speeds)b::int[]
            ) as f (seq, fixed_at, lon, lat, accuracy_m, heading, speed_kmh)
        ),
        pauses as (
            select coalesce(range_agg(tstzrange(starts_at, ends_at)), '{}') as times
            from position_pause where person_id = %(person)s and ends_at > %(keep_from)s
        ),
        judged as (
            select g.*, case
                when g.fixed_at < %(keep_from)s then 'too_old'
                when not g.fixed_at <@ %(working)s::tstzmultirange then 'off_shift'
                when g.fixed_at <@ p.times then 'paused'
            end as dropped
            from given g, pauses p
        ),
        fresh as (
            select distinct on (j.seq) j.* from judged j
            where not j.seq <@ coalesce(
                (select seen from position_stream where device_id = %(device)s), '{}'::int8multirange)
            order by j.seq
        ),
        remembered as (
            insert into position_stream as s (org_id, device_id, seen)
            select %(org)s, %(device)s, range_agg(int8range(seq, seq, '[]')) from fresh having count(*) > 0
            on conflict (org_id, device_id) do update
                set seen = position_seen(s.seen + excluded.seen, %(most_ranges)s)
        ),
        counted as (
            insert into position_day as d (org_id, person_id, day, kept, off_shift, paused, too_old)
            select %(org)s, %(person)s, c.day, count(*) filter (where c.dropped is null),
                   count(*) filter (where c.dropped = 'off_shift'), count(*) filter (where c.dropped = 'paused'),
                   count(*) filter (where c.dropped = 'too_old')
            from (
                select f.dropped, (case
                    -- A clock that is wrong by years must not make a row of its own.
                    when f.dropped = 'too_old' or f.fixed_at > %(now)s then %(now)s
                    else f.fixed_at end at time zone o.timezone)::date as day
                from fresh f, organisation o
            ) c
            group by c.day
            on conflict (org_id, person_id, day) do update set
                kept = d.kept + excluded.kept, off_shift = d.off_shift + excluded.off_shift,
                paused = d.paused + excluded.paused, too_old = d.too_old + excluded.too_old
        ),
        stored as (
            insert into position_track (org_id, person_id, fixed_at, device_id, seq, place, accuracy_m)
            select %(org)s, %(person)s, fixed_at, %(device)s, seq,
                   st_setsrid(st_makepoint(lon, lat), 4326)::geography, accuracy_m
            from fresh where dropped is null
        ),
        newest as (select * from fresh where dropped is null order by fixed_at desc, seq desc limit 1),
        shown as (
            insert into position_last as l
                (org_id, person_id, device_id, place, accuracy_m, heading, speed_kmh, fixed_at, received_at, told_at)
            select %(org)s, %(person)s, %(device)s, st_setsrid(st_makepoint(lon, lat), 4326)::geography, accuracy_m,
                   heading, speed_kmh, fixed_at, %(now)s, %(now)s
            from newest
            on conflict (org_id, person_id) do update set
                device_id = excluded.device_id, place = excluded.place, accuracy_m = excluded.accuracy_m,
                heading = excluded.heading, speed_kmh = excluded.speed_kmh,
                fixed_at = excluded.fixed_at, received_at = excluded.received_at,
                told_at = case when l.told_at > %(now)s - %(told_every)s::interval then l.told_at else %(now)s end
            where l.fixed_at < excluded.fixed_at
            returning told_at = %(now)s as tell
        )
        select count(*) filter (where dropped = 'off_shift') as off_shift,
               count(*) filter (where dropped = 'paused') as paused,
               count(*) filter (where dropped = 'too_old') as too_old,
               (select count(*) from fresh where dropped is null) as accepted,
               (select min(fixed_at) from fresh where dropped is null) as earliest,
               coalesce((select tell from shown), false) as tell
        from judged
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
        working=TimestamptzMultirange([TimestamptzRange(it.starts_at, it.ends_at, "[]") for it in working]),
        keep_from=keep_from,
        most_ranges=_MOST_RANGES,
        told_every=TOLD_EVERY,
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
