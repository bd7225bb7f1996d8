"""A phone: enrol once, record at any time, sync when there is a line."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx

from simulator.device.base import Base
from simulator.device.clock import Clock
from simulator.device.errors import EnrolmentRefused, NoConnection
from simulator.device.files import CHUNK, Files
from simulator.device.hints import Hints
from simulator.device.ids import uuid7
from simulator.device.line import Line
from simulator.device.outbox import Attachment, Draft, Outbox, Recorded
from simulator.device.pull import Pull
from simulator.device.push import APP, Push
from simulator.device.store import Store, put_settings
from simulator.device.track import Track
from simulator.device.view import View

type Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Person:
    id: str
    name: str


class Device:
    """Everything lives in the database at `path`: opening it again after a kill continues where it stood.

    `sleep` waits between tries on a bad line; `lasting` as in Store.
    """

    def __init__(
        self,
        path: Path,
        http: httpx.AsyncClient,
        clock: Clock,
        rng: Random,
        *,
        chunk: int = CHUNK,
        sleep: Sleep = asyncio.sleep,
        lasting: bool = True,
    ) -> None:
        self.clock = clock
        self.http = http
        self._rng = rng
        self._store = Store(path, lasting=lasting)
        self._line = Line(self._store, http, rng, sleep=sleep)
        self.outbox = Outbox(self._store)
        self.base = Base(self._store)
        self.view = View(self.base, self.outbox)
        self.files = Files(self._store, self._line, chunk)
        self.track = Track(self._store, self._line)
        self.hints = Hints(self._store, self._line)
        self._push = Push(self._store, self.outbox, self.base, self._line, clock)
        self._pull = Pull(self._store, self.outbox, self.base, self.files, self._line, clock)

    @property
    def id(self) -> str | None:
        return self._store.setting("device_id")

    @property
    def person(self) -> Person:
        known = self._store.settings("person_")
        return Person(known["person_id"], known["person_name"])

    async def enrol(self, code: str, name: str) -> Person:
        """Trade a one-time code for an identity. Raises EnrolmentRefused, NoConnection.

        Enrolled again, after its sign-in ended, it goes on under a new stream with everything it had not sent.
        """
        about = {"code": code, "name": name, "platform": "reference", "app_version": APP, "storage_persisted": True}
        try:
            response = await self.http.post("/mobile/v1/sync/devices", json=about)
        except httpx.TransportError as broken:
            raise NoConnection(str(broken)) from broken
        if not response.is_success:
            raise EnrolmentRefused(response.text)
        self._become(response.json())
        return self.person

    def _become(self, reply: Mapping[str, Any]) -> None:
        before = self._store.setting("person_id")
        if before not in {None, reply["person"]["id"]} and self.outbox.waiting():
            raise EnrolmentRefused("this phone still holds work of another person that was not sent")
        self.base.forget_cookie()
        with self._store.transaction() as db:
            self.outbox.move(db, self.new_id())
            put_settings(
                db,
                device_id=reply["device_id"],
                person_id=reply["person"]["id"],
                person_name=reply["person"]["name"],
                access_token=reply["access_token"],
                refresh_token=reply["refresh_token"],
            )

    def new_id(self) -> str:
        return uuid7(self.clock.now(), self._rng)

    def record(
        self,
        name: str,
        args: Mapping[str, Any],
        *,
        base: Mapping[str, Any] | None = None,
        geo: Mapping[str, float] | None = None,
        files: Sequence[Attachment] = (),
    ) -> Recorded:
        """Append a mutation with its files; when this returns, it survives a kill. Needs no signal."""
        now = self.clock.now()
        stamp = {"at": now.isoformat(), "mono": self.clock.mono(), "boot": self.clock.boot}
        draft = Draft(uuid7(now, self._rng), name, args, stamp, base=base, geo=geo, files=files)
        return self.outbox.append(draft)

    async def sync(self) -> None:
        """Push, upload, pull. Raises NoConnection with everything kept that was settled by then."""
        await self.push()
        await self.files.upload()
        await self.pull()

    async def push(self) -> int:
        """Send the outbox; how many mutations were answered."""
        return await self._push.run(self.new_id())

    async def pull(self) -> None:
        """Take what changed on the server. Never waits for pending pushes."""
        await self._pull.run()

    async def verify(self) -> list[str]:
        """Weekly and after an update of the app; answers the buckets that differed and come anew with the next pull."""
        return await self._pull.verify()

    async def settle(self) -> None:
        """Sync until nothing waits, positions included."""
        await self.sync()
        while self.outbox.waiting() or self.files.waiting():
            await self.sync()
        await self.track.send()

    def close(self) -> None:
        self._store.close()
