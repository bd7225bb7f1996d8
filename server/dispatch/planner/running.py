"""A plan that is being carried out and takes one more visit at once: who could fit it in where, at what cost."""

from dataclasses import dataclass

import numpy as np

from server.dispatch.planner.arrays import Arrays, arrays_of
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
