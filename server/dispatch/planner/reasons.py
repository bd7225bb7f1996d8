"""Why a visit was left out.

Nobody is able, nobody can reach it, there is no room beside the rest, or it costs more than it is worth.
"""

from collections.abc import Mapping, Sequence

from server.dispatch.planner.arrays import Arrays
from server.dispatch.planner.plan import Reason, Why
from server.dispatch.planner.problem import Problem
from server.dispatch.planner.routes import Routes, empty_routes, lay
from server.dispatch.planner.running import offers


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
    if not offers(arrays, alone, visit, most=1):
        return Reason(Why.UNREACHABLE)
    found = offers(arrays, planned, visit, most=1)
    return Reason(Why.COSTS_MORE, found[0].cost, found[0].shift) if found else Reason(Why.NO_ROOM)
