"""Dispatcher and warehouse at their browsers, through the web API, while the phones are somewhere without signal."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import httpx

from tests.factories.identity import token_for
from tests.soak.line import Network
from tests.soak.world import World

_TOKEN_LASTS = timedelta(minutes=5)
_JOBS_EACH = 6
_MOST_SITES = 40

# A replay would apply what the log says was refused: that is looked at by tests of its own.
_WORDS_ON = {"conflict": ("accept_mine", "accept_theirs", "annotate"), "quarantine": ("discard", "annotate")}

type Json = dict[str, Any]


@dataclass
class Order:
    id: str
    number: int
    sent_to: str | None = None
    ever: set[str] = field(default_factory=set)


class Office:
    def __init__(self, world: World, network: Network, rng: Random) -> None:
        self._world, self._network, self._rng = world, network, rng
        self._tokens: dict[str, tuple[str, datetime]] = {}
        self._movements: list[str] = []
        self.orders: dict[str, Order] = {}  # by id, those still going on
        self.ever_sent: dict[int, set[str]] = {}  # number in the order's text → people it was ever sent to
        self.voided: set[str] = set()
        self.notes = 0
        self.moves = 0
        self.counts = 0
        self.done: Counter[str] = Counter()
        self._people = [str(engineer.person) for engineer in world.engineers]
        self._acts: list[tuple[float, Callable[[], Awaitable[str]]]] = [
            (40, self.send_somebody),
            (10, self._reassign),
            (6, self._cancel),
            (4, self._note),
            (3, self._unschedule),
            (3, self._reopen),
            (3, self._close),
            (2, self._suspend),
            (2, self._amend),
            (0.5, self._void),
            (6, self._fill_van),
            (2, self._take_back),
            (3, self._count),
            (12, self._decide),
            (2, self._reverse),
            (1, self._new_site),
            (1, self._shift),
            (0.3, self._new_part),
        ]

    async def act(self) -> str:
        weights = [weight for weight, _ in self._acts]
        name = await self._rng.choices(self._acts, weights)[0][1]()
        self.done[name] += 1
        return name

    async def issue_code(self, person: str) -> str:
        answer = await self.ask("administrator", "POST", f"/people/{person}/enrolment-codes", {})
        return str(answer.json()["code"])

    async def ask(self, role: str, method: str, path: str, body: Json | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {await self._token(role)}"}
        request = httpx.Request(method, f"http://soak.test/api/v1{path}", headers=headers, json=body)
        await request.aread()
        return (await self._network.deliver(request)).response()

    async def _token(self, role: str) -> str:
        token, until = self._tokens.get(role, ("", self._world.clock.now()))
        if until <= self._world.clock.now():
            token = await token_for(self._world.services, self._world.company, role)
            self._tokens[role] = token, self._world.clock.now() + _TOKEN_LASTS
        return token

    async def send_somebody(self) -> str:
        """Open an order for whoever has the least to do."""
        load = Counter(order.sent_to for order in self.orders.values())
        person = min(self._people, key=lambda one: load[one])
        if load[person] >= _JOBS_EACH:
            return await self._forget_one()
        number = len(self.ever_sent) + 1
        self.ever_sent[number] = set()
        about: Json = {
            "site_id": self._rng.choice(self._world.sites),
            "title": "Oven stays cold",
            "problem_type": "no_heat",
            "description": f"ORDER-{number}-TEXT",
        }
        if self._rng.random() < 0.5:
            about["procedure_key"] = "oven-service"
        opened = await self.ask("dispatcher", "POST", "/work-orders", about)
        order = Order(opened.json()["id"], number)
        self.orders[order.id] = order
        return await self._send(order, person)

    async def _forget_one(self) -> str:
        """What is closed or cancelled by now makes room."""
        order = self._some_order()
        if order is None:
            return "nothing"
        state = (await self.ask("dispatcher", "GET", f"/work-orders/{order.id}")).json()["state"]
        if state in {"closed", "cancelled"}:
            del self.orders[order.id]
        elif state == "triaged":
            return await self._send(order, self._rng.choice(self._people))
        return "look"

    async def _send(self, order: Order, person: str) -> str:
        # Allowed to see it from the moment we ask, whatever becomes of the answer.
        self.ever_sent[order.number].add(person)
        start = self._world.clock.now() + timedelta(hours=1)
        plan = {"engineer_id": person, "planned_start": start.isoformat()}
        plan["planned_end"] = (start + timedelta(hours=1)).isoformat()
        answer = await self.ask("dispatcher", "POST", f"/work-orders/{order.id}/assign", plan)
        if answer.is_success:
            order.sent_to = person
        return "assign"

    def _some_order(self) -> Order | None:
        return self._rng.choice(list(self.orders.values())) if self.orders else None

    async def _reassign(self) -> str:
        if order := self._some_order():
            await self._send(order, self._rng.choice(self._people))
        return "reassign"

    async def _run(self, action: str, **more: Any) -> str:
        if order := self._some_order():
            body = {"action": action, "reason": "Office decided", **more}
            await self.ask("dispatcher", "POST", f"/work-orders/{order.id}/actions", body)
        return action

    async def _cancel(self) -> str:
        return await self._run("cancel")

    async def _unschedule(self) -> str:
        return await self._run("unschedule")

    async def _reopen(self) -> str:
        return await self._run("reopen")

    async def _close(self) -> str:
        if order := self._some_order():
            body = {"action": "close_by_exception", "reason": "Customer away"}
            await self.ask("service_manager", "POST", f"/work-orders/{order.id}/actions", body)
        return "close_by_exception"

    async def _suspend(self) -> str:
        return await self._run("suspend", hold_reason="customer")

    async def _amend(self) -> str:
        """Change a field or write into the description, as somebody who looked at the order just now."""
        if order := self._some_order():
            path = f"/work-orders/{order.id}"
            seen = await self.ask("dispatcher", "GET", path)
            if seen.is_success:
                priority = self._rng.choice(("urgent", "high", "normal"))
                change = {"priority": priority, "expected_version": seen.json()["version"]}
                await self.ask("dispatcher", "PATCH", path, change)
        return "amend"

    async def _void(self) -> str:
        """Take an order back as if it had never been; phones may be working on it."""
        if order := self._some_order():
            self.voided.add(order.id)
            await self.ask("administrator", "POST", f"/work-orders/{order.id}/void", {"reason": "Entered twice"})
            self.orders.pop(order.id)
        return "void"

    async def _note(self) -> str:
        if order := self._some_order():
            answer = await self.ask("dispatcher", "POST", f"/work-orders/{order.id}/notes", {"body": "From the office"})
            self.notes += answer.is_success
        return "office_note"

    async def _move(self, source: str, target: str, reason: str) -> str:
        body: Json = {"part_id": self._rng.choice(self._world.parts), "from_id": source, "to_id": target}
        body |= {"quantity": self._rng.randint(1, 9), "reason": reason}
        answer = await self.ask("warehouse_clerk", "POST", "/stock-movements", body)
        if answer.is_success:
            self.moves += 1
            self._movements = [*self._movements[-20:], answer.json()["id"]]
        return reason

    def _some_van(self) -> str:
        return self._rng.choice(self._vans())

    def _vans(self) -> list[str]:
        found = self._world.admin.execute(
            "select id from stock_location where org_id = %s and kind = 'van' order by id", [self._world.org]
        ).fetchall()
        return [str(row[0]) for row in found]

    async def _fill_van(self) -> str:
        return await self._move(self._world.warehouse, self._some_van(), "transfer")

    async def _take_back(self) -> str:
        return await self._move(self._some_van(), self._world.warehouse, "transfer")

    async def _reverse(self) -> str:
        if self._movements:
            movement = self._rng.choice(self._movements)
            path = f"/stock-movements/{movement}/reversal"
            self.moves += (await self.ask("warehouse_clerk", "POST", path, {"why": "Wrong shelf"})).is_success
        return "reverse"

    async def _count(self) -> str:
        """Somebody counts a shelf of the warehouse or of a van that stands in the yard."""
        place = self._rng.choice((self._world.warehouse, self._some_van()))
        body: Json = {"location_id": place, "part_id": self._rng.choice(self._world.parts), "quantity": 5}
        self.counts += (await self.ask("warehouse_clerk", "POST", "/stock-counts", body)).is_success
        return "count"

    async def _decide(self) -> str:
        """Look at what waits in the inbox: remark on it, let one side stand, or think again about an earlier word."""
        state = self._rng.choice(("open", "open", "open", "settled"))
        kind = self._rng.choice(("conflict", "quarantine"))
        found = await self.ask("service_manager", "GET", f"/inbox?state={state}&kind={kind}&limit=20")
        items = found.json()["items"] if found.is_success else []
        if not items:
            return "look"
        item = self._rng.choice(items)
        choices = ("undo",) if state == "settled" else _WORDS_ON[kind]
        body = {"choice": self._rng.choice(choices), "note": "Asked them"}
        await self.ask("service_manager", "POST", f"/inbox/{item['id']}/settle", body)
        return "decide"

    async def _new_site(self) -> str:
        """A new customer; the oldest sites get no further orders, so that their histories end."""
        customer = (await self.ask("dispatcher", "POST", "/customers", {"name": "New customer"})).json()
        about = {"name": "Kitchen", "address": "1 Quai Antoine", "place": {"lon": 7.42, "lat": 43.73}}
        site = await self.ask("dispatcher", "POST", f"/customers/{customer['id']}/sites", about)
        self._world.sites.append(site.json()["id"])
        del self._world.sites[:-_MOST_SITES]
        return "new_site"

    async def _shift(self) -> str:
        start = self._world.clock.now() + timedelta(days=self._rng.randint(1, 3))
        shift = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=8)).isoformat()}
        await self.ask("administrator", "POST", f"/people/{self._rng.choice(self._people)}/shifts", shift)
        return "shift"

    async def _new_part(self) -> str:
        number = self.done["new_part"]
        part: Json = {"sku": f"NEW-{number}", "name": {"en": "Part", "zh": "零件"}, "unit": "pc", "price_minor": 5}
        await self.ask("administrator", "POST", "/parts", {**part, "currency": "EUR"})
        return "new_part"
