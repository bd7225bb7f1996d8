"""Who takes this job? Hard rules first, each with its reason, then a weighted sum of factors. Pure.

score = Σ weight x factor, every factor in [0, 1] with its raw value and unit kept for whoever asks why; the weights
add up to 1. A VIP customer's job scores 30 % higher, so that it wins where jobs compete for one engineer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

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

type Numbers = NDArray[np.float64]
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


@dataclass(frozen=True)
class Prospect:
    """An engineer as a job sees them. The shift is the first that still runs or begins in the job's time."""

    engineer_id: UUID
    name: str
    active: bool
    home: Point
    territory_id: UUID | None
    capacity_minutes: int
    load_minutes: int
    skills: tuple[SkillLevel, ...]
    shift_starts_at: datetime | None
    shift_ends_at: datetime | None
    place: Point | None
    fixed_at: datetime | None
    busy_place: Point | None  # the site they are driving to or working at
    busy_until: datetime | None
    planned_until: datetime | None  # end of the last visit planned before the shift ends
    visits_here: int
    declined: bool

    def origin(self, at: datetime) -> tuple[Origin, Point]:
        if self.busy_place is not None:
            return Origin.CURRENT_VISIT, self.busy_place
        if self.place is not None and self.fixed_at is not None and at - self.fixed_at <= FRESH:
            return Origin.POSITION, self.place
        return Origin.HOME, self.home

    def free_at(self, at: datetime) -> datetime:
        """When they can set off: not before their shift, nor before their current work is done."""
        return max(at, self.shift_starts_at or at, self.busy_until or at)

    def level_of(self, skill: str) -> int | None:
        return next((mine.level for mine in self.skills if mine.key == skill), None)


@dataclass(frozen=True)
class Drive:
    """The way from a prospect's origin to the job."""

    seconds: Seconds
    p90_seconds: Seconds
    metres: Metres
    source: Source


def drives_in(table: Matrix) -> list[Drive]:
    """Read a table of one destination, an origin a row."""
    return [
        Drive(
            int(table.seconds[row, 0]), int(table.p90_seconds[row, 0]), int(table.metres[row, 0]), table.source(row, 0)
        )
        for row in range(len(table.seconds))
    ]


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
    skills: tuple[SkillLevel, ...]


@dataclass(frozen=True)
class Excluded:
    engineer_id: UUID
    name: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Ranking:
    """Candidates, the best first, and everybody else with why not.

    starts: when each of them, the excluded too, could begin: a dispatcher may know better than a rule.
    """

    items: tuple[Candidate, ...]
    excluded: tuple[Excluded, ...]
    starts: Mapping[UUID, datetime]
    weights_version: int


@dataclass(frozen=True)
class _Outlook:
    """One prospect's way to the job."""

    arrives_at: datetime
    arrives_p90: datetime


def rank(
    job: Job,
    prospects: Sequence[Prospect],
    drives: Sequence[Drive],
    at: datetime,
    *,
    weights: Weights,
    weights_version: int,
) -> Ranking:
    """Score everybody who may take the job at `at`. Shapes: `drives` has one entry per prospect, in their order."""
    outlooks = [_outlook(prospect, at, drive) for prospect, drive in zip(prospects, drives, strict=True)]
    reasons = [why_not(job, p, arriving=o.arrives_at) for p, o in zip(prospects, outlooks, strict=True)]
    able = [index for index, found in enumerate(reasons) if not found]
    starts = {p.engineer_id: proposed_start(job, p, o.arrives_at) for p, o in zip(prospects, outlooks, strict=True)}
    values = _values(job, [prospects[i] for i in able], [outlooks[i] for i in able], at)
    scores = sum((weights.get(name, 0.0) * value for name, (value, _) in values.items()), np.zeros(len(able)))
    scores *= VIP_BONUS if job.vip else 1.0
    found = [
        _candidate(prospects[index], outlooks[index], drives[index], at, factors, float(scores[row]))
        for row, (index, factors) in enumerate(zip(able, _laid_out(values, weights, len(able)), strict=True))
    ]
    # Equal scores go to whoever is there first, then by id: the same question gets the same answer.
    found.sort(key=lambda it: (-it.score, it.eta_seconds, it.engineer_id))
    excluded = [
        Excluded(prospect.engineer_id, prospect.name, tuple(why))
        for prospect, why in zip(prospects, reasons, strict=True)
        if why
    ]
    return Ranking(tuple(found), tuple(excluded), starts, weights_version)


def _laid_out(
    values: Mapping[Factor, tuple[Numbers, Numbers]], weights: Weights, many: int
) -> list[tuple[FactorScore, ...]]:
    """The factors of each able prospect."""
    return [
        tuple(
            FactorScore(name, weights.get(name, 0.0), round(float(value[row]), 4), float(raw[row]), UNITS[name])
            for name, (value, raw) in values.items()
        )
        for row in range(many)
    ]


