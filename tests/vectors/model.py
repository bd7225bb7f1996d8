"""What must become of two engineers' work on one order: the rules of the protocol, said once more, as small as they go.

Pure, and knows nothing of the server. Time is a number; `a` and `b` are the devices, `A` and `B` the people.
"""

from dataclasses import dataclass, field
from typing import Any

OPEN = {"dispatched", "accepted", "travelling", "on_site", "working", "suspended"}
BEGUN = {"travelling", "on_site", "working"}
DONE = {"resolved", "completed_disputed"}
# action → from which states of the order, its next state, the visit's next state
STEPS: dict[str, tuple[set[str], str, str]] = {
    "accept": ({"dispatched"}, "accepted", "accepted"),
    "decline": ({"dispatched", "accepted"}, "triaged", "declined"),
    "travel": ({"dispatched", "accepted"}, "travelling", "travelling"),
    "arrive": ({"dispatched", "accepted", "travelling"}, "on_site", "on_site"),
    "start": ({"on_site"}, "working", "working"),
    "resolve": ({"working"}, "resolved", "completed"),
}
ORDER_OF = {visit: order for _, order, visit in STEPS.values()} | {"dispatched": "dispatched"}
SLOTS = ("head", "middle", "tail")
TEXT = {"head": "", "middle": "beta", "tail": ""}

type Result = list[Any]  # status, code
type Op = list[Any]


def spelt(slots: dict[str, str]) -> str:
    return " ".join(word for word in (slots["head"], "alpha", slots["middle"], "gamma", slots["tail"]) if word)


@dataclass
class Visit:
    """`line` is how far its engineer says they are; `state` what the server makes of it."""

    who: str
    state: str = "dispatched"
    line: str = "dispatched"
    begun: float | None = None
    ended: float | None = None
    contested: bool = False

    def move(self, state: str, at: float, now: float) -> None:
        self.state = state
        if state in OPEN:
            self.ended = None
        elif state == "completed" or self.ended is None:
            self.ended = now
        if state not in {"cancelled", "interrupted", "suspended"}:
            self.tell(state, at)

    def tell(self, line: str, at: float) -> None:
        self.line = line
        if line in BEGUN and self.begun is None:
            self.begun = at


@dataclass
class Answer:
    who: str
    value: Any
    stands: bool = True


