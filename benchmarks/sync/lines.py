"""A bare HTTP/1.1 client: on two cores, what the client burns is missing on the server's side."""

import asyncio
import json
import random
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

_OK, _BUSY = 200, 503


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    def json(self) -> Any:
        return json.loads(self.body)


class Line:
    """One kept-alive connection of one device."""

    def __init__(self, host: str, port: int, token: str) -> None:
        self._host, self._port, self._token = host, port, token

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=2**24)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    async def post(self, path: str, body: bytes, encoding: str = "zstd") -> Reply:
        """Send and read to the end, again when told to come back later. The time counts from the first try."""
        began = time.perf_counter()
        while True:
            reply = await self._once(path, body, encoding, began)
            if reply.status != _BUSY:
                break
            await asyncio.sleep(float(reply.headers.get("retry-after", 1)) * random.uniform(0.5, 1))
        assert reply.status == _OK, (reply.status, reply.body[:500])
        return reply

    async def _once(self, path: str, body: bytes, encoding: str, began: float) -> Reply:
        self._writer.write(
            f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self._token}\r\n"
            f"Content-Type: application/json\r\nAccept-Encoding: {encoding}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        status_line, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        content = await self._reader.readexactly(int(headers["content-length"]))
        return Reply(int(status_line.split()[1]), headers, content, time.perf_counter() - began)
