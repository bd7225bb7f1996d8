"""Blobs in an object store that speaks S3.

Objects can't be written to in the middle, so each request's bytes become one object of their own under
`partial/<org>/<sha>/`, and the word for what is staged lists these objects in order. A writer whose request was taken
over may still write an object, but no row will ever name it: that is the fence. See ADR 11.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store as Bucket

from server.media.domain import BlobKey, Inspection, Verdict
from server.media.store import PIECE_BYTES, Stage, StagedBytesMissing

if TYPE_CHECKING:
    from obstore.store import S3Config

_IN_MEMORY_BYTES = 512_000
_MOST_PARTS = 32  # then they become one, so that a file sent in tiny chunks stays a short list

# Whole files are put together in memory: this many of at most 25 MB at a time.
_AT_ONCE = 4


@dataclass(frozen=True)
class S3Place:
    """Where the bucket is. `endpoint` is None for the provider's own; keys None for those of the machine's role."""

    bucket: str
    prefix: str
    endpoint: str | None
    region: str
    key_id: str | None
    secret_key: str | None


class S3Store:
    def __init__(self, place: S3Place) -> None:
        config: S3Config = {"region": place.region, "checksum_algorithm": "sha256"}
        if place.endpoint is not None:
            config["endpoint"] = place.endpoint
        if place.key_id is not None and place.secret_key is not None:
            config |= {"access_key_id": place.key_id, "secret_access_key": place.secret_key}
        self._bucket = Bucket(
            place.bucket,
            prefix=place.prefix or None,
            config=config,
            client_options={
                # Only loopback gets here without TLS: the settings refuse any other.
                "allow_http": (place.endpoint or "").startswith("http://"),
                "connect_timeout": timedelta(seconds=3),
                "timeout": timedelta(seconds=20),
            },
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=8)},
        )
        self._room = asyncio.Semaphore(_AT_ONCE)

    @asynccontextmanager
    async def stage(self, key: BlobKey, offset: int, staged: str, *, fenced: bool) -> AsyncIterator[Stage]:
        del fenced  # every stage writes objects of its own
        parts = _parts(staged)
        if sum(size for _, size in parts) != offset:
            raise StagedBytesMissing
        with SpooledTemporaryFile(_IN_MEMORY_BYTES) as file:
            yield _S3Stage(self, key, parts, file)

    async def inspect(self, key: BlobKey, staged: str) -> Verdict:
        async with self._room:
            content = await self.staged_content(key, _parts(staged))
            inspection = Inspection()
            inspection.take(content)
            verdict = inspection.verdict()
            if verdict.sha256 == key.sha256:
                await self.put(key, content)
            return verdict

    async def finish(self, key: BlobKey) -> None:
        """Nothing is left to do: `inspect` found the hash right and put the blob under it, whole."""

    async def discard(self, key: BlobKey) -> None:
        with _as_os_errors():
            async for some in obstore.list(self._bucket, f"{_folder(key)}/"):
                await obstore.delete_async(self._bucket, [found["path"] for found in some])

    async def put(self, key: BlobKey, content: bytes) -> None:
        """Put the blob and look at what arrived: nothing else would notice that it is not whole."""
        await self.put_object(_final(key), content)
        if await self.size(key) != len(content):
            message = f"the object store does not hold all of {key.sha256}"
            raise OSError(message)

    async def size(self, key: BlobKey) -> int | None:
        try:
            with _as_os_errors():
                return (await obstore.head_async(self._bucket, _final(key)))["size"]
        except FileNotFoundError:
            return None

    async def read(self, key: BlobKey) -> AsyncIterator[bytes]:
        with _as_os_errors():
            found = await obstore.get_async(self._bucket, _final(key))
            async for piece in found.stream(min_chunk_size=PIECE_BYTES):
                yield bytes(piece)

    async def remove(self, key: BlobKey) -> None:
        with _as_os_errors():
            await obstore.delete_async(self._bucket, [_final(key)])

    async def put_object(self, path: str, content: bytes) -> None:
        with _as_os_errors():
            await obstore.put_async(self._bucket, path, content, use_multipart=False)

    async def staged_content(self, key: BlobKey, parts: "_Parts") -> bytes:
        """Raises StagedBytesMissing."""
        try:
            with _as_os_errors():
                found = [await obstore.get_async(self._bucket, f"{_folder(key)}/{name}") for name, _ in parts]
                content = b"".join([bytes(await part.bytes_async()) for part in found])
        except FileNotFoundError:
            raise StagedBytesMissing from None
        if len(content) != sum(size for _, size in parts):
            raise StagedBytesMissing
        return content


type _Parts = list[tuple[str, int]]


class _S3Stage:
    def __init__(self, store: S3Store, key: BlobKey, parts: _Parts, file: SpooledTemporaryFile[bytes]) -> None:
        self._store = store
        self._key = key
        self._parts = parts
        self._file = file

    async def write(self, piece: bytes) -> None:
        self._file.write(piece)

    async def seal(self) -> str:
        self._file.seek(0)
        content = self._file.read()
        if not content:
            return _word(self._parts)
        before = self._parts
        if len(before) >= _MOST_PARTS:
            content, before = await self._store.staged_content(self._key, before) + content, []
        name = secrets.token_hex(8)
        await self._store.put_object(f"{_folder(self._key)}/{name}", content)
        return _word([*before, (name, len(content))])

    async def forget(self) -> None:
        self._file.seek(0)
        self._file.truncate()


def _parts(staged: str) -> _Parts:
    pairs = [word.split(":") for word in staged.split()]
    return [(name, int(size)) for name, size in pairs]


def _word(parts: _Parts) -> str:
    return " ".join(f"{name}:{size}" for name, size in parts)


def _folder(key: BlobKey) -> str:
    return f"partial/{key.org}/{key.sha256}"


def _final(key: BlobKey) -> str:
    return f"{key.org}/{key.sha256[:2]}/{key.sha256}"


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """A store that can't be reached is to its callers what a broken disk is."""
    try:
        yield
    except NotFoundError as missing:
        raise FileNotFoundError(str(missing)) from None
    except FileNotFoundError:
        raise
    except BaseError as broken:
        raise OSError(str(broken)[:500]) from broken
