"""42: Blob: worker SIGKILL in mid-PATCH."""

from tests.factories.media import a_photo
from tests.scenarios.apart import Apart
from tests.scenarios.uploading import Uploading


async def test_42_the_committed_offset_is_answered_and_the_resumed_file_is_whole(apart: Apart) -> None:
    up = Uploading(apart.handset, a_photo(42, 400, 300), apart.api.state / "blobs")
    await up.announce()
    assert (await up.send(0, 20_000)).status_code == 204
    writer = await up.half_open(20_000, 15_000)
    apart.api.api.kill()
    assert up.staged() == 35_000  # more than was ever committed
    writer.close()
    await apart.start_again()
    assert await up.offset() == 20_000
    assert (await up.send(20_000)).status_code == 204
    assert await up.content() == up.file.content
    assert (await up.announce()).json()["state"] == "ready"
