"""Compile the planner before anybody waits for it: python -m server.dispatch.planner."""

import numpy as np

from server.dispatch.planner.problem import Break, Problem, Shift, Visit, Window
from server.dispatch.planner.running import Book, laid_alone
from server.dispatch.planner.solve import solve
from server.dispatch.planner.stopping import Steps

_HOUR = 3600


def prepare() -> None:
    """Solve a problem with something of everything, one visit of which nobody can make."""
    work = 60, 60, 9 * _HOUR
    visits = tuple(Visit(place=at % 2, work=it, windows=(Window(0, _HOUR),), penalty=9) for at, it in enumerate(work))
    shift = Shift(engineer=0, start=0, end=0, starts=0, ends=2 * _HOUR, rest=Break(600, 900, 60))
    problem = Problem(visits, (shift,), np.array([[0, 60], [60, 0]], np.int32))
    solve(problem, Steps(200))
    alone = laid_alone(problem, [1])
    assert alone is not None, "an hour is enough for a minute"
    Book([alone]).cheapest(np.zeros(1, np.int64))


if __name__ == "__main__":
    prepare()
