"""Every statement about what is kept of tracks: the policy, pauses, counts, days that go."""

from datetime import date, datetime
from uuid import UUID

from server.core.db import UnitOfWork
from server.geo.positions import DayCount, Pause, Policy


async def policy(uow: UnitOfWork) -> Policy:
    found = await uow.one_of(Policy, "select keep_track_days, fence_radius_m from position_policy")
    return found or Policy()


async def save_policy(uow: UnitOfWork, it: Policy, *, by: UUID) -> None:
    await uow.run(
        """
        insert into position_policy (org_id, keep_track_days, fence_radius_m, set_by, set_at)
        values (%(org)s, %(days)s, %(radius)s, %(by)s, %(now)s)
        on conflict (org_id) do update set
            keep_track_days = excluded.keep_track_days, fence_radius_m = excluded.fence_radius_m,
            set_by = excluded.set_by, set_at = excluded.set_at
        """,
        org=uow.org,
        days=it.keep_track_days,
        radius=it.fence_radius_m,
        by=by,
        now=uow.now(),
    )


async def save_pause(uow: UnitOfWork, person: UUID, it: Pause) -> bool:
    """Write a pause, or when it begins and ends anew; answer false when its id is somebody else's."""
    return bool(
        await uow.run(
            """
            insert into position_pause as p (org_id, id, person_id, starts_at, ends_at, set_at)
            values (%(org)s, %(id)s, %(person)s, %(starts)s, %(ends)s, %(now)s)
            on conflict (org_id, id) do update
                set starts_at = excluded.starts_at, ends_at = excluded.ends_at, set_at = excluded.set_at
            where p.person_id = excluded.person_id
            """,
            org=uow.org,
            id=it.id,
            person=person,
            starts=it.starts_at,
            ends=it.ends_at,
            now=uow.now(),
        )
    )


async def day_counts(uow: UnitOfWork, person: UUID, *, since: date) -> list[DayCount]:
    """Answer what became of the person's fixes, day by day, the newest first."""
    return await uow.all_of(
        DayCount,
        """
        select day, kept, off_shift, paused, too_old from position_day
        where person_id = %(person)s and day >= %(since)s order by day desc
        """,
        person=person,
        since=since,
    )


async def forget(uow: UnitOfWork, *, before: datetime, counts_before: datetime) -> int:
    """Delete the organisation's fixes from before a time, with what hangs on them; answer how many fixes."""
    gone = await uow.run("delete from position_track where fixed_at < %(before)s", before=before)
    await uow.run("delete from position_last where fixed_at < %(before)s", before=before)
    await uow.run("delete from position_pause where ends_at < %(before)s", before=before)
    await uow.run(
        "delete from position_day where day < (%(before)s::timestamptz at time zone 'UTC')::date", before=counts_before
    )
    return gone


async def make_days(uow: UnitOfWork, first: date, last: date) -> int:
    """Have a partition for each of these days; answer how many were made."""
    return int(await uow.value("select make_track_days(%(first)s, %(last)s)", first=first, last=last))


async def drop_days(uow: UnitOfWork) -> int:
    """Drop the days that no organisation keeps any more; answer how many."""
    return int(await uow.value("select drop_track_days(%(now)s)", now=uow.now()))
