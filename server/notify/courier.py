"""Pushing what no stream has taken: claimed in one short transaction, sent without any, settled in another.

At least once: who dies between sending and settling has sent up to four rounds of a hundred, which are sent again when
their lease is over. A hint says no more than "look", so a second one does no harm.
"""

import asyncio
import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from server.core.db import Database, UnitOfWork
from server.core.logging import logger
from server.notify import endpoint_queries, queries
from server.notify.channels import PushChannel
from server.notify.domain import Delivery, Message, Outcome, PushEndpoint, PushKind, judge
from server.notify.endpoint_queries import Count
from server.notify.pace import Pace

CLAIM = 100
# Longer than any attempt takes, so that nobody sends what another one is sending.
LEASE = timedelta(seconds=60)
ROUNDS = 4  # under way at most, in each worker
PAUSE_S = 0.5
_FINISH_WITHIN_S = 8.0

log = logger(__name__)

type Ends = list[tuple[PushEndpoint, Outcome]]


@dataclass(frozen=True)
class Claimed:
    """messages: each with the endpoints it has still to reach. count: with those nobody can be pushed to."""

    at: datetime
    messages: Sequence[tuple[Message, Sequence[PushEndpoint]]]
    count: int


async def take(uow: UnitOfWork, kinds: Collection[PushKind]) -> Claimed:
    """Claim what is due and find where it goes. What has nowhere to go is left to the streams until it expires."""
    await queries.expire(uow)
    await queries.quarantine_deadly(uow)
    due = await queries.claim_due(uow, CLAIM, LEASE)
    endpoints = await endpoint_queries.endpoints_of(uow, list({message.person_id for message in due})) if due else []
    placed = [
        (
            message,
            [
                to
                for to in endpoints
                if to.person_id == message.person_id and to.kind in kinds and to.id not in message.reached
            ],
        )
        for message in sorted(due, key=lambda message: message.created_at)
    ]
    if nowhere := [message.id for message, to in placed if not to and not message.reached]:
        await queries.park(uow, nowhere)
    return Claimed(uow.now(), [(message, to) for message, to in placed if to or message.reached], len(due))


@dataclass(frozen=True)
class Courier:
    """Pushes over the channels it is given. `clock` answers seconds that only rise, `chance` spreads repetitions."""

    database: Database
    channels: Mapping[PushKind, PushChannel]
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    _paces: dict[str, Pace] = field(default_factory=dict)

    async def run(self) -> None:
        """Push until cancelled; what is under way is finished then, within seconds."""
        under_way: set[asyncio.Task[int]] = set()
        try:
            while True:
                await self._go_on(under_way)
        finally:
            if under_way:
                _, late = await asyncio.wait(under_way, timeout=_FINISH_WITHIN_S)
                for round_ in late:
                    round_.cancel()
            for channel in self.channels.values():
                await channel.aclose()

    async def _go_on(self, under_way: set[asyncio.Task[int]]) -> None:
        """Begin a round and wait a little for it: one that waits for a silent service holds up no other."""
        latest = asyncio.create_task(self._round_if_database())
        under_way.add(latest)
        await asyncio.wait([latest], timeout=PAUSE_S)
        if latest.done() and not latest.result():
            await asyncio.sleep(PAUSE_S)
        if len(under_way) >= ROUNDS:
            await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        for ended in [round_ for round_ in under_way if round_.done()]:
            under_way.remove(ended)
            ended.result()

    async def _round_if_database(self) -> int:
        try:
            return await self.round()
        except (psycopg.OperationalError, PoolTimeout) as away:
            log.warning("push waits for the database", error=type(away).__name__)
            return 0

    async def round(self) -> int:
        """Try once what is due, at most one claim for each organisation; answer for how many messages it did something.

        What was only held back does not count: whoever asks again at once would move rows to and fro.
        """
        async with self.database.unit_of_work() as uow:
            due = await queries.organisations_due(uow)
        return sum([await self._serve(org) for org in due])

    async def _serve(self, org: UUID) -> int:
        async with self.database.unit_of_work(org) as uow:
            claimed = await take(uow, self.channels)
        if not claimed.messages:
            return claimed.count
        ended = await self._try(claimed)
        async with self.database.unit_of_work(org) as uow:
            await self._settle(uow, claimed.at + LEASE, ended)
        return claimed.count - sum(_held_back(ends) for _, ends in ended)

    async def _try(self, claimed: Claimed) -> list[tuple[Message, Ends]]:
        async with asyncio.TaskGroup() as sending:
            tasks = [
                (message, [(to, sending.create_task(self._send(message, to, claimed.at))) for to in endpoints])
                for message, endpoints in claimed.messages
            ]
        return [(message, [(to, task.result()) for to, task in each]) for message, each in tasks]

    async def _send(self, message: Message, to: PushEndpoint, now: datetime) -> Outcome:
        channel = self.channels[to.kind]
        pace = self._pace(to)
        ours, wait = pace.turn()
        if not ours:
            return Outcome(Delivery.HELD_BACK, "its service was asked often enough for now", wait)
        await asyncio.sleep(wait)
        began = self.clock()
        outcome = await channel.send(message, to, message.lifetime(now))
        match outcome.delivery:
            case Delivery.BUSY | Delivery.DENIED:
                pace.was_told_to_slow_down(began, outcome.retry_after_s)
            case Delivery.UNREACHABLE:
                pace.heard_nothing(began)
            case _:
                pace.went_well(began)
        return outcome

    def _pace(self, to: PushEndpoint) -> Pace:
        return self._paces.setdefault(self.channels[to.kind].service_of(to), Pace(self.clock))

    async def _settle(self, uow: UnitOfWork, leased_until: datetime, ended: Sequence[tuple[Message, Ends]]) -> None:
        verdicts = {message.id: judge(message, ends, uow.now(), self.chance()) for message, ends in ended}
        await queries.settle(uow, verdicts, leased_until)
        every = [end for _, ends in ended for end in ends]
        gone = [to.id for to, outcome in every if outcome.delivery is Delivery.GONE]
        if gone:
            await endpoint_queries.forget_endpoints(uow, gone)
        kinds = {to.kind for to, _ in every}
        await endpoint_queries.count(
            uow, [self._count(kind, [it for it in every if it[0].kind is kind]) for kind in kinds]
        )

    def _count(self, kind: PushKind, ends: Ends) -> Count:
        failures = [outcome for _, outcome in ends if outcome.delivery in _FAILURES]
        return Count(
            str(kind),
            sent=sum(outcome.delivery is Delivery.DELIVERED for _, outcome in ends),
            failed=len(failures),
            gone=sum(outcome.delivery is Delivery.GONE for _, outcome in ends),
            error=f"{failures[-1].delivery}: {failures[-1].reason}" if failures else None,
            rate_per_s=min(self._pace(to).rate for to, _ in ends),
        )


_FAILURES = frozenset({Delivery.BUSY, Delivery.UNREACHABLE, Delivery.DENIED, Delivery.REFUSED})


def _held_back(ends: Ends) -> bool:
    return bool(ends) and all(outcome.delivery is Delivery.HELD_BACK for _, outcome in ends)
