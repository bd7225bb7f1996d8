"""What is to be planned: visits, the shifts that can take them, and the times between places. Frozen and whole numbers.

Times are seconds from an origin that the caller chooses, distances metres, costs a unit of their own: a visit left out,
a minute late and a kilometre driven are weighed against each other in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

type Seconds = int
type Cost = int
type Table = NDArray[np.int32]

MANDATORY: Cost = 10**9


class InvalidProblem(ValueError):  # noqa: N818 - errors are nouns
    """What can't be planned, in a sentence."""


@dataclass(frozen=True)
class Window:
    """Work may begin from `opens` to `closes`."""

    opens: Seconds
    closes: Seconds


@dataclass(frozen=True)
class Level:
    """A skill and how well it must be, or is, mastered."""

    skill: int
    level: int = 1


@dataclass(frozen=True)
class Visit:
    """Work at a place.

    windows: when it may begin, in order and apart.
    penalty: the cost of leaving it out.
    due: a promise, softer than a window: each second that work begins after it costs `late_cost`.
    equipment: what must be at hand: on the van, or from the warehouse on the way.
    parts: how many of each kind it takes; beyond the van's stock they come from the warehouse too.
    only: the engineers that may do it, None for anyone able; `never` may not.
    known: the shift it has in the plan that people know; any other costs `change_cost`.
    """

    place: int
    work: Seconds
    windows: tuple[Window, ...]
    penalty: Cost = MANDATORY
    due: Seconds | None = None
    late_cost: Cost = 0
    skills: tuple[Level, ...] = ()
    equipment: frozenset[int] = frozenset()
    parts: tuple[int, ...] = ()
    only: frozenset[int] | None = None
    never: frozenset[int] = frozenset()
    known: int | None = None
    change_cost: Cost = 0

    def __post_init__(self) -> None:
        if not self.windows or any(it.opens > it.closes for it in self.windows):
            raise InvalidProblem("a visit needs windows that open before they close")
        if any(one.closes >= after.opens for one, after in pairwise(self.windows)):
            raise InvalidProblem("a visit's windows must be in order and apart")
        if min(self.work, self.penalty, self.late_cost, self.change_cost, *self.parts) < 0:
            raise InvalidProblem("work, costs and parts can't be negative")


@dataclass(frozen=True)
class Break:
    """A rest of `lasts` seconds that begins from `opens` to `closes`, unless the shift is over by then."""

    opens: Seconds
    closes: Seconds
    lasts: Seconds


@dataclass(frozen=True)
class Warehouse:
    """Where a van is filled up, once a shift; afterwards it lacks nothing."""

    place: int
    opens: Seconds
    closes: Seconds
    loading: Seconds


@dataclass(frozen=True)
class Shift:
    """One engineer's working time on one day.

    start, end: places; no end means that the shift is over where the last visit is.
    overtime: how many seconds it may go on after `ends`, each at `overtime_cost`.
    pace: per cent of a visit's work that this engineer takes for it.
    locked: visits that come first, in this order: they are under way or about to be.
    """

    engineer: int
    start: int
    end: int | None
    starts: Seconds
    ends: Seconds
    overtime: Seconds = 0
    overtime_cost: Cost = 0
    rest: Break | None = None
    skills: tuple[Level, ...] = ()
    pace: int = 100
    fixed_cost: Cost = 0
    equipment: frozenset[int] = frozenset()
    stock: tuple[int, ...] = ()
    warehouse: Warehouse | None = None
    locked: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.starts > self.ends or min(self.overtime, self.overtime_cost, self.fixed_cost, *self.stock) < 0:
            raise InvalidProblem("a shift must start before it ends, and its numbers can't be negative")
        if self.pace <= 0:
            raise InvalidProblem("a pace is a positive percentage")

    @property
    def over(self) -> Seconds:
        """When it must be over at the latest."""
        return self.ends + self.overtime


@dataclass(frozen=True)
class Prices:
    """What is paid for, in cost units.

    fairness: for every quarter of an hour away from home, times the quarters: long days cost more than short ones.
    """

    second_travelled: Cost = 1
    metre: Cost = 0
    second_away: Cost = 0
    fairness: Cost = 0


