"""Who takes this job? Hard rules first, each with its reason, then a weighted sum of factors. Pure.

score = Σ weight x factor, every factor in [0, 1] with its raw value and unit kept for whoever asks why; the weights
add up to 1. A VIP customer's job scores 30 % higher, so that it wins where jobs compete for one engineer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Self, overload
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from server.geo.congestion import P90_OVER_MEDIAN
from server.geo.domain import Metres, Point, Seconds
from server.geo.journey import Matrix, Source
from server.workforce.domain import SkillLevel

FRESH = timedelta(minutes=15)  # an older position says nothing about where somebody is now
HORIZON = timedelta(hours=12)  # how far ahead a job without a window may look for a shift
VIP_BONUS = 1.3

_MINUTE = timedelta(minutes=1)
_ETA_HALVES_EVERY_S = 30 * 60
_SLACK_ENOUGH_S = 4 * 3600
_OVERTIME_TOO_MUCH_MIN = 120
_SURPLUS_ENOUGH = 2  # levels above what is asked
_JUST_QUALIFIED = 0.6

# Of 24,000 random drives over a city and its surroundings none was quicker than half its estimate less 99 seconds.
_QUICKEST, _QUICKER_S = 0.5, 120

type Numbers = NDArray[np.float64]
type Integers = NDArray[np.int64]
type Flags = NDArray[np.bool_]
type Skills = tuple[SkillLevel, ...]
type Ids = NDArray[np.void]  # 16 bytes each
type Weights = Mapping[str, float]


class Factor(StrEnum):
    ETA = "eta"
    SKILL = "skill"
    LOAD = "load"
    SLA = "sla"
    CONTINUITY = "continuity"
    PREFERRED = "preferred"
    TERRITORY = "territory"
    OVERTIME = "overtime"


# Version 1 of every organisation's weights.
DEFAULT_WEIGHTS: Weights = {
    Factor.ETA: 0.30,
    Factor.SKILL: 0.15,
    Factor.LOAD: 0.18,
    Factor.SLA: 0.15,
    Factor.CONTINUITY: 0.08,
    Factor.PREFERRED: 0.06,
    Factor.TERRITORY: 0.04,
    Factor.OVERTIME: 0.04,
}

UNITS: Mapping[Factor, str] = {
    Factor.ETA: "s",
    Factor.SKILL: "levels",
    Factor.LOAD: "min",
    Factor.SLA: "s",
    Factor.CONTINUITY: "visits",
    Factor.PREFERRED: "bool",
    Factor.TERRITORY: "bool",
    Factor.OVERTIME: "min",
}


class Why(StrEnum):
    """Codes of the hard rules; pages translate them."""

    INACTIVE = "inactive"
    SKILL_MISSING = "skill_missing"
    SKILL_LEVEL_TOO_LOW = "skill_level_too_low"
    NO_SHIFT = "no_shift"
    ARRIVES_AFTER_SHIFT = "arrives_after_shift"
    DECLINED = "declined"


@dataclass(frozen=True)
class Reason:
    code: Why
    sentence: str


class Origin(StrEnum):
    """What an engineer's drive is counted from."""

    POSITION = "position"
    CURRENT_VISIT = "current_visit"
    HOME = "home"


ORIGINS = tuple(Origin)  # by the number that statements answer


@dataclass(frozen=True)
class Job:
    """What is asked for, where and by when."""

    id: UUID
    place: Point
    duration_minutes: int
    respond_by: datetime
    window_start: datetime | None
    window_end: datetime | None
    preferred_engineer_id: UUID | None
    territory_id: UUID | None
    vip: bool
    skills: tuple[SkillLevel, ...]

    @property
    def duration(self) -> timedelta:
        return timedelta(minutes=self.duration_minutes)

    def until(self, at: datetime) -> datetime:
        """By when it should be begun: what a shift must reach into."""
        return self.window_end or max(self.respond_by, at + HORIZON)


