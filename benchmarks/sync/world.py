"""A company in which every device sees ten thousand rows, and the server that serves it."""

import asyncio
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg

from benchmarks.database import ROOT, own_database
from callout.settings import Settings
from server.core.clock import SystemClock
from server.core.db import Database, UnitOfWork
from server.identity import service as identity
from server.identity.domain import Audience, Role
from server.identity.tokens import Tokens

ORDERS = 200
TEAM = 5
TEAMS = 20
PARTS = 1_000


@dataclass(frozen=True)
class Phone:
    device: uuid.UUID
    person: uuid.UUID
    token: str
    orders: list[uuid.UUID]


@dataclass(frozen=True)
class World:
    org: uuid.UUID
    url: str  # as a superuser
    runtime_url: str
    port: int
    phones: list[Phone]
    rows_in_sight: int  # of one phone

    def one_of_each_team(self) -> list[Phone]:
        return list({tuple(phone.orders): phone for phone in self.phones}.values())


@contextmanager
def world(workers: int) -> Iterator[World]:
    """Migrate a database of its own, fill it, serve it; everything is gone afterwards."""
    with own_database() as own:
        state = ROOT / ".state" / "bench" / own.name
        state.mkdir(parents=True)
        (state / "secrets").symlink_to(ROOT / ".state" / "secrets")
        org, phones = asyncio.run(_founded(own.runtime_url, Settings(state_dir=state).signing_secret))
        _fill(own.url, org)
        phones = [replace(phone, orders=_orders_of(own.url, phone.person)) for phone in phones]
        with served(own.admin, own.name, state, workers) as port:
            yield World(org, own.url, own.runtime_url, port, phones, _rows_in_sight(own.url, org, phones[0].person))


async def _founded(url: str, secret: str) -> tuple[uuid.UUID, list[Phone]]:
    """Found the organisation with its engineers, each with an enrolled phone that is signed in."""
    database, tokens = Database(url, SystemClock()), Tokens(secret)
    await database.open()
    async with database.unit_of_work() as uow:
        org = (
            await identity.found_organisation(uow, name="Bench", slug="bench", language="en", timezone="Europe/Paris")
        ).id
        phones: list[Phone] = []
        for number in range(TEAM * TEAMS):
            person = await identity.hire(
                uow, email=f"e{number}@bench.example", name=f"Engineer {number}", roles=[Role.ENGINEER]
            )
            phones.append(await _enrolled(uow, tokens, org, person.id))
    await database.close()
    return org, phones


async def _enrolled(uow: UnitOfWork, tokens: Tokens, org: uuid.UUID, person: uuid.UUID) -> Phone:
    device = uow.new_id()
    await uow.run(
        "insert into device (org_id, id, person_id, name, platform, app_version, storage_persisted, enrolled_at, "
        "last_contact_at) values (%(org)s, %(id)s, %(person)s, 'Phone', 'bench', '1', true, now(), now())",
        org=org,
        id=device,
        person=person,
    )
    signed_in = await identity.open_session(
        uow, tokens, person=person, device=device, audience=Audience.MOBILE, now=datetime.now(UTC)
    )
    return Phone(device, person, signed_in.access_token, [])


def _fill(url: str, org: uuid.UUID) -> None:
    """Give each team its orders: all of a team's engineers have a visit to each of them, finished this morning."""
    with psycopg.connect(url) as connection:
        script = (Path(__file__).parent / "fill.sql").read_text()
        sizes = {"org": str(org), "orders": str(ORDERS), "team": str(TEAM), "teams": str(TEAMS), "parts": str(PARTS)}
        for name, value in sizes.items():
            connection.execute("select set_config(%s, %s, true)", [f"bench.{name}", value])
        connection.execute("select set_config('callout.org', %s, true)", [str(org)])
        connection.execute(script)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")


def _orders_of(url: str, person: uuid.UUID) -> list[uuid.UUID]:
    with psycopg.connect(url) as connection:
        found = connection.execute("select work_order_id from visit where engineer_id = %s order by 1", [person])
        return [row[0] for row in found.fetchall()]


def _rows_in_sight(url: str, org: uuid.UUID, person: uuid.UUID) -> int:
    with psycopg.connect(url) as connection:
        connection.execute("select set_config('callout.org', %s, true)", [str(org)])
        row = connection.execute(
            "select count(*) from (select distinct key from sync_scope(%s, now())) s "
            "join sync_bucket b on b.key = s.key join sync_entry e on e.bucket_id = b.id where e.op = 'p'",
            [person],
        ).fetchone()
        assert row is not None
        return int(row[0])


@contextmanager
def served(admin: str, name: str, state: Path, workers: int) -> Iterator[int]:
    """Serve a database with processes of their own; answers the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "DATABASE_URL": admin,
        "CALLOUT_DATABASE_NAME": name,
        "CALLOUT_STATE_DIR": str(state),
        "CALLOUT_PORT": str(port),
        "CALLOUT_LOG_LEVEL": "WARNING",
        "CALLOUT_POOL_SIZE": "10",
    }
    command = [str(Path(sys.executable).with_name("callout")), "serve", "--workers", str(workers)]
    with (state / "serve.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait(port)
            yield port
        finally:
            server.terminate()
            server.wait(20)


def _wait(port: int) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    message = "the server did not become ready"
    raise SystemExit(message)
