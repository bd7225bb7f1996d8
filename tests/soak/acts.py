"""What an engineer does with a phone: work mostly, and now and then something no sane app would send."""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from simulator.device import Attachment
from tests.soak.phone import Job, Phone

type Args = dict[str, Any]

ANY_END = frozenset({"applied", "merged", "conflict", "quarantined"})
KEPT = frozenset({"applied", "merged", "conflict"})  # evidence from somebody who was sent there
REFUSED = frozenset({"quarantined"})

_NEXT: Mapping[str, tuple[str, ...]] = {
    "dispatched": ("accept", "travel", "arrive", "decline"),
    "accepted": ("travel", "arrive", "decline"),
    "travelling": ("arrive", "hold"),
    "on_site": ("start",),
    "working": ("resolve", "resolve", "hold"),
    "on_hold": ("resume",),
    "resolved": ("request_confirmation",),
}
_AFTER: Mapping[str, str] = {
    "accept": "accepted",
    "decline": "triaged",
    "travel": "travelling",
    "arrive": "on_site",
    "start": "working",
    "hold": "on_hold",
    "resume": "working",
    "resolve": "resolved",
    "request_confirmation": "awaiting_confirmation",
}
_WORDS = (
    "Heizung",
    "加热管",
    "pump",
    "fuse",
    "«ok»",
    "line\u2028sep",
    "emoji 🔧",
    "<b>bold</b>",
    "'; drop table note; --",
)
_SERIALS = 40
_LATELY = 8


@dataclass(frozen=True)
class _Handed:
    """Goods one engineer gave another, as both know from standing beside each other."""

    transfer: str
    part: str
    quantity: float
    to: str


