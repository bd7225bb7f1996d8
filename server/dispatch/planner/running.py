"""A plan that is being carried out and takes one more visit at once: who could fit it in where, at what cost."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.dispatch.planner.arrays import NEVER, Arrays, Longs, arrays_of
from server.dispatch.planner.compiled import compiled
from server.dispatch.planner.insertion import places
from server.dispatch.planner.plan import Plan, Tour, tour_of
from server.dispatch.planner.problem import Cost, InvalidProblem, Problem, Seconds
from server.dispatch.planner.routes import IMPOSSIBLE, Routes, empty_routes, lay


@dataclass(frozen=True)
class Offer:
    """The cheapest place in one shift's tour. loading: the warehouse comes before it, at this position."""

    shift: int
    cost: Cost
    position: int
    loading: int | None


def offers(arrays: Arrays, routes: Routes, visit: int, *, most: int) -> list[Offer]:
    """Answer the cheapest offers of different shifts, exactly: every position of every able shift is looked at."""
    costs, positions, loadings = (np.empty(arrays.able.shape[1], np.int64) for _ in range(3))
    places(arrays, routes, visit, costs, positions, loadings)
    found = np.argsort(costs, kind="stable")[:most]
    return [
        Offer(int(it), int(costs[it]), int(positions[it]), int(loadings[it]) if loadings[it] >= 0 else None)
        for it in found
        if costs[it] < IMPOSSIBLE
    ]


class Running:
    """The tours of a plan, kept so that a question takes well under a millisecond.

    The visit that is asked about is one of the problem's that the plan leaves out.
    """

    def __init__(self, problem: Problem, plan: Plan) -> None:
        """Raises InvalidProblem if a tour of the plan can no longer be driven."""
        self._problem, self._arrays = problem, arrays_of(problem)
        self._routes = empty_routes(self._arrays)
        self._tours = {tour.shift: tour for tour in plan.tours}
        for tour in plan.tours:
            if not lay(self._arrays, self._routes, tour.shift, [stop.visit for stop in tour.stops]):
                raise InvalidProblem(f"the tour of shift {tour.shift} can't be driven")

    def offers(self, visit: int, *, most: int = 3) -> list[Offer]:
        return offers(self._arrays, self._routes, visit, most=most)

    def with_visit(self, visit: int, offer: Offer) -> Tour:
        """Answer the tour as it would be."""
        tour = self._tours.get(offer.shift)
        stops = [stop.visit for stop in tour.stops] if tour else []
        stops.insert(offer.position, visit)
        if offer.loading is not None:
            stops.insert(offer.loading, None)
        return tour_of(self._problem, offer.shift, stops)

    def delays(self, visit: int, offer: Offer) -> dict[int, Seconds]:
        """Answer how much later each visit of that tour would begin, of those that would."""
        tour = self._tours.get(offer.shift)
        begins = {stop.visit: stop.begins for stop in tour.stops} if tour else {}
        later = {it.visit: it.begins - begins.get(it.visit, it.begins) for it in self.with_visit(visit, offer).stops}
        return {made: late for made, late in later.items() if made is not None and late > 0}


type Alone = tuple[Arrays, Routes]


def laid_alone(problem: Problem, visits: Sequence[int]) -> Alone | None:
    """Lay the tour of a problem of one shift; None if it can't be driven."""
    arrays = arrays_of(problem)._replace(loads=True, driven=True)
    routes = empty_routes(arrays)
    return (arrays, routes) if lay(arrays, routes, 0, list(visits)) else None


class Book:
    """Tours of many problems of one shift, side by side; visit 0 of each problem is the one that is asked about.

    arrays and routes are those of the problems with an axis more in front, of t tours, and as long as the longest.
    """

    def __init__(self, laid: Sequence[Alone]) -> None:
        """laid: at least one, by the same prices, and what is priced is seconds alone."""
        n = max(len(it.able) for it, _ in laid)
        first, _ = laid[0]
        alone = [it for it, _ in laid]
        self.arrays = first._replace(
            stops=_side_by_side([_depot_at(n, it.stops) for it in alone]),
            shifts=_side_by_side([it.shifts for it in alone]),
            ways=_side_by_side([it.ways for it in alone]),
            work=_side_by_side([_depot_at(n, it.work) for it in alone]),
            windows=_side_by_side([_depot_at(n, it.windows) for it in alone], (NEVER, -1)),
            able=_side_by_side([it.able for it in alone]),
            fetches=_side_by_side([it.fetches for it in alone]),
            uses=_side_by_side([_depot_at(n, it.uses) for it in alone]),
            stock=_side_by_side([it.stock for it in alone]),
        )
        routes = [it for _, it in laid]
        self.routes = Routes(*(_side_by_side(list(field)) for field in zip(*routes, strict=True)))

    def to_write_in(self) -> "Book":
        """Answer the same tours with stops, ways, work and windows of its own."""
        found, its = copy(self), self.arrays
        found.arrays = its._replace(
            stops=its.stops.copy(), ways=its.ways.copy(), work=its.work.copy(), windows=its.windows.copy()
        )
        return found

    def cheapest(self, tours: Longs) -> tuple[Longs, Longs]:
        """Answer what the visit costs in each of some tours, IMPOSSIBLE where it can't go, and at which position."""
        costs, positions = np.empty(len(tours), np.int64), np.empty(len(tours), np.int64)
        _cheapest_of_each(self.arrays, self.routes, tours, costs, positions)
        return costs, positions


def _depot_at(n: int, rows: NDArray[Any]) -> NDArray[Any]:
    """Rows by stop of one problem, its warehouse moved to where it is when there are `n` visits."""
    found = np.zeros((n + 1, *rows.shape[1:]), rows.dtype)
    found[: len(rows) - 1], found[n] = rows[:-1], rows[-1]
    return found


def _side_by_side(tables: list[NDArray[Any]], otherwise: Any = 0) -> NDArray[Any]:
    shape = np.max([it.shape for it in tables], axis=0)
    found = np.empty((len(tables), *shape), tables[0].dtype)
    found[...] = otherwise
    for number, it in enumerate(tables):
        found[number][tuple(slice(length) for length in it.shape)] = it
    return found


@compiled
def _cheapest_of_each(book: Arrays, laid: Routes, tours: Longs, costs: Longs, positions: Longs) -> None:
    loadings = np.empty(1, np.int64)
    for k in range(len(tours)):
        t = tours[k]
        p = Arrays(
            book.stops[t],
            book.shifts[t],
            book.ways[t],
            book.price,
            book.work[t],
            book.windows[t],
            book.able[t],
            book.near,
            book.near_shifts,
            book.fetches[t],
            book.uses[t],
            book.stock[t],
            book.second_travelled,
            book.second_away,
            book.fairness,
            book.priced,
            book.loads,
            book.driven,
        )
        routes = Routes(laid.routes[t], laid.stages[t], laid.shift[t], laid.used[t])
        places(p, routes, 0, costs[k : k + 1], positions[k : k + 1], loadings)
