"""Dispatching without a plan: every order, the most pressing first, goes to the nearest engineer who is free.

While nobody able is free it waits for whoever is free soonest. An order with a window is not sent long before it.
"""

from datetime import datetime, timedelta

from simulator.dispatcher import Desk, Json, pressing

_HELD = ["scheduled", "dispatched", "accepted", "travelling", "on_site", "working", "on_hold"]
_BEFORE_WINDOW = timedelta(minutes=40)  # about a drive and somewhat more


class Nearest:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._able: dict[str, frozenset[str]] = {}  # by order, as it was seen first: skills do not change in a day

    async def look(self) -> None:
        busy = {order["engineer_id"] for order in await self._desk.orders(state=_HELD)}
        free = set(self._desk.crew) - busy
        for order in sorted(await self._desk.waiting(), key=pressing):
            if free and self._is_time(order) and free & self._able.get(order["id"], frozenset(free)):
                await self._desk.trying(self._send_nearest(order, free))

    def leave(self) -> None:
        """Nothing goes on."""

    def _is_time(self, order: Json) -> bool:
        opens = order["window_start"]
        return opens is None or datetime.fromisoformat(opens) <= self._desk.now() + _BEFORE_WINDOW

    async def _send_nearest(self, order: Json, free: set[str]) -> None:
        found = await self._desk.candidates(order)
        self._able.setdefault(order["id"], frozenset(one["engineer_id"] for one in found))
        near = [(one["distance_m"], one["engineer_id"]) for one in found if one["engineer_id"] in free]
        if near:
            _, engineer = min(near)
            await self._desk.send(order, engineer)
            free.discard(engineer)
