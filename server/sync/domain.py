"""Words of the protocol."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class Status(StrEnum):
    """How a mutation ended. All of them are acknowledged and kept; none blocks the queue."""

    APPLIED = "applied"
    MERGED = "merged"
    CONFLICT = "conflict"
    QUARANTINED = "quarantined"
    DUPLICATE = "duplicate"


@dataclass(frozen=True)
class Cookie:
    """Names one answer the device stored completely. To the device it is opaque text."""

    epoch: int
    ordinal: int

    def __str__(self) -> str:
        return f"{self.epoch}:{self.ordinal}"

    @staticmethod
    def read(text: str) -> "Cookie":
        epoch, ordinal = text.split(":")
        return Cookie(int(epoch), int(ordinal))


@dataclass(frozen=True)
class Occurrence:
    """When something really happened: the device's clock is evidence, the estimate is what we order by."""

    at_device: datetime
    at: datetime  # estimated on the server's clock, never later than its receipt
    uncertainty_ms: int
    received_at: datetime
    flags: tuple[str, ...] = ()  # CLOCK_FUTURE: it said it was later than now; CLOCK_JUMP: the clock was set since

    @property
    def clock_future(self) -> bool:
        return "CLOCK_FUTURE" in self.flags


@dataclass(frozen=True)
class Mutation:
    """One thing a person did on a device, as its mutator sees it."""

    id: UUID
    seq: int
    name: str
    v: int
    base: Mapping[str, Any]
    device: UUID
    stream: UUID  # within which `seq` tells what came first
    occurrence: Occurrence
    place: Mapping[str, float] | None


@dataclass(frozen=True)
class Disagreement:
    """What a mutator hands over when both sides are right: becomes a row of the conflict inbox.

    mine, theirs: both sides completely, as JSON, so that either can be made to stand later; `theirs` stands now.
    work_order_id: the order it is about, where there is one.
    """

    code: str
    entity: str
    entity_id: UUID
    mine: Mapping[str, Any]
    theirs: Mapping[str, Any]
    work_order_id: UUID | None = None


class Side(StrEnum):
    """Of a conflict, seen from the device: what it sent, and what the server had."""

    MINE = "mine"
    THEIRS = "theirs"


@dataclass(frozen=True)
class Dispute:
    """A recorded disagreement, as whoever settles it sees it. `person` and `device` sent the mutation."""

    id: UUID
    mutation_id: UUID
    code: str
    entity: str
    entity_id: UUID
    work_order_id: UUID | None
    mine: Mapping[str, Any]
    theirs: Mapping[str, Any]
    person: UUID
    device: UUID


@dataclass(frozen=True)
class Outcome:
    """How a mutator ended. A raised `Problem` ends as quarantined with its code instead, its effects undone."""

    status: Status = Status.APPLIED
    code: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    flags: tuple[str, ...] = ()  # what a reviewer should look at, for example TIME_OVERLAP
    disagreement: Disagreement | None = None

    @staticmethod
    def merged(code: str) -> "Outcome":
        return Outcome(Status.MERGED, code)

    @staticmethod
    def conflict(disagreement: Disagreement) -> "Outcome":
        return Outcome(Status.CONFLICT, disagreement.code, disagreement=disagreement)


APPLIED = Outcome()
