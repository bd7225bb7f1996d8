"""Who takes this job? Hard rules first, each with its reason, then a weighted sum of factors. Pure.

score = Σ weight x factor, every factor in [0, 1] with its raw value and unit kept for whoever asks why; the weights
add up to 1. A VIP customer's job scores 30 % higher, so that it wins where jobs compete for one engineer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property, reduce
from uuid import UUID

import numpy as np

from server.dispatch.prospects import ORIGINS, Drives, Flags, Integers, Job, Numbers, Origin, Prospects, Skills
from server.geo.domain import Metres, Seconds
from server.geo.journey import Source

VIP_BONUS = 1.3

_MINUTE = timedelta(minutes=1)
_ETA_HALVES_EVERY_S = 30 * 60
_SLACK_ENOUGH_S = 4 * 3600
_OVERTIME_TOO_MUCH_MIN = 120
_AGREED_COUNTS = 0.5  # a minute of overtime that was agreed on weighs half
_SURPLUS_ENOUGH = 2  # levels above what is asked
_JUST_QUALIFIED = 0.6
_WISHED_SECOND = 0.5  # somebody the customer likes, where the order names another
_USUAL_WEIGHS = 4  # an engineer's record counts as if so many visits had gone as they do for everybody
_PER_HOUR = 60.0  # of driving, car included, and what overtime costs more; in no currency, only to compare
_COST_HALVES_EVERY = 40.0

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
    PARTS = "parts"
    SUCCESS = "success"
    COST = "cost"
    FAIRNESS = "fairness"


# Version 1 of every new organisation's weights. A factor that stored weights do not name weighs nothing.
DEFAULT_WEIGHTS: Weights = {
    Factor.ETA: 0.26,
    Factor.SKILL: 0.12,
    Factor.LOAD: 0.12,
    Factor.SLA: 0.14,
    Factor.CONTINUITY: 0.07,
    Factor.PREFERRED: 0.06,
    Factor.TERRITORY: 0.03,
    Factor.OVERTIME: 0.03,
    Factor.PARTS: 0.06,
    Factor.SUCCESS: 0.05,
    Factor.COST: 0.03,
    Factor.FAIRNESS: 0.03,
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
    Factor.PARTS: "%",
    Factor.SUCCESS: "%",
    Factor.COST: "cost",
    Factor.FAIRNESS: "%",
}


class Why(StrEnum):
    """Codes of the hard rules; pages translate them."""

    INACTIVE = "inactive"
    SKILL_MISSING = "skill_missing"
    SKILL_LEVEL_TOO_LOW = "skill_level_too_low"
    NO_SHIFT = "no_shift"
    ARRIVES_AFTER_SHIFT = "arrives_after_shift"
    DECLINED = "declined"
    BANNED = "banned"


@dataclass(frozen=True)
class Reason:
    code: Why
    sentence: str


@dataclass(frozen=True)
class FactorScore:
    name: Factor
    weight: float
    value: float
    raw: float
    unit: str


@dataclass(frozen=True)
class Person:
    """What is read only of those who are shown."""

    name: str
    skills: Skills


@dataclass(frozen=True)
class Candidate:
    """`eta_seconds` counts from the moment asked about: waiting for the shift or the current job, then the drive."""

    engineer_id: UUID
    name: str
    rank: int
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


@dataclass(frozen=True, eq=False)
class Judgement:
    """Every prospect measured against the job: columns as long as theirs; whom a hard rule excludes scores -inf."""

    job: Job
    prospects: Prospects
    drives: Drives
    at: datetime
    weights: Weights
    arrives: Numbers
    arrives_p90: Numbers
    broken: Mapping[Why, Flags]
    factors: Mapping[Factor, tuple[Numbers, Numbers]]  # values in [0, 1] and raw numbers
    scores: Numbers

    @property
    def able(self) -> Flags:
        return self.scores > -np.inf

    @cached_property
    def best(self) -> Integers:
        """The rows of the candidates, the best first."""
        # Equal scores go to whoever is there first, then by id: the same question gets the same answer.
        order = np.lexsort((np.arange(len(self.prospects)), np.rint(self.arrives), -self.scores))
        return order[self.able[order]]

    @cached_property
    def barred(self) -> Integers:
        """The rows of the others, by id."""
        return np.flatnonzero(~self.able)

    def rank_of(self, row: int) -> int | None:
        """Their place among the candidates, from 1; None for whom the rules exclude."""
        found = np.flatnonzero(self.best == row)
        return int(found[0]) + 1 if len(found) else None

    def start_of(self, row: int) -> datetime:
        """When they could begin, the excluded too: a dispatcher may know better than a rule.

        After the way there, after what is planned already, and not before the customer's window; whole minutes.
        """
        after = np.fmax(self.arrives[row], self.prospects.planned_until[row])
        start = max(self.at + timedelta(seconds=float(after)), self.job.window_start or self.at)
        return start if start.second == start.microsecond == 0 else start.replace(second=0, microsecond=0) + _MINUTE

    def candidate(self, row: int, person: Person) -> Candidate:
        rank = self.rank_of(row)
        assert rank is not None, "whoever is excluded has reasons instead"
        return Candidate(
            engineer_id=self.prospects.id_of(row),
            name=person.name,
            rank=rank,
            score=float(self.scores[row]),
            origin=ORIGINS[self.prospects.origin[row]],
            eta_seconds=round(self.arrives[row]),
            eta_p90_seconds=round(self.arrives_p90[row]),
            distance_m=int(self.drives.metres[row]),
            source=self.drives.source(row),
            load_minutes=int(self.prospects.load_minutes[row]),
            capacity_minutes=int(self.prospects.capacity_minutes[row]),
            factors=tuple(
                FactorScore(
                    name, self.weights.get(name, 0.0), round(float(value[row]), 4), float(raw[row]), UNITS[name]
                )
                for name, (value, raw) in self.factors.items()
            ),
            skills=person.skills,
        )

    def excluded(self, row: int, person: Person) -> Excluded:
        return Excluded(self.prospects.id_of(row), person.name, tuple(self._why_not(row)))

    def codes(self, row: int) -> list[Why]:
        return [why for why, those in self.broken.items() if those[row]]

    def _why_not(self, row: int) -> list[Reason]:
        """Every hard rule that keeps this engineer from the job, in words."""
        found = []
        for why in self.codes(row):
            match why:
                case Why.SKILL_MISSING | Why.SKILL_LEVEL_TOO_LOW:
                    found += [reason for reason in self._lacking(row) if reason.code is why]
                case Why.BANNED:
                    said = {ban.engineer_id: ban.why for ban in self.job.bans}[self.prospects.id_of(row)]
                    found.append(Reason(why, f"The customer does not want them: {said}"))
                case _:
                    found.append(Reason(why, _SENTENCES[why]))
        return found

    def _lacking(self, row: int) -> list[Reason]:
        found = []
        for asked, level in zip(self.job.skills, self.prospects.levels[row], strict=True):
            if level == 0:
                missing = f"Lacks the skill {asked.key} (level {asked.level} is asked for)."
                found.append(Reason(Why.SKILL_MISSING, missing))
            elif level < asked.level:
                low = f"Has {asked.key} at level {level}; level {asked.level} is asked for."
                found.append(Reason(Why.SKILL_LEVEL_TOO_LOW, low))
        return found


_SENTENCES = {
    Why.INACTIVE: "Their account is switched off.",
    Why.NO_SHIFT: "Has no shift in the time asked for.",
    Why.ARRIVES_AFTER_SHIFT: "Would arrive after the end of their shift.",
    Why.DECLINED: "Has declined this order.",
}


@dataclass(frozen=True)
class Ranking:
    """The best candidates, in their order, and others with why not, by id; and how many there are of each in all."""

    items: Sequence[Candidate]
    excluded: Sequence[Excluded]
    candidate_count: int
    excluded_count: int
    weights_version: int
    judged: Judgement = field(repr=False, compare=False)

    def start_of(self, engineer_id: UUID) -> datetime | None:
        """When somebody could begin, see `Judgement.start_of`; None for who is no engineer or was not asked about."""
        row = self.judged.prospects.row_of(engineer_id)
        return None if row is None else self.judged.start_of(row)


def judge(job: Job, prospects: Prospects, drives: Drives, at: datetime, weights: Weights) -> Judgement:
    """Measure everybody at `at`; `drives` has an entry for every prospect. No score rises with a longer drive."""
    work = job.duration.total_seconds()
    arrives = prospects.arrives(drives.seconds, work)
    arrives_p90 = prospects.arrives(drives.p90_seconds, work)
    standing = _standing(job, prospects)
    late = arrives >= prospects.shift_ends  # never where there is no shift
    broken = {**standing, Why.ARRIVES_AFTER_SHIFT: late}
    stands, able = _nobody(standing, prospects), _nobody(broken, prospects)
    factors = _factors(job, prospects, drives, arrives, arrives_p90, at) | _beside_others(prospects, stands)
    summed = sum((weights.get(name, 0.0) * value for name, (value, _) in factors.items()), np.zeros(len(prospects)))
    scores = np.round(summed * (VIP_BONUS if job.vip else 1.0), 4)
    found = {why: broken[why] for why in Why}
    return Judgement(
        job, prospects, drives, at, weights, arrives, arrives_p90, found, factors, np.where(able, scores, -np.inf)
    )


def _standing(job: Job, prospects: Prospects) -> dict[Why, Flags]:
    """Mark whom the rules that know nothing of the way exclude."""
    levels, wanted = prospects.levels, np.array([asked.level for asked in job.skills], dtype=np.int64)
    return {
        Why.INACTIVE: ~prospects.active,
        Why.SKILL_MISSING: (levels == 0).any(axis=1),
        Why.SKILL_LEVEL_TOO_LOW: ((levels > 0) & (levels < wanted)).any(axis=1),
        Why.NO_SHIFT: np.isnan(prospects.shift_ends),
        Why.DECLINED: prospects.among(job.declined_by),
        Why.BANNED: prospects.among([ban.engineer_id for ban in job.bans]),
    }


def _nobody(broken: Mapping[Why, Flags], prospects: Prospects) -> Flags:
    """Mark those whom no rule excludes."""
    return ~reduce(np.logical_or, broken.values(), np.zeros(len(prospects), dtype=np.bool_))


def _factors(
    job: Job, prospects: Prospects, drives: Drives, arrives: Numbers, arrives_p90: Numbers, at: datetime
) -> dict[Factor, tuple[Numbers, Numbers]]:
    """Per factor its values in [0, 1] and its raw numbers, one entry per prospect."""
    eta = np.rint(arrives)
    surplus = _surplus(job, prospects)
    load = (prospects.load_minutes + job.duration_minutes).astype(np.float64)
    slack = np.rint(_after(at, job.respond_by) - arrives_p90)
    visits = prospects.visits_here.astype(np.float64)
    preferred = _preferred(job, prospects)
    territory = prospects.in_territory.astype(np.float64)
    overtime = _overtime(job, prospects, arrives, at)
    agreed = np.minimum(overtime, prospects.overtime_minutes)
    cost = np.round((2 * drives.seconds / 3600 + overtime / 60) * _PER_HOUR, 2)
    chance = _chance(prospects)
    return {
        Factor.ETA: (0.5 ** (eta / _ETA_HALVES_EVERY_S), eta),
        Factor.SKILL: (_JUST_QUALIFIED + (1 - _JUST_QUALIFIED) * _unit(surplus / _SURPLUS_ENOUGH), surplus),
        Factor.LOAD: (_unit(1 - load / prospects.capacity_minutes), load),
        Factor.SLA: (_unit(slack / _SLACK_ENOUGH_S), slack),
        Factor.CONTINUITY: (1 - 0.5**visits, visits),
        Factor.PREFERRED: (preferred, preferred),
        # Where the job lies in nobody's territory, nobody is at an advantage.
        Factor.TERRITORY: (territory if job.territory_id else np.full_like(territory, 0.5), territory),
        Factor.OVERTIME: (_unit(1 - (overtime - (1 - _AGREED_COUNTS) * agreed) / _OVERTIME_TOO_MUCH_MIN), overtime),
        Factor.PARTS: (prospects.parts, np.round(100 * prospects.parts, 1)),
        Factor.SUCCESS: (chance, np.round(100 * chance, 1)),
        Factor.COST: (0.5 ** (cost / _COST_HALVES_EVERY), cost),
    }


def _chance(prospects: Prospects) -> Numbers:
    """Answer what the accepted model says of settling it with the first visit, else what was counted, smoothed."""
    if prospects.learnt_chance is not None:
        return prospects.learnt_chance
    return (prospects.fixed + _USUAL_WEIGHS * prospects.usual_fix_rate) / (prospects.tried + _USUAL_WEIGHS)


def _beside_others(prospects: Prospects, stands: Flags) -> dict[Factor, tuple[Numbers, Numbers]]:
    """Answer how full a day is beside the mean of those who might come too: an empty one 1, the mean 0.5."""
    full = prospects.load_minutes / prospects.capacity_minutes
    mean = float(full[stands].mean()) if stands.any() else 0.0
    share = full / mean if mean > 0 else np.ones(len(prospects))
    return {Factor.FAIRNESS: (_unit(1 - share / 2), np.round(100 * share, 1))}


def _surplus(job: Job, prospects: Prospects) -> Numbers:
    """Levels above what is asked; a job that asks for nothing is nobody's speciality."""
    wanted = np.array([asked.level for asked in job.skills], dtype=np.int64)
    return (prospects.levels - wanted).mean(axis=1) if job.skills else np.zeros(len(prospects))


def _preferred(job: Job, prospects: Prospects) -> Numbers:
    """Mark whom the order names; whom the customer likes in general comes second where it names somebody."""
    wished = np.where(prospects.among(job.wished_for), 1.0 if job.preferred_engineer_id is None else _WISHED_SECOND, 0)
    named = prospects.among([job.preferred_engineer_id] if job.preferred_engineer_id else [])
    return np.where(named, 1.0, wished)


def _overtime(job: Job, prospects: Prospects, arrives: Numbers, at: datetime) -> Numbers:
    """Minutes beyond the shift."""
    begins = arrives if job.window_start is None else np.maximum(arrives, _after(at, job.window_start))
    return np.fmax(0.0, (begins + job.duration_minutes * 60 - prospects.shift_ends) / 60)


def _after(at: datetime, instant: datetime) -> float:
    return (instant - at).total_seconds()


def _unit(values: Numbers) -> Numbers:
    return np.clip(values, 0.0, 1.0)
