"""Days by a plan and by the nearest: the live one leaves nothing behind, the measured one is the same for everybody."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from simulator.day import simulate
from simulator.measured.account import Outcome, account
from simulator.measured.engineer import Trip, Worked
from simulator.measured.script import Shape, script
from simulator.measured.stepped import SteppedClock
from simulator.phone import HOUR, MINUTE

MONDAY = datetime(2026, 11, 23, 5, tzinfo=UTC)
SHAPE = Shape(engineers=4, orders=24)


@pytest.mark.slow
@pytest.mark.parametrize("style", ["nearest", "planned"])
async def test_a_short_day_of_each_style_leaves_nothing_lost_or_doubled(base_url: str, style: str) -> None:
    verdict = await simulate(base_url, engineers=3, seed=5, speed=600, hours=2, check=True, style=style)
    assert verdict.problems == []
    assert verdict.passed
    assert min(verdict.orders, verdict.closed) > 0


async def test_time_stands_still_while_somebody_acts_and_jumps_to_whoever_is_next() -> None:
    seen: list[tuple[str, float]] = []
    told: list[datetime] = []
    clock = SteppedClock(MONDAY, told.append)

    async def act(name: str, every: float) -> None:
        for _ in range(2):
            await clock.sleep(every)
            await asyncio.sleep(0.01)  # an answer that takes its time
            seen.append((name, clock.elapsed()))

    await clock.play([act("slow", 3 * HOUR), act("quick", HOUR), act("never", 99 * HOUR)], until=10 * HOUR)
    assert seen == [("quick", HOUR), ("quick", 2 * HOUR), ("slow", 3 * HOUR), ("slow", 6 * HOUR)]
    assert told[-1] == MONDAY + timedelta(hours=6)
    assert told == sorted(told)


async def test_what_an_actor_raises_ends_the_day() -> None:
    clock = SteppedClock(MONDAY, lambda _: None)

    async def fail() -> None:
        await clock.sleep(1)
        raise LookupError

    with pytest.raises(LookupError):
        await clock.play([clock.sleep(5), fail()], until=10)


def test_the_same_seed_is_the_same_day_and_one_more_order_changes_no_other() -> None:
    day = script(7, SHAPE)
    assert script(7, SHAPE) == day
    assert script(8, SHAPE) != day
    more = script(7, replace(SHAPE, orders=SHAPE.orders + 1))
    assert [call for call in more.calls if call.number < SHAPE.orders] == list(day.calls)


def test_every_order_can_be_made_by_somebody() -> None:
    day = script(7, SHAPE)
    levels = [dict(hand.skills) for hand in day.hands]
    for call in day.calls:
        assert any(all(known.get(key, 0) >= level for key, level in call.skills) for known in levels)


def test_an_account_counts_what_was_promised_for_the_day_alone() -> None:
    first, second, third = script(7, SHAPE).calls[:3]
    first, second, third = (replace(call, comes=0.0, window=None) for call in (first, second, third))
    outcomes = [
        Outcome(first, promised=2 * HOUR, began=HOUR, ended=2 * HOUR),
        Outcome(replace(second, window=(HOUR, 3 * HOUR)), promised=24 * HOUR, began=3.5 * HOUR, ended=4 * HOUR),
        Outcome(third, promised=72 * HOUR, began=None, ended=None),
    ]
    trips = [Trip(0, first.number, 0.5 * HOUR, HOUR, 20_000), Trip(0, None, SHAPE.ends, SHAPE.ends + 600, 5_000)]
    works = [Worked(0, first.number, HOUR, 2 * HOUR)]
    it = account(outcomes, trips, works, SHAPE)
    assert (it.orders, it.done, it.promised, it.kept) == (3, 2, 2, 1)
    assert (it.travel_minutes, it.travel_km, it.overtime_minutes) == (40, 25, 10)
    assert it.late_mean_minutes == pytest.approx(15)
    assert it.idle_pct == pytest.approx(100 * (1 - 90 * MINUTE / (4 * 9 * HOUR)))
