"""Recording where engineers are, and noticing when they come near a place or leave it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from server.core import events
from server.core.db import UnitOfWork
from server.geo import fence_queries, queries, tracking_queries
from server.geo.domain import Point
from server.geo.errors import NotThisDevice
from server.geo.fence_queries import Fact, FenceRow
from server.geo.fences import Crossed, Watch
from server.geo.positions import SHIFT_GRACE, Fix, Interval, Recorded
from server.identity.domain import Actor


async def record_fixes(
    uow: UnitOfWork, actor: Actor, device: UUID, fixes: Sequence[Fix], shifts: Sequence[Interval]
) -> Recorded:
    """Keep what the engineer's phone recorded during their shifts and evaluate the fences around their jobs.

    Idempotent by (device, seq), whatever became of the fix the first time; fixes may be late and in any order. `shifts`
    are all that touch the fixes' time. What lies outside of them (with SHIFT_GRACE), in the future, in a pause or
    before what the organisation keeps is dropped unread and counted. Raises NotThisDevice.
    """
    if device != actor.device:
        raise NotThisDevice
    now = uow.now()
    working = _worked(shifts, until=now + SHIFT_GRACE)
    await queries.lock_track(uow, actor.person)
    keep_from = now - (await tracking_queries.policy(uow)).keeps
    if kept := [fix.at for fix in fixes if keep_from <= fix.at <= now + SHIFT_GRACE]:
        await queries.make_days(uow, min(kept), max(kept))
    stored = await queries.store_fixes(
        uow, person=actor.person, device=device, fixes=fixes, working=working, keep_from=keep_from
    )
    if stored.tell:
        await _announce_move(uow, actor.person)
    if stored.earliest:
        await _evaluate(uow, actor.person, stored.earliest)
    dropped = stored.off_shift + stored.paused + stored.too_old
    return Recorded(
        stored.accepted, len(fixes) - stored.accepted - dropped, stored.off_shift, stored.paused, stored.too_old
    )


async def watch(
    uow: UnitOfWork,
    subject_id: UUID,
    person: UUID,
    centre: Point,
    radius_m: int,
    *,
    since: datetime,
    area: Mapping[str, Any] | None = None,
) -> None:
    """Notice from `since` on when this person comes near what waits at `centre`; nobody else is watched for it.

    area: a GeoJSON polygon that stands in for the circle. Safe to repeat. What was recorded between `since` and now is
    evaluated at once.
    """
    await queries.lock_track(uow, person)
    await fence_queries.close_fences(uow, subject_id=subject_id, at=uow.now(), keep=person)
    opened = await fence_queries.open_fence(
        uow, subject_id=subject_id, person=person, centre=centre, radius_m=radius_m, area=area, since=since
    )
    if opened:
        await _evaluate(uow, person, since)


async def stop_watching(uow: UnitOfWork, subject_id: UUID, *, at: datetime) -> list[UUID]:
    """Close the subject's fences and answer who was watched.

    What was recorded before `at` and comes in later still counts.
    """
    return await fence_queries.close_fences(uow, subject_id=subject_id, at=at)


async def take_facts(uow: UnitOfWork, fence: UUID) -> list[Fact]:
    """Answer what is new about a fence's crossings since this was last asked, and hold it for told.

    Who writes it down in the same transaction tells it once, however often and in which order events are delivered.
    """
    return await fence_queries.take_facts(uow, fence)


def _worked(shifts: Sequence[Interval], until: datetime) -> list[Interval]:
    widened = [shift.widened(SHIFT_GRACE) for shift in shifts]
    # A phone whose clock runs ahead must not claim the place of "newest position" for days.
    return [
        Interval(stretch.starts_at, min(stretch.ends_at, until)) for stretch in widened if stretch.starts_at <= until
    ]


async def _announce_move(uow: UnitOfWork, person: UUID) -> None:
    """One event a batch, however many fixes it holds: boards show where somebody is, not how they got there."""
    (last,) = await queries.last_positions(uow, [person])
    await events.append(
        uow,
        "engineer.moved",
        subject=("person", person),
        payload={
            "lon": last.lon,
            "lat": last.lat,
            "heading": last.heading,
            "speed_kmh": last.speed_kmh,
            "fixed_at": last.fixed_at.isoformat(),
        },
    )


async def _evaluate(uow: UnitOfWork, person: UUID, earliest: datetime) -> None:
    """Run the machines of all fences that were open since over what they had not seen."""
    fences = {fence.id: fence for fence in await fence_queries.fences_open_since(uow, person, earliest)}
    if not fences:
        return
    before = {id_: fence.watch.back_before(earliest) for id_, fence in fences.items()}
    since = min(watch.machine.last_fix_at or fences[id_].created_at for id_, watch in before.items())
    seen = await fence_queries.seen_since(uow, person, before, earliest=since)
    after = {id_: seen[id_].by(watch) if id_ in seen else watch for id_, watch in before.items()}
    await fence_queries.save_watches(uow, after)
    crossed = {id_: watch for id_, watch in after.items() if watch.crossings != fences[id_].watch.crossings}
    if not crossed:
        return
    await fence_queries.save_crossings(uow, crossed)
    for fence_id, watch in crossed.items():
        await _announce_crossings(uow, person, fences[fence_id], watch)


async def _announce_crossings(uow: UnitOfWork, person: UUID, fence: FenceRow, now: Watch) -> None:
    """Say once that somebody crossed; say of what had been said that it was otherwise."""
    about = {"subject_id": str(fence.subject_id), "person_id": str(person)}
    new = [it for it in now.crossings if (it.stay, it.kind) not in fence.announced]
    for it in new:
        payload = about | {"at": it.at.isoformat(), "stay": it.stay}
        await events.append(uow, f"fence.{it.kind}", subject=("fence", fence.id), actor=person, payload=payload)
    if _is_amended(fence.watch.crossings, [it for it in now.crossings if it not in new]):
        await events.append(uow, "fence.amended", subject=("fence", fence.id), actor=person, payload=about)


def _is_amended(before: Sequence[Crossed], still: Sequence[Crossed]) -> bool:
    return set(before) != set(still)
