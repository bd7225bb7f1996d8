"""The dispatcher's desk: what every style of dispatching sees and does there. How it decides is a style's own."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol

import httpx

from simulator.clock import Day
from simulator.office import Office, Parameter, Refused
from simulator.phone import MINUTE
from simulator.tally import Tally

_LOOK_EVERY = 2 * MINUTE
_LOOK_AT_LEAST_REAL_S = 0.7
_TO_DO = ["new", "reopened", "triaged"]
PRIORITIES = ("urgent", "high", "normal")

type Json = dict[str, Any]


class Desk:
    """Sends only people in `crew`: the others have no phone in this simulation."""

    def __init__(
        self, office: Office, crew: frozenset[str], day: Day, now: Callable[[], datetime], tally: Tally
    ) -> None:
        self.office, self.crew, self.day, self.now, self.tally = office, crew, day, now, tally

    async def waiting(self) -> list[Json]:
        """The orders nobody has, as they came."""
        return sorted(await self.orders(state=_TO_DO), key=lambda order: order["number"])

    async def orders(self, **wanted: Parameter) -> list[Json]:
        return await self.office.all("/work-orders", **wanted)

    async def candidates(self, order: Json) -> list[Json]:
        """Who of the crew may take it, the best first; an order nobody has looked at is triaged on the way."""
        path = f"/work-orders/{order['id']}"
        if order["state"] in {"new", "reopened"}:
            await self.office.post(f"{path}/actions", {"action": "triage"})
            order["state"] = "triaged"
        answer = await self.office.get(f"{path}/candidates")
        return [one for one in answer["items"] if one["engineer_id"] in self.crew]

    async def send(self, order: Json, engineer: str, **times: str) -> None:
        await self.office.post(f"/work-orders/{order['id']}/assign", {"engineer_id": engineer, **times})
        self.tally.assigned += 1

    async def trying(self, act: Awaitable[Any]) -> bool:
        """Whether it was done. That somebody in the field was quicker is no problem."""
        try:
            await act
        except Refused as refused:
            if refused.status != httpx.codes.CONFLICT:
                self.tally.problem(f"the dispatcher was refused: {refused}")
        except httpx.TransportError as broken:
            self.tally.problem(f"the dispatcher lost the server: {broken!r}")
        else:
            return True
        return False


class Style(Protocol):
    """How a dispatcher decides who goes."""

    async def look(self) -> None:
        """See to what has changed since the last look."""
        ...

    def leave(self) -> None:
        """End whatever still goes on."""
        ...


class Dispatcher:
    def __init__(self, desk: Desk, style: Style) -> None:
        self._desk, self._style = desk, style

    async def run(self) -> None:
        """Look at the list now and then, for ever."""
        try:
            while True:
                await self._desk.trying(self._style.look())
                await self._desk.day.sleep(_LOOK_EVERY, _LOOK_AT_LEAST_REAL_S)
        finally:
            self._style.leave()


def pressing(order: Json) -> tuple[int, str, int]:
    """By priority, then by when it was promised to whoever waits."""
    due = min(order["respond_by"], order["window_end"] or order["respond_by"])
    return PRIORITIES.index(order["priority"]), due, order["number"]
