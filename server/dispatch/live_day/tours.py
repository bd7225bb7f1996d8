"""The tours people know, driven by the rules, and the cheapest place for one visit more in each of them. Pure."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from math import hypot
from uuid import UUID

from server.dispatch.live_day.domain import Broken, Lacking, Miss, Rule
from server.dispatch.planner.plan import Tour, Undrivable, tour_of
from server.dispatch.planner.problem import InvalidProblem, Problem, Window
from server.dispatch.planner.running import Running
from server.dispatch.planning.asking import Asked, ask, whole_minutes
from server.dispatch.planning.picture import Booked, Depot, Duty, Order, Picture, Span
from server.geo.domain import Point, haversine
from server.geo.journey import Matrix


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
    def legs(self) -> list[tuple[Point, Point]]:
        """The tour's drives, and the one home from the last order that is about to happen."""
        soon = [it.place for it in self.sequence if it.booked and it.booked.start < self.picture.frozen_until]
        return [*self.gaps, *((it, self.duty.home) for it in soon[-1:])]

    @property
    def gaps(self) -> list[tuple[Point, Point]]:
        """Between which places an order can go, by its position."""
        return list(pairwise([self.duty.start, *(it.place for it in self.sequence), self.duty.home]))

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

    def __init__(self, tour: Known, order: Order, drives: Matrix, positions: Sequence[int] | None = None) -> None:
        """drives: between the places of `picture_with`, as far as they are needed. Raises NotDrivable.

        positions: where it is tried, all of them if left out.
        """
        picture = picture_with(tour, order)
        self.order, self.asked = order, ask(picture, drives)
        self._number = len(picture.orders) - 1
        self._stops = list(range(self._number))
        self._after = self._best(tour) if positions is None else self._best_of(positions)

    def _best(self, tour: Known) -> tuple[int, Tour] | None:
        """Answer what the cheapest place of all costs, and the tour with it."""
        start = self.asked.start({tour.duty.shift_id: [it.id for it in tour.sequence]} if self._stops else {})
        try:
            running = Running(self.problem, start)
        except InvalidProblem:
            raise NotDrivable(refusal_of(self.problem, self._stops)) from None
        offer = next(iter(running.offers(self._number, most=1)), None)
        return None if offer is None else (offer.cost, running.with_visit(self._number, offer))

    def _best_of(self, positions: Sequence[int]) -> tuple[int, Tour] | None:
        try:
            was = self._before.costs.total if self._stops else 0
        except Undrivable as no:
            raise NotDrivable(str(no)) from None
        found = []
        for position in (it for it in positions if it >= len(self.problem.shifts[0].locked)):
            with suppress(Undrivable):
                stops = [*self._stops[:position], self._number, *self._stops[position:]]
                found.append(tour_of(self.problem, 0, stops))
        best = min(found, key=lambda it: it.costs.total, default=None)
        return None if best is None else (best.costs.total - was, best)

    @property
    def cost(self) -> int | None:
        """What the cheapest place costs, in seconds of driving; None if there is no place by the rules."""
        if self._after is None:
            return None
        liked = self.order.preferred in {None, self.duty.engineer_id}
        return self._after[0] + (0 if liked else self.asked.picture.policy.changed)

    @cached_property
    def _before(self) -> Tour:
        return tour_of(self.problem, 0, self._stops)

    @property
    def problem(self) -> Problem:
        return self.asked.problem

    def cheapest(self) -> Placed | None:
        """Answer the cheapest place by the rules; None if there is none."""
        if self._after is None or self.cost is None:
            return None
        after = self._at_a_whole_minute(self._after[1])
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


def refusal_of(problem: Problem, visits: Sequence[int]) -> str:
    """Answer why a tour can't be driven."""
    try:
        tour_of(problem, 0, visits)
    except Undrivable as no:
        return str(no)
    return "it can't be driven in the order people know"


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
