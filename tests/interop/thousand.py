"""A thousand files by tuspy and tus-js-client, through a network that cuts them off, to an API that gets killed.

    python -m tests.interop.thousand --files 1000 --seed 1

The last line is one JSON object; the exit code says whether every file lies in the store with its own hash.
"""

import argparse
import asyncio
import json
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import httpx
import psycopg
from psycopg.conninfo import make_conninfo

from callout import cluster
from callout.settings import kept_secret
from server.core.clock import SystemClock
from server.core.db import Database
from server.identity import service as identity
from tests.chaos.proxy import Weather, proxy_in_thread
from tests.chaos.system import System
from tests.conftest import STATE, migrated_template
from tests.factories.identity import found_company
from tests.interop.uploaders import LocalFile, kept_whole, make_files, send_with_tus_js, send_with_tuspy

_FRESH_S = 240
_BATCH = 50


@contextmanager
def database_of_its_own(admin_url: str, password: str) -> Iterator[tuple[str, str]]:
    """A migrated database's name and the runtime role's URL of it."""
    name = f"callout_test_{uuid.uuid4().hex[:12]}"
    template = migrated_template(admin_url, password)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(f"create database {name} template {template} strategy file_copy".encode())
    try:
        yield name, make_conninfo(admin_url, dbname=name, user="callout_app", password=password)
    finally:
        with psycopg.connect(admin_url, autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)".encode())


async def _enrolment_code(url: str) -> str:
    database = Database(url, SystemClock(), min_size=0)
    await database.open()
    try:
        company = await found_company(database)
        async with database.unit_of_work(company.id) as uow:
            office, engineer = company.actor("administrator"), company.actor("engineer")
            code, _ = await identity.issue_enrolment_code(uow, office, engineer.person)
        return code
    finally:
        await database.close()


class Phone:
    """Keeps its access token fresh, past the proxy: signing in is not what is tried here."""

    def __init__(self, system: System, code: str) -> None:
        self._system, self._lock = system, threading.Lock()
        about = {"code": code, "name": "Phone", "platform": "test", "app_version": "1"}
        self._keep(httpx.post(f"{system.url}/mobile/v1/sync/devices", json=about, timeout=20))

    def token(self) -> str:
        with self._lock:
            while time.monotonic() - self._since > _FRESH_S:
                try:
                    said = {"refresh_token": self._refresh}
                    self._keep(httpx.post(f"{self._system.url}/mobile/v1/auth/refresh", json=said, timeout=20))
                except (httpx.TransportError, httpx.HTTPStatusError):
                    time.sleep(0.5)
            return str(self._access)

    def _keep(self, answer: httpx.Response) -> None:
        tokens = answer.raise_for_status().json()
        self._access, self._refresh, self._since = tokens["access_token"], tokens["refresh_token"], time.monotonic()


class Killer(threading.Thread):
    """Kills the API every few seconds and starts it again."""

    def __init__(self, system: System, seed: int, pause_s: float) -> None:
        super().__init__(daemon=True)
        self._system, self._dice, self._pause_s = system, Random(seed), pause_s
        self.kills, self.enough = 0, threading.Event()

    def run(self) -> None:
        while not self.enough.wait(self._dice.uniform(0.5, 1.5) * self._pause_s):
            self._system.api.kill()
            self.kills += 1
            self._system.api.start()
            self._system.until_ready()


def send_all(files: list[LocalFile], url: str, token: Callable[[], str]) -> None:
    """Half of them with each, at the same time."""
    half = len(files) // 2
    python = threading.Thread(target=send_with_tuspy, args=(url, token, files[:half]))
    python.start()
    for start in range(half, len(files), _BATCH):
        send_with_tus_js(url, token, files[start : start + _BATCH])
    python.join()


def run(count: int, seed: int, kill_every_s: float) -> dict[str, object]:
    password = kept_secret(STATE.parent / "secrets" / "runtime-role")
    admin_url = cluster.ensure("test")
    weather = Weather(seed=seed, cut_up=0.25, cut_down=0.02, lose_reply=0.1, within_bytes=160_000, within_replies=8)
    with TemporaryDirectory() as scratch, database_of_its_own(admin_url, password) as (name, url):
        folder = Path(scratch) / "files"
        folder.mkdir()
        files = make_files(folder, count, seed, largest=1_500_000)
        system = System(Path(scratch), admin_url, name, CALLOUT_RUNTIME_DATABASE_URL=url)
        system.api.start()
        system.until_ready()
        phone, killer = Phone(system, asyncio.run(_enrolment_code(url))), Killer(system, seed, kill_every_s)
        begun = time.monotonic()
        try:
            with proxy_in_thread("127.0.0.1", system.port, weather) as proxy:
                killer.start()
                send_all(files, proxy.url, phone.token)
                took = time.monotonic() - begun
        finally:
            killer.enough.set()
            killer.join(90)
            system.stop()
        return {
            "files": count,
            "bytes": sum(file.path.stat().st_size for file in files),
            "whole": kept_whole(system.state / "blobs", files),
            "pending": len(list((system.state / "blobs").glob("*/partial/*"))),
            "faults": dict(proxy.faults),
            "connections": proxy.connections,
            "kills": killer.kills,
            "seconds": round(took, 1),
            "seed": seed,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kill-every-s", type=float, default=8)
    given = parser.parse_args()
    figures = run(given.files, given.seed, given.kill_every_s)
    print(json.dumps(figures))  # noqa: T201
    sys.exit(0 if figures["whole"] == given.files else 1)


if __name__ == "__main__":
    main()
