"""One statement decides whether something may be tried again, however many processes ask."""

import asyncio
from datetime import timedelta

import pytest

from server.core.errors import TooManyRequests
from server.core.limits import Rate, attempt, forget_idle, give_back, take

RATE = Rate(times=6, per=timedelta(minutes=1), burst=3)


async def test_a_burst_is_let_through_and_then_one_at_a_time(uow, clock):
    for _ in range(3):
        await take(uow, "door", RATE)
    with pytest.raises(TooManyRequests) as refused:
        await take(uow, "door", RATE)
    assert refused.value.facts == {"retry_after_s": 10}
    clock.forward(timedelta(seconds=9))
    with pytest.raises(TooManyRequests):
        await take(uow, "door", RATE)
    clock.forward(timedelta(seconds=1))
    await take(uow, "door", RATE)
    with pytest.raises(TooManyRequests):
        await take(uow, "door", RATE)


async def test_keys_know_nothing_of_each_other_and_rest_makes_whole(uow, clock):
    for _ in range(3):
        await take(uow, "one", RATE)
    await take(uow, "two", RATE)
    clock.forward(timedelta(hours=1))
    for _ in range(3):
        await take(uow, "one", RATE)
    with pytest.raises(TooManyRequests):
        await take(uow, "one", RATE)


async def test_a_cost_counts_and_one_above_the_burst_is_possible_at_rest(uow, clock):
    await take(uow, "door", RATE, cost=2)
    with pytest.raises(TooManyRequests):
        await take(uow, "door", RATE, cost=2)
    clock.forward(timedelta(minutes=1))
    await take(uow, "door", RATE, cost=100)
    with pytest.raises(TooManyRequests):
        await take(uow, "door", RATE)


async def test_many_at_once_get_no_more_than_the_burst(database):
    async def one():
        async with database.unit_of_work() as uow:
            await take(uow, "door", RATE)

    results = await asyncio.gather(*(one() for _ in range(12)), return_exceptions=True)
    assert sum(result is None for result in results) == 3
    assert sum(isinstance(result, TooManyRequests) for result in results) == 9


async def test_what_succeeds_is_not_counted_and_what_fails_is(database, clock):
    for _ in range(10):
        async with attempt(database, "door", RATE, clock.now()):
            pass
    for _ in range(3):
        with pytest.raises(ValueError, match="wrong"):
            async with attempt(database, "door", RATE, clock.now()):
                raise ValueError("wrong")
    with pytest.raises(TooManyRequests):
        async with attempt(database, "door", RATE, clock.now()):
            raise AssertionError("never tried")


async def test_idle_keys_are_forgotten_and_names_are_never_stored(uow, clock):
    await take(uow, "login:somebody@example.org", RATE)
    assert not await uow.value("select exists (select from rate_limit where key like '%%somebody%%')")
    assert await forget_idle(uow, clock.now()) == 0
    assert await forget_idle(uow, clock.now() + timedelta(hours=2)) == 1
    await give_back(uow, "login:somebody@example.org", RATE)
