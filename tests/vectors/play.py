"""Plays vectors on the real application with real devices, and says what came of it in the vectors' own words."""

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI

from server.core.db import Database, UnitOfWork
from server.identity import service as identity
from server.identity.domain import Actor
from server.inventory import service as inventory
from server.workorders import checklists, queries, service
from server.workorders.domain import Action, HoldReason, actions_from
from server.workorders.procedures import ItemDraft, ItemKind
from simulator.device import Device
from tests.factories.customers import a_site
from tests.factories.identity import Company
from tests.factories.inventory import a_part, goods_in
from tests.factories.workforce import another_engineer
from tests.factories.workorders import a_visit, an_order
from tests.fakes.clock import FakeClock
from tests.vectors.generate import FOLDER, TAKEN
from tests.vectors.model import TEXT, Op, spelt

type Json = dict[str, Any]

_HOUR = timedelta(minutes=1)  # an hour of the vectors: short, so that nobody's sign-in ends in between
_STATES = {"paused": "on_hold"}


def vectors(theme: str) -> list[Json]:
    found: list[Json] = json.loads((FOLDER / f"{theme}.json").read_text())["cases"]
    return found


class _DeviceClock:
    boot = "once"

    def __init__(self, server: FakeClock) -> None:
        self._server, self._began = server, server.now()

    def now(self) -> Any:
        return self._server.now()

    def mono(self) -> float:
        return (self._server.now() - self._began).total_seconds() * 1000


@dataclass
class Stage:
    """The company of all cases: engineers A and B, A with two phones. Each case brings an order of its own."""

    database: Database
    clock: FakeClock
    company: Company
    people: dict[str, Actor]
    phones: dict[str, Device]
    site: Any
    items: dict[str, str]
    vans: dict[str, Any]
    played: int = 0

    @property
    def dispatcher(self) -> Actor:
        return self.company.actor("dispatcher")


@asynccontextmanager
async def open_stage(
    app: FastAPI, database: Database, company: Company, clock: FakeClock, folder: Path
) -> AsyncIterator[Stage]:
    async with database.unit_of_work(company.id) as uow:
        people = {name: await another_engineer(uow, company.id, f"Engineer {name}") for name in "AB"}
        site = await a_site(uow)
        items = await _checklist(uow)
        vans = {name: await inventory.give_van(uow, actor.person, f"Van {name}") for name, actor in people.items()}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://vectors.test") as http:
        phones = {}
        for number, (name, who) in enumerate({"a": "A", "a2": "A", "b": "B"}.items()):
            phone = Device(folder / f"{name}.db", http, _DeviceClock(clock), Random(number), lasting=False)
            async with database.unit_of_work(company.id) as uow:
                code, _ = await identity.issue_enrolment_code(uow, company.actor("administrator"), people[who].person)
            await phone.enrol(code, name)
            phones[name] = phone
        yield Stage(database, clock, company, people, phones, site, items, vans)
        for phone in phones.values():
            phone.close()


async def _checklist(uow: UnitOfWork) -> dict[str, str]:
    label = {"en": "?", "zh": "?"}
    drafts = [
        ItemDraft(ItemKind.YES_NO, label, required=False, safety_critical=True),
        ItemDraft(ItemKind.NUMBER, label, required=False),
    ]
    await checklists.define_procedure(uow, key="vector", name={"en": "Vector", "zh": "向量"}, items=drafts)
    items = next(items for it, items in await checklists.procedures(uow) if it.key == "vector")
    return {"safety": str(items[0].id), "plain": str(items[1].id)}


