"""Ids sort as they were minted, also within a millisecond and when the clock steps back."""

from datetime import UTC, datetime, timedelta
from random import Random

from server.core.ids import Rising, compose_uuid7

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_ids_of_one_millisecond_sort_as_they_were_minted():
    bits = Random(1)
    mint = Rising(lambda at: compose_uuid7(at, bits.getrandbits(74)))
    minted = [mint(NOON) for _ in range(100)]
    assert minted == sorted(set(minted))
    assert {(it.version, it.int >> 80) for it in minted} == {(7, int(NOON.timestamp() * 1000))}


def test_a_clock_that_steps_back_does_not_bring_earlier_ids():
    mint = Rising(lambda at: compose_uuid7(at, 5))
    first, second, third = (mint(NOON + timedelta(seconds=it)) for it in (0, -30, 1))
    assert first < second < third
