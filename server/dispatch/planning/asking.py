"""From a picture to the planner's problem: places, seconds, prices. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from server.dispatch.planner.plan import Costs, Plan, Stop, Tour, Undrivable, Why, tour_of
from server.dispatch.planner.problem import (
    MANDATORY,
    Before,
    Break,
    Crew,
    Level,
    Prices,
    Problem,
    Shift,
    Visit,
    Warehouse,
    Window,
)
from server.dispatch.planning.picture import Duty, Link, Order, Picture, Span
from server.geo.domain import Point, haversine
from server.geo.journey import Matrix
from server.workforce.domain import SkillLevel
from server.workorders.domain import LinkKind, Pin

_LOST_LATE = 1  # cost of a second that begins after what was told, for a visit whose engineer is away
_MORE = 12 * 3600  # seconds; how far beyond their shift those are followed who are late already

type Sequences = Mapping[UUID, Sequence[UUID | None]]  # by shift: orders in their order, None the warehouse


@dataclass(frozen=True, eq=False)
class Asked:
    """A problem and what its numbers stand for: visit n is order n of the picture, shift n its duty n."""

    picture: Picture
    problem: Problem
    places: tuple[Point, ...]
    drives: Matrix  # shape (places, places)

    def instant(self, seconds: int) -> datetime:
        return self.picture.origin + timedelta(seconds=seconds)

    def named(self, plan: Plan) -> dict[UUID, list[UUID | None]]:
        """Answer a plan's sequences in the picture's words."""
        orders, duties = self.picture.orders, self.picture.duties
        return {
            duties[tour.shift].shift_id: [None if it.visit is None else orders[it.visit].id for it in tour.stops]
            for tour in plan.tours
        }

    def numbered(self, sequences: Sequences) -> dict[int, list[int | None]]:
        """Answer sequences in the problem's words."""
        order = {it.id: number for number, it in enumerate(self.picture.orders)}
        shift = {it.shift_id: number for number, it in enumerate(self.picture.duties)}
        return {shift[it]: [None if one is None else order[one] for one in stops] for it, stops in sequences.items()}

    def appointments(self, plan: Plan) -> dict[UUID, datetime]:
        """Answer when linked orders begin: alone, a shift says nothing of whom it waits for."""
        linked = {one for it in self.picture.links for one in (it.first_id, it.then_id)}
        stops = [stop for tour in plan.tours for stop in tour.stops if stop.visit is not None]
        orders = self.picture.orders
        begins = {orders[it.visit].id: self.instant(it.begins) for it in stops if it.visit is not None}
        return {it: begin for it, begin in begins.items() if it in linked}

    def held_back(self, visit: int) -> Why | None:
        """Why a link alone keeps everybody from a visit; None where it does not."""
        if self.problem.visits[visit].only != frozenset():
            return None
        order = self.picture.orders[visit].id
        kinds = {it.kind for it in self.picture.links if order in (it.first_id, it.then_id)}
        return Why.CREW_INCOMPLETE if LinkKind.TOGETHER in kinds else Why.WAITS_FOR_ANOTHER

    def start(self, sequences: Sequences) -> Plan:
        """Answer sequences as a plan to begin a search from; its times say nothing."""
        tours = [
            Tour(shift, 0, tuple(Stop(visit, 0, 0, 0, 0) for visit in visits), None, 0, Costs())
            for shift, visits in self.numbered(sequences).items()
        ]
        return Plan(tuple(tours), {}, Costs())


def places_of(picture: Picture) -> tuple[Point, ...]:
    """Every place of a picture once: what the roads are asked about."""
    found = [it.place for it in picture.orders] + [it.place for it in picture.depots]
    found += [place for it in picture.duties for place in (it.start, it.home)]
    return tuple(dict.fromkeys(found))


def ask(picture: Picture, drives: Matrix) -> Asked:
    """Put a picture as a problem. drives: between all `places_of` it. Raises InvalidProblem for impossible links."""
    places = places_of(picture)
    asking = _Asking(picture, {it: row for row, it in enumerate(places)})
    problem = Problem(
        visits=tuple(asking.visit(it) for it in picture.orders),
        shifts=tuple(asking.shift(it) for it in picture.duties),
        seconds=drives.seconds,
        prices=Prices(second_travelled=1, second_away=picture.policy.away, fairness=picture.policy.fairness),
        links=asking.links(),
    )
    return Asked(picture, _with_what_is_frozen(picture, problem), places, drives)


