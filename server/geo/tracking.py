"""How long tracks are kept, when engineers are not to be seen, and what was dropped and why."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from server.core import events
from server.core.db import Database, UnitOfWork
from server.core.errors import NotFound
from server.geo import queries, tracking_queries
from server.geo.errors import ImplausiblePause
from server.geo.positions import DayCount, Pause, Policy
from server.identity.domain import Actor

# The task may fail for a while before a fix finds no day; even then `record_fixes` makes it.
DAYS_AHEAD = 14
_COUNTS_KEPT = timedelta(days=366)
_COUNTS_SHOWN = timedelta(days=31)


async def policy(uow: UnitOfWork) -> Policy:
    return await tracking_queries.policy(uow)


async def set_policy(uow: UnitOfWork, actor: Actor, wanted: Policy) -> Policy:
    """Decide how long tracks are kept and how large fences are. What is to go goes with the next night."""
    await tracking_queries.save_policy(uow, wanted, by=actor.person)
    await events.append(
        uow,
        "position_policy.set",
        subject=("organisation", actor.org),
        actor=actor.person,
        payload={"keep_track_days": wanted.keep_track_days, "fence_radius_m": wanted.fence_radius_m},
    )
    return wanted


async def set_pause(uow: UnitOfWork, actor: Actor, wanted: Pause) -> Pause:
    """Let the engineer not be seen from then to then; the same pause again with another end lasts until that.

    What was recorded in it and comes in from now on is dropped. Raises ImplausiblePause, NotFound.
    """
    if not wanted.is_plausible(uow.now()):
        raise ImplausiblePause
    await queries.lock_track(uow, actor.person)
    if not await tracking_queries.save_pause(uow, actor.person, wanted):
        raise NotFound(thing="pause")
    await events.append(
        uow,
        "engineer.paused",
        subject=("person", actor.person),
        actor=actor.person,
        payload={"starts_at": wanted.starts_at.isoformat(), "ends_at": wanted.ends_at.isoformat()},
    )
    return wanted


async def day_counts(uow: UnitOfWork, person: UUID) -> Sequence[DayCount]:
    """Answer what became of somebody's fixes in the last month, the newest day first."""
    return await tracking_queries.day_counts(uow, person, since=(uow.now() - _COUNTS_SHOWN).date())


async def keep_house(database: Database) -> int:
    """Make the days ahead and let go of what nobody keeps any more; answer how many days were dropped."""
    async with database.unit_of_work() as uow:
        today = uow.now().date()
        await tracking_queries.make_days(uow, today, today + timedelta(days=DAYS_AHEAD))
    for org in await database.organisations():
        async with database.unit_of_work(org) as uow:
            await _forget(uow, uow.now())
    async with database.unit_of_work() as uow:
        return await tracking_queries.drop_days(uow)


async def _forget(uow: UnitOfWork, now: datetime) -> None:
    kept = await tracking_queries.policy(uow)
    await tracking_queries.forget(uow, before=now - kept.keeps, counts_before=now - _COUNTS_KEPT)
