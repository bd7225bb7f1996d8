"""Kills parts of the running system at random moments and says how long it took until it served again."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from random import Random

from tests.chaos.postgres import OwnPostgres
from tests.chaos.system import System

_PAUSE_S = (0.5, 3.0)


@dataclass(frozen=True)
class Kill:
    kind: str
    after_s: float  # since the last one was over
    back_s: float  # from the blow, or the end of the pause, until /readyz answered


class Killer:
    """The sequence of kinds and pauses is the seed's; what the system was doing at those moments is chance."""

    def __init__(self, system: System, postgres: OwnPostgres, rng: Random, *, back_within_s: float) -> None:
        self.system, self._postgres, self._rng, self._back_within_s = system, postgres, rng, back_within_s
        self._lots = Random(rng.getrandbits(32))  # drawn among sessions, of which there are now more, now fewer
        self._ways: Mapping[str, tuple[int, Callable[[], Awaitable[None]]]] = {
            "api": (35, self._api),
            "worker": (15, self._worker),
            "postgres": (25, self._stop_postgres),
            "backend": (15, self._backend),
            "pause": (10, self._pause),
        }

    def plan(self, kills: int) -> list[str]:
        """Every kind at least once if there is room, the rest by weight, shuffled."""
        kinds, weights = list(self._ways), [weight for weight, _ in self._ways.values()]
        planned = (kinds + self._rng.choices(kinds, weights, k=kills))[:kills]
        self._rng.shuffle(planned)
        return planned

    async def kill(self, kind: str) -> Kill:
        """Raises NotReady when it does not come back in time."""
        wait = self._rng.uniform(0.2, 3.0)
        await asyncio.sleep(wait)
        before = time.monotonic()
        await self._ways[kind][1]()
        paused = self._paused_s if kind == "pause" else 0.0
        await asyncio.to_thread(self.system.until_ready, self._back_within_s)
        return Kill(kind, wait, time.monotonic() - before - paused)

    async def _api(self) -> None:
        await asyncio.to_thread(self.system.api.kill)
        self.system.api.start()

    async def _worker(self) -> None:
        await asyncio.to_thread(self.system.worker.kill)
        self.system.worker.start()

    async def _stop_postgres(self) -> None:
        await asyncio.to_thread(self._postgres.stop_immediately)
        await asyncio.to_thread(self._postgres.start)

    async def _backend(self) -> None:
        await asyncio.to_thread(self._postgres.kill_a_backend, self._lots, self.system.database)

    async def _pause(self) -> None:
        """The API stands still, its connections open: a stuck disk, a host that swaps."""
        self._paused_s = self._rng.uniform(*_PAUSE_S)
        self.system.api.send(signal.SIGSTOP)
        try:
            await asyncio.sleep(self._paused_s)
        finally:
            self.system.api.send(signal.SIGCONT)
