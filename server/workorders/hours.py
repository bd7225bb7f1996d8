"""Hours: timers that run, stretches that are told, and corrections of both. What was worked is kept, never refused.

Times come by the device's clock. Stored are both: what it said, and what that is on the server's clock.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.identity.access import require
from server.identity.domain import Actor, Permission
from server.workorders import hour_queries, timeline
from server.workorders.access import Admission
from server.workorders.domain import Circumstances
from server.workorders.errors import EntityGone, NotYourTime
from server.workorders.evidence import Recorded, entry_of, happened_at, kept
from server.workorders.hour_queries import Reading, Stretch, Tip
from server.workorders.records import TimeKind


@dataclass(frozen=True)
class DeviceTime:
    """What a device's other clocks said at the act: its zone, and milliseconds since it was switched on as `boot`."""

    zone: str | None = None
    boot: str | None = None
    mono: float | None = None


async def add_time(
    uow: UnitOfWork,
    actor: Actor,
    admission: Admission,
    *,
    entry_id: UUID,
    kind: TimeKind,
    started_at: datetime,
    ended_at: datetime,
    zone: str | None = None,
    circumstances: Circumstances,
) -> Recorded | None:
    """Record a stretch of time given by the device's clock."""
    stretch = _stretch(circumstances, started_at, ended_at, zone)
    facts = {"time_entry_id": str(entry_id), "kind": kind, **_raw(stretch)}
    flags = await hour_queries.keep_stretch(
        uow,
        entry_of(uow, actor, admission, circumstances, "time", facts),
        stretch,
        entry_id=entry_id,
        order_id=admission.order.id,
        person_id=actor.person,
        kind=kind,
    )
    return await kept(uow, actor, admission, "time", flags=_told(flags, circumstances)) if flags is not None else None


async def start_timer(
    uow: UnitOfWork,
    actor: Actor,
    admission: Admission,
    *,
    entry_id: UUID,
    kind: TimeKind,
    device_time: DeviceTime,
    circumstances: Circumstances,
) -> Recorded | None:
    """Start a timer. Its stop may have come before: then it is given its beginning."""
    entry = entry_of(uow, actor, admission, circumstances, "time_start", {"time_entry_id": str(entry_id), "kind": kind})
    flags = await hour_queries.start(
        uow,
        entry,
        _reading(uow, circumstances, device_time),
        entry_id=entry_id,
        order_id=admission.order.id,
        person_id=actor.person,
        kind=kind,
    )
    return await kept(uow, actor, admission, "time", flags=_told(flags, circumstances)) if flags is not None else None


async def stop_timer(
    uow: UnitOfWork,
    actor: Actor,
    admission: Admission,
    *,
    entry_id: UUID,
    kind: TimeKind,
    device_time: DeviceTime,
    circumstances: Circumstances,
) -> Recorded | None:
    """Stop a timer. Within one boot of the device its length is what the monotonic clock measured.

    A stop whose start never came is kept as an entry without length, flagged NO_START. Raises NotYourTime.
    """
    entry = entry_of(uow, actor, admission, circumstances, "time_stop", {"time_entry_id": str(entry_id)})
    flags = await hour_queries.stop(
        uow,
        entry,
        _reading(uow, circumstances, device_time),
        entry_id=entry_id,
        order_id=admission.order.id,
        person_id=actor.person,
        kind=kind,
    )
    if flags is not None:
        return await kept(uow, actor, admission, "time", flags=_told(flags, circumstances))
    tip = await hour_queries.tip(uow, entry_id)
    if tip is None or tip.person_id != actor.person:
        raise NotYourTime
    return None


async def edit_time(
    uow: UnitOfWork,
    actor: Actor,
    admission: Admission,
    *,
    revision_id: UUID,
    entry_id: UUID,
    kind: TimeKind,
    started_at: datetime,
    ended_at: datetime,
    zone: str | None,
    reason: str,
    circumstances: Circumstances,
) -> Recorded | Tip | None:
    """Correct one's own hours by a new revision; the old ones stay. Answers the approved entry when it is too late.

    Raises EntityGone, NotYourTime.
    """
    tip = await own_tip(uow, actor.person, entry_id)
    if tip.id == revision_id:
        return None
    if tip.approved_at is not None:
        return tip
    stretch = _stretch(circumstances, started_at, ended_at, zone)
    facts = {"time_entry_id": str(revision_id), "replaces": str(tip.id), "kind": kind, **_raw(stretch)}
    flags = await hour_queries.revise(
        uow,
        entry_of(uow, actor, admission, circumstances, "time_edit", facts, why=reason),
        stretch,
        entry_id=revision_id,
        replaces=tip,
        kind=kind,
    )
    return await kept(uow, actor, admission, "time", flags=_told(flags, circumstances)) if flags is not None else None


