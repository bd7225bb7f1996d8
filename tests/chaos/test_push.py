"""Workers and FCM are killed while hints are on their way: all arrive, and what arrives twice was tried twice."""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from server.core.clock import parse_clock
from server.core.db import Database
from server.notify import endpoints, service
from server.notify.domain import Hint, PushKind
from server.notify.endpoints import PushOffer, Registration
from server.notify.push_hosts import PushHosts
from tests.chaos.system import ROOT, Process, free_port
from tests.factories.geo import with_phone
from tests.factories.identity import found_company
from tests.fakes.fcm import service_account
from tests.fakes.tls import Authority

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

# Leases and rests in business time are over sooner; what the worker measures itself, by its own clock, is not.
SPEED = 20
HINTS = 50
OFFER = PushOffer(fcm=True, vapid_public_key="", hosts=PushHosts())


class FcmProcess:
    """The fake as a process; what it accepted stays on record over all its lives."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        authority = Authority(folder, ("localhost",))
        self.root = authority.root
        assert authority.chain == folder / "server.pem"
        self.account = folder / "account.json"
        self.account.write_text(json.dumps(service_account(rsa.generate_private_key(65537, 2048), self.port)))
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.fakes.fcm", str(self.folder), str(self.port)]
        with (self.folder / "fcm.log").open("ab") as log:
            self._running = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)

    def kill(self) -> None:
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            self._running = None

    def accepted(self) -> Counter[UUID]:
        listed = self.folder / "accepted.txt"
        lines = listed.read_text().splitlines() if listed.exists() else []
        return Counter(UUID(line.split()[1]) for line in lines)


@pytest.fixture
def fcm(tmp_path: Path) -> Iterator[FcmProcess]:
    made = FcmProcess(tmp_path)
    made.start()
    yield made
    made.kill()


@pytest.fixture
def clock_text() -> str:
    return f"2026-11-23T07:30:00+00:00@{time.time()}x{SPEED}"


@pytest.fixture
async def live(test_database, clock_text) -> AsyncIterator[Database]:
    opened = Database(test_database.url, parse_clock(clock_text), max_size=4)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def worker(test_database, fcm, clock_text, tmp_path) -> Iterator[Process]:
    state = tmp_path / "state"
    state.mkdir()
    (state / "secrets").symlink_to(ROOT / ".state" / "secrets")
    environment = os.environ | {
        "CALLOUT_RUNTIME_DATABASE_URL": test_database.url,
        "CALLOUT_DATABASE_NAME": test_database.name,
        "CALLOUT_STATE_DIR": str(state),
        "CALLOUT_CLOCK": clock_text,
        "CALLOUT_FCM_ACCOUNT": str(fcm.account),
        "CALLOUT_FCM_URL": f"https://localhost:{fcm.port}",
        "SSL_CERT_FILE": str(fcm.root),
        "REQUESTS_CA_BUNDLE": str(fcm.root),
    }
    made = Process("worker", environment, tmp_path / "worker.log")
    made.start()
    yield made
    made.kill()


async def reached_engineer(database: Database) -> tuple[UUID, UUID]:
    company = await found_company(database, "acme", roles=("engineer",))
    engineer = company.actor("engineer")
    async with database.unit_of_work(company.id) as uow:
        phone = await with_phone(uow, engineer)
        await endpoints.register(uow, phone, OFFER, Registration(PushKind.FCM, f"phone:{'a' * 40}"))
    return company.id, engineer.person


async def queue(database: Database, org: UUID, person: UUID, how_many: int) -> set[UUID]:
    subjects = [uuid4() for _ in range(how_many)]
    async with database.unit_of_work(org) as uow:
        for subject in subjects:
            await service.queue_hint(uow, person, Hint.JOB, subject, f"job:{subject}")
    return set(subjects)


async def tries(database: Database, org: UUID) -> dict[UUID, int]:
    """How often each hint was tried, once all of them are sent."""
    async with asyncio.timeout(90):
        while True:
            async with database.unit_of_work(org) as uow:
                rows = await uow.rows("select subject_id, state, attempts from message")
            if all(row["state"] == "sent" for row in rows):
                return {row["subject_id"]: row["attempts"] for row in rows}
            await asyncio.sleep(0.1)


async def test_killed_under_load_no_hint_is_lost_and_none_comes_more_often_than_it_was_tried(live, fcm, worker):
    chance = random.Random(7)
    org, person = await reached_engineer(live)
    queued: set[UUID] = set()
    for victim in (fcm, worker):
        queued |= await queue(live, org, person, HINTS)
        await asyncio.sleep(chance.uniform(0.2, 1.5))
        victim.kill()
        queued |= await queue(live, org, person, HINTS // 10)
        victim.start()
    queued |= await queue(live, org, person, HINTS)
    tried = await tries(live, org)
    accepted = fcm.accepted()
    assert set(tried) == queued
    assert set(accepted) == queued
    # Whoever was killed had not said how it went: those, and no others, are sent again.
    assert all(accepted[subject] <= tried[subject] for subject in queued)
