"""What is recorded while an order is worked on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from server.geo.domain import Point

# A longer stretch in one go is kept but shown to whoever approves hours.
LONGEST_STRETCH = timedelta(hours=16)


class TimeKind(StrEnum):
    TRAVEL = "travel"
    WORK = "work"
    BREAK = "break"


class CostKind(StrEnum):
    TRAVEL = "travel"
    PARKING = "parking"
    MATERIAL = "material"
    OTHER = "other"


class PhotoState(StrEnum):
    PENDING_BLOB = "pending_blob"  # taken, but its bytes are not here
    READY = "ready"
    DERIVED = "derived"  # small copies can be shown
    UNDECODABLE = "undecodable"  # kept as it came, but no picture can be made of it


@dataclass(frozen=True)
class Note:
    id: UUID
    work_order_id: UUID
    visit_id: UUID | None
    author_id: UUID
    author_name: str
    body: str
    at: datetime


@dataclass(frozen=True)
class Answer:
    id: UUID
    item_id: UUID
    value: Any
    answered_by: UUID
    answered_by_name: str
    at: datetime
    superseded_by: UUID | None
    disputed: bool  # somebody else says otherwise about safety; both stand


@dataclass(frozen=True)
class TimeEntry:
    id: UUID
    visit_id: UUID | None
    person_id: UUID
    person_name: str
    kind: TimeKind
    started_at: datetime
    ended_at: datetime | None  # none while the timer runs
    device_started_at: datetime | None
    device_ended_at: datetime | None
    uncertainty_ms: int | None
    started_zone: str | None
    ended_zone: str | None
    flags: tuple[str, ...]
    revision: int
    approved_at: datetime | None


@dataclass(frozen=True)
class Cost:
    id: UUID
    visit_id: UUID | None
    person_id: UUID
    person_name: str
    kind: CostKind
    amount_minor: int
    currency: str
    description: str
    at: datetime


@dataclass(frozen=True)
class Photo:
    id: UUID
    work_order_id: UUID
    visit_id: UUID | None
    author_id: UUID
    author_name: str
    sha256: str
    caption: str
    at: datetime
    recorded_at: datetime
    state: PhotoState
    undecodable_why: str | None
    width: int | None
    height: int | None
    blurhash: str | None
    missing: bool  # its bytes are overdue, and that was said


@dataclass(frozen=True)
class MissingFile:
    """A photo whose bytes have not come, and when its author's phones were last heard of."""

    photo_id: UUID
    work_order_id: UUID
    number: int
    title: str
    sha256: str
    caption: str
    author_id: UUID
    author_name: str
    at: datetime
    recorded_at: datetime
    overdue: bool
    last_contact_at: datetime | None


@dataclass(frozen=True)
class TimelineEntry:
    """Who did what, when by both clocks, where, from which device and why."""

    id: UUID
    visit_id: UUID | None
    action: str
    from_state: str | None
    to_state: str | None
    actor_id: UUID | None
    actor_name: str
    device_id: UUID | None
    at_device: datetime | None
    at: datetime
    recorded_at: datetime
    place: Point | None
    why: str | None
    facts: Mapping[str, Any]
