"""The tours people know, driven by the rules, and the cheapest place for one visit more in each of them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from math import hypot
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from server.dispatch.live_day.domain import Broken, Lacking, Miss, Rule
from server.dispatch.planner.plan import Tour, Undrivable, tour_of
from server.dispatch.planner.problem import InvalidProblem, Problem, Window
from server.dispatch.planner.running import Running
from server.dispatch.planning.asking import Asked, ask, whole_minutes
from server.dispatch.planning.picture import Booked, Depot, Duty, Order, Picture, Span
from server.geo.domain import EARTH_RADIUS, Point, haversine
from server.geo.journey import Matrix

type Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Known:
    """One shift as people know it: its orders in the order they were told."""

    picture: Picture

    @property
    def duty(self) -> Duty:
        return self.picture.duties[0]

    @property
    def sequence(self) -> tuple[Order, ...]:
        return self.picture.orders

    @property
    def places(self) -> tuple[Point, ...]:
        """Every place of the tour, from where it starts to where it ends, and the warehouse."""
        found = [self.duty.start, *(it.place for it in self.sequence), self.duty.home]
        return tuple(dict.fromkeys([*found, *(it.place for it in self.picture.depots)]))

    @property
    def leaves(self) -> datetime:
        return max(self.picture.begins, self.duty.free_at)


def known_tours(picture: Picture) -> list[Known]:
    """Take a picture apart, shift by shift."""
    told = picture.bookings()
    return [_known(picture, duty, told.get(duty.shift_id, [])) for duty in picture.duties]


def _known(picture: Picture, duty: Duty, orders: Sequence[Order]) -> Known:
    # Who needs no parts never drives to a warehouse, and nobody asks how far it is.
    depots = _nearest(picture, duty) if any(it.parts for it in orders) else ()
    return Known(replace(picture, orders=tuple(orders), duties=(duty,), links=(), depots=depots, told=True))


def _nearest(picture: Picture, duty: Duty) -> tuple[Depot, ...]:
    return tuple(sorted(picture.depots, key=lambda it: haversine(it.place, duty.start))[:1])


def without(tour: Known, order_id: UUID) -> Known:
    kept = tuple(it for it in tour.sequence if it.id != order_id)
    return Known(replace(tour.picture, orders=kept))


def with_depots(tour: Known, whole: Picture) -> Known:
    """Answer the tour with the warehouse it would load at."""
    return Known(replace(tour.picture, depots=_nearest(whole, tour.duty)))


def why_not(duty: Duty, order: Order) -> Broken | None:
    """Answer what keeps an engineer from an order whatever the hour: a skill, or somebody's wish."""
    levels = {it.key: it.level for it in duty.skills}
    asked = (Lacking(it.key, it.level, levels.get(it.key, 0)) for it in order.skills)
    lacking = tuple(it for it in asked if it.has < it.level)
    if lacking:
        named = ", ".join(f"{it.key} {it.level} (has {it.has})" for it in lacking)
        return Broken(Rule.SKILL, f"{duty.name} lacks {named}.", skills=lacking)
    if duty.engineer_id in order.banned:
        return Broken(Rule.BAN, f"{duty.name} declined this order, or is not wanted by the customer.")
    return None


MISS_OF = {Rule.SKILL: Miss.SKILL, Rule.BAN: Miss.BAN}


@dataclass(frozen=True)
class Delay:
    """A visit that would begin later than it would without the new one."""

    order_id: UUID
    seconds: int


@dataclass(frozen=True)
class Placed:
    """The cheapest place for an order in one tour. cost: the planner's, in seconds of driving."""

    duty: Duty
    cost: int
    arrives: datetime
    arrives_p90: datetime
    begins: datetime
    ends: datetime
    extra_seconds: int
    extra_metres: int
    overtime_seconds: int
    delays: tuple[Delay, ...]
    late_seconds: int  # after the promise

    @property
    def delay_seconds(self) -> int:
        return sum(it.seconds for it in self.delays)


class NotDrivable(Exception):  # noqa: N818 - errors are nouns
    """A tour that can't be driven by the rules any more, in a sentence."""


