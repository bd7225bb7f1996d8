"""The chance of a first-time fix, from synthetic visits whose truth is known."""

from datetime import date, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.dispatch.learning.success import Chances, Tried, fit, learn

GOOD, FAIR, NEW = UUID(int=1), UUID(int=2), UUID(int=99)
TRUTH = {(GOOD, "no_heat"): 0.85, (FAIR, "no_heat"): 0.55, (GOOD, "leak"): 0.95, (FAIR, "leak"): 0.8}
FIRST = date(2026, 1, 5)


def visits(number: int = 3000, seed: int = 1) -> list[Tried]:
    chance = Random(seed)
    drawn = [chance.choice(list(TRUTH)) for _ in range(number)]
    return [
        Tried(kind, engineer, chance.random() < TRUTH[engineer, kind], FIRST + timedelta(days=at * 100 // number))
        for at, (engineer, kind) in enumerate(drawn)
    ]


def test_the_truth_is_found():
    found = fit(visits())
    for (engineer, kind), chance in TRUTH.items():
        assert found.of(engineer, kind) == pytest.approx(chance, abs=0.05)


def test_who_is_new_is_expected_to_do_as_everybody_with_that_kind():
    found = fit(visits())
    assert found.of(NEW, "no_heat") == pytest.approx(0.70, abs=0.05)
    assert found.of(NEW, "never_seen") == pytest.approx(found.overall, abs=1e-5)


def test_who_is_good_at_everything_is_expected_to_be_good_at_something_new():
    found = fit(visits())
    assert found.of(GOOD, "never_seen") > found.overall > found.of(FAIR, "never_seen")


def test_without_any_data_chances_are_even():
    nothing = fit([])
    assert nothing.of(NEW, "leak") == pytest.approx(0.5)
    assert learn([], None) is None


def test_the_back_test_beats_everybodys_rate_and_what_is_in_force_is_hard_to_beat():
    some = visits()
    lesson = learn(some, None)
    assert lesson.better
    assert lesson.back_test["log_loss"] < lesson.back_test["overall_log_loss"]
    assert lesson.back_test["brier"] < lesson.back_test["overall_brier"]
    assert not learn(some, fit(some)).better


def test_where_everybody_is_alike_nothing_is_proposed():
    chance = Random(5)
    alike = [Tried(it.problem_type, it.engineer_id, chance.random() < 0.8, it.day) for it in visits()]
    assert not learn(alike, None).better


def test_the_order_of_the_visits_changes_nothing_and_what_is_stored_says_the_same():
    some = visits(300)
    found = fit(some)
    assert fit(Random(3).sample(some, len(some))) == found
    assert Chances.from_json(found.to_json()) == found


@given(fixed=st.integers(0, 30), not_fixed=st.integers(0, 30), rate=st.integers(1, 99))
def test_a_rate_lies_between_its_own_and_everybodys(fixed, not_fixed, rate):
    everybody = [Tried("common", GOOD, at < rate, FIRST) for at in range(100)]
    own = [Tried("rare", FAIR, True, FIRST)] * fixed + [Tried("rare", FAIR, False, FIRST)] * not_fixed
    found = fit(everybody + own)
    total = (rate + fixed + 0.5) / (100 + len(own) + 1)
    mine = fixed / len(own) if own else total
    assert min(mine, total) - 1e-4 <= found.of(FAIR, "rare") <= max(mine, total) + 1e-4
    assert 0 < found.of(FAIR, "rare") < 1
