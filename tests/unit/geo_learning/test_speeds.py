"""What is learnt of roads: nothing from nothing, more from more, and the same from the same in another order."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.geo.learning.hours import parts_of_hours, usual_logs
from server.geo.learning.judging import setting_of
from server.geo.learning.material import drives_from
from server.geo.learning.network import Roads
from server.geo.learning.speeds import HOURS, Learnt, Passes, Setting, fit, weighted_medians
from tests.factories.roads import STRETCHES, a_drive, a_street

MORNING, NIGHT = 8, 2
ROADS = a_street()
SETTING = setting_of(ROADS)
USUAL = np.exp(usual_logs())


def learnt(*times: float | list[float], roads: Roads = ROADS, hour: float = 8.5) -> Learnt:
    return fit(setting_of(roads), drives_from(roads, [a_drive(roads, it, hour=hour) for it in times]).passes)


def factor(found: Learnt, hour: int = MORNING, road: int = 0) -> float:
    return float(np.exp(found.logs(np.array([road]), np.array([hour]))[0]))


def test_without_drives_every_road_takes_its_usual_time():
    found = learnt()
    every = np.arange(HOURS).repeat(STRETCHES), np.tile(np.arange(STRETCHES), HOURS)
    assert found.logs(every[1], every[0]) == pytest.approx(usual_logs()[every[0]])
    assert not found.pattern(0).any()


def test_drives_as_long_as_usual_change_nothing():
    assert factor(learnt(*[USUAL[MORNING]] * 50)) == pytest.approx(USUAL[MORNING])


@given(times=st.floats(0.5, 6.0), few=st.integers(1, 10), more=st.integers(1, 60))
@settings(max_examples=30, deadline=None)
def test_the_more_drives_the_nearer_to_what_they_took(times, few, more):
    first, then = factor(learnt(*[times] * few)), factor(learnt(*[times] * (few + more)))
    assert abs(np.log(then / times)) <= abs(np.log(first / times)) + 1e-9
    assert min(times, USUAL[MORNING]) - 1e-9 <= then <= max(times, USUAL[MORNING]) + 1e-9


def test_hundreds_of_drives_are_believed():
    assert factor(learnt(*[4.0] * 400)) == pytest.approx(4.0, rel=0.02)


def test_one_drive_that_stood_for_an_hour_moves_nothing():
    usual = [2.0] * 30
    assert factor(learnt(*usual, 30.0)) == pytest.approx(factor(learnt(*usual)), rel=0.02)


def test_a_stretch_with_a_queue_is_slower_than_its_neighbours_and_they_are_not():
    queue = [1.75] * STRETCHES
    queue[20] = 12.0
    found = learnt(*[queue] * 60)
    assert factor(found, road=20) > 5
    assert factor(found, road=3) == pytest.approx(1.75, rel=0.05)


def test_a_road_nobody_drove_goes_by_its_kind_and_an_hour_nobody_drove_in_by_its_usual_factor():
    far = replace(ROADS, lon=np.where(np.arange(STRETCHES) < 20, 0.0, 3.0))
    half = [a_drive(far, 3.5)] * 60
    passes = drives_from(far, half).passes
    near_only = Passes(
        *(getattr(passes, name)[passes.road < 20] for name in ("drive", "hour", "road", "seconds", "free_flow"))
    )
    found = fit(setting_of(far), near_only)
    assert factor(found, road=30) > USUAL[MORNING] * 1.5
    ratio = factor(found, NIGHT, road=30) / factor(found, MORNING, road=30)
    assert ratio < USUAL[NIGHT] / USUAL[MORNING] * 1.01


def test_a_day_part_that_differs_is_told_apart_from_the_others():
    morning, night = [a_drive(ROADS, 3.0, hour=8.5)] * 80, [a_drive(ROADS, 1.1, hour=2.5)] * 80
    found = fit(SETTING, drives_from(ROADS, morning + night).passes)
    assert factor(found, MORNING) == pytest.approx(3.0, rel=0.1)
    assert factor(found, NIGHT) == pytest.approx(1.1, rel=0.1)


@given(st.permutations(list(range(12))), st.lists(st.floats(0.8, 5), min_size=12, max_size=12))
@settings(max_examples=20, deadline=None)
def test_the_order_of_drives_says_nothing(order, times):
    drives = [a_drive(ROADS, times[n], day=n % 3, hour=n % 24) for n in range(12)]
    one = fit(SETTING, drives_from(ROADS, drives).passes)
    other = fit(SETTING, drives_from(ROADS, [drives[n] for n in order]).passes)
    every = np.arange(STRETCHES)
    for hour in range(HOURS):
        assert np.array_equal(one.logs(every, np.full(STRETCHES, hour)), other.logs(every, np.full(STRETCHES, hour)))


def test_the_order_of_a_drives_passes_says_nothing():
    passes = drives_from(ROADS, [a_drive(ROADS, 2.0 + n / 10) for n in range(9)]).passes
    mixed = np.random.default_rng(1).permutation(len(passes))
    other = Passes(*(getattr(passes, name)[mixed] for name in ("drive", "hour", "road", "seconds", "free_flow")))
    every, morning = np.arange(STRETCHES), np.full(STRETCHES, MORNING)
    assert fit(SETTING, passes).logs(every, morning) == pytest.approx(
        fit(SETTING, other).logs(every, morning), abs=1e-8
    )


def test_the_pattern_of_a_day_part_and_the_hours_make_the_whole():
    found = learnt(*[[1.5 + n % 5 for n in range(STRETCHES)]] * 30)
    every = np.arange(STRETCHES)
    for hour in (NIGHT, MORNING, 30):
        part = int(parts_of_hours()[hour])
        assert found.pattern(part) + found.of_hours[hour] == pytest.approx(found.logs(every, np.full(STRETCHES, hour)))


def test_weighted_medians_are_medians_of_as_many_copies():
    rng = np.random.default_rng(3)
    values, weights, groups = rng.normal(size=200), rng.integers(1, 6, 200), rng.integers(0, 7, 200)
    found = weighted_medians(values, weights.astype(float), groups, 8)
    for group in range(7):
        copies = np.sort(np.repeat(values[groups == group], weights[groups == group]))
        assert found[group] == copies[(len(copies) - 1) // 2]
    assert found[7] == 0


def test_a_setting_needs_no_drives():
    assert isinstance(SETTING, Setting)
    assert len(set(SETTING.district.tolist())) >= 4  # 4 km in squares of 1 km
