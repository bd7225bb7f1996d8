"""The verdict: is everything that was recorded on every device on the server, exactly once?

Both sides are asked independently: the phones' own logs on one hand, the office's view of orders, files and stock on
the other.
"""

import asyncio
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from simulator.cast import Player
from simulator.device import Recorded
from simulator.office import Office, Refused
from simulator.tally import Tally
from simulator.world import van_stock

_AT_ONCE = 4
_DONE = {"applied", "merged", "conflict"}  # of these, evidence is kept
_CONTROL = "wo.transition"
_FOLLOW_UP = "wo.follow_up"
_PARTS = {"part.use": -1, "part.return": 1}
_COMPARED = ("number", "title", "state", "priority")
_PARTS_OF_ORDER = {"note": "notes", "photo": "photos", "time_entry": "time_entries", "cost": "costs", "visit": "visits"}
_MANY = 50

type Json = dict[str, Any]


@dataclass
class Verdict:
    engineers: int
    seed: int
    orders: int
    mutations: int = 0
    photos: int = 0
    signatures: int = 0
    closed: int = 0
    conflicts: int = 0
    quarantined: int = 0
    lost: int = 0
    doubled: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not (self.lost or self.doubled or self.problems)

    def as_json(self) -> str:
        """One line; what went wrong is told in sentences elsewhere."""
        names = ("orders", "mutations", "photos", "signatures", "lost", "doubled", "conflicts", "quarantined", "closed")
        figures = {name: getattr(self, name) for name in names}
        figures |= {"problems": len(self.problems), "engineers": self.engineers}
        return json.dumps(figures | {"seed": self.seed, "seconds": self.seconds})

    def lose(self, sentence: str) -> None:
        self.lost += 1
        self._mention(sentence)

    def double(self, sentence: str) -> None:
        self.doubled += 1
        self._mention(sentence)

    def _mention(self, sentence: str) -> None:
        if len(self.problems) < _MANY:
            self.problems.append(sentence)


async def judge(verdict: Verdict, office: Office, players: Sequence[Player], tally: Tally) -> None:
    """Fill in the verdict. All phones have synced to quiescence before."""
    recorded = [mutation for player in players for mutation in player.phone.device.outbox.everything()]
    verdict.mutations = len(recorded)
    verdict.photos = sum(mutation.name == "photo.add" for mutation in recorded)
    verdict.signatures = sum(mutation.name == "signature.capture" for mutation in recorded)
    _judge_results(verdict, recorded, tally)
    orders = await _orders(office, recorded)
    verdict.closed = sum(order.detail.get("state") == "closed" for order in orders.values())
    for mutation in recorded:
        _judge_effect(verdict, mutation, orders)
    await _judge_files(verdict, office, recorded)
    for player in players:
        await _judge_van(verdict, office, player)
        _judge_projections(verdict, player, orders)


def _judge_results(verdict: Verdict, recorded: Sequence[Recorded], tally: Tally) -> None:
    """Every mutation has an answer; those that did not simply apply need a reason."""
    for mutation in recorded:
        undisturbed = mutation.args["wo"] not in tally.disturbed
        match _outcome(mutation):
            case None:
                verdict.lose(f"{_named(mutation)} was never answered")
            case "conflict":
                verdict.conflicts += 1
                if undisturbed:
                    verdict.problems.append(f"{_named(mutation)} is in conflict: {mutation.result}")
            case "quarantined":
                verdict.quarantined += 1
                if undisturbed:
                    verdict.problems.append(f"{_named(mutation)} is quarantined: {mutation.result}")
            case _:
                pass


@dataclass(frozen=True)
class _Order:
    """What the office sees of one order. `ids` counts how often each id is shown anywhere in it."""

    detail: Json
    ids: Counter[str]


async def _orders(office: Office, recorded: Sequence[Recorded]) -> dict[str, _Order]:
    """Every order that something was recorded on, follow-ups included, by id."""
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def one(order: str) -> _Order:
        async with at_once:
            return await _order(office, order)

    wanted = {mutation.args["wo"] for mutation in recorded}
    wanted |= {mutation.args["id"] for mutation in recorded if mutation.name == _FOLLOW_UP}
    return dict(zip(wanted, await asyncio.gather(*map(one, wanted)), strict=True))


async def _order(office: Office, order: str) -> _Order:
    try:
        detail = await office.get(f"/work-orders/{order}")
    except Refused as refused:
        if refused.status != httpx.codes.NOT_FOUND:
            raise
        return _Order({}, Counter())
    timeline = (await office.get(f"/work-orders/{order}/timeline"))["items"]
    movements = await office.all("/stock-movements", work_order_id=order)
    acts = [entry["facts"].get("mutation_id") for entry in timeline if entry["from_state"] != entry["to_state"]]
    ids = Counter([*_ids_in(detail), *(movement["id"] for movement in movements)])
    ids.update(f"act:{act}" for act in acts if act)
    return _Order(detail, ids)


