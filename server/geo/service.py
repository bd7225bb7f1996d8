"""Recording where engineers are, and noticing when they come near a place or leave it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from server.core import events
from server.core.db import UnitOfWork
from server.geo import queries
from server.geo.domain import Point
from server.geo.errors import NotThisDevice
from server.geo.fences import Watch, kind_of
from server.geo.positions import SHIFT_GRACE, Fix, Interval, Recorded
from server.geo.queries import FenceRow
from server.identity.domain import Actor


async def record_fixes(
    uow: UnitOfWork, actor: Actor, device: UUID, fixes: Sequence[Fix], shifts: Sequence[Interval]
) -> Recorded:
    """Keep what the engineer's phone recorded during their shifts and evaluate the fences around their jobs.

    Idempotent by (device, seq); fixes may be late and in any order. `shifts` are all that touch the fixes' time.
    What lies outside of them (with SHIFT_GRACE) is dropped unread, as is what lies in the future.
    Raises NotThisDevice.
    """
    if device != actor.device:
        raise NotThisDevice
    working = _worked(shifts, until=uow.now() + SHIFT_GRACE)
    await queries.lock_track(uow, actor.person)
    stored = await queries.store_fixes(uow, person=actor.person, device=device, fixes=fixes, working=working)
    if stored.moved:
        await _announce_move(uow, actor.person)
    if stored.earliest and stored.latest:
        await _evaluate(uow, actor.person, stored.earliest, stored.latest)
    return Recorded(stored.accepted, stored.on_shift - stored.accepted, len(fixes) - stored.on_shift)


async def watch(
    uow: UnitOfWork, subject_id: UUID, person: UUID, centre: Point, radius_m: int, *, since: datetime
) -> None:
    """Notice from `since` on when this person comes near what waits at `centre`; nobody else is watched for it.

    Safe to repeat. What was recorded between `since` and now is evaluated at once.
    """
    await queries.lock_track(uow, person)
    await queries.close_fences(uow, subject_id=subject_id, at=uow.now(), keep=person)
    opened = await queries.open_fence(
        uow, subject_id=subject_id, person=person, centre=centre, radius_m=radius_m, since=since
    )
    if opened:
        await _evaluate(uow, person, since, uow.now())


async def stop_watching(uow: UnitOfWork, subject_id: UUID, *, at: datetime) -> list[UUID]:
    """Close the subject's fences and answer who was watched.

    What was recorded before `at` and comes in later still counts.
    """
    return await queries.close_fences(uow, subject_id=subject_id, at=at)


def _worked(shifts: Sequence[Interval], until: datetime) -> list[Interval]:
    widened = [shift.widened(SHIFT_GRACE) for shift in shifts]
    # A phone whose clock runs ahead must not claim the place of "newest position" for days.
    return [Interval(stretch.starts_at, min(stretch.ends_at, until)) for stretch in widened]


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


async def _evaluate(uow: UnitOfWork, person: UUID, earliest: datetime, latest: datetime) -> None:
    """Run the machines of all fences that were open in this time over what they had not seen."""
    fences = {fence.id: fence for fence in await queries.fences_open_between(uow, person, earliest, latest)}
    if not fences:
        return
    before = {fence.id: fence.watch.back_before(earliest) for fence in fences.values()}
    sights = await queries.sights_after(uow, person, {id_: w.machine.last_fix_at for id_, w in before.items()})
    after = {id_: watch.see(sights[id_]) for id_, watch in before.items()}
    await queries.save_watches(uow, after)
    crossed = {id_: watch for id_, watch in after.items() if watch.crossed_at != fences[id_].crossed_at}
    if crossed:
        await queries.save_crossings(uow, crossed)
    for fence_id, now_crossed in crossed.items():
        await _announce_crossings(uow, person, fences[fence_id], now_crossed)


async def _announce_crossings(uow: UnitOfWork, person: UUID, fence: FenceRow, now: Watch) -> None:
    for ordinal, at in enumerate(now.crossed_at, start=1):
        if ordinal > fence.announced:
            await events.append(
                uow,
                f"fence.{kind_of(ordinal)}",
                subject=("fence", fence.id),
                actor=person,
                payload={"subject_id": str(fence.subject_id), "person_id": str(person), "at": at.isoformat()},
            )
