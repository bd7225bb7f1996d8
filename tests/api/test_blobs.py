"""Uploads over bad networks, through the real application, onto a real disk."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from server.identity.domain import Audience
from server.media import uploads
from server.media.domain import BlobKey, Chunk
from server.media.errors import StoreUnavailable, UploadPreempted, UploadStalled
from tests.factories.identity import token_for
from tests.factories.media import File, a_photo
from tests.fakes.sse import serving

BLOBS = "/mobile/v1/blobs"
CHUNK = "application/offset+octet-stream"


@pytest.fixture
async def phone(client, services, company):
    client.headers["Authorization"] = f"Bearer {await token_for(services, company, 'engineer', Audience.MOBILE)}"
    return client


TUS = {"Tus-Resumable": "1.0.0"}


async def announce(phone, file: File, purpose: str = "photo"):
    return await phone.post(BLOBS, json=file.announcement(purpose))


async def send(phone, file: File, start: int, stop: int | None = None, content: bytes | None = None, **headers):
    base = {"Tus-Resumable": "1.0.0", "Content-Type": CHUNK, "Upload-Offset": str(start)}
    return await phone.patch(
        f"{BLOBS}/{file.sha256}",
        content=file.content[start:stop] if content is None else content,
        headers=base | {name.replace("_", "-"): value for name, value in headers.items()},
    )


async def offset_of(phone, file: File) -> int:
    answer = await phone.head(f"{BLOBS}/{file.sha256}", headers=TUS)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["upload-length"] == str(len(file.content))
    return int(answer.headers["upload-offset"])


def staged_bytes(settings, company, file: File) -> int:
    partial = settings.state_dir / "blobs" / str(company.id) / "partial" / file.sha256
    return partial.stat().st_size if partial.exists() else 0


def finished(settings, company, file: File) -> bytes | None:
    final = settings.state_dir / "blobs" / str(company.id) / file.sha256[:2] / file.sha256
    return final.read_bytes() if final.exists() else None


async def test_announced_sent_in_chunks_then_known_and_readable(phone, settings, company):
    file = a_photo()
    announced = await announce(phone, file)
    assert (announced.status_code, announced.json()["offset"]) == (201, 0)
    assert announced.headers["location"] == announced.json()["location"] == f"{BLOBS}/{file.sha256}"
    half = len(file.content) // 2
    assert (await send(phone, file, 0, half)).headers["upload-offset"] == str(half)
    assert await offset_of(phone, file) == half
    last = await send(phone, file, half)
    assert (last.status_code, last.headers["upload-offset"]) == (204, str(len(file.content)))
    again = await announce(phone, file)
    assert (again.status_code, again.json()["state"]) == (200, "ready")
    read = await phone.get(f"{BLOBS}/{file.sha256}")
    assert (read.content, read.headers["content-type"]) == (file.content, "image/jpeg")
    assert read.headers["x-content-type-options"] == "nosniff"
    assert finished(settings, company, file) == file.content
    assert staged_bytes(settings, company, file) == 0


async def test_a_lost_reply_is_answered_with_where_to_go_on(phone):
    file = a_photo()
    await announce(phone, file)
    await send(phone, file, 0, 1000)
    repeated = await send(phone, file, 0, 1000)
    assert (repeated.status_code, repeated.headers["upload-offset"]) == (409, "1000")
    await send(phone, file, 1000)
    assert (await send(phone, file, 1000)).headers["upload-offset"] == str(len(file.content))


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Content_Type": "application/octet-stream"}, 415),
        ({"Content_Type": ""}, 415),
        ({"Tus_Resumable": "0.2.2"}, 412),
        ({"Authorization": "Bearer nonsense"}, 401),
        ({"Upload_Offset": "7"}, 409),
        ({"Upload_Offset": "-1"}, 422),
        ({"Upload_Offset": "9" * 30}, 422),
        ({"Upload_Offset": "a"}, 422),
    ],
)
async def test_refused_before_a_byte_is_written(phone, settings, company, changed, status):
    file = a_photo()
    await announce(phone, file)
    answer = await send(phone, file, 0, **changed)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert staged_bytes(settings, company, file) == 0
    assert await offset_of(phone, file) == 0


async def test_more_than_declared_is_413_and_nothing_of_it_is_kept(phone, settings, company):
    file = a_photo()
    await announce(phone, file)
    await send(phone, file, 0, 500)
    assert (await send(phone, file, 500, content=file.content[500:] + b"x")).status_code == 413
    assert (staged_bytes(settings, company, file), await offset_of(phone, file)) == (500, 500)


async def test_more_than_declared_without_a_length_is_413_and_nothing_of_it_is_kept(phone, settings, company):
    file = a_photo()
    await announce(phone, file)
    await send(phone, file, 0, 500)

    async def endless():
        yield file.content[500:]
        while True:
            yield b"x" * 65536

    assert (await send(phone, file, 500, content=endless())).status_code == 413
    assert (staged_bytes(settings, company, file), await offset_of(phone, file)) == (500, 500)
    assert (await send(phone, file, 500)).status_code == 204


async def test_a_chunk_over_the_limit_is_413_and_nothing_of_it_is_kept(phone, settings, company):
    file = File(a_photo().content + bytes(5_000_000), "image/jpeg")
    await announce(phone, file)
    assert (await send(phone, file, 0)).status_code == 413
    assert (staged_bytes(settings, company, file), await offset_of(phone, file)) == (0, 0)


async def test_a_flipped_bit_is_460_and_the_file_starts_again(phone, settings, company):
    file = a_photo()
    await announce(phone, file)
    await send(phone, file, 0, 1000)
    broken = bytearray(file.content[1000:])
    broken[10] ^= 1
    answer = await send(phone, file, 1000, content=bytes(broken))
    assert (answer.status_code, answer.headers["upload-offset"]) == (460, "0")
    assert await offset_of(phone, file) == 0
    assert finished(settings, company, file) is None
    assert (await send(phone, file, 0)).status_code == 204
    assert finished(settings, company, file) == file.content


@pytest.mark.parametrize(
    "content",
    [b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", b"<html><script>1</script></html>", b"GIF89a" * 9],
)
async def test_what_is_no_picture_by_its_own_bytes_is_refused_as_a_photo(phone, settings, company, content):
    file = File(content, "image/jpeg")
    await announce(phone, file)
    answer = await send(phone, file, 0)
    assert (answer.status_code, answer.json()["code"]) == (422, "blob.content_not_allowed")
    assert finished(settings, company, file) is None


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"size": 25_000_001}, 413),
        ({"size": 0}, 422),
        ({"size": 2**70}, 422),
        ({"purpose": "report"}, 422),
        ({"purpose": "anything"}, 422),
        ({"sha256": "../../etc/passwd"}, 422),
        ({"mime": "image/jpeg\r\nX: y"}, 422),
    ],
)
async def test_announcements_that_make_no_sense_are_refused(phone, changed, status):
    assert (await phone.post(BLOBS, json=a_photo().announcement() | changed)).status_code == status


async def test_unknown_hashes_are_404_for_every_method(phone):
    file = a_photo(99)
    assert (await phone.head(f"{BLOBS}/{file.sha256}", headers=TUS)).status_code == 404
    assert (await phone.get(f"{BLOBS}/{file.sha256}")).status_code == 404
    assert (await send(phone, file, 0)).status_code == 404


async def test_an_incomplete_file_is_not_handed_out(phone):
    file = a_photo()
    await announce(phone, file)
    await send(phone, file, 0, 1000)
    assert (await phone.get(f"{BLOBS}/{file.sha256}")).status_code == 404


async def test_a_colleague_without_the_order_cannot_read_the_file(phone, services, company):
    file = a_photo()
    await announce(phone, file)
    await send(phone, file, 0)
    phone.headers["Authorization"] = f"Bearer {await token_for(services, company, 'partner_engineer', Audience.MOBILE)}"
    assert (await phone.get(f"{BLOBS}/{file.sha256}")).status_code == 404


def receive(services, company, file: File, offset: int, pieces, **options):
    return uploads.receive(
        services.database,
        services.blobs,
        company.id,
        sha256=file.sha256,
        chunk=Chunk(offset),
        pieces=pieces,
        **options,
    )


async def test_a_newer_request_preempts_a_hanging_one_at_once(phone, services, settings, company):
    file, resume, reached = a_photo(), asyncio.Event(), asyncio.Event()
    await announce(phone, file)

    async def half_open():
        yield file.content[:2000]
        reached.set()
        await resume.wait()
        yield b"\xff" * 1000

    older = asyncio.create_task(receive(services, company, file, 0, half_open()))
    await reached.wait()
    async with asyncio.timeout(1):
        assert (await send(phone, file, 0, 5000)).status_code == 204
    resume.set()
    with pytest.raises(UploadPreempted):
        await older
    assert await offset_of(phone, file) == 5000
    assert (await send(phone, file, 5000)).status_code == 204
    assert finished(settings, company, file) == file.content


async def test_a_broken_connection_keeps_what_it_delivered(phone, services, company):
    file = a_photo()
    await announce(phone, file)

    async def breaks():
        yield file.content[:3000]
        raise uploads.SenderLost

    with pytest.raises(uploads.SenderLost):
        await receive(services, company, file, 0, breaks())
    assert await offset_of(phone, file) == 3000


async def test_a_silent_connection_is_given_up_and_keeps_what_it_delivered(phone, services, company):
    file = a_photo()
    await announce(phone, file)

    async def falls_silent():
        yield file.content[:3000]
        await asyncio.sleep(60)

    with pytest.raises(UploadStalled):
        await receive(services, company, file, 0, falls_silent(), patience=0.1)
    assert await offset_of(phone, file) == 3000


async def test_a_connection_that_drips_is_given_up_too(phone, services, company):
    file = a_photo()
    await announce(phone, file)

    async def drips():
        for start in range(0, 3000, 10):
            yield file.content[start : start + 10]
            await asyncio.sleep(0.02)

    with pytest.raises(UploadStalled):
        await receive(services, company, file, 0, drips(), patience=5, patience_in_all=0.3)
    assert 0 < await offset_of(phone, file) < 3000


DIES = """
import asyncio, os, signal, sys
from pathlib import Path
from uuid import UUID
from server.core.clock import SystemClock
from server.core.db import Database
from server.media import store, uploads
from server.media.domain import Chunk

