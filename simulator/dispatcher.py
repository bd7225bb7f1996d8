"""The dispatcher: sees what is new, asks who could go, sends somebody, and now and then changes their mind."""

import asyncio
from random import Random
from typing import Any

import httpx

from simulator.clock import DayClock
from simulator.office import Office, Refused
from simulator.phone import MINUTE
from simulator.tally import Tally

_LOOK_EVERY = 2 * MINUTE
_LOOK_AT_LEAST_REAL_S = 0.7
_OVERRIDES = 0.12
_SECOND_THOUGHTS = 0.05
_CANCELS = 0.3  # of the second thoughts; the others send somebody else
_TO_DO = ["new", "reopened", "triaged"]
_PRIORITIES = ("urgent", "high", "normal")
_STILL_OURS = {"scheduled", "dispatched", "accepted", "travelling"}  # nobody has begun to work

type Json = dict[str, Any]


class Dispatcher:
    """Sends only people in `crew`: the others have no phone in this simulation."""

    def __init__(self, office: Office, crew: frozenset[str], day: DayClock, rng: Random, tally: Tally) -> None:
        self._office, self._crew, self._day, self._rng, self._tally = office, crew, day, rng, tally
        self._thinking: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Look at the list now and then, for ever."""
        try:
            while True:
                await self._look()
                await self._day.sleep(_LOOK_EVERY, _LOOK_AT_LEAST_REAL_S)
        finally:
            for task in self._thinking:
                task.cancel()

    async def _look(self) -> None:
        try:
            waiting = await self._office.all("/work-orders", state=_TO_DO)
        except (Refused, httpx.TransportError) as wrong:
            self._tally.problem(f"the dispatcher could not see the orders: {wrong}")
            return
        for order in sorted(waiting, key=lambda order: (_PRIORITIES.index(order["priority"]), order["number"])):
            await self._try(self._send_somebody(order))

    async def _try(self, act: Any) -> None:
        try:
            await act
        except Refused as refused:
            if refused.status != httpx.codes.CONFLICT:  # somebody in the field was quicker
                self._tally.problem(f"the dispatcher was refused: {refused}")
        except httpx.TransportError as broken:
            self._tally.problem(f"the dispatcher lost the server: {broken!r}")

    async def _send_somebody(self, order: Json) -> None:
        path = f"/work-orders/{order['id']}"
        if order["state"] != "triaged":
            await self._office.post(f"{path}/actions", {"action": "triage"})
        engineer = await self._choose(order["id"], without=None)
        if engineer is None:
            return  # nobody can go at the moment; it stays on the list
        await self._office.post(f"{path}/assign", {"engineer_id": engineer})
        self._tally.assigned += 1
        if self._rng.random() < _SECOND_THOUGHTS:
            task = asyncio.create_task(self._think_again(order["id"], engineer))
            self._thinking.add(task)
            task.add_done_callback(self._thinking.discard)

    async def _choose(self, order: str, without: str | None) -> str | None:
        """Mostly the first of the proposed; sometimes the second, against the system's advice."""
        answer = await self._office.get(f"/work-orders/{order}/candidates")
        ours = [one["engineer_id"] for one in answer["items"] if one["engineer_id"] in self._crew - {without}]
        if len(ours) > 1 and self._rng.random() < _OVERRIDES:
            self._tally.overridden += 1
            return str(ours[1])
        return ours[0] if ours else None

    async def _think_again(self, order: str, engineer: str) -> None:
        await self._day.sleep(self._rng.uniform(5, 60) * MINUTE)
        await self._try(self._change(order, engineer))

    async def _change(self, order: str, engineer: str) -> None:
        """Cancel the order or send somebody else, whether or not the first one has signal to hear of it."""
        path = f"/work-orders/{order}"
        if (await self._office.get(path))["state"] not in _STILL_OURS:
            return
        self._tally.disturbed.add(order)
        if self._rng.random() < _CANCELS:
            await self._office.post(f"{path}/actions", {"action": "cancel", "reason": "Customer called it off"})
        elif other := await self._choose(order, without=engineer):
            await self._office.post(f"{path}/assign", {"engineer_id": other})
