"""What must not matter to a plan doesn't, and what can only help never hurts. Small problems, planned to the end."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from server.dispatch.planner.problem import Prices, Problem, Window
from server.dispatch.planner.solve import solve
from server.dispatch.planner.stopping import Steps
from tests.unit.dispatch.planner.problems import HOUR, examples, problems, restless

FEW = examples(60)
ENOUGH = 3000


def best(problem: Problem) -> int:
    return solve(problem, Steps(ENOUGH)).cost


@FEW
@given(problems(most_visits=4).map(restless), st.randoms(use_true_random=False))
def test_the_order_in_which_visits_are_told(problem, rng):
    shuffled = rng.sample(problem.visits, len(problem.visits))
    assert best(replace(problem, visits=tuple(shuffled))) == best(problem)


@FEW
@given(problems(most_visits=4).map(restless), st.randoms(use_true_random=False))
def test_how_places_are_numbered(problem, rng):
    new = rng.sample(range(len(problem.seconds)), len(problem.seconds))
    old = np.argsort(new)

    def moved(it):
        return replace(it, place=new[it.place])

    shifts = tuple(
        replace(
            it,
            start=new[it.start],
            end=None if it.end is None else new[it.end],
            warehouse=moved(it.warehouse) if it.warehouse else None,
        )
        for it in problem.shifts
    )
    renamed = replace(
        problem,
        visits=tuple(moved(it) for it in problem.visits),
        shifts=shifts,
        seconds=np.ascontiguousarray(problem.seconds[np.ix_(old, old)]),
        metres=None if problem.metres is None else np.ascontiguousarray(problem.metres[np.ix_(old, old)]),
    )
    assert best(renamed) == best(problem)


@FEW
@given(problems(), st.sampled_from([-6 * HOUR, 900, 24 * HOUR]))
def test_the_day_it_is(problem, later):
    def moved(window):
        return Window(window.opens + later, window.closes + later)

    visits = tuple(
        replace(it, windows=tuple(map(moved, it.windows)), due=None if it.due is None else it.due + later)
        for it in problem.visits
    )
    shifts = tuple(
        replace(
            it,
            starts=it.starts + later,
            ends=it.ends + later,
            rest=replace(it.rest, opens=it.rest.opens + later, closes=it.rest.closes + later) if it.rest else None,
            warehouse=(
                replace(it.warehouse, opens=it.warehouse.opens + later, closes=it.warehouse.closes + later)
                if it.warehouse
                else None
            ),
        )
        for it in problem.shifts
    )
    then, now = solve(replace(problem, visits=visits, shifts=shifts), Steps(400)), solve(problem, Steps(400))
    assert then.costs == now.costs
    assert [it.visits for it in then.tours] == [it.visits for it in now.tours]
    assert [it.leaves - later for it in then.tours] == [it.leaves for it in now.tours]


@FEW
@given(problems(most_visits=4).map(restless))
def test_the_currency(problem):
    prices = problem.prices
    dear = replace(
        problem,
        visits=tuple(
            replace(it, penalty=3 * it.penalty, late_cost=3 * it.late_cost, change_cost=3 * it.change_cost)
            for it in problem.visits
        ),
        shifts=tuple(
            replace(it, fixed_cost=3 * it.fixed_cost, overtime_cost=3 * it.overtime_cost) for it in problem.shifts
        ),
        prices=Prices(3 * prices.second_travelled, 3 * prices.metre, 3 * prices.second_away, 3 * prices.fairness),
    )
    assert best(dear) == 3 * best(problem)


@FEW
@given(problems(most_visits=4).map(restless))
def test_one_more_engineer_never_hurts(problem):
    helper = replace(problem.shifts[0], engineer=99)
    assert best(replace(problem, shifts=(*problem.shifts, helper))) <= best(problem)


@FEW
@given(problems(most_visits=4).map(restless))
def test_a_wider_window_never_hurts(problem):
    visits = tuple(
        replace(it, windows=(Window(it.windows[0].opens - 600, it.windows[-1].closes + 600),)) for it in problem.visits
    )
    assert best(replace(problem, visits=visits)) <= best(problem)
