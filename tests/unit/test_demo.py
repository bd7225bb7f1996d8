"""The demo's supervisor with real processes: what it starts it also ends, and a death is told, never hidden."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest

from callout import demo, supervisor
from callout.cluster import CHECKOUT
from callout.demo import BusinessDay, CannotStart, Login, Play, first_morning, only_one, require_free
from callout.supervisor import Child, ChildEnded, Supervisor

STEADY = """
import signal, sys, time
def leave(*_):
    open(sys.argv[1], 'a').write(sys.argv[2] + '\\n'); sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print('up', flush=True)
time.sleep(60)
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
PARENT = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True); import time; time.sleep(60)"

# A whole demo with small stand-ins for API and simulator: the real ones are the acceptance test's matter.
SMALL_DEMO = """
import asyncio, sys
from pathlib import Path
from callout.demo import Login, Play, run, say
from callout.supervisor import Child, Supervisor
API = '''
import http.server, os
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(os.environ["CALLOUT_CLOCK"].encode())
http.server.HTTPServer(("127.0.0.1", int(os.environ["CALLOUT_PORT"])), Ready).serve_forever()
'''
def children(play, environment):
    python = (sys.executable, "-c")
    return (Child("api", (*python, API), environment),
            Child("simulator", (*python, sys.argv[3]), environment))
play = Play(state=Path(sys.argv[1]), port=int(sys.argv[2]), steps=())
logins = [Login("dispatcher", "dora", "secret")]
sys.exit(asyncio.run(run(play, logins, children, Supervisor(play.state / "logs", say))))
"""


def python(name: str, script: str, *arguments: str) -> Child:
    return Child(name, (sys.executable, "-c", script, *arguments), os.environ)


async def started(supervising: Supervisor, child: Child) -> str:
    """Start a child and return its first line."""
    running = await supervising.start(child)
    while not running.last_lines:  # noqa: ASYNC110 - the supervisor has no use for an event at each line
        await asyncio.sleep(0.01)
    return running.last_lines[0]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


def test_children_are_stopped_in_the_opposite_order(tmp_path: Path) -> None:
    async def play() -> None:
        supervising = Supervisor(tmp_path, print)
        for name in ("worker", "api", "simulator"):
            await started(supervising, python(name, STEADY, str(tmp_path / "left"), name))
        await supervising.stop()

    asyncio.run(play())
    assert (tmp_path / "left").read_text().split() == ["simulator", "api", "worker"]


def test_a_child_that_dies_is_told_with_its_last_words(tmp_path: Path) -> None:
    async def play() -> None:
        supervising = Supervisor(tmp_path, print)
        await started(supervising, python("api", STEADY, str(tmp_path / "left"), "api"))
        await supervising.start(python("worker", "print('no such table'); raise SystemExit(3)"))
        try:
            await supervising.watch()
        finally:
            await supervising.stop()

    with pytest.raises(ChildEnded, match=r"worker ended by itself \(exit code 3\)[^$]*no such table"):
        asyncio.run(play())
    assert (tmp_path / "worker.log").read_text() == "no such table\n"


def test_a_child_that_ignores_the_request_is_killed_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "GRACE_S", 0.2)
    said: list[str] = []

    async def play() -> None:
        supervising = Supervisor(tmp_path, said.append)
        await started(supervising, python("worker", STUBBORN))
        await supervising.stop()

    asyncio.run(play())
    assert "worker did not stop" in said[0]


def test_grandchildren_go_too(tmp_path: Path) -> None:
    async def play() -> int:
        supervising = Supervisor(tmp_path, print)
        grandchild = int(await started(supervising, python("api", PARENT)))
        await supervising.stop()
        return grandchild

    grandchild = asyncio.run(play())
    deadline = time.monotonic() + 5
    while alive(grandchild) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive(grandchild)


def test_a_step_that_fails_is_told_with_its_output(tmp_path: Path) -> None:
    with pytest.raises(ChildEnded, match="the disk is full"):
        asyncio.run(Supervisor(tmp_path, print).run(python("seed", "raise SystemExit('the disk is full')")))


