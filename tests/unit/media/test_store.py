"""The disk store's promises, without a database."""

import asyncio
import hashlib
from uuid import uuid4

import pytest

from server.media.domain import BlobKey
from server.media.store import DiskStore, StagedBytesMissing


@pytest.fixture
def store(tmp_path) -> DiskStore:
    return DiskStore(tmp_path)


@pytest.fixture
def key() -> BlobKey:
    return BlobKey(uuid4(), hashlib.sha256(b"whole").hexdigest())


async def stage(store, key, offset: int, content: bytes, *, fenced: bool = False) -> None:
    async with store.stage(key, offset, fenced=fenced) as opened:
        await opened.write(content)
        await opened.seal()


async def content_of(store, key) -> bytes:
    return b"".join([piece async for piece in store.read(key)])


async def test_bytes_behind_the_offset_are_dropped_by_the_next_writer(store, key):
    await stage(store, key, 0, b"who-and-more-that-nobody-committed")
    await stage(store, key, 3, b"le")
    assert (await store.inspect(key)).sha256 == key.sha256


async def test_a_fenced_writer_is_out_of_reach_of_the_one_before(store, key):
    async with store.stage(key, 0, fenced=False) as older:
        await older.write(b"who")
        await stage(store, key, 3, b"le", fenced=True)
        await older.write(b"XXXXXXXX")
        await older.forget()
    assert (await store.inspect(key)).sha256 == key.sha256


async def test_finishing_makes_it_appear_whole_and_may_be_repeated(store, key):
    await stage(store, key, 0, b"whole")
    assert await store.size(key) is None
    await store.finish(key)
    await store.finish(key)
    assert (await store.size(key), await content_of(store, key)) == (5, b"whole")


async def test_finishing_what_was_never_staged_says_so(store, key):
    with pytest.raises(FileNotFoundError):
        await store.finish(key)


async def test_fewer_bytes_than_committed_are_reported_and_not_filled_with_zeros(store, key):
    await stage(store, key, 0, b"wh")
    with pytest.raises(StagedBytesMissing):
        await stage(store, key, 3, b"le")


async def test_nobody_finds_a_file_of_another_organisation(store, key):
    await store.put(key, b"whole")
    assert await store.size(BlobKey(uuid4(), key.sha256)) is None


async def test_many_writers_of_one_key_leave_one_whole_file(store, key):
    await asyncio.gather(*(store.put(key, b"whole") for _ in range(8)))
    assert await content_of(store, key) == b"whole"