@dataclass(frozen=True)
class Crew:
    """Visits at one place that begin in the same second, each made by another engineer: all of them or none."""

    visits: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.visits) < 2 or len(set(self.visits)) < len(self.visits):  # noqa: PLR2004 - it takes two
            raise InvalidProblem("a crew is two different visits or more")


@dataclass(frozen=True)
class Before:
    """`then` begins `gap` seconds or more after `first` has ended, and is left out if `first` is."""

    first: int
    then: int
    gap: Seconds = 0

    def __post_init__(self) -> None:
        if self.gap < 0:
            raise InvalidProblem("a gap can't be negative")


@dataclass(frozen=True)
class Problem:
    """Everything a plan depends on.

    seconds, metres: tables from row to column, a row and a column per place. metres is only read when a metre costs.
    """

    visits: tuple[Visit, ...]
    shifts: tuple[Shift, ...]
    seconds: Table
    metres: Table | None = None
    prices: Prices = Prices()
    links: tuple[Crew | Before, ...] = ()

    def __post_init__(self) -> None:
        places = len(self.seconds)
        if self.seconds.shape != (places, places) or (self.seconds < 0).any():
            raise InvalidProblem("the table of seconds must be square and not negative")
        if self.prices.metre and (self.metres is None or self.metres.shape != self.seconds.shape):
            raise InvalidProblem("metres have a price, so there must be a table of them")
        used = {visit.place for visit in self.visits} | {shift.start for shift in self.shifts}
        used |= {shift.end for shift in self.shifts if shift.end is not None}
        used |= {shift.warehouse.place for shift in self.shifts if shift.warehouse is not None}
        if used and not 0 <= min(used) <= max(used) < places:
            raise InvalidProblem("a place that is not in the tables")
        locked = [visit for shift in self.shifts for visit in shift.locked]
        if len(locked) != len(set(locked)) or not set(locked) <= set(range(len(self.visits))):
            raise InvalidProblem("a visit can be locked once, and must be one of the visits")
        _check_links(self)


def _check_links(problem: Problem) -> None:
    crews = [it for it in problem.links if isinstance(it, Crew)]
    befores = [it for it in problem.links if isinstance(it, Before)]
    linked = {visit for it in crews for visit in it.visits} | {it for one in befores for it in (one.first, one.then)}
    if not linked <= set(range(len(problem.visits))):
        raise InvalidProblem("a link to what is not one of the visits")
    crew_of = {visit: it.visits for it in crews for visit in it.visits}
    if len(crew_of) < sum(len(it.visits) for it in crews):
        raise InvalidProblem("a visit can be in one crew only")
    for it in crews:
        _check_crew(problem, it)
    order: TopologicalSorter[tuple[int, ...]] = TopologicalSorter()
    for one in befores:
        order.add(crew_of.get(one.then, (one.then,)), crew_of.get(one.first, (one.first,)))
    try:
        order.prepare()
    except CycleError:
        raise InvalidProblem("visits that wait for each other in a circle") from None


def _check_crew(problem: Problem, crew: Crew) -> None:
    visits = [problem.visits[it] for it in crew.visits]
    if len({it.place for it in visits}) > 1:
        raise InvalidProblem("a crew meets at one place")
    # Who can do two visits in no time would be a crew alone.
    if min((it.work * shift.pace // 100 for it in visits for shift in problem.shifts), default=1) < 1:
        raise InvalidProblem("a crew's visits must take everybody a second or more")
    if not common_windows(visits):
        raise InvalidProblem("a crew's windows must have an instant in common")


def common_windows(visits: Sequence[Visit]) -> list[tuple[Seconds, Seconds]]:
    """Answer when all of these visits may begin, in order."""
    common = [(it.opens, it.closes) for it in visits[0].windows]
    for visit in visits[1:]:
        both = [(max(a, it.opens), min(b, it.closes)) for a, b in common for it in visit.windows]
        common = [(opens, closes) for opens, closes in both if opens <= closes]
    return sorted(common)
