"""Visits that begin together, and visits that wait for others."""

from dataclasses import replace
from itertools import pairwise, permutations, product
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.dispatch.planner.arrays import able_of
from server.dispatch.planner.links import Span, narrowed
from server.dispatch.planner.plan import Why
from server.dispatch.planner.problem import (
    Before,
    Crew,
    InvalidProblem,
    Level,
    Prices,
    Problem,
    Shift,
    Visit,
    Window,
    common_windows,
)
from server.dispatch.planner.solve import solve
from server.dispatch.planner.stopping import Cancelled, Steps
from tests.unit.dispatch.planner.judge import judge
from tests.unit.dispatch.planner.problems import HOUR, examples, problems

DAY = 24 * HOUR
MINUTE = 60
# Two homes, a site half an hour from the one and twenty minutes from the other, and a house.
HOME, OTHER_HOME, SITE, HOUSE = range(4)
WAYS = np.array(
    [[0, 40, 30, 10], [40, 0, 20, 35], [30, 20, 0, 25], [10, 35, 25, 0]],
    np.int32,
) * np.int32(MINUTE)
PENALTY = 50_000

MANY = examples(300)
FEW = examples(40)


def at(place, *, opens=8 * HOUR, closes=16 * HOUR, **more):
    return Visit(place, HOUR, (Window(opens, closes),), **{"penalty": PENALTY, **more})


def shift(engineer, home, *, day=0, **more):
    return Shift(engineer, home, home, day * DAY + 8 * HOUR, day * DAY + 17 * HOUR, **more)


def planned(visits, shifts, *links, steps=4000):
    problem = Problem(tuple(visits), tuple(shifts), WAYS, links=links)
    plan = solve(problem, Steps(steps))
    assert judge(problem, plan) == plan.cost
    return plan


def begins(plan):
    return {stop.visit: stop.begins for tour in plan.tours for stop in tour.stops}


def test_two_engineers_meet_at_the_crane_as_soon_as_the_later_one_can():
    plan = planned([at(SITE), at(SITE)], [shift(1, HOME), shift(2, OTHER_HOME)], Crew((0, 1)))
    assert not plan.left_out
    assert plan.cost == (30 + 20) * 2 * MINUTE
    assert len({tour.shift for tour in plan.tours}) == 2


def test_a_crew_meets_around_what_one_of_them_has_promised_elsewhere():
    house = at(HOUSE, opens=10 * HOUR, closes=10 * HOUR, only=frozenset({1}))
    plan = planned([at(SITE), at(SITE), house], [shift(1, HOME), shift(2, OTHER_HOME)], Crew((0, 1)))
    assert not plan.left_out
    assert plan.cost == (30 + 25 + 10 + 20 + 20) * MINUTE


def test_a_member_of_a_crew_must_have_the_skill():
    crane = Level(7)
    visits = [at(SITE, skills=(crane,)), at(SITE)]
    plan = planned(visits, [shift(1, HOME), shift(2, OTHER_HOME), shift(3, HOME, skills=(crane,))], Crew((0, 1)))
    assert {tour.shift for tour in plan.tours if 0 in tour.visits} == {2}
    assert plan.cost == (30 + 20) * 2 * MINUTE


def test_a_crew_that_nobody_can_complete_is_left_out_whole():
    visits = [at(SITE, skills=(Level(7),)), at(SITE), at(HOUSE)]
    plan = planned(visits, [shift(1, HOME), shift(2, OTHER_HOME)], Crew((0, 1)))
    assert {it: reason.why for it, reason in plan.left_out.items()} == {
        0: Why.NOBODY_ABLE,
        1: Why.CREW_INCOMPLETE,
    }


def test_one_engineer_is_no_crew_even_with_two_shifts():
    plan = planned([at(SITE), at(SITE)], [shift(1, HOME), shift(1, OTHER_HOME)], Crew((0, 1)))
    assert set(plan.left_out) == {0, 1}


def test_pipes_dry_for_a_day_before_the_plaster():
    pipes, plaster = at(SITE, closes=DAY + 16 * HOUR), at(SITE, closes=DAY + 16 * HOUR)
    plan = planned([plaster, pipes], [shift(1, HOME), shift(2, OTHER_HOME, day=1)], Before(1, 0, gap=23 * HOUR))
    assert not plan.left_out
    assert begins(plan)[0] >= begins(plan)[1] + DAY


def test_a_chain_of_three_is_made_in_its_order():
    visits = [at(HOUSE), at(SITE), at(HOUSE)]
    plan = planned(visits, [shift(1, HOME)], Before(1, 0), Before(0, 2))
    assert [tour.visits for tour in plan.tours] == [(1, 0, 2)]
    assert plan.cost == (30 + 25 + 10) * MINUTE


def test_without_the_first_the_others_are_left_out_too():
    visits = [at(SITE, skills=(Level(7),)), at(SITE), at(HOUSE), at(HOUSE)]
    plan = planned(visits, [shift(1, HOME)], Before(0, 1), Before(1, 2))
    assert {it: reason.why for it, reason in plan.left_out.items()} == {
        0: Why.NOBODY_ABLE,
        1: Why.WAITS_FOR_ANOTHER,
        2: Why.WAITS_FOR_ANOTHER,
    }


