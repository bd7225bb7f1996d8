"""What an engineer does at a customer's: answers, notes, photos, parts, time, and the signature at the end."""

import asyncio
import hashlib
import math
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any

from simulator.clock import DayClock
from simulator.device import Attachment
from simulator.device.attestation import canonical
from simulator.job import Item, Job
from simulator.phone import MINUTE, Phone, spot
from simulator.photos import photograph
from simulator.roads import Moving

_HOLDS = 0.08
_RETURNS = 0.2
_FOLLOW_UP = 0.05
_PARKING = 0.25
_FINDINGS = (
    "Belt worn, replaced and tensioned.",
    "Filter was clogged; cleaned the housing.",
    "Loose terminal on the control board, tightened.",
    "门机皮带磨损，已更换。",
    "Sensor drifted by 4 K; calibrated.",
    "制冷剂压力偏低，已补充。",
    "Customer reports noise at night only; no cause found yet.",
    "No fault after three test runs.",
)
_REMARKS = ("Very friendly.", "Quick work.", "", "", "Came later than promised.", "很专业，谢谢。")
_CAPTIONS = ("Type plate", "Before", "After", "Damage", "Meter reading", "Installed part")


class Work:
    """`rng_of`: randomness by name, for what belongs to an order, whoever does it."""

    def __init__(self, phone: Phone, day: DayClock, rng: Random, rng_of: Callable[[str], Random]) -> None:
        self._phone, self._day, self._rng, self._rng_of = phone, day, rng, rng_of
        self._began: dict[str, datetime] = {}
        self._held: set[str] = set()

    async def start(self, job: Job) -> None:
        await self._spend(2)
        self._began[job.id] = self._now()
        self.transition(job, "start", at=self._there(job))

    async def resume(self, job: Job) -> None:
        await self._spend(self._rng.uniform(10, 25))
        self._began[job.id] = self._now()
        self.transition(job, "resume", at=self._there(job))

    async def do(self, job: Job) -> None:
        """The work itself, spread over its time; sometimes it is put on hold half way."""
        self._began.setdefault(job.id, self._now())
        minutes = job.minutes * self._rng_of(f"work-{job.number}").uniform(0.6, 1.2)
        await self._spend(minutes / 3)
        await self._look_around(job)
        if job.id not in self._held and self._rng.random() < _HOLDS:
            self._hold(job)
            return
        for item in job.checklist(self._phone.device):
            await self._spend(minutes / 30)
            self._answer(job, item)
        self._use_parts(job)
        await self._spend(minutes / 3)
        await self._finish(job)

    async def ask_confirmation(self, job: Job) -> None:
        await self._spend(1)
        self.transition(job, "request_confirmation")

    async def sign(self, job: Job) -> None:
        """The customer reads, signs and rates; this closes the order."""
        await self._spend(self._rng.uniform(1, 4))
        shown = canonical({"order": job.id, "number": job.number, "title": job.title})
        strokes = [self._stroke() for _ in range(self._rng.randint(1, 3))]
        device = self._phone.device
        package = {
            "id": device.new_id(),
            "wo": job.id,
            "visit": job.visit,
            "ending": "signed",
            "signer_name": self._rng.choice(("C. Laurent", "林女士", "M. Bianchi", "Concierge")),
            "signer_role": self._rng.choice(("owner", "tenant", "caretaker")),
            "consent": {"text": "report", "version": "1", "accepted": True},
            "rating": self._rng.choices((1, 2, 3, 4, 5), (1, 2, 6, 30, 61))[0],
            "comment": self._rng.choice(_REMARKS),
            "document_hash": hashlib.sha256(shown).hexdigest(),
            "render_hash": hashlib.sha256(b"<article>" + shown + b"</article>").hexdigest(),
            "strokes": strokes,
            "strokes_hash": hashlib.sha256(canonical(strokes)).hexdigest(),
            "in_presence_of": device.person.id,
            "captured": {
                "at": self._now().isoformat(),
                "mono": device.clock.mono(),
                "boot": device.clock.boot,
                "geo": spot(self._there(job)),
            },
            "locale": self._rng.choice(("en", "zh")),
        }
        self._phone.record("signature.capture", device.attested(package), at=self._there(job), v=2)

    def transition(self, job: Job, to: str, at: Moving | None = None, **more: Any) -> None:
        self._phone.record("wo.transition", {"wo": job.id, "visit": job.visit, "to": to, **more}, at=at)

    def book_time(self, job: Job, kind: str, began: datetime) -> None:
        ended = max(self._now(), began)
        self._record(job, "time.add", kind=kind, started_at=began.isoformat(), ended_at=ended.isoformat())

    async def _look_around(self, job: Job) -> None:
        for _ in range(self._rng.randint(1, 3)):
            await self._photograph(job)
        for finding in self._rng.sample(_FINDINGS, k=self._rng.randint(1, 2)):
            self._record(job, "note.add", body=finding)

    async def _photograph(self, job: Job) -> str:
        caption = self._rng.choice(_CAPTIONS)
        # The moment makes the bytes unlike those of any other run with this seed.
        label = f"{caption}  order {job.number}  {self._now():%Y-%m-%d %H:%M:%S.%f}"
        content = await asyncio.to_thread(photograph, label, Random(self._rng.getrandbits(64)))
        file = Attachment(content, "image/jpeg", "photo")
        return self._record(job, "photo.add", file, sha256=file.sha256, caption=caption)

    def _answer(self, job: Job, item: Item) -> None:
        self._record(job, "answer.set", item=item.id, value=self._value(item))

    def _value(self, item: Item) -> object:
        match item.kind:
            case "yes_no":
                return self._rng.random() < 0.9  # noqa: PLR2004 - most things are in order
            case "number":
                return self._reading(item)
            case "choice":
                return self._rng.choice(item.choices)
            case _:
                return f"SIM-{self._rng.getrandbits(32):08X}"

    def _reading(self, item: Item) -> float:
        """Mostly within its limits."""
        low = 0.0 if item.minimum is None else item.minimum
        high = low + 100.0 if item.maximum is None else item.maximum
        beyond = (high - low) * 0.1
        return round(self._rng.triangular(low - beyond, high + beyond, (low + high) / 2), 2)

    def _use_parts(self, job: Job) -> None:
        on_board = [
            row["part_id"] for row in self._phone.device.view.rows("stock").values() if float(row["quantity"]) > 0
        ]
        for part in self._rng.sample(on_board, k=min(len(on_board), self._rng.randint(0, 2))):
            taken = self._rng.randint(1, 2)
            self._record(job, "part.use", part=part, quantity=taken)
            if self._rng.random() < _RETURNS:
                self._record(job, "part.return", part=part, quantity=1)

    async def _finish(self, job: Job) -> None:
        self.book_time(job, "work", self._began.pop(job.id))
        if self._rng.random() < _PARKING:
            cost = {"kind": "parking", "amount_minor": self._rng.randint(2, 20) * 50, "currency": "EUR"}
            self._record(job, "cost.add", **cost, description="Parking")
        if self._rng.random() < _FOLLOW_UP:
            more = {
                "title": f"Follow-up of {job.number}",
                "description": "A part must be ordered.",
                "priority": "normal",
            }
            self._phone.record("wo.follow_up", {"id": self._phone.device.new_id(), "wo": job.id, **more})
        note = self._rng.choice(_FINDINGS)
        self.transition(job, "resolve", at=self._there(job), note=note)

    def _hold(self, job: Job) -> None:
        self._held.add(job.id)
        self.book_time(job, "work", self._began.pop(job.id))
        reason = self._rng.choice(("parts", "customer", "third_party"))
        self.transition(job, "hold", hold_reason=reason, note="Waiting; will go on shortly.")

    def _record(self, job: Job, name: str, *files: Attachment, **args: Any) -> str:
        row_id = self._phone.device.new_id()
        self._phone.record(name, {"id": row_id, "wo": job.id, "visit": job.visit, **args}, *files)
        return row_id

    def _stroke(self) -> list[list[float]]:
        """Points x, y in pixels and t in milliseconds, like a hurried signature."""
        x, y, wave = self._rng.uniform(10, 60), self._rng.uniform(40, 80), self._rng.uniform(6, 22)
        return [
            [round(x + 6 * step, 1), round(y + wave * math.sin(step * 0.9), 1), step * 16.0]
            for step in range(self._rng.randint(12, 30))
        ]

    async def _spend(self, minutes: float) -> None:
        await self._day.sleep(minutes * MINUTE)

    def _now(self) -> datetime:
        return self._phone.device.clock.now()

    def _there(self, job: Job) -> Moving:
        return Moving(job.place, 0.0, 0.0)