@dataclass(frozen=True, eq=False)
class Prospects:
    """Every engineer as a job sees them: columns of one length, by rising id.

    Instants are seconds after the moment asked about, NaN where there is none. `origin` indexes `ORIGINS`. The shift is
    the first that still runs or begins in the job's time. `levels` are those of the job's skills, in its order, 0 for
    none: shape (engineers, skills asked for).
    """

    engineer_id: Ids
    name: Sequence[str]
    active: Flags
    declined: Flags
    preferred: Flags
    in_territory: Flags  # of the job; where neither has one, too
    origin: Integers
    lon: Numbers
    lat: Numbers
    capacity_minutes: Integers
    load_minutes: Integers
    visits_here: Integers
    shift_starts: Numbers
    shift_ends: Numbers
    busy_until: Numbers  # of what they are driving to or working at
    planned_until: Numbers  # end of the last visit planned before the shift ends
    levels: Integers

    def __len__(self) -> int:
        return len(self.engineer_id)

    @property
    def leaves(self) -> Numbers:
        """When they can set off: not before their shift, nor before their current work is done."""
        return np.fmax(0.0, np.fmax(self.shift_starts, self.busy_until))

    def id_of(self, row: int) -> UUID:
        return UUID(bytes=self.engineer_id[row].tobytes())

    def row_of(self, engineer_id: UUID) -> int | None:
        found = np.flatnonzero(self.engineer_id == np.void(engineer_id.bytes))
        return int(found[0]) if len(found) else None

    def place_of(self, row: int) -> Point:
        return Point(float(self.lon[row]), float(self.lat[row]))

    def asked_skills_of(self, row: int, job: Job) -> Skills:
        return tuple(
            SkillLevel(asked.key, int(level))
            for asked, level in zip(job.skills, self.levels[row], strict=True)
            if level
        )

    def places(self) -> list[Point]:
        return [Point(lon, lat) for lon, lat in zip(self.lon.tolist(), self.lat.tolist(), strict=True)]


@dataclass(frozen=True, eq=False)
class Drives:
    """The way of each prospect to the job: columns as long as theirs."""

    seconds: Numbers
    p90_seconds: Numbers
    metres: Numbers
    estimated: Flags

    @classmethod
    def read(cls, table: Matrix) -> Self:
        """Read a table of one row or one column."""
        return cls(
            table.seconds.ravel().astype(np.float64),
            table.p90_seconds.ravel().astype(np.float64),
            table.metres.ravel().astype(np.float64),
            table.estimated.ravel(),
        )

    def corrected(self, rows: Integers, better: "Drives") -> "Drives":
        """The same with other numbers in some rows."""

        def column[N: (Numbers, Flags)](mine: N, theirs: N) -> N:
            mine = mine.copy()
            mine[rows] = theirs
            return mine

        return Drives(
            column(self.seconds, better.seconds),
            column(self.p90_seconds, better.p90_seconds),
            column(self.metres, better.metres),
            column(self.estimated, better.estimated),
        )

    def at_best(self) -> "Drives":
        """What roads do not undercut, of estimates: half of them less two minutes."""
        seconds = np.maximum(0.0, _QUICKEST * self.seconds - _QUICKER_S)
        return Drives(seconds, seconds * P90_OVER_MEDIAN, self.metres, self.estimated)

    def source(self, row: int) -> Source:
        return Source.ESTIMATE if self.estimated[row] else Source.ROADS


@dataclass(frozen=True)
class FactorScore:
    name: Factor
    weight: float
    value: float
    raw: float
    unit: str


@dataclass(frozen=True)
class Candidate:
    """`eta_seconds` counts from the moment asked about: waiting for the shift or the current job, then the drive."""

    engineer_id: UUID
    name: str
    score: float
    origin: Origin
    eta_seconds: Seconds
    eta_p90_seconds: Seconds
    distance_m: Metres
    source: Source
    load_minutes: int
    capacity_minutes: int
    factors: tuple[FactorScore, ...]
    skills: Skills


@dataclass(frozen=True)
class Excluded:
    engineer_id: UUID
    name: str
    reasons: tuple[Reason, ...]


class Listed[T](Sequence[T]):
    """People of a ranking in its order, each made when somebody looks: of ten thousand a few are looked at."""

    def __init__(self, rows: Integers, make: Callable[[int], T]) -> None:
        self._rows = rows
        self._make = make

    def __len__(self) -> int:
        return len(self._rows)

    def place_of(self, row: int) -> int | None:
        """Where somebody stands, from 1; None for who is not listed."""
        found = np.flatnonzero(self._rows == row)
        return int(found[0]) + 1 if len(found) else None

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice):
            return Listed(self._rows[index], self._make)
        return self._make(int(self._rows[index]))


