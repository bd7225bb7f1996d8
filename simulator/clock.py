"""Three kinds of time: the server's, which may run faster than ours; the day's, which is played faster; each phone's.

The simulator never takes the server's clock for real time. It measures how fast it runs and stamps what devices
record by it, so that a day played against a scaled server looks like a day, and one played against a server on
real time is merely crowded.
"""

import asyncio
import time
from datetime import datetime, timedelta
from random import Random
from typing import Protocol

import httpx

_STEADY = 0.2  # a rate this close to 1 is a server on real time, measured over a shaky line


class ServerClock:
    """Estimates the server's business time from its answers to `hello`."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._first: tuple[float, datetime] | None = None
        self._latest: tuple[float, datetime] | None = None

    async def measure(self, pause_s: float = 0.5) -> None:
        await self.look()
        await asyncio.sleep(pause_s)
        await self.look()

    async def look(self) -> None:
        """Compare once more. The longer ago the first look was, the better the rate is known."""
        before = time.monotonic()
        response = await self._http.get("/mobile/v1/sync/hello")
        response.raise_for_status()
        middle = (before + time.monotonic()) / 2
        self._latest = (middle, datetime.fromisoformat(response.json()["server_time"]))
        self._first = self._first or self._latest

    @property
    def rate(self) -> float:
        """Server seconds per real second."""
        if self._first is None or self._latest is None or self._latest[0] == self._first[0]:
            return 1.0
        rate = (self._latest[1] - self._first[1]).total_seconds() / (self._latest[0] - self._first[0])
        return 1.0 if abs(rate - 1) < _STEADY else rate

    def now(self) -> datetime:
        if self._latest is None:
            raise RuntimeError("measure the server's clock first")
        return self._latest[1] + timedelta(seconds=(time.monotonic() - self._latest[0]) * self.rate)


class Day(Protocol):
    """Simulated seconds since the day began, and waiting for later ones."""

    def elapsed(self) -> float: ...

    async def sleep(self, seconds: float, at_least_real_s: float = 0.0) -> None: ...


class DayClock:
    """Simulated seconds since the day began; `speed` of them pass in each real second."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self.begin()

    def begin(self) -> None:
        self._start = time.monotonic()

    def elapsed(self) -> float:
        return (time.monotonic() - self._start) * self.speed

    async def sleep(self, seconds: float, at_least_real_s: float = 0.0) -> None:
        await asyncio.sleep(max(seconds / self.speed, at_least_real_s))

    async def until(self, elapsed: float) -> None:
        await self.sleep(max(0.0, elapsed - self.elapsed()))


class PhoneClock:
    """The server's time as a phone has it: some seconds off. Satisfies `simulator.device.Clock`."""

    def __init__(self, server: ServerClock, day: DayClock, rng: Random) -> None:
        self._server, self._day, self._started = server, day, time.monotonic()
        self._skew = timedelta(seconds=rng.gauss(0, 2))
        self._rate = server.rate  # as it was known at boot: a monotonic clock takes no corrections
        self._boot = f"{rng.getrandbits(32):08x}"

    @property
    def boot(self) -> str:
        return self._boot

    def now(self) -> datetime:
        return self._server.now() + self._skew

    def mono(self) -> float:
        return (time.monotonic() - self._started) * 1000 * self._rate

    def lasting(self, simulated_seconds: float) -> timedelta:
        """How long that many simulated seconds last on this clock."""
        return timedelta(seconds=simulated_seconds / self._day.speed * self._rate)
