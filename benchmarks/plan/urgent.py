"""One urgent job more: how long it takes to ask two hundred running tours for its cheapest place."""

import statistics
import time
from dataclasses import replace

from benchmarks.plan import shape
from server.dispatch.planner.running import Running
from server.dispatch.planner.solve import solve
from server.dispatch.planner.stopping import Seconds

_KEPT_BACK = 100  # jobs that come when the day is already planned
_ROUNDS = 20


def insertion_ms(jobs: int, engineers: int, planning: float, seed: int) -> float:
    """Answer the 99th percentile of finding the three cheapest places, in milliseconds, every position looked at."""
    problem = shape.as_problem(shape.day(jobs, engineers))
    later = range(jobs - _KEPT_BACK, jobs)
    known = tuple(
        replace(visit, only=frozenset()) if number in later else visit for number, visit in enumerate(problem.visits)
    )
    running = Running(problem, solve(replace(problem, visits=known), Seconds(planning), seed=seed))
    times = []
    for number in [*later] * (_ROUNDS + 1):
        began = time.perf_counter()
        running.offers(number)
        times.append((time.perf_counter() - began) * 1000)
    # The first round is the first after planning: everything is read from memory once.
    return statistics.quantiles(times[_KEPT_BACK:], n=100)[-1]
