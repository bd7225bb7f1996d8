"""From a problem to a plan: the search, slice by slice, until told to stop."""

from collections.abc import Callable, Sequence

import numpy as np

from server.dispatch.planner.arrays import Arrays, arrays_of
from server.dispatch.planner.plan import Costs, Plan, tour_of
from server.dispatch.planner.pool import put_together
from server.dispatch.planner.problem import InvalidProblem, Problem
from server.dispatch.planner.reasons import reasons_of
from server.dispatch.planner.rounds import solve_linked
from server.dispatch.planner.routes import Routes, empty_routes, lay
from server.dispatch.planner.search import anneal
from server.dispatch.planner.state import Search, adopt, begun
from server.dispatch.planner.stopping import Progress, Stop

_SLICE = 200  # steps between two looks at the criterion
# How far the search is, and its temperature then as a multiple of what the way to a neighbour costs on average: cooled
# slowly to where large changes end, and at last quickly, so that the small ones are made too.
_COOLED = np.array([0.0, 0.85, 1.0]), np.log([10.0, 0.06, 0.01])
# How far the search is when its routes are put together anew, and how many steps a visit are worth that.
_POOLED = 0.5, 0.7, 0.9
_POOLED_AFTER = 1000

type Heard = Callable[[Progress], None]


def solve(
    problem: Problem, stop: Stop, *, seed: int = 1, start: Plan | None = None, heard: Heard | None = None
) -> Plan:
    """Answer the cheapest plan found until `stop` says so.

    start: a plan to begin from; its visits stay where they are unless moving them pays.
    heard: is told after each better plan.
    The same seed and number of steps give the same plan. Raises InvalidProblem if locked visits can't be made.
    """
    if problem.links:
        return solve_linked(problem, stop, seed=seed, start=start, heard=heard, search=solve)
    arrays = arrays_of(problem)
    search = begun(arrays, _routes(problem, arrays, start), seed)
    near = _neighbour_price(arrays)
    so_far, pooled = Progress(0, 0, int(search.costs[1])), list(_POOLED)
    while arrays.able.any() and (done := stop.progress(so_far)) < 1:
        heat = near * float(np.exp(np.interp(done, *_COOLED)))
        anneal(arrays, search, _SLICE, heat, heat)
        while pooled and done >= pooled[0]:
            pooled.pop(0)
            if so_far.steps >= _POOLED_AFTER * len(problem.visits):
                _put_together(arrays, search)
        cost, steps = int(search.costs[1]), so_far.steps + _SLICE
        better = cost < so_far.cost
        so_far = Progress(steps, steps if better else so_far.gained_at, cost)
        if better and heard:
            heard(so_far)
    return plan_of(problem, arrays, _sequences(arrays, search))


def _put_together(arrays: Arrays, search: Search) -> None:
    """Go on from the best plan of known routes, if it is better than the best."""
    chosen = put_together(arrays, search.pool, search.best, int(search.costs[1]))
    if chosen:
        adopt(arrays, search, chosen)


def _neighbour_price(arrays: Arrays) -> float:
    """Answer what the way to a near visit costs on average; where time away is paid for, with as long a wait there."""
    place, near = arrays.stops["place"][: len(arrays.near)], arrays.near[:, :10]
    if not near.size:
        return 1.0
    seconds = arrays.ways[place[:, None], place[near], 0].astype(np.int64)
    price = arrays.price[place[:, None], place[near], 0] if arrays.priced else seconds * arrays.second_travelled
    return max(1.0, float((price + 2 * seconds * arrays.second_away).mean()))


def _routes(problem: Problem, arrays: Arrays, start: Plan | None) -> Routes:
    """The routes to begin with: of the plan as far as they can still be driven, but in any case what is locked."""
    routes = empty_routes(arrays)
    given = {tour.shift: [stop.visit for stop in tour.stops] for tour in start.tours} if start else {}
    for number, shift in enumerate(problem.shifts):
        visits = given.get(number, [])
        if _may_be(arrays, routes, number, visits, shift.locked) and lay(arrays, routes, number, visits):
            continue
        routes.shift[[it for it in visits if it is not None]] = -1
        if not lay(arrays, routes, number, shift.locked):
            message = f"the locked visits of shift {number} can't be made"
            raise InvalidProblem(message)
    return routes


def _may_be(arrays: Arrays, routes: Routes, number: int, visits: Sequence[int | None], locked: Sequence[int]) -> bool:
    room = len(visits) + 2 <= routes.stages.shape[1]
    able = all(it is None or arrays.able[it, number] for it in visits)
    return room and able and tuple(visits[: len(locked)]) == tuple(locked)


def _sequences(arrays: Arrays, search: Search) -> dict[int, list[int | None]]:
    visits = len(arrays.able)
    found: dict[int, list[int | None]] = {}
    for number, route in enumerate(search.best.routes):
        stops = search.best.stages[number]["stop"][: route["size"]]
        if len(stops):
            found[number] = [int(it) if it < visits else None for it in stops]
    return found


def plan_of(problem: Problem, arrays: Arrays, sequences: dict[int, list[int | None]]) -> Plan:
    """Answer the plan that drives these sequences, with its costs and the reasons for what is left out."""
    tours = [tour_of(problem, number, sequence) for number, sequence in sorted(sequences.items())]
    shift_of = {visit: tour.shift for tour in tours for visit in tour.visits}
    left_out = [it for it in range(len(problem.visits)) if it not in shift_of]
    costs = sum((tour.costs for tour in tours), Costs())
    moved = [it for number, it in enumerate(problem.visits) if it.known not in (None, shift_of.get(number, it.known))]
    costs += Costs(
        left_out=sum(problem.visits[it].penalty for it in left_out), changes=sum(it.change_cost for it in moved)
    )
    return Plan(tuple(tours), reasons_of(problem, arrays, sequences, left_out), costs)
