"""A reader of server-sent events and a real server to read from."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI


@dataclass(frozen=True)
class Told:
    event: str
    data: Any
    id: str | None


class Reader:
    """Events of one open stream, one after another; comments are passed over."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def begun(self, *, within: float = 30.0) -> None:
        """Wait for the server's first word: from then on nothing that happens is missed."""
        async with asyncio.timeout(within):
            await self._block()

    async def next(self, *, within: float = 20.0) -> Told:
        async with asyncio.timeout(within):
            while True:
                fields = await self._block()
                if "data" in fields:
                    return Told(fields.get("event", "message"), json.loads(fields["data"]), fields.get("id"))

    async def until(self, event: str) -> Told:
        while (told := await self.next()).event != event:
            pass
        return told

    async def ended(self, *, within: float = 20.0) -> bool:
        """Whether the server closes the stream in time."""
        try:
            while True:
                await self.next(within=within)
        except StopAsyncIteration:
            return True
        except TimeoutError:
            return False

    async def _block(self) -> dict[str, str]:
        fields: dict[str, str] = {}
        while line := await anext(self._lines):
            name, _, value = line.partition(":")
            if name:
                fields[name] = value.strip()
        return fields


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """Run the application behind a real socket; answers its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=1, ws="none")
    )
    running = asyncio.create_task(server.serve([listening]))
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn offers nothing to wait on
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        listening.close()


@asynccontextmanager
async def reading(
    address: str, path: str, headers: dict[str, str], *, last_event_id: str | int | None = None
) -> AsyncIterator[Reader]:
    sent = headers if last_event_id is None else {**headers, "Last-Event-ID": str(last_event_id)}
    async with (
        httpx.AsyncClient(base_url=address, timeout=30) as client,
        client.stream("GET", path, headers=sent) as it,
    ):
        reader = Reader(it)
        await reader.begun()
        yield reader
