"""Reference devices on the real application, on the test's clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx

from server.core.db import Database
from server.identity import service as identity
from server.identity.domain import Actor
from server.media import service as media
from server.media.domain import BlobKey
from server.workorders.domain import WorkOrder
from simulator.device import Device
from simulator.device.outbox import Attachment
from tests.factories.identity import Company
from tests.factories.media import File
from tests.factories.workforce import an_engineer
from tests.factories.workorders import a_visit, an_order
from tests.fakes.clock import FakeClock


class Instants:
    """The phone's clock, never wrong."""

    boot = "once"

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now()

    def mono(self) -> float:
        return 0.0


async def unhurried(_seconds: float) -> None:
    """Waiting between tries, when nobody has to wait."""


@dataclass
class Field:
    """An engineer with an order, and where their phones' databases lie."""

    app: Any
    database: Database
    company: Company
    clock: FakeClock
    folder: Path
    order: WorkOrder

    async def code(self, role: str = "engineer") -> str:
        async with self.database.unit_of_work(self.company.id) as uow:
            office, person = self.company.actor("administrator"), self.company.actor(role).person
            return (await identity.issue_enrolment_code(uow, office, person))[0]

    @asynccontextmanager
    async def line(self) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://callout.test") as http:
            yield http

    @asynccontextmanager
    async def phone(self, *, app: str = "reference/1.0.0") -> AsyncIterator[Device]:
        """A phone that has just received the order."""
        async with self.line() as http:
            opened = self.open(http, app=app)
            await opened.enrol(await self.code(), "Phone")
            await opened.sync()
            yield opened
            opened.close()

    def open(self, http: httpx.AsyncClient, *, app: str = "reference/1.0.0") -> Device:
        """Open the phone's database; opening it again is what a restarted app does."""
        clock = Instants(self.clock)
        return Device(self.folder / "phone.db", http, clock, Random(1), app=app, sleep=unhurried)

    def note(self, phone: Device, body: str) -> None:
        phone.record("note.add", {"id": phone.new_id(), "wo": str(self.order.id), "body": body})

    def photograph(self, phone: Device, photo: File) -> None:
        told = {"id": phone.new_id(), "wo": str(self.order.id), "sha256": photo.sha256, "caption": ""}
        phone.record("photo.add", told, files=[Attachment(photo.content, photo.mime, "photo")])

    async def stored(self, file: File) -> bytes | None:
        """The bytes that the server keeps of a file; None while it has not all of them."""
        rows = await self.sql("select 1 from blob where sha256 = %(it)s and state = 'ready'", it=file.sha256)
        store, key = self.app.state.services.blobs, BlobKey(self.company.id, file.sha256)
        return await media.load_bytes(store, key) if rows else None

    async def notes(self) -> list[str]:
        rows = await self.sql(
            "select body from note where work_order_id = %(order)s order by body", order=self.order.id
        )
        return [row["body"] for row in rows]

    async def quarantine(self) -> list[tuple[str, str]]:
        """Code and body of what lies in quarantine, in the order of the bodies."""
        rows = await self.sql(
            """
            select i.code, m.envelope -> 'args' ->> 'body' as body
            from review_item i join mutation_log m on m.id = i.mutation_id where i.kind = 'quarantine' order by 2
            """
        )
        return [(row["code"], row["body"]) for row in rows]

    async def sql(self, statement: str, **params: object) -> list[dict[str, Any]]:
        async with self.database.unit_of_work(self.company.id) as uow:
            return await uow.rows(statement, **params)


async def send_out(app: Any, database: Database, company: Company, clock: FakeClock, folder: Path) -> Field:
    engineer: Actor = company.actor("engineer")
    async with database.unit_of_work(company.id) as uow:
        await an_engineer(uow, engineer)
        order = await an_order(uow, company.actor("dispatcher"))
        await a_visit(uow, company.actor("dispatcher"), engineer, order)
    return Field(app, database, company, clock, folder, order)