@dataclass(frozen=True, eq=False)
class Ranking:
    """Candidates, the best first, and everybody else with why not, by id."""

    items: Listed[Candidate]
    excluded: Listed[Excluded]
    weights_version: int
    _job: Job
    _prospects: Prospects
    _arrives: Numbers
    _at: datetime

    def rank_of(self, engineer_id: UUID) -> int | None:
        """Their place among the candidates, from 1; None for the excluded and for strangers."""
        row = self._prospects.row_of(engineer_id)
        return None if row is None else self.items.place_of(row)

    def start_of(self, engineer_id: UUID) -> datetime | None:
        """When they could begin, the excluded too: a dispatcher may know better than a rule. None for strangers.

        After the way there, after what is planned already, and not before the customer's window; whole minutes.
        """
        row = self._prospects.row_of(engineer_id)
        if row is None:
            return None
        after = np.fmax(self._arrives[row], self._prospects.planned_until[row])
        start = max(self._at + timedelta(seconds=float(after)), self._job.window_start or self._at)
        return start if start.second == start.microsecond == 0 else start.replace(second=0, microsecond=0) + _MINUTE


@dataclass(frozen=True, eq=False)
class _Rated:
    """Every prospect measured against the job: columns as long as theirs; whom a hard rule excludes scores -inf."""

    arrives: Numbers
    arrives_p90: Numbers
    able: Flags
    factors: Mapping[Factor, tuple[Numbers, Numbers]]  # values in [0, 1] and raw numbers
    scores: Numbers


def scores(job: Job, prospects: Prospects, drives: Drives, at: datetime, weights: Weights) -> Numbers:
    """Score everybody; -inf for whom a hard rule excludes. It falls with the drive: no weight is negative."""
    return _rated(job, prospects, drives, at, weights).scores


def rank(
    job: Job,
    prospects: Prospects,
    drives: Drives,
    at: datetime,
    *,
    weights: Weights,
    weights_version: int,
    skills: Mapping[UUID, Skills],
) -> Ranking:
    """Score everybody who may take the job at `at`; `drives` has an entry for every prospect.

    skills: everything that some of them can do; the others show what the job asks for.
    """
    rated = _rated(job, prospects, drives, at, weights)
    # Equal scores go to whoever is there first, then by id: the same question gets the same answer.
    order = np.lexsort((np.arange(len(prospects)), np.rint(rated.arrives), -rated.scores))
    return Ranking(
        Listed(order[rated.able[order]], partial(_candidate, job, prospects, drives, weights, rated, skills)),
        Listed(np.flatnonzero(~rated.able), partial(_excluded, job, prospects, rated)),
        weights_version,
        job,
        prospects,
        rated.arrives,
        at,
    )


def _rated(job: Job, prospects: Prospects, drives: Drives, at: datetime, weights: Weights) -> _Rated:
    leaves = prospects.leaves
    arrives, arrives_p90 = leaves + drives.seconds, leaves + drives.p90_seconds
    wanted = np.array([asked.level for asked in job.skills], dtype=np.int64)
    # Without a shift its end is NaN, which nobody arrives before.
    able = (
        prospects.active
        & ~prospects.declined
        & (prospects.levels >= wanted).all(axis=1)
        & (arrives < prospects.shift_ends)
    )
    factors = _factors(job, prospects, prospects.levels - wanted, arrives, arrives_p90, at)
    scores = sum((weights.get(name, 0.0) * value for name, (value, _) in factors.items()), np.zeros(len(prospects)))
    scores = np.round(scores * (VIP_BONUS if job.vip else 1.0), 4)
    return _Rated(arrives, arrives_p90, able, factors, np.where(able, scores, -np.inf))


