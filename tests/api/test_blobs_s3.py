"""The same uploads with an object store behind them: what a disk can't get wrong in the same way."""

import asyncio
from dataclasses import replace

import pytest

from server.media import uploads
from server.media.domain import Chunk
from server.media.errors import UploadPreempted
from server.media.s3 import S3Store
from tests.factories.media import File, a_photo, enrolled_token
from tests.fakes.s3 import s3_client

BLOBS = "/mobile/v1/blobs"
CHUNK = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}


@pytest.fixture
def bucket(s3_place):
    def names() -> list[str]:
        listed = s3_client(s3_place.endpoint).list_objects_v2(Bucket=s3_place.bucket)
        return [it["Key"].removeprefix("some/prefix/") for it in listed.get("Contents", [])]

    return names


@pytest.fixture
async def services(services, s3_place):
    return replace(services, blobs=S3Store(s3_place))


@pytest.fixture
async def phone(client, services, company):
    client.headers["Authorization"] = f"Bearer {await enrolled_token(services, company, 'engineer')}"
    return client


async def send(phone, file: File, start: int, stop: int | None = None, content: bytes | None = None):
    part = file.content[start:stop] if content is None else content
    return await phone.patch(f"{BLOBS}/{file.sha256}", content=part, headers=CHUNK | {"Upload-Offset": str(start)})


async def offset_of(phone, file: File) -> int:
    return int((await phone.head(f"{BLOBS}/{file.sha256}", headers=CHUNK)).headers["upload-offset"])


async def test_sent_in_chunks_it_is_one_object_and_nothing_else(phone, company, bucket):
    file = a_photo()
    await phone.post(BLOBS, json=file.announcement())
    for start in range(0, len(file.content), 4_000):
        assert (await send(phone, file, start, start + 4_000)).status_code == 204
    assert (await phone.get(f"{BLOBS}/{file.sha256}")).content == file.content
    assert bucket() == [f"{company.id}/{file.sha256[:2]}/{file.sha256}"]


async def test_a_writer_that_lost_its_lease_can_put_what_it_likes(phone, services, company):
    file, resume, reached = a_photo(), asyncio.Event(), asyncio.Event()
    await phone.post(BLOBS, json=file.announcement())

    async def half_open():
        yield file.content[:2_000]
        reached.set()
        await resume.wait()
        yield b"\xff" * 3_000

    older = asyncio.create_task(
        uploads.receive(
            services.database, services.blobs, company.id, sha256=file.sha256, chunk=Chunk(0), pieces=half_open()
        )
    )
    await reached.wait()
    assert (await send(phone, file, 0, 5_000)).status_code == 204
    resume.set()
    with pytest.raises(UploadPreempted):
        await older
    assert (await send(phone, file, 5_000)).status_code == 204
    assert (await phone.get(f"{BLOBS}/{file.sha256}")).content == file.content


async def test_refused_content_is_nowhere_in_the_bucket(phone, bucket):
    file = File(b"<svg xmlns='http://www.w3.org/2000/svg'/>" * 20, "image/jpeg")
    await phone.post(BLOBS, json=file.announcement())
    assert (await send(phone, file, 0, 100)).status_code == 204
    assert (await send(phone, file, 100)).status_code == 422
    assert bucket() == []
    assert await offset_of(phone, file) == 0


async def test_a_wrong_hash_starts_again_with_an_empty_bucket(phone, bucket):
    file = a_photo()
    await phone.post(BLOBS, json=file.announcement())
    assert (await send(phone, file, 0, content=bytes(len(file.content)))).status_code == 460
    assert bucket() == []
    assert (await send(phone, file, 0)).status_code == 204


async def test_parts_somebody_deleted_start_the_file_again(phone, s3_place, bucket):
    file = a_photo()
    await phone.post(BLOBS, json=file.announcement())
    await send(phone, file, 0, 4_000)
    s3_client(s3_place.endpoint).delete_object(Bucket=s3_place.bucket, Key=f"some/prefix/{bucket()[0]}")
    lost = await send(phone, file, 4_000)
    assert (lost.status_code, lost.headers["upload-offset"]) == (409, "0")
    assert (await send(phone, file, 0)).status_code == 204
    assert (await phone.get(f"{BLOBS}/{file.sha256}")).content == file.content


async def test_a_store_that_is_away_stops_uploads_and_nothing_else(app, phone, services, s3_place):
    file = a_photo()
    app.state.services = replace(services, blobs=S3Store(replace(s3_place, endpoint="http://127.0.0.1:9")))
    assert (await phone.post(BLOBS, json=file.announcement())).status_code == 201
    refused = await send(phone, file, 0)
    assert (refused.status_code, refused.json()["code"]) == (503, "blob.store_unavailable")
    assert await offset_of(phone, file) == 0
    app.state.services = services
    assert (await send(phone, file, 0)).status_code == 204
