"""An engineer of a measured day: does the visits on the phone in their planned order, and drives home at the end."""

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.job import Job
from simulator.measured.company import Member
from simulator.measured.script import Call, Shape
from simulator.measured.stepped import SteppedClock
from simulator.phone import MINUTE
from simulator.roads import Drive, Roads

_LOOK_EVERY = 3 * MINUTE
_FIX_EVERY = 5 * MINUTE
_NOTE = "Done as asked; see the report."


@dataclass(frozen=True)
class Trip:
    """A drive as it was: to a call, or home when there is none. Seconds of the day."""

    engineer: int
    call: int | None
    left: float
    arrived: float
    metres: float


@dataclass(frozen=True)
class Worked:
    engineer: int
    call: int
    began: float
    ended: float


class FieldEngineer:
    """`book`: the calls by order id, as they became known."""

    def __init__(
        self, member: Member, roads: Roads, clock: SteppedClock, shape: Shape, book: Mapping[str, Call]
    ) -> None:
        self._member, self._roads, self._clock, self._shape, self._book = member, roads, clock, shape, book
        self._at = member.hand.home
        self._fixed_at = 0.0
        self.trips: list[Trip] = []
        self.works: list[Worked] = []

    async def run(self) -> None:
        await self._clock.until(self._shape.begins)
        while self._clock.elapsed() < self._shape.ends:
            self._locate()
            await self._member.sync()
            job = self._next()
            if job is None or not await self._set_off(job):
                await self._clock.sleep(_LOOK_EVERY)
        home = self._member.hand.home
        await self._drive(None, await self._roads.drive(self._at, home), 1.0)

    def _next(self) -> Job | None:
        jobs = [job for job in Job.all_of(self._member.device) if job.state in {"dispatched", "accepted"}]
        return min(jobs, key=lambda job: (job.planned_start, job.id), default=None)

    async def _set_off(self, job: Job) -> bool:
        """Do the job, unless it is too early to set off for it, or too late to be done with it in time."""
        call, drive = self._book[job.id], await self._roads.drive(self._at, job.place)
        now = self._clock.elapsed()
        if now + drive.seconds + job.minutes * MINUTE > self._shape.over:
            return False
        if call.window and now + drive.seconds + _LOOK_EVERY < call.window[0]:
            return False
        await self._told(job, "travel")
        await self._drive(call, drive, call.drive_factor)
        if call.window:
            await self._clock.until(max(self._clock.elapsed(), call.window[0]))
        await self._told(job, "arrive", "start")
        began = self._clock.elapsed()
        await self._clock.sleep(call.works)
        self.works.append(Worked(self._member.hand.number, call.number, began, self._clock.elapsed()))
        self._record(job, "resolve", note=_NOTE)
        await self._member.sync()
        return True

    async def _told(self, job: Job, *steps: str) -> None:
        for to in steps:
            self._record(job, to)
        await self._member.sync()

    def _record(self, job: Job, to: str, **more: str) -> None:
        args = {"wo": job.id, "visit": job.visit, "to": to, **more}
        self._member.device.record("wo.transition", args, geo={**self._at.as_json(), "accuracy_m": 8.0})

    async def _drive(self, call: Call | None, drive: Drive, factor: float) -> None:
        """At even speed, with a position now and then."""
        left = self._clock.elapsed()
        arrives = left + drive.seconds * factor
        while self._clock.elapsed() < arrives:
            await self._clock.until(min(self._clock.elapsed() + _FIX_EVERY, arrives))
            self._at = drive.at((self._clock.elapsed() - left) / factor).place
            self._locate()
            if self._clock.elapsed() < arrives:
                await self._member.device.track.send()
        self._at = drive.line[-1]
        number = call.number if call else None
        self.trips.append(Trip(self._member.hand.number, number, left, self._clock.elapsed(), drive.metres))

    def _locate(self) -> None:
        if self._clock.elapsed() - self._fixed_at >= _FIX_EVERY or self._clock.elapsed() == self._shape.begins:
            self._member.locate(self._at)
            self._fixed_at = self._clock.elapsed()