def test_the_first_is_made_without_what_would_begin_too_late():
    visits = [at(SITE), at(SITE)]
    plan = planned(visits, [shift(1, HOME)], Before(0, 1, gap=DAY))
    assert {it: reason.why for it, reason in plan.left_out.items()} == {1: Why.WAITS_FOR_ANOTHER}


def test_a_cheap_first_is_made_for_the_sake_of_what_waits_for_it():
    plan = planned([at(SITE, penalty=0), at(SITE)], [shift(1, HOME)], Before(0, 1))
    assert not plan.left_out


def test_a_crew_that_is_not_worth_the_ways_is_left_out():
    plan = planned([at(SITE, penalty=10), at(SITE, penalty=10)], [shift(1, HOME), shift(2, OTHER_HOME)], Crew((0, 1)))
    assert set(plan.left_out) == {0, 1}


def test_a_crew_waits_for_the_crew_before_it():
    plan = planned(
        [at(SITE)] * 4, [shift(1, HOME), shift(2, OTHER_HOME)], Crew((2, 3)), Crew((0, 1)), Before(2, 0, HOUR)
    )
    assert not plan.left_out
    assert plan.cost == (30 + 20) * 2 * MINUTE


def test_who_is_locked_waits_for_the_others():
    plan = planned([at(SITE), at(SITE)], [shift(1, HOME, locked=(0,)), shift(2, OTHER_HOME)], Crew((0, 1)))
    assert not plan.left_out


def test_locked_visits_whose_link_cannot_be_kept_are_refused():
    with pytest.raises(InvalidProblem, match="links of locked"):
        planned([at(SITE), at(SITE)], [shift(1, HOME, locked=(0,))], Crew((0, 1)))


def test_a_plan_with_links_goes_on_from_the_one_that_is_known():
    visits = [at(SITE), at(SITE), at(HOUSE)]
    problem = Problem(tuple(visits), (shift(1, HOME), shift(2, OTHER_HOME)), WAYS, links=(Crew((0, 1)), Before(0, 2)))
    known = solve(problem, Steps(4000))
    asked = iter([False, False, *[True] * 99])
    again = solve(problem, Cancelled(lambda: next(asked)), start=known)
    assert judge(problem, again) == again.cost <= known.cost


def test_spans_narrow_every_window_and_bar_who_is_too_slow():
    visit = Visit(SITE, HOUR, (Window(0, 10), Window(20, 30), Window(40, 50)))
    problem = Problem((visit, visit), (shift(1, HOME), shift(2, HOME, pace=150)), WAYS)
    small = narrowed(problem, {0: Span(5, 25, pace=100), 1: None})
    assert small.visits[0] == replace(visit, windows=(Window(5, 10), Window(20, 25)), never=frozenset({2}))
    assert not able_of(small)[1].any()


@pytest.mark.parametrize(
    ("links", "sentence"),
    [
        ([Crew((0, 1)), Crew((1, 2))], "one crew only"),
        ([Before(0, 1), Before(1, 0)], "circle"),
        ([Crew((0, 1)), Before(0, 1)], "circle"),
        ([Crew((0, 1)), Before(0, 2), Before(2, 1)], "circle"),
        ([Crew((0, 3))], "one place"),
        ([Crew((0, 4))], "instant"),
        ([Crew((0, 5))], "a second or more"),
        ([Before(0, 9)], "not one of"),
    ],
)
def test_links_that_mean_nothing_are_refused(links, sentence):
    visits = [at(SITE), at(SITE), at(SITE), at(HOUSE), at(SITE, opens=17 * HOUR, closes=18 * HOUR)]
    visits.append(replace(at(SITE), work=0))
    with pytest.raises(InvalidProblem, match=sentence):
        Problem(tuple(visits), (shift(1, HOME),), WAYS, links=tuple(links))


@st.composite
def linked(draw, most_visits=8, *, plain=False):
    problem, rng = draw(problems(most_visits, plain=plain)), draw(st.randoms(use_true_random=False))
    numbers = list(range(len(problem.visits)))
    rng.shuffle(numbers)
    visits, units, rest = list(problem.visits), [], numbers
    links: list[Crew | Before] = []
    while rest:
        size = min(len(rest), rng.choice([1, 1, 1, 2, 2, 3]))
        unit, rest = rest[:size], rest[size:]
        units.append(unit)
        if size > 1:
            first = visits[unit[0]]
            for it in unit[1:]:
                visits[it] = replace(visits[it], place=first.place, windows=first.windows, due=None)
            links.append(Crew(tuple(unit)))
    for one, other in pairwise(units):
        if rng.random() < 0.5:
            links.append(Before(rng.choice(one), rng.choice(other), rng.choice([0, 0, HOUR])))
    return replace(problem, visits=tuple(visits), links=tuple(links))


