"""What boards, pages and reports read of an order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from server.customers.domain import Asset, Contact, Customer, Site, Tier
from server.geo.domain import Point
from server.workforce.domain import SkillLevel
from server.workorders.domain import Action, LinkKind, Pin, Priority, State, VisitState, WorkOrder
from server.workorders.invoicing import Obstacle, obstacles
from server.workorders.procedures import Item, ItemKind, within_limits
from server.workorders.records import Answer, Cost, Note, Photo, PhotoState, TimeEntry


@dataclass(frozen=True)
class Filter:
    """Which orders a list shows; everything left out admits all."""

    states: Sequence[State] = ()
    priorities: Sequence[Priority] = ()
    q: str | None = None
    engineer_id: UUID | None = None
    customer_id: UUID | None = None
    open_only: bool = False
    voided: bool = False  # only those that were taken back, instead of all others


@dataclass(frozen=True)
class WorkOrderSummary:
    """An order as a line of a list, with its open visit or else its last one."""

    id: UUID
    number: int
    title: str
    problem_type: str
    state: State
    priority: Priority
    customer_id: UUID
    customer_name: str
    customer_tier: Tier
    site_id: UUID
    site_name: str
    place: Point
    reported_at: datetime
    respond_by: datetime
    window_start: datetime | None
    window_end: datetime | None
    duration_minutes: int
    engineer_id: UUID | None
    engineer_name: str | None
    visit_id: UUID | None
    visit_state: VisitState | None
    planned_start: datetime | None
    planned_end: datetime | None
    version: int


@dataclass(frozen=True)
class VisitView:
    id: UUID
    ordinal: int
    state: VisitState
    engineer_id: UUID | None
    engineer_name: str | None
    planned_start: datetime | None
    planned_end: datetime | None
    approached_at: datetime | None
    finished_at: datetime | None
    pin: Pin | None
    version: int


@dataclass(frozen=True)
class ChecklistLine:
    """One item of the order's procedure with the answer that stands and those it replaced.

    against: what other people hold against it, as long as nobody has decided.
    """

    item: Item
    answer: Answer | None
    against: tuple[Answer, ...]
    earlier: tuple[Answer, ...]

    @property
    def out_of_limits(self) -> bool:
        value: Any = self.answer.value if self.answer else None
        return self.item.kind is ItemKind.NUMBER and value is not None and not within_limits(self.item, float(value))


@dataclass(frozen=True)
class WorkOrderDetail:
    order: WorkOrder
    summary: WorkOrderSummary
    skills: list[SkillLevel]
    procedure_key: str | None
    customer: Customer
    site: Site
    asset: Asset | None
    contacts: list[Contact]
    visits: list[VisitView]
    notes: list[Note]
    checklist: list[ChecklistLine]
    extra_answers: list[Answer]
    time: list[TimeEntry]
    costs: list[Cost]
    photos: list[Photo]
    allowed_actions: list[Action]

    @property
    def missing_files(self) -> int:
        return sum(photo.state is PhotoState.PENDING_BLOB for photo in self.photos)

    @property
    def invoice_obstacles(self) -> list[Obstacle]:
        return obstacles(self.order.state, missing_files=self.missing_files)


@dataclass(frozen=True)
class Counts:
    """How many open orders there are of each state and priority."""

    by_state: dict[str, int]
    by_priority: dict[str, int]


def checklist(items: Sequence[Item], answers: Sequence[Answer]) -> list[ChecklistLine]:
    """Lay answers beside their items; answers are in the order they were given."""
    by_item: dict[UUID, list[Answer]] = {}
    for answer in answers:
        by_item.setdefault(answer.item_id, []).append(answer)
    return [_line(item, by_item.get(item.id, [])) for item in items]


def _line(item: Item, answers: Sequence[Answer]) -> ChecklistLine:
    standing = [answer for answer in answers if answer.superseded_by is None]
    earlier = tuple(answer for answer in answers if answer.superseded_by is not None)
    return ChecklistLine(item, standing[-1] if standing else None, tuple(standing[:-1]), earlier)


def extra(items: Sequence[Item], answers: Sequence[Answer]) -> list[Answer]:
    """Answer the answers to items that are not the procedure's any more."""
    known = {item.id for item in items}
    return [answer for answer in answers if answer.item_id not in known]


@dataclass(frozen=True)
class Window:
    """When work may begin, besides the order's own window."""

    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True)
class Linked:
    """Two orders that begin together, or of which the second begins when the first has ended."""

    id: UUID
    kind: LinkKind
    first_id: UUID
    first_number: int
    first_title: str
    then_id: UUID
    then_number: int
    then_title: str
    gap_minutes: int
