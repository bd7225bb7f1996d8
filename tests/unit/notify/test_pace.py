"""How fast a service is asked, on a clock that is moved by hand."""

from datetime import UTC, datetime

import pytest

from server.notify.pace import FIRST_RATE, LEAST, LONGEST_ASKED_S, MOST, PATIENCE_S, Pace, asked_to_wait


class Seconds:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def pace(seconds) -> Pace:
    return Pace(seconds)


def turns(pace: Pace) -> int:
    """How many turns are to be had now."""
    taken = 0
    while pace.turn()[0]:
        taken += 1
    return taken


def test_turns_are_spread_and_who_would_wait_long_is_sent_away(pace):
    first, second = pace.turn(), pace.turn()
    assert first == (True, 0.0)
    assert second == (True, pytest.approx(1 / FIRST_RATE))
    assert turns(pace) == pytest.approx(FIRST_RATE * PATIENCE_S, abs=3)
    ours, wait = pace.turn()
    assert not ours
    assert wait > PATIENCE_S


def test_a_complaint_halves_the_rate_and_nobody_goes_before_the_time_it_names(pace, seconds):
    pace.was_told_to_slow_down(seconds.at, 7)
    assert pace.rate == FIRST_RATE / 2
    assert pace.turn() == (False, 7)
    seconds.at += 7
    assert pace.turn() == (True, 0)


def test_a_hundred_complaints_about_one_moment_are_one(pace, seconds):
    began = seconds.at
    seconds.at += 1
    for _ in range(100):
        pace.was_told_to_slow_down(began, 0)
    assert pace.rate == FIRST_RATE / 2


def test_silence_leaves_a_request_a_second_after_a_rest_that_grows(pace, seconds):
    rests = []
    for _ in range(8):
        pace.heard_nothing(seconds.at)
        _, wait = pace.turn()
        rests.append(wait)
        seconds.at += wait + 0.1
    assert pace.rate == LEAST
    assert rests == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60])
    assert turns(pace) <= 4


def test_it_recovers_by_steps_and_never_beyond_the_most(pace, seconds):
    pace.heard_nothing(seconds.at)
    seconds.at += 1
    rates = []
    for _ in range(100_000):
        pace.went_well(seconds.at)
        rates.append(pace.rate)
    assert rates == sorted(rates)
    assert LEAST < rates[0] <= LEAST + 10
    assert rates[-1] == MOST


def test_what_was_sent_before_the_trouble_does_not_end_it(pace, seconds):
    began = seconds.at
    seconds.at += 1
    pace.heard_nothing(seconds.at)
    pace.went_well(began)
    assert pace.rate == LEAST


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (None, 0),
        ("7", 7),
        (" 12 ", 12),
        ("Mon, 23 Nov 2026 08:00:30 GMT", 30),
        ("Mon, 23 Nov 2026 07:00:00 GMT", 0),
        ("soon", 0),
        ("-5", 0),
        ("9" * 400, LONGEST_ASKED_S),
        ("١٢", 12),
    ],
)
def test_retry_after_is_read_as_people_write_it(said, seconds):
    assert asked_to_wait(said, datetime(2026, 11, 23, 8, tzinfo=UTC)) == seconds