class Person:
    """Chooses what happens next on one phone. `strangers` are orders nobody here was ever sent to."""

    def __init__(self, rng: Random, strangers: list[str], serial_part: str, vans: Mapping[str, str]) -> None:
        self._rng, self._strangers, self._serial_part, self._vans = rng, strangers, serial_part, vans
        self._handed_over: list[_Handed] = []
        self._doings: list[tuple[float, Callable[[Phone, Job], str]]] = [
            (24, self._note),
            (22, self._go_on),
            (12, self._answer),
            (12, self._time),
            (8, self._cost),
            (12, self._use_part),
            (3, self._return_part),
            (2, self._count_part),
            (2, self._hand_over),
            (2, self._take_over),
            (1, self._reverse_part),
            (2, self._photo),
            (1, self._serial),
            (1.5, self._sign),
            (3, self._edit_text),
            (4, self._timer),
            (1.5, self._correct_hours),
            (1.5, self._correct_place),
            (1, self._change_photo),
            (0.5, self._propose),
            (0.7, self._follow_up),
            (0.6, self._out_of_turn),
            (0.6, self._nonsense),
            (0.3, self._poison),
            (0.3, self._trespass),
        ]
        self._weights = [weight for weight, _ in self._doings]

    def act(self, phone: Phone) -> str | None:
        """Do one thing; answers its name, None when there is nothing to work on."""
        if not phone.jobs:
            return None
        job = self._rng.choice(phone.jobs)
        doing = self._rng.choices(self._doings, self._weights)[0][1]
        return doing(phone, job)

    def _on(self, phone: Phone, job: Job, **more: Any) -> Args:
        return {"id": phone.device.new_id(), "wo": job.order, "visit": job.visit, **more}

    def _text(self) -> str:
        return " ".join(self._rng.choices(_WORDS, k=self._rng.randint(1, 6)))

    def _note(self, phone: Phone, job: Job) -> str:
        phone.record("note.add", self._on(phone, job, body=self._text()), allowed=KEPT)
        return "note.add"

    def _go_on(self, phone: Phone, job: Job) -> str:
        choices = _NEXT.get(job.state)
        return self._transition(phone, job, self._rng.choice(choices)) if choices else self._note(phone, job)

    def _out_of_turn(self, phone: Phone, job: Job) -> str:
        return self._transition(phone, job, self._rng.choice(sorted(_AFTER)))

    def _transition(self, phone: Phone, job: Job, action: str) -> str:
        args: Args = {"wo": job.order, "visit": job.visit, "to": action}
        if action in {"resolve", "hold"}:
            args["note"] = f"{self._text()} #{phone.device.new_id()}"
        if action == "hold":
            args["hold_reason"] = self._rng.choice(("parts", "customer", "third_party"))
        if action == "decline":
            args["reason"] = "no time"
        if action == "resolve":
            self._complete_checklist(phone, job)
        phone.record("wo.transition", args, allowed=ANY_END)
        job.state = _AFTER[action]
        return "wo.transition"

    def _complete_checklist(self, phone: Phone, job: Job) -> None:
        for item in job.items:
            if item["required"] and self._rng.random() < 0.95:
                phone.record("answer.set", self._on(phone, job, item=item["id"], value=self._value(item)), allowed=KEPT)

    def _value(self, item: Mapping[str, Any]) -> Any:
        match item["kind"]:
            case "yes_no":
                return self._rng.random() < 0.5
            case "number":
                return round(self._rng.uniform(100, 300), 1)
            case "choice":
                return self._rng.choice(item["choices"])["key"]
        return self._text()

    def _answer(self, phone: Phone, job: Job) -> str:
        if not job.items:
            return self._note(phone, job)
        item = self._rng.choice(job.items)
        phone.record("answer.set", self._on(phone, job, item=item["id"], value=self._value(item)), allowed=KEPT)
        return "answer.set"

    def _time(self, phone: Phone, job: Job) -> str:
        ended = phone.clock.now()
        started = ended - timedelta(minutes=self._rng.choice((1, 5, 30, 90, 1100)))
        kind = self._rng.choice(("travel", "work", "break"))
        about = {"kind": kind, "started_at": started.isoformat(), "ended_at": ended.isoformat()}
        args = self._on(phone, job, **about)
        phone.record("time.add", args, allowed=KEPT)
        phone.worked = [*phone.worked[-_LATELY:], str(args["id"])]
        return "time.add"

    def _correct_hours(self, phone: Phone, job: Job) -> str:
        if not phone.worked:
            return self._time(phone, job)
        ended = phone.clock.now()
        about = {"started_at": (ended - timedelta(minutes=20)).isoformat(), "ended_at": ended.isoformat()}
        about |= {"entry": self._rng.choice(phone.worked), "kind": "work", "reason": "wrong button"}
        phone.record("time.edit", self._on(phone, job, **about), allowed=ANY_END)
        return "time.edit"

    def _correct_place(self, phone: Phone, job: Job) -> str:
        if not phone.places:
            return self._note(phone, job)
        place = self._rng.choice(phone.places)
        new = f"{place.says} {self._text()}".strip()
        args = {place.kind: place.id, "base": {place.field: place.says}, "set": {place.field: new}}
        phone.record(f"{place.kind}.patch", args, allowed=ANY_END)
        place.says = new
        return f"{place.kind}.patch"

    def _cost(self, phone: Phone, job: Job) -> str:
        kind = self._rng.choice(("travel", "parking", "material", "other"))
        about = {"kind": kind, "amount_minor": self._rng.randrange(10_000), "currency": "EUR", "description": "x"}
        phone.record("cost.add", self._on(phone, job, **about), allowed=KEPT)
        return "cost.add"

    def _use_part(self, phone: Phone, job: Job) -> str:
        return self._move_part(phone, job, "part.use")

    def _return_part(self, phone: Phone, job: Job) -> str:
        return self._move_part(phone, job, "part.return")

    def _move_part(self, phone: Phone, job: Job, name: str) -> str:
        counted = [part for part in phone.van if part != self._serial_part]
        if not counted:
            return self._note(phone, job)
        about = {"part": self._rng.choice(counted), "quantity": self._rng.choice((1, 2, 0.5, 7.125))}
        args = self._on(phone, job, **about)
        phone.record(name, args, allowed=KEPT)
        phone.used = [*phone.used[-_LATELY:], str(args["id"])]
        return name

    def _counted_part(self, phone: Phone) -> str:
        return self._rng.choice([part for part in phone.van if part != self._serial_part])

    def _count_part(self, phone: Phone, job: Job) -> str:
        if not set(phone.van) - {self._serial_part}:
            return self._note(phone, job)
        about = {"part": self._counted_part(phone), "quantity": self._rng.choice((0, 3, 12.5, 20))}
        phone.record("part.count", {"id": phone.device.new_id(), **about}, allowed=KEPT)
        return "part.count"

    def _hand_over(self, phone: Phone, job: Job) -> str:
        others = sorted(set(self._vans) - {phone.person})
        if not others or not set(phone.van) - {self._serial_part}:
            return self._note(phone, job)
        to = self._rng.choice(others)
        handed = _Handed(phone.device.new_id(), self._counted_part(phone), self._rng.choice((1, 2.5, 4)), to)
        about = {"part": handed.part, "quantity": handed.quantity, "to": self._vans[to]}
        phone.record("part.transfer", {"id": handed.transfer, **about}, allowed=ANY_END)
        self._handed_over.append(handed)
        return "part.transfer"

    def _take_over(self, phone: Phone, job: Job) -> str:
        """Say that it arrived, mostly all of it; the giver's phone may be heard much later, or never."""
        here = [it for it in self._handed_over if it.to == phone.person]
        if not here:
            return self._note(phone, job)
        handed = self._rng.choice(here)
        if self._rng.random() < 0.9:
            self._handed_over.remove(handed)
        quantity = handed.quantity if self._rng.random() < 0.9 else 0.5
        about = {"transfer": handed.transfer, "part": handed.part, "quantity": quantity}
        phone.record("part.receive", {"id": phone.device.new_id(), **about}, allowed=ANY_END)
        return "part.receive"

    def _reverse_part(self, phone: Phone, job: Job) -> str:
        if not phone.used:
            return self._note(phone, job)
        args = {"id": phone.device.new_id(), "movement": self._rng.choice(phone.used), "why": "not needed"}
        phone.record("part.reverse", args, allowed=ANY_END)
        return "part.reverse"

    def _serial(self, phone: Phone, job: Job) -> str:
        about = {"part": self._serial_part, "quantity": 1, "serial": f"SN-{self._rng.randrange(_SERIALS)}"}
        phone.record("part.use", self._on(phone, job, **about), allowed=ANY_END)
        return "part.use"

    def _photo(self, phone: Phone, job: Job) -> str:
        file = Attachment(b"\xff\xd8\xff" + self._rng.randbytes(self._rng.randint(100, 4000)), "image/jpeg", "photo")
        phone.record("photo.add", self._on(phone, job, sha256=file.sha256, caption="x"), allowed=KEPT, files=[file])
        return "photo.add"

    def _sign(self, phone: Phone, job: Job) -> str:
        if job.state not in {"resolved", "awaiting_confirmation"} and self._rng.random() < 0.9:
            return self._note(phone, job)
        strokes = [[[x, 40 + 20 * math.sin(x / 6), 12.5 * x] for x in range(8)]]
        about = {
            "signer_name": "Camille Rossi",
            "consent": {"version": "2026-01", "accepted": True},
            "rating": self._rng.randint(1, 5),
            "document_hash": hashlib.sha256(b"as shown").hexdigest(),
            "strokes": strokes,
        }
        phone.record("signature.capture", self._on(phone, job, **about), allowed=KEPT)
        job.state = "closed"
        return "signature.capture"

    def _edit_text(self, phone: Phone, job: Job) -> str:
        """Add a mark, somewhere between the words, to what the text was when it was last seen."""
        name = self._rng.choice(("findings", "findings", "description"))
        text, rev = job.texts[name]
        words = text.split(" ") if text else []
        words.insert(self._rng.randint(0, len(words)), f"#{phone.device.new_id()}")
        new = " ".join(words)
        args = {"wo": job.order, "visit": job.visit, "field": name, "base_rev": rev, "new": new}
        phone.record("text.edit", args, allowed=KEPT)
        job.texts[name] = new, rev
        return "text.edit"

    def _timer(self, phone: Phone, job: Job) -> str:
        clock: Args = {"boot": phone.clock.boot, "mono": phone.clock.mono(), "zone": "Europe/Paris"}
        if job.timers:
            args = {"id": job.timers.pop(), "wo": job.order, "visit": job.visit, **clock}
            phone.record("time.stop", args, allowed=KEPT)
            return "time.stop"
        args = self._on(phone, job, kind=self._rng.choice(("work", "travel")), **clock)
        job.timers.append(str(args["id"]))
        phone.record("time.start", args, allowed=KEPT)
        return "time.start"

    def _change_photo(self, phone: Phone, job: Job) -> str:
        if not job.photos:
            return self._note(phone, job)
        args = {"photo": self._rng.choice(job.photos), "wo": job.order, "visit": job.visit}
        if self._rng.random() < 0.8:
            phone.record("photo.caption", {**args, "caption": self._text()}, allowed=KEPT)
            return "photo.caption"
        phone.record("photo.hide", {**args, "reason": "blurred"}, allowed=KEPT)
        return "photo.hide"

    def _propose(self, phone: Phone, job: Job) -> str:
        start = phone.clock.now() + timedelta(days=1)
        wish = {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat(), "reason": "earlier"}
        phone.record("wo.propose_time", {"wo": job.order, "visit": job.visit, **wish}, allowed=KEPT)
        return "wo.propose_time"

    def _follow_up(self, phone: Phone, job: Job) -> str:
        args = {"id": phone.device.new_id(), "wo": job.order, "title": "Come again", "description": "Needs a part"}
        phone.record("wo.follow_up", args, allowed=ANY_END)
        return "wo.follow_up"

    def _nonsense(self, phone: Phone, job: Job) -> str:
        name, args = self._rng.choice(
            (
                ("note.add", {"id": "no uuid", "wo": job.order, "body": "x"}),
                ("note.add", self._on(phone, job, body="nul \x00 inside")),
                ("cost.add", self._on(phone, job, kind="travel", amount_minor=-5, currency="EUR")),
                ("never.heard_of", {"anything": [1, 2, {"deep": None}]}),
                ("time.add", self._on(phone, job, kind="work", started_at="yesterday", ended_at="today")),
            )
        )
        phone.record(name, args, allowed=REFUSED)
        return "nonsense"

    def _poison(self, phone: Phone, job: Job) -> str:
        """The server's handler has a bug that shows only after it wrote something."""
        phone.record("soak.poison", self._on(phone, job, body="half an effect"), allowed=REFUSED)
        return "soak.poison"

    def _trespass(self, phone: Phone, _job: Job) -> str:
        args = {"id": phone.device.new_id(), "wo": self._rng.choice(self._strangers), "body": "I was never here"}
        phone.record("note.add", args, allowed=REFUSED)
        return "trespass"
