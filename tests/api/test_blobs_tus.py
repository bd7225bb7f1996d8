"""tus 1.0 as its clients speak it: what we say of ourselves, creation, checksums, termination, expiry, quotas."""

from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest

from server.identity.domain import Audience
from tests.factories.identity import token_for
from tests.factories.media import File, a_photo, checksum, enrolled_token, metadata

BLOBS = "/mobile/v1/blobs"
TUS = {"Tus-Resumable": "1.0.0"}
CHUNK = TUS | {"Content-Type": "application/offset+octet-stream"}


@pytest.fixture
async def phone(client, services, company):
    client.headers["Authorization"] = f"Bearer {await enrolled_token(services, company, 'engineer')}"
    return client


async def create(phone, file: File, content: bytes | None = None, **headers: str):
    said = {
        "Upload-Length": str(len(file.content)),
        "Upload-Metadata": metadata(sha256=file.sha256, filetype=file.mime),
    }
    kind = CHUNK if content is not None else TUS
    return await phone.post(
        BLOBS, content=content, headers=kind | said | {name.replace("_", "-"): value for name, value in headers.items()}
    )


async def patch(phone, file: File, offset: int, content: bytes, **headers: str):
    said = {"Upload-Offset": str(offset)} | {name.replace("_", "-"): value for name, value in headers.items()}
    return await phone.patch(f"{BLOBS}/{file.sha256}", content=content, headers=CHUNK | said)


async def offset_of(phone, file: File) -> int:
    return int((await phone.head(f"{BLOBS}/{file.sha256}", headers=TUS)).headers["upload-offset"])


def problem(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_what_is_spoken_is_told_to_anybody(client):
    told = await client.options(BLOBS)
    assert told.status_code == 204
    assert told.headers["tus-version"] == "1.0.0"
    assert told.headers["tus-extension"] == "creation,creation-with-upload,checksum,termination,expiration"
    assert told.headers["tus-max-size"] == "25000000"
    assert told.headers["tus-checksum-algorithm"] == "sha256,sha1"


async def test_created_by_headers_and_sent(phone):
    file = a_photo()
    created = await create(phone, file)
    assert created.status_code == 201
    assert created.headers["location"] == f"{BLOBS}/{file.sha256}"
    assert created.headers["upload-offset"] == "0"
    assert (await patch(phone, file, 0, file.content)).headers["upload-offset"] == str(len(file.content))
    assert (await phone.get(f"{BLOBS}/{file.sha256}")).content == file.content


async def test_a_small_photo_takes_one_round_trip(phone):
    file = a_photo()
    created = await create(phone, file, file.content, Upload_Checksum=checksum(file.content))
    assert (created.status_code, created.json()["state"]) == (201, "ready")
    assert created.headers["upload-offset"] == str(len(file.content))
    assert "upload-expires" not in created.headers


async def test_the_first_part_may_come_with_the_creation(phone):
    file = a_photo()
    created = await create(phone, file, file.content[:1000])
    assert (created.json()["state"], created.headers["upload-offset"]) == ("pending", "1000")
    assert (await patch(phone, file, 1000, file.content[1000:])).status_code == 204


async def test_created_again_it_says_where_to_go_on_and_takes_no_bytes(phone):
    file = a_photo()
    await create(phone, file, file.content[:1000])
    again = await create(phone, file, file.content[:1000])
    assert (again.status_code, again.headers["upload-offset"]) == (201, "1000")
    await patch(phone, file, 1000, file.content[1000:])
    known = await create(phone, file)
    assert (known.status_code, known.json()["state"]) == (201, "ready")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"Tus_Resumable": "0.2.2"}, (412, "tus.version")),
        ({"Upload_Metadata": "sha256 %%%"}, (400, "blob.metadata_unreadable")),
        ({"Upload_Metadata": metadata(filetype="image/jpeg")}, (422, "invalid")),
        ({"Upload_Metadata": metadata(sha256="../../etc/passwd")}, (422, "invalid")),
        ({"Upload_Length": "25000001"}, (413, "blob.too_large")),
        ({"Upload_Length": "0"}, (422, "invalid")),
        ({"Upload_Checksum": "md5 aaaa"}, (400, "blob.checksum_unreadable")),
    ],
    ids=["version", "metadata", "no hash", "path for a hash", "too long", "nothing", "unknown sum"],
)
async def test_creations_that_make_no_sense_are_refused(phone, said, expected):
    assert problem(await create(phone, a_photo(), **said)) == expected


