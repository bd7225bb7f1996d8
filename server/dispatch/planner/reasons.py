"""Why a visit was left out.

Nobody is able, nobody can reach it, there is no room beside the rest, or it costs more than it is worth.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from server.dispatch.planner.arrays import Arrays
from server.dispatch.planner.insertion import cheapest
from server.dispatch.planner.plan import Reason, Why
from server.dispatch.planner.problem import Problem
from server.dispatch.planner.routes import IMPOSSIBLE, Routes, empty_routes, lay


def reasons_of(
    problem: Problem, arrays: Arrays, sequences: Mapping[int, Sequence[int | None]], left_out: Sequence[int]
) -> dict[int, Reason]:
    if not left_out:
        return {}
    alone, planned = empty_routes(arrays), empty_routes(arrays)
    for number, shift in enumerate(problem.shifts):
        lay(arrays, alone, number, shift.locked)
        lay(arrays, planned, number, sequences.get(number, ()))
    return {visit: _reason(arrays, alone, planned, visit) for visit in left_out}


def _reason(arrays: Arrays, alone: Routes, planned: Routes, visit: int) -> Reason:
    if not arrays.able[visit].any():
        return Reason(Why.NOBODY_ABLE)
    if _cheapest(arrays, alone, visit) is None:
        return Reason(Why.UNREACHABLE)
    found = _cheapest(arrays, planned, visit)
    return Reason(Why.NO_ROOM) if found is None else Reason(Why.COSTS_MORE, *found)


def _cheapest(arrays: Arrays, routes: Routes, visit: int) -> tuple[int, int] | None:
    """Answer (cost, shift) of the cheapest place in any route."""
    found = []
    for number in np.flatnonzero(arrays.able[visit]).tolist():
        cost, position, _ = cheapest(arrays, routes, number, visit, IMPOSSIBLE, 0.0, np.ones(1, np.uint64))
        if position >= 0:
            found.append((cost, number))
    return min(found, default=None)
