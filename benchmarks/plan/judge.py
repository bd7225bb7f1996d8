"""Drives the routes of a day step by step and believes nobody: neither our planner's numbers nor our peers'.

It shares no code with the planner, so that a mistake in one is found by the other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.plan.shape import Day

type Route = tuple[int, list[int]]


class BrokenRuleError(ValueError):
    """A route that can't be driven, in a sentence."""


@dataclass(frozen=True)
class Verdict:
    """distance: seconds travelled; penalties: of what is left out, and `unserved` how many that are."""

    distance: int
    penalties: int
    unserved: int

    @property
    def cost(self) -> int:
        return self.distance + self.penalties


def judged(day: Day, routes: Iterable[Route]) -> Verdict:
    """Answer what these routes, each an engineer and the jobs in order, really cost.

    Raises BrokenRuleError.
    """
    distance, busy, served = 0, set[int](), set[int]()
    for engineer, jobs in routes:
        if engineer in busy:
            raise BrokenRuleError(f"engineer {engineer} has two routes")
        busy.add(engineer)
        if twice := served.intersection(jobs) or len(set(jobs)) < len(jobs):
            raise BrokenRuleError(f"engineer {engineer} has a job that is made twice: {twice}")
        served.update(jobs)
        distance += _driven(day, engineer, jobs)
    left_out = [job for job in range(day.jobs) if job not in served]
    return Verdict(distance, sum(int(day.penalties[job]) for job in left_out), len(left_out))


def _driven(day: Day, engineer: int, jobs: Sequence[int]) -> int:
    """Answer the seconds travelled; an engineer without jobs stays at home."""
    if not jobs:
        return 0
    home = day.jobs + engineer
    here, time, distance = home, int(day.shifts[engineer, 0]), 0
    for job in jobs:
        if int(day.needs[job]) & ~int(day.skills[engineer]):
            raise BrokenRuleError(f"engineer {engineer} lacks a skill for job {job}")
        way = int(day.seconds[here, job])
        begins = max(time + way, int(day.windows[job, 0]))
        if begins > day.windows[job, 1]:
            raise BrokenRuleError(f"job {job} begins {begins - day.windows[job, 1]} s after its window")
        here, time, distance = job, begins + int(day.work[job]), distance + way
    way = int(day.seconds[here, home])
    if time + way > day.shifts[engineer, 1]:
        raise BrokenRuleError(f"engineer {engineer} is back {time + way - day.shifts[engineer, 1]} s after the shift")
    return distance + way