async def own_tip(uow: UnitOfWork, person: UUID, entry_id: UUID) -> Tip:
    """Answer the newest revision of an entry. Raises EntityGone, NotYourTime."""
    tip = await hour_queries.tip(uow, entry_id)
    if tip is None:
        raise EntityGone(thing="time entry")
    if tip.person_id != person:
        raise NotYourTime
    return tip


async def approve(uow: UnitOfWork, actor: Actor, work_order_id: UUID, entry_id: UUID) -> None:
    """Approve hours for payroll; from then on a correction is a request. Raises Forbidden, NotFound."""
    require(actor, Permission.ORDERS_CLOSE)
    tip = await hour_queries.tip(uow, entry_id)
    if tip is None or tip.work_order_id != work_order_id:
        raise NotFound(thing="time entry")
    if tip.approved_at is not None:
        return
    await hour_queries.approve(uow, tip.id, by=actor.person)
    await timeline.append(
        uow, actor, work_order_id=tip.work_order_id, action="time_approve", facts={"time_entry_id": str(tip.id)}
    )


async def settle(
    uow: UnitOfWork, actor: Actor, tip: Tip, *, kind: TimeKind, started_at: datetime, ended_at: datetime
) -> None:
    """Let hours read as somebody decided, by one more approved revision; nothing to do when they read so already."""
    require(actor, Permission.ORDERS_CLOSE)
    if (tip.kind, tip.started_at, tip.ended_at) == (kind, started_at, ended_at):
        return
    revision = uow.new_id()
    stretch = Stretch(started_at, ended_at, started_at, ended_at, None, None, ())
    facts = {"time_entry_id": str(revision), "replaces": str(tip.id), "kind": kind}
    entry = timeline.entry(uow, actor, visit_id=tip.visit_id, action="time_settle", facts=facts)
    await hour_queries.revise(uow, entry, stretch, entry_id=revision, replaces=tip, kind=kind)
    await hour_queries.approve(uow, revision, by=actor.person)


def shifted(at: datetime, seconds: float) -> datetime:
    return at + timedelta(seconds=seconds)


def _stretch(circumstances: Circumstances, started_at: datetime, ended_at: datetime, zone: str | None) -> Stretch:
    occurrence = circumstances.occurrence
    by = occurrence.at - occurrence.at_device if occurrence else timedelta()
    uncertainty = occurrence.uncertainty_ms if occurrence else None
    return Stretch(started_at + by, ended_at + by, started_at, ended_at, uncertainty, zone, _clock_flags(circumstances))


def _reading(uow: UnitOfWork, circumstances: Circumstances, device_time: DeviceTime) -> Reading:
    occurrence = circumstances.occurrence
    at = happened_at(uow, circumstances)
    return Reading(
        at=at,
        device_at=occurrence.at_device if occurrence else at,
        uncertainty_ms=occurrence.uncertainty_ms if occurrence else None,
        zone=device_time.zone,
        boot=device_time.boot,
        mono_ms=device_time.mono,
        flags=_clock_flags(circumstances),
    )


def _told(flags: tuple[str, ...], circumstances: Circumstances) -> tuple[str, ...]:
    """Leave out what the engine says of the mutation anyway."""
    return tuple(flag for flag in flags if flag not in _clock_flags(circumstances))


def _clock_flags(circumstances: Circumstances) -> tuple[str, ...]:
    return circumstances.occurrence.flags if circumstances.occurrence else ()


def _raw(stretch: Stretch) -> dict[str, Any]:
    return {
        "device_started_at": stretch.device_started_at.isoformat(),
        "device_ended_at": stretch.device_ended_at.isoformat(),
    }
