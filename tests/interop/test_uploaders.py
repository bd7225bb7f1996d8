"""tuspy and tus-js-client, unmodified, through a network that cuts them off."""

import asyncio

import pytest

from tests.chaos.proxy import Weather, proxy_in_thread
from tests.interop.uploaders import kept_whole, make_files, send_with_tus_js, send_with_tuspy
from tests.scenarios.apart import Apart

# tuspy opens a connection for every request, tus-js-client uses a few for all: a fault soon meets either.
WEATHER = Weather(seed=7, cut_up=0.5, lose_reply=0.3, within_bytes=200_000, within_replies=5)


@pytest.mark.parametrize("send", [send_with_tuspy, send_with_tus_js], ids=["tuspy", "tus-js-client"])
async def test_twenty_files_arrive_whole(send, apart: Apart, tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    files = make_files(folder, 20, seed=20, largest=400_000)
    token = apart.handset.headers["Authorization"].removeprefix("Bearer ")
    with proxy_in_thread("127.0.0.1", apart.api.port, WEATHER) as proxy:
        await asyncio.to_thread(send, proxy.url, lambda: token, files)
        assert sum(proxy.faults.values()) > 0
    assert kept_whole(apart.api.state / "blobs", files) == len(files)
    states = await apart.handset.sql("select state, count(*) from blob group by state")
    assert states == [{"state": "ready", "count": len(files)}]
