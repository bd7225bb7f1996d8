"""`callout demo`: the whole system with a seeded region and day, played fast, started and stopped as one.

`callout dev` is the same for developers: with reload, the logs in the terminal.
"""

import asyncio
import errno
import fcntl
import json
import os
import shlex
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall_time
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx

from callout import cluster
from callout.cluster import ClusterError
from callout.supervisor import Child, Supervisor, supervised

CALLOUT = str(Path(sys.executable).with_name("callout"))
MORNING = wall_time(7, 30)
SATURDAY = 5
READY_WITHIN_S = 120
REMEMBER_EVERY_S = 5
WATCHED = ("callout", "edge", "mobile_api", "server", "web_api")


class CannotStart(Exception):  # noqa: N818 - errors are nouns here
    """Something on this machine is in the way; the message is a sentence that says what to do."""


@dataclass(frozen=True)
class Login:
    role: str
    name: str
    password: str


@dataclass(frozen=True)
class Step:
    """A command of ours that runs to its end before the system starts; safe to run again, then quick."""

    title: str
    arguments: tuple[str, ...]


MIGRATE = Step("Bringing the database up to date", ("db", "migrate"))
MONACO = Step("Preparing the map of Monaco", ("region", "demo"))
SEED = Step("Seeding customers, engineers and a day's orders", ("seed",))


@dataclass(frozen=True)
class Play:
    """What is played, where. `speed` is business seconds per real second; `zone` is the region's."""

    state: Path
    host: str = "127.0.0.1"
    port: int = 8000
    engineers: int = 8
    speed: int = 30
    zone: str = "Europe/Monaco"
    steps: tuple[Step, ...] = (MIGRATE, MONACO, SEED)

    @property
    def url(self) -> str:
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 - a comparison, no binding
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


# -- business time ---------------------------------------------------------------------------------------------------


def first_morning(today: date, zone: str) -> datetime:
    """07:30 in the zone on this day, or on Monday if it is a weekend."""
    while today.weekday() >= SATURDAY:
        today += timedelta(days=1)
    return datetime.combine(today, MORNING, ZoneInfo(zone))


def morning_after(last: datetime, zone: str) -> datetime:
    """The working morning that follows: business time never runs backwards over data that is already there."""
    return first_morning(last.astimezone(ZoneInfo(zone)).date() + timedelta(days=1), zone)


def clock_setting(start: datetime, real_start: float, speed: int) -> str:
    return f"{start.astimezone(UTC).isoformat()}@{real_start:.3f}x{speed}"


@dataclass(frozen=True)
class BusinessDay:
    """How far business time has come, kept in a file so that the next start begins on the following morning."""

    kept: Path
    zone: str

    def begin(self) -> datetime:
        try:
            last = datetime.fromisoformat(json.loads(self.kept.read_text())["reached"])
        except (FileNotFoundError, ValueError, KeyError):
            return first_morning(datetime.now(ZoneInfo(self.zone)).date(), self.zone)
        return morning_after(last, self.zone)

    def reached(self, moment: datetime) -> None:
        fresh = self.kept.with_suffix(".new")
        fresh.write_text(json.dumps({"reached": moment.astimezone(UTC).isoformat()}))
        fresh.replace(self.kept)

    async def follow(self, start: datetime, speed: int) -> None:
        begun = time.monotonic()
        while True:
            self.reached(start + timedelta(seconds=(time.monotonic() - begun) * speed))
            await asyncio.sleep(REMEMBER_EVERY_S)


# -- what the person sees --------------------------------------------------------------------------------------------


def say(text: str) -> None:
    print(text, flush=True)