url, root, org, sha, offset, path, when = sys.argv[1:]

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

class Dying(store.DiskStore):
    async def finish(self, key):
        await super().finish(key)
        die()

if when == "after_write":
    store._sync_folder = die

async def main():
    database = Database(url, SystemClock(), min_size=0)
    await database.open()
    content = Path(path).read_bytes()
    async def pieces():
        yield content
    await uploads.receive(database, Dying(Path(root)), UUID(org), sha256=sha, chunk=Chunk(int(offset)),
                          pieces=pieces())

asyncio.run(main())
"""


def killed_while_receiving(
    database, settings, company, file: File, offset: int, content: bytes, when: str, tmp_path: Path
):
    chunk = tmp_path / "chunk"
    chunk.write_bytes(content)
    root = settings.state_dir / "blobs"
    done = subprocess.run(
        [sys.executable, "-c", DIES, database.url, root, str(company.id), file.sha256, str(offset), chunk, when],
        check=False,
        cwd=Path(__file__).parents[2],
        env=dict(os.environ),
    )
    assert done.returncode == -signal.SIGKILL


async def test_killed_between_write_and_commit_resumes_at_the_committed_offset(
    phone, test_database, settings, company, tmp_path
):
    file = a_photo()
    await announce(phone, file)
    await send(phone, file, 0, 4000)
    killed_while_receiving(test_database, settings, company, file, 4000, b"\0" * 3000, "after_write", tmp_path)
    assert staged_bytes(settings, company, file) == 7000
    assert await offset_of(phone, file) == 4000
    assert (await send(phone, file, 4000)).status_code == 204
    assert finished(settings, company, file) == file.content


async def test_killed_between_finishing_the_file_and_its_commit_loses_nothing(
    phone, test_database, settings, company, tmp_path
):
    file = a_photo()
    await announce(phone, file)
    await send(phone, file, 0, 4000)
    killed_while_receiving(test_database, settings, company, file, 4000, file.content[4000:], "after_finish", tmp_path)
    assert finished(settings, company, file) == file.content
    assert await offset_of(phone, file) == 4000
    resumed = await send(phone, file, 4000)
    assert (resumed.status_code, resumed.headers["upload-offset"]) == (409, str(len(file.content)))
    assert (await announce(phone, file)).json()["state"] == "ready"
    assert (await phone.get(f"{BLOBS}/{file.sha256}")).content == file.content


async def test_a_disk_that_lost_staged_bytes_starts_the_file_again(phone, settings, company):
    file = a_photo()
    await announce(phone, file)
    await send(phone, file, 0, 4000)
    (settings.state_dir / "blobs" / str(company.id) / "partial" / file.sha256).unlink()
    lost = await send(phone, file, 4000)
    assert (lost.status_code, lost.headers["upload-offset"]) == (409, "0")
    assert (await send(phone, file, 0)).status_code == 204


async def test_one_ready_event_a_file(phone, database, company):
    file = a_photo()
    await announce(phone, file)
    await send(phone, file, 0)
    await announce(phone, file)
    async with database.unit_of_work(company.id) as uow:
        told = await uow.rows("select payload from event where name = 'blob.ready'")
    assert [row["payload"]["sha256"] for row in told] == [file.sha256]


async def test_the_same_hash_in_another_organisation_is_not_known(phone, services, database):
    from tests.factories.identity import found_company

    file = a_photo()
    await announce(phone, file)
    await send(phone, file, 0)
    other = await found_company(database, "rival", roles=("engineer",))
    phone.headers["Authorization"] = f"Bearer {await token_for(services, other, 'engineer', Audience.MOBILE)}"
    assert (await announce(phone, file)).status_code == 201
    assert await services.blobs.size(BlobKey(other.id, file.sha256)) is None


@pytest.fixture
async def socket_to(app) -> AsyncIterator[Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]]:
    """Connections to the application behind a real server."""
    async with serving(app) as address:
        host, port = address.removeprefix("http://").split(":")
        yield lambda: asyncio.open_connection(host, int(port))


def patch_head(phone, file: File, offset: int, length: int) -> bytes:
    lines = (
        f"PATCH {BLOBS}/{file.sha256} HTTP/1.1",
        "Host: callout.test",
        f"Authorization: {phone.headers['Authorization']}",
        "Tus-Resumable: 1.0.0",
        f"Content-Type: {CHUNK}",
        f"Upload-Offset: {offset}",
        f"Content-Length: {length}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def eventually(offset: int, phone, file: File) -> None:
    for _ in range(250):
        if await offset_of(phone, file) == offset:
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"the offset never became {offset}")


async def test_a_connection_cut_in_mid_body_keeps_the_bytes_that_arrived(phone, settings, company, socket_to):
    file = a_photo()
    await announce(phone, file)
    _, writer = await socket_to()
    writer.write(patch_head(phone, file, 0, len(file.content)) + file.content[:6000])
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.transport.abort()
    await eventually(6000, phone, file)
    assert (await send(phone, file, 6000)).status_code == 204
    assert finished(settings, company, file) == file.content


async def test_a_half_open_connection_neither_blocks_a_new_one_nor_doubles_a_byte(phone, settings, company, socket_to):
    file = a_photo()
    await announce(phone, file)
    _, old = await socket_to()
    old.write(patch_head(phone, file, 0, len(file.content)) + file.content[:2000])
    await old.drain()
    await asyncio.sleep(0.2)
    async with asyncio.timeout(1):
        assert (await send(phone, file, 0)).status_code == 204
    old.write(b"\xff" * 3000)
    await old.drain()
    old.close()
    await asyncio.sleep(0.2)
    assert finished(settings, company, file) == file.content
    assert await offset_of(phone, file) == len(file.content)


async def test_a_file_in_random_chunks_with_random_cuts_arrives_whole(phone, services, settings, company):
    file, chance = a_photo(7, 600, 400), random.Random(7)
    await announce(phone, file)
    while (offset := await offset_of(phone, file)) < len(file.content):
        size = chance.randrange(1, 40_000)

        async def pieces(chunk: bytes = file.content[offset : offset + size], cut: float = chance.random()):
            sent = chunk if cut > 0.4 else chunk[: int(len(chunk) * cut)]
            for start in range(0, len(sent), 5000):
                yield sent[start : start + 5000]
            if cut <= 0.4:
                raise uploads.SenderLost

        with suppress(uploads.SenderLost):
            await receive(services, company, file, offset, pieces())
    assert finished(settings, company, file) == file.content


async def test_a_store_that_cannot_write_is_503_with_nothing_changed_and_recovers(phone, settings, company):
    file = a_photo()
    await announce(phone, file)
    root = settings.state_dir / "blobs"
    root.parent.mkdir(parents=True, exist_ok=True)
    root.write_text("in the way")
    refused = await send(phone, file, 0)
    assert (refused.status_code, refused.json()["code"]) == (503, "blob.store_unavailable")
    assert refused.headers["retry-after"]
    root.unlink()
    assert await offset_of(phone, file) == 0
    assert (await send(phone, file, 0)).status_code == 204
    assert finished(settings, company, file) == file.content


async def test_staged_bytes_taken_away_in_mid_request_are_an_outage_and_no_success(phone, services, settings, company):
    file = a_photo()
    await announce(phone, file)

    async def loses_its_file():
        yield file.content[:-1]
        (settings.state_dir / "blobs" / str(company.id) / "partial" / file.sha256).unlink()
        yield file.content[-1:]

    with pytest.raises(StoreUnavailable):
        await receive(services, company, file, 0, loses_its_file())
    assert await offset_of(phone, file) == 0
    assert (await send(phone, file, 0)).status_code == 204
