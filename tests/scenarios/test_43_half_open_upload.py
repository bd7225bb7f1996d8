"""43: Blob: half-open old connection + new PATCH."""

import asyncio
import time

from tests.factories.media import a_photo
from tests.scenarios.apart import Apart
from tests.scenarios.uploading import Uploading


async def test_43_the_new_one_proceeds_at_once_others_notice_nothing_and_no_byte_is_doubled(apart: Apart) -> None:
    up = Uploading(apart.handset, a_photo(43, 400, 300), apart.api.state / "blobs")
    await up.announce()
    old = await up.half_open(0, 10_000)

    async def others() -> float:
        """The longest of fifty other requests."""
        longest = 0.0
        for _ in range(50):
            begun = time.perf_counter()
            assert await up.offset() >= 0
            longest = max(longest, time.perf_counter() - begun)
        return longest

    asking = asyncio.create_task(others())
    begun = time.perf_counter()
    assert (await up.send(0)).status_code == 204
    assert time.perf_counter() - begun < 1
    assert await asking < 1
    old.write(b"\xff" * 5_000)
    await old.drain()
    old.close()
    await asyncio.sleep(0.3)
    assert await up.offset() == len(up.file.content)
    assert await up.content() == up.file.content
