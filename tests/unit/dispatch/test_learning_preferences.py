"""Weights from what dispatchers choose, and replays with other weights."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.dispatch.learning.preferences import Choice, Line, agreement, first_of, fit, learn, onto_simplex
from server.dispatch.learning.replay import Past, Stood, preview
from server.dispatch.scoring import DEFAULT_WEIGHTS

FACTORS = ["continuity", "eta", "load", "skill"]
IN_FORCE = {"continuity": 0.1, "eta": 0.5, "load": 0.2, "skill": 0.2}
WANTED = {"continuity": 0.4, "eta": 0.2, "load": 0.1, "skill": 0.3}
FIRST = date(2026, 1, 5)


def choices(number: int = 600, *, like: dict = WANTED, seed: int = 1, doubt: float = 0.02) -> list[Choice]:
    """Dispatchers who want something else than the ranking they are shown, and don't always know."""
    chance = Random(seed)
    return [_choice(chance, like, doubt, FIRST + timedelta(days=at * 50 // number)) for at in range(number)]


def _choice(chance: Random, like: dict, doubt: float, day: date) -> Choice:
    lines = [Line(UUID(int=at), {name: round(chance.random(), 4) for name in FACTORS}) for at in range(8)]
    lines.sort(key=lambda it: -score(it, IN_FORCE))
    liked = max(range(8), key=lambda at: score(lines[at], like) + chance.gauss(0, doubt))
    return Choice(liked, lines, day)


def score(line: Line, weights: dict) -> float:
    return float(sum(weights[name] * value for name, value in line.values.items()))


def test_what_dispatchers_weigh_is_found():
    found = fit(choices(), IN_FORCE, FACTORS)
    assert [found[name] for name in FACTORS] == pytest.approx([WANTED[name] for name in FACTORS], abs=0.06)
    assert agreement(choices(seed=2), found).first > 0.8


def test_who_agrees_with_the_ranking_changes_little():
    found = fit(choices(like=IN_FORCE), IN_FORCE, FACTORS)
    assert [found[name] for name in FACTORS] == pytest.approx([IN_FORCE[name] for name in FACTORS], abs=0.05)


def test_few_choices_move_the_weights_less_than_many():
    def moved(number: int) -> float:
        found = fit(choices(number), IN_FORCE, FACTORS)
        return sum(abs(found[name] - IN_FORCE[name]) for name in FACTORS)

    assert moved(3) < moved(30) < moved(300)
    assert moved(3) < 0.15


def test_without_choices_the_weights_in_force_stay():
    assert fit([], IN_FORCE, FACTORS) == IN_FORCE
    assert fit([], DEFAULT_WEIGHTS, list(DEFAULT_WEIGHTS)) == DEFAULT_WEIGHTS
    assert learn([], IN_FORCE, FACTORS, 1) is None


def test_the_back_test_counts_whose_first_was_chosen():
    lesson = learn(choices(), IN_FORCE, FACTORS, 7)
    assert lesson.better
    said = lesson.back_test
    assert said["first"] > said["in_force_first"] + 0.2
    assert said["mean_rank"] < said["in_force_mean_rank"]
    assert said["weights_version"] == 7


def test_what_was_learnt_foresees_choices_as_well_as_the_truth_does():
    found = fit(choices(), IN_FORCE, FACTORS)
    unseen = choices(1000, seed=9)
    assert agreement(unseen, found).first == pytest.approx(agreement(unseen, WANTED).first, abs=0.03)


def test_the_order_of_the_decisions_changes_nothing():
    some = choices(120)
    assert fit(Random(4).sample(some, len(some)), IN_FORCE, FACTORS) == fit(some, IN_FORCE, FACTORS)


@settings(max_examples=40, deadline=None)
@given(number=st.integers(0, 12), seed=st.integers(0, 10**6), doubt=st.floats(0, 1))
def test_weights_stay_on_the_simplex_whatever_is_chosen(number, seed, doubt):
    found = fit(choices(number, seed=seed, doubt=doubt), IN_FORCE, FACTORS)
    assert sum(found.values()) == pytest.approx(1, abs=1e-9)
    assert all(0 <= weight <= 1 for weight in found.values())


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=12))
def test_the_nearest_point_of_the_simplex_is_on_it_and_none_is_nearer(point):
    found = onto_simplex(np.array(point))
    assert found.sum() == pytest.approx(1)
    assert (found >= 0).all()
    corners = np.eye(len(point))
    # Towards no corner does it get nearer: what convexity asks for.
    assert ((corners - found) @ (np.array(point) - found) <= 1e-6).all()


def test_who_ranked_better_then_is_first_among_those_that_rounding_can_not_tell_apart():
    assert first_of(np.array([0.5, 0.50009, 0.4])) == 0
    assert first_of(np.array([0.5, 0.51, 0.4])) == 1


def past(lines: list[tuple[int, float, float]], *, minutes: int = 60, chosen: int = 1) -> Past:
    """Candidates as (engineer, eta, skill), the best first."""
    stood = [
        Stood(UUID(int=engineer), f"E{engineer}", 1000 * (1 - eta), 3600.0, {"eta": eta, "skill": skill})
        for engineer, eta, skill in lines
    ]
    at = datetime(2026, 1, 5, 9, tzinfo=UTC)
    return Past(UUID(int=7), 7, at, at.date(), minutes, UUID(int=chosen), f"E{chosen}", stood)


def test_a_replay_says_who_would_have_been_first_instead():
    some = [past([(1, 0.9, 0.2), (2, 0.5, 0.9)]), past([(1, 0.9, 0.8), (2, 0.5, 0.1)])]
    found = preview(some, {"eta": 0.2, "skill": 0.8}, left_out=3)
    (changed,) = found.changes
    assert (changed.before_id, changed.after_id) == (UUID(int=1), UUID(int=2))
    assert (found.decisions, found.left_out) == (2, 3)
    assert (found.before.agreed, found.after.agreed) == (2, 1)
    assert (found.before.mean_eta_seconds, found.after.mean_eta_seconds) == (100, 300)
    assert (found.before.load_spread_minutes, found.after.load_spread_minutes) == (60, 0)
    assert found.before.mean_sla_slack_seconds == 3600


def test_a_replay_with_the_same_weights_changes_nothing():
    chance = Random(1)
    for _ in range(100):
        it = _choice(chance, WANTED, 0, FIRST)
        rounded = [
            Stood(line.engineer_id, "-", 0, None, {name: round(value, 4) for name, value in line.values.items()})
            for line in it.lines
        ]
        then = datetime(2026, 1, 5, tzinfo=UTC)
        decision = Past(UUID(int=7), 7, then, then.date(), 60, it.lines[0].engineer_id, "-", rounded)
        assert preview([decision], IN_FORCE).changes == []


def test_a_replay_of_nothing_has_no_means():
    found = preview([], {"eta": 1.0})
    assert (found.decisions, found.before.mean_eta_seconds, found.after.load_spread_minutes) == (0, None, None)