def _candidate(
    prospect: Prospect, outlook: _Outlook, drive: Drive, at: datetime, factors: tuple[FactorScore, ...], score: float
) -> Candidate:
    return Candidate(
        engineer_id=prospect.engineer_id,
        name=prospect.name,
        score=round(score, 4),
        origin=prospect.origin(at)[0],
        eta_seconds=_seconds(outlook.arrives_at - at),
        eta_p90_seconds=_seconds(outlook.arrives_p90 - at),
        distance_m=drive.metres,
        source=drive.source,
        load_minutes=prospect.load_minutes,
        capacity_minutes=prospect.capacity_minutes,
        factors=factors,
        skills=prospect.skills,
    )


def proposed_start(job: Job, prospect: Prospect, arrives_at: datetime) -> datetime:
    """After the way there, after what is planned already, and not before the customer's window; whole minutes."""
    start = max(arrives_at, job.window_start or arrives_at, prospect.planned_until or arrives_at)
    return start if start.second == start.microsecond == 0 else start.replace(second=0, microsecond=0) + _MINUTE


def why_not(job: Job, prospect: Prospect, *, arriving: datetime) -> list[Reason]:
    """Every hard rule that keeps this engineer from the job; none if they may take it."""
    found = [] if prospect.active else [Reason(Why.INACTIVE, "Their account is switched off.")]
    for asked in job.skills:
        level = prospect.level_of(asked.key)
        if level is None:
            found.append(Reason(Why.SKILL_MISSING, f"Lacks the skill {asked.key} (level {asked.level} is asked for)."))
        elif level < asked.level:
            sentence = f"Has {asked.key} at level {level}; level {asked.level} is asked for."
            found.append(Reason(Why.SKILL_LEVEL_TOO_LOW, sentence))
    if prospect.shift_ends_at is None:
        found.append(Reason(Why.NO_SHIFT, "Has no shift in the time asked for."))
    elif arriving >= prospect.shift_ends_at:
        found.append(Reason(Why.ARRIVES_AFTER_SHIFT, "Would arrive after the end of their shift."))
    if prospect.declined:
        found.append(Reason(Why.DECLINED, "Has declined this order."))
    return found


def _outlook(prospect: Prospect, at: datetime, drive: Drive) -> _Outlook:
    leaves = prospect.free_at(at)
    return _Outlook(leaves + timedelta(seconds=drive.seconds), leaves + timedelta(seconds=drive.p90_seconds))


def _values(
    job: Job, able: Sequence[Prospect], outlooks: Sequence[_Outlook], at: datetime
) -> dict[Factor, tuple[Numbers, Numbers]]:
    """Per factor its values in [0, 1] and its raw numbers, one entry per able prospect."""
    eta = _array([_seconds(outlook.arrives_at - at) for outlook in outlooks])
    surplus = _array([_surplus(job, prospect) for prospect in able])
    load = _array([prospect.load_minutes + job.duration_minutes for prospect in able])
    capacity = _array([prospect.capacity_minutes for prospect in able])
    slack = _array([_seconds(job.respond_by - outlook.arrives_p90) for outlook in outlooks])
    visits = _array([prospect.visits_here for prospect in able])
    preferred = _array([prospect.engineer_id == job.preferred_engineer_id for prospect in able])
    territory = _array([prospect.territory_id == job.territory_id for prospect in able])
    overtime = _array([_overtime(job, p, o) for p, o in zip(able, outlooks, strict=True)])
    return {
        Factor.ETA: (0.5 ** (eta / _ETA_HALVES_EVERY_S), eta),
        Factor.SKILL: (_JUST_QUALIFIED + (1 - _JUST_QUALIFIED) * _unit(surplus / _SURPLUS_ENOUGH), surplus),
        Factor.LOAD: (_unit(1 - load / capacity), load),
        Factor.SLA: (_unit(slack / _SLACK_ENOUGH_S), slack),
        Factor.CONTINUITY: (1 - 0.5**visits, visits),
        Factor.PREFERRED: (preferred, preferred),
        # Where the job lies in nobody's territory, nobody is at an advantage.
        Factor.TERRITORY: (territory if job.territory_id else np.full_like(territory, 0.5), territory),
        Factor.OVERTIME: (_unit(1 - overtime / _OVERTIME_TOO_MUCH_MIN), overtime),
    }


def _surplus(job: Job, prospect: Prospect) -> float:
    """Mean levels above what is asked; a job that asks for nothing is nobody's speciality."""
    levels = [(prospect.level_of(asked.key) or 0) - asked.level for asked in job.skills]
    return sum(levels) / len(levels) if levels else 0.0


def _overtime(job: Job, prospect: Prospect, outlook: _Outlook) -> float:
    """Minutes beyond the end of the shift."""
    if prospect.shift_ends_at is None:
        return 0.0
    begins = max(outlook.arrives_at, job.window_start or outlook.arrives_at)
    return max(0.0, (begins + job.duration - prospect.shift_ends_at) / _MINUTE)


def _array(values: Sequence[float]) -> Numbers:
    return np.array(values, dtype=np.float64)


def _unit(values: Numbers) -> Numbers:
    return np.clip(values, 0.0, 1.0)


def _seconds(span: timedelta) -> Seconds:
    return round(span.total_seconds())
