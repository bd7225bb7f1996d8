"""Small problems with a bit of everything, for Hypothesis and for brute force."""

from dataclasses import replace
from itertools import permutations, product
from random import Random

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from server.dispatch.planner.plan import Costs, Undrivable, tour_of
from server.dispatch.planner.problem import Break, Level, Prices, Problem, Shift, Visit, Warehouse, Window

HOUR = 3600


def examples(many: int) -> settings:
    # The first example compiles the planner, which on a busy machine takes longer than drawing should.
    return settings(max_examples=many, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def towns(rng: Random, many: int, minutes: int = 40) -> np.ndarray:
    """Ways between places in a plane, in whole seconds; a way over a third place is never shorter."""
    spots = [(rng.random(), rng.random()) for _ in range(many)]
    return np.array(
        [[int(np.ceil(np.hypot(a[0] - b[0], a[1] - b[1]) * minutes * 60)) for b in spots] for a in spots], np.int32
    )


def restless(problem: Problem) -> Problem:
    """Breaks and promises together are planned well, not always best."""
    return replace(problem, shifts=tuple(replace(it, rest=None) for it in problem.shifts))


@st.composite
def problems(draw, most_visits: int = 8, *, plain: bool = False) -> Problem:
    rng = draw(st.randoms(use_true_random=False))
    visits, shifts, rich = draw(st.integers(1, most_visits)), draw(st.integers(1, 3)), not plain
    places = visits + shifts + 1
    seconds = towns(rng, places)
    kinds = rng.choice([0, 2]) if rich else 0
    made = tuple(_shift(rng, number, visits + number, places - 1, kinds, rich=rich) for number in range(shifts))
    return Problem(
        tuple(_visit(rng, number, shifts, kinds, rich=rich) for number in range(visits)),
        made,
        seconds,
        metres=seconds * 12 if rich and rng.random() < 0.3 else None,
        prices=Prices(rng.choice([0, 1]), 0, rng.choice([0, 1, 3]), rng.choice([0, 0, 5]) if rich else 0),
    )


def _visit(rng: Random, place: int, shifts: int, kinds: int, *, rich: bool) -> Visit:
    opens = rng.randrange(8, 14) * HOUR
    windows = [Window(opens, opens + rng.choice([0, HOUR, 4 * HOUR]))]
    if rich and rng.random() < 0.3:
        later = windows[0].closes + HOUR
        windows.append(Window(later, later + HOUR))
    promised = rich and rng.random() < 0.3
    return Visit(
        place,
        rng.choice([600, 1800, 5400]),
        tuple(windows),
        penalty=rng.choice([2_000, 20_000, 200_000]),
        due=opens + 900 if promised else None,
        late_cost=2 if promised else 0,
        skills=(Level(rng.randrange(2), rng.choice([1, 2])),) if rng.random() < 0.4 else (),
        equipment=frozenset({0}) if rich and rng.random() < 0.2 else frozenset(),
        parts=tuple(rng.choice([0, 0, 1]) for _ in range(kinds)),
        only=frozenset({rng.randrange(shifts)}) if rich and rng.random() < 0.1 else None,
        never=frozenset({rng.randrange(shifts)}) if rich and rng.random() < 0.1 else frozenset(),
        known=rng.randrange(shifts) if rich and rng.random() < 0.2 else None,
        change_cost=rng.choice([0, 700]),
    )


def _shift(rng: Random, engineer: int, home: int, depot: int, kinds: int, *, rich: bool) -> Shift:
    starts = rng.choice([7, 8, 9]) * HOUR
    overtime = rng.choice([0, HOUR]) if rich else 0
    return Shift(
        engineer,
        home,
        None if rich and rng.random() < 0.2 else home,
        starts,
        starts + rng.choice([4, 8]) * HOUR,
        overtime=overtime,
        overtime_cost=3 if overtime else 0,
        rest=Break(starts + 2 * HOUR, starts + 3 * HOUR, 1800) if rich and rng.random() < 0.3 else None,
        skills=tuple(Level(skill, rng.choice([1, 2])) for skill in range(2) if rng.random() < 0.7),
        pace=rng.choice([80, 100, 130]) if rich else 100,
        fixed_cost=rng.choice([0, 500]),
        equipment=frozenset({0}) if rng.random() < 0.4 else frozenset(),
        stock=tuple(rng.choice([0, 1, 2]) for _ in range(kinds)),
        warehouse=Warehouse(depot, 7 * HOUR, 18 * HOUR, 600) if rich and rng.random() < 0.5 else None,
    )


def cheapest_by_trying_everything(problem: Problem, able) -> int:
    """What the best of all plans costs; for very few visits. Loads at most once a tour, anywhere."""
    visits, shifts = range(len(problem.visits)), range(len(problem.shifts))
    tours: dict[tuple[int, frozenset[int]], int | None] = {}

    def tour_cost(shift: int, chosen: frozenset[int]) -> int | None:
        if (shift, chosen) not in tours:
            tours[shift, chosen] = _best_tour(problem, shift, chosen)
        return tours[shift, chosen]

    best: int | None = None
    for who in product((None, *shifts), repeat=len(visits)):
        if any(it is not None and not able[visit, it] for visit, it in enumerate(who)):
            continue
        drawn = [tour_cost(it, frozenset(v for v in visits if who[v] == it)) for it in shifts if it in who]
        costs = [it for it in drawn if it is not None]
        if len(costs) < len(drawn):
            continue
        total = sum(costs) + sum(problem.visits[v].penalty for v in visits if who[v] is None)
        total += sum(
            it.change_cost
            for v, it in enumerate(problem.visits)
            if None not in (it.known, who[v]) and it.known != who[v]
        )
        best = total if best is None else min(best, total)
    assert best is not None
    return best


def _best_tour(problem: Problem, shift: int, chosen: frozenset[int]) -> int | None:
    found: list[Costs] = []
    for order in permutations(chosen):
        positions: list[int | None] = (
            [None] if problem.shifts[shift].warehouse is None else [None, *range(len(order) + 1)]
        )
        for position in positions:
            sequence: list[int | None] = list(order)
            if position is not None:
                sequence.insert(position, None)
            if equipped(problem, shift, sequence):
                try:
                    found.append(tour_of(problem, shift, sequence).costs)
                except Undrivable:
                    continue
    return min((it.total for it in found), default=None)


def equipped(problem: Problem, shift: int, sequence: list[int | None]) -> bool:
    stock, it = list(problem.shifts[shift].stock), problem.shifts[shift]
    for visit in sequence:
        if visit is None:
            return True
        if not problem.visits[visit].equipment <= it.equipment:
            return False
        for kind, taken in enumerate(problem.visits[visit].parts):
            if taken and (kind >= len(stock) or stock[kind] < taken):
                return False
            if taken:
                stock[kind] -= taken
    return True
