"""What is known when a plan is made: orders, shifts, links, warehouses and what is weighed against what. Frozen.

A plan keeps its picture, so that it can be explained, and made again, when everything has changed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from server.geo.domain import Metres, Point, Seconds
from server.workforce.domain import SkillLevel
from server.workorders.domain import LinkKind, Pin, Priority


@dataclass(frozen=True)
class Policy:
    """What a plan weighs against what, in seconds of driving.

    worth: of doing a visit at all, by priority; `promised` times as much where its promise or its last window ends
    within the plan, and `booked` times as much where somebody was told already.
    late: of each second after the promise. overtime: of each second. changed: of sending somebody else than people
    know, or than the customer wished for. away, fairness: see the planner's `Prices`.
    frozen: minutes ahead in which nothing is changed any more.
    split: so many orders, and a plan is solved territory by territory.
    delay_notice_minutes: later than planned, and an engineer at work is said to be late; less settles itself.
    caution_percent: of the way from a usual drive (p50) to a slow one (p90) that a plan allows for on every drive.
    """

    worth: dict[Priority, int] = field(
        default_factory=lambda: {Priority.URGENT: 172_800, Priority.HIGH: 57_600, Priority.NORMAL: 21_600}
    )
    vip: float = 1.3
    promised: int = 3
    booked: int = 5
    late: dict[Priority, int] = field(
        default_factory=lambda: {Priority.URGENT: 24, Priority.HIGH: 6, Priority.NORMAL: 2}
    )
    overtime: int = 3
    changed: int = 900
    away: int = 0
    fairness: int = 8
    frozen: int = 30
    loading: int = 15
    split: int = 150
    caution_percent: int = 0
    delay_notice_minutes: int = 15
    # What a repair may do by itself: so many visits moved, none begun so many minutes later than known, none left out.
    automatic: bool = False
    automatic_moves: int = 3
    automatic_later: int = 30


@dataclass(frozen=True)
class Span:
    opens: datetime
    closes: datetime


@dataclass(frozen=True)
class Need:
    """Parts an order has reserved, or a van carries."""

    part_id: UUID
    quantity: int


@dataclass(frozen=True)
class Booked:
    """The visit that an engineer knows of and has not set out for."""

    visit_id: UUID
    engineer_id: UUID
    start: datetime
    end: datetime
    pin: Pin | None = None


@dataclass(frozen=True)
class Order:
    """windows: when work may begin; none is any time. lost: the booking of somebody who will not be there."""

    id: UUID
    number: int
    place: Point
    territory_id: UUID | None
    priority: Priority
    vip: bool
    minutes: int
    windows: tuple[Span, ...]
    respond_by: datetime
    skills: tuple[SkillLevel, ...]
    parts: tuple[Need, ...]
    preferred: UUID | None
    banned: tuple[UUID, ...]
    booked: Booked | None
    lost: Booked | None = None

    @property
    def known(self) -> Booked | None:
        """What people were told, whether it can be kept or not."""
        return self.booked or self.lost


@dataclass(frozen=True)
class Rest:
    opens: datetime
    closes: datetime
    minutes: int


@dataclass(frozen=True)
class Duty:
    """One engineer's shift, or what is left of it. free_at, start: from when and where they can set out."""

    shift_id: UUID
    engineer_id: UUID
    name: str
    territory_id: UUID | None
    start: Point
    home: Point
    free_at: datetime
    ends: datetime
    rest: Rest | None
    overtime_minutes: int
    pace_percent: int
    skills: tuple[SkillLevel, ...]
    stock: tuple[Need, ...]

    @property
    def over(self) -> datetime:
        return self.ends + timedelta(minutes=self.overtime_minutes)


@dataclass(frozen=True)
class Away:
    """Somebody who is not there for a time, or who is only busy for longer than was planned."""

    engineer_id: UUID
    since: datetime
    until: datetime
    busy: bool = False


@dataclass(frozen=True)
class Link:
    """first_done, first_ends: what is known of the first where it is not in the picture itself."""

    kind: LinkKind
    first_id: UUID
    then_id: UUID
    gap_minutes: int
    first_done: bool = False
    first_ends: datetime | None = None


@dataclass(frozen=True)
class Depot:
    location_id: UUID
    name: str
    place: Point


@dataclass(frozen=True)
class Picture:
    """told: nothing begins before the time people were told, and whatever begins after it is late."""

    at: datetime
    begins: datetime
    until: datetime
    orders: tuple[Order, ...]
    duties: tuple[Duty, ...]
    links: tuple[Link, ...]
    depots: tuple[Depot, ...]
    policy: Policy
    told: bool = False

    @property
    def origin(self) -> datetime:
        """What the planner counts its seconds from: a whole minute, for people are told whole minutes."""
        return min([self.begins, self.at, *(it.free_at for it in self.duties)]).replace(second=0, microsecond=0)

    @property
    def frozen_until(self) -> datetime:
        return self.at + timedelta(minutes=self.policy.frozen)

    def part(self, orders: Collection[UUID], shifts: Collection[UUID]) -> "Picture":
        """Answer the same picture with fewer orders and shifts in it."""
        return replace(
            self,
            orders=tuple(it for it in self.orders if it.id in orders),
            duties=tuple(it for it in self.duties if it.shift_id in shifts),
        )

    def shift_alone(self, shift: UUID, orders: Collection[UUID], appointments: Mapping[UUID, datetime]) -> "Picture":
        """Answer one shift with its orders; those that have an appointment with others begin then."""
        alone = self.part(orders, {shift})
        met = [
            replace(it, windows=(Span(appointments[it.id], appointments[it.id]),)) if it.id in appointments else it
            for it in alone.orders
        ]
        return replace(alone, orders=tuple(met), links=())

    def duty_of(self, booked: Booked) -> Duty | None:
        """Answer the shift a visit lies in, the nearest of that engineer; None when they have none."""
        mine = [it for it in self.duties if it.engineer_id == booked.engineer_id]
        return min(mine, key=lambda it: _apart(it, booked.start), default=None)

    def bookings(self) -> dict[UUID, list[Order]]:
        """Answer the orders that people know of by shift, as they are to be made."""
        found: dict[UUID, list[Order]] = {}
        for it in sorted((it for it in self.orders if it.booked), key=_when):
            assert it.booked is not None
            if duty := self.duty_of(it.booked):
                found.setdefault(duty.shift_id, []).append(it)
        return found


def present(duty: Duty, aways: Iterable[Away]) -> Duty | None:
    """Answer what is left of a shift for somebody who is away; None if nothing is."""
    for it in aways:
        if it.engineer_id != duty.engineer_id or it.until <= duty.free_at or it.since >= duty.over:
            continue
        if it.busy:
            duty = replace(duty, free_at=it.until)
        elif it.since > duty.free_at:
            duty = replace(duty, ends=min(duty.ends, it.since), overtime_minutes=0)
        elif it.until < duty.ends:
            duty = replace(duty, free_at=it.until, start=duty.home)
        else:
            return None
    return duty


def _when(it: Order) -> tuple[datetime, UUID]:
    assert it.booked is not None
    return it.booked.start, it.id


def _apart(duty: Duty, start: datetime) -> timedelta:
    return max(duty.free_at - start, start - duty.over, timedelta())


@dataclass(frozen=True)
class Leg:
    """A drive."""

    seconds: Seconds
    p90_seconds: Seconds
    metres: Metres
