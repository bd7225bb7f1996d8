"""Days shaped like field service, for us and our peers alike: whole seconds, every engineer from an own home.

Jobs lie in metropolitan clusters with constant density, ask for one skill or two of eight, and for two hours, half a
day or any time; leaving one out costs by its urgency. The same size and seed give the same day on every machine.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.dispatch.planner.problem import Level, Prices, Problem, Shift, Visit, Window

type Whole = NDArray[np.int64]
type Points = NDArray[np.float64]

HOUR, MINUTE = 3600, 60
SKILLS = 8
_SECOND_SKILL, _OUT_OF_TOWN = 0.15, 0.25
_TWO_HOURS, _HALF_DAY = 0.3, 0.7  # the shares of jobs up to here have windows that long, the others all day
_ASKED = np.array([0.28, 0.2, 0.15, 0.12, 0.1, 0.07, 0.05, 0.03])  # how often each skill is
_DETOUR, _METRES_A_SECOND, _PARKING = 1.3, 35_000 / HOUR, 90
_COST_OF_URGENCY = 360


@dataclass(frozen=True)
class Day:
    """n jobs and m engineers; job j is at place j, the home of engineer v at place n + v.

    seconds: (n + m, n + m) from row to column, also what travelling costs.
    work: (n,) seconds. windows: (n, 2) when work may begin. penalties: (n,) the cost of leaving a job out.
    urgency: (n,) from 0 to 100, the penalties' origin. needs, skills: (n,) and (m,) sets of skills as bits.
    shifts: (m, 2) seconds from leaving home to being back.
    """

    name: str
    seconds: Whole
    work: Whole
    windows: Whole
    penalties: Whole
    urgency: Whole
    needs: Whole
    shifts: Whole
    skills: Whole

    @property
    def jobs(self) -> int:
        return len(self.work)

    @property
    def engineers(self) -> int:
        return len(self.shifts)

    @property
    def able(self) -> NDArray[np.bool_]:
        """(n, m): who has all the skills that a job needs."""
        able: NDArray[np.bool_] = (self.needs[:, None] & ~self.skills[None, :]) == 0
        return able


def day(jobs: int, engineers: int, *, seed: int = 7) -> Day:
    # The order of the draws is part of the figures' meaning: another order makes other days.
    chance = np.random.default_rng(seed)
    seconds = _ways(chance, jobs, engineers)
    needs = np.array([_needed(chance) for _ in range(jobs)], dtype=np.int64)
    skills = np.array([_mastered(chance) for _ in range(engineers)], dtype=np.int64)
    _give_each_somebody(chance, needs, skills)
    work = chance.choice([15, 20, 30, 45, 60, 90], jobs, p=[0.15, 0.2, 0.3, 0.2, 0.1, 0.05]) * MINUTE
    windows = np.array([_window(chance, kind) for kind in chance.random(jobs)], dtype=np.int64)
    starts = chance.choice([7, 8, 8, 8, 9], engineers) * HOUR
    urgency = chance.choice([100, 40, 20], jobs, p=[0.1, 0.3, 0.6])
    return Day(
        name=f"{jobs}x{engineers}",
        seconds=seconds,
        work=work.astype(np.int64),
        windows=windows,
        penalties=(urgency * _COST_OF_URGENCY).astype(np.int64),
        urgency=urgency,
        needs=needs,
        shifts=np.stack([starts, starts + 9 * HOUR], axis=1),
        skills=skills,
    )


def _ways(chance: np.random.Generator, jobs: int, engineers: int) -> Whole:
    """Answer the seconds between all places: 35 km/h on a detour, and time to park."""
    side = 40_000 * math.sqrt(max(1, engineers / 50))  # metres; more engineers cover a larger region, not a denser one
    towns = max(3, engineers // 8)
    centres = chance.uniform(0.1, 0.9, (towns, 2)) * side
    jobs_at = _scattered(chance, centres, side, jobs)
    homes_at = _scattered(chance, centres, side, engineers)
    places = np.vstack([jobs_at, homes_at])
    metres = np.sqrt(((places[:, None] - places[None]) ** 2).sum(-1)) * _DETOUR
    seconds: Whole = np.rint(metres / _METRES_A_SECOND + np.where(metres > 0, _PARKING, 0)).astype(np.int64)
    np.fill_diagonal(seconds, 0)
    return seconds


def _scattered(chance: np.random.Generator, centres: Points, side: float, count: int) -> Points:
    town = chance.integers(0, len(centres), count)
    points: Points = centres[town] + chance.normal(0, side / 14, (count, 2))
    rural = chance.random(count) < _OUT_OF_TOWN
    points[rural] = chance.uniform(0, side, (rural.sum(), 2))
    return np.clip(points, 0, side)


def _needed(chance: np.random.Generator) -> int:
    asked = _ASKED / _ASKED.sum()
    bits = 1 << int(chance.choice(SKILLS, p=asked))
    if chance.random() < _SECOND_SKILL:
        bits |= 1 << int(chance.choice(SKILLS, p=asked))
    return bits


def _mastered(chance: np.random.Generator) -> int:
    """Three to five skills; what is seldom asked for is mastered less seldom than that."""
    taught = _ASKED**0.5
    count = int(chance.integers(3, 6))
    return sum(1 << int(skill) for skill in chance.choice(SKILLS, size=count, replace=False, p=taught / taught.sum()))


def _give_each_somebody(chance: np.random.Generator, needs: Whole, skills: Whole) -> None:
    """Let jobs that nobody can do need one skill that somebody has; each skill is looked for at a random engineer."""
    for job, need in enumerate(needs):
        if ((need & ~skills) != 0).all():
            found = [skill for skill in range(SKILLS) if skills[chance.integers(len(skills))] >> skill & 1]
            needs[job] = 1 << found[0]


def _window(chance: np.random.Generator, kind: float) -> tuple[int, int]:
    if kind < _TWO_HOURS:
        opens = int(chance.integers(8, 16))
        return opens * HOUR, (opens + 2) * HOUR
    if kind < _HALF_DAY:
        morning = chance.random() < 1 / 2
        return (8 * HOUR, 12 * HOUR) if morning else (12 * HOUR, 17 * HOUR)
    return 7 * HOUR, 18 * HOUR


def as_problem(it: Day) -> Problem:
    """Answer the same day in our planner's words; a plan's shift and visit numbers are the engineers and jobs."""
    visits = [
        Visit(
            place=job,
            work=int(it.work[job]),
            windows=(Window(int(it.windows[job, 0]), int(it.windows[job, 1])),),
            penalty=int(it.penalties[job]),
            skills=_levels(it.needs[job]),
        )
        for job in range(it.jobs)
    ]
    shifts = [
        Shift(
            engineer=engineer,
            start=it.jobs + engineer,
            end=it.jobs + engineer,
            starts=int(it.shifts[engineer, 0]),
            ends=int(it.shifts[engineer, 1]),
            skills=_levels(it.skills[engineer]),
        )
        for engineer in range(it.engineers)
    ]
    return Problem(tuple(visits), tuple(shifts), it.seconds.astype(np.int32), prices=Prices(second_travelled=1))


def _levels(bits: np.int64) -> tuple[Level, ...]:
    return tuple(Level(skill) for skill in members(bits))


def members(bits: np.int64) -> list[int]:
    return [skill for skill in range(SKILLS) if bits >> skill & 1]
