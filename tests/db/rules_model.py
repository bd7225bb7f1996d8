"""The conflict rules of one order, told a second time and without a database: what the contract says, as plain Python.

Two engineers and an office. Times are minutes. `push` and the office's decisions answer what the server must answer.
"""

from dataclasses import dataclass, field

# How an engineer's own line of events goes on.
NEXT = {
    "dispatched": {"accept": "accepted", "decline": "declined", "travel": "travelling", "arrive": "on_site"},
    "accepted": {"decline": "declined", "travel": "travelling", "arrive": "on_site", "hold": "paused"},
    "travelling": {"arrive": "on_site", "hold": "paused"},
    "on_site": {"start": "working", "hold": "paused"},
    "working": {"hold": "paused", "resolve": "completed"},
    "paused": {"resume": "working"},
}
BECOMES = {action: state for steps in NEXT.values() for action, state in steps.items()}
ORDER = {"completed": "resolved", "declined": "triaged", "paused": "on_hold"}
BEGUN = {"travelling", "on_site", "working", "paused"}
OVER = {"completed", "interrupted", "declined", "cancelled"}
PLANNABLE = {"new", "triaged", "dispatched", "accepted", "on_hold"}
STOPPABLE = {"new", "triaged", "dispatched", "accepted", "travelling", "on_site", "working", "completed_disputed"}
DONE = {"resolved", "completed_disputed"}


@dataclass
class Visit:
    """`state` as the office has it, `told` as its engineer tells it; `taken` when the office took it away."""

    engineer: str
    state: str = "dispatched"
    told: str = "dispatched"
    begun: int | None = None
    taken: int | None = None

    @property
    def is_open(self) -> bool:
        return self.state not in OVER

    def tell(self, state: str, at: int) -> None:
        self.told = state
        if self.begun is None and state in BEGUN:
            self.begun = at


@dataclass
class Model:
    state: str = "new"
    visits: list[Visit] = field(default_factory=list)
    contested: set[int] = field(default_factory=set)

    def at_hand(self) -> Visit:
        """Under way, else what it was done on, else open, else the last."""

        def rank(numbered: tuple[int, Visit]) -> tuple[int, int]:
            number, visit = numbered
            if visit.is_open and visit.begun is not None:
                return 0, -number
            if visit.state == "completed" and self.state in DONE:
                return 1, -number
            return (2 if visit.is_open else 3), -number

        return min(enumerate(self.visits), key=rank)[1]

    # The office

    def assign(self, engineer: str, now: int) -> bool:
        if self.state not in PLANNABLE:
            return False
        self._withdraw_all(now)
        self.visits.append(Visit(engineer))
        self.state = "dispatched"
        return True

    def cancel(self, now: int) -> bool:
        if self.state in {"cancelled", "resolved"}:
            return False
        self.state, before = "cancelled", self.visits and self.at_hand()
        if before and before.is_open:
            before.state, before.taken = "cancelled", now
        self._withdraw_all(now)
        return True

    def suspend(self) -> bool:
        if self.state not in STOPPABLE:
            return False
        before = self.at_hand() if self.visits else None
        self.state = "on_hold"
        if before and before.is_open:
            before.state = "suspended"
        return True

    def unschedule(self, now: int) -> bool:
        if self.state not in {"dispatched", "accepted"}:
            return False
        before = self.at_hand()
        self.state = "triaged"
        if before.is_open:
            before.state, before.taken = "cancelled", now
        self._withdraw_all(now)
        return True

    def _withdraw_all(self, now: int) -> None:
        for visit in self.visits:
            if visit.is_open:
                begun = (visit.told if visit.state == "suspended" else visit.state) in BEGUN
                visit.state, visit.taken = ("interrupted" if begun else "cancelled"), now

    # The field

    def push(self, number: int, action: str, at: int) -> tuple[str, str | None]:
        """Take in a step on the visit `number`; answer status and code."""
        visit, now_at_hand = self.visits[number], self.at_hand()
        becomes = BECOMES[action]
        if now_at_hand is visit and visit.state == visit.told:
            return self._undisturbed(visit, action, at)
        if visit.told == becomes:
            return "merged", "ALREADY_THERE"
        if becomes != NEXT.get(visit.told, {}).get(action):
            return "conflict", "ILLEGAL_TRANSITION"
        if action == "decline":
            visit.told = becomes
            if visit.is_open:
                visit.state = becomes
            return "merged", "NO_LONGER_ASKED"
        return self._behind_their_back(number, visit, now_at_hand, action, at)

    def _undisturbed(self, visit: Visit, action: str, at: int) -> tuple[str, str | None]:
        becomes = BECOMES[action]
        if self.state == ORDER.get(becomes, becomes):
            return "merged", "ALREADY_THERE"
        if becomes != NEXT.get(visit.told, {}).get(action) or self.state != ORDER.get(visit.told, visit.told):
            return "conflict", "REASSIGNED" if self._open_elsewhere(visit, action) else "ILLEGAL_TRANSITION"
        self._moves(visit, becomes, at)
        return "applied", None

    def _open_elsewhere(self, visit: Visit, action: str) -> bool:
        """The order could take this step, but on a visit that is not over."""
        return not visit.is_open and any(
            ORDER.get(told, told) == self.state and action in steps for told, steps in NEXT.items()
        )

    def _moves(self, visit: Visit, becomes: str, at: int) -> None:
        visit.tell(becomes, at)
        visit.state, self.state = becomes, ORDER.get(becomes, becomes)

    def _behind_their_back(
        self, number: int, visit: Visit, now_at_hand: Visit, action: str, at: int
    ) -> tuple[str, str | None]:
        """The office decided otherwise meanwhile. What was done is told all the same; who is in control is asked."""
        becomes, other = BECOMES[action], now_at_hand if now_at_hand is not visit else None
        begun = visit.begun if visit.begun is not None else (at if becomes in BEGUN else None)
        stopped = self.state == "on_hold" and "suspended" in {visit.state, now_at_hand.state}
        if self.state == "cancelled" or stopped or self.state in DONE:
            return self._done_all_the_same(visit, becomes, at)
        had_begun = begun is not None and visit.taken is not None and begun < visit.taken
        if had_begun and (other is None or other.begun is None):
            self._moves(visit, becomes, at)
            return ("conflict", "TAKEN_BACK") if other is not None and other.is_open else ("applied", None)
        visit.tell(becomes, at)
        if becomes not in BEGUN | {"completed"}:
            return "merged", "BOOKED_AS_FACT"
        first = number not in self.contested
        self.contested.add(number)
        return ("conflict", "REASSIGNED") if first or action == "resolve" else ("merged", "BOOKED_AS_FACT")

    def _done_all_the_same(self, visit: Visit, becomes: str, at: int) -> tuple[str, str | None]:
        visit.tell(becomes, at)
        if becomes != "completed":
            return "merged", "BOOKED_AS_FACT"
        visit.state = "completed"
        if self.state in DONE:
            return "conflict", "BOTH_COMPLETED"
        self.state = "completed_disputed"
        return "conflict", "COMPLETED_DISPUTED"
