"""An engineer's day: look at the phone, take the next job, drive there, do it, have it signed."""

from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import Any

from simulator.clock import DayClock
from simulator.job import Job
from simulator.phone import MINUTE, Phone
from simulator.roads import Drive, Moving, Place, Roads, moments
from simulator.tally import Tally
from simulator.work import Work

_FIX_EVERY = 15.0
_FIX_AT_LEAST_REAL_S = 0.25
_LOOK_EVERY = 2 * MINUTE
_LOOK_AT_LEAST_REAL_S = 0.2
_DECLINES = 0.02
_MOST_STEPS = 30
_PRIORITIES = ("urgent", "high", "normal")

type Step = Callable[[Job], Awaitable[None]]


class Engineer:
    def __init__(
        self,
        home: Place,
        phone: Phone,
        roads: Roads,
        day: DayClock,
        rng_of: Callable[[str], Random],
        number: int,
        tally: Tally,
    ) -> None:
        rng = rng_of(f"engineer-{number}")
        self._phone, self._roads, self._day, self._rng, self._tally = phone, roads, day, rng, tally
        self._at = home
        phone.stands_at = home
        self._work = Work(phone, day, rng, rng_of)
        self._done_with: set[str] = set()  # visits that were signed, or that don't move on
        self._steps: Mapping[str, Step] = {
            "dispatched": self._accept,
            "accepted": self._set_off,
            "travelling": self._drive,
            "on_site": self._work.start,
            "on_hold": self._work.resume,
            "working": self._work.do,
            "resolved": self._work.ask_confirmation,
            "awaiting_confirmation": self._sign,
        }

    async def run(self, until: float) -> None:
        """Work until so many seconds into the day; a job begun by then is finished."""
        while self._day.elapsed() < until:
            job = self.next_job()
            if job:
                await self._perform(job)
            else:
                await self._day.sleep(_LOOK_EVERY, _LOOK_AT_LEAST_REAL_S)

    def next_job(self) -> Job | None:
        """The one that is planned next of ours, one already begun before all others."""
        jobs = [
            job
            for job in Job.all_of(self._phone.device)
            if job.state in self._steps and job.visit not in self._done_with
        ]
        return min(jobs, key=_due, default=None)

    async def _perform(self, job: Job) -> None:
        """Step by step from wherever it stands, until it is closed or no longer ours."""
        for _ in range(_MOST_STEPS):
            now = job.again(self._phone.device)
            if now is None or now.state not in self._steps or now.visit in self._done_with:
                return
            job = now
            await self._steps[job.state](job)
        self._done_with.add(job.visit)
        if job.id not in self._tally.disturbed:
            self._tally.problem(f"order {job.number} does not move on from {job.state}")

    async def _accept(self, job: Job) -> None:
        await self._day.sleep(self._rng.uniform(0.5, 4) * MINUTE)
        if self._rng.random() < _DECLINES:
            self._transition(job, "decline", reason="My van is blocked in")
        else:
            self._transition(job, "accept")

    async def _set_off(self, job: Job) -> None:
        await self._day.sleep(self._rng.uniform(0, 3) * MINUTE)
        self._transition(job, "travel")

    async def _drive(self, job: Job) -> None:
        began = self._phone.device.clock.now()
        await self._follow(await self._roads.drive(self._at, job.place))
        self._work.book_time(job, "travel", began)
        self._transition(job, "arrive")

    async def _follow(self, drive: Drive) -> None:
        """Move along, with a fix every 15 seconds of the drive."""
        self._phone.stands_at = None
        began, done = self._day.elapsed(), 0.0
        while done < drive.seconds:
            await self._day.sleep(_FIX_EVERY, _FIX_AT_LEAST_REAL_S)
            elapsed = min(self._day.elapsed() - began, drive.seconds)
            fixes = [(elapsed - moment, drive.at(moment)) for moment in moments(done, elapsed, _FIX_EVERY)]
            self._phone.locate(fixes)
            done = elapsed
        self._at = self._phone.stands_at = drive.line[-1]

    async def _sign(self, job: Job) -> None:
        await self._work.sign(job)
        self._done_with.add(job.visit)
        self._tally.closed += 1

    def _transition(self, job: Job, to: str, **more: Any) -> None:
        self._work.transition(job, to, at=self._standing(), **more)

    def _standing(self) -> Moving:
        return Moving(self._at, 0.0, 0.0)


def _due(job: Job) -> tuple[bool, str, int, str]:
    begun = job.state not in {"dispatched", "accepted"}
    return not begun, job.planned_start, _PRIORITIES.index(job.priority), job.id