def test_a_line_longer_than_any_buffer_is_kept_whole(tmp_path: Path) -> None:
    asyncio.run(Supervisor(tmp_path, print).run(python("seed", "print('x' * 300_000)")))
    assert (tmp_path / "seed.log").read_text() == "x" * 300_000 + "\n"


@pytest.mark.parametrize(
    ("today", "begins"),
    [(date(2026, 11, 20), date(2026, 11, 20)), (date(2026, 11, 21), date(2026, 11, 23))],
    ids=["a Friday", "a Saturday waits for Monday"],
)
def test_a_day_begins_at_half_past_seven_on_a_working_morning(today: date, begins: date) -> None:
    assert first_morning(today, "Europe/Monaco").isoformat() == f"{begins}T07:30:00+01:00"


def test_the_next_start_begins_on_the_following_working_morning(tmp_path: Path) -> None:
    day = BusinessDay(tmp_path / "day.json", "Europe/Monaco")
    day.reached(datetime(2026, 11, 20, 22, 59, tzinfo=UTC))
    assert day.begin().isoformat() == "2026-11-23T07:30:00+01:00"
    day.reached(datetime(2026, 11, 23, 23, 1, tzinfo=UTC))  # past midnight in Monaco
    assert day.begin().isoformat() == "2026-11-25T07:30:00+01:00"


def test_a_port_in_use_is_explained(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CannotStart, match=f"CALLOUT_PORT={port + 1}"):
            require_free(Play(state=tmp_path, port=port))


def test_a_second_demo_of_the_same_checkout_is_refused(tmp_path: Path) -> None:
    play = Play(state=tmp_path)
    with only_one(play), pytest.raises(CannotStart, match=f"process {os.getpid()}"), only_one(play):
        pass


class SmallDemo:
    """A demo in a process of its own."""

    def __init__(self, state: Path, port: int, simulator: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-c", SMALL_DEMO, str(state), str(port), simulator],
            cwd=CHECKOUT,
            env={**os.environ, "DATABASE_URL": "postgresql://given"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def said_until(self, words: str) -> str:
        said = ""
        assert self.process.stdout
        for line in self.process.stdout:
            said += line
            if words in line:
                return said
        pytest.fail(f"never said {words!r}, but: {said}")

    def answers(self) -> bool:
        try:
            return httpx.get(self.url, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def end(self, how: signal.Signals) -> tuple[int, str]:
        self.process.send_signal(how)
        rest = self.process.communicate(timeout=30)[0]
        return self.process.returncode, rest


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_says_where_it_is_and_ends_all_when_asked(tmp_path: Path, how: signal.Signals) -> None:
    small = SmallDemo(tmp_path, free_port(), "import time; time.sleep(60)")
    said = small.said_until("Ctrl-C")
    assert f"{small.url}/" in said
    assert "dispatcher  dora  secret" in said
    assert small.answers()
    assert small.end(how) == (0, "\nStopping …\n")
    assert not small.answers()


def test_a_simulator_that_fails_ends_the_demo_with_its_last_words(tmp_path: Path) -> None:
    small = SmallDemo(tmp_path, free_port(), "import time; time.sleep(0.5); raise SystemExit('van lost')")
    said = small.process.communicate(timeout=30)[0]
    assert small.process.returncode == 1
    assert "The simulator ended by itself (exit code 1)" in said
    assert "van lost" in said
    assert not small.answers()


def test_a_killed_demo_leaves_nothing_running(tmp_path: Path) -> None:
    small = SmallDemo(tmp_path, free_port(), "import time; time.sleep(60)")
    small.said_until("Ctrl-C")
    small.end(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while small.answers() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not small.answers()


def test_the_logins_stand_in_columns() -> None:
    logins: Sequence[Login] = (Login("dispatcher", "d@x", "one"), Login("engineer", "e@x", "two"))
    shown = demo.banner(Play(state=Path("s")), logins, datetime(2026, 11, 23, 7, 30, tzinfo=UTC))
    assert "    engineer    e@x  two\n" in shown
    assert "07:30 on Monday, 23 November 2026" in shown
