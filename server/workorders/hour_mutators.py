"""What a device may say of hours."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from server.core.db import UnitOfWork
from server.core.wire import Id, Instant, Line, WireIn
from server.identity.domain import Actor
from server.sync.domain import Disagreement, Dispute, Mutation, Outcome, Side
from server.sync.registry import Handler, Nature, Registry
from server.workorders import hour_queries, hours
from server.workorders.access import admit
from server.workorders.errors import Overtaken
from server.workorders.evidence import Recorded
from server.workorders.hour_queries import Tip
from server.workorders.hours import DeviceTime
from server.workorders.recording import circumstances_of, outcome_of
from server.workorders.records import TimeKind

type Zone = Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9_+\-/]+$")]


class _StretchArgs(WireIn):
    id: Id
    wo: Id
    visit: Id | None = None
    kind: TimeKind
    started_at: Instant
    ended_at: Instant
    zone: Zone | None = None

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.ended_at < self.started_at:
            message = "ended_at must not lie before started_at"
            raise ValueError(message)
        return self


class TimeArgs(_StretchArgs):
    pass


class EditArgs(_StretchArgs):
    """`id` is the new revision's, `entry` any revision's of the entry it corrects."""

    entry: Id
    reason: Line = ""


class _ClockArgs(WireIn):
    """`zone`, `boot` and `mono` as the device's clocks said at the act; the time itself is the mutation's `at`."""

    id: Id
    wo: Id
    visit: Id | None = None
    zone: Zone | None = None
    boot: Annotated[str, StringConstraints(max_length=100)] | None = None
    mono: Annotated[float, Field(ge=0, le=1e13)] | None = None

    @property
    def device_time(self) -> DeviceTime:
        return DeviceTime(self.zone, self.boot, self.mono)


class TimerArgs(_ClockArgs):
    """`id` is the timer's. At a stop `kind` matters only where its start never came."""

    kind: TimeKind = TimeKind.WORK


class BreakArgs(_ClockArgs):
    """`id` is the break's own; `timer` the one that it ends."""

    timer: Id


async def add_time(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: TimeArgs) -> Outcome:
    return outcome_of(
        await hours.add_time(
            uow,
            actor,
            await admit(uow, actor, work_order_id=args.wo, visit_id=args.visit),
            entry_id=args.id,
            kind=args.kind,
            started_at=args.started_at,
            ended_at=args.ended_at,
            zone=args.zone,
            circumstances=circumstances_of(mutation),
        )
    )


def by_the_clock(act: Callable[..., Awaitable[Recorded | None]]) -> Handler:
    """Make a mutator of an act that takes its time from the device's clocks."""

    async def told(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: TimerArgs) -> Outcome:
        return outcome_of(
            await act(
                uow,
                actor,
                await admit(uow, actor, work_order_id=args.wo, visit_id=args.visit),
                entry_id=args.id,
                kind=args.kind,
                device_time=args.device_time,
                circumstances=circumstances_of(mutation),
            )
        )

    return told


async def take_break(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: BreakArgs) -> Outcome:
    """End a timer and start one of a break."""
    admission = await admit(uow, actor, work_order_id=args.wo, visit_id=args.visit)
    stop = partial(hours.stop_timer, entry_id=args.timer, kind=TimeKind.WORK)
    start = partial(hours.start_timer, entry_id=args.id, kind=TimeKind.BREAK)
    told = (uow, actor, admission)
    await stop(*told, device_time=args.device_time, circumstances=circumstances_of(mutation))
    return outcome_of(await start(*told, device_time=args.device_time, circumstances=circumstances_of(mutation)))


async def edit_time(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: EditArgs) -> Outcome:
    """Correct one's own hours; approved ones stand until somebody decides on the request."""
    recorded = await hours.edit_time(
        uow,
        actor,
        await admit(uow, actor, work_order_id=args.wo, visit_id=args.visit),
        revision_id=args.id,
        entry_id=args.entry,
        kind=args.kind,
        started_at=args.started_at,
        ended_at=args.ended_at,
        zone=args.zone,
        reason=args.reason,
        circumstances=circumstances_of(mutation),
    )
    if not isinstance(recorded, Tip):
        return outcome_of(recorded)
    asked = {
        **args.model_dump(mode="json"),
        "clock_correction_s": (mutation.occurrence.at - mutation.occurrence.at_device).total_seconds(),
    }
    return Outcome.conflict(
        Disagreement("TIME_APPROVED", "time_entry", recorded.id, asked, _as_it_stands(recorded), args.wo)
    )


def _as_it_stands(tip: Tip) -> dict[str, str | int | None]:
    return {
        "id": str(tip.id),
        "kind": tip.kind,
        "started_at": tip.started_at.isoformat(),
        "ended_at": tip.ended_at.isoformat() if tip.ended_at else None,
        "revision": tip.revision,
        "approved_at": tip.approved_at.isoformat() if tip.approved_at else None,
    }


async def settle_time(uow: UnitOfWork, actor: Actor, dispute: Dispute, side: Side) -> None:
    """Let the requested correction stand as a further revision, or the approved hours again."""
    tip = await hour_queries.tip(uow, dispute.entity_id)
    if tip is None:
        raise Overtaken(why="the hours are gone")
    wanted = dispute.mine if side is Side.MINE else dispute.theirs
    if wanted["ended_at"] is None:
        raise Overtaken(why="the timer was still running")
    shift = float(wanted.get("clock_correction_s", 0))
    await hours.settle(
        uow,
        actor,
        tip,
        kind=TimeKind(wanted["kind"]),
        started_at=hours.shifted(datetime.fromisoformat(wanted["started_at"]), shift),
        ended_at=hours.shifted(datetime.fromisoformat(wanted["ended_at"]), shift),
    )


def register(registry: Registry) -> None:
    registry.mutator("time.add", TimeArgs, add_time, nature=Nature.EVIDENCE)
    registry.mutator("time.start", TimerArgs, by_the_clock(hours.start_timer), nature=Nature.EVIDENCE)
    registry.mutator("time.stop", TimerArgs, by_the_clock(hours.stop_timer), nature=Nature.EVIDENCE)
    registry.mutator("time.break", BreakArgs, take_break, nature=Nature.EVIDENCE)
    registry.mutator("time.edit", EditArgs, edit_time, nature=Nature.EVIDENCE)
    registry.settlement("TIME_APPROVED", settle_time)
