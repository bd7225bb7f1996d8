"""An engineer's phone during the day: a device, a signal that comes and goes, and a habit of syncing."""

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import httpx

from simulator.clock import DayClock, PhoneClock, ServerClock
from simulator.device import Attachment, Device, NoConnection, Recorded
from simulator.device.errors import DeviceError
from simulator.faults import Fate, FaultyTransport
from simulator.roads import Moving, Place, gps_fix
from simulator.tally import Tally
from simulator.together import first_of

MINUTE = 60.0
HOUR = 60 * MINUTE
_SYNC_EVERY = 2 * MINUTE
_SYNC_AT_LEAST_REAL_S = 0.8
_FIX_STANDING_EVERY = 2 * MINUTE
_REPLY_LOST = 0.02
_PULL_CUT = 0.04
_TIMEOUT_S = 30.0


def spot(moving: Moving) -> dict[str, float]:
    """Where somebody is, as their phone would say it."""
    return {**moving.place.as_json(), "accuracy_m": 12.0}


class Phone:
    """Records at any time; talks when there is signal. The line loses some replies on purpose."""

    def __init__(
        self, database: Path, base_url: str, server: ServerClock, day: DayClock, rng: Random, tally: Tally
    ) -> None:
        self._rng, self._day, self._tally = rng, day, tally
        self._reachable, self._lost, self._nudged = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._reachable.set()
        transport = FaultyTransport(httpx.AsyncHTTPTransport(retries=0), self._fate)
        self._http = httpx.AsyncClient(transport=transport, base_url=base_url, timeout=_TIMEOUT_S)
        self._clock = PhoneClock(server, day, rng)
        self.stands_at: Place | None = None  # None while driving, which brings its own fixes
        self.device = Device(database, self._http, self._clock, rng)

    @property
    def signal(self) -> bool:
        return self._reachable.is_set()

    def _move(self, *, into_coverage: bool) -> None:
        (self._reachable.set if into_coverage else self._reachable.clear)()
        (self._lost.clear if into_coverage else self._lost.set)()

    async def close(self) -> None:
        self.device.close()
        await self._http.aclose()

    def _fate(self, request: httpx.Request) -> Fate:
        path = request.url.path
        if not self.signal:
            return Fate.NO_SIGNAL
        if path.endswith(("/sync/devices", "/sync/events")):
            return Fate.PASS  # a one-time code whose reply is lost is spent; a stream of events has no end to lose
        if path.endswith("/sync/pull") and self._rng.random() < _PULL_CUT:
            return Fate.CUT
        if self._rng.random() < _REPLY_LOST:
            return Fate.LOSE_REPLY
        return Fate.PASS

    def record(
        self, name: str, args: Mapping[str, Any], *files: Attachment, at: Moving | None = None, v: int = 1
    ) -> Recorded:
        return self.device.record(name, args, geo=spot(at) if at else None, files=files, v=v)

    def locate(self, path: list[tuple[float, Moving]]) -> None:
        """Keep fixes for positions so many simulated seconds ago."""
        now = self._clock.now()
        self.device.track.record(gps_fix(moving, now - self._clock.lasting(ago), self._rng) for ago, moving in path)

    async def run(self) -> None:
        """Sync now and then, sooner when the server hints that it is worth it, for ever."""
        while True:
            pause = self._day.sleep(_SYNC_EVERY * self._rng.uniform(0.5, 1.0), _SYNC_AT_LEAST_REAL_S)
            await first_of(pause, self._nudged.wait())
            self._nudged.clear()
            if self.signal:
                await self.try_sync()

    async def locate_standing(self) -> None:
        """A fix now and then wherever it lies still, for ever."""
        while True:
            await self._day.sleep(_FIX_STANDING_EVERY, _SYNC_AT_LEAST_REAL_S)
            if self.stands_at:
                self.locate([(0.0, Moving(self.stands_at, 0.0, 0.0))])

    async def listen(self) -> None:
        """Take hints whenever there is signal, for ever."""
        while True:
            await self._reachable.wait()
            try:
                await first_of(self._take_hints(), self._lost.wait())
            except NoConnection:
                pass
            except DeviceError as wrong:
                self._complain(wrong)
            await self._day.sleep(MINUTE, _SYNC_AT_LEAST_REAL_S)

    async def _take_hints(self) -> None:
        async with contextlib.aclosing(self.device.hints.listen()) as hints:
            async for _ in hints:
                self._nudged.set()

    async def try_sync(self) -> bool:
        try:
            await self.device.sync()
            await self.device.track.send()
        except NoConnection:
            return False
        except DeviceError as wrong:
            self._complain(wrong)
            return False
        return True

    def _complain(self, wrong: DeviceError) -> None:
        self._tally.problem(f"{self.device.person.name}'s phone: {type(wrong).__name__}: {wrong}")

    async def lose_signal(self, hours: float) -> None:
        """One to three stretches without signal, of 20 minutes to 3 hours each, in a day of so many hours."""
        stretches = self._rng.randint(1, 3)
        for number in range(stretches):
            share = hours * HOUR / stretches
            length = min(self._rng.uniform(20 * MINUTE, 3 * HOUR), 0.6 * share)
            await self._day.until(number * share + self._rng.uniform(0, share - length))
            self._move(into_coverage=False)
            await self._day.sleep(length)
            self._move(into_coverage=True)

    async def settle(self) -> bool:
        """With signal for good: send until nothing waits. False when the server does not let us."""
        self._move(into_coverage=True)
        for _ in range(20):
            with contextlib.suppress(NoConnection):
                await self.device.settle()
                return True
        return False
