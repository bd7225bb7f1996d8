"""Each fault of the proxy, against a server of a few lines: what arrives there, what the client sees."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from tests.chaos.proxy import ChaosProxy, Fate, Plan, Weather, clear, proxy_in_thread

pytestmark = pytest.mark.anyio


class Echo:
    """Answers each line with the same line; remembers what came and how its connections ended."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.ended = asyncio.Event()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65536):
                self.received += chunk
                if chunk.endswith(b"\n"):
                    writer.write(bytes(self.received.splitlines(keepends=True)[-1]))
                    await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
            self.ended.set()


@asynccontextmanager
async def through(plan: Plan) -> AsyncIterator[tuple[Echo, ChaosProxy, asyncio.StreamReader, asyncio.StreamWriter]]:
    echo = Echo()
    server = await asyncio.start_server(echo.talk, "127.0.0.1", 0)
    async with server, ChaosProxy("127.0.0.1", server.sockets[0].getsockname()[1], plan) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        try:
            yield echo, proxy, reader, writer
        finally:
            writer.transport.abort()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: bytes) -> bytes:
    writer.write(line)
    await writer.drain()
    return await asyncio.wait_for(reader.readline(), 5)


async def heard_nothing(reader: asyncio.StreamReader, seconds: float = 0.3) -> bool:
    try:
        await asyncio.wait_for(reader.read(1), seconds)
    except TimeoutError:
        return True
    return False


async def test_a_clear_line_passes_everything_in_both_directions_and_the_end_too():
    async with through(clear) as (echo, proxy, reader, writer):
        long = b"x" * 300_000 + b"\n"
        writer.write(long)
        assert await asyncio.wait_for(reader.readexactly(len(long)), 5) == long
        assert await ask(reader, writer, b"again\n") == b"again\n"
        writer.write_eof()
        await asyncio.wait_for(echo.ended.wait(), 5)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        assert not proxy.faults


async def test_latency_delays_each_direction():
    async with through(lambda _: Fate(latency_s=0.1, jitter_s=0.02)) as (_, _, reader, writer):
        began = time.monotonic()
        assert await ask(reader, writer, b"hello\n") == b"hello\n"
        assert 0.2 <= time.monotonic() - began < 0.6


async def test_bandwidth_is_limited():
    async with through(lambda _: Fate(bytes_per_s=100_000)) as (_, _, reader, writer):
        began = time.monotonic()
        writer.write(b"y" * 29_999 + b"\n")
        assert len(await asyncio.wait_for(reader.readexactly(30_000), 5)) == 30_000
        assert 0.5 <= time.monotonic() - began < 2  # 0.3 s there and as long back, overlapping by a chunk


async def test_a_cut_up_lets_exactly_so_many_bytes_reach_the_server():
    async with through(lambda _: Fate(cut_up=10_000)) as (echo, proxy, reader, writer):
        writer.write(b"z" * 50_000)
        await asyncio.wait_for(echo.ended.wait(), 5)
        assert len(echo.received) == 10_000
        with suppress(ConnectionResetError):  # or a plain end: the system decides by what lay unread
            assert await asyncio.wait_for(reader.read(), 5) == b""
        assert proxy.faults == {"cut_up": 1}


async def test_a_cut_down_breaks_the_reply_after_so_many_bytes():
    async with through(lambda _: Fate(cut_down=7)) as (echo, proxy, reader, writer):
        writer.write(b"0123456789\n")
        assert await asyncio.wait_for(reader.read(), 5) == b"0123456"
        assert echo.received == b"0123456789\n"
        assert proxy.faults == {"cut_down": 1}


async def test_a_hole_up_leaves_the_server_with_half_a_request_and_an_open_connection():
    async with through(lambda _: Fate(hole_up=4)) as (echo, proxy, reader, writer):
        writer.write(b"0123456789\n")
        assert await heard_nothing(reader)
        assert echo.received == b"0123"
        writer.transport.abort()  # the phone is gone, and the server isn't told
        await asyncio.sleep(0.2)
        assert not echo.ended.is_set()
        assert proxy.faults == {"hole_up": 1}


async def test_a_hole_down_lets_the_server_answer_to_nobody():
    async with through(lambda _: Fate(hole_down=3)) as (echo, _, reader, writer):
        writer.write(b"0123456789\n")
        assert await asyncio.wait_for(reader.readexactly(3), 5) == b"012"
        assert await heard_nothing(reader)
        assert echo.received == b"0123456789\n"
        assert not echo.ended.is_set()


async def test_a_lost_reply_resets_the_client_after_the_server_has_answered():
    async with through(lambda _: Fate(lose_reply=2)) as (echo, proxy, reader, writer):
        assert await ask(reader, writer, b"first\n") == b"first\n"
        with pytest.raises(ConnectionResetError):
            await ask(reader, writer, b"second\n")
        assert echo.received == b"first\nsecond\n"
        assert proxy.swallowed.is_set()
        assert proxy.faults == {"lose_reply": 1}


async def test_a_held_reply_leaves_the_client_waiting():
    async with through(lambda _: Fate(hold_reply=1)) as (echo, proxy, reader, writer):
        writer.write(b"first\n")
        assert await asyncio.to_thread(proxy.swallowed.wait, 5)
        assert echo.received == b"first\n"
        assert await heard_nothing(reader)
        assert proxy.faults == {"hold_reply": 1}


async def test_breaking_all_resets_who_is_connected_and_lets_the_next_in():
    async with through(clear) as (_, proxy, reader, writer):
        assert await ask(reader, writer, b"hello\n") == b"hello\n"
        await proxy.break_all()
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 5)
        later_reader, later_writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await ask(later_reader, later_writer, b"back\n") == b"back\n"
        later_writer.transport.abort()


async def test_a_server_that_is_away_resets_the_client():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        async with ChaosProxy("127.0.0.1", nobody.getsockname()[1]) as proxy:
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(reader.read(), 5)
            writer.transport.abort()


def test_a_seed_decides_every_fate_again():
    stormy = Weather(7, cut_up=0.3, cut_down=0.3, half_open=0.3, lose_reply=0.3, slow=0.3)
    fates = [stormy(n) for n in range(50)]
    assert fates == [stormy(n) for n in range(50)]
    assert fates != [replace(stormy, seed=8)(n) for n in range(50)]
    assert {fate.lose_reply is None for fate in fates} == {True, False}
    calmer = [replace(stormy, cut_up=0.0)(n) for n in range(50)]
    assert [fate.cut_down for fate in calmer] == [fate.cut_down for fate in fates]


def test_it_runs_beside_a_test_without_a_loop():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        proxy_in_thread("127.0.0.1", server.getsockname()[1], lambda _: Fate(cut_down=5)) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as client,
    ):
        accepted, _ = server.accept()
        accepted.sendall(b"hello world")
        assert client.recv(100, socket.MSG_WAITALL) == b"hello"
        accepted.close()


def test_it_runs_as_a_program_for_clients_in_other_languages():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        command = [sys.executable, "-m", "tests.chaos.proxy", "--to", f"127.0.0.1:{port}", "--seed", "3"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout is not None
            address = program.stdout.readline().strip()
            client = socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=5)
            client.sendall(b"hello")
            accepted, _ = server.accept()
            assert accepted.recv(100) == b"hello"
            accepted.close()
            client.close()
            program.kill()