def _ids_in(value: Any) -> list[str]:
    """Every value of a key `id`, however deep."""
    if isinstance(value, list):
        return [found for item in value for found in _ids_in(item)]
    if isinstance(value, dict):
        own = [value["id"]] if isinstance(value.get("id"), str) else []
        return own + [found for item in value.values() for found in _ids_in(item)]
    return []


def _judge_effect(verdict: Verdict, mutation: Recorded, orders: dict[str, _Order]) -> None:
    """Count how often its effect can be seen; once is right."""
    outcome = _outcome(mutation)
    if outcome not in _DONE:
        return
    if mutation.name == _CONTROL:
        seen = orders[mutation.args["wo"]].ids[f"act:{mutation.id}"]
        expected = 1 if outcome == "applied" else min(seen, 1)
    else:
        home = mutation.args["id"] if mutation.name == _FOLLOW_UP else mutation.args["wo"]
        seen, expected = orders[home].ids[mutation.args["id"]], 1
    if seen < expected:
        verdict.lose(f"{_named(mutation)} was {mutation.status} but can't be found on the server")
    elif seen > expected:
        verdict.double(f"{_named(mutation)} is on the server {seen} times")


async def _judge_files(verdict: Verdict, office: Office, recorded: Sequence[Recorded]) -> None:
    """Download every photo and compare it byte by byte, through its hash."""
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def one(photo: Recorded) -> None:
        async with at_once:
            try:
                content = await office.content(f"/photos/{photo.args['id']}/content")
            except Refused as refused:
                verdict.lose(f"the file of {_named(photo)} can't be had: {refused}")
                return
        if hashlib.sha256(content).hexdigest() != photo.args["sha256"]:
            verdict.lose(f"the file of {_named(photo)} has other bytes than were taken")

    photos = [mutation for mutation in recorded if mutation.name == "photo.add" and _outcome(mutation) in _DONE]
    await asyncio.gather(*(one(photo) for photo in photos))


async def _judge_van(verdict: Verdict, office: Office, player: Player) -> None:
    """What was on board, less what was used, plus what came back, is what the server says and the phone shows."""
    expected = defaultdict(float, player.staff.stock)
    for mutation in player.phone.device.outbox.everything():
        if mutation.name in _PARTS and _outcome(mutation) in _DONE:
            expected[mutation.args["part"]] += _PARTS[mutation.name] * float(mutation.args["quantity"])
    there = await van_stock(office, player.staff.van)
    shown = {row["part_id"]: float(row["quantity"]) for row in player.phone.device.view.rows("stock").values()}
    for part in expected.keys() | there.keys() | shown.keys():
        on_server, on_phone = there.get(part, 0.0), shown.get(part, 0.0)
        if on_server > expected[part]:
            verdict.lose(f"{player.staff.name}'s van: {on_server} of {part}, {expected[part]} expected")
        elif on_server < expected[part]:
            verdict.double(f"{player.staff.name}'s van: {on_server} of {part}, {expected[part]} expected")
        if on_phone != on_server:
            verdict.problems.append(f"{player.staff.name}'s phone shows {on_phone} of {part}, the server {on_server}")


def _judge_projections(verdict: Verdict, player: Player, orders: dict[str, _Order]) -> None:
    """What the phone was sent of an order is what the office sees."""
    view = player.phone.device.view
    shown: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for entity in _PARTS_OF_ORDER:
        for row_id, row in view.rows(entity).items():
            shown[entity, row["work_order_id"]].add(row_id)
    for order_id, row in view.rows("work_order").items():
        if order_id not in orders:
            continue  # nothing was done on it
        detail = orders[order_id].detail
        differing = [name for name in _COMPARED if row[name] != detail.get(name)]
        for entity, part in _PARTS_OF_ORDER.items():
            if shown[entity, order_id] != {one["id"] for one in detail.get(part, [])}:
                differing.append(part)
        if differing:
            verdict.problems.append(f"{player.staff.name}'s phone shows another {differing} of order {row['number']}")


def _outcome(mutation: Recorded) -> str | None:
    """What became of it in the end: a duplicate is what the first one was."""
    if mutation.status == "duplicate" and mutation.result:
        return str(mutation.result["first"]["status"])
    return mutation.status


def _named(mutation: Recorded) -> str:
    return (
        f"{mutation.name} {mutation.id} (seq {mutation.seq} of stream {mutation.stream}, order {mutation.args['wo']})"
    )
