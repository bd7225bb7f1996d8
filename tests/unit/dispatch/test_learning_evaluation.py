"""Figures with their intervals, and who counts for whom."""

from datetime import date
from random import Random
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.dispatch.decisions import How
from server.dispatch.evaluation.domain import Course, EngineerDay, Figure, Group, compare, mean, share

ANNA = UUID(int=1)
DAY = date(2026, 1, 5)


def course(how: How, *, fixed: bool | None = True, hand_overs: int = 0, rating: int | None = None) -> Course:
    return Course(UUID(int=7), how, fixed, hand_overs, rating)


def interval(figure: Figure) -> tuple[float, float, float]:
    assert figure.low is not None
    assert figure.value is not None
    assert figure.high is not None
    return figure.low, figure.value, figure.high


def test_wilsons_interval_is_the_one_in_the_books():
    found = share(8, 10)
    assert (found.value, found.low, found.high) == pytest.approx((0.8, 0.4902, 0.9433), abs=1e-4)
    assert share(0, 0).value is None


@given(samples=st.integers(1, 10_000), part=st.floats(0, 1))
def test_a_share_lies_in_its_interval_and_that_within_0_and_1(samples, part):
    low, value, high = interval(share(round(samples * part), samples))
    assert 0 <= low <= value <= high <= 1


def test_a_bootstrap_interval_holds_the_truth_about_as_often_as_it_says():
    chance = np.random.default_rng(1)
    drawn = [interval(mean(chance.integers(1, 6, 80).tolist(), seed)) for seed in range(300)]
    held = [low <= 3 <= high for low, _, high in drawn]
    assert np.mean(held) == pytest.approx(0.95, abs=0.04)


def test_the_same_seed_gives_the_same_interval_whatever_the_order():
    values = [1, 5, 4, 4, 2, 5, 3]
    assert mean(values, 3) == mean(Random(1).sample(values, 7), 3)
    assert mean([4], 1).low == mean([4], 1).high == 4


def test_only_what_a_person_chose_against_the_list_counts_as_manual():
    assert {how for how in How if Group.of(how) is Group.MANUAL} == {How.MANUAL}


def test_each_side_has_its_own_orders():
    found = compare(
        [
            course(How.PLAN, rating=5),
            course(How.SUGGESTED, fixed=False, hand_overs=2),
            course(How.AUTOMATIC, fixed=None),
            course(How.MANUAL, fixed=False, rating=2),
        ],
        [],
    )
    assert (found.system.orders, found.manual.orders) == (3, 1)
    assert found.system.by_how == {How.SUGGESTED: 1, How.AUTOMATIC: 1, How.PLAN: 1}
    assert (found.system.first_time_fix.samples, found.system.first_time_fix.value) == (2, 0.5)
    assert found.system.hand_overs.value == pytest.approx(0.6667)
    assert (found.system.satisfaction.value, found.manual.satisfaction.value) == (5, 2)
    assert found.manual.jobs_per_engineer_day.value is None


def test_a_day_of_both_kinds_counts_for_neither():
    found = compare(
        [],
        [
            EngineerDay(ANNA, DAY, 6, (How.PLAN, How.REPAIR), known=True),
            EngineerDay(ANNA, DAY, 4, (How.MANUAL,), known=True),
            EngineerDay(ANNA, DAY, 5, (How.MANUAL, How.PLAN), known=True),
            EngineerDay(ANNA, DAY, 5, (How.PLAN,), known=False),
        ],
    )
    assert (found.system.jobs_per_engineer_day.value, found.manual.jobs_per_engineer_day.value) == (6, 4)
    assert found.mixed_days == 2
