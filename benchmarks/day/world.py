"""A database, an API and a worker for measured days, and an organisation for each."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg

from benchmarks.database import ROOT, Own, own_database
from benchmarks.day.stepped import FileClock
from server.core.clock import SystemClock
from server.core.db import Database
from server.identity import service as identity
from server.identity.domain import Role
from simulator.measured.day import Login

_PASSWORD = "measured-days-2026"  # noqa: S105 - of a database that is gone afterwards
_READY_WITHIN_S = 120


@dataclass(frozen=True)
class World:
    own: Own
    url: str
    clock: FileClock
    folder: Path

    def organisation(self, name: str) -> Login:
        """Found an organisation in which there is an administrator and nothing else."""
        login = Login(f"admin@{name}.example", _PASSWORD)
        asyncio.run(_found(self.own.runtime_url, name, login))
        # All phones of all days come from one address.
        with psycopg.connect(self.own.url, autocommit=True) as connection:
            connection.execute("delete from rate_limit")
        return login


async def _found(url: str, name: str, login: Login) -> None:
    database = Database(url, SystemClock())
    await database.open()
    async with database.unit_of_work() as uow:
        await identity.found_organisation(uow, name=name, slug=name, language="en", timezone="Europe/Zurich")
        roles = [Role.ADMINISTRATOR, Role.DISPATCHER]
        await identity.hire(uow, email=login.email, name="Dana", roles=roles, password=login.password)
    await database.close()


@contextmanager
def world(region: Path | None) -> Iterator[World]:
    """`region`: a folder of prepared regions whose roads are driven; else drives are estimates."""
    with own_database() as own, ExitStack() as children:
        state = ROOT / ".state" / "bench" / own.name
        state.mkdir(parents=True)
        (state / "secrets").symlink_to(ROOT / ".state" / "secrets")
        if region:
            (state / "regions").symlink_to(region.absolute())
        clock = FileClock(state / "clock")
        port = _free_port()
        for what in ("serve", "worker"):
            children.enter_context(_child(what, own, state, port))
        url = f"http://127.0.0.1:{port}"
        _wait(url)
        yield World(own, url, clock, state)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _child(what: str, own: Own, state: Path, port: int) -> Iterator[None]:
    environment = os.environ | {
        "DATABASE_URL": own.admin,
        "CALLOUT_DATABASE_NAME": own.name,
        "CALLOUT_STATE_DIR": str(state),
        "CALLOUT_PORT": str(port),
        "CALLOUT_LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "-m", "benchmarks.day.stepped", what, str(state / "clock")]
    with (state / f"{what}.log").open("wb") as log:
        child = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            child.terminate()
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _wait(url: str) -> None:
    until = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < until:
        try:
            if httpx.get(f"{url}/readyz", timeout=2).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    message = "the server did not become ready"
    raise SystemExit(message)
