"""Dispatching by suggestion: every order at once to whom the system proposes, now and then against its advice."""

import asyncio
from dataclasses import dataclass
from random import Random

from simulator.dispatcher import Desk, Json, pressing
from simulator.phone import MINUTE

_CANCELS = 0.3  # of the second thoughts; the others send somebody else
_STILL_OURS = {"scheduled", "dispatched", "accepted", "travelling"}  # nobody has begun to work


@dataclass(frozen=True)
class Habits:
    """How often somebody else than the first proposed is sent, and how often minds are changed afterwards."""

    overrides: float = 0.12
    second_thoughts: float = 0.05


class Suggested:
    def __init__(self, desk: Desk, rng: Random, habits: Habits) -> None:
        self._desk, self._rng, self._habits = desk, rng, habits
        self._thinking: set[asyncio.Task[None]] = set()

    async def look(self) -> None:
        for order in sorted(await self._desk.waiting(), key=pressing):
            await self._desk.trying(self._send_somebody(order))

    def leave(self) -> None:
        for task in self._thinking:
            task.cancel()

    async def _send_somebody(self, order: Json) -> None:
        engineer = await self._choose(order, without=None)
        if engineer is None:
            return  # nobody can go at the moment; it stays on the list
        await self._desk.send(order, engineer)
        if self._rng.random() < self._habits.second_thoughts:
            task = asyncio.create_task(self._think_again(order, engineer))
            self._thinking.add(task)
            task.add_done_callback(self._thinking.discard)

    async def _choose(self, order: Json, without: str | None) -> str | None:
        """Mostly the first of the proposed; sometimes the second, against the system's advice."""
        proposed = [one["engineer_id"] for one in await self._desk.candidates(order)]
        ours = [one for one in proposed if one != without]
        if len(ours) > 1 and self._rng.random() < self._habits.overrides:
            self._desk.tally.overridden += 1
            return str(ours[1])
        return ours[0] if ours else None

    async def _think_again(self, order: Json, engineer: str) -> None:
        await self._desk.day.sleep(self._rng.uniform(5, 60) * MINUTE)
        await self._desk.trying(self._change(order, engineer))

    async def _change(self, order: Json, engineer: str) -> None:
        """Cancel the order or send somebody else, whether or not the first one has signal to hear of it."""
        path = f"/work-orders/{order['id']}"
        if (await self._desk.office.get(path))["state"] not in _STILL_OURS:
            return
        self._desk.tally.disturbed.add(order["id"])
        if self._rng.random() < _CANCELS:
            await self._desk.office.post(f"{path}/actions", {"action": "cancel", "reason": "Customer called it off"})
        elif other := await self._choose(order, without=engineer):
            await self._desk.send(order, other)