class Trial:
    """One tour that runs, and an order that would like to be in it."""

    def __init__(self, tour: Known, order: Order, drives: Matrix) -> None:
        """drives: between the places of `picture_with`. Raises NotDrivable."""
        picture = picture_with(tour, order)
        self.order, self.asked = order, ask(picture, drives)
        self._number = len(picture.orders) - 1
        self._stops = list(range(self._number))
        start = self.asked.start({tour.duty.shift_id: [it.id for it in tour.sequence]} if self._stops else {})
        try:
            self._running = Running(self.problem, start)
        except InvalidProblem:
            raise NotDrivable(self._why_not()) from None
        self._offer = next(iter(self._running.offers(self._number, most=1)), None)

    def _why_not(self) -> str:
        try:
            tour_of(self.problem, 0, self._stops)
        except Undrivable as no:
            return str(no)
        return "it can't be driven in the order people know"

    @property
    def cost(self) -> int | None:
        """What the cheapest place costs, in seconds of driving; None if there is no place by the rules."""
        if self._offer is None:
            return None
        liked = self.order.preferred in {None, self.duty.engineer_id}
        return self._offer.cost + (0 if liked else self.asked.picture.policy.changed)

    @cached_property
    def _before(self) -> Tour:
        return tour_of(self.problem, 0, self._stops)

    @property
    def problem(self) -> Problem:
        return self.asked.problem

    def cheapest(self) -> Placed | None:
        """Answer the cheapest place by the rules, every position looked at; None if there is none."""
        if self._offer is None or self.cost is None:
            return None
        after = self._at_a_whole_minute(self._running.with_visit(self._number, self._offer))
        if after is None:
            return None
        ways, were = _ways(self.asked, after), _ways(self.asked, self._before)
        stop = next(it for it in after.stops if it.visit == self._number)
        begins = self.asked.instant(stop.begins)
        return Placed(
            duty=self.duty,
            cost=self.cost,
            arrives=self.asked.instant(stop.arrives),
            arrives_p90=self.asked.instant(stop.arrives + _spread(self.asked, after, self._number)),
            begins=begins,
            ends=self.asked.instant(stop.ends),
            extra_seconds=ways[0] - were[0],
            extra_metres=ways[1] - were[1],
            overtime_seconds=self._overtime(after) - self._overtime(self._before),
            delays=self._delays(after),
            late_seconds=max(0, round((begins - self.order.respond_by).total_seconds())),
        )

    def _at_a_whole_minute(self, tour: Tour) -> Tour | None:
        """Answer the tour in which the order begins at a minute that people can be told; None if it can't wait."""
        stop = next(it for it in tour.stops if it.visit == self._number)
        begins = whole_minutes(stop.begins)
        if begins == stop.begins:
            return tour
        visits = list(self.problem.visits)
        visits[self._number] = replace(visits[self._number], windows=(Window(begins, begins),))
        try:
            return tour_of(replace(self.problem, visits=tuple(visits)), 0, [it.visit for it in tour.stops])
        except Undrivable:
            return None

    def _delays(self, after: Tour) -> tuple[Delay, ...]:
        begins = {it.visit: it.begins for it in self._before.stops}
        later = [(it.visit, it.begins - begins[it.visit]) for it in after.stops if it.visit in begins]
        return tuple(Delay(self.asked.picture.orders[it].id, by) for it, by in later if it is not None and by > 0)

    @property
    def duty(self) -> Duty:
        return self.asked.picture.duties[0]

    def _overtime(self, tour: Tour) -> int:
        return max(0, tour.returns - self.problem.shifts[0].ends) if tour.stops else 0


def picture_with(tour: Known, order: Order) -> Picture:
    return replace(tour.picture, orders=(*tour.sequence, replace(order, booked=None, lost=None)))


def within(order: Order, span: Span) -> Order:
    """The order as if its customer had chosen this span."""
    return replace(order, windows=(span,))


def booked_at(order: Order, engineer: UUID, start: datetime, end: datetime) -> Order:
    """The order as it is when somebody has been sent."""
    visit = order.booked.visit_id if order.booked else order.id
    return replace(order, booked=Booked(visit, engineer, start, end), lost=None)


def _ways(asked: Asked, tour: Tour) -> tuple[int, int]:
    """Answer the seconds and metres driven."""
    if not tour.stops:
        return 0, 0
    rows = _rows(asked, tour)
    legs = list(pairwise(rows))
    return (
        sum(int(asked.drives.seconds[a, b]) for a, b in legs),
        sum(int(asked.drives.metres[a, b]) for a, b in legs),
    )


def _rows(asked: Asked, tour: Tour) -> list[int]:
    shift = asked.problem.shifts[0]
    found = [shift.start]
    for stop in tour.stops:
        if stop.visit is not None:
            found.append(asked.problem.visits[stop.visit].place)
        elif shift.warehouse is not None:
            found.append(shift.warehouse.place)
    return [*found, shift.start if shift.end is None else shift.end]


