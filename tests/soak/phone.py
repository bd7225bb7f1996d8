"""A phone in the simulation: a reference device on a file that can be killed, copied, cleared and brought back."""

import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx

from simulator.device import Attachment, Device
from tests.soak.clocks import PhoneClock, ServerClock
from tests.soak.journal import Journal
from tests.soak.line import Line, Network

_CHUNK = 1500


@dataclass
class Job:
    """An order as its engineer thinks of it. `state` is what they last saw or did."""

    order: str
    visit: str
    state: str
    items: list[dict[str, Any]] = field(default_factory=list)
    texts: dict[str, tuple[str, int]] = field(default_factory=dict)  # field → what it says, and its revision
    photos: list[str] = field(default_factory=list)
    timers: list[str] = field(default_factory=list)


@dataclass
class Place:
    """A site or an asset as the phone shows it, with a text of it that people correct."""

    kind: str
    id: str
    field: str
    says: str


class Phone:
    def __init__(
        self,
        number: int,
        person: str,
        folder: Path,
        network: Network,
        server_clock: ServerClock,
        journal: Journal,
        rng: Random,
        *,
        encoding: str = "identity",
    ) -> None:
        self.number, self.person = number, person
        self.clock = PhoneClock(server_clock, timedelta())
        self.jobs: list[Job] = []
        self.van: list[str] = []
        self.places: list[Place] = []
        self.used: list[str] = []  # movements of the last parts used
        self.worked: list[str] = []  # the last hours put down
        self.full_pulls = 0
        self._folder, self._rng, self._server_clock, self._journal = folder, rng, server_clock, journal
        self._copies: list[Path] = []
        self._http = httpx.AsyncClient(
            transport=Line(network), base_url="http://soak.test", headers={"Accept-Encoding": encoding}
        )
        self._generation = 0
        self.device = self._open()

    @property
    def path(self) -> Path:
        return self._folder / f"phone-{self.number}-{self._generation}.db"

    @property
    def name(self) -> str:
        return f"phone {self.number}"

    def _open(self) -> Device:
        return Device(self.path, self._http, self.clock, self._rng, chunk=_CHUNK, sleep=self._wait, lasting=False)

    async def _wait(self, seconds: float) -> None:
        self._server_clock.forward(timedelta(seconds=seconds))

    def kill(self) -> None:
        """The app dies and is opened again."""
        self.device.close()
        self.device = self._open()

    def reboot(self) -> None:
        self.clock.reboot()
        self.kill()

    def keep_copy(self) -> None:
        """A backup of the phone is made."""
        copy = self._folder / f"backup-{self.number}-{len(self._copies)}-{self._generation}.db"
        self._copy_to(copy)
        self._copies = [*self._copies[-1:], copy]

    def restore(self) -> bool:
        """The newest backup replaces what the phone held. What was recorded since exists nowhere if it wasn't sent."""
        if not self._copies:
            return False
        self._journal.storage_lost(self.number)
        self.device.close()
        self._generation += 1
        shutil.copy(self._copies.pop(), self.path)
        self.device = self._open()
        self._journal.storage_found(self.number, [it.id for it in self.device.outbox.everything() if it.status is None])
        return True

    def replaced_if_wiped(self) -> None:
        """A revoked phone hands in what it holds and wipes itself; its person goes on with an empty one."""
        if self.path.exists():
            return
        self._generation += 1
        self._copies, self.jobs, self.places, self.used, self.worked = [], [], [], [], []
        self.device = self._open()

    def clear(self) -> None:
        """The system takes the storage away."""
        self._journal.storage_lost(self.number)
        self.device.close()
        self._generation += 1
        self._copies = []
        self.device = self._open()

    def clone_into(self, other: "Phone") -> None:
        """Somebody moves to a second phone and goes on using the first."""
        other.device.close()
        self._copy_to(other.path)
        other.device = other._open()

    def _copy_to(self, path: Path) -> None:
        self.device.close()
        shutil.copy(self.path, path)
        self.device = self._open()

    async def enrol(self, issue: Callable[[str], Awaitable[str]]) -> None:
        """Sign in with a fresh code. Raises NoConnection."""
        await self.device.enrol(await issue(self.person), self.name)

    def record(
        self,
        name: str,
        args: Mapping[str, Any],
        *,
        allowed: frozenset[str],
        files: Sequence[Attachment] = (),
    ) -> str:
        """Put down one act; from here on the journal holds the system to it."""
        recorded = self.device.record(name, args, files=files)
        self._journal.recorded(self.number, recorded, allowed)
        return recorded.id

    def look(self) -> None:
        """See what the phone shows now."""
        view = self.device.view
        orders, visits = view.rows("work_order"), view.rows("visit")
        by_procedure: dict[str, list[dict[str, Any]]] = {}
        for item_id, item in view.rows("procedure_item").items():
            by_procedure.setdefault(item["procedure_id"], []).append({"id": item_id, **item})
        photos: dict[str, list[str]] = {}
        for photo_id, photo in view.rows("photo").items():
            photos.setdefault(photo["work_order_id"], []).append(photo_id)
        running = {job.visit: job.timers for job in self.jobs}
        self.jobs = []
        for visit_id, visit in sorted(visits.items()):
            order = orders.get(visit["work_order_id"])
            if order is None or visit["engineer_id"] != self.person:
                continue
            items = by_procedure.get(order["procedure_id"] or "", [])
            texts = {name: (order[name], order[f"{name}_rev"]) for name in ("description", "findings")}
            known = sorted(photos.get(visit["work_order_id"], []))
            timers = running.get(visit_id, [])
            self.jobs.append(Job(visit["work_order_id"], visit_id, order["state"], items, texts, known, timers))
        self.places = [
            Place(kind, place_id, name, place[name])
            for kind, name in (("site", "access_notes"), ("asset", "notes"))
            for place_id, place in sorted(view.rows(kind).items())
        ]
        self.van = sorted(row["part_id"] for row in view.rows("stock").values() if "part_id" in row)

    def close(self) -> None:
        self.device.close()
