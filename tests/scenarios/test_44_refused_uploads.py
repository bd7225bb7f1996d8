"""44: Blob: unauthenticated / wrong type / too long PATCH."""

import pytest

from tests.factories.media import a_photo
from tests.scenarios.uploading import Uploading

LENGTH = len(a_photo(44).content)


@pytest.mark.parametrize(
    ("changed", "content", "status"),
    [
        ({"Authorization": "Bearer nobody"}, b"x" * 100, 401),
        ({"Content-Type": "image/jpeg"}, b"x" * 100, 415),
        ({"Content-Type": ""}, b"x" * 100, 415),
        ({}, b"x" * (LENGTH - 999), 413),
        ({}, b"x" * 4_000_001, 413),
    ],
    ids=["unauthenticated", "wrong type", "no type", "a byte too long", "a chunk too long"],
)
async def test_44_refused_with_no_byte_written_and_the_offset_unchanged(handset, settings, changed, content, status):
    up = Uploading(handset, a_photo(44), settings.state_dir / "blobs")
    await up.announce()
    await up.send(0, 1_000)
    refused = await up.send(1_000, content=content, headers=changed)
    assert refused.status_code == status
    assert (up.staged(), await up.offset()) == (1_000, 1_000)
    assert (await up.send(1_000)).status_code == 204
    assert await up.content() == up.file.content