def cautious(drives: Matrix, percent: int) -> Matrix:
    """Answer drives that take so many percent of the way from their median to their p90."""
    return replace(drives, seconds=drives.seconds + (drives.p90_seconds - drives.seconds) * percent // 100)


def visit_alone(picture: Picture, order: Order) -> Visit:
    """Put one order as it would be put with the picture; its place is number 0."""
    return _Asking(replace(picture, orders=(order,)), {order.place: 0}).visit(order)


def known_sequences(picture: Picture) -> dict[UUID, list[UUID | None]]:
    """Answer what people know: their bookings in order."""
    return {shift: [it.id for it in orders] for shift, orders in picture.bookings().items()}


class _Asking:
    def __init__(self, picture: Picture, row: Mapping[Point, int]) -> None:
        self.picture, self.row = picture, row
        self.horizon = self.seconds(max([picture.until, *(it.over for it in picture.duties)]))
        self.order = {it.id: number for number, it in enumerate(picture.orders)}
        self.duty = {it.shift_id: number for number, it in enumerate(picture.duties)}
        self.engineer = _numbered(it.engineer_id for it in picture.duties)
        skills = [it for order in picture.orders for it in order.skills]
        skills += [it for duty in picture.duties for it in duty.skills]
        self.skill = _numbered(it.key for it in skills)
        self.part = _numbered(it.part_id for order in picture.orders for it in order.parts)
        apart = [it for it in picture.links if (it.then_id in self.order) != (it.first_id in self.order)]
        self.late_links = [it for it in apart if it.kind is LinkKind.BEFORE and it.then_id in self.order]
        # What is about to happen happens: nothing it waits for can hold it, and who comes with it comes then.
        frozen = {it.id for it in picture.orders if _is_frozen(picture, it)}
        self.links_here = [
            it
            for it in picture.links
            if it.first_id in self.order and it.then_id in self.order and frozen.isdisjoint(_bound(it))
        ]
        met = [it for it in picture.links if not frozen.isdisjoint((it.first_id, it.then_id))]
        # Whose mate is planned elsewhere, or on the way already, stays as it is.
        self.alone = {
            one for it in (*apart, *met) if it.kind is LinkKind.TOGETHER for one in (it.first_id, it.then_id)
        } - frozen

    def seconds(self, at: datetime) -> int:
        return round((at - self.picture.origin).total_seconds())

    def visit(self, it: Order) -> Visit:
        policy = self.picture.policy
        windows, due = self._windows(it)
        worth = policy.worth[it.priority] * (policy.vip if it.vip else 1)
        ends = due is not None or windows[-1].closes < self.horizon
        worth *= (policy.promised if ends else 1) * (policy.booked if it.known else 1)
        pinned = self._pin(it) is not None
        wished = self._wished(it)
        told = self._told(it)
        late_cost = policy.late[it.priority] if due is not None or told is not None else 0
        if told is not None:
            due = told if due is None else min(due, told)
            # Who loses their engineer may wait a little rather than make everybody else wait.
            late_cost = late_cost if it.booked else min(late_cost, _LOST_LATE)
        return Visit(
            place=self.row[it.place],
            work=it.minutes * 60,
            windows=windows,
            penalty=MANDATORY if pinned else round(worth),
            due=due,
            late_cost=late_cost,
            skills=self._levels(it.skills),
            parts=self._kinds({need.part_id: need.quantity for need in it.parts}),
            only=self._only(it),
            never=frozenset(self.engineer[one] for one in it.banned if one in self.engineer),
            known=wished,
            change_cost=policy.changed if wished is not None else 0,
        )

    def _windows(self, it: Order) -> tuple[tuple[Window, ...], int | None]:
        """Answer when work may begin, and the promise where one ends within the plan.

        Who has missed every window is to come as soon as possible: the last of them has become a promise.
        """
        now = max(0, self.seconds(max(self.picture.at, self.picture.begins)))
        if it.booked is not None and self._pin(it) is Pin.TIME:
            start = self.seconds(it.booked.start)
            return (Window(start, max(start, now)),), None
        promised = self.seconds(it.respond_by)
        due = max(0, promised) if promised < self.horizon else None
        waits = max((self._ready(link) for link in self.late_links if link.then_id == it.id), default=now)
        waits = max(waits, self._told(it) or 0)
        spans = [
            (max(now, waits, self.seconds(span.opens)), min(self.horizon, self.seconds(span.closes)))
            for span in it.windows
            or (Span(self.picture.origin, self.picture.origin + timedelta(seconds=self.horizon)),)
        ]
        open_ = _merged([span for span in spans if span[0] <= span[1]])
        if open_:
            return tuple(Window(*span) for span in open_), due
        missed = min([self.horizon, *(self.seconds(span.closes) for span in it.windows)])
        return (Window(max(now, waits), max(now, waits, self.horizon)),), min(max(0, missed), due or self.horizon)

    def _told(self, it: Order) -> int | None:
        return max(0, self.seconds(it.known.start)) if self.picture.told and it.known else None

    def _ready(self, link: Link) -> int:
        """When an order may begin whose predecessor is planned elsewhere; never while nobody knows."""
        if link.first_done:
            return 0
        if link.first_ends is None:
            return self.horizon
        return self.seconds(link.first_ends + timedelta(minutes=link.gap_minutes))

    def _pin(self, it: Order) -> Pin | None:
        if it.booked is None:
            return None
        return Pin.TIME if it.id in self.alone else it.booked.pin

    def _wished(self, it: Order) -> int | None:
        """Whose shift it is as people know it, else one of the engineer that the customer would like."""
        if it.booked is not None:
            duty = self.picture.duty_of(it.booked)
            return self.duty[duty.shift_id] if duty else None
        return next((n for n, duty in enumerate(self.picture.duties) if duty.engineer_id == it.preferred), None)

    def _only(self, it: Order) -> frozenset[int] | None:
        if it.booked is not None and self._pin(it) is not None and it.booked.engineer_id in self.engineer:
            return frozenset({self.engineer[it.booked.engineer_id]})
        if it.booked is None and it.id in self.alone:
            return frozenset()
        if any(link.then_id == it.id and not link.first_done and link.first_ends is None for link in self.late_links):
            return frozenset()
        return None

    def _levels(self, skills: Sequence[SkillLevel]) -> tuple[Level, ...]:
        return tuple(Level(self.skill[it.key], it.level) for it in skills)

    def _kinds(self, held: Mapping[UUID, int]) -> tuple[int, ...]:
        return tuple(max(0, held.get(part, 0)) for part in self.part)

    def shift(self, it: Duty) -> Shift:
        starts = self.seconds(it.free_at)
        return Shift(
            engineer=self.engineer[it.engineer_id],
            start=self.row[it.start],
            end=self.row[it.home],
            starts=starts,
            ends=max(starts, self.seconds(it.ends)),
            overtime=it.overtime_minutes * 60,
            overtime_cost=self.picture.policy.overtime,
            rest=self._rest(it, starts),
            skills=self._levels(it.skills),
            pace=it.pace_percent,
            stock=self._kinds({need.part_id: need.quantity for need in it.stock}),
            warehouse=self._warehouse(it) if self.part else None,
        )

    def _rest(self, it: Duty, starts: int) -> Break | None:
        if it.rest is None or self.seconds(it.rest.closes) < starts:
            return None
        return Break(max(starts, self.seconds(it.rest.opens)), self.seconds(it.rest.closes), it.rest.minutes * 60)

    def _warehouse(self, it: Duty) -> Warehouse | None:
        nearest = min(self.picture.depots, key=lambda depot: haversine(depot.place, it.start), default=None)
        if nearest is None:
            return None
        return Warehouse(self.row[nearest.place], 0, self.horizon, self.picture.policy.loading * 60)

    def links(self) -> tuple[Crew | Before, ...]:
        here = self.links_here
        crews = _joined([(it.first_id, it.then_id) for it in here if it.kind is LinkKind.TOGETHER])
        found: list[Crew | Before] = [Crew(tuple(sorted(self.order[one] for one in crew))) for crew in crews]
        found += [
            Before(self.order[it.first_id], self.order[it.then_id], it.gap_minutes * 60)
            for it in here
            if it.kind is LinkKind.BEFORE
        ]
        return tuple(found)


def _with_what_is_frozen(picture: Picture, problem: Problem) -> Problem:
    """Lock what is about to happen, in the order people know, even where it breaks a rule by now: it will happen."""
    number = {it.id: index for index, it in enumerate(picture.orders)}
    visits, shifts = list(problem.visits), list(problem.shifts)
    for index, duty in enumerate(picture.duties):
        coming = [it for it in picture.bookings().get(duty.shift_id, []) if _is_frozen(picture, it)]
        locked = tuple(number[it.id] for it in coming)
        if not locked:
            continue
        for it in coming:
            visits[number[it.id]] = _whenever(visits[number[it.id]], shifts[index], _at_the_earliest(picture, it))
        shift = replace(shifts[index], locked=locked)
        shifts[index] = shift if _can(problem, visits, shifts, index, shift) else _prolonged(shift)
    return replace(problem, visits=tuple(visits), shifts=tuple(shifts))


def _is_frozen(picture: Picture, it: Order) -> bool:
    return it.booked is not None and it.booked.start < picture.frozen_until


def _bound(link: Link) -> tuple[UUID, ...]:
    """Whom a link holds back."""
    return (link.then_id,) if link.kind is LinkKind.BEFORE else (link.first_id, link.then_id)


def _at_the_earliest(picture: Picture, it: Order) -> int:
    assert it.booked is not None
    return max(0, round((it.booked.start - picture.origin).total_seconds()))


def _whenever(visit: Visit, shift: Shift, opens: int) -> Visit:
    closes = max(opens, shift.over + _MORE)
    due = visit.due if visit.due is not None else visit.windows[-1].closes
    return replace(visit, windows=(Window(opens, closes),), due=due, late_cost=visit.late_cost or 1)


def _can(problem: Problem, visits: Sequence[Visit], shifts: Sequence[Shift], index: int, shift: Shift) -> bool:
    tried = [*shifts[:index], shift, *shifts[index + 1 :]]
    try:
        tour_of(replace(problem, visits=tuple(visits), shifts=tuple(tried), links=()), index, shift.locked)
    except Undrivable:
        return False
    return True


def _prolonged(shift: Shift) -> Shift:
    return replace(shift, overtime=shift.overtime + _MORE, rest=None)


def softened(asked: Asked) -> Problem:
    """The problem in which everything people know can be driven: windows and ends are promises, nothing comes early.

    What is booked is begun when it was told, or as soon after as can be.
    """
    visits = list(asked.problem.visits)
    for index, order in enumerate(asked.picture.orders):
        visit = visits[index]
        opens = _at_the_earliest(asked.picture, order) if order.booked else visit.windows[0].opens
        promised = visit.windows[-1].closes if visit.due is None else min(visit.due, visit.windows[-1].closes)
        due = opens if order.booked else promised
        visits[index] = replace(visit, windows=(Window(opens, opens + 4 * _MORE),), due=due, late_cost=1)
    shifts = [replace(_prolonged(_prolonged(it)), locked=()) for it in asked.problem.shifts]
    return replace(asked.problem, visits=tuple(visits), shifts=tuple(shifts), links=())


def lacks_parts(asked: Asked, stops: Sequence[UUID | None]) -> int | None:
    """Answer the first stop of the first shift that the van's stock is not enough for; None where it is."""
    left = list(asked.problem.shifts[0].stock)
    (visits,) = asked.numbered({asked.picture.duties[0].shift_id: stops}).values()
    for at, visit in enumerate(visits):
        parts = asked.problem.visits[visit].parts if visit is not None else ()
        left = [have - part for have, part in zip(left, parts or [0] * len(left), strict=True)]
        if min(left, default=0) < 0:
            return at
    return None


def whole_minutes(seconds: int) -> int:
    """Round up: nobody is promised a minute that has begun."""
    return math.ceil(seconds / 60) * 60


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for opens, closes in sorted(spans):
        if found and opens <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], closes)
        else:
            found.append((opens, closes))
    assert all(one[1] < after[0] for one, after in pairwise(found))
    return found


def _joined(pairs: Iterable[tuple[UUID, UUID]]) -> list[frozenset[UUID]]:
    """Put together what is linked, over however many links."""
    found: list[frozenset[UUID]] = []
    for pair in pairs:
        touched = [it for it in found if not it.isdisjoint(pair)]
        found = [it for it in found if it not in touched] + [frozenset(pair).union(*touched)]
    return found


def _numbered[T](values: Iterable[T]) -> dict[T, int]:
    return {value: number for number, value in enumerate(dict.fromkeys(values))}
