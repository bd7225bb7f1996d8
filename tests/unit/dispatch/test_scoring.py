"""Each factor by itself, each hard rule by itself, and the ranking they make."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.dispatch.scoring import (
    DEFAULT_WEIGHTS,
    ORIGINS,
    UNITS,
    VIP_BONUS,
    Drives,
    Factor,
    FactorScore,
    Job,
    Origin,
    Prospects,
    Ranking,
    Why,
    rank,
    scores,
)
from server.geo.domain import Point
from server.geo.journey import Source
from server.workforce.domain import SkillLevel

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
SITE = Point(7.42, 43.74)
TERRITORY, OTHER_TERRITORY = UUID(int=71), UUID(int=72)

JOB = Job(
    id=UUID(int=1),
    place=SITE,
    duration_minutes=60,
    respond_by=NOW + 24 * HOUR,
    window_start=None,
    window_end=None,
    preferred_engineer_id=None,
    territory_id=None,
    vip=False,
    skills=(),
)


@dataclass(frozen=True)
class Prospect:
    """One engineer in the words of `Prospects`, with instants as people write them."""

    engineer_id: UUID
    name: str
    active: bool = True
    declined: bool = False
    territory_id: UUID | None = TERRITORY
    capacity_minutes: int = 480
    load_minutes: int = 0
    visits_here: int = 0
    skills: tuple[SkillLevel, ...] = (SkillLevel("boiler", 3),)
    shift_starts_at: datetime | None = NOW - HOUR
    shift_ends_at: datetime | None = NOW + 8 * HOUR
    busy_until: datetime | None = None
    planned_until: datetime | None = None


@dataclass(frozen=True)
class Drive:
    seconds: int
    p90_seconds: int
    metres: int
    source: Source


ANNA = Prospect(UUID(int=11), "Anna")
TEN_MINUTES = Drive(600, 900, 5_000, Source.ROADS)


def columns(people: Sequence[Prospect], job: Job, at: datetime) -> Prospects:
    def seconds(instants: list[datetime | None]) -> np.ndarray:
        return np.array([np.nan if it is None else (it - at).total_seconds() for it in instants])

    held = [{skill.key: skill.level for skill in it.skills} for it in people]
    return Prospects(
        engineer_id=np.array([it.engineer_id.bytes for it in people], dtype="V16"),
        name=[it.name for it in people],
        active=np.array([it.active for it in people], dtype=bool),
        declined=np.array([it.declined for it in people], dtype=bool),
        preferred=np.array([it.engineer_id == job.preferred_engineer_id for it in people], dtype=bool),
        in_territory=np.array([it.territory_id == job.territory_id for it in people], dtype=bool),
        origin=np.full(len(people), ORIGINS.index(Origin.HOME)),
        lon=np.full(len(people), SITE.lon),
        lat=np.full(len(people), SITE.lat),
        capacity_minutes=np.array([it.capacity_minutes for it in people], dtype=int),
        load_minutes=np.array([it.load_minutes for it in people], dtype=int),
        visits_here=np.array([it.visits_here for it in people], dtype=int),
        shift_starts=seconds([it.shift_starts_at for it in people]),
        shift_ends=seconds([it.shift_ends_at for it in people]),
        busy_until=seconds([it.busy_until for it in people]),
        planned_until=seconds([it.planned_until for it in people]),
        levels=np.array([[mine.get(asked.key, 0) for asked in job.skills] for mine in held], dtype=int).reshape(
            len(people), len(job.skills)
        ),
    )


def ways(drives: Sequence[Drive]) -> Drives:
    return Drives(
        np.array([it.seconds for it in drives], dtype=float),
        np.array([it.p90_seconds for it in drives], dtype=float),
        np.array([it.metres for it in drives], dtype=float),
        np.array([it.source is Source.ESTIMATE for it in drives], dtype=bool),
    )


def ranking(*prospects: Prospect, job: Job = JOB, drive: Drive = TEN_MINUTES, at: datetime = NOW) -> Ranking:
    return ranked(prospects, [drive] * len(prospects), job, at)


def ranked(people: Sequence[Prospect], drives: Sequence[Drive], job: Job = JOB, at: datetime = NOW) -> Ranking:
    rows = columns(people, job, at)
    return rank(job, rows, ways(drives), at, weights=DEFAULT_WEIGHTS, weights_version=1, skills={})


def factor(name: Factor, prospect: Prospect = ANNA, job: Job = JOB, drive: Drive = TEN_MINUTES) -> FactorScore:
    (candidate,) = ranking(prospect, job=job, drive=drive).items
    return next(found for found in candidate.factors if found.name is name)


def reasons(prospect: Prospect, job: Job = JOB, drive: Drive = TEN_MINUTES) -> list[Why]:
    found = ranking(prospect, job=job, drive=drive)
    return [reason.code for excluded in found.excluded for reason in excluded.reasons]


def test_the_default_weights_add_up_to_one_and_every_factor_has_one():
    assert sum(DEFAULT_WEIGHTS.values()) == pytest.approx(1)
    assert set(DEFAULT_WEIGHTS) == set(Factor) == set(UNITS)


def test_eta_halves_the_factor_every_half_hour():
    assert factor(Factor.ETA, drive=replace(TEN_MINUTES, seconds=1800)).value == 0.5
    assert factor(Factor.ETA, drive=replace(TEN_MINUTES, seconds=3600)).value == 0.25


def test_eta_includes_waiting_for_the_current_job():
    busy = replace(ANNA, busy_until=NOW + timedelta(minutes=20))
    assert factor(Factor.ETA, busy).raw == 1800


def test_eta_includes_waiting_for_the_shift():
    later = replace(ANNA, shift_starts_at=NOW + HOUR)
    assert factor(Factor.ETA, later).raw == 3600 + 600


def test_skill_rewards_levels_above_what_is_asked_up_to_two():
    asked = replace(JOB, skills=(SkillLevel("boiler", 1),))
    values = [
        factor(Factor.SKILL, replace(ANNA, skills=(SkillLevel("boiler", level),)), asked).value for level in range(1, 6)
    ]
    assert values == [0.6, 0.8, 1.0, 1.0, 1.0]


def test_load_counts_the_job_itself_against_the_days_capacity():
    scored = factor(Factor.LOAD, replace(ANNA, load_minutes=180))
    assert (scored.value, scored.raw) == (0.5, 240)
    assert factor(Factor.LOAD, replace(ANNA, load_minutes=900)).value == 0


def test_sla_measures_the_slack_that_the_slow_drive_leaves():
    tight = replace(JOB, respond_by=NOW + 2 * HOUR + timedelta(minutes=15))
    scored = factor(Factor.SLA, job=tight)
    assert (scored.value, scored.raw) == (0.5, 7200)
    assert factor(Factor.SLA, job=replace(JOB, respond_by=NOW - HOUR)).value == 0


def test_continuity_grows_with_visits_to_the_customer():
    assert [factor(Factor.CONTINUITY, replace(ANNA, visits_here=n)).value for n in range(4)] == [0, 0.5, 0.75, 0.875]


def test_the_preferred_engineer_is_preferred():
    assert factor(Factor.PREFERRED, job=replace(JOB, preferred_engineer_id=ANNA.engineer_id)).value == 1
    assert factor(Factor.PREFERRED, job=replace(JOB, preferred_engineer_id=UUID(int=99))).value == 0


def test_territory_is_soft_and_neutral_where_the_job_lies_in_none():
    assert factor(Factor.TERRITORY, job=replace(JOB, territory_id=TERRITORY)).value == 1
    assert factor(Factor.TERRITORY, job=replace(JOB, territory_id=OTHER_TERRITORY)).value == 0
    assert factor(Factor.TERRITORY).value == 0.5


def test_overtime_counts_minutes_beyond_the_shift():
    ends_soon = replace(ANNA, shift_ends_at=NOW + timedelta(minutes=40))
    scored = factor(Factor.OVERTIME, ends_soon)
    assert (scored.raw, scored.value) == (30, 0.75)
    assert factor(Factor.OVERTIME).value == 1


def test_a_missing_skill_excludes():
    asked = replace(JOB, skills=(SkillLevel("boiler", 1), SkillLevel("gas", 2)))
    found = ranking(ANNA, job=asked)
    assert not found.items
    (excluded,) = found.excluded
    assert excluded.name == "Anna"
    assert [(reason.code, reason.sentence) for reason in excluded.reasons] == [
        (Why.SKILL_MISSING, "Lacks the skill gas (level 2 is asked for).")
    ]


def test_a_skill_at_too_low_a_level_excludes():
    assert reasons(ANNA, replace(JOB, skills=(SkillLevel("boiler", 4),))) == [Why.SKILL_LEVEL_TOO_LOW]


def test_no_shift_in_the_time_asked_for_excludes():
    assert reasons(replace(ANNA, shift_starts_at=None, shift_ends_at=None)) == [Why.NO_SHIFT]


def test_arriving_after_the_shift_excludes():
    assert reasons(replace(ANNA, shift_ends_at=NOW + timedelta(minutes=10))) == [Why.ARRIVES_AFTER_SHIFT]
    assert reasons(replace(ANNA, shift_ends_at=NOW + timedelta(minutes=11))) == []


def test_who_declined_this_order_is_not_asked_again():
    assert reasons(replace(ANNA, declined=True)) == [Why.DECLINED]


def test_a_disabled_account_excludes():
    assert reasons(replace(ANNA, active=False)) == [Why.INACTIVE]


def test_every_broken_rule_is_told_at_once():
    broken = replace(ANNA, active=False, declined=True, shift_ends_at=None, skills=())
    asked = replace(JOB, skills=(SkillLevel("boiler", 1),))
    assert reasons(broken, asked) == [Why.INACTIVE, Why.SKILL_MISSING, Why.NO_SHIFT, Why.DECLINED]


def test_the_score_is_the_weighted_sum_and_a_vip_adds_thirty_percent():
    (plain,) = ranking(ANNA).items
    (vip,) = ranking(ANNA, job=replace(JOB, vip=True)).items
    assert plain.score == pytest.approx(sum(f.weight * f.value for f in plain.factors), abs=1e-3)
    assert vip.score == pytest.approx(plain.score * VIP_BONUS, abs=1e-3)


def test_the_nearer_of_two_equals_comes_first():
    ben = replace(ANNA, engineer_id=UUID(int=12), name="Ben")
    drives = [replace(TEN_MINUTES, seconds=1200, p90_seconds=1500), TEN_MINUTES]
    found = ranked([ANNA, ben], drives)
    assert [candidate.name for candidate in found.items] == ["Ben", "Anna"]


def test_nobody_at_all_is_an_empty_ranking():
    nobody = ranking()
    assert (list(nobody.items), list(nobody.excluded), nobody.start_of(ANNA.engineer_id)) == ([], [], None)


def test_the_proposed_start_waits_for_what_is_planned_and_for_the_window_and_is_a_whole_minute():
    assert ranking(ANNA).start_of(ANNA.engineer_id) == NOW + timedelta(minutes=10)
    planned = replace(ANNA, planned_until=NOW + 2 * HOUR)
    assert ranking(planned).start_of(ANNA.engineer_id) == NOW + 2 * HOUR
    asked = replace(JOB, window_start=NOW + 3 * HOUR, window_end=NOW + 4 * HOUR)
    assert ranking(planned, job=asked).start_of(ANNA.engineer_id) == NOW + 3 * HOUR
    odd = ranking(ANNA, drive=replace(TEN_MINUTES, seconds=601)).start_of(ANNA.engineer_id)
    assert odd == NOW + timedelta(minutes=11)


def test_the_excluded_could_still_begin_sometime_if_the_dispatcher_insists():
    assert ranking(replace(ANNA, declined=True)).start_of(ANNA.engineer_id) == NOW + timedelta(minutes=10)


@given(
    load=st.integers(0, 5_000),
    seconds=st.integers(0, 30_000),
    visits=st.integers(0, 100),
    respond=st.integers(-1_000, 10_000),
    level=st.integers(1, 5),
)
def test_every_factor_stays_between_zero_and_one_and_so_does_the_score(load, seconds, visits, respond, level):
    job = replace(JOB, respond_by=NOW + timedelta(minutes=respond), skills=(SkillLevel("boiler", level),))
    able = replace(
        ANNA, load_minutes=load, visits_here=visits, skills=(SkillLevel("boiler", 5),), shift_ends_at=NOW + 24 * HOUR
    )
    (candidate,) = ranking(able, job=job, drive=Drive(seconds, 2 * seconds, 1, Source.ESTIMATE)).items
    assert all(0 <= found.value <= 1 for found in candidate.factors)
    assert 0 <= candidate.score <= 1


@given(estimated=st.integers(0, 20_000), longer=st.integers(0, 20_000))
def test_nobody_scores_more_than_they_can_hope_for(estimated, longer):
    best = ways([Drive(estimated, 2 * estimated, 1, Source.ESTIMATE)]).at_best()
    real = replace(best, seconds=best.seconds + longer, p90_seconds=best.p90_seconds + longer)
    people = columns([ANNA], JOB, NOW)
    hoped, scored = (scores(JOB, people, it, NOW, DEFAULT_WEIGHTS)[0] for it in (best, real))
    assert scored <= hoped


def test_equals_of_a_large_company_come_by_id():
    many = [replace(ANNA, engineer_id=UUID(int=number)) for number in range(1, 301)]
    found = ranked(many, [TEN_MINUTES] * 300)
    assert len(found.items) == 300
    assert [it.engineer_id.int for it in found.items[:3]] == [1, 2, 3]
