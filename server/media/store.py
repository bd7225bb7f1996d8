"""Where bytes lie. The port is what both a disk and an object store can honour: staged pieces, then one finish.

The database knows how far an upload has come and which word the store gave for it (`staged`); a store only promises
that staged bytes survive once `seal` has returned, that no earlier writer can reach them after a fenced `stage`, and
that a finished blob appears whole.
"""

import asyncio
import contextlib
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

from server.media.domain import HEAD_BYTES, BlobKey, Verdict, sniff

PIECE_BYTES = 64 * 1024
_COPY_BYTES = 1024 * 1024


class StagedBytesMissing(Exception):  # noqa: N818 - a fact, handled by the service
    """The store holds fewer staged bytes than the database committed; the upload starts again."""


class Stage(Protocol):
    """One request's writing end."""

    async def write(self, piece: bytes) -> None: ...

    async def seal(self) -> str:
        """Make everything written durable; answer the word by which it is found again with the next offset."""
        ...

    async def forget(self) -> None:
        """Drop what was written through this stage."""
        ...


class BlobStore(Protocol):
    def stage(self, key: BlobKey, offset: int, staged: str, *, fenced: bool) -> AbstractAsyncContextManager[Stage]:
        """Go on writing at `offset` behind what is known as `staged`; staged bytes behind it are dropped.

        With `fenced` an earlier stage of this key that is still open can no longer reach the staged bytes.
        Raises StagedBytesMissing, here or at `inspect`, when fewer than `offset` bytes are there.
        """
        ...

    async def inspect(self, key: BlobKey, staged: str) -> Verdict:
        """Read all staged bytes: their hash and what they show to be. May take long; runs in no transaction.

        A store whose `finish` would take long as well may put them in their place now if they have the key's hash.
        """
        ...

    async def finish(self, key: BlobKey) -> None:
        """Turn the bytes inspected last into the blob, at once and durably. Safe to repeat."""
        ...

    async def discard(self, key: BlobKey) -> None:
        """Drop staged bytes, if there are any."""
        ...

    async def put(self, key: BlobKey, content: bytes) -> None:
        """Keep a whole blob that is already at hand."""
        ...

    async def size(self, key: BlobKey) -> int | None:
        """Length of a finished blob, None when there is none."""
        ...

    def read(self, key: BlobKey) -> AsyncIterator[bytes]:
        """Pieces of a finished blob. Raises FileNotFoundError at the first piece."""
        ...

    async def remove(self, key: BlobKey) -> None:
        """Drop a finished blob, if there is one."""
        ...


class DiskStore:
    """Blobs as files: `<root>/<org>/partial/<sha>` while staged, `<root>/<org>/<sha[:2]>/<sha>` when finished.

    Blocking calls run in threads; every name is synced with its folder before it is relied upon.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @asynccontextmanager
    async def stage(self, key: BlobKey, offset: int, staged: str = "", *, fenced: bool) -> AsyncIterator[Stage]:
        del staged  # the file's name is word enough
        descriptor = await asyncio.to_thread(self._open_stage, key, offset, fenced=fenced)
        try:
            yield _DiskStage(descriptor, offset, self._partial(key).parent)
        finally:
            await asyncio.to_thread(os.close, descriptor)

    async def inspect(self, key: BlobKey, staged: str = "") -> Verdict:
        del staged
        return await asyncio.to_thread(_inspect, self._partial(key))

    async def finish(self, key: BlobKey) -> None:
        await asyncio.to_thread(_move, self._partial(key), self._final(key))

    async def discard(self, key: BlobKey) -> None:
        await asyncio.to_thread(_forget, self._partial(key))

    async def put(self, key: BlobKey, content: bytes) -> None:
        await asyncio.to_thread(_put, self._final(key), content)

    async def size(self, key: BlobKey) -> int | None:
        return await asyncio.to_thread(_size, self._final(key))

    async def read(self, key: BlobKey) -> AsyncIterator[bytes]:
        file = await asyncio.to_thread(self._final(key).open, "rb")
        try:
            while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
                yield piece
        finally:
            await asyncio.to_thread(file.close)

    async def remove(self, key: BlobKey) -> None:
        await asyncio.to_thread(self._final(key).unlink, missing_ok=True)

    def _partial(self, key: BlobKey) -> Path:
        return self._root / str(key.org) / "partial" / key.sha256

    def _final(self, key: BlobKey) -> Path:
        return self._root / str(key.org) / key.sha256[:2] / key.sha256

    def _open_stage(self, key: BlobKey, offset: int, *, fenced: bool) -> int:
        path = self._partial(key)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if offset > (_size(path) or 0):
            raise StagedBytesMissing
        if fenced:
            _move_to_new_file(path, offset)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        # A crash may have left bytes that no transaction knows of.
        os.ftruncate(descriptor, offset)
        return descriptor


class _DiskStage:
    def __init__(self, descriptor: int, offset: int, folder: Path) -> None:
        self._descriptor = descriptor
        self._start = self._end = offset
        self._folder = folder

    async def write(self, piece: bytes) -> None:
        await asyncio.to_thread(_write_all, self._descriptor, piece, self._end)
        self._end += len(piece)

    async def seal(self) -> str:
        await asyncio.to_thread(os.fsync, self._descriptor)
        await asyncio.to_thread(_sync_folder, self._folder)
        return ""

    async def forget(self) -> None:
        await asyncio.to_thread(os.ftruncate, self._descriptor, self._start)
        self._end = self._start


def _write_all(descriptor: int, piece: bytes, offset: int) -> None:
    view = memoryview(piece)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def _move_to_new_file(path: Path, keep: int) -> None:
    """Continue in a new file with the first `keep` bytes: who still holds the old one writes into the void."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    with os.fdopen(descriptor, "wb") as successor:
        if keep:
            with path.open("rb") as source:
                while successor.tell() < keep and (piece := source.read(min(_COPY_BYTES, keep - successor.tell()))):
                    successor.write(piece)
    Path(name).replace(path)


def _inspect(path: Path) -> Verdict:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        file.seek(0)
        return Verdict(hashlib.file_digest(file, "sha256").hexdigest(), sniff(head))


def _forget(partial: Path) -> None:
    partial.unlink(missing_ok=True)
    # Successors that a crash kept from taking their predecessor's place.
    for left in partial.parent.glob(f"{partial.name}.*"):
        left.unlink(missing_ok=True)


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Repeating finds the source gone and the target there.
    if source.exists() or not target.exists():
        source.replace(target)
    _sync_folder(target.parent)
    _sync_folder(target.parent.parent)


def _put(target: Path, content: bytes) -> None:
    """Write beside the target and rename: two at once leave one whole file."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f"{target.name}.")
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    _move(Path(name), target)


def _size(path: Path) -> int | None:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_size
    return None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
