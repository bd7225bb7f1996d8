"""Our planner on the same questions; only its routes are taken, what they cost is judged elsewhere.

The clock runs from the question to the answer, as it does for the peers. What is compiled on first use is compiled
before: a server does that once in its life.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

from benchmarks.plan import shape, technicians
from benchmarks.plan.live import Live, Lived, lived
from benchmarks.plan.peers import Answer
from benchmarks.plan.technicians import Instance, Tour
from server.dispatch.planner.plan import Plan
from server.dispatch.planner.problem import Problem
from server.dispatch.planner.solve import solve
from server.dispatch.planner.stopping import Seconds, Steps


@dataclass(frozen=True)
class Toured:
    tours: list[Tour]
    seconds: float


def on_day(day: shape.Day, seconds: float, seed: int) -> Answer:
    """Answer our routes; `why` counts the reasons for what is left out.

    Raises ValueError if a job is left out without a reason.
    """
    _compile()
    began = time.perf_counter()
    stop = Seconds(seconds)
    plan = solve(shape.as_problem(day), stop, seed=seed)
    took = time.perf_counter() - began
    routes = [(tour.shift, list(tour.visits)) for tour in plan.tours]
    if {job for _, jobs in routes for job in jobs} | set(plan.left_out) != set(range(day.jobs)):
        raise ValueError(f"{day.name}: a job is left out without a reason")
    return Answer(routes, took, _reasons(plan))


def on_instances(instances: Sequence[Instance], seconds: float, seed: int) -> Iterator[Toured]:
    """Answer our tours of each instance in order."""
    return _two_at_a_time(
        partial(_on_instance, seconds=seconds, seed=seed), instances, technicians.as_problem(instances[0])
    )


def on_live_days(days: Sequence[Live], *, before: float, each: float, seed: int) -> Iterator[Lived]:
    """Answer what we do on each of these days in order."""
    one = technicians.as_problem(days[0].instance)
    return _two_at_a_time(partial(_on_live_day, before=before, each=each, seed=seed), days, one)


def _two_at_a_time[Asked, Answered](
    ask: Callable[[Asked], Answered], questions: Sequence[Asked], problem: Problem
) -> Iterator[Answered]:
    """Each has a core of its own."""
    # Compiled here first, or both processes would do it at once.
    _compile(problem)
    with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as both:
        yield from both.map(ask, questions)


def _on_live_day(live: Live, *, before: float, each: float, seed: int) -> Lived:
    _compile(technicians.as_problem(live.instance))
    return lived(live, before=before, each=each, seed=seed)


def _on_instance(it: Instance, seconds: float, seed: int) -> Toured:
    _compile(technicians.as_problem(it))
    began = time.perf_counter()
    stop = Seconds(seconds)
    plan = solve(technicians.as_problem(it), stop, seed=seed)
    return Toured(technicians.tours_of(it, plan), time.perf_counter() - began)


def _compile(*problems: Problem) -> None:
    # The first is a day with too much to do: reasons are only computed for what is left out.
    for problem in (shape.as_problem(shape.day(40, 2)), *problems):
        solve(problem, Steps(1), seed=1)


def _reasons(plan: Plan) -> str:
    counted = Counter(reason.why.value for reason in plan.left_out.values())
    return ", ".join(f"{why} {count}" for why, count in sorted(counted.items()))
