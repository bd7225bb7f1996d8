"""What files promise: every byte, once, whatever the line does."""

from random import Random

import pytest

from simulator.device import Attachment, Device, NoConnection
from simulator.faults import Fate
from tests.unit.simulator.conftest import Weather
from tests.unit.simulator.fake_server import FakeServer, Upload

pytestmark = pytest.mark.anyio


def photo(phone: Device, size: int = 4500, seed: int = 1) -> Attachment:
    file = Attachment(Random(seed).randbytes(size), "image/jpeg", "photo")
    args = {"id": phone.new_id(), "wo": "wo-1", "sha256": file.sha256, "caption": "Label"}
    phone.record("photo.add", args, files=[file])
    return file


async def test_a_file_arrives_whole(phone: Device, server: FakeServer) -> None:
    file = photo(phone)
    await phone.sync()
    assert server.uploads[file.sha256].content == file.content
    assert phone.files.waiting() == []


async def test_an_upload_goes_on_where_the_server_stands(phone: Device, server: FakeServer, weather: Weather) -> None:
    file = photo(phone)
    weather.next(file.sha256, Fate.PASS, Fate.PASS, Fate.LOSE_REPLY)
    await phone.sync()
    assert server.uploads[file.sha256].content == file.content
    assert server.patched == len(file.content), "no byte travelled twice"


async def test_an_upload_interrupted_by_a_dead_line_is_resumed_in_the_next_sync(
    phone: Device, server: FakeServer, weather: Weather
) -> None:
    file = photo(phone)
    weather.next(file.sha256, Fate.PASS, Fate.PASS, *[Fate.NO_SIGNAL] * 4)
    with pytest.raises(NoConnection):
        await phone.sync()
    assert len(server.uploads[file.sha256].content) == 2000
    await phone.sync()
    assert server.patched == len(file.content)


async def test_a_damaged_upload_starts_again(phone: Device, server: FakeServer) -> None:
    file = photo(phone)
    server.uploads[file.sha256] = Upload(len(file.content), b"\x00" * 1000)  # bits flipped on the way
    await phone.sync()
    assert server.uploads[file.sha256].content == file.content


async def test_the_same_bytes_are_sent_once(phone: Device, server: FakeServer) -> None:
    file = photo(phone)
    photo(phone)
    await phone.sync()
    assert server.patched == len(file.content)
    assert len(server.effects) == 2


async def test_a_file_that_the_server_misses_later_is_sent_again(phone: Device, server: FakeServer) -> None:
    file = photo(phone)
    await phone.sync()
    server.uploads.clear()
    server.missing = [f"sha256:{file.sha256}"]
    await phone.sync()
    server.missing = []
    await phone.sync()
    assert server.uploads[file.sha256].content == file.content
