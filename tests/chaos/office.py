"""The office while everything breaks: each act keeps its Idempotency-Key until it is answered, however long."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

import httpx

from simulator.cast import Player
from simulator.job import Job
from simulator.office import Office, Refused
from simulator.world import World

_MOST_JOBS = 3  # that somebody has before them, or on the way to their phone
_BEFORE_THEM = {"dispatched", "accepted", "travelling", "on_site", "working", "on_hold"}
_CHANGES_MIND = 0.06
_BUSY_S = (0.1, 0.6)

type Json = dict[str, Any]


@dataclass(frozen=True)
class Answered:
    """What the office was told about one of its acts."""

    key: str
    path: str
    body: Json
    answer: Json


class Desk:
    """A signed-in person who asks again until there is an answer, and remembers what it was."""

    def __init__(self, office: Office, rng: Random, problems: list[str]) -> None:
        self._office, self._rng, self._problems = office, rng, problems
        self.answered: list[Answered] = []
        self._under_way: tuple[str, Json, str] | None = None  # path, body, key

    async def act(self, path: str, body: Json) -> Json | None:
        """The answer; None when the act was refused because things stand otherwise by now."""
        self._under_way = path, body, str(UUID(int=self._rng.getrandbits(128), version=4))
        return await self.finish()

    async def finish(self) -> Json | None:
        """Go on asking for what was asked last, if it was never answered: it may have been done."""
        while self._under_way:
            path, body, key = self._under_way
            try:
                answer = await self._post(path, body, key)
            except Refused as refused:
                if refused.status == httpx.codes.SERVICE_UNAVAILABLE:
                    await asyncio.sleep(0.2)
                    continue
                if refused.status != httpx.codes.CONFLICT:
                    self._problems.append(f"the office was refused: {refused}")
            except httpx.TransportError:
                await asyncio.sleep(0.2)
                continue
            else:
                self.answered.append(Answered(key, path, body, answer))
                self._under_way = None
                return answer
            self._under_way = None
        return None

    async def again(self, one: Answered) -> Json:
        """The answer to the very same request, asked once more."""
        return await self._post(one.path, one.body, one.key)

    async def _post(self, path: str, body: Json, key: str) -> Json:
        response = await self._office._ask("POST", path, json=body, headers={"Idempotency-Key": key})
        answer: Json = response.json()
        return answer


@dataclass
class Dispatch:
    """Keeps every engineer in work, and now and then calls an order off or gives it to somebody else."""

    desk: Desk
    world: World
    players: Sequence[Player]
    rng: Random
    disturbed: set[str]
    sent: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # orders by person

    async def run(self) -> None:
        """For ever."""
        while True:
            for player in self.players:
                if self._jobs(player) < _MOST_JOBS:
                    await self._send(player.staff.person)
            await asyncio.sleep(self.rng.uniform(*_BUSY_S))

    def _jobs(self, player: Player) -> int:
        device = player.phone.device
        before_them = {job.id for job in Job.all_of(device) if job.state in _BEFORE_THEM}
        on_the_way = self.sent[player.staff.person]
        on_the_way -= device.view.rows("work_order").keys()
        return len(before_them) + len(on_the_way)

    async def _send(self, engineer: str) -> None:
        order = await self.open()
        if order is None:
            return
        self.sent[engineer].add(order)
        assigned = await self.desk.act(f"/work-orders/{order}/assign", {"engineer_id": engineer})
        if assigned is None or self.rng.random() < _CHANGES_MIND:
            self.sent[engineer].discard(order)
            await self._change(order)

    async def open(self) -> str | None:
        """The id of a new order, ready to be given to somebody."""
        opened = await self.desk.act("/work-orders", self._fault())
        if opened is None:
            return None
        await self.desk.act(f"/work-orders/{opened['id']}/actions", {"action": "triage"})
        return str(opened["id"])

    async def _change(self, order: str) -> None:
        self.disturbed.add(order)
        await asyncio.sleep(self.rng.uniform(0, 2))
        if self.rng.random() < 0.5:
            await self.desk.act(f"/work-orders/{order}/actions", {"action": "cancel", "reason": "Called off"})
        else:
            other = self.rng.choice(self.players).staff.person
            await self.desk.act(f"/work-orders/{order}/assign", {"engineer_id": other})

    def _fault(self) -> Json:
        site = self.rng.choice([site for site in self.world.sites if site.faults])
        fault = self.rng.choice(site.faults)
        return {
            "site_id": site.id,
            "asset_id": fault.asset,
            "title": fault.title,
            "problem_type": fault.problem_type,
            "description": fault.description,
            "priority": self.rng.choice(("urgent", "high", "normal")),
            "duration_minutes": fault.minutes,
            "procedure_key": fault.procedure,
        }


@dataclass
class Warehouse:
    """Buys, loads vans, takes back, and corrects mistakes by reversing them."""

    desk: Desk
    places: Mapping[str, str]  # location ids: supplier, warehouse
    world: World
    rng: Random
    movements: dict[str, Json] = field(default_factory=dict)

    @staticmethod
    async def at(desk: Desk, office: Office, world: World, rng: Random) -> "Warehouse":
        locations = await office.all("/stock-locations")
        places = {place["kind"]: place["id"] for place in locations if place["kind"] in {"supplier", "warehouse"}}
        return Warehouse(desk, places, world, rng)

    async def run(self) -> None:
        """For ever."""
        acts: tuple[Callable[[], Awaitable[None]], ...] = (self._buy, self._buy, self._load, self._load, self._reverse)
        while True:
            await self.rng.choice(acts)()
            await asyncio.sleep(self.rng.uniform(*_BUSY_S))

    async def _buy(self) -> None:
        await self._move("supplier", self.places["warehouse"], "goods_in", self.rng.randint(5, 20))

    async def _load(self) -> None:
        await self._move("warehouse", self.rng.choice(self.world.staff).van, "transfer", self.rng.randint(1, 4))

    async def _reverse(self) -> None:
        if self.movements:
            movement = self.rng.choice(list(self.movements))
            del self.movements[movement]  # once is enough
            await self.desk.act(f"/stock-movements/{movement}/reversal", {"why": "Counted twice"})

    async def _move(self, source: str, target: str, reason: str, quantity: int) -> None:
        part = self.rng.choice(sorted(self.world.staff[0].stock))
        movement = {"part_id": part, "from_id": self.places[source], "to_id": target, "quantity": quantity}
        made = await self.desk.act("/stock-movements", {**movement, "reason": reason})
        if made is not None and reason == "transfer":
            self.movements[made["id"]] = made
