"""How often something may be tried: a leaky bucket per key (GCRA), one row and one statement each.

All processes share the rows, so a limit holds however many of them serve.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.core.db import Database, UnitOfWork
from server.core.errors import TooManyRequests


@dataclass(frozen=True)
class Rate:
    """On average `times` in each `per`; `burst` of them may come at once."""

    times: int
    per: timedelta
    burst: int

    @property
    def step(self) -> timedelta:
        return self.per / self.times


async def take(uow: UnitOfWork, key: str, rate: Rate, *, cost: int = 1, now: datetime | None = None) -> None:
    """Count `cost` tries of `key`. Raises TooManyRequests (with `retry_after_s`), which then were not counted.

    A cost above the burst is taken as the burst: it must be possible at some time. `now` is the business clock's
    unless given; credentials are limited in real time.
    """
    at = now or uow.now()
    step = rate.step * min(cost, rate.burst)
    full = rate.step * rate.burst
    taken = await uow.value(
        """
        insert into rate_limit as r (key, tat) values (%(key)s, %(at)s::timestamptz + %(step)s)
        on conflict (key) do update set tat = greatest(r.tat, %(at)s) + %(step)s
        where greatest(r.tat, %(at)s) + %(step)s <= %(at)s::timestamptz + %(full)s
        returning tat
        """,
        key=_stored(key),
        at=at,
        step=step,
        full=full,
    )
    if taken is None:
        fills_until = await uow.value("select tat from rate_limit where key = %(key)s", key=_stored(key))
        wait = (fills_until or at) + step - full - at
        raise TooManyRequests(retry_after_s=max(1, -(-wait // timedelta(seconds=1))))


async def give_back(uow: UnitOfWork, key: str, rate: Rate, *, cost: int = 1) -> None:
    """Take a count back that turned out not to matter."""
    await uow.run(
        "update rate_limit set tat = tat - %(step)s where key = %(key)s",
        key=_stored(key),
        step=rate.step * min(cost, rate.burst),
    )


@asynccontextmanager
async def attempt(database: Database, key: str, rate: Rate, now: datetime) -> AsyncIterator[None]:
    """Count what happens inside unless it succeeds: whoever knows the secret is never slowed down by their colleagues.

    It is counted before it begins, so that many guesses at once are too many as well.
    """
    async with database.unit_of_work() as uow:
        await take(uow, key, rate, now=now)
    yield
    async with database.unit_of_work() as uow:
        await give_back(uow, key, rate)


async def forget_idle(uow: UnitOfWork, now: datetime) -> int:
    """Remove the keys whose buckets have run empty; answer how many."""
    return await uow.run("delete from rate_limit where tat < %(now)s::timestamptz - interval '1 hour'", now=now)


def _stored(key: str) -> str:
    # Keys are made of addresses and names people typed: neither belongs in a table that nobody thinks of.
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
