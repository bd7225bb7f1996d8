"""Routes that were met at different times make a plan together."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from server.dispatch.planner.arrays import arrays_of
from server.dispatch.planner.pool import empty_pool, put_together, remember
from server.dispatch.planner.problem import Problem, Shift, Visit, Window
from server.dispatch.planner.routes import empty_routes, lay
from server.dispatch.planner.solve import solve
from server.dispatch.planner.stopping import Steps
from tests.unit.dispatch.planner.judge import judge
from tests.unit.dispatch.planner.problems import HOUR, examples, problems

MINUTE = 60


def two_ends_of_a_street(*, locked: tuple[int, ...] = ()) -> Problem:
    """Two visits, each with an engineer who lives beside it; the other end is an hour away."""
    at = np.array([0, 60, 1, 59]) * MINUTE
    visits = tuple(Visit(place, 600, (Window(0, 9 * HOUR),)) for place in (0, 1))
    shifts = (Shift(0, 2, 2, 0, 9 * HOUR, locked=locked), Shift(1, 3, 3, 0, 9 * HOUR))
    return Problem(visits, shifts, np.abs(at[:, None] - at[None]).astype(np.int32))


def met(problem: Problem, *routes: tuple[int, list[int]]):
    """Answer the arrays, a pool that met these routes, and the routes laid last."""
    arrays = arrays_of(problem)
    laid = empty_routes(arrays)
    pool = empty_pool(laid)
    for shift, visits in routes:
        assert lay(arrays, laid, shift, visits)
        remember(pool, laid, shift)
    return arrays, pool, laid


def test_routes_that_were_never_in_one_plan_are_put_together():
    crossed = ((0, [0]), (1, [1]), (0, [1]), (1, [0]))
    arrays, pool, laid = met(two_ends_of_a_street(), *crossed)
    best = int(laid.routes["cost"].sum())
    assert sorted(put_together(arrays, pool, laid, best) or []) == [(0, [0]), (1, [1])]


def test_nothing_comes_of_routes_that_make_no_cheaper_plan():
    arrays, pool, laid = met(two_ends_of_a_street(), (0, [1]), (1, [0]), (0, [0]), (1, [1]))
    assert put_together(arrays, pool, laid, int(laid.routes["cost"].sum())) is None


def test_who_has_something_locked_goes_out():
    # One engineer alone would be cheaper.
    arrays, pool, laid = met(two_ends_of_a_street(locked=(1,)), (1, [0, 1]), (1, [0]), (0, [1]))
    chosen = put_together(arrays, pool, laid, 10**9)
    assert chosen is not None
    assert sorted(chosen) == [(0, [1]), (1, [0])]


@examples(40)
@given(problems(), st.integers(1, 99))
def test_a_long_search_that_uses_them_is_as_sound_and_repeatable(problem, seed):
    steps = Steps(2000 * max(1, len(problem.visits)))
    plan = solve(problem, steps, seed=seed)
    assert judge(problem, plan) == plan.cost
    assert solve(problem, steps, seed=seed) == plan
