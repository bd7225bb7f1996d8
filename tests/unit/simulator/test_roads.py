from datetime import UTC, datetime
from random import Random
from statistics import mean

import pytest

from simulator.roads import Drive, Moving, Place, gps_fix, metres_between, moments, straight

PORT = Place(7.4246, 43.7347)
CASINO = Place(7.4275, 43.7391)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_a_drive_starts_here_ends_there_and_is_half_way_at_half_time() -> None:
    drive = Drive(100, (PORT, CASINO))
    assert drive.at(0).place == PORT
    assert drive.at(50).place.lat == pytest.approx((PORT.lat + CASINO.lat) / 2, abs=1e-5)
    assert metres_between(drive.at(100).place, CASINO) < 0.01
    assert metres_between(drive.at(1000).place, CASINO) < 0.01


def test_a_van_looks_where_it_goes() -> None:
    east = Place(PORT.lon + 0.01, PORT.lat)
    assert Drive(100, (PORT, east)).at(10).heading == pytest.approx(90, abs=0.1)
    assert Drive(100, (east, PORT)).at(10).heading == pytest.approx(270, abs=0.1)


def test_a_drive_over_doubled_points_does_not_stumble() -> None:
    drive = Drive(10, (PORT, PORT, CASINO, CASINO))
    assert metres_between(drive.at(10).place, CASINO) < 0.01
    assert Drive(10, (PORT, PORT)).at(5).place == PORT


def test_driving_nowhere_takes_a_moment() -> None:
    assert straight(PORT, PORT).seconds == 1


def test_fixes_scatter_around_the_truth_and_outliers_say_so() -> None:
    rng = Random(1)
    fixes = [gps_fix(Moving(PORT, 359.97, 0.0), NOON, rng) for _ in range(2000)]
    errors = [metres_between(PORT, Place(fix["lon"], fix["lat"])) for fix in fixes]
    assert 4 < mean(errors) < 15
    assert all(error < 3 * fix["accuracy_m"] for error, fix in zip(errors, fixes, strict=True))
    assert 5 < sum(fix["accuracy_m"] > 30 for fix in fixes) < 50
    assert all(0 <= fix["heading"] < 360 and fix["speed_kmh"] >= 0 for fix in fixes)


def test_moments_of_two_following_stretches_leave_none_out_and_repeat_none() -> None:
    assert [*moments(0, 40, 15), *moments(40, 75, 15)] == [15, 30, 45, 60, 75]
