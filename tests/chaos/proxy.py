"""A TCP proxy that harms connections as a bad network does, each by a plan that a seed decides.

    async with ChaosProxy("127.0.0.1", 8000, Weather(seed=7, lose_reply=0.1)) as proxy: ... proxy.url
    with proxy_in_thread("127.0.0.1", 8000, clear) as proxy: ...                 # for tests without a loop
    python -m tests.chaos.proxy --to 127.0.0.1:8000 --seed 7                     # prints its address, runs until killed

"Up" is towards the server, "down" towards the client.
"""

import argparse
import asyncio
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from random import Random
from typing import Self

_CHUNK = 16 * 1024
_IN_FLIGHT = 64  # chunks of a direction on their way; a sender further ahead is held back


@dataclass(frozen=True)
class Fate:
    """What happens to one connection; without arguments nothing does. Seconds and bytes."""

    latency_s: float = 0.0
    jitter_s: float = 0.0  # at most this much more, anew for each chunk; the order stays
    bytes_per_s: float | None = None  # in each direction
    cut_up: int | None = None  # both sides are closed once so many bytes went up …
    cut_down: int | None = None  # … or down
    hole_up: int | None = None  # nothing passes up after so many bytes, and nobody is told: half open
    hole_down: int | None = None
    lose_reply: int | None = None  # the client is reset when the n-th reply comes: done there, unheard of here
    hold_reply: int | None = None  # the n-th reply vanishes likewise, but the client goes on waiting
    seed: int = 0  # of the jitter


type Plan = Callable[[int], Fate]
"""The fate of the n-th connection, counted from 0."""


def clear(_connection: int) -> Fate:
    return Fate()


@dataclass(frozen=True)
class Weather:
    """A plan by dice: how often a connection meets each fault. The same seed gives the same fates."""

    seed: int
    slow: float = 0.0
    cut_up: float = 0.0
    cut_down: float = 0.0
    half_open: float = 0.0
    lose_reply: float = 0.0
    latency_s: float = 0.0
    jitter_s: float = 0.0
    slow_bytes_per_s: float = 100_000.0
    within_bytes: int = 60_000  # cuts and holes come somewhere in here
    within_replies: int = 12

    def __call__(self, connection: int) -> Fate:
        dice = Random(f"{self.seed}:{connection}")

        def maybe(chance: float, most: int) -> int | None:
            at = dice.randint(1, most)  # thrown in any case: another chance changes no other fault
            return at if dice.random() < chance else None

        return Fate(
            latency_s=self.latency_s,
            jitter_s=self.jitter_s,
            bytes_per_s=self.slow_bytes_per_s if dice.random() < self.slow else None,
            cut_up=maybe(self.cut_up, self.within_bytes),
            cut_down=maybe(self.cut_down, self.within_bytes),
            hole_up=maybe(self.half_open, self.within_bytes),
            lose_reply=maybe(self.lose_reply, self.within_replies),
            seed=dice.getrandbits(32),
        )


