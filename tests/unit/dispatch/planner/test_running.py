"""An urgent visit asks every running tour for its cheapest place, and the answer is exact."""

from dataclasses import replace

import numpy as np
from hypothesis import assume, given

from server.dispatch.planner.arrays import able_of
from server.dispatch.planner.plan import Undrivable, tour_of
from server.dispatch.planner.problem import Problem, Shift, Visit, Window
from server.dispatch.planner.running import Running
from server.dispatch.planner.solve import solve
from server.dispatch.planner.stopping import Steps
from tests.unit.dispatch.planner.problems import HOUR, equipped, examples, problems, restless


@examples(200)
@given(problems().map(restless))
def test_the_cheapest_offer_is_the_cheapest_of_all_places(problem):
    *others, urgent = range(len(problem.visits))
    assume(others)
    calm = replace(problem, visits=(*problem.visits[:-1], replace(problem.visits[-1], only=frozenset())))
    plan = solve(calm, Steps(200))
    offers = Running(problem, plan).offers(urgent, most=len(problem.shifts))
    tried = {shift: by_trying(problem, plan, shift, urgent) for shift in range(len(problem.shifts))}
    expected = {shift: cost for shift, cost in tried.items() if cost is not None}
    assert {it.shift: it.cost for it in offers} == expected
    assert [it.cost for it in offers] == sorted(it.cost for it in offers)


def by_trying(problem, plan, shift, visit) -> int | None:
    """What it costs more, at least, wherever the visit and if need be the warehouse are put into the shift's tour."""
    if not able_of(problem)[visit, shift]:
        return None
    tour = next((it for it in plan.tours if it.shift == shift), None)
    stops = [stop.visit for stop in tour.stops] if tour else []
    now = tour.costs.total if tour else 0
    found = []
    for position in range(len(stops) + 1):
        taken = [*stops[:position], visit, *stops[position:]]
        loaded = None in stops or problem.shifts[shift].warehouse is None
        loads = [] if loaded else [[*taken[:q], None, *taken[q:]] for q in range(position + 1)]
        # The warehouse is only driven to if the van lacks something.
        for sequence in [taken] if equipped(problem, shift, taken) else loads:
            if equipped(problem, shift, sequence):
                try:
                    found.append(tour_of(problem, shift, sequence).costs.total - now)
                except Undrivable:
                    continue
    return min(found, default=None)


def test_an_offer_says_whom_it_delays():
    seconds = np.full((4, 4), 600, np.int32)
    visits = tuple(Visit(place, HOUR, (Window(8 * HOUR, 16 * HOUR),)) for place in range(3))
    problem = Problem(visits, (Shift(0, 3, 3, 8 * HOUR, 17 * HOUR),), seconds)
    plan = solve(replace(problem, visits=(*visits[:2], replace(visits[2], only=frozenset()))), Steps(200))
    running = Running(problem, plan)
    (offer,) = running.offers(2)
    tour = running.with_visit(2, offer)
    assert sorted(tour.visits) == [0, 1, 2]
    assert offer.cost == tour.costs.total - plan.tours[0].costs.total == 600
    assert running.delays(2, offer) == dict.fromkeys(tour.visits[offer.position + 1 :], HOUR + 600)
