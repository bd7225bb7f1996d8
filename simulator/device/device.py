"""A phone: enrol once, record at any time, sync when there is a line."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx

from simulator.device.attestation import DeviceKey
from simulator.device.base import Base
from simulator.device.clock import Clock
from simulator.device.enrolment import exchange
from simulator.device.errors import (
    DeviceRevoked,
    EnrolmentRefused,
    Locked,
    NoConnection,
    ProtocolBroken,
    UpgradeRequired,
)
from simulator.device.files import CHUNK, Files
from simulator.device.hints import Hints
from simulator.device.ids import uuid7
from simulator.device.line import Line
from simulator.device.outbox import Attachment, Draft, Outbox, Recorded
from simulator.device.pull import Pull
from simulator.device.push import APP, Push
from simulator.device.rescue import Rescue
from simulator.device.store import Store, put_settings
from simulator.device.track import Track
from simulator.device.view import View

# How long a phone shows what it holds without its person having proved to be there.
LEASE = timedelta(days=7)

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
        app: str = APP,
    ) -> None:
        self.path = path
        self.clock = clock
        self._app = app
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
        self._push = Push(self._store, self.outbox, self.base, self._line, clock, app=app)
        self._rescue = Rescue(self._store, self.outbox, self._line, clock, app)
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
        # On the disk before it is registered: asked again after a lost reply, it is the same phone.
        key = self._key or DeviceKey.draw(self._rng)
        with self._store.transaction() as db:
            put_settings(db, device_key=key.dump())
        self.become(await exchange(self.http, code, name, self._app, key.public), key)
        return self.person

    def become(self, reply: Mapping[str, Any], key: DeviceKey) -> None:
        """Take the identity that a code was exchanged for with this key. Raises EnrolmentRefused."""
        before = self._store.setting("person_id")
        if before not in {None, reply["person"]["id"]} and self.outbox.waiting():
            raise EnrolmentRefused("this phone still holds work of another person that was not sent")
        self.base.forget_cookie()
        with self._store.transaction() as db:
            self.outbox.move(db, self.new_id())
            put_settings(
                db,
                device_key=key.dump(),
                device_id=reply["device_id"],
                person_id=reply["person"]["id"],
                person_name=reply["person"]["name"],
                access_token=reply["access_token"],
                refresh_token=reply["refresh_token"],
                unlocked_at=self.clock.now().isoformat(),
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
        v: int = 1,
    ) -> Recorded:
        """Append a mutation with its files; when this returns, it survives a kill. Needs no signal."""
        now = self.clock.now()
        stamp = {"at": now.isoformat(), "mono": self.clock.mono(), "boot": self.clock.boot}
        draft = Draft(uuid7(now, self._rng), name, args, stamp, v=v, base=base, geo=geo, files=files)
        return self.outbox.append(draft)

    def take_offer(self, offer: str) -> Recorded:
        """Ask for an order of the open pool that this phone shows; whoever is quicker gets it. Raises Locked."""
        return self.record("pool.take", {"offer": offer, "wo": self.shown("pool_offer")[offer]["work_order_id"]})

    def attested(self, package: Mapping[str, Any]) -> Mapping[str, Any]:
        """The package with this phone's own signature; as it is on a phone that was enrolled without a key."""
        return self._key.attested(package) if self._key else package

    @property
    def _key(self) -> DeviceKey | None:
        kept = self._store.setting("device_key")
        return DeviceKey.load(kept) if kept else None

    def shown(self, entity: str) -> Mapping[str, Mapping[str, Any]]:
        """The rows a person at the screen sees. Raises Locked."""
        if self.locked:
            raise Locked("enter the code of this phone to go on")
        return self.view.rows(entity)

    @property
    def locked(self) -> bool:
        """Whether the lease is over: locked is hidden, never deleted."""
        unlocked_at = self._store.setting("unlocked_at")
        return unlocked_at is None or self.clock.now() - datetime.fromisoformat(unlocked_at) > LEASE

    def unlock(self) -> None:
        """Its person has just proved to be there."""
        with self._store.transaction() as db:
            put_settings(db, unlocked_at=self.clock.now().isoformat())

    async def sync(self) -> None:
        """Push, upload, pull. Raises NoConnection with everything kept that was settled by then.

        Told to wipe, it does and raises DeviceRevoked: there is nothing left to use. Raises UpgradeRequired with the
        outbox handed in.
        """
        try:
            await self.push()
            await self.files.upload()
            await self.pull()
        except DeviceRevoked as revoked:
            if revoked.wipe:
                await self._leave()
            raise

    async def push(self) -> int:
        """Send the outbox; how many mutations were answered."""
        try:
            return await self._push.run(self.new_id())
        except UpgradeRequired:
            await self.rescue("this app is too old")
            raise

    async def pull(self) -> None:
        """Take what changed on the server. Never waits for pending pushes."""
        await self._pull.run()

    async def rescue(self, reason: str) -> int:
        """Hand in what can't be pushed, then the files it names; how many mutations. Raises NoConnection."""
        handed = await self._rescue.run(reason)
        await self.files.hand_in()
        return handed

    async def _leave(self) -> None:
        """Hand in what was not sent if its person was here lately, delete everything, say so.

        Without a line to hand it in by, nothing is deleted yet. Raises NoConnection.
        """
        if not self.locked:
            await self.rescue("the device was revoked")
        token, device = self._store.setting("access_token") or "", self.id or ""
        left = self.outbox.waiting()
        self.wipe()
        with suppress(NoConnection):
            await self._rescue.confirm_wiped(token, device, left)

    def wipe(self) -> None:
        """Delete the database with everything in it."""
        self.close()
        for file in (
            self.path,
            self.path.with_name(f"{self.path.name}-wal"),
            self.path.with_name(f"{self.path.name}-shm"),
        ):
            file.unlink(missing_ok=True)

    async def report_health(self, *, storage_cleared: bool = False) -> None:
        """Tell the server how this device is. Raises NoConnection."""
        unsent = self.outbox.unsent()
        said = {
            "app": self._app,
            "unsent_count": unsent.count,
            "unsent_bytes": unsent.size,
            "oldest_unsent_at": unsent.oldest_at,
            "files_waiting": len(self.files.waiting()),
            "rows": self.base.count(),
            "storage_persisted": True,
            "used_bytes": self.path.stat().st_size,
            "storage_cleared": storage_cleared,
        }
        response = await self._line.ask("POST", "/sync/health", json=said)
        if not response.is_success:
            raise ProtocolBroken(f"health refused with {response.status_code}: {response.text}")

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