@dataclass
class Case:
    """One case being played."""

    stage: Stage
    theme: str
    said: Json
    order: str = ""
    part: str = ""
    serial_part: str = ""
    names: dict[str, str] = field(default_factory=dict)  # name in the vector → id
    visits: dict[str, str] = field(default_factory=dict)  # person → their visit
    outcome: Json = field(default_factory=dict)

    def phone(self, device: str) -> Device:
        return self.stage.phones["a2" if device == "b" and self.said["crew"] == "same" else device]

    def who(self, device: str) -> str:
        return "A" if device == "a" or self.said["crew"] == "same" else "B"

    async def play(self) -> Json:
        """Answer what came of it, in the form of `expect`."""
        recorded, before = await self._until_all_acted()
        first, second = self.said["sync"]
        await self._sync(first)
        await self._office_acts()
        await self._sync(second)
        for device in self.said["sync"]:
            await self.phone(device).pull()
        results = {device: self._results(device, ids) for device, ids in recorded.items()}
        seen = {device: [before[device], self._seen(device)] for device in "ab"}
        facts = await self._facts()
        await self._leave()
        return {"results": results, "facts": facts, "seen": seen}

    async def _until_all_acted(self) -> tuple[dict[str, list[str]], Json]:
        await self._begin()
        recorded, before = {}, {}
        taken = self.said["crew"] != "same"
        if self.said["crew"] == "taken after":
            recorded["a"], before["a"] = self._act("a")
            self._hours_pass(1)
        if taken:
            await self._give_to("B")
            self._hours_pass(1)
            await self.phone("b").pull()
        for device in ("a", "b"):
            if device not in recorded:
                recorded[device], before[device] = self._act(device)
        self._hours_pass(1)
        return recorded, before

    async def _begin(self) -> None:
        stage = self.stage
        stage.played += 1
        async with stage.database.unit_of_work(stage.company.id) as uow:
            order = await an_order(
                uow, stage.dispatcher, site=stage.site, description=spelt(TEXT), procedure_key="vector"
            )
            visit = await a_visit(uow, stage.dispatcher, stage.people["A"], order)
            self.order, self.visits["A"] = str(order.id), str(visit.id)
            if self.theme == "parts":
                await self._stock(uow)
        for device in ("a", "b"):
            if self.who(device) == "A":
                await self.phone(device).pull()
        self._hours_pass(TAKEN)

    async def _stock(self, uow: UnitOfWork) -> None:
        stage = self.stage
        counted = await a_part(uow, f"C-{stage.played}")
        piece = await a_part(uow, f"S-{stage.played}", serial_tracked=True)
        clerk = stage.company.actor("administrator")
        for van in stage.vans.values():
            await goods_in(uow, clerk, counted, van, 1)
        for serial in ("s1", "s2"):
            await goods_in(uow, clerk, piece, stage.vans["A"], 1, serial=serial)
        self.part, self.serial_part = str(counted.id), str(piece.id)

    async def _give_to(self, who: str) -> None:
        stage = self.stage
        async with stage.database.unit_of_work(stage.company.id) as uow:
            order = await queries.order(uow, UUID(self.order))
            assert order is not None
            visit = await a_visit(uow, stage.dispatcher, stage.people[who], order)
            self.visits[who] = str(visit.id)

    async def _office_acts(self) -> None:
        self._hours_pass(1)
        if act := self.said["office"]:
            stage = self.stage
            async with stage.database.unit_of_work(stage.company.id) as uow:
                order = await queries.order(uow, UUID(self.order))
                assert order is not None
                action = Action(act)
                if action in actions_from(order.state):
                    hold = HoldReason.CUSTOMER if action is Action.SUSPEND else None
                    await service.perform(
                        uow, stage.dispatcher, work_order_id=order.id, action=action, reason="Why not", hold_reason=hold
                    )
        self._hours_pass(1)

    async def _leave(self) -> None:
        """Take the order from all phones, so that they stay small."""
        stage = self.stage
        async with stage.database.unit_of_work(stage.company.id) as uow:
            await uow.run("update work_order set voided_at = %(now)s where id = %(id)s", now=uow.now(), id=self.order)

    def _hours_pass(self, hours: float) -> None:
        self.stage.clock.forward(_HOUR * hours)

    async def _sync(self, device: str) -> None:
        await self.phone(device).push()
        await self.phone(device).pull()

    # -- acting ----------------------------------------------------------------------------------------------------

    def _act(self, device: str) -> tuple[list[str], Any]:
        phone = self.phone(device)
        ids = [phone.record(name, args).id for name, args in (self._mutation(device, op) for op in self.said[device])]
        return ids, self._seen(device)

    def _mutation(self, device: str, op: Op) -> tuple[str, Json]:
        """The words of README.md: which mutation an act of the vectors is."""
        on: Json = {"wo": self.order, "visit": self.visits[self.who(device)]}
        match op:
            case ["to", action]:
                return "wo.transition", {**on, "to": action, "note": "Done", "reason": "No time"}
            case ["answer", item, value]:
                return "answer.set", {**on, "id": self._new(device), "item": self.stage.items[item], "value": value}
            case ["text", slots]:
                text = {"field": "description", "base_rev": 1, "new": spelt({**TEXT, **slots})}
                return "text.edit", {**on, **text}
            case ["time", name, start, end]:
                day = self.stage.clock.now().replace(hour=0, minute=0) - timedelta(days=self.stage.played)
                started, ended = (day + timedelta(hours=hour) for hour in (start, end))
                about = {"kind": "work", "started_at": started.isoformat(), "ended_at": ended.isoformat()}
                return "time.add", {**on, "id": self._named(device, name), **about}
            case ["use" | "back" | "serial", _]:
                return self._of_part(device, op, on)
        return self._of_thing(device, op, on)

    def _of_part(self, device: str, op: Op, on: Json) -> tuple[str, Json]:
        if op[0] == "serial":
            piece = {"part": self.serial_part, "quantity": 1, "serial": op[1]}
            return "part.use", {**on, "id": self._new(device), **piece}
        name = {"use": "part.use", "back": "part.return"}[op[0]]
        return name, {**on, "id": self._new(device), "part": self.part, "quantity": op[1]}

    def _of_thing(self, device: str, op: Op, on: Json) -> tuple[str, Json]:
        match op:
            case ["note", name]:
                return "note.add", {**on, "id": self._named(device, name), "body": name}
            case ["photo", name]:
                sha = hashlib.sha256(f"{self.order} {name}".encode()).hexdigest()
                return "photo.add", {**on, "id": self._named(device, name), "sha256": sha}
            case ["caption", name, words]:
                return "photo.caption", {**on, "photo": self.names[name], "caption": words}
            case ["hide", name]:
                return "photo.hide", {**on, "photo": self.names[name], "reason": "Blurred"}
        raise ValueError(op)

    def _new(self, device: str) -> str:
        return self.phone(device).new_id()

    def _named(self, device: str, name: str) -> str:
        self.names[name] = self._new(device)
        return self.names[name]

    # -- what came of it -------------------------------------------------------------------------------------------

    def _results(self, device: str, ids: list[str]) -> list[Any]:
        answered = {it.id: it.result or {} for it in self.phone(device).outbox.everything()}
        self.outcome |= {it: answered[it] for it in ids}
        return [[answered[it].get("status"), answered[it].get("code")] for it in ids]

    def _seen(self, device: str) -> Any:
        """What the phone shows of the order, None when it has it no more."""
        view = self.phone(device).view
        order = view.rows("work_order").get(self.order)
        if order is None or self.theme == "parts":
            return None
        rows = {name: self._of_order(view.rows(name)) for name in ("checklist_answer", "note", "photo", "time_entry")}
        named = {row_id: name for name, row_id in self.names.items()}
        match self.theme:
            case "status":
                return order["state"]
            case "answers":
                return self._standing(rows["checklist_answer"].values())
            case "texts":
                return {"text": order["description"]}
            case "hours":
                return sorted(named[row_id] for row_id in rows["time_entry"])
        photos = {
            named[row_id]: [it.get("caption", ""), bool(it.get("hidden"))] for row_id, it in rows["photo"].items()
        }
        return {"notes": sorted(it["body"] for it in rows["note"].values()), "photos": dict(sorted(photos.items()))}

    def _of_order(self, rows: dict[str, Json]) -> dict[str, Json]:
        return {row_id: row for row_id, row in rows.items() if row["work_order_id"] == self.order}

    def _standing(self, answers: Any) -> Json:
        names = {item: name for name, item in self.stage.items.items()}
        found: dict[str, list[Any]] = {}
        for row in answers:
            values = found.setdefault(names[row.get("item_id", row.get("item"))], [])
            if row.get("superseded_by") is None:
                values.append(row["value"])
        return {item: sorted(values) for item, values in sorted(found.items())}

    async def _facts(self) -> Any:
        async with self.stage.database.unit_of_work(self.stage.company.id) as uow:
            match self.theme:
                case "status":
                    visits = await uow.rows(
                        "select state from visit where work_order_id = %(id)s order by ordinal", id=self.order
                    )
                    state = await uow.value("select state from work_order where id = %(id)s", id=self.order)
                    return {"order": state, "visits": [row["state"] for row in visits]}
                case "answers":
                    rows = await uow.rows("select * from checklist_answer where work_order_id = %(id)s", id=self.order)
                    plain = [{**row, "item_id": str(row["item_id"])} for row in rows]
                    return {"standing": self._standing(plain), "kept": len(rows)}
                case "texts":
                    text = await uow.value("select description from work_order where id = %(id)s", id=self.order)
                    return {"text": text}
                case "hours":
                    rows = await uow.rows(
                        "select id, flags from time_entry where work_order_id = %(id)s", id=self.order
                    )
                    return self._hours({str(row["id"]): row["flags"] for row in rows})
                case "parts":
                    return await self._vans(uow)
            return await self._notes(uow)

    def _hours(self, flags: dict[str, list[str]]) -> Json:
        named = {row_id: name for name, row_id in self.names.items()}
        overlapping = [named[row_id] for row_id, said in flags.items() if "TIME_OVERLAP" in said]
        return {"entries": sorted(named[row_id] for row_id in flags), "overlapping": sorted(overlapping)}

    async def _vans(self, uow: UnitOfWork) -> Json:
        held = {
            row["location_id"]: float(Decimal(row["quantity"]))
            for row in await uow.rows(
                "select location_id, quantity from stock where part_id = %(part)s", part=self.part
            )
        }
        used = await uow.rows(
            "select serial from stock_movement where part_id = %(part)s and reason = 'used'", part=self.serial_part
        )
        vans = {name: held.get(van.id, 0.0) for name, van in self.stage.vans.items()}
        return {"vans": vans, "serials_used": sorted(row["serial"] for row in used)}

    async def _notes(self, uow: UnitOfWork) -> Json:
        named = {row_id: name for name, row_id in self.names.items()}
        notes = await uow.rows("select body from note where work_order_id = %(id)s", id=self.order)
        photos = await uow.rows("select id, caption, hidden_why from photo where work_order_id = %(id)s", id=self.order)
        shown = {named[str(row["id"])]: [row["caption"], row["hidden_why"] is not None] for row in photos}
        return {"notes": sorted(row["body"] for row in notes), "photos": dict(sorted(shown.items()))}