def _factors(
    job: Job, prospects: Prospects, surpluses: Integers, arrives: Numbers, arrives_p90: Numbers, at: datetime
) -> dict[Factor, tuple[Numbers, Numbers]]:
    """Per factor its values in [0, 1] and its raw numbers, one entry per prospect.

    surpluses: levels above what is asked, shape (engineers, asked); a job that asks for nothing is nobody's speciality.
    """
    eta = np.rint(arrives)
    surplus = surpluses.mean(axis=1) if job.skills else np.zeros(len(prospects))
    load = (prospects.load_minutes + job.duration_minutes).astype(np.float64)
    slack = np.rint(_after(at, job.respond_by) - arrives_p90)
    visits = prospects.visits_here.astype(np.float64)
    preferred = prospects.preferred.astype(np.float64)
    territory = prospects.in_territory.astype(np.float64)
    begins = arrives if job.window_start is None else np.maximum(arrives, _after(at, job.window_start))
    overtime = np.fmax(0.0, (begins + job.duration_minutes * 60 - prospects.shift_ends) / 60)
    return {
        Factor.ETA: (0.5 ** (eta / _ETA_HALVES_EVERY_S), eta),
        Factor.SKILL: (_JUST_QUALIFIED + (1 - _JUST_QUALIFIED) * _unit(surplus / _SURPLUS_ENOUGH), surplus),
        Factor.LOAD: (_unit(1 - load / prospects.capacity_minutes), load),
        Factor.SLA: (_unit(slack / _SLACK_ENOUGH_S), slack),
        Factor.CONTINUITY: (1 - 0.5**visits, visits),
        Factor.PREFERRED: (preferred, preferred),
        # Where the job lies in nobody's territory, nobody is at an advantage.
        Factor.TERRITORY: (territory if job.territory_id else np.full_like(territory, 0.5), territory),
        Factor.OVERTIME: (_unit(1 - overtime / _OVERTIME_TOO_MUCH_MIN), overtime),
    }


def _candidate(
    job: Job,
    prospects: Prospects,
    drives: Drives,
    weights: Weights,
    rated: _Rated,
    skills: Mapping[UUID, Skills],
    row: int,
) -> Candidate:
    engineer_id = prospects.id_of(row)
    return Candidate(
        engineer_id=engineer_id,
        name=prospects.name[row],
        score=float(rated.scores[row]),
        origin=ORIGINS[prospects.origin[row]],
        eta_seconds=round(rated.arrives[row]),
        eta_p90_seconds=round(rated.arrives_p90[row]),
        distance_m=int(drives.metres[row]),
        source=drives.source(row),
        load_minutes=int(prospects.load_minutes[row]),
        capacity_minutes=int(prospects.capacity_minutes[row]),
        factors=tuple(
            FactorScore(name, weights.get(name, 0.0), round(float(value[row]), 4), float(raw[row]), UNITS[name])
            for name, (value, raw) in rated.factors.items()
        ),
        skills=skills.get(engineer_id) or prospects.asked_skills_of(row, job),
    )


def _excluded(job: Job, prospects: Prospects, rated: _Rated, row: int) -> Excluded:
    return Excluded(prospects.id_of(row), prospects.name[row], tuple(_why_not(job, prospects, rated, row)))


def _why_not(job: Job, prospects: Prospects, rated: _Rated, row: int) -> list[Reason]:
    """Every hard rule that keeps this engineer from the job: the sentences to what `_rated` checks for all."""
    found = [] if prospects.active[row] else [Reason(Why.INACTIVE, "Their account is switched off.")]
    for asked, level in zip(job.skills, prospects.levels[row], strict=True):
        if level == 0:
            found.append(Reason(Why.SKILL_MISSING, f"Lacks the skill {asked.key} (level {asked.level} is asked for)."))
        elif level < asked.level:
            sentence = f"Has {asked.key} at level {level}; level {asked.level} is asked for."
            found.append(Reason(Why.SKILL_LEVEL_TOO_LOW, sentence))
    if np.isnan(prospects.shift_ends[row]):
        found.append(Reason(Why.NO_SHIFT, "Has no shift in the time asked for."))
    elif rated.arrives[row] >= prospects.shift_ends[row]:
        found.append(Reason(Why.ARRIVES_AFTER_SHIFT, "Would arrive after the end of their shift."))
    if prospects.declined[row]:
        found.append(Reason(Why.DECLINED, "Has declined this order."))
    return found


def _after(at: datetime, instant: datetime) -> float:
    return (instant - at).total_seconds()


def _unit(values: Numbers) -> Numbers:
    return np.clip(values, 0.0, 1.0)
