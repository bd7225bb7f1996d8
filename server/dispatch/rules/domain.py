"""Which rule decides over an order, and whether its limits allow what it wants. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from server.customers.domain import Tier
from server.workorders.domain import Channel, Priority, State

# An order in one of these waits for somebody to be sent, unless somebody is.
UNASSIGNED = frozenset({State.NEW, State.TRIAGED, State.REOPENED})

# What is offered stays on offer for this long at least, also when the promise is nearly broken or was.
SHORTEST_OFFER = timedelta(hours=1)


class Do(StrEnum):
    """What a rule does with an order."""

    ASSIGN = "assign"  # at once
    WAIT = "wait"  # so many minutes for a person to decide, then assign
    POOL = "pool"  # offer it to the field when fewer than so many minutes remain to respond
    NEVER = "never"  # it is left to people, whatever rules stand below


@dataclass(frozen=True)
class OrderFacts:
    """What rules look at."""

    id: UUID
    priority: Priority
    problem_type: str
    territory_id: UUID | None
    channel: Channel
    tier: Tier
    reported_at: datetime
    respond_by: datetime
    duration_minutes: int


@dataclass(frozen=True)
class Hours:
    """Hours of the day as clocks on the wall show them, the last moment excluded; they may run past midnight."""

    start: time
    end: time

    def cover(self, moment: time) -> bool:
        if self.start < self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end


@dataclass(frozen=True)
class Conditions:
    """What an order must be like. What is left out asks for nothing; of several values one must fit."""

    priorities: frozenset[Priority] = frozenset()
    problem_types: frozenset[str] = frozenset()
    territories: frozenset[UUID] = frozenset()
    channels: frozenset[Channel] = frozenset()
    customer_tiers: frozenset[Tier] = frozenset()
    hours: Hours | None = None
    max_minutes_old: int | None = None

    def met_by(self, order: OrderFacts, at: datetime, zone: ZoneInfo) -> bool:
        """Whether the order is meant at `at`; `zone` is where the organisation's clocks hang."""
        old = at - order.reported_at
        return (
            _one_of(order.priority, self.priorities)
            and _one_of(order.problem_type, self.problem_types)
            and _one_of(order.territory_id, self.territories)
            and _one_of(order.channel, self.channels)
            and _one_of(order.tier, self.customer_tiers)
            and (self.hours is None or self.hours.cover(at.astimezone(zone).time()))
            and (self.max_minutes_old is None or old <= timedelta(minutes=self.max_minutes_old))
        )

    @classmethod
    def from_db(cls, value: Mapping[str, Any]) -> Self:
        hours = value.get("hours")
        return cls(
            priorities=frozenset(map(Priority, value.get("priorities", ()))),
            problem_types=frozenset(value.get("problem_types", ())),
            territories=frozenset(map(UUID, value.get("territories", ()))),
            channels=frozenset(map(Channel, value.get("channels", ()))),
            customer_tiers=frozenset(map(Tier, value.get("customer_tiers", ()))),
            hours=Hours(time.fromisoformat(hours["start"]), time.fromisoformat(hours["end"])) if hours else None,
            max_minutes_old=value.get("max_minutes_old"),
        )

    def as_json(self) -> dict[str, Any]:
        """Answer only what is asked for, in one spelling."""
        named = ("priorities", "problem_types", "territories", "channels", "customer_tiers")
        said: dict[str, Any] = {name: sorted(map(str, getattr(self, name))) for name in named}
        said["hours"] = self.hours and {
            "start": f"{self.hours.start:%H:%M}",
            "end": f"{self.hours.end:%H:%M}",
        }
        return {name: value for name, value in said.items() if value} | _set(max_minutes_old=self.max_minutes_old)


class Limit(StrEnum):
    MIN_SCORE = "min_score"
    MIN_LEAD = "min_lead"
    MAX_ETA_MINUTES = "max_eta_minutes"
    MAX_LOAD_PERCENT = "max_load_percent"


@dataclass(frozen=True)
class Best:
    """A candidate, the leading one as a rule, in the words of limits.

    lead: of their score over the best other's; None when nobody else may take it.
    load_percent: of their day's capacity, with this job.
    """

    score: float
    lead: float | None
    eta_minutes: float
    load_percent: float


@dataclass(frozen=True)
class Broken:
    """A limit that keeps the best from being sent, with what it allows and what was found."""

    limit: Limit
    allowed: float
    found: float

    @classmethod
    def from_db(cls, value: Mapping[str, Any]) -> Self:
        return cls(Limit(value["limit"]), value["allowed"], value["found"])


@dataclass(frozen=True)
class Limits:
    """How clear a case must be to be decided without a person. What is left out limits nothing."""

    min_score: float | None = None
    min_lead: float | None = None
    max_eta_minutes: int | None = None
    max_load_percent: int | None = None

    def broken(self, best: Best) -> tuple[Broken, ...]:
        """Answer every limit the best candidate breaks. Whoever is alone leads by any distance."""
        found = (
            _below(Limit.MIN_SCORE, self.min_score, best.score),
            _below(Limit.MIN_LEAD, self.min_lead, best.lead),
            _above(Limit.MAX_ETA_MINUTES, self.max_eta_minutes, best.eta_minutes),
            _above(Limit.MAX_LOAD_PERCENT, self.max_load_percent, best.load_percent),
        )
        return tuple(broken for broken in found if broken)

    @classmethod
    def from_db(cls, value: Mapping[str, Any]) -> Self:
        return cls(**value)

    def as_json(self) -> dict[str, Any]:
        return _set(**vars(self))


