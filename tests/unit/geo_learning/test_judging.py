"""What is put in force: only what errs less on days it has not seen, with a median and a p90 that hold."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import numpy as np
import pytest

from server.geo.dayparts import DayPart
from server.geo.domain import Point
from server.geo.learning.accuracy import Accuracy, accuracy
from server.geo.learning.domain import begins, days_due, is_enough
from server.geo.learning.files import median_of_sets, read_seconds, write_sets
from server.geo.learning.hours import PARTS, hour_of
from server.geo.learning.judging import Drives, InForce, Lesson, learn, setting_of, train
from server.geo.learning.material import Driven, drives_from
from tests.factories.roads import CORNER, MONDAY, STRETCHES, a_drive, a_street, a_way

ROADS = a_street()
SETTING = setting_of(ROADS)


def month(slow: float = 3.0, *, spread: float = 0.2, days: int = 28, a_day: int = 12, seed: int = 1) -> list[Driven]:
    """Four weeks in which every drive takes about so many times its free flow."""
    chance = Random(seed)
    return [
        a_drive(ROADS, slow * chance.lognormvariate(0, spread), day=day, hour=6 + chance.random() * 13, turns=20)
        for day in range(days)
        for _ in range(a_day)
    ]


def lesson(driven: list[Driven], in_force: InForce | None = None) -> Lesson:
    found = learn(SETTING, drives_from(ROADS, driven), in_force)
    assert found is not None
    return found


def test_what_errs_less_is_better_and_says_by_how_much():
    found = lesson(month())
    assert found.better
    assert found.back_test["learnt"]["mape"] < 25 < found.back_test["usual"]["mape"]
    assert found.back_test["free_flow"]["bias"] < -50
    assert found.back_test["held_from"] == (MONDAY.date() + timedelta(days=23)).isoformat()
    assert (found.trained_from, found.trained_until) == (MONDAY.date(), MONDAY.date() + timedelta(days=27))
    assert sum(found.by_part.values()) == found.drives == 28 * 12


def test_drives_as_the_usual_factors_have_them_teach_nothing_better():
    usual = np.exp(SETTING.usual)
    driven = [
        a_drive(ROADS, float(usual[hour_of(MONDAY + timedelta(days=day, hours=hour), CORNER)]), day=day, hour=hour)
        for day in range(10)
        for hour in (7.5, 9.5, 12.5, 17.5)
    ]
    assert not lesson(driven).better


def test_one_day_is_too_little():
    assert learn(SETTING, drives_from(ROADS, month(days=1))) is None
    assert learn(SETTING, drives_from(ROADS, [])) is None


def test_detours_teach_but_do_not_judge():
    detours = [
        Driven(it.began, it.seconds, it.origin, it.way, a_way(ROADS.__class__(*_halves()), 1.0)) for it in month(days=6)
    ]
    assert not drives_from(ROADS, detours).judges.any()
    assert learn(SETTING, drives_from(ROADS, detours)) is None


def _halves() -> list[np.ndarray]:
    return [
        getattr(ROADS, name)[: STRETCHES // 2] for name in ("from_node", "to_node", "seconds", "metres", "lon", "lat")
    ]


@pytest.mark.parametrize("spread", [0.1, 0.35])
def test_half_of_the_drives_take_longer_than_the_median_and_a_tenth_longer_than_the_p90(spread):
    told = lesson(month(spread=spread, days=40)).back_test["learnt"]
    assert told["within_median"] == pytest.approx(50, abs=14)
    assert told["within_p90"] == pytest.approx(90, abs=7)


def test_what_is_in_force_judges_by_the_days_it_has_not_seen():
    driven = month()
    drives = drives_from(ROADS, driven)
    perfect = InForce(MONDAY.date() + timedelta(days=24), drives.seconds, drives.seconds)
    found = lesson(driven, perfect)
    assert found.back_test["in_force"]["mape"] == 0
    assert found.back_test["held_from"] == (MONDAY.date() + timedelta(days=25)).isoformat()
    assert not found.better
    long_ago = InForce(MONDAY.date() - timedelta(days=40), drives.seconds * 2, drives.seconds * 2)
    assert lesson(driven, long_ago).back_test["held_from"] == (MONDAY.date() + timedelta(days=23)).isoformat()
    unseen_by_none = InForce(MONDAY.date() + timedelta(days=99), drives.seconds, drives.seconds)
    assert learn(SETTING, drives, unseen_by_none) is None


def test_sets_of_speeds_say_what_the_model_says(tmp_path):
    drives = drives_from(ROADS, month())
    model = train(SETTING, drives, np.ones(len(drives), dtype=bool))
    sets = write_sets(model, drives, tmp_path)
    assert set(sets) == set(DayPart)
    lines = sets[DayPart.MORNING].speeds.read_text().splitlines()
    assert len(lines) == STRETCHES
    assert sets[DayPart.NIGHT].trips == 0
    part = SETTING.part[drives.hour]
    read = median_of_sets(ROADS, sets, drives, part)
    assert read == pytest.approx(model.median(drives), rel=0.25)  # a set knows no hours
    assert np.median(read / model.median(drives)) == pytest.approx(1, abs=0.03)
    only = median_of_sets(ROADS, {DayPart.MORNING: sets[DayPart.MORNING]}, drives, part)
    assert np.isnan(only).tolist() == (part != PARTS.index(DayPart.MORNING)).tolist()


def test_a_road_without_a_speed_keeps_its_free_flow(tmp_path):
    (tmp_path / "some.csv").write_text("3,4,25.0\n77,78,10\n")
    seconds = read_seconds(ROADS, tmp_path / "some.csv")
    assert seconds[3] == pytest.approx(14.4)
    assert np.delete(seconds, 3) == pytest.approx(np.delete(ROADS.seconds, 3))


def test_roads_that_are_no_more_are_left_out():
    gone = a_way(a_street(), 2.0)
    stranger = gone.__class__(gone.from_node + 1000, gone.to_node + 1000, gone.seconds, gone.free_flow, 0.0)
    drives = drives_from(ROADS, [Driven(MONDAY, 500.0, CORNER, stranger, a_way(ROADS))])
    assert (len(drives), len(drives.passes), len(drives.ways)) == (1, 0, STRETCHES)


def test_accuracy_in_words_of_per_cent():
    found = accuracy(np.array([100.0, 200.0]), np.array([110.0, 150.0]), np.array([120.0, 190.0]))
    assert found == Accuracy(2, mape=17.5, bias=-7.5, within_median=50, within_p90=50)
    assert accuracy(*[np.zeros(0)] * 3) == Accuracy(0)


def test_days_are_due_when_late_phones_have_told_and_as_long_as_tracks_are_kept():
    days = days_due(date(2026, 11, 22))
    assert (days[0], days[-1], len(days)) == (date(2026, 10, 23), date(2026, 11, 20), 29)


def test_a_day_begins_at_the_suns_midnight():
    day = date(2026, 11, 20)
    assert begins(day, CORNER) == datetime(2026, 11, 20, tzinfo=UTC)
    assert begins(day, Point(120.0, 31.0)) == datetime(2026, 11, 19, 16, tzinfo=UTC)


@pytest.mark.parametrize(("drives", "days", "enough"), [(200, 5, True), (199, 9, False), (900, 4, False)])
def test_enough_is_many_drives_on_several_days(drives, days, enough):
    assert is_enough(drives, days) is enough


def test_an_empty_history_is_no_error():
    drives = drives_from(ROADS, [])
    assert isinstance(drives, Drives)
    assert len(drives) == 0
