"""Each factor by itself, each hard rule by itself, and the ranking they make."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.dispatch.prospects import ORIGINS, Ban, Drives, Job, Origin, Prospects
from server.dispatch.scoring import (
    DEFAULT_WEIGHTS,
    UNITS,
    VIP_BONUS,
    Candidate,
    Excluded,
    Factor,
    FactorScore,
    Judgement,
    Person,
    Weights,
    Why,
    judge,
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
    number=7,
    title="Oven stays cold",
    problem_type="no_heat",
    customer_id=UUID(int=2),
    customer_name="Hotel Azur",
    place=SITE,
    duration_minutes=60,
    respond_by=NOW + 24 * HOUR,
    window_start=None,
    window_end=None,
    preferred_engineer_id=None,
    territory_id=None,
    vip=False,
    skills=(),
    needs_parts=False,
    declined_by=(),
    wished_for=(),
    bans=(),
)


@dataclass(frozen=True)
class Prospect:
    """One engineer in the words of `Prospects`, with instants as people write them."""

    engineer_id: UUID
    name: str
    active: bool = True
    territory_id: UUID | None = TERRITORY
    capacity_minutes: int = 480
    load_minutes: int = 0
    visits_here: int = 0
    parts: float = 1.0
    tried: int = 0
    fixed: int = 0
    skills: tuple[SkillLevel, ...] = (SkillLevel("boiler", 3),)
    shift_starts_at: datetime | None = NOW - HOUR
    shift_ends_at: datetime | None = NOW + 8 * HOUR
    rest_opens: datetime | None = None
    rest_closes: datetime | None = None
    rest_minutes: int = 0
    overtime_minutes: int = 0
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


def columns(people: Sequence[Prospect], job: Job, at: datetime, usual_fix_rate: float = 0.5) -> Prospects:
    def seconds(name: str) -> np.ndarray:
        instants = [getattr(it, name) for it in people]
        return np.array([np.nan if it is None else (it - at).total_seconds() for it in instants])

    def numbers(name: str) -> np.ndarray:
        return np.array([getattr(it, name) for it in people])

    held = [{skill.key: skill.level for skill in it.skills} for it in people]
    return Prospects(
        engineer_id=np.array([it.engineer_id.bytes for it in people], dtype="V16"),
        active=numbers("active").astype(bool),
        in_territory=np.array([it.territory_id == job.territory_id for it in people], dtype=bool),
        origin=np.full(len(people), ORIGINS.index(Origin.HOME)),
        lon=np.full(len(people), SITE.lon),
        lat=np.full(len(people), SITE.lat),
        **{name: numbers(name) for name in ("capacity_minutes", "load_minutes", "visits_here", "parts")},
        **{name: numbers(name) for name in ("tried", "fixed", "overtime_minutes")},
        shift_starts=seconds("shift_starts_at"),
        shift_ends=seconds("shift_ends_at"),
        rest_opens=seconds("rest_opens"),
        rest_closes=seconds("rest_closes"),
        rest_seconds=60.0 * numbers("rest_minutes"),
        busy_until=seconds("busy_until"),
        planned_until=seconds("planned_until"),
        levels=np.array([[mine.get(asked.key, 0) for asked in job.skills] for mine in held], dtype=int).reshape(
            len(people), len(job.skills)
        ),
        usual_fix_rate=usual_fix_rate,
    )


def ways(drives: Sequence[Drive]) -> Drives:
    return Drives(
        np.array([it.seconds for it in drives], dtype=float),
        np.array([it.p90_seconds for it in drives], dtype=float),
        np.array([it.metres for it in drives], dtype=float),
        np.array([it.source is Source.ESTIMATE for it in drives], dtype=bool),
    )


@dataclass(frozen=True)
class Ranked:
    """A judgement with everybody in it shown."""

    judged: Judgement
    items: list[Candidate]
    excluded: list[Excluded]

    def start_of(self, engineer: Prospect) -> datetime:
        row = self.judged.prospects.row_of(engineer.engineer_id)
        assert row is not None
        return self.judged.start_of(row)


def ranking(*prospects: Prospect, job: Job = JOB, drive: Drive = TEN_MINUTES, at: datetime = NOW) -> Ranked:
    return ranked(prospects, [drive] * len(prospects), job, at)


def ranked(
    people: Sequence[Prospect],
    drives: Sequence[Drive],
    job: Job = JOB,
    at: datetime = NOW,
    weights: Weights = DEFAULT_WEIGHTS,
) -> Ranked:
    judged = judge(job, columns(people, job, at), ways(drives), at, weights)
    known = [Person(it.name, it.skills) for it in people]
    return Ranked(
        judged,
        [judged.candidate(row, known[row]) for row in judged.best.tolist()],
        [judged.excluded(row, known[row]) for row in judged.barred.tolist()],
    )


def factor(name: Factor, prospect: Prospect = ANNA, job: Job = JOB, drive: Drive = TEN_MINUTES) -> FactorScore:
    return factors(name, prospect, job=job, drive=drive)[0]


def factors(name: Factor, *prospects: Prospect, job: Job = JOB, drive: Drive = TEN_MINUTES) -> list[FactorScore]:
    """One factor of each, in the order they are given in."""
    by_id = {it.engineer_id: it for it in ranking(*prospects, job=job, drive=drive).items}
    return [next(f for f in by_id[it.engineer_id].factors if f.name is name) for it in prospects]


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


def test_overtime_that_was_agreed_weighs_half():
    agreed = replace(ANNA, shift_ends_at=NOW + timedelta(minutes=40), overtime_minutes=20)
    scored = factor(Factor.OVERTIME, agreed)
    assert (scored.raw, round(scored.value, 4)) == (30, round(1 - 20 / 120, 4))


def test_whom_the_customer_likes_comes_second_where_the_order_names_another():
    ben = replace(ANNA, engineer_id=UUID(int=12), name="Ben")
    likes_ben = replace(JOB, wished_for=(ben.engineer_id,))
    assert [it.value for it in factors(Factor.PREFERRED, ANNA, ben, job=likes_ben)] == [0, 1]
    names_anna = replace(likes_ben, preferred_engineer_id=ANNA.engineer_id)
    assert [it.value for it in factors(Factor.PREFERRED, ANNA, ben, job=names_anna)] == [1, 0.5]


def test_parts_are_the_share_that_is_in_the_van():
    scored = factor(Factor.PARTS, replace(ANNA, parts=0.75))
    assert (scored.value, scored.raw, scored.unit) == (0.75, 75, "%")


def test_success_is_drawn_to_what_is_usual_until_there_is_a_record():
    people = [replace(ANNA, tried=4, fixed=4), replace(ANNA, engineer_id=UUID(int=12))]
    judged = judge(JOB, columns(people, JOB, NOW, usual_fix_rate=0.8), ways([TEN_MINUTES] * 2), NOW, DEFAULT_WEIGHTS)
    value, raw = judged.factors[Factor.SUCCESS]
    assert value.tolist() == pytest.approx([0.9, 0.8])
    assert raw.tolist() == [90, 80]


def test_cost_counts_the_way_there_and_back_and_overtime():
    assert factor(Factor.COST).raw == 20, "two times ten minutes at 60 an hour"
    late = replace(ANNA, shift_ends_at=NOW + timedelta(minutes=40))
    assert (factor(Factor.COST, late).raw, factor(Factor.COST, late).value) == (50, round(0.5 ** (50 / 40), 4))


def test_fairness_compares_with_the_mean_of_those_who_might_come_too():
    idle, busy = replace(ANNA, load_minutes=0), replace(ANNA, engineer_id=UUID(int=12), load_minutes=240)
    assert [(it.value, it.raw) for it in factors(Factor.FAIRNESS, idle, busy)] == [(1, 0), (0, 200)]
    away = replace(ANNA, engineer_id=UUID(int=13), load_minutes=480, active=False)
    assert [it.raw for it in ranking(idle, busy, away).items[0].factors if it.name is Factor.FAIRNESS] == [0]
    assert factor(Factor.FAIRNESS).value == 0.5, "nobody has anything to do"


def test_who_could_not_be_done_before_their_break_has_to_begin_rests_first():
    resting = replace(ANNA, rest_opens=NOW + HOUR / 2, rest_closes=NOW + HOUR, rest_minutes=30)
    # An hour's work from 09:10 would run past 10:00: they rest from 09:30, and drive.
    assert factor(Factor.ETA, resting).raw == (30 + 30 + 10) * 60
    assert factor(Factor.ETA, resting, replace(JOB, duration_minutes=45)).raw == 600
    assert factor(Factor.ETA, replace(resting, busy_until=NOW + 2 * HOUR)).raw == 7200 + 600, "the break is over"


def test_a_break_can_make_an_arrival_too_late():
    resting = replace(ANNA, rest_opens=NOW, rest_closes=NOW + HOUR / 4, rest_minutes=60, shift_ends_at=NOW + HOUR)
    assert reasons(resting) == [Why.ARRIVES_AFTER_SHIFT]


def test_weights_of_earlier_versions_stay_valid_and_what_they_do_not_name_weighs_nothing():
    earlier: Weights = {Factor.ETA: 0.6, Factor.LOAD: 0.4}
    (candidate,) = ranked([ANNA], [TEN_MINUTES], weights=earlier).items
    weighed = {it.name: it.weight for it in candidate.factors if it.weight}
    assert weighed == earlier
    assert candidate.score == pytest.approx(sum(it.weight * it.value for it in candidate.factors), abs=1e-3)


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
    assert reasons(ANNA, replace(JOB, declined_by=(ANNA.engineer_id,))) == [Why.DECLINED]


def test_whom_the_customer_banned_is_excluded_with_what_they_said():
    banned = replace(JOB, bans=(Ban(ANNA.engineer_id, "Broke a vase"),), preferred_engineer_id=ANNA.engineer_id)
    (excluded,) = ranking(ANNA, job=banned).excluded
    assert [(it.code, it.sentence) for it in excluded.reasons] == [
        (Why.BANNED, "The customer does not want them: Broke a vase")
    ]


def test_a_disabled_account_excludes():
    assert reasons(replace(ANNA, active=False)) == [Why.INACTIVE]


def test_every_broken_rule_is_told_at_once():
    broken = replace(ANNA, active=False, shift_ends_at=None, skills=())
    her = ANNA.engineer_id
    asked = replace(JOB, skills=(SkillLevel("boiler", 1),), declined_by=(her,), bans=(Ban(her, "-"),))
    assert reasons(broken, asked) == [Why.INACTIVE, Why.SKILL_MISSING, Why.NO_SHIFT, Why.DECLINED, Why.BANNED]


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
    assert (nobody.items, nobody.excluded, nobody.judged.prospects.row_of(ANNA.engineer_id)) == ([], [], None)


def test_the_proposed_start_waits_for_what_is_planned_and_for_the_window_and_is_a_whole_minute():
    assert ranking(ANNA).start_of(ANNA) == NOW + timedelta(minutes=10)
    planned = replace(ANNA, planned_until=NOW + 2 * HOUR)
    assert ranking(planned).start_of(planned) == NOW + 2 * HOUR
    asked = replace(JOB, window_start=NOW + 3 * HOUR, window_end=NOW + 4 * HOUR)
    assert ranking(planned, job=asked).start_of(ANNA) == NOW + 3 * HOUR
    odd = ranking(ANNA, drive=replace(TEN_MINUTES, seconds=601)).start_of(ANNA)
    assert odd == NOW + timedelta(minutes=11)


def test_the_excluded_could_still_begin_sometime_if_the_dispatcher_insists():
    refused = replace(JOB, declined_by=(ANNA.engineer_id,))
    assert ranking(ANNA, job=refused).start_of(ANNA) == NOW + timedelta(minutes=10)


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
    hoped, scored = (judge(JOB, people, it, NOW, DEFAULT_WEIGHTS).scores[0] for it in (best, real))
    assert scored <= hoped


PEOPLE = st.lists(
    st.builds(
        Prospect,
        engineer_id=st.uuids(),
        name=st.just("Somebody"),
        active=st.booleans(),
        load_minutes=st.integers(0, 600),
        visits_here=st.integers(0, 5),
        parts=st.floats(0, 1),
        tried=st.just(9),
        fixed=st.integers(0, 9),
        shift_ends_at=st.none() | st.integers(0, 600).map(lambda minutes: NOW + timedelta(minutes=minutes)),
        skills=st.integers(1, 5).map(lambda level: (SkillLevel("boiler", level),)),
    ),
    max_size=8,
    unique_by=lambda it: it.engineer_id,
)
BOILER = replace(JOB, skills=(SkillLevel("boiler", 2),))


@given(people=PEOPLE, seed=st.randoms(use_true_random=False), drives=st.lists(st.integers(0, 9_000), min_size=8))
def test_the_order_in_which_people_are_read_changes_nothing(people, seed, drives):
    driven = [(it, Drive(s, 2 * s, s, Source.ROADS)) for it, s in zip(people, drives, strict=False)]
    shuffled = seed.sample(driven, len(driven))
    (one, other) = [
        {it.engineer_id: it.score for it in ranked([it for it, _ in way], [d for _, d in way], BOILER).items}
        for way in (driven, shuffled)
    ]
    assert one == pytest.approx(other)


@given(people=PEOPLE)
def test_everybody_is_a_candidate_or_has_a_reason_and_never_both(people):
    found = ranking(*people, job=BOILER)
    able, barred = {it.engineer_id for it in found.items}, {it.engineer_id for it in found.excluded}
    assert able | barred == {it.engineer_id for it in people}
    assert not able & barred
    assert all(it.reasons for it in found.excluded)
    assert [it.rank for it in found.items] == list(range(1, len(able) + 1))


BETTER = {
    "load_minutes": st.tuples(st.integers(0, 600), st.integers(0, 600)).map(lambda two: (max(two), min(two))),
    "visits_here": st.tuples(st.integers(0, 9), st.integers(0, 9)).map(sorted),
    "parts": st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted),
    "fixed": st.tuples(st.integers(0, 9), st.integers(0, 9)).map(sorted),
    "overtime_minutes": st.tuples(st.integers(0, 99), st.integers(0, 99)).map(sorted),
}


@pytest.mark.parametrize("what", BETTER)
@given(data=st.data())
def test_who_is_better_in_one_thing_never_scores_less(what, data):
    worse, better = data.draw(BETTER[what])
    plain = replace(ANNA, tried=9, shift_ends_at=NOW + timedelta(minutes=30))
    ben = replace(ANNA, engineer_id=UUID(int=12), load_minutes=100)
    (low, high) = [
        next(it.score for it in ranking(replace(plain, **{what: it}), ben).items if it.engineer_id == ANNA.engineer_id)
        for it in (worse, better)
    ]
    assert high >= low


@given(
    quick=st.integers(0, 9_000),
    longer=st.integers(0, 9_000),
    opens=st.integers(0, 300),
    lasts=st.integers(0, 120),
    rest=st.integers(1, 90),
)
def test_a_longer_drive_never_arrives_sooner_nor_scores_more_whatever_the_break(quick, longer, opens, lasts, rest):
    resting = replace(
        ANNA,
        rest_opens=NOW + timedelta(minutes=opens),
        rest_closes=NOW + timedelta(minutes=opens + lasts),
        rest_minutes=rest,
    )
    people = columns([resting], JOB, NOW)
    (near, far) = [
        judge(JOB, people, ways([Drive(s, 2 * s, s, Source.ROADS)]), NOW, DEFAULT_WEIGHTS)
        for s in (quick, quick + longer)
    ]
    assert far.arrives[0] >= near.arrives[0]
    assert far.scores[0] <= near.scores[0]


def test_equals_of_a_large_company_come_by_id():
    many = [replace(ANNA, engineer_id=UUID(int=number)) for number in range(1, 301)]
    found = ranked(many, [TEN_MINUTES] * 300)
    assert len(found.items) == 300
    assert [it.engineer_id.int for it in found.items[:3]] == [1, 2, 3]