@MANY
@given(linked(), st.integers(1, 99))
def test_no_plan_breaks_a_link(problem, seed):
    plan = solve(problem, Steps(1000), seed=seed)
    assert judge(problem, plan) == plan.cost
    assert solve(problem, Steps(1000), seed=seed) == plan


@FEW
@given(problems(), st.integers(1, 99))
def test_spans_that_narrow_nothing_change_nothing(problem, seed):
    everything = dict.fromkeys(range(len(problem.visits)), Span(-DAY, 9 * DAY))
    assert solve(narrowed(problem, everything), Steps(400), seed=seed) == solve(problem, Steps(400), seed=seed)


@FEW
@given(linked(most_visits=4, plain=True))
def test_small_linked_problems_are_planned_as_well_as_by_trying_everything(problem):
    problem = replace(problem, prices=Prices(1, 0, 0, 0))
    plan = solve(problem, Steps(20_000))
    assert judge(problem, plan) == plan.cost
    best = cheapest_by_trying_everything(problem)
    # Instants are drawn, not proven: of hundreds of such problems nearly all are planned at exactly this cost.
    assert best <= plan.cost <= best * 1.1


def cheapest_by_trying_everything(problem):
    """What the best of all plans costs where time costs nothing: every order, each driven as early as links allow."""
    visits, able, best = range(len(problem.visits)), able_of(problem), None
    for who in product((None, *range(len(problem.shifts))), repeat=len(visits)):
        if all(it is None or able[visit, it] for visit, it in enumerate(who)):
            orders = [permutations([v for v in visits if who[v] == it]) for it in range(len(problem.shifts))]
            for tours in product(*orders):
                cost = sum(problem.visits[v].penalty for v in visits if who[v] is None)
                cost += sum(_way(problem, number, tour) for number, tour in enumerate(tours) if tour)
                cost += sum(it.change_cost for v, it in enumerate(problem.visits) if _moved(it, who[v]))
                if (best is None or cost < best) and _can_be(problem, who, tours):
                    best = cost
    assert best is not None
    return best


def _moved(visit, shift):
    return None not in (visit.known, shift) and visit.known != shift


def _way(problem, number, tour):
    it = problem.shifts[number]
    places = [it.start, *(problem.visits[v].place for v in tour), it.end]
    return it.fixed_cost + sum(int(problem.seconds[a, b]) for a, b in pairwise(places))


def _can_be(problem, who, tours):
    """Whether beginning as early as can be, and waiting for each other, keeps all windows."""
    for it in problem.links:
        if isinstance(it, Crew):
            engineers = {problem.shifts[who[v]].engineer for v in it.visits if who[v] is not None}
            if (any(who[v] is None for v in it.visits) and engineers) or 0 < len(engineers) < len(it.visits):
                return False
        elif who[it.then] is not None and who[it.first] is None:
            return False
    begin = {v: common_windows([problem.visits[v]])[0][0] for tour in tours for v in tour}
    while True:
        later = _later(problem, who, tours, begin)
        if any(time > problem.visits[v].windows[0].closes for v, time in later.items()):
            return False
        if later == begin:
            return all(_home(problem, number, tour, begin) for number, tour in enumerate(tours) if tour)
        begin = later


def _later(problem, who, tours, begin):
    found = dict(begin)
    for number, tour in enumerate(tours):
        time, here = problem.shifts[number].starts, problem.shifts[number].start
        for v in tour:
            found[v] = max(found[v], time + int(problem.seconds[here, problem.visits[v].place]))
            time, here = found[v] + _work(problem, v, who[v]), problem.visits[v].place
    for it in problem.links:
        if isinstance(it, Crew):
            found |= dict.fromkeys((v for v in it.visits if v in found), max(found.get(v, 0) for v in it.visits))
        elif it.then in found:
            found[it.then] = max(found[it.then], found[it.first] + _work(problem, it.first, who[it.first]) + it.gap)
    return found


def _work(problem, visit, shift):
    return problem.visits[visit].work * problem.shifts[shift].pace // 100


def _home(problem, number, tour, begin):
    shift, last = problem.shifts[number], tour[-1]
    way = int(problem.seconds[problem.visits[last].place, shift.end])
    return begin[last] + _work(problem, last, number) + way <= shift.over


def test_many_crews_share_few_engineers():
    rng, sites = Random(5), 6
    ways = np.array([[0 if a == b else 600 for b in range(sites + 1)] for a in range(sites + 1)], np.int32)
    visits = tuple(
        Visit(site, HOUR, (Window(8 * HOUR, (12 + rng.randrange(4)) * HOUR),), penalty=PENALTY)
        for site in range(1, sites + 1)
        for _ in range(2)
    )
    links = tuple(Crew((2 * it, 2 * it + 1)) for it in range(sites))
    visits = tuple(replace(it, windows=visits[number // 2 * 2].windows) for number, it in enumerate(visits))
    problem = Problem(visits, (shift(1, 0), shift(2, 0)), ways, links=links)
    plan = solve(problem, Steps(20_000))
    assert judge(problem, plan) == plan.cost
    # Two engineers together: a day of nine hours is enough for seven.
    assert not plan.left_out