async def test_every_method_wants_the_version(phone):
    file = a_photo()
    await create(phone, file)
    for method in ("HEAD", "PATCH", "DELETE"):
        headers = CHUNK | {"Upload-Offset": "0", "Tus-Resumable": ""}
        refused = await phone.request(method, f"{BLOBS}/{file.sha256}", headers=headers)
        assert (refused.status_code, refused.headers["tus-version"]) == (412, "1.0.0"), method


@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
async def test_a_chunk_that_differs_from_its_checksum_is_dropped_and_sent_again(phone, algorithm):
    file = a_photo()
    await create(phone, file)
    await patch(phone, file, 0, file.content[:1000], Upload_Checksum=checksum(file.content[:1000], algorithm))
    broken = bytearray(file.content[1000:3000])
    broken[7] ^= 4
    refused = await patch(
        phone, file, 1000, bytes(broken), Upload_Checksum=checksum(file.content[1000:3000], algorithm)
    )
    assert problem(refused) == (460, "blob.chunk_differs")
    assert refused.headers["upload-offset"] == "1000"
    assert await offset_of(phone, file) == 1000
    rest = file.content[1000:]
    assert (await patch(phone, file, 1000, rest, Upload_Checksum=checksum(rest, algorithm))).status_code == 204


async def test_the_end_of_a_complete_file_may_be_said_again(phone):
    """A client that lost the last answer sends no bytes at the file's end."""
    file = a_photo()
    await create(phone, file, file.content)
    again = await patch(phone, file, len(file.content), b"")
    assert (again.status_code, again.headers["upload-offset"]) == (204, str(len(file.content)))


async def test_an_upload_is_taken_back_by_whoever_announced_it(phone, settings, company):
    file = a_photo()
    await create(phone, file, file.content[:1000])
    assert (await phone.delete(f"{BLOBS}/{file.sha256}", headers=TUS)).status_code == 204
    assert (await phone.head(f"{BLOBS}/{file.sha256}", headers=TUS)).status_code == 404
    assert not (settings.state_dir / "blobs" / str(company.id) / "partial" / file.sha256).exists()
    assert (await create(phone, file)).headers["upload-offset"] == "0"


async def test_a_complete_file_is_kept(phone):
    file = a_photo()
    await create(phone, file, file.content)
    assert problem(await phone.delete(f"{BLOBS}/{file.sha256}", headers=TUS)) == (409, "blob.kept")
    assert (await phone.get(f"{BLOBS}/{file.sha256}")).content == file.content


async def test_nobody_takes_back_what_somebody_else_announced(phone, services, company):
    file = a_photo()
    await create(phone, file)
    other = {"Authorization": f"Bearer {await token_for(services, company, 'partner_engineer', Audience.MOBILE)}"}
    assert (await phone.delete(f"{BLOBS}/{file.sha256}", headers=TUS | other)).status_code == 404
    assert await offset_of(phone, file) == 0


async def test_a_pending_upload_says_until_when_it_is_kept(phone, clock):
    file = a_photo()
    created = await create(phone, file)
    assert parsedate_to_datetime(created.headers["upload-expires"]) == clock.now() + timedelta(days=7)
    clock.forward(timedelta(minutes=5))
    sent = await patch(phone, file, 0, file.content[:100])
    assert parsedate_to_datetime(sent.headers["upload-expires"]) == clock.now() + timedelta(days=7)


