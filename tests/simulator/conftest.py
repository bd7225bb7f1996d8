"""The real thing: API and worker as processes of their own, on a seeded database and the roads of Monaco."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from server.geo.region import Region
from tests.conftest import TestDatabase
from tests.regions import STATE

READY_WITHIN_S = 60


@pytest.fixture
def base_url(test_database: TestDatabase, runtime_password: str, monaco: Region, tmp_path: Path) -> Iterator[str]:
    """Where a freshly seeded server answers."""
    port = free_port()
    # Preparing sets the role's password, which all databases of the cluster share: it must stay what it is.
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "runtime-role").write_text(runtime_password)
    (tmp_path / "regions").symlink_to(STATE / "test-regions")
    environment = {
        **os.environ,
        "DATABASE_URL": test_database.owner_url,
        "CALLOUT_RUNTIME_DATABASE_URL": test_database.url,
        "CALLOUT_DATABASE_NAME": test_database.name,
        "CALLOUT_STATE_DIR": str(tmp_path),
        "CALLOUT_REGION": monaco.name,
        "CALLOUT_PORT": str(port),
        "CALLOUT_LOG_LEVEL": "WARNING",
    }
    subprocess.run(callout("seed"), env=environment, check=True, timeout=60)
    url = f"http://127.0.0.1:{port}"
    with running("worker", environment, tmp_path), running("serve", environment, tmp_path) as api:
        wait_until_ready(url, api, tmp_path / "serve.log")
        yield url


def callout(command: str) -> list[str]:
    return [sys.executable, "-m", "callout.cli", command]


@contextmanager
def running(command: str, environment: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{command}.log").open("wb") as log:
        process = subprocess.Popen(callout(command), env=environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until_ready(url: str, api: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < until:
        assert api.poll() is None, log.read_text()
        try:
            if httpx.get(f"{url}/readyz").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError(log.read_text())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
