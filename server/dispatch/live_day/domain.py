"""Words of the day as it runs: what goes wrong, and what a customer may be offered."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from server.dispatch.planning.domain import PlanState


class DisruptionKind(StrEnum):
    DELAY = "delay"  # the engineer will be free later than planned
    ABSENCE = "absence"
    BREAKDOWN = "breakdown"  # of the van: the engineer goes nowhere any more
    NO_SHOW = "no_show"  # the customer was not there
    CANCELLATION = "cancellation"


NOT_THERE = "Customer was not there"


class DisruptionState(StrEnum):
    OPEN = "open"
    REPAIRED = "repaired"  # its repair was put into effect, or there was nothing to change
    IGNORED = "ignored"  # a dispatcher leaves things as they are


@dataclass(frozen=True)
class Disruption:
    """What went wrong with one engineer's day, from when until when. reported_by: none where the system noticed.

    why: in the words of whoever told it, if they gave any.
    """

    id: UUID
    kind: DisruptionKind
    state: DisruptionState
    engineer_id: UUID
    engineer_name: str
    work_order_id: UUID | None
    visit_id: UUID | None
    from_at: datetime
    until_at: datetime
    reported_by: UUID | None
    reported_at: datetime
    why: str
    plan_id: UUID | None

    @property
    def sentence(self) -> str:
        """What went wrong, and why as far as that was said."""
        match self.kind:
            case DisruptionKind.ABSENCE:
                return self.why or "absent"
            case DisruptionKind.BREAKDOWN:
                return f"van broken down, {self.why}" if self.why else "van broken down"
            case DisruptionKind.DELAY if self.reported_by is not None:
                minutes = round((self.until_at - self.from_at).total_seconds() / 60)
                return f"{self.why or 'late'}, done in {minutes} min"
            case DisruptionKind.NO_SHOW:
                return f"{NOT_THERE}: {self.why}" if self.why else NOT_THERE
            case _:
                return self.why


@dataclass(frozen=True)
class Repair:
    """How the plan stands that mends a disruption: of `changes` so many are in effect, so many declined.

    by_itself: put into effect within the limits, by nobody's decision.
    """

    plan_id: UUID
    state: PlanState
    changes: int
    applied: int
    declined: int
    by_itself: bool


class Rating(StrEnum):
    """How well a slot suits the tours that are running."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


class Rule(StrEnum):
    """What giving an order to somebody would break."""

    SKILL = "skill"
    BAN = "ban"
    SHIFT = "shift"
    WINDOW = "window"
    PROMISE = "promise"
    BREAK = "break"
    PIN = "pin"
    LINK = "link"  # to an order that it waits for, or begins together with


class Side(StrEnum):
    """On which side of a limit something would be."""

    EARLY = "early"
    LATE = "late"


@dataclass(frozen=True)
class Lacking:
    """A skill that is asked for at a level, and the level there is; 0 is none."""

    key: str
    level: int
    has: int


@dataclass(frozen=True)
class Broken:
    """A rule that would be broken: as a sentence, and as what the sentence is made of.

    seconds, side: by how much and on which side of the limit `at`, where there is one. skills: what is lacking.
    """

    code: Rule
    sentence: str
    seconds: int | None = None
    at: datetime | None = None
    side: Side | None = None
    skills: tuple[Lacking, ...] = ()


class Miss(StrEnum):
    """Why a shift makes no offers."""

    SKILL = "skill"
    BAN = "ban"
    UNDRIVABLE = "undrivable"  # its tour can't be driven by the rules any more
    NO_ROOM = "no_room"
    LINK = "link"  # the order is linked with one that leaves it no time then


@dataclass(frozen=True)
class LeftOut:
    """A shift that makes no offers, and why."""

    engineer_id: UUID
    name: str
    shift_id: UUID
    why: Miss
    sentence: str
