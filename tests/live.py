"""The real system in its own processes: seeded database, API, worker, on a free port of loopback."""

import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest

from server.geo.region import Region

CALLOUT = Path(sys.executable).with_name("callout")
ROOT = Path(__file__).parent.parent
_READY_WITHIN_S = 60


@dataclass(frozen=True)
class LiveServer:
    url: str
    environment: dict[str, str]
    logs: Path

    def run(self, *arguments: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a `callout` command against this system."""
        return subprocess.run(
            [CALLOUT, *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )


@pytest.fixture(scope="session")
def live_server(
    admin_url: str, template: str, monaco: Region, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """One system for all tests of a session that look at it from outside; they bring their own data."""
    with live_system(admin_url, template, monaco, tmp_path_factory.mktemp("live")) as server:
        yield server


@contextmanager
def live_system(admin_url: str, template: str, monaco: Region, folder: Path, **more: str) -> Iterator[LiveServer]:
    name = f"callout_test_{uuid.uuid4().hex[:12]}"
    environment = _environment(admin_url, name, folder, monaco) | more
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(f"create database {name} template {template} strategy file_copy")
    server = LiveServer(f"http://127.0.0.1:{environment['CALLOUT_PORT']}", environment, folder)
    try:
        seeded = server.run("seed")
        assert seeded.returncode == 0, seeded.stdout + seeded.stderr
        with ExitStack() as children:
            children.enter_context(_child(server, "serve"))
            children.enter_context(_child(server, "worker"))
            _wait_until_ready(server)
            yield server
    finally:
        with psycopg.connect(admin_url, autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)")


def _environment(admin_url: str, database: str, folder: Path, monaco: Region) -> dict[str, str]:
    state = folder / "state"
    state.mkdir()
    # The cluster's runtime role has one password for the whole checkout.
    (state / "secrets").symlink_to(ROOT / ".state" / "secrets")
    (state / "regions").symlink_to(monaco.folder.parent.parent)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return os.environ | {
        "DATABASE_URL": admin_url,
        "CALLOUT_DATABASE_NAME": database,
        "CALLOUT_STATE_DIR": str(state),
        "CALLOUT_PORT": str(port),
        "CALLOUT_POOL_SIZE": "15",
    }


@contextmanager
def _child(server: LiveServer, command: str) -> Iterator[None]:
    with (server.logs / f"{command}.log").open("wb") as log:
        child = subprocess.Popen(
            [CALLOUT, command], env=server.environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield
        finally:
            child.terminate()
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _wait_until_ready(server: LiveServer) -> None:
    until = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < until:
        try:
            if httpx.get(f"{server.url}/readyz", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    log = (server.logs / "serve.log").read_text()
    message = f"the server did not become ready; it said:\n{log[-4000:]}"
    raise AssertionError(message)
