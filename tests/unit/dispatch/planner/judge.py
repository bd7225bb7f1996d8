"""Judges a plan by the words of the problem alone; it knows nothing of how plans are made."""

from server.dispatch.planner.plan import Plan, Tour
from server.dispatch.planner.problem import Crew, Problem


class BrokenRule(AssertionError):
    pass


def judge(problem: Problem, plan: Plan) -> int:
    """Answer what the plan costs by its own times. Raises BrokenRule."""
    made = [visit for tour in plan.tours for visit in tour.visits]
    rule(len(made) == len(set(made)), "a visit is made twice")
    rule(set(made) | set(plan.left_out) == set(range(len(problem.visits))), "a visit is neither made nor left out")
    rule(not set(made) & set(plan.left_out), "a visit is made and left out")
    _links(problem, plan)
    locked = {visit for shift in problem.shifts for visit in shift.locked}
    rule(locked <= set(made), "what is locked is left out")
    cost = sum(_tour(problem, tour) for tour in plan.tours)
    cost += sum(problem.visits[it].penalty for it in plan.left_out)
    for tour in plan.tours:
        for visit in tour.visits:
            known = problem.visits[visit].known
            cost += problem.visits[visit].change_cost if known not in (None, tour.shift) else 0
    return cost


def _tour(problem: Problem, tour: Tour) -> int:
    shift, prices = problem.shifts[tour.shift], problem.prices
    rule(tour.visits[: len(shift.locked)] == shift.locked, "what is locked does not come first")
    rule(bool(tour.visits), "a tour without visits")
    rule(tour.leaves >= shift.starts, "leaves before the shift")
    time, here, travel, late = tour.leaves, shift.start, 0, 0
    stock, loaded, rested = list(shift.stock), False, tour.rests is None
    for stop in tour.stops:
        place, work, windows = _what(problem, tour.shift, stop.visit)
        way = int(problem.seconds[here, place])
        rule(stop.arrives >= time + way, "arrives before it can")
        if not rested and _rests_between(problem, tour, time, stop.begins):
            idle = stop.begins - time - way
            rule(shift.rest is not None and idle >= shift.rest.lasts, "no time for the break")
            rested = True
        else:
            rule(stop.arrives == time + way, "dawdles")
        rule(stop.begins >= stop.arrives, "begins before it arrives")
        rule(any(opens <= stop.begins <= closes for opens, closes in windows), "begins outside its windows")
        rule(stop.ends == stop.begins + work, "works too long or too short")
        rule(stop.slack >= 0, "has less than no slack")
        if stop.visit is None:
            loaded = True
        else:
            late += _visit(problem, tour.shift, stop.visit, stop.begins, stock, loaded=loaded)
        travel += _price(problem, here, place)
        time, here = stop.ends, place
    end = here if shift.end is None else shift.end
    way = int(problem.seconds[here, end])
    travel += _price(problem, here, end)
    if not rested:
        rule(_rests_between(problem, tour, time, tour.returns - way), "no time for the break at the end")
    else:
        rule(tour.returns == time + way, "comes home at another time")
    rule(tour.returns <= shift.ends + shift.overtime, "works too long")
    if shift.rest is not None:
        rule(tour.rests is not None or tour.returns <= shift.rest.closes, "has no break")
        if tour.rests is not None:
            rule(shift.rest.opens <= tour.rests <= shift.rest.closes, "has the break at the wrong time")
    away = tour.returns - tour.leaves
    return (
        travel
        + late
        + prices.second_away * away
        + prices.fairness * (away // 900) ** 2
        + shift.overtime_cost * max(0, tour.returns - shift.ends)
        + shift.fixed_cost
    )


def _links(problem: Problem, plan: Plan) -> None:
    when = {stop.visit: (stop.begins, stop.ends) for tour in plan.tours for stop in tour.stops}
    who = {visit: problem.shifts[tour.shift].engineer for tour in plan.tours for visit in tour.visits}
    for link in problem.links:
        if isinstance(link, Crew):
            here = [it for it in link.visits if it in when]
            rule(len(here) in (0, len(link.visits)), "a crew is incomplete")
            rule(len({when[it][0] for it in here}) <= 1, "a crew does not begin together")
            rule(len({who[it] for it in here}) == len(here), "a crew has the same engineer twice")
        elif link.then in when:
            rule(link.first in when, "is made without what comes before it")
            rule(when[link.then][0] >= when[link.first][1] + link.gap, "begins before the other is over")


def _rests_between(problem: Problem, tour: Tour, one: int, other: int) -> bool:
    rest = problem.shifts[tour.shift].rest
    assert rest is not None
    assert tour.rests is not None
    return one <= tour.rests and tour.rests + rest.lasts <= other


def _what(problem: Problem, number: int, visit: int | None):
    shift = problem.shifts[number]
    if visit is None:
        depot = shift.warehouse
        rule(depot is not None, "loads where there is no warehouse")
        return depot.place, depot.loading, [(depot.opens, depot.closes)]
    it = problem.visits[visit]
    return it.place, it.work * shift.pace // 100, [(window.opens, window.closes) for window in it.windows]


def _visit(problem: Problem, number: int, visit: int, begins: int, stock: list[int], *, loaded: bool) -> int:
    shift, it = problem.shifts[number], problem.visits[visit]
    levels = {level.skill: level.level for level in shift.skills}
    rule(all(levels.get(asked.skill, -1) >= asked.level for asked in it.skills), "lacks a skill")
    rule(it.only is None or shift.engineer in it.only, "was not asked for")
    rule(shift.engineer not in it.never, "is to be kept away")
    rule(loaded or it.equipment <= shift.equipment, "lacks equipment")
    for kind, taken in enumerate(it.parts):
        if not loaded and taken:
            rule(kind < len(stock) and stock[kind] >= taken, "lacks parts")
            stock[kind] -= taken
    return it.late_cost * max(0, begins - it.due) if it.due is not None else 0


def _price(problem: Problem, here: int, there: int) -> int:
    metres = int(problem.metres[here, there]) if problem.metres is not None else 0
    return int(problem.seconds[here, there]) * problem.prices.second_travelled + metres * problem.prices.metre


def rule(kept: bool, broken: str) -> None:
    if not kept:
        raise BrokenRule(broken)
