"""A phone that talks to an API in a process of its own, which may be killed while it works."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest

from server.core.clock import SystemClock
from server.core.db import Database
from server.identity import service as identity
from tests.chaos.system import System
from tests.conftest import TestDatabase
from tests.factories.identity import found_company
from tests.factories.workforce import an_engineer
from tests.factories.workorders import a_visit, an_order
from tests.scenarios.handset import Handset

# Stands between a transaction's last statement and its commit, as long as somebody holds the lock.
_GATE = """
create function wait_at_the_gate() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(4711);
  return null;
end $$;
create constraint trigger gate after insert on mutation_log deferrable initially deferred
  for each row execute function wait_at_the_gate();
"""
_WAITING = """
select pid from pg_stat_activity
where datname = current_database() and usename = 'callout_app' and wait_event_type = 'Lock'
"""
_SESSIONS = (
    "select pid from pg_stat_activity where datname = current_database() and usename = 'callout_app' and pid = %s"
)


@dataclass
class Apart:
    """`api` serves on the test's database; `handset` is enrolled there and has an order."""

    api: System
    handset: Handset
    owner_url: str

    @contextmanager
    def held(self, lock: str) -> Iterator[None]:
        """A second session holds what `lock` takes until the block ends."""
        with psycopg.connect(self.owner_url) as holder:
            holder.execute(lock.encode())
            yield
            holder.rollback()

    def gate(self) -> None:
        """From now on commits wait while somebody holds `select pg_advisory_lock(4711)`."""
        with psycopg.connect(self.owner_url) as connection:
            connection.execute(_GATE.encode())

    async def waiting(self) -> int:
        """The session of the API that waits for a lock, once there is one."""
        return await _until(lambda: self._one(_WAITING))

    async def gone(self, pid: int) -> None:
        """Wait until that session is over."""
        await _until(lambda: self._one(_SESSIONS, pid) is None or None)

    async def committed(self, mutations: int) -> None:
        """Wait until so many are in the log for everybody to see."""
        await _until(lambda: self._one("select 1 from mutation_log having count(*) >= %s", mutations))

    def _one(self, question: str, *values: object) -> int | None:
        with psycopg.connect(self.owner_url) as connection:
            found = connection.execute(question.encode(), values or None).fetchone()
            return found[0] if found else None

    async def start_again(self) -> None:
        self.api.api.start()
        await asyncio.to_thread(self.api.until_ready)


async def _until[T](look: Callable[[], T | None], within_s: float = 10) -> T:
    return await asyncio.to_thread(_poll, look, within_s)


def _poll[T](look: Callable[[], T | None], within_s: float) -> T:
    until = time.monotonic() + within_s
    while (found := look()) is None:
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.02)
    return found


@pytest.fixture
async def apart(admin_url: str, test_database: TestDatabase, tmp_path: Path) -> AsyncIterator[Apart]:
    database = Database(test_database.url, SystemClock(), min_size=0, max_size=4)
    await database.open()
    environment = {"CALLOUT_RUNTIME_DATABASE_URL": test_database.url}
    api = System(tmp_path, admin_url, test_database.name, **environment)
    api.api.start()
    try:
        await asyncio.to_thread(api.until_ready)
        async with httpx.AsyncClient(base_url=api.url, timeout=20) as http:
            yield Apart(api, await _handset(http, database), test_database.owner_url)
    finally:
        await asyncio.to_thread(api.stop)
        await database.close()


async def _handset(http: httpx.AsyncClient, database: Database) -> Handset:
    company = await found_company(database)
    engineer, dispatcher = company.actor("engineer"), company.actor("dispatcher")
    async with database.unit_of_work(company.id) as uow:
        await an_engineer(uow, engineer)
        order = await an_order(uow, dispatcher)
        await a_visit(uow, dispatcher, engineer, order)
        code, _ = await identity.issue_enrolment_code(uow, company.actor("administrator"), engineer.person)
    body = {"code": code, "name": "Phone", "platform": "test", "app_version": "1"}
    enrolled = (await http.post("/mobile/v1/sync/devices", json=body)).json()
    headers = {"Authorization": f"Bearer {enrolled['access_token']}"}
    return Handset(http, database, engineer, enrolled["device_id"], headers, order.id)
