"""Dispatching by plan: the day is planned before it begins and again while it goes on; what is urgent goes at once."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from simulator.dispatcher import Desk, Json, pressing
from simulator.phone import MINUTE

_PLAN_WITHIN_S = 300.0  # real ones
_ASK_EVERY_S = 0.25
_TAKES = {"move:proposed", "unassign:proposed"}
_SETTLED = {"ready", "done", "failed", "cancelled"}


@dataclass(frozen=True)
class Rhythm:
    """Simulated seconds between plans; sooner, but not sooner than `soonest`, when so many orders have come."""

    every: float = 45 * MINUTE
    soonest: float = 10 * MINUTE
    many: int = 5


class Planned:
    """`until`: the end of what is planned. `seed`: the same picture and seed give the same plan."""

    def __init__(self, desk: Desk, until: datetime, seed: int, rhythm: Rhythm) -> None:
        self._desk, self._until, self._seed, self._rhythm = desk, until, seed, rhythm
        self._planned_at: float | None = None
        self._seen: set[str] = set()  # orders that were in a plan, made or left out

    async def look(self) -> None:
        if self._desk.now() >= self._until:
            return
        waiting = await self._desk.waiting()
        if self._planned_at is None:
            await self._plan(waiting)
            return
        sent = 0
        for order in sorted(waiting, key=pressing):
            if order["priority"] == "urgent" and order["id"] not in self._seen:
                sent += await self._send_at_once(order)
        new = [order for order in waiting if order["id"] not in self._seen]
        if self._is_due(len(new), sent):
            await self._plan(waiting)

    def leave(self) -> None:
        """Nothing goes on."""

    def _is_due(self, new: int, sent: int) -> bool:
        """Who was sent somewhere at once has a day that needs another look."""
        since = self._desk.day.elapsed() - (self._planned_at or 0.0)
        many = new >= self._rhythm.many and since >= self._rhythm.soonest
        return sent > 0 or many or since >= self._rhythm.every

    async def _send_at_once(self, order: Json) -> bool:
        """To the best place in the tours that run, if it can to one that keeps the promise; whether there was one."""
        self._seen.add(order["id"])
        offers = (await self._desk.office.post(f"/work-orders/{order['id']}/offers", {}))["items"]
        ours = [it for it in offers if it["engineer_id"] in self._desk.crew]
        if not ours:
            return False
        best = min(ours, key=lambda it: (it["late_seconds"] > 0, it["cost"]))
        times = {"planned_start": best["begins_at"], "planned_end": best["ends_at"]}
        return await self._desk.trying(self._desk.send(order, best["engineer_id"], **times))

    async def _plan(self, waiting: Sequence[Json]) -> None:
        self._planned_at = self._desk.day.elapsed()
        self._seen |= {order["id"] for order in waiting}
        asked = {
            "begins": self._desk.now().isoformat(),
            "until": self._until.isoformat(),
            "engineers": sorted(self._desk.crew),
            "seed": self._seed,
        }
        plan = await self._settled((await self._desk.office.post("/plans", asked))["id"])
        if plan["state"] == "ready":
            await self._foretell(plan)
            await self._desk.office.post(f"/plans/{plan['id']}/accept", {})
            plan = await self._settled(plan["id"])
            self._desk.tally.assigned += plan["lines"].get("assign:applied", 0)
        if plan["state"] == "failed" and plan["why"] not in {"nothing_to_plan", "nobody_on_shift"}:
            self._desk.tally.problem(f"a plan failed: {plan['why']}")
        self._desk.tally.plans.append(plan)

    async def _foretell(self, plan: Json) -> None:
        """Whoever loses a visit may be on the way already, without signal to hear of it."""
        if plan["lines"].keys() & _TAKES:
            lines = (await self._desk.office.get(f"/plans/{plan['id']}/lines"))["items"]
            taken = {line["work_order_id"] for line in lines if f"{line['change']}:{line['state']}" in _TAKES}
            self._desk.tally.disturbed |= taken

    async def _settled(self, plan_id: str) -> Json:
        """Wait, in real time, until it is ready to be decided on or over."""
        until = time.monotonic() + _PLAN_WITHIN_S
        while True:
            plan: Json = await self._desk.office.get(f"/plans/{plan_id}")
            if plan["state"] in _SETTLED:
                return plan
            if time.monotonic() > until:
                self._desk.tally.problem(f"a plan was still {plan['state']} after {_PLAN_WITHIN_S:.0f} s")
                return plan
            await asyncio.sleep(_ASK_EVERY_S)
