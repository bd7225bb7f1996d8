"""Good routes that a search has met, and the cheapest plan that can be put together from them: set partitioning."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ortools.linear_solver import pywraplp

from server.dispatch.planner.arrays import Arrays, Ints, Longs
from server.dispatch.planner.compiled import inlined
from server.dispatch.planner.routes import Routes

_SLOTS = 2**13
_CHOSEN_FROM = 1500  # routes that whole numbers are looked for with
# Not seconds but the solver's own measure: the same on every machine.
_EFFORT = "num_workers: 1 max_deterministic_time: 0.3"

type Chosen = list[tuple[int, list[int]]]


class Pool(NamedTuple):
    """Routes by what they are: each has one slot that it can be in, and who comes later takes it."""

    marks: NDArray[np.uint64]  # [k]
    shift: Ints  # [k]
    size: Ints  # [k] 0 for an empty slot
    cost: Longs  # [k]
    stops: Ints  # [k, c]


def empty_pool(routes: Routes) -> Pool:
    longest = routes.stages.shape[1]
    return Pool(
        marks=np.zeros(_SLOTS, np.uint64),
        shift=np.zeros(_SLOTS, np.int32),
        size=np.zeros(_SLOTS, np.int32),
        cost=np.zeros(_SLOTS, np.int64),
        stops=np.zeros((_SLOTS, longest), np.int32),
    )


@inlined
def remember(pool: Pool, routes: Routes, r: int) -> None:
    """Keep a route."""
    size, row = routes.routes[r].size, routes.stages[r]
    mark = routes.routes[r].mark
    slot = np.int64(mark % np.uint64(pool.marks.shape[0]))
    if size == 0 or pool.marks[slot] == mark:
        return
    pool.marks[slot], pool.shift[slot], pool.size[slot], pool.cost[slot] = mark, r, size, routes.routes[r].cost
    for i in range(size):
        pool.stops[slot, i] = row[i].stop


def put_together(arrays: Arrays, pool: Pool, best: Routes, below: int) -> Chosen | None:
    """Answer shifts and their stops, of the routes of the pool and of `best`, that cost less than `below` in all.

    None if none are found. The same pool gives the same answer. What the linear relaxation proves too dear is put
    aside; of the rest the most promising are combined, so it need not be the cheapest answer.
    """
    shifts, rows, costs = _routes(arrays, pool, best)
    relaxed = _Partition("GLOP", arrays, shifts, rows, costs)
    if relaxed.solver.Solve() != pywraplp.Solver.OPTIMAL:
        return None
    rest = np.array([it.ReducedCost() for it in relaxed.taken])
    kept = np.flatnonzero(rest < below - relaxed.objective.Value())
    kept = kept[np.argsort(rest[kept], kind="stable")[:_CHOSEN_FROM]]
    whole = _Partition("SAT", arrays, shifts[kept], [rows[it] for it in kept], costs[kept])
    whole.keep_below(below)
    whole.solver.SetSolverSpecificParametersAsString(_EFFORT)
    if whole.solver.Solve() not in (pywraplp.Solver.OPTIMAL, pywraplp.Solver.FEASIBLE):
        return None
    chosen = [it for it, taken in zip(kept, whole.taken, strict=True) if taken.solution_value() > 1 / 2]
    return [(int(shifts[it]), rows[it]) for it in chosen]


def _routes(arrays: Arrays, pool: Pool, best: Routes) -> tuple[Ints, list[list[int]], Longs]:
    """Answer every route's shift, stops and cost, with what it costs that visits are moved."""
    slots, running = np.flatnonzero(pool.size), np.flatnonzero(best.routes["size"])
    rows = [pool.stops[it, : pool.size[it]].tolist() for it in slots]
    rows += [best.stages[it]["stop"][: best.routes[it]["size"]].tolist() for it in running]
    shifts = np.concatenate([pool.shift[slots], running.astype(np.int32)])
    costs = np.concatenate([pool.cost[slots], best.routes["cost"][running]])
    known, change = arrays.stops["known"], arrays.stops["change"]
    moved = [
        sum(int(change[it]) for it in row if known[it] not in (-1, r)) for r, row in zip(shifts, rows, strict=True)
    ]
    return shifts, rows, costs + np.array(moved, dtype=np.int64)


class _Partition:
    """Every visit is in one route taken or left out, every shift takes one route at most."""

    def __init__(self, kind: str, arrays: Arrays, shifts: Ints, rows: Sequence[Sequence[int]], costs: Longs) -> None:
        self.solver = solver = pywraplp.Solver.CreateSolver(kind)
        self._whole, visits = kind == "SAT", len(arrays.able)
        self.objective = solver.Objective()
        made = [solver.Constraint(1, 1) for _ in range(visits)]
        # What is locked stays with its shift.
        works = [solver.Constraint(int(it > 0), 1) for it in arrays.shifts["locked"]]
        self.taken = [self._share() for _ in rows]
        for it, shift, row, cost in zip(self.taken, shifts.tolist(), rows, costs.tolist(), strict=True):
            self.objective.SetCoefficient(it, cost)
            works[shift].SetCoefficient(it, 1)
            for stop in row:
                if stop < visits:
                    made[stop].SetCoefficient(it, 1)
        for constraint, penalty in zip(made, arrays.stops["penalty"].tolist(), strict=False):
            left_out = self._share()
            self.objective.SetCoefficient(left_out, penalty)
            constraint.SetCoefficient(left_out, 1)

    def _share(self) -> pywraplp.Variable:
        return self.solver.Var(0, 1, self._whole, "")

    def keep_below(self, below: int) -> None:
        limit = self.solver.Constraint(-self.solver.infinity(), below - 1)
        for it in self.solver.variables():
            limit.SetCoefficient(it, self.objective.GetCoefficient(it))