def _spread(asked: Asked, tour: Tour, visit: int) -> int:
    """How much later nine such days in ten get there at most, waiting left aside."""
    rows, spread = _rows(asked, tour), 0.0
    until = [it.visit for it in tour.stops].index(visit) + 1
    for a, b in pairwise(rows[: until + 1]):
        spread = hypot(spread, int(asked.drives.p90_seconds[a, b]) - int(asked.drives.seconds[a, b]))
    return round(spread)


# --- where it is worth asking -----------------------------------------------------------------------------------------

_SETTLING = 3600.0  # seconds; a gap's times are what people were told, and tours may run so much before or after them
_STRAIGHT_M_S = 30.0  # nobody is quicker than this as the crow flies
_QUICKEST, _QUICKER_S = 0.7, 60.0  # what roads do not undercut, of a detour by estimate


@dataclass(frozen=True, eq=False)
class Gaps:
    """Every gap of many tours, as columns: of which tour, between which places, and in seconds since 1970 when."""

    tours: tuple[Known, ...]
    tour: NDArray[np.int64]
    before: tuple[Point, ...]
    after: tuple[Point, ...]
    leaves: Numbers
    latest: Numbers

    def detours(self, order: Order, at: datetime, span: Span | None = None) -> tuple[Numbers, Numbers]:
        """Answer what going there in each gap costs by estimate, and at least; infinite where it can't be."""
        befores, afters, legs, pace = self._columns
        here = _radians([order.place])
        there, onward = _straight(befores, here), _straight(afters, here)
        soonest = np.maximum(self.leaves, at.timestamp()) + there / _STRAIGHT_M_S
        fits = np.ones(len(soonest), dtype=np.bool_)
        spans = (span,) if span else order.windows
        if spans:
            soonest = np.maximum(soonest, min(it.opens for it in spans).timestamp())
            fits = soonest <= max(it.closes for it in spans).timestamp()
        fits &= soonest + order.minutes * 60 * pace + onward / _STRAIGHT_M_S <= self.latest
        about = _about(there) + _about(onward) - legs
        return np.where(fits, about, np.inf), np.where(fits, _QUICKEST * about - _QUICKER_S, np.inf)

    @cached_property
    def _columns(self) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        befores, afters = _radians(self.before), _radians(self.after)
        pace = np.array([it.duty.pace_percent / 100 for it in self.tours])
        return befores, afters, _about(_straight(befores, afters)), pace[self.tour]


def gaps_of(tours: Iterable[Known]) -> Gaps:
    known = tuple(tours)
    rows = [(number, *gap) for number, tour in enumerate(known) for gap in _gaps(tour)]
    return Gaps(
        known,
        np.array([it[0] for it in rows], dtype=np.int64),
        tuple(it[1] for it in rows),
        tuple(it[2] for it in rows),
        np.array([it[3] for it in rows], dtype=np.float64),
        np.array([it[4] for it in rows], dtype=np.float64),
    )


def _gaps(tour: Known) -> list[tuple[Point, Point, float, float]]:
    """A tour's gaps as people were told: when it leaves a place, and when it must be at the next."""
    duty, here, found = tour.duty, tour.duty.start, []
    leaves = tour.leaves.timestamp()
    for order in tour.sequence:
        booked = order.booked
        assert booked is not None, "it is in somebody's tour"
        closes = min([it.closes for it in order.windows if it.closes >= booked.start], default=duty.over)
        if booked.start >= tour.picture.frozen_until:
            found.append((here, order.place, leaves - _SETTLING, closes.timestamp() + _SETTLING))
        here, leaves = order.place, booked.start.timestamp() + order.minutes * 60 * duty.pace_percent / 100
    return [*found, (here, duty.home, leaves - _SETTLING, duty.over.timestamp() + _SETTLING)]


def _radians(places: Sequence[Point]) -> Numbers:
    return np.radians(np.array([(it.lon, it.lat) for it in places], dtype=np.float64).reshape(-1, 2))


def _straight(one: Numbers, other: Numbers) -> Numbers:
    half = (other - one) / 2
    chord = np.sin(half[:, 1]) ** 2 + np.cos(one[:, 1]) * np.cos(other[:, 1]) * np.sin(half[:, 0]) ** 2
    return np.asarray(2 * EARTH_RADIUS * np.arcsin(np.sqrt(np.minimum(1.0, chord))))


def _about(metres: Numbers) -> Numbers:
    """Seconds a drive takes about: half as far again, at 25 to 60 km/h."""
    return np.asarray(1.45 * metres / np.clip(7.0 + metres / 1500, 7.0, 17.0))
