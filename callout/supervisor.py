"""A handful of processes that live together: one log each, a common end, nothing left behind or restarted silently."""

import asyncio
import logging
import os
import shutil
import signal
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import NoReturn

GRACE_S = 12
LOG_BYTES = 20_000_000
LAST_LINES = 15
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 10.0

type Say = Callable[[str], None]


@dataclass(frozen=True)
class Child:
    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]


class ChildEnded(Exception):  # noqa: N818 - errors are nouns here
    """A process that should have gone on, or succeeded, ended otherwise. Reads as a message to the person watching."""

    def __init__(self, name: str, code: int, last_lines: list[str], log: Path) -> None:
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended by itself (exit code {code})"
        said = "\n".join(f"    {line}" for line in last_lines) or "    (it said nothing)"
        super().__init__(f"The {name} {how}. Its last words:\n{said}\n  All of them: {log}")


@dataclass
class Running:
    """A child at work: the leader of its own process group, so that a Ctrl-C in the terminal reaches us alone."""

    child: Child
    process: asyncio.subprocess.Process
    log: Path
    echo: Say | None
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))
    listening: asyncio.Task[None] = field(init=False)

    def __post_init__(self) -> None:
        self.listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        kept = RotatingFileHandler(self.log, maxBytes=LOG_BYTES, backupCount=1, errors="replace")
        try:
            async for line in _lines(self.process.stdout):
                kept.emit(logging.makeLogRecord({"msg": line}))
                self.last_lines.append(line)
                if self.echo:
                    self.echo(f"{self.child.name:9} │ {line}")
        finally:
            kept.close()

    async def end(self) -> int:
        """Wait for the process and for the rest of what it said."""
        code = await self.process.wait()
        # A grandchild may hold the pipe open: what it says later is not waited for.
        await asyncio.wait([self.listening], timeout=1)
        return code

    async def ended(self) -> ChildEnded:
        """The end told as an error."""
        return ChildEnded(self.child.name, await self.end(), list(self.last_lines), self.log)

    def send(self, what: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, what)

    async def stop(self) -> bool:
        """Ask the whole group to end, and make it; whether asking was enough."""
        self.send(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), GRACE_S)
        except TimeoutError:
            return False
        finally:
            self.send(signal.SIGKILL)
            await self.end()
            self.listening.cancel()
        return True


@dataclass
class Kept:
    """A child that is started again whenever it ends."""

    running: Running
    keeping: asyncio.Task[NoReturn] | None = None

    async def let_go(self) -> None:
        if self.keeping:
            self.keeping.cancel()
            await asyncio.wait([self.keeping])


async def _lines(stream: asyncio.StreamReader | None) -> AsyncIterator[str]:
    partial = b""
    while stream and (chunk := await stream.read(65_536)):
        *whole, partial = (partial + chunk).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace")
    if partial:
        yield partial.decode(errors="replace")


class Supervisor:
    """Starts children and stops them in the opposite order; those it keeps are started again whenever they end."""

    def __init__(self, logs: Path, say: Say, *, echo: bool = False) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._logs = logs
        self._say = say
        self._echo = say if echo else None
        self._running: list[Running] = []
        self._kept: list[Kept] = []

    async def start(self, child: Child) -> Running:
        running = await self._begin(child)
        self._running.append(running)
        return running

    async def keep(self, child: Child) -> None:
        """Start a child that the others can do without for a while; whenever it ends it is started again."""
        kept = Kept(await self._begin(child))
        kept.keeping = asyncio.create_task(self._start_again(kept))
        self._kept.append(kept)

    async def _start_again(self, kept: Kept) -> NoReturn:
        clock = asyncio.get_running_loop().time
        pause = FIRST_PAUSE_S
        while True:
            begun = clock()
            ended = await kept.running.ended()
            pause = FIRST_PAUSE_S if clock() - begun > LONGEST_PAUSE_S else min(2 * pause, LONGEST_PAUSE_S)
            self._say(f"\n{ended}\n  It is started again in {pause:g} s.")
            await asyncio.sleep(pause)
            kept.running = await self._begin(kept.running.child)

    async def _begin(self, child: Child) -> Running:
        log = self._logs / f"{child.name}.log"
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        process = await asyncio.create_subprocess_exec(
            *_dying_with_us(child.command),
            env=child.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        return Running(child, process, log, self._echo)

    async def run(self, child: Child) -> None:
        """Run a child to its end; ChildEnded when that is not success."""
        running = await self.start(child)
        code = await running.end()
        self._running.remove(running)
        if code:
            raise await running.ended()

    async def watch(self) -> NoReturn:
        """Go on until a child ends, which is an error: ChildEnded."""
        ends = {asyncio.create_task(running.process.wait()): running for running in self._running}
        try:
            first, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in ends:
                waiting.cancel()
        raise await ends[first.pop()].ended()

    async def until[T](self, event: Awaitable[T]) -> T:
        """Wait for an event; ChildEnded when a child ends before it."""
        hoped, feared = asyncio.ensure_future(event), asyncio.create_task(self.watch())
        try:
            await asyncio.wait({hoped, feared}, return_when=asyncio.FIRST_COMPLETED)
            return hoped.result() if hoped.done() else feared.result()
        finally:
            hoped.cancel()
            feared.cancel()

    async def stop(self) -> None:
        while self._running:
            await self._stop(self._running.pop())
        while self._kept:
            kept = self._kept.pop()
            await kept.let_go()
            await self._stop(kept.running)

    async def _stop(self, running: Running) -> None:
        if not await running.stop():
            self._say(f"  The {running.child.name} did not stop within {GRACE_S} s and was killed.")

    def kill(self) -> None:
        """End everything at once, for those who press Ctrl-C twice."""
        for running in (*self._running, *(kept.running for kept in self._kept)):
            running.send(signal.SIGKILL)


def _dying_with_us(command: tuple[str, ...]) -> tuple[str, ...]:
    """A supervisor killed with -9 takes its children along, where the kernel offers that."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "TERM", "--", *command) if setpriv else command


async def supervised(supervisor: Supervisor, work: Awaitable[None], say: Say) -> int:
    """Do the work until it fails or someone asks to end, then stop all children. Returns the exit code.

    Asking is Ctrl-C, SIGTERM or closing the terminal; asking twice kills.
    """
    loop = asyncio.get_running_loop()
    working = asyncio.ensure_future(work)

    def asked_to_end() -> None:
        if working.cancelling() or working.done():
            supervisor.kill()
        else:
            working.cancel()

    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(ending, asked_to_end)
    try:
        await working
    except asyncio.CancelledError:
        say("\nStopping …")
    except ChildEnded as ended:
        say(f"\n{ended}")
        return 1
    finally:
        await supervisor.stop()
    return 0
