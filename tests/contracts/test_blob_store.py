"""What every file store promises, asked of the disk and of a server that speaks S3 over real HTTP."""

import hashlib
import random
from uuid import uuid4

import pytest

from server.media.domain import BlobKey
from server.media.s3 import S3Place, S3Store
from server.media.store import BlobStore, DiskStore, StagedBytesMissing

CONTENT = b"\xff\xd8\xff" + random.Random(1).randbytes(300_000)


@pytest.fixture(params=["disk", "s3"])
def store(request, tmp_path) -> BlobStore:
    return DiskStore(tmp_path) if request.param == "disk" else S3Store(request.getfixturevalue("s3_place"))


@pytest.fixture
def key() -> BlobKey:
    return BlobKey(uuid4(), hashlib.sha256(CONTENT).hexdigest())


async def write(store, key, offset: int, staged: str, content: bytes, *, fenced: bool = False) -> str:
    async with store.stage(key, offset, staged, fenced=fenced) as stage:
        for start in range(0, len(content), 65_536):
            await stage.write(content[start : start + 65_536])
        return str(await stage.seal())


async def kept(store, key) -> bytes:
    return b"".join([piece async for piece in store.read(key)])


async def finish(store, key, staged: str) -> None:
    verdict = await store.inspect(key, staged)
    assert (verdict.sha256, verdict.mime) == (key.sha256, "image/jpeg")
    await store.finish(key)
    await store.discard(key)


async def test_written_in_pieces_and_finished_it_is_whole(store, key):
    staged = await write(store, key, 0, "", CONTENT[:100_000])
    assert await store.size(key) is None
    staged = await write(store, key, 100_000, staged, CONTENT[100_000:])
    await finish(store, key, staged)
    assert await store.size(key) == len(CONTENT)
    assert await kept(store, key) == CONTENT


async def test_finishing_twice_is_finishing_once(store, key):
    await finish(store, key, await write(store, key, 0, "", CONTENT))
    await store.finish(key)
    assert await kept(store, key) == CONTENT


async def test_a_hundred_small_requests_are_one_file(store, key):
    staged, step = "", 3_000
    for offset in range(0, len(CONTENT), step):
        staged = await write(store, key, offset, staged, CONTENT[offset : offset + step])
        assert len(staged) < 2_000
    await finish(store, key, staged)
    assert await kept(store, key) == CONTENT


async def test_bytes_of_a_crash_behind_the_committed_offset_are_dropped(store, key):
    staged = await write(store, key, 0, "", CONTENT[:50_000])
    await write(store, key, 50_000, staged, b"\0" * 70_000)  # sealed, and then nobody committed it
    staged = await write(store, key, 50_000, staged, CONTENT[50_000:])
    await finish(store, key, staged)
    assert await kept(store, key) == CONTENT


async def test_an_earlier_writer_that_was_fenced_off_reaches_nothing(store, key):
    first = await write(store, key, 0, "", CONTENT[:20_000])
    async with store.stage(key, 20_000, first, fenced=False) as older:
        await older.write(b"\1" * 1_000)
        staged = await write(store, key, 20_000, first, CONTENT[20_000:200_000], fenced=True)
        await older.write(b"\2" * 90_000)
        await older.seal()
    staged = await write(store, key, 200_000, staged, CONTENT[200_000:])
    await finish(store, key, staged)
    assert await kept(store, key) == CONTENT


async def test_forgotten_bytes_are_not_there(store, key):
    async with store.stage(key, 0, "", fenced=False) as stage:
        await stage.write(CONTENT[:5_000])
        await stage.forget()
        await stage.write(CONTENT)
        staged = await stage.seal()
    await finish(store, key, staged)


async def test_staged_bytes_that_are_gone_are_missed(store, key):
    staged = await write(store, key, 0, "", CONTENT[:50_000])
    await store.discard(key)
    with pytest.raises(StagedBytesMissing):
        await store.inspect(key, await write(store, key, 50_000, staged, CONTENT[50_000:]))


async def test_other_bytes_than_the_hash_says_are_seen_and_not_published(store, key):
    staged = await write(store, key, 0, "", CONTENT[:-1] + b"x")
    assert (await store.inspect(key, staged)).sha256 != key.sha256
    await store.discard(key)
    assert await store.size(key) is None


async def test_what_it_is_follows_from_the_bytes(store):
    content = b"GIF89a/*" + b"alert(1)" * 100
    key = BlobKey(uuid4(), hashlib.sha256(content).hexdigest())
    verdict = await store.inspect(key, await write(store, key, 0, "", content))
    assert verdict.mime is None


async def test_put_and_removed(store, key):
    await store.put(key, CONTENT)
    await store.put(key, CONTENT)
    assert await kept(store, key) == CONTENT
    await store.remove(key)
    await store.remove(key)
    assert await store.size(key) is None
    with pytest.raises(FileNotFoundError):
        await kept(store, key)


async def test_organisations_keep_their_own_copies(store, key):
    await store.put(key, CONTENT)
    assert await store.size(BlobKey(uuid4(), key.sha256)) is None


async def test_discarding_what_is_not_there_is_fine(store, key):
    await store.discard(key)
    await finish(store, key, await write(store, key, 0, "", CONTENT))


async def test_a_store_that_does_not_answer_is_an_os_error(key):
    nowhere = S3Store(S3Place("bucket", "", "http://127.0.0.1:9", "us-east-1", "a", "b"))
    with pytest.raises(OSError, match="error"):
        await nowhere.put(key, CONTENT)
    with pytest.raises(OSError, match="error"):
        await nowhere.size(key)
