"""A day without waiting: time jumps to the next thing that happens, and stands still while it happens.

What a day comes to depends neither on how busy the machine is nor on how actors happen to be interleaved: exactly one
acts at a time, in the order of when they want to. The server must go by the same clock; `told` carries it there.
"""

import asyncio
import heapq
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any


class SteppedClock:
    """Satisfies `simulator.clock.Day`. Actors may wait for answers and for this clock, for nothing else."""

    def __init__(self, start: datetime, told: Callable[[datetime], None]) -> None:
        self._start, self._told = start, told
        self._elapsed = 0.0
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._asked = 0
        self._quiet = asyncio.Event()
        told(start)

    def elapsed(self) -> float:
        return self._elapsed

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def at(self, elapsed: float) -> datetime:
        return self._start + timedelta(seconds=elapsed)

    async def sleep(self, seconds: float, at_least_real_s: float = 0.0) -> None:
        """Time is not real here, so nothing takes at least some of it."""
        del at_least_real_s
        await self.until(self._elapsed + seconds)

    async def until(self, elapsed: float) -> None:
        """Wait until then, or at least until everybody who acts now has acted."""
        woken = asyncio.get_running_loop().create_future()
        self._asked += 1
        heapq.heappush(self._waiting, (max(self._elapsed, elapsed), self._asked, woken))
        self._quiet.set()
        await woken

    async def play(self, acts: Sequence[Coroutine[Any, Any, None]], until: float) -> None:
        """Play the acts until all have ended or it is so late. Raises what one of them raised."""
        tasks = [asyncio.create_task(self._act(act)) for act in acts]
        try:
            await asyncio.sleep(0)  # each takes its place in the queue
            while self._waiting and self._waiting[0][0] <= until:
                moment, _, woken = heapq.heappop(self._waiting)
                self._elapsed = moment
                self._told(self.now())
                self._quiet.clear()
                woken.set_result(None)
                await self._quiet.wait()
                for task in tasks:
                    if task.done():
                        task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _act(self, act: Coroutine[Any, Any, None]) -> None:
        try:
            await self.sleep(0)
            await act
        finally:
            act.close()
            self._quiet.set()
