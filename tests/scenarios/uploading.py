"""A phone's uploads, as the wire sees them."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.factories.media import File, checksum
from tests.scenarios.handset import Handset

BLOBS = "/mobile/v1/blobs"
CHUNK = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}


@dataclass(frozen=True)
class Uploading:
    handset: Handset
    file: File
    root: Path  # where the server keeps files

    @property
    def address(self) -> str:
        return f"{BLOBS}/{self.file.sha256}"

    async def announce(self) -> httpx.Response:
        return await self.handset.client.post(BLOBS, json=self.file.announcement(), headers=self.handset.headers)

    async def send(self, start: int, stop: int | None = None, **options) -> httpx.Response:
        """Send a part of the file with its checksum; `content` and `headers` make it another request."""
        part = self.file.content[start:stop]
        headers = self.handset.headers | CHUNK | {"Upload-Offset": str(start), "Upload-Checksum": checksum(part)}
        return await self.handset.client.patch(
            self.address, content=options.get("content", part), headers=headers | options.get("headers", {})
        )

    async def offset(self) -> int:
        answer = await self.handset.client.head(self.address, headers=self.handset.headers | CHUNK)
        return int(answer.headers["upload-offset"])

    async def content(self) -> bytes:
        return (await self.handset.client.get(self.address, headers=self.handset.headers)).content

    def staged(self) -> int:
        """Bytes that lie in the server's file, committed or not."""
        partial = self.root / str(self.handset.actor.org) / "partial" / self.file.sha256
        return partial.stat().st_size if partial.exists() else 0

    async def half_open(self, start: int, sent: int) -> asyncio.StreamWriter:
        """Begin a PATCH of the whole rest on a connection of its own, and stop after `sent` bytes."""
        url = self.handset.client.base_url
        _, writer = await asyncio.open_connection(url.host, url.port)
        headers = self.handset.headers | CHUNK | {"Upload-Offset": str(start)}
        length = len(self.file.content) - start
        lines = [f"PATCH {self.address} HTTP/1.1", f"Host: {url.host}", f"Content-Length: {length}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + self.file.content[start : start + sent])
        await writer.drain()
        async with asyncio.timeout(10):
            while self.staged() < start + sent:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.02)
        return writer
