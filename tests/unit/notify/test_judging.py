"""What becomes of a message after a round of attempts: none is lost that somebody could have had."""

from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.notify.domain import (
    DELIVERED,
    LONGEST_WAIT,
    TRIES,
    TRIES_WHEN_REFUSED,
    Delivery,
    Hint,
    MessageState,
    Outcome,
    backoff,
    judge,
    payload_of,
)
from tests.unit.notify.conftest import message, phone

GONE = Outcome(Delivery.GONE, "404")
BUSY = Outcome(Delivery.BUSY, "429", 90.0)
SILENT = Outcome(Delivery.UNREACHABLE, "no answer in time")
REFUSED = Outcome(Delivery.REFUSED, "400")
HELD = Outcome(Delivery.HELD_BACK, "asked often enough", 4.0)


def judged(*outcomes: Outcome, attempts: int = 1, reached=(), chance: float = 0.5):
    it = message(attempts=attempts, reached=reached)
    return it, judge(it, [(phone(), outcome) for outcome in outcomes], it.created_at, chance)


def test_it_is_sent_when_every_phone_has_it_or_is_gone():
    _, verdict = judged(DELIVERED, GONE, DELIVERED)
    assert (verdict.state, verdict.channel, len(verdict.reached)) == (MessageState.SENT, "fcm", 2)


def test_what_one_phone_took_is_tried_again_at_the_others_alone():
    it, verdict = judged(DELIVERED, SILENT)
    assert (verdict.state, len(verdict.reached), verdict.reason) == (MessageState.WAITING, 1, "no answer in time")
    assert verdict.next_try_at > it.created_at


def test_without_a_phone_left_it_waits_for_a_stream_until_it_is_worth_nothing():
    it, verdict = judged(GONE)
    assert (verdict.state, verdict.next_try_at) == (MessageState.WAITING, it.expires_at)


def test_who_asks_for_patience_gets_it():
    it, verdict = judged(BUSY)
    assert verdict.next_try_at == it.created_at + timedelta(seconds=90)


def test_what_was_held_back_was_not_tried():
    it, verdict = judged(HELD, attempts=4)
    assert (verdict.attempts, verdict.state) == (3, MessageState.WAITING)
    assert timedelta(seconds=4) <= verdict.next_try_at - it.created_at < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("outcome", "attempts", "state"),
    [
        (SILENT, TRIES - 1, MessageState.WAITING),
        (SILENT, TRIES, MessageState.FAILED),
        (REFUSED, TRIES_WHEN_REFUSED - 1, MessageState.WAITING),
        (REFUSED, TRIES_WHEN_REFUSED, MessageState.QUARANTINED),
        (HELD, TRIES + 1, MessageState.WAITING),
    ],
)
def test_there_is_a_last_try(outcome, attempts, state):
    _, verdict = judged(outcome, attempts=attempts)
    assert (verdict.state, verdict.reason) == (state, outcome.reason)


def test_after_the_last_try_it_counts_as_sent_where_one_phone_has_it():
    _, verdict = judged(SILENT, attempts=TRIES, reached=(uuid4(),))
    assert verdict.state is MessageState.SENT


@given(attempts=st.integers(1, 60), chance=st.floats(0, 1, exclude_max=True))
def test_waiting_doubles_up_to_a_quarter_of_an_hour_and_is_spread(attempts, chance):
    waited = backoff(attempts, chance)
    assert backoff(attempts, 0) <= waited <= LONGEST_WAIT
    assert waited <= 2 * backoff(attempts, 0)
    assert backoff(attempts + 1, chance) >= waited


@given(
    outcomes=st.lists(st.builds(Outcome, st.sampled_from(Delivery), st.just("x"), st.floats(0, 4000)), max_size=4),
    attempts=st.integers(1, 2 * TRIES),
    before=st.integers(0, 2),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_nothing_is_lost_before_its_time_and_nothing_waits_beyond_it(outcomes, attempts, before, chance):
    it, verdict = judged(*outcomes, attempts=attempts, reached=tuple(uuid4() for _ in range(before)), chance=chance)
    took = sum(outcome.delivery is Delivery.DELIVERED for outcome in outcomes)
    assert len(verdict.reached) == before + took
    assert it.created_at <= verdict.next_try_at <= it.expires_at
    match verdict.state:
        case MessageState.SENT:
            assert verdict.reached
        case MessageState.FAILED | MessageState.QUARANTINED:
            assert not verdict.reached
            assert attempts >= TRIES_WHEN_REFUSED
        case state:
            assert state is MessageState.WAITING


def test_a_hint_says_nothing_about_anybody():
    """Whoever carries it learns a word and a random number; the topic can't be read back."""
    it = message(Hint.ARRIVAL)
    assert it.payload == payload_of(Hint.ARRIVAL, it.subject_id) == {"h": "arrival", "id": str(it.subject_id)}
    assert len(it.topic) == 32
    assert set(it.topic) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert message().topic != message().topic  # of two people
