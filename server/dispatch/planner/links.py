"""Crews, and visits that wait for others: what a link asks, and how windows are narrowed so that nothing can break it.

The compiled search knows nothing of links. Each linked visit is given a span in which it must begin: one instant for a
crew, and for two visits in order spans on either side of an instant that separates them. Whatever the search does
within spans, no time breaks a link; what came incomplete is left out whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter

from server.dispatch.planner.arrays import Flags, able_of
from server.dispatch.planner.plan import Tour, Undrivable, tour_of
from server.dispatch.planner.problem import Before, Crew, InvalidProblem, Problem, Seconds, Visit, Window

FAR: Seconds = 2**30


type Unit = tuple[int, ...]  # a crew, or a visit that is in none


type Tours = Mapping[int, Tour]  # by shift


type Sequences = Mapping[int, Sequence[int | None]]  # by shift; None is the warehouse


type Made = Mapping[int, tuple[int, Seconds, Seconds]]  # by visit: whose shift, from when, until when


@dataclass(frozen=True)
class Span:
    """When a visit must begin. pace: nobody slower may do it, for another waits for its end; None for anybody."""

    opens: Seconds
    closes: Seconds
    pace: int | None = None


type Appointments = Mapping[int, Span | None]  # None: left out on purpose


def narrowed(problem: Problem, appointments: Appointments) -> Problem:
    """Answer the problem without links in which these visits keep to their spans."""
    visits = list(problem.visits)
    for number, span in appointments.items():
        visits[number] = _narrowed(problem, visits[number], span)
    return replace(problem, visits=tuple(visits), links=())


def _narrowed(problem: Problem, visit: Visit, span: Span | None) -> Visit:
    cut = [(max(it.opens, span.opens), min(it.closes, span.closes)) for it in visit.windows] if span else []
    windows = tuple(Window(opens, closes) for opens, closes in cut if opens <= closes)
    if span is None or not windows:
        return replace(visit, only=frozenset())
    slow = {it.engineer for it in problem.shifts if span.pace is not None and it.pace > span.pace}
    return replace(visit, windows=windows, never=visit.never | slow)


@dataclass(frozen=True)
class Linked:
    """What links say, in the ways it is asked for.

    plain: the problem without links. units: the one of each linked visit.
    groups: units that depend on each other, each after those it waits for. falls: what is left out with a visit.
    locked: when a locked visit can begin, earliest and latest, and its shift.
    """

    problem: Problem
    plain: Problem
    able: Flags
    befores: tuple[Before, ...]
    units: Mapping[int, Unit]
    groups: tuple[tuple[Unit, ...], ...]
    falls: Mapping[int, frozenset[int]]
    locked: Mapping[int, tuple[Seconds, Seconds, int]]

    def within(self, spans: Appointments) -> Problem:
        """Answer the problem of a round: leaving a visit out costs what is left out with it and was not anyway."""
        visits = list(self.problem.visits)
        for visit, others in self.falls.items():
            worth = sum(self.problem.visits[it].penalty for it in others if it == visit or spans.get(it) is not None)
            visits[visit] = replace(visits[visit], penalty=worth)
        return narrowed(replace(self.plain, visits=tuple(visits)), spans)

    def waits_for(self, visits: Unit) -> list[Before]:
        return [it for it in self.befores if it.then in visits]

    def let_wait(self, visits: Unit) -> list[Before]:
        return [it for it in self.befores if it.first in visits]


def linked(problem: Problem) -> Linked:
    befores = tuple(it for it in problem.links if isinstance(it, Before))
    units: dict[int, Unit] = {visit: (visit,) for it in befores for visit in (it.first, it.then)}
    units |= {visit: it.visits for it in problem.links if isinstance(it, Crew) for visit in it.visits}
    falls = {visit: _falling(units, befores, visit) for visit in units}
    return Linked(
        problem,
        replace(problem, links=()),
        able_of(problem),
        befores,
        units,
        _groups(units, befores),
        falls,
        _locked(problem),
    )


def _falling(units: Mapping[int, Unit], befores: Sequence[Before], visit: int) -> frozenset[int]:
    found, ahead = set(units[visit]), list(units[visit])
    while ahead:
        one = ahead.pop()
        more = {mate for it in befores if it.first == one for mate in units[it.then]} - found
        found |= more
        ahead += sorted(more)
    return frozenset(found)


def _groups(units: Mapping[int, Unit], befores: Sequence[Before]) -> tuple[tuple[Unit, ...], ...]:
    order: TopologicalSorter[Unit] = TopologicalSorter({units[it]: () for it in sorted(units)})
    group = {unit: {unit} for unit in units.values()}
    for it in befores:
        order.add(units[it.then], units[it.first])
        together = group[units[it.first]] | group[units[it.then]]
        group |= dict.fromkeys(together, together)
    sorted_ = list(order.static_order())
    distinct = {id(it): it for it in (group[unit] for unit in sorted_)}
    return tuple(tuple(unit for unit in sorted_ if unit in them) for them in distinct.values())


def _locked(problem: Problem) -> dict[int, tuple[Seconds, Seconds, int]]:
    found = {}
    for number, shift in enumerate(problem.shifts):
        time, here = shift.starts, shift.start
        try:
            stops = tour_of(problem, number, shift.locked).stops if shift.locked else ()
        except Undrivable as no:
            message = f"the locked visits of shift {number} can't be made: {no}"
            raise InvalidProblem(message) from None
        for visit, stop in zip(shift.locked, stops, strict=True):
            it = problem.visits[visit]
            time += int(problem.seconds[here, it.place])
            time = max(time, next((window.opens for window in it.windows if time <= window.closes), time))
            found[visit] = (time, stop.begins + stop.slack, number)
            time, here = time + it.work * shift.pace // 100, it.place
    return found


def visits_of(group: tuple[Unit, ...]) -> list[int]:
    return [visit for unit in group for visit in unit]


def made_in(tours: Tours) -> dict[int, tuple[int, Seconds, Seconds]]:
    return {
        stop.visit: (tour.shift, stop.begins, stop.ends)
        for tour in tours.values()
        for stop in tour.stops
        if stop.visit is not None
    }


def broken_in(known: Linked, tours: Tours) -> set[int]:
    """Answer the visits that can't stay because of a broken link."""
    made, out = made_in(tours), set[int]()
    for unit in (unit for group in known.groups for unit in group):
        here = [made[it] for it in unit if it in made]
        engineers = {known.problem.shifts[shift].engineer for shift, _, _ in here}
        if here and (len(engineers) < len(unit) or len({begins for _, begins, _ in here}) > 1):
            out.update(unit)
    for it in known.befores:
        if it.then in made and (it.first not in made or made[it.then][1] < made[it.first][2] + it.gap):
            out.add(it.then)
    return {fallen for it in out for fallen in known.falls[it]} & made.keys()


def made_whole(known: Linked, small: Problem, tours: Tours) -> Tours | None:
    """Leave out whole what is incomplete; None where that can't be."""
    while broken := broken_in(known, tours):
        if broken & known.locked.keys():
            return None
        tours = without(replace(known, plain=small), tours, broken)
    return tours if known.locked.keys() <= made_in(tours).keys() else None


def without(known: Linked, tours: Tours, visits: set[int]) -> dict[int, Tour]:
    """Take visits out of tours, but for locked ones. A tour that can't be driven then is dropped."""
    found, gone = dict(tours), visits - known.locked.keys()
    for number, tour in tours.items():
        if gone.isdisjoint(tour.visits):
            continue
        del found[number]
        left = [stop.visit for stop in tour.stops if stop.visit not in gone]
        if any(it is not None for it in left):
            try:
                found[number] = tour_of(known.plain, number, left)
            except Undrivable:
                continue
    return found


def sequences_of(tours: Tours) -> dict[int, list[int | None]]:
    return {number: [stop.visit for stop in tour.stops] for number, tour in tours.items()}
