"""The search is anytime, repeatable, begins where it is told to, and leaves alone what is locked."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from server.dispatch.planner.plan import Why
from server.dispatch.planner.problem import (
    Break,
    InvalidProblem,
    Level,
    Prices,
    Problem,
    Shift,
    Visit,
    Warehouse,
    Window,
)
from server.dispatch.planner.solve import solve
from server.dispatch.planner.stopping import Cancelled, Progress, Seconds, Steps, WithoutGain
from tests.unit.dispatch.planner.judge import judge
from tests.unit.dispatch.planner.problems import HOUR, examples, problems

SOME = examples(60)
ALL_DAY = (Window(8 * HOUR, 17 * HOUR),)


def near(places: int, seconds: int = 600) -> np.ndarray:
    """Every way takes as long."""
    table = np.full((places, places), seconds, np.int32)
    np.fill_diagonal(table, 0)
    return table


def a_day(*visits: Visit, shifts: tuple[Shift, ...] | None = None) -> Problem:
    home = len(visits)
    return Problem(visits, shifts or (Shift(0, home, home, 8 * HOUR, 17 * HOUR),), near(home + 3))


@SOME
@given(problems())
def test_the_same_seed_and_steps_give_the_same_plan(problem):
    assert solve(problem, Steps(400), seed=7) == solve(problem, Steps(400), seed=7)


@SOME
@given(problems())
def test_going_on_from_a_plan_never_ends_worse(problem):
    first = solve(problem, Steps(200))
    assert solve(problem, Steps(0), start=first).cost <= first.cost
    assert solve(problem, Steps(200), seed=2, start=first).cost <= first.cost


@SOME
@given(problems())
def test_what_is_locked_stays_first_and_in_its_order(problem):
    plan = solve(problem, Steps(200))
    shifts = list(problem.shifts)
    for tour in plan.tours:
        if tour.stops[0].visit is not None:
            shifts[tour.shift] = replace(shifts[tour.shift], locked=tour.visits[:1])
    locked = replace(problem, shifts=tuple(shifts))
    again = solve(locked, Steps(400), seed=3)
    assert judge(locked, again) == again.cost


@SOME
@given(problems())
def test_better_plans_are_told_as_they_are_found(problem):
    heard: list[Progress] = []
    plan = solve(problem, Steps(1000), heard=heard.append)
    costs = [it.cost for it in heard]
    assert costs == sorted(set(costs), reverse=True)
    assert not costs or plan.cost <= costs[-1]


def test_whoever_cancels_gets_the_best_so_far():
    problem = a_day(*(Visit(place, HOUR, ALL_DAY) for place in range(4)))
    asked = iter([False, False, True])
    plan = solve(problem, Steps(10**9) | Cancelled(lambda: next(asked)))
    assert judge(problem, plan) == plan.cost
    assert not plan.left_out


def test_criteria_compose():
    now = [0.0]
    time = Seconds(10, clock=lambda: now[0])
    so_far = Progress(steps=50, gained_at=20, cost=1)
    assert (Steps(100) | time).progress(so_far) == 0.5
    assert (Steps(100) & time).progress(so_far) == 0.0
    now[0] = 10.0
    assert (Steps(100) | time).progress(so_far) == 1.0
    assert WithoutGain(30).progress(so_far) == 1.0


@pytest.mark.parametrize(
    ("visit", "why"),
    [
        (Visit(1, HOUR, ALL_DAY, penalty=9, skills=(Level(4),)), Why.NOBODY_ABLE),
        (Visit(1, HOUR, (Window(0, HOUR),), penalty=9), Why.UNREACHABLE),
        (Visit(1, 8 * HOUR, ALL_DAY, penalty=9), Why.NO_ROOM),
        (Visit(1, HOUR, ALL_DAY, penalty=9), Why.COSTS_MORE),
    ],
)
def test_what_is_left_out_says_why(visit, why):
    plan = solve(a_day(Visit(0, HOUR, ALL_DAY), visit), Steps(400))
    assert plan.left_out[1].why is why
    assert (plan.left_out[1].cost is not None) == (why is Why.COSTS_MORE)


def test_a_break_is_taken_between_visits_when_it_may_be():
    rest = Break(12 * HOUR, 13 * HOUR, 1800)
    shift = Shift(0, 2, 2, 8 * HOUR, 17 * HOUR, rest=rest)
    problem = a_day(Visit(0, 4 * HOUR, ALL_DAY), Visit(1, 3 * HOUR, ALL_DAY), shifts=(shift,))
    (tour,) = solve(replace(problem, prices=Prices(second_away=1)), Steps(400)).tours
    assert tour.rests is not None
    assert 12 * HOUR <= tour.rests <= 13 * HOUR
    assert tour.stops[1].begins >= tour.rests + 1800
    assert tour.returns == 8 * HOUR + 7 * HOUR + 3 * 600 + 1800


def test_what_the_van_lacks_comes_from_the_warehouse_on_the_way():
    depot = Warehouse(3, 7 * HOUR, 18 * HOUR, 900)
    shift = Shift(0, 2, 2, 8 * HOUR, 17 * HOUR, stock=(1,), warehouse=depot)
    visits = [Visit(place, HOUR, ALL_DAY, parts=(1,)) for place in range(2)]
    (tour,) = solve(a_day(*visits, shifts=(shift,)), Steps(400)).tours
    made = [stop.visit for stop in tour.stops]
    assert made.count(None) == 1
    assert made.index(None) < 2
    poor = replace(shift, warehouse=None)
    assert len(solve(a_day(*(replace(it, penalty=10**6) for it in visits), shifts=(poor,)), Steps(400)).left_out) == 1


def test_who_is_under_way_has_what_they_need_and_the_next_visit_may_load():
    depot = Warehouse(4, 7 * HOUR, 18 * HOUR, 900)
    shift = Shift(0, 3, 3, 8 * HOUR, 17 * HOUR, stock=(0,), warehouse=depot, locked=(0,))
    visits = [Visit(place, HOUR, ALL_DAY, parts=(1,)) for place in range(3)]
    (tour,) = solve(a_day(*visits, shifts=(shift,)), Steps(1000)).tours
    assert [stop.visit for stop in tour.stops][:2] == [0, None]
    assert len(tour.stops) == 4


def test_where_everybody_near_is_busy_somebody_far_off_is_asked():
    busy = [Visit(0, 8 * HOUR, ALL_DAY) for _ in range(12)]
    near_by = [Shift(it, 1, 1, 8 * HOUR, 17 * HOUR, locked=(it,)) for it in range(12)]
    table = near(3)
    table[2, 0] = table[0, 2] = 2 * HOUR
    visits = (*busy, Visit(0, HOUR, ALL_DAY, penalty=10**6))
    plan = solve(Problem(visits, (*near_by, Shift(12, 2, 2, 8 * HOUR, 17 * HOUR)), table), Steps(400))
    assert not plan.left_out
    assert plan.tours[-1].visits == (12,)


def test_a_slower_engineer_takes_longer():
    shift = Shift(0, 1, 1, 8 * HOUR, 17 * HOUR, pace=150)
    (tour,) = solve(a_day(Visit(0, HOUR, ALL_DAY), shifts=(shift,)), Steps(200)).tours
    assert tour.stops[0].ends - tour.stops[0].begins == HOUR * 3 // 2


def test_people_keep_their_engineer_unless_moving_pays():
    shifts = (Shift(0, 1, 1, 8 * HOUR, 17 * HOUR), Shift(1, 2, 2, 8 * HOUR, 17 * HOUR))
    table = near(4)
    table[2, 0] = table[0, 2] = 60
    known = Visit(0, HOUR, ALL_DAY, known=0, change_cost=2000)
    assert solve(Problem((known,), shifts, table), Steps(200)).tours[0].shift == 0
    cheap = replace(known, change_cost=500)
    assert solve(Problem((cheap,), shifts, table), Steps(200)).tours[0].shift == 1


def test_locked_visits_that_cannot_be_made_are_refused():
    shift = Shift(0, 1, 1, 8 * HOUR, 9 * HOUR, locked=(0,))
    with pytest.raises(InvalidProblem, match="locked"):
        solve(a_day(Visit(0, 2 * HOUR, ALL_DAY), shifts=(shift,)), Steps(200))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Visit(0, HOUR, ()),
        lambda: Visit(0, HOUR, (Window(5, 4),)),
        lambda: Visit(0, HOUR, (Window(0, 9), Window(5, 12))),
        lambda: Visit(0, -1, ALL_DAY),
        lambda: Shift(0, 0, 0, 9, 8),
        lambda: Shift(0, 0, 0, 8, 9, pace=0),
        lambda: a_day(Visit(77, HOUR, ALL_DAY)),
        lambda: a_day(Visit(0, HOUR, ALL_DAY), shifts=(Shift(0, 1, 1, 8, 9, locked=(5,)),)),
        lambda: Problem((), (), np.full((2, 3), 1, np.int32)),
    ],
)
def test_what_cannot_be_planned_is_refused_with_a_sentence(wrong):
    with pytest.raises(InvalidProblem, match=" "):
        wrong()


def test_nothing_to_do_is_a_plan_too():
    plan = solve(Problem((), (Shift(0, 0, 0, 0, 9),), near(1)), Steps(200))
    assert (plan.tours, plan.left_out, plan.cost) == ((), {}, 0)
    assert solve(Problem((Visit(0, 1, ALL_DAY, penalty=3),), (), near(1)), Steps(200)).cost == 3
