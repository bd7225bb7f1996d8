"""What comes out: who is where when, what it costs and why, and why what was left out was left out.

A tour's times are computed here in plain Python from the meaning of the words; the compiled search computes them in its
own way, and tests hold the two against each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from itertools import pairwise

from server.dispatch.planner.problem import Break, Cost, Prices, Problem, Seconds, Shift

QUARTER: Seconds = 900


class Undrivable(ValueError):  # noqa: N818 - errors are nouns
    """A tour that breaks a hard rule."""


class Why(StrEnum):
    """Why a visit was left out. Pages translate the codes."""

    NOBODY_ABLE = "nobody_able"
    UNREACHABLE = "unreachable"
    NO_ROOM = "no_room"
    COSTS_MORE = "costs_more"
    CREW_INCOMPLETE = "crew_incomplete"
    WAITS_FOR_ANOTHER = "waits_for_another"


@dataclass(frozen=True)
class Reason:
    """cost: what fitting it into this plan would cost at least, where it fits at all; shift: where."""

    why: Why
    cost: Cost | None = None
    shift: int | None = None


@dataclass(frozen=True)
class Stop:
    """visit: None is the warehouse. slack: how much later work may begin without anything breaking a hard rule."""

    visit: int | None
    arrives: Seconds
    begins: Seconds
    ends: Seconds
    slack: Seconds


@dataclass(frozen=True)
class Costs:
    """What a tour or a plan costs, by what for."""

    travel: Cost = 0
    away: Cost = 0
    fairness: Cost = 0
    late: Cost = 0
    overtime: Cost = 0
    fixed: Cost = 0
    left_out: Cost = 0
    changes: Cost = 0

    @property
    def total(self) -> Cost:
        return (
            self.travel
            + self.away
            + self.fairness
            + self.late
            + self.overtime
            + self.fixed
            + self.left_out
            + self.changes
        )

    def __add__(self, other: "Costs") -> "Costs":
        return Costs(*(getattr(self, it.name) + getattr(other, it.name) for it in fields(self)))


@dataclass(frozen=True)
class Tour:
    """One shift's way. rests: when its break begins, None without one."""

    shift: int
    leaves: Seconds
    stops: tuple[Stop, ...]
    rests: Seconds | None
    returns: Seconds
    costs: Costs

    @property
    def visits(self) -> tuple[int, ...]:
        return tuple(stop.visit for stop in self.stops if stop.visit is not None)


@dataclass(frozen=True)
class Plan:
    """tours: only of shifts with something to do. left_out: each visit that nobody makes, with the reason."""

    tours: tuple[Tour, ...]
    left_out: Mapping[int, Reason]
    costs: Costs

    @property
    def cost(self) -> Cost:
        return self.costs.total


def tour_of(problem: Problem, number: int, visits: Sequence[int | None]) -> Tour:
    """Answer the cheapest timetable of a shift that makes these visits in this order; None is the warehouse.

    Raises Undrivable.
    """
    shift = problem.shifts[number]
    places = [_place(problem, shift, visit) for visit in visits]
    rows = [shift.start, *(it.place for it in places)]
    rows.append(rows[-1] if shift.end is None else shift.end)
    ways = [int(problem.seconds[leg]) for leg in pairwise(rows)]
    rests: list[tuple[int, bool] | None] = [None]
    if shift.rest:
        rests += [(k, ahead) for k in range(len(visits) + 1) for ahead in (False, True)]
    drawn, refused = [], ""
    for rest in rests:
        try:
            drawn.append(_drive(number, shift, places, ways, rest))
        except Undrivable as no:
            refused = refused or str(no)
    if not drawn:
        raise Undrivable(refused)
    travel = sum(_price(problem, *leg) for leg in pairwise(rows))
    # The timetables differ in nothing else that costs.
    best = min(drawn, key=lambda it: (_costs(problem.prices, shift, it, travel).total, it.returns))
    return _laid_out(number, shift, visits, best, _costs(problem.prices, shift, best, travel))


@dataclass(frozen=True)
class _Place:
    """A stop's place, work and windows, whether it is a visit or the warehouse."""

    place: int
    work: Seconds
    windows: tuple[tuple[Seconds, Seconds], ...]
    due: Seconds | None = None
    late_cost: Cost = 0


