"""Whatever the problem, no plan breaks a hard rule, and what it says it costs it costs."""

from hypothesis import given
from hypothesis import strategies as st

from server.dispatch.planner.arrays import able_of, arrays_of
from server.dispatch.planner.plan import tour_of
from server.dispatch.planner.routes import empty_routes, lay
from server.dispatch.planner.solve import solve
from server.dispatch.planner.stopping import Steps
from tests.unit.dispatch.planner.judge import judge
from tests.unit.dispatch.planner.problems import cheapest_by_trying_everything, examples, problems

MANY = examples(300)
FEW = examples(60)


@MANY
@given(problems(), st.integers(1, 99))
def test_no_plan_breaks_a_hard_rule(problem, seed):
    plan = solve(problem, Steps(400), seed=seed)
    assert judge(problem, plan) == plan.cost


@MANY
@given(problems(plain=True))
def test_compiled_stretches_and_plain_words_agree_on_every_tour(problem):
    agree(problem, equal=True)


@MANY
@given(problems())
def test_driving_a_tour_never_costs_more_in_words_than_in_compiled_code(problem):
    agree(problem, equal=False)


def agree(problem, *, equal: bool) -> None:
    arrays = arrays_of(problem)
    plan = solve(problem, Steps(200))
    for tour in plan.tours:
        routes = empty_routes(arrays)
        assert lay(arrays, routes, tour.shift, [stop.visit for stop in tour.stops])
        compiled = int(routes.routes[tour.shift]["cost"])
        in_words = tour_of(problem, tour.shift, [stop.visit for stop in tour.stops]).costs.total
        # With a break, the compiled clocks keep the earlier of two ways; the dearer may be earlier.
        exact = equal or problem.shifts[tour.shift].rest is None
        assert in_words == compiled if exact else in_words <= compiled


@FEW
@given(problems(most_visits=4))
def test_small_problems_are_planned_as_well_as_by_trying_everything(problem):
    plan = solve(problem, Steps(3000))
    best = cheapest_by_trying_everything(problem, able_of(problem))
    # The compiled clocks keep the earlier way to rest, which may break a promise that the later one keeps.
    both = any(it.rest for it in problem.shifts) and any(it.late_cost for it in problem.visits)
    assert plan.cost >= best if both else plan.cost == best