@dataclass
class Server:
    """One order, first sent to A. `vans` and the text are as every case finds them."""

    state: str = "dispatched"
    visits: list[Visit] = field(default_factory=lambda: [Visit("A")])
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    text: dict[str, str] = field(default_factory=lambda: dict(TEXT))
    sent_texts: dict[str, dict[str, str]] = field(default_factory=dict)  # by device: what it sent last
    hours: list[tuple[str, str, float, float]] = field(default_factory=list)
    overlapping: list[str] = field(default_factory=list)
    vans: dict[str, float] = field(default_factory=lambda: {"A": 1.0, "B": 1.0})
    serials_used: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    photos: dict[str, list[Any]] = field(default_factory=dict)

    # -- the office ------------------------------------------------------------------------------------------------

    def give_to(self, who: str, now: float) -> None:
        for visit in self.visits:
            if visit.ended is None:
                visit.move("interrupted" if visit.begun is not None else "cancelled", now, now)
        self.visits.append(Visit(who))
        self.state = "dispatched"

    def office(self, act: str, now: float) -> None:
        """Cancel or suspend; an order that is done can't be, and stays as it is."""
        at_hand = self.at_hand()
        if act == "cancel" and self.state not in {"resolved", "cancelled"}:
            if at_hand.ended is None:
                at_hand.move("cancelled", now, now)
            for visit in self.visits:
                if visit.ended is None:
                    visit.move("interrupted" if visit.begun is not None else "cancelled", now, now)
            self.state = "cancelled"
        if act == "suspend" and self.state not in {"resolved", "cancelled", "on_hold"}:
            if at_hand.ended is None:
                at_hand.move("suspended", now, now)
            self.state = "on_hold"

    def at_hand(self) -> Visit:
        def rank(visit: Visit) -> int:
            if visit.ended is None and visit.begun is not None:
                return 0
            if visit.state == "completed" and self.state in DONE:
                return 1
            return 2 if visit.ended is None else 3

        return min(reversed(self.visits), key=rank)

    def sees(self, who: str) -> bool:
        """Open visits, and those finished or broken off lately; never what was only planned for somebody."""
        mine = [visit for visit in self.visits if visit.who == who]
        return any(visit.ended is None or visit.state in {"completed", "interrupted"} for visit in mine)

    # -- the field -------------------------------------------------------------------------------------------------

    def take(self, device: str, who: str, op: Op, at: float, now: float) -> Result:
        match op:
            case ["to", action]:
                return self._step(who, action, at, now)
            case ["answer", item, value]:
                return self._answer(who, item, value)
            case ["text", slots]:
                return self._edit(device, slots)
            case ["time", name, start, end]:
                return self._time(who, name, start, end)
            case ["serial", name]:
                if name in self.serials_used:
                    return ["quarantined", "SERIAL_ALREADY_USED"]
                self.serials_used.add(name)
            case _:
                self._keep(who, op)
        return ["applied", None]

    def _keep(self, who: str, op: Op) -> None:
        match op:
            case ["use", quantity]:
                self.vans[who] -= quantity
            case ["back", quantity]:
                self.vans[who] += quantity
            case ["note", name]:
                self.notes.append(name)
            case ["photo", name]:
                self.photos[name] = ["", False]
            case ["caption", name, words]:
                self.photos[name][0] = words
            case ["hide", name]:
                self.photos[name][1] = True

    def _step(self, who: str, action: str, at: float, now: float) -> Result:
        mine = next(visit for visit in self.visits if visit.who == who)
        at_hand = self.at_hand()
        sources, _, line = STEPS[action]
        if at_hand is mine and mine.state == mine.line:
            return self._in_step(mine, action, at, now)
        if line == mine.line:
            return ["merged", "ALREADY_THERE"]
        if ORDER_OF[mine.line] not in sources:
            return ["conflict", "ILLEGAL_TRANSITION"]
        return self._unaware(mine, at_hand, action, at, now)

    def _unaware(self, mine: Visit, at_hand: Visit, action: str, at: float, now: float) -> Result:
        """They went on without knowing what the office had decided."""
        if action == "decline":
            if mine.ended is None:
                mine.move("declined", at, now)
            mine.line = "declined"
            return ["merged", "NO_LONGER_ASKED"]
        if self.state == "cancelled" or (self.state == "on_hold" and "suspended" in {mine.state, at_hand.state}):
            return self._although_stopped(mine, action, at, now)
        if self.state in DONE:
            return self._although_done(mine, action, at, now)
        return self._although_taken(mine, at_hand, action, at, now)

    def _although_done(self, mine: Visit, action: str, at: float, now: float) -> Result:
        mine.tell(STEPS[action][2], at)
        if action != "resolve":
            return ["merged", "BOOKED_AS_FACT"]
        mine.move("completed", at, now)
        return ["conflict", "BOTH_COMPLETED"]

    def _although_taken(self, mine: Visit, at_hand: Visit, action: str, at: float, now: float) -> Result:
        """Theirs again if they had begun before it was taken and nobody else has; else a person decides."""
        _, target, line = STEPS[action]
        begun = mine.begun if mine.begun is not None else at if line in BEGUN else None
        had_begun = begun is not None and mine.ended is not None and begun < mine.ended
        if had_begun and (at_hand is mine or at_hand.begun is None):
            self.state = target
            mine.move(line, at, now)
            rival = at_hand is not mine and at_hand.ended is None
            return ["conflict", "TAKEN_BACK"] if rival else ["applied", None]
        mine.tell(line, at)
        if line == "accepted":
            return ["merged", "BOOKED_AS_FACT"]
        first, mine.contested = not mine.contested, True
        return ["conflict", "REASSIGNED"] if first or action == "resolve" else ["merged", "BOOKED_AS_FACT"]

    def _in_step(self, mine: Visit, action: str, at: float, now: float) -> Result:
        sources, target, line = STEPS[action]
        if self.state == target:
            return ["merged", "ALREADY_THERE"]
        if self.state not in sources:
            return ["conflict", "ILLEGAL_TRANSITION"]
        if mine.ended is not None:
            return ["conflict", "REASSIGNED"]
        self.state = target
        mine.move(line, at, now)
        return ["applied", None]

    def _although_stopped(self, mine: Visit, action: str, at: float, now: float) -> Result:
        """What was done has happened; completing it is for a person to judge."""
        mine.tell(STEPS[action][2], at)
        if action != "resolve":
            return ["merged", "BOOKED_AS_FACT"]
        self.state = "completed_disputed"
        mine.move("completed", at, now)
        return ["conflict", "COMPLETED_DISPUTED"]

    def _answer(self, who: str, item: str, value: Any) -> Result:
        given = self.answers.setdefault(item, [])
        standing = [answer for answer in given if answer.stands]
        against = [it for it in standing if item == "safety" and it.who != who and it.value != value]
        assignee = self.at_hand().who
        new = Answer(who, value)
        given.append(new)
        if not against and who != assignee and any(it.who == assignee for it in standing):
            new.stands = False
            return ["merged", "ANSWER_KEPT_BESIDE"]
        for answer in standing:
            answer.stands = bool(against) and answer.who != who
        return ["conflict", "SAFETY_ANSWER"] if against else ["applied", None]

    def _edit(self, device: str, slots: dict[str, str]) -> Result:
        new, base = {**TEXT, **slots}, self.sent_texts.get(device, TEXT)
        if new == self.text:
            return ["merged", "ALREADY_THERE"]
        self.sent_texts[device] = new
        merged = dict(self.text)
        for slot in SLOTS:
            if new[slot] != base[slot]:
                if self.text[slot] not in {base[slot], new[slot]}:
                    return ["conflict", "TEXT_OVERLAP"]
                merged[slot] = new[slot]
        self.text = merged
        return ["applied", None] if merged == new else ["merged", "TEXT_MERGED"]

    def _time(self, who: str, name: str, start: float, end: float) -> Result:
        if any(person == who and start < e and s < end for _, person, s, e in self.hours):
            self.overlapping.append(name)
        self.hours.append((name, who, start, end))
        return ["applied", None]