def _place(problem: Problem, shift: Shift, visit: int | None) -> _Place:
    if visit is not None:
        it = problem.visits[visit]
        windows = tuple((window.opens, window.closes) for window in it.windows)
        return _Place(it.place, it.work * shift.pace // 100, windows, it.due if it.late_cost else None, it.late_cost)
    depot = shift.warehouse
    if depot is None:
        raise Undrivable("there is no warehouse to load at")
    return _Place(depot.place, depot.loading, ((depot.opens, depot.closes),))


@dataclass(frozen=True)
class _Driven:
    """times: of each stop when it is reached, begun, left, and when its window closes. delay: of leaving home."""

    times: list[tuple[Seconds, Seconds, Seconds, Seconds]]
    rested: Seconds | None
    delay: Seconds
    returns: Seconds
    late: Cost


def _drive(
    number: int, shift: Shift, places: Sequence[_Place], ways: Sequence[Seconds], rest: tuple[int, bool] | None
) -> _Driven:
    """Drive as early as possible and then leave as late as that allows; `rest`: before which stop, before its way?"""
    time, late = shift.starts, 0
    rested, waited, leeway = None, 0, shift.over - shift.starts
    times: list[tuple[Seconds, Seconds, Seconds, Seconds]] = []
    before, ahead = (-1, False) if rest is None else rest
    for k, it in enumerate(places):
        if k == before and ahead:
            time = rested = _rest(shift.rest, time)
        time = arrives = time + ways[k]
        if k == before and not ahead:
            time = rested = _rest(shift.rest, time)
        begins, closes = _begin(it.windows, time)
        waited += begins - time
        leeway = min(leeway, waited + (closes if it.due is None else min(closes, max(begins, it.due))) - begins)
        late += it.late_cost * max(0, begins - it.due) if it.due is not None else 0
        time = begins + it.work
        times.append((arrives, begins, time, closes))
    if before == len(places) and ahead:
        time = rested = _rest(shift.rest, time)
    time += ways[-1]
    if before == len(places) and not ahead:
        raise Undrivable("home is no place to rest")
    if time > shift.over:
        raise Undrivable(f"shift {number} would be over {time - shift.over} s too late")
    if shift.rest and rested is None and time > shift.rest.closes:
        raise Undrivable(f"shift {number} would have no break")
    return _Driven(times, rested, 0 if shift.rest else min(leeway, waited), time, late)


def _rest(rest: Break | None, time: Seconds) -> Seconds:
    assert rest is not None
    if max(time, rest.opens) > rest.closes:
        raise Undrivable("the break would begin too late")
    return max(time, rest.opens) + rest.lasts


def _begin(windows: Sequence[tuple[Seconds, Seconds]], arrives: Seconds) -> tuple[Seconds, Seconds]:
    for opens, closes in windows:
        if arrives <= closes:
            return max(arrives, opens), closes
    raise Undrivable(f"arrives {arrives - windows[-1][1]} s after the last window has closed")


def _price(problem: Problem, here: int, there: int) -> Cost:
    prices = problem.prices
    metres = int(problem.metres[here, there]) if problem.metres is not None else 0
    return int(problem.seconds[here, there]) * prices.second_travelled + metres * prices.metre


def _costs(prices: Prices, shift: Shift, it: _Driven, travel: Cost) -> Costs:
    away = it.returns - shift.starts - it.delay
    quarters = away // QUARTER
    return Costs(
        travel=travel,
        away=prices.second_away * away,
        fairness=prices.fairness * quarters * quarters,
        late=it.late,
        overtime=shift.overtime_cost * max(0, it.returns - shift.ends),
        fixed=shift.fixed_cost,
    )


def _laid_out(number: int, shift: Shift, visits: Sequence[int | None], driven: _Driven, costs: Costs) -> Tour:
    """Move what comes before the first waiting as late as it may be, and count slack from the end."""
    stops: list[Stop] = []
    slack = shift.over - driven.returns
    for visit, (arrives, begins, ends, closes) in zip(reversed(visits), reversed(driven.times), strict=True):
        slack = min(slack, closes - begins)
        stops.append(Stop(visit, arrives, begins, ends, slack))
        slack += begins - arrives
    stops.reverse()
    rests = None if driven.rested is None or shift.rest is None else driven.rested - shift.rest.lasts
    leaves = shift.starts + driven.delay
    return Tour(number, leaves, tuple(_delayed(stops, driven.delay)), rests, driven.returns, costs)


def _delayed(stops: Sequence[Stop], delay: Seconds) -> list[Stop]:
    """Leave `delay` later: arrivals move by what is not waited away before them."""
    moved = []
    for it in stops:
        arrives = it.arrives + delay
        delay = max(0, arrives - it.begins)
        moved.append(Stop(it.visit, arrives, it.begins + delay, it.ends + delay, it.slack - delay))
    return moved