class Progress:
    """`[2/6] Preparing the map of Monaco … 4 s`, counting in a terminal."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._step = 0

    @asynccontextmanager
    async def step(self, title: str) -> AsyncIterator[None]:
        self._step += 1
        line = f"[{self._step}/{self._steps}] {title} …"
        begun = time.monotonic()
        counting = asyncio.create_task(self._count(line, begun))
        done = False
        try:
            yield
            done = True
        finally:
            counting.cancel()
            start = "\r" if sys.stdout.isatty() else ""
            say(f"{start}{line} {time.monotonic() - begun:.1f} s" if done else f"{start}{line} not done")

    async def _count(self, line: str, begun: float) -> None:
        while sys.stdout.isatty():
            print(f"\r{line} {time.monotonic() - begun:.0f} s", end="", flush=True)
            await asyncio.sleep(1)


def banner(play: Play, logins: Sequence[Login], start: datetime) -> str:
    width = max((len(login.role) for login in logins), default=0)
    lines = [
        "",
        f"  Callout runs. The board: {play.url}/",
        "",
        *(f"    {login.role:{width}}  {login.name}  {login.password}" for login in logins),
        "",
        f"  It is {start:%H:%M on %A, %d %B %Y} in {play.zone}; time passes {play.speed} times faster than outside.",
        f"  {play.engineers} engineers are played by the simulator. Logs: {play.state / 'logs'}",
        "  Ctrl-C stops all of it.",
    ]
    return "\n".join(lines)


# -- start and stop --------------------------------------------------------------------------------------------------

type Children = Callable[[Play, Mapping[str, str]], tuple[Child, ...]]


def travel_service(environment: Mapping[str, str]) -> Child:
    """The roads, in a process that the others can do without while it starts again."""
    return Child("travel", (CALLOUT, "travel"), environment)


def demo_children(play: Play, environment: Mapping[str, str]) -> tuple[Child, ...]:
    """In starting order; they are stopped from the last to the first."""
    return (
        Child("worker", (CALLOUT, "worker"), environment),
        Child("api", (CALLOUT, "serve"), environment),
        simulator(play, environment),
    )


def dev_children(play: Play, environment: Mapping[str, str]) -> tuple[Child, ...]:
    watching = (str(Path(CALLOUT).with_name("watchfiles")), "--filter", "python", f"{shlex.quote(CALLOUT)} worker")
    return (
        Child("worker", (*watching, *WATCHED), environment),
        Child("api", (CALLOUT, "serve", "--reload"), environment),
        Child("board", ("npm", "--prefix", "web", "run", "dev"), environment),
        simulator(play, environment),
    )


def simulator(play: Play, environment: Mapping[str, str]) -> Child:
    played = ("--engineers", str(play.engineers), "--speed", str(play.speed), "--forever")
    return Child("simulator", (CALLOUT, "simulate", *played, "--url", play.url), environment)


async def demo(play: Play, logins: Sequence[Login]) -> int:
    """Prepare, start API, worker and simulator, and keep them until Ctrl-C. Returns the exit code."""
    return await run(play, logins, demo_children, Supervisor(play.state / "logs", say))


async def dev(play: Play, logins: Sequence[Login]) -> int:
    """Like demo, with reload on change and the logs in the terminal."""
    return await run(play, logins, dev_children, Supervisor(play.state / "logs", say, echo=True))


async def run(play: Play, logins: Sequence[Login], children: Children, supervisor: Supervisor) -> int:
    given = "DATABASE_URL" in os.environ
    try:
        with only_one(play):
            require_free(play)
            our_cluster = not given and not cluster.running("demo")
            try:
                return await supervised(supervisor, _start(play, logins, children, supervisor), say)
            finally:
                if our_cluster:
                    cluster.stop("demo", if_unused=True)
    except (CannotStart, ClusterError, TimeoutError) as impossible:
        say(f"\n{impossible}")
        return 1


async def _start(play: Play, logins: Sequence[Login], children: Children, supervisor: Supervisor) -> None:
    progress = Progress(steps=len(play.steps) + 2)
    day = BusinessDay(play.state / "demo-day.json", play.zone)
    start = day.begin()
    async with progress.step("Connecting to the database"):
        # Not in a thread: an interrupt must not overtake a server that is just starting.
        environment = _environment(play, cluster.ensure("demo"))
    for step in play.steps:
        async with progress.step(step.title):
            frozen = {**environment, "CALLOUT_CLOCK": clock_setting(start, time.time(), 1)}
            await supervisor.run(Child(step.arguments[0], (CALLOUT, *step.arguments), frozen))
    async with progress.step("Starting roads, API, worker and simulator"):
        ticking = {**environment, "CALLOUT_CLOCK": clock_setting(start, time.time(), play.speed)}
        *servers, player = children(play, ticking)
        await supervisor.keep(travel_service(ticking))
        for child in servers:
            await supervisor.start(child)
        await supervisor.until(ready(play))
        await supervisor.start(player)
    say(banner(play, logins, start))
    await supervisor.until(day.follow(start, play.speed))


def _environment(play: Play, database_url: str) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": database_url,
        "CALLOUT_HOST": play.host,
        "CALLOUT_PORT": str(play.port),
        # From here: a path from the root may be longer than what a Unix socket can have.
        "CALLOUT_TRAVEL_SOCKET": os.path.relpath(play.state / "travel.sock"),
        "PYTHONUNBUFFERED": "1",
    }


async def ready(play: Play) -> None:
    """Wait for /readyz to answer 200; CannotStart with its last answer when it doesn't in time."""
    answer = "no answer yet"
    deadline = time.monotonic() + READY_WITHIN_S
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                response = await client.get(f"{play.url}/readyz")
                if response.is_success:
                    return
                answer = f"{response.status_code} {response.text[:300]}"
            await asyncio.sleep(0.2)
    message = f"{play.url}/readyz is not ready after {READY_WITHIN_S} s: {answer}\n  See {play.state / 'logs'}"
    raise CannotStart(message)


@contextmanager
def only_one(play: Play) -> Iterator[None]:
    """Two demos of one checkout would play the same engineers twice."""
    play.state.mkdir(parents=True, exist_ok=True)
    with (play.state / "demo.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            message = f"A demo runs from this checkout already: {lock.read().strip()}. Stop it there with Ctrl-C."
            raise CannotStart(message) from None
        lock.truncate(0)
        lock.write(f"{play.url}/ (process {os.getpid()})")
        lock.flush()
        yield


def require_free(play: Play) -> None:
    """CannotStart when the address can't be listened on."""
    try:
        family, _, _, _, address = socket.getaddrinfo(play.host, play.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
            trial.listen(1)
    except OSError as refused:
        raise CannotStart(_why_not(play, refused)) from None


def _why_not(play: Play, refused: OSError) -> str:
    match refused.errno:
        case errno.EADDRINUSE:
            return (
                f"Another program listens on port {play.port} already. Stop it, or take another port: "
                f"CALLOUT_PORT={play.port + 1} ./do demo"
            )
        case errno.EACCES:
            return f"Port {play.port} needs root. Take one above 1023: CALLOUT_PORT=8000 ./do demo"
        case _:
            return f"Callout can't listen on {play.host} (CALLOUT_HOST), port {play.port}: {refused.strerror}"
