"""45: Blob: bit flip in transit."""

from tests.factories.media import a_photo
from tests.scenarios.uploading import Uploading


def flipped(content: bytes) -> bytes:
    broken = bytearray(content)
    broken[len(broken) // 2] ^= 0x10
    return bytes(broken)


async def test_45_a_flip_in_a_chunk_is_460_and_only_the_chunk_is_sent_again(handset, settings):
    up = Uploading(handset, a_photo(45), settings.state_dir / "blobs")
    await up.announce()
    await up.send(0, 2_000)
    refused = await up.send(2_000, 6_000, content=flipped(up.file.content[2_000:6_000]))
    assert (refused.status_code, refused.headers["upload-offset"]) == (460, "2000")
    assert await up.offset() == 2_000
    assert (await up.send(2_000, 6_000)).status_code == 204
    assert (await up.send(6_000)).status_code == 204
    assert await up.content() == up.file.content


async def test_45_a_flip_that_no_checksum_saw_is_seen_by_the_whole_file_s_hash(handset, settings):
    up = Uploading(handset, a_photo(45), settings.state_dir / "blobs")
    await up.announce()
    unnoticed = {"Upload-Checksum": ""}
    await up.send(0, 2_000, content=flipped(up.file.content[:2_000]), headers=unnoticed)
    refused = await up.send(2_000, headers=unnoticed)
    assert (refused.status_code, refused.headers["upload-offset"]) == (460, "0")
    assert (await up.send(0)).status_code == 204
    assert await up.content() == up.file.content