@dataclass(frozen=True)
class Treatment:
    """What a rule does; `minutes` belongs to WAIT and POOL."""

    do: Do
    minutes: int | None = None

    def due(self, order: OrderFacts, since: datetime) -> datetime:
        """When it is to be done with an order it has applied to since `since`."""
        minutes = timedelta(minutes=self.minutes or 0)
        return order.respond_by - minutes if self.do is Do.POOL else since + minutes

    @classmethod
    def from_db(cls, value: Mapping[str, Any]) -> Self:
        return cls(Do(value["do"]), value.get("minutes"))

    def as_json(self) -> dict[str, Any]:
        return {"do": str(self.do)} | _set(minutes=self.minutes)


@dataclass(frozen=True)
class Rule:
    """One version of a rule. Rules are asked by position, the lowest first."""

    id: UUID
    version: int
    position: int
    name: str
    active: bool
    conditions: Conditions
    limits: Limits
    treatment: Treatment
    created_by: UUID
    created_at: datetime


def first_match(rules: Iterable[Rule], order: OrderFacts, at: datetime, zone: ZoneInfo) -> Rule | None:
    """Answer the active rule that decides over an order at `at`; None leaves it to people."""
    return next(_matching(rules, order, at, zone), None)


def last_resort(rules: Iterable[Rule], order: OrderFacts, at: datetime, zone: ZoneInfo) -> Rule | None:
    """Answer the rule that puts an order into the pool now, although another one decided first and nobody was sent.

    A rule that leaves orders to people ends the search, and so does the first one for the pool that is not due yet.
    """
    for rule in _matching(rules, order, at, zone):
        match rule.treatment.do:
            case Do.NEVER:
                return None
            case Do.POOL:
                return rule if rule.treatment.due(order, at) <= at else None
    return None


def _matching(rules: Iterable[Rule], order: OrderFacts, at: datetime, zone: ZoneInfo) -> Iterator[Rule]:
    for rule in sorted(rules, key=lambda it: (it.position, it.id)):
        if rule.active and rule.conditions.met_by(order, at, zone):
            yield rule


class RuleOutcome(StrEnum):
    """What came of a rule deciding over an order."""

    ASSIGNED = "assigned"
    WAITING = "waiting"
    POOLED = "pooled"
    LIMITS_NOT_MET = "limits_not_met"
    NOBODY = "nobody"  # no engineer may take it
    LEFT = "left"  # to people


@dataclass(frozen=True)
class Attempt:
    """What a rule did with an order, and when.

    until: when it goes on, for one that waits. over_at: when waiting ended, whoever ended it.
    limits: those that were broken.
    """

    id: UUID
    work_order_id: UUID
    rule_id: UUID
    rule_version: int
    rule_name: str
    outcome: RuleOutcome
    at: datetime
    until: datetime | None
    over_at: datetime | None
    engineer_id: UUID | None
    engineer_name: str | None
    limits: tuple[Broken, ...]


class OfferEnding(StrEnum):
    """How an offer ended."""

    TAKEN = "taken"
    ASSIGNED = "assigned"  # the office sent somebody
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Offer:
    """An order that whoever may can take; opened by a rule or by a person."""

    id: UUID
    work_order_id: UUID
    opened_at: datetime
    opened_by: UUID | None
    rule_id: UUID | None
    rule_version: int | None
    closes_at: datetime
    ended_at: datetime | None
    ending: OfferEnding | None
    taken_by: UUID | None

    @property
    def is_open(self) -> bool:
        return self.ended_at is None


def closing_of(order: OrderFacts, at: datetime) -> datetime:
    """When an offer opened at `at` ends if nobody takes it: with the promise, but not sooner than people can look."""
    return max(order.respond_by, at + SHORTEST_OFFER)


@dataclass(frozen=True)
class Rehearsed:
    """What a rule would have done with an order of the past.

    outcome: None where it depends on a ranking that was never made.
    best_id: who led in the decision that is stored; sent_id: who was sent first.
    """

    work_order_id: UUID
    number: int
    title: str
    reported_at: datetime
    rule: Rule | None
    outcome: RuleOutcome | None
    limits: tuple[Broken, ...]
    best_id: UUID | None
    sent_id: UUID | None


def foreseen(
    rule: Rule, order: OrderFacts, best: Best | None, *, decided: bool, sent_at: datetime | None
) -> RuleOutcome | None:
    """What a rule would have come to, had it decided when the order was reported; None where nobody can tell.

    decided: whether a ranking is stored, whose leader is `best`. sent_at: when somebody was sent.
    """
    match rule.treatment.do:
        case Do.NEVER:
            return RuleOutcome.LEFT
        case Do.WAIT | Do.POOL if sent_at is not None and sent_at <= rule.treatment.due(order, order.reported_at):
            return RuleOutcome.WAITING
        case Do.POOL:
            return RuleOutcome.POOLED
    if not decided:
        return None
    if best is None:
        return RuleOutcome.NOBODY
    return RuleOutcome.LIMITS_NOT_MET if rule.limits.broken(best) else RuleOutcome.ASSIGNED


def _one_of[T](value: T, allowed: frozenset[T]) -> bool:
    return not allowed or value in allowed


def _below(limit: Limit, least: float | None, found: float | None) -> Broken | None:
    return Broken(limit, least, found) if least is not None and found is not None and found < least else None


def _above(limit: Limit, most: float | None, found: float) -> Broken | None:
    return Broken(limit, most, found) if most is not None and found > most else None


def _set(**named: float | None) -> dict[str, Any]:
    return {name: value for name, value in named.items() if value is not None}