async def test_what_a_device_may_announce_in_a_day_is_bounded(app, phone, services, clock, settings, company):
    first, second = a_photo(1), a_photo(2)
    app.state.services = replace(services, files=replace(services.files, device_bytes_a_day=len(first.content) + 10))
    assert (await create(phone, first)).status_code == 201
    refused = await create(phone, second, second.content)
    assert problem(refused) == (413, "blob.device_quota")
    assert (await phone.post(BLOBS, json=second.announcement())).json()["code"] == "blob.device_quota"
    assert (await phone.head(f"{BLOBS}/{second.sha256}", headers=TUS)).status_code == 404
    assert not (settings.state_dir / "blobs" / str(company.id) / "partial" / second.sha256).exists()
    assert (await create(phone, first)).status_code == 201  # known already: it costs nothing twice
    await phone.delete(f"{BLOBS}/{first.sha256}", headers=TUS)
    assert (await create(phone, second)).status_code == 201


async def test_the_device_s_allowance_comes_back_after_a_day(app, client, services, company, clock):
    first, second = a_photo(1), a_photo(2)
    app.state.services = replace(services, files=replace(services.files, device_bytes_a_day=len(first.content) + 10))
    client.headers["Authorization"] = f"Bearer {await enrolled_token(services, company, 'engineer')}"
    await create(client, first)
    clock.forward(timedelta(hours=25))
    client.headers["Authorization"] = f"Bearer {await enrolled_token(services, company, 'engineer')}"
    assert (await create(client, second)).status_code == 201


async def test_what_an_organisation_may_keep_is_bounded(app, phone, services):
    first, second = a_photo(1), a_photo(2)
    app.state.services = replace(services, files=replace(services.files, organisation_bytes=len(first.content) + 10))
    assert (await create(phone, first)).status_code == 201
    assert problem(await create(phone, second)) == (413, "blob.organisation_quota")


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<!doctype html><script>alert(1)</script>",
        b"GIF89a/*" + b"\0" * 50 + b"*/=alert(1)",
        b"PK\x03\x04" + b"\0" * 50,
    ],
    ids=["svg", "html", "gif and script", "zip"],
)
async def test_what_only_calls_itself_a_photo_is_refused_and_said(phone, database, company, content):
    file = File(content, "image/jpeg")
    assert problem(await create(phone, file, content)) == (422, "blob.content_not_allowed")
    async with database.unit_of_work(company.id) as uow:
        told = await uow.value("select payload ->> 'code' from event where name = 'blob.refused'")
    assert told == "blob.content_not_allowed"


async def test_files_are_handed_out_as_nothing_a_browser_would_run(phone):
    script = b"\xff\xd8\xff\xfe\x00\x20/*<script>alert(1)</script>*/" + a_photo().content[2:]
    file = File(script, "text/html")
    await create(phone, file, script)
    answer = await phone.get(f"{BLOBS}/{file.sha256}")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == f'attachment; filename="{file.sha256[:16]}.jpeg"'
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


async def test_a_file_the_store_lost_is_asked_for_when_it_is_announced_again(phone, settings, company, database):
    file = a_photo()
    await create(phone, file, file.content)
    (settings.state_dir / "blobs" / str(company.id) / file.sha256[:2] / file.sha256).unlink()
    again = await phone.post(BLOBS, json=file.announcement())
    assert (again.status_code, again.json()["state"], again.json()["offset"]) == (201, "pending", 0)
    assert (await patch(phone, file, 0, file.content)).status_code == 204
    assert (await phone.get(f"{BLOBS}/{file.sha256}")).content == file.content
    async with database.unit_of_work(company.id) as uow:
        told = await uow.rows(
            "select name, count(*) from event where subject_kind = 'blob' group by name order by name"
        )
    assert [(row["name"], row["count"]) for row in told] == [("blob.lost", 1), ("blob.ready", 2)]


async def test_a_restored_database_finds_the_file_in_the_store_and_believes_only_its_bytes(
    phone, services, database, company, settings
):
    file = a_photo()
    await create(phone, file, file.content)
    async with database.unit_of_work(company.id) as uow:
        await uow.run("delete from blob")
    assert (await phone.post(BLOBS, json=file.announcement())).status_code == 200
    async with database.unit_of_work(company.id) as uow:
        await uow.run("delete from blob")
    stored = settings.state_dir / "blobs" / str(company.id) / file.sha256[:2] / file.sha256
    stored.write_bytes(bytes(len(file.content)))
    begun = await phone.post(BLOBS, json=file.announcement())
    assert (begun.status_code, begun.json()["offset"]) == (201, 0)
    assert not stored.exists()
