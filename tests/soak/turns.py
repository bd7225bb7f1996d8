"""Requests that meet in the server: who talks to the database next is the seed's decision, exchange by exchange."""

import asyncio
from collections.abc import Coroutine
from random import Random
from typing import Any

import psycopg

from tests.soak.statements import WatchedConnection, watching

_LOOK_FOR_LOCKS_S = 0.02


class Turns:
    """Lets one request at a time through its next exchange. Who waits for another's row lock is passed over."""

    def __init__(self, rng: Random, admin: psycopg.Connection) -> None:
        self._rng, self._admin = rng, admin
        self._parked: dict[int, asyncio.Event] = {}
        self._backends: dict[int, int] = {}
        self._changed = asyncio.Event()

    async def play(self, *requests: Coroutine[Any, Any, Any]) -> list[Any]:
        """Answer what each request came to; an exception is an answer too."""
        tasks = [asyncio.create_task(self._run(number, request)) for number, request in enumerate(requests)]
        for task in tasks:
            task.add_done_callback(lambda _: self._changed.set())
        while any(not task.done() for task in tasks):
            await self._standstill(tasks)
            if self._parked:
                self._parked.pop(self._rng.choice(sorted(self._parked))).set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, number: int, request: Coroutine[Any, Any, Any]) -> Any:
        watching.set(_Turn(self, number))
        return await request

    async def park(self, number: int, connection: WatchedConnection) -> None:
        self._backends[number] = connection.info.backend_pid
        go = self._parked[number] = asyncio.Event()
        self._changed.set()
        await go.wait()

    async def _standstill(self, tasks: list[asyncio.Task[Any]]) -> None:
        """Wait until everyone is done, stands before an exchange, or waits for somebody who does."""
        while moving := [n for n, task in enumerate(tasks) if not task.done() and n not in self._parked]:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), _LOOK_FOR_LOCKS_S)
            except TimeoutError:
                if self._parked and all(self._blocked(number) for number in moving):
                    return

    def _blocked(self, number: int) -> bool:
        backend = self._backends.get(number)
        row = self._admin.execute("select pg_blocking_pids(%s)", [backend]).fetchone() if backend else None
        return bool(row and row[0])


class _Turn:
    def __init__(self, turns: Turns, number: int) -> None:
        self._turns, self._number = turns, number

    async def before(self, connection: WatchedConnection) -> None:
        await self._turns.park(self._number, connection)
