"""Files on their way: announced by hash, sent in chunks from where the server says it stands."""

import base64
import hashlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx

from simulator.device.errors import NoConnection, ProtocolBroken
from simulator.device.line import Line
from simulator.device.store import Store

CHUNK = 128 * 1024
_TUS = {"Tus-Resumable": "1.0.0"}
_DOOR, _LAST_DOOR = "/blobs", "/sync/rescue/blobs"
HASH_MISMATCH = 460
_MOST_RESTARTS = 3
_MOST_HARMED = 20
_FIRST = "case purpose when 'signature' then 0 else 1 end"


@dataclass(frozen=True)
class WaitingFile:
    sha256: str
    mime: str
    purpose: str
    size: int
    announced: bool


@dataclass(frozen=True)
class _Way:
    """How to ask, and at which address files are taken."""

    ask: Callable[..., Awaitable[httpx.Response]]
    door: str


class Files:
    def __init__(self, store: Store, line: Line, chunk: int = CHUNK) -> None:
        self._store, self._line, self._chunk = store, line, chunk

    def waiting(self) -> list[WaitingFile]:
        """What the server has not confirmed yet, signatures first, then in the order it was taken."""
        rows = self._store.all(
            f"select sha256, mime, purpose, size, announced from file where sent = 0 order by {_FIRST}, rowid"
        )
        return [WaitingFile(sha, mime, purpose, size, bool(announced)) for sha, mime, purpose, size, announced in rows]

    def hashes(self) -> list[str]:
        return [sha for (sha,) in self._store.all("select sha256 from file order by rowid")]

    def content(self, sha256: str) -> bytes:
        row = self._store.one("select bytes from file where sha256 = ?", sha256)
        if row is None:
            raise KeyError(sha256)
        return bytes(row[0])

    def wanted(self, hashes: list[str]) -> None:
        """The server misses these after all: whichever we still have is sent again."""
        with self._store.transaction() as db:
            shas = [(name.removeprefix("sha256:"),) for name in hashes]
            db.executemany("update file set sent = 0, announced = 0 where sha256 = ?", shas)

    async def upload(self) -> int:
        """Send all that waits; how many files were completed. Raises NoConnection with the rest kept for later."""
        sent, way = 0, _Way(self._line.ask, _DOOR)
        while waiting := self.waiting():
            await self._send(way, waiting[0])
            sent += 1
        return sent

    async def hand_in(self) -> int:
        """Send what waits through the last door, once what names it was handed in; how many files were completed.

        A file that is refused for good stays here. Raises NoConnection, also when there is no room today.
        """
        sent, way = 0, _Way(self._at_last_door, _LAST_DOOR)
        for file in self.waiting():
            with suppress(ProtocolBroken):
                await self._send(way, file)
                sent += 1
        return sent

    async def _at_last_door(self, method: str, path: str, **said: Any) -> httpx.Response:
        response = await self._line.hand_in(method, path, **said)
        if response.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
            raise NoConnection(response.text)
        return response

    async def _send(self, way: _Way, file: WaitingFile) -> None:
        for _ in range(_MOST_RESTARTS):
            offset = await self._offset(way, file)
            if offset is None or await self._send_from(way, file, offset):
                self._mark("sent", file.sha256)
                return
        raise NoConnection(f"file {file.sha256} does not arrive intact")

    async def _offset(self, way: _Way, file: WaitingFile) -> int | None:
        """Where the server stands with this file; None when it has all of it."""
        if file.announced:
            response = await way.ask("HEAD", f"{way.door}/{file.sha256}", headers=_TUS)
            if response.is_success:
                return int(response.headers["Upload-Offset"])
        about = {"sha256": file.sha256, "size": file.size, "mime": file.mime, "purpose": file.purpose}
        response = await way.ask("POST", way.door, json=about)
        if response.status_code == httpx.codes.OK:
            return None
        _expect(response, httpx.codes.CREATED)
        self._mark("announced", file.sha256)
        return int(response.json()["offset"])

    async def _send_from(self, way: _Way, file: WaitingFile, offset: int) -> bool:
        """Send chunk after chunk. False when the server rejected the whole, or too many chunks were harmed."""
        content, harmed = self.content(file.sha256), 0
        while offset < file.size and harmed < _MOST_HARMED:
            response = await self._patch(way, file.sha256, offset, content[offset : offset + self._chunk])
            if response.status_code == HASH_MISMATCH and response.headers.get("Upload-Offset") == str(offset) != "0":
                harmed += 1  # on its way: what came before this chunk stands
                continue
            if response.status_code == HASH_MISMATCH:
                return False
            if response.status_code == httpx.codes.CONFLICT:
                # Our last chunk arrived but its answer did not.
                asked = await way.ask("HEAD", f"{way.door}/{file.sha256}", headers=_TUS)
                offset = int(asked.headers["Upload-Offset"])
                continue
            _expect(response, httpx.codes.NO_CONTENT)
            offset = int(response.headers["Upload-Offset"])
        return offset >= file.size

    async def _patch(self, way: _Way, sha256: str, offset: int, chunk: bytes) -> httpx.Response:
        headers = {
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(offset),
            "Upload-Checksum": f"sha256 {base64.b64encode(hashlib.sha256(chunk).digest()).decode()}",
            **_TUS,
        }
        return await way.ask("PATCH", f"{way.door}/{sha256}", content=chunk, headers=headers)

    def _mark(self, column: str, sha256: str) -> None:
        with self._store.transaction() as db:
            db.execute(f"update file set {column} = 1 where sha256 = ?", (sha256,))


def _expect(response: httpx.Response, status: int) -> None:
    if response.status_code != status:
        raise ProtocolBroken(f"{response.request.method} {response.url.path}: {response.status_code} {response.text}")