class ChaosProxy:
    """Listens on loopback while entered. `plan` may be changed at any time, for connections to come.

    `swallowed` is set once a reply was withheld: what it answered is done. `faults` counts what was done to whom.
    """

    def __init__(self, host: str, port: int, plan: Plan = clear, *, listen_port: int = 0) -> None:
        self.plan, self.swallowed = plan, threading.Event()
        self.connections, self.faults = 0, Counter[str]()
        self._upstream, self._port = (host, port), listen_port
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self.break_all()
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def break_all(self) -> None:
        """Reset every open connection, as when a phone changes from Wi-Fi to its carrier."""
        tasks = list(self._open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fate = self.plan(self.connections)
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._connect(fate, reader, writer)
        except asyncio.CancelledError:
            _reset(writer)
        finally:
            self._open.discard(task)

    async def _connect(self, fate: Fate, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await asyncio.open_connection(*self._upstream)
        except OSError:
            _reset(writer)  # nobody listens there
            return
        talk = _Talk(fate, self.faults, self.swallowed)
        leave = _reset
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_Pipe(talk, reader, server_writer, up=True).run())
                both.create_task(_Pipe(talk, server_reader, writer, up=False).run())
        except* _End:
            leave = _close
        except* (OSError, _Reset):
            leave = _reset
        finally:
            leave(server_writer)
            leave(writer)


class _End(Exception):
    """The connection is over: what was passed on still arrives."""


class _Reset(Exception):
    """The connection is over at once."""


@dataclass
class _Talk:
    """What both directions of a connection share. A reply begins with the first byte down after a byte up."""

    fate: Fate
    faults: Counter[str]
    swallowed: threading.Event
    replies: int = 0
    asking: bool = False

    def passes(self, *, up: bool) -> None:
        if not up and self.asking:
            self.replies += 1
        self.asking = up


class _Pipe:
    """One direction of a connection."""

    def __init__(self, talk: _Talk, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, up: bool) -> None:
        self._talk, self._source, self._sink, self._up = talk, source, sink, up
        fate = talk.fate
        self._cut, self._hole = (fate.cut_up, fate.hole_up) if up else (fate.cut_down, fate.hole_down)
        self._passed = 0
        self._way = asyncio.Queue[tuple[float, bytes]](_IN_FLIGHT)
        self._dice = Random(f"{fate.seed}:{up}")

    @property
    def _silent(self) -> bool:
        return self._hole is not None and self._passed >= self._hole

    async def run(self) -> None:
        async with asyncio.TaskGroup() as ends:
            ends.create_task(self._take())
            ends.create_task(self._deliver())

    async def _take(self) -> None:
        clock, fate = asyncio.get_running_loop(), self._talk.fate
        try:
            while chunk := await self._source.read(_CHUNK):
                due = clock.time() + fate.latency_s + self._dice.uniform(0, fate.jitter_s)
                await self._way.put((due, chunk))
        except OSError:
            if not self._silent:  # whoever is cut off does not hear of a reset either
                raise
        await self._way.put((clock.time(), b""))

    async def _deliver(self) -> None:
        clock = asyncio.get_running_loop()
        while True:
            due, chunk = await self._way.get()
            await asyncio.sleep(due - clock.time())
            if chunk:
                self._talk.passes(up=self._up)
                self._withhold()
            if self._silent:
                continue  # not even the end of the stream is passed on
            if not chunk:
                await self._end()
                return
            await self._pass(chunk)

    def _withhold(self) -> None:
        if self._up or not self._talk.replies:
            return
        if self._talk.replies == self._talk.fate.lose_reply:
            self._count("lose_reply")
            self._talk.swallowed.set()
            raise _Reset
        if self._talk.replies == self._talk.fate.hold_reply and not self._talk.swallowed.is_set():
            self._count("hold_reply")
            self._hole = 0
            self._talk.swallowed.set()

    async def _end(self) -> None:
        if not self._up:
            raise _End  # the server is done with this connection; clients of HTTP say no more
        self._sink.write_eof()

    async def _pass(self, chunk: bytes) -> None:
        for limit in (self._cut, self._hole):
            if limit is not None:
                chunk = chunk[: limit - self._passed]
        if self._talk.fate.bytes_per_s:
            await asyncio.sleep(len(chunk) / self._talk.fate.bytes_per_s)
        self._sink.write(chunk)
        await self._sink.drain()
        self._passed += len(chunk)
        if self._silent:
            self._count(f"hole_{'up' if self._up else 'down'}")
        if self._cut is not None and self._passed >= self._cut:
            self._count(f"cut_{'up' if self._up else 'down'}")
            raise _End

    def _count(self, fault: str) -> None:
        self._talk.faults[fault] += 1


def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close at once, with a reset instead of a farewell, as after a crash."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextmanager
def proxy_in_thread(host: str, port: int, plan: Plan = clear, *, listen_port: int = 0) -> Iterator[ChaosProxy]:
    """The proxy on a loop and thread of its own."""
    proxy, ready, loop = (
        ChaosProxy(host, port, plan, listen_port=listen_port),
        threading.Event(),
        asyncio.new_event_loop(),
    )
    finished = asyncio.Event()

    async def serve() -> None:
        async with proxy:
            ready.set()
            await finished.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="chaos-proxy", daemon=True)
    thread.start()
    try:
        if not ready.wait(10):
            raise RuntimeError("the chaos proxy does not start")
        yield proxy
    finally:
        loop.call_soon_threadsafe(finished.set)
        thread.join(10)
        loop.close()


async def _serve(host: str, port: int, plan: Plan, listen_port: int) -> None:
    async with ChaosProxy(host, port, plan, listen_port=listen_port) as proxy:
        print(proxy.url, flush=True)  # noqa: T201
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--to", required=True, help="HOST:PORT of the server")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    for fault in ("slow", "cut-up", "cut-down", "half-open", "lose-reply", "latency-s", "jitter-s"):
        parser.add_argument(f"--{fault}", type=float, default=0.0)
    given = vars(parser.parse_args())
    host, _, port = given.pop("to").rpartition(":")
    listen_port = given.pop("port")
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(host, int(port), Weather(**given), listen_port))


if __name__ == "__main__":
    main()
