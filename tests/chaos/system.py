"""The real system as processes that may be killed: API and worker, started again by whoever killed them."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx

CALLOUT = Path(sys.executable).with_name("callout")
ROOT = Path(__file__).parent.parent.parent


class NotReady(Exception):
    """The API did not come back in time."""


class Process:
    """One `callout` command, its log appended to over all its lives."""

    def __init__(self, command: str, environment: dict[str, str], log: Path) -> None:
        self.command, self._environment, self.log = command, environment, log
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                [CALLOUT, self.command],
                env=self._environment,
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def ended(self) -> bool:
        """Whether it ended although nobody killed it."""
        return self._running is not None and self._running.poll() is not None

    def kill(self) -> None:
        """SIGKILL, with all that it started."""
        self.send(signal.SIGKILL)
        if self._running is not None:
            self._running.wait()
            self._running = None

    def stop(self, patience_s: float = 20) -> None:
        """Ask it to end, as a service manager does."""
        self.send(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            if self._running is not None:
                self._running.wait(patience_s)
        self.kill()

    def send(self, what: signal.Signals) -> None:
        if self._running is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._running.pid, what)


class System:
    """A seeded Callout in `folder` on the Postgres at `admin_url`. Nothing runs until it is started."""

    def __init__(self, folder: Path, admin_url: str, database: str = "callout", **more: str) -> None:
        self.folder, self.admin_url, self.database = folder, admin_url, database
        self.port = free_port()
        self.state = folder / "state"
        self.environment = os.environ | {
            "DATABASE_URL": admin_url,
            "CALLOUT_DATABASE_NAME": database,
            "CALLOUT_STATE_DIR": str(self.state),
            "CALLOUT_PORT": str(self.port),
            **more,
        }
        self.api = Process("serve", self.environment, folder / "serve.log")
        self.worker = Process("worker", self.environment, folder / "worker.log")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def processes(self) -> tuple[Process, ...]:
        return self.api, self.worker

    def run(self, *arguments: str, timeout_s: float = 120) -> str:
        """Run a `callout` command to its end and answer what it printed."""
        ran = subprocess.run(
            [CALLOUT, *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def start(self) -> None:
        self.api.start()
        self.worker.start()

    def stop(self) -> None:
        self.worker.stop()
        self.api.stop()

    def until_ready(self, within_s: float = 60) -> float:
        """Wait for /readyz; how many seconds it took. Raises NotReady, with the end of the log."""
        began = time.monotonic()
        while (took := time.monotonic() - began) < within_s:
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/readyz", timeout=2).status_code == httpx.codes.OK:
                    return time.monotonic() - began
            time.sleep(0.05)
        last = self.api.log.read_text(errors="replace")[-3000:]
        raise NotReady(f"the API is not ready after {took:.0f} s; it said:\n{last}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
