"""A company at work before, and phones after, a restore: what both drills share."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from uuid import uuid4

import httpx
from psycopg.conninfo import make_conninfo

from simulator.cast import Player
from simulator.device import Attachment
from simulator.job import Job
from simulator.together import end
from tests.chaos.audit import Auditor, files_sent, told
from tests.chaos.field import Field, someone
from tests.chaos.office import Desk, Dispatch
from tests.chaos.system import System
from tests.drills.backups import ArchivedPostgres

_ENGINEERS = 3
_READY_WITHIN_S = 60
_QUIET_WITHIN_S = 180


@dataclass
class Drill:
    """The system keeps running through the restore: nobody tells it that its database is another one."""

    postgres: ArchivedPostgres
    system: System
    outside: Field
    auditor: Auditor
    problems: list[str] = field(default_factory=list)

    @property
    def players(self) -> list[Player]:
        return list(self.outside.players)

    async def send_orders(self, each: int, rng: Random) -> None:
        """So many to everyone, and on their phones when this returns."""
        async with httpx.AsyncClient(base_url=self.system.url, timeout=30) as http:
            desk = Desk(await someone(http, "dispatcher"), rng, self.problems)
            dispatch = Dispatch(desk, self.outside.world, self.players, rng, set())
            for _ in range(each):
                for player in self.players:
                    order = await dispatch.open()
                    await desk.act(f"/work-orders/{order}/assign", {"engineer_id": player.staff.person})
        await self.settle(self.players)

    async def settle(self, players: Iterable[Player]) -> None:
        """They send all they have and take what there is, on a line that loses a reply now and then."""
        async with asyncio.timeout(_READY_WITHIN_S):
            for player in players:
                await self.outside.settle_one(player)

    async def work(self, seconds: float) -> None:
        """Everybody works for a while, and then sends all that is left."""
        working = [asyncio.create_task(self.outside.work(player)) for player in self.players]
        await asyncio.sleep(seconds)
        await end(*working)
        self.note_and_photograph()
        await self.settle(self.players)

    def note_and_photograph(self) -> None:
        """At least these, however slow the machine."""
        for player in self.players:
            device = player.phone.device
            job = Job.all_of(device)[0]
            photo = Attachment(b"\xff\xd8\xff" + Random(device.new_id()).randbytes(200_000), "image/jpeg", "photo")
            shown = {"id": device.new_id(), "wo": job.id, "visit": job.visit}
            device.record("note.add", {**shown, "body": f"Seen {uuid4()}"})
            device.record(
                "photo.add", {**shown, "id": device.new_id(), "sha256": photo.sha256, "caption": "Plate"}, files=[photo]
            )

    async def new_tokens(self, players: Iterable[Player]) -> None:
        """As every ten minutes of a phone's life. Raises SignedOut when the server does not know the phone any more."""
        for player in players:
            device = player.phone.device
            stale = device._store.setting("access_token")
            async with asyncio.timeout(_READY_WITHIN_S):
                while device._store.setting("access_token") == stale:
                    await device._line._refresh(stale)

    def findings(self, players: Iterable[Player]) -> list[str]:
        """What those phones were told and the database does not say."""
        mutations = [it for player in players for it in told(player.phone.device)]
        files = [file for player in players for file in files_sent(player.phone.device)]
        found = self.auditor.audit(mutations, files, at_rest=True)
        return [*found.lost, *found.doubled, *found.wrong]

    def epoch(self) -> int:
        return int(self.auditor.answer("select epoch from sync_epoch")[0]["epoch"])

    def logged(self) -> int:
        return int(self.auditor.answer("select count(*) as n from mutation_log")[0]["n"])

    async def ready(self) -> None:
        await asyncio.to_thread(self.system.until_ready, _READY_WITHIN_S)

    async def quiet(self) -> None:
        """Wait until the worker has done what followed. Jobs of before the restore are taken up after two minutes."""
        await self.auditor.until_quiet(_QUIET_WITHIN_S)


@asynccontextmanager
async def drill(folder: Path) -> AsyncIterator[Drill]:
    postgres = ArchivedPostgres(folder)
    try:
        await asyncio.to_thread(postgres.start)
        system = System(folder, postgres.url)
        await asyncio.to_thread(system.run, "seed")
        system.start()
        try:
            await asyncio.to_thread(system.until_ready)
            async with httpx.AsyncClient(base_url=system.url, timeout=30) as http:
                outside = await Field.assemble(http, system.url, folder, _ENGINEERS, seed=5)
                auditor = Auditor(make_conninfo(system.admin_url, dbname=system.database), system.state / "blobs")
                try:
                    yield Drill(postgres, system, outside, auditor)
                finally:
                    await outside.close()
        finally:
            await asyncio.to_thread(system.stop)
    finally:
        await asyncio.to_thread(postgres.remove)
