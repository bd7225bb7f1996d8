"""Jobs to engineers, one each: as many jobs as can be, and of all ways to do that the cheapest. No routes, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ortools.graph.python import min_cost_flow

from server.dispatch.planner.problem import Cost


class Unmatched(StrEnum):
    """Why a job is left over. Pages translate the codes."""

    NOBODY_ABLE = "nobody_able"
    ALL_TAKEN = "all_taken"


@dataclass(frozen=True)
class Matching:
    """engineers: of each job that has one; left_over: the others, with the reason."""

    engineers: Mapping[int, int]
    left_over: Mapping[int, Unmatched]
    cost: Cost


def matched(jobs: int, engineers: int, costs: Mapping[tuple[int, int], Cost]) -> Matching:
    """Answer who takes which job.

    costs: of a job with an engineer, both numbered from 0; a pair without one is forbidden. The same question gives the
    same answer.
    """
    pairs = sorted(costs)
    flow = min_cost_flow.SimpleMinCostFlow()
    source, sink = jobs + engineers, jobs + engineers + 1
    arcs = [flow.add_arc_with_capacity_and_unit_cost(job, jobs + one, 1, costs[job, one]) for job, one in pairs]
    for job in range(jobs):
        flow.add_arc_with_capacity_and_unit_cost(source, job, 1, 0)
    for one in range(engineers):
        flow.add_arc_with_capacity_and_unit_cost(jobs + one, sink, 1, 0)
    flow.set_node_supply(source, jobs)
    flow.set_node_supply(sink, -jobs)
    if flow.solve_max_flow_with_min_cost() != flow.OPTIMAL:
        raise ArithmeticError("costs so large that their sums have no place in a number")
    taken = {job: one for (job, one), arc in zip(pairs, arcs, strict=True) if flow.flow(arc)}
    able = {job for job, _ in pairs}
    left_over = {
        job: Unmatched.ALL_TAKEN if job in able else Unmatched.NOBODY_ABLE for job in range(jobs) if job not in taken
    }
    return Matching(taken, left_over, sum(costs[it] for it in taken.items()))
