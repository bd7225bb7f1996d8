"""What work takes, from synthetic visits whose truth is known."""

from datetime import date, timedelta
from random import Random
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.dispatch.learning.domain import hold_back, quantiles, shrunk
from server.dispatch.learning.durations import Durations, Task, Worked, fit, learn

MINUTES = {"no_heat": 90.0, "leak": 45.0, "noise": 30.0}
PACES = {UUID(int=1): 0.8, UUID(int=2): 1.0, UUID(int=3): 1.25}
FIRST = date(2026, 1, 5)
NEW = UUID(int=99)


def visits(number: int = 3000, *, seed: int = 1, noise: float = 0.3, forgotten: float = 0.03) -> list[Worked]:
    """Everybody does everything; some timers run through the night. Combi ovens take half as long again."""
    chance = Random(seed)
    found = []
    for at in range(number):
        kind, engineer = chance.choice(list(MINUTES)), chance.choice(list(PACES))
        combi = kind == "no_heat" and chance.random() < 0.5
        minutes = MINUTES[kind] * PACES[engineer] * (1.5 if combi else 1.0) * chance.lognormvariate(0, noise)
        if chance.random() < forgotten:
            minutes = 900.0
        product, model = ("oven", "Combi 10") if combi else (None, None)
        day = FIRST + timedelta(days=at * 100 // number)
        found.append(Worked(kind, product, model, engineer, 60, minutes, day))
    return found


def test_the_truth_is_found_in_spite_of_forgotten_timers():
    found = fit(visits())
    tasks = [Task("no_heat", 60), Task("leak", 60), Task("noise", 60), Task("no_heat", 60, "oven", "Combi 10")]
    p50, p90 = found.matrix(tasks, list(PACES))
    truth = np.outer([90, 45, 30, 135], list(PACES.values()))
    assert p50 == pytest.approx(truth, rel=0.1)
    # The ninetieth percentile of the noise, with a little more because of the forgotten timers.
    assert p90 / p50 == pytest.approx(np.full_like(p50, np.exp(1.2816 * 0.3)), rel=0.12)


def test_paces_are_per_cent_of_what_work_takes_others():
    found = fit(visits())
    paces = [found.pace_percent(engineer) for engineer in PACES]
    assert paces == pytest.approx([80, 100, 125], abs=5)
    assert found.pace_percent(NEW) == 100


def test_an_engineer_who_is_slow_at_one_thing_is_slow_at_that_only():
    slow = [
        it if (it.engineer_id, it.problem_type) != (UUID(int=2), "leak") else Worked(**(vars(it) | {"minutes": 90.0}))
        for it in visits()
    ]
    (leak, noise), _ = fit(slow).matrix([Task("leak", 60), Task("noise", 60)], [UUID(int=2)])
    assert leak == pytest.approx([90], rel=0.12)
    assert noise == pytest.approx([30], rel=0.12)


def test_an_unknown_kind_of_work_keeps_its_own_duration_at_the_engineers_pace():
    p50, p90 = fit(visits()).matrix([Task("never_seen", 40)], [UUID(int=1), NEW])
    assert p50 == pytest.approx(np.array([[32, 40]]), rel=0.06)
    assert (p90 > p50).all()


def test_without_any_data_nothing_changes():
    nothing = fit([])
    assert nothing == Durations.nothing()
    p50, p90 = nothing.matrix([Task("leak", 25), Task("noise", 70)], [NEW])
    assert p50.tolist() == p90.tolist() == [pytest.approx([25]), pytest.approx([70])]
    assert learn([], None) is None


def test_what_is_stored_says_the_same_when_it_is_read():
    found = fit(visits(500))
    assert Durations.from_json(found.to_json()) == found


def test_the_order_of_the_visits_changes_nothing():
    some = visits(400)
    assert fit(Random(3).sample(some, len(some))) == fit(some)


def test_the_back_test_finds_what_planning_an_hour_for_everything_costs():
    lesson = learn(visits(forgotten=0), None)
    assert lesson.better
    said = lesson.back_test
    assert said["mean_error_minutes"] < 0.65 * said["planned_mean_error_minutes"]
    assert said["in_force_mean_error_minutes"] == said["planned_mean_error_minutes"], "nothing is in force"
    assert said["held_samples"] == pytest.approx(600, abs=5)


def test_what_is_no_better_than_the_plan_is_not_proposed():
    planned = [Worked(**(vars(it) | {"planned_minutes": round(it.minutes)})) for it in visits(300)]
    assert not learn(planned, None).better


def test_what_is_no_better_than_what_is_in_force_is_not_proposed():
    some = visits()
    assert not learn(some, fit(some)).better


@given(own=st.floats(-5, 5), parent=st.floats(-5, 5), count=st.integers(0, 1000), weight=st.floats(0.1, 100))
def test_shrinkage_lies_between_the_two_means_and_nearer_to_its_own_the_more_there_is(own, parent, count, weight):
    found = float(shrunk(np.array([own]), parent, np.array([count]), weight)[0])
    more = float(shrunk(np.array([own]), parent, np.array([count + 1]), weight)[0])
    assert min(own, parent) - 1e-9 <= found <= max(own, parent) + 1e-9
    assert abs(more - own) <= abs(found - own) + 1e-9


@given(few=st.integers(1, 12), many=st.integers(100, 300), minutes=st.floats(20, 200), rare=st.floats(20, 200))
def test_a_rare_kind_of_work_lies_between_its_own_median_and_everybodys(few, many, minutes, rare):
    common = [Worked("common", None, None, NEW, 60, minutes, FIRST)] * many
    seldom = [Worked("rare", None, None, NEW, 60, rare, FIRST)] * few
    ((found,),), _ = fit(common + seldom).matrix([Task("rare", 60)], [NEW])
    assert min(minutes, rare) * 0.999 <= found <= max(minutes, rare) * 1.001


@given(st.lists(st.tuples(st.floats(-10, 10), st.integers(0, 4)), max_size=60), st.sampled_from([0.5, 0.9]))
def test_quantiles_of_groups_are_those_numpy_answers_for_each(pairs, share):
    values, groups = np.array([it for it, _ in pairs]), np.array([it for _, it in pairs], dtype=np.intp)
    found = quantiles(values, groups, 5, share)
    for group in range(5):
        own = values[groups == group]
        assert found[group] == pytest.approx(np.quantile(own, share) if len(own) else 0.0)


@given(st.lists(st.integers(730_000, 730_400), min_size=1, max_size=50))
def test_days_that_judge_come_after_the_days_that_teach(days):
    ordinals = np.array(days, dtype=np.int64)
    held = hold_back(ordinals)
    if held is None:
        assert len(set(days)) == 1
        return
    assert held.judging.any()
    assert not held.judging.all()
    assert ordinals[held.judging].min() > ordinals[~held.judging].max()
