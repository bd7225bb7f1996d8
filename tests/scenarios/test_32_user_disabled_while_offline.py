"""32: User disabled while offline."""

from datetime import timedelta

import pytest

from server.core.limits import Rate
from server.identity import service as identity
from server.sync import rescue
from simulator.device import DeviceRevoked
from tests.factories.identity import found_company
from tests.factories.media import a_photo, checksum, enrolled_token
from tests.scenarios.uploading import BLOBS, CHUNK

LAST_DOOR = "/mobile/v1/sync/rescue/blobs"


async def test_32_push_is_refused_rescue_keeps_the_bundle_once_and_nothing_is_read(field):
    async with field.phone() as phone:
        field.note(phone, "one")
        field.note(phone, "two")
        async with field.database.unit_of_work(field.company.id) as uow:
            await identity.dismiss(uow, field.company.actor("administrator"), field.company.actor("engineer").person)

        with pytest.raises(DeviceRevoked) as refused:
            await phone.sync()
        assert "USER_DISABLED" in str(refused.value)
        assert not refused.value.wipe
        assert phone.outbox.waiting() == 2

        bundle = {
            "device": phone.id,
            "stream": phone.outbox.stream,
            "reason": "disabled",
            "mutations": [it.envelope for it in phone.outbox.everything()],
        }
        headers = {"Authorization": f"Bearer {phone._store.setting('access_token')}"}
        answers = [await phone.http.post("/mobile/v1/sync/rescue", json=bundle, headers=headers) for _ in range(2)]
        assert [answer.json() for answer in answers] == [
            {"accepted": 2, "duplicates": 0},
            {"accepted": 0, "duplicates": 2},
        ]
        assert await phone.rescue("disabled") == 2
        assert await field.quarantine() == [("USER_DISABLED", "one"), ("USER_DISABLED", "two")]
        assert await field.notes() == []

        readable = [
            ("post", "/mobile/v1/sync/pull"),
            ("get", "/mobile/v1/sync/quarantine"),
            ("get", "/mobile/v1/sync/conflicts"),
        ]
        for method, path in readable:
            answer = await phone.http.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "USER_DISABLED"), path


async def disable(field):
    async with field.database.unit_of_work(field.company.id) as uow:
        await identity.dismiss(uow, field.company.actor("administrator"), field.company.actor("engineer").person)


async def test_32_a_photo_goes_with_the_bundle_that_names_it(field):
    photo = a_photo(32, 400, 300)
    async with field.phone() as phone:
        field.photograph(phone, photo)
        await disable(field)
        assert await phone.rescue("disabled") == 1
        assert phone.files.waiting() == []
        assert await field.stored(photo) == photo.content
        assert await field.quarantine() == [("USER_DISABLED", None)]
        assert await field.sql("select 1 from photo") == []


async def test_32_a_photo_of_work_that_was_pushed_before_is_taken_as_well(field):
    photo = a_photo(33)
    async with field.phone() as phone:
        field.photograph(phone, photo)
        await phone.push()
        await disable(field)
        with pytest.raises(DeviceRevoked):
            await phone.files.upload()
        assert await phone.rescue("disabled") == 0
        assert await field.stored(photo) == photo.content


async def test_32_what_nothing_names_is_refused_and_no_byte_of_it_is_kept(field):
    mine, other = a_photo(32), a_photo(99)
    async with field.phone() as phone:
        field.photograph(phone, mine)
        await disable(field)
        headers = {"Authorization": f"Bearer {phone._store.setting('access_token')}"}
        patch = headers | CHUNK | {"Upload-Offset": "0", "Upload-Checksum": checksum(other.content)}
        address = f"{LAST_DOOR}/{other.sha256}"
        answers = [
            await phone.http.post(LAST_DOOR, json=other.announcement(), headers=headers),
            await phone.http.head(address, headers=headers | CHUNK),
            await phone.http.patch(address, content=other.content, headers=patch),
        ]
        assert [answer.status_code for answer in answers] == [403] * 3
        assert {answers[0].json()["code"], answers[2].json()["code"]} == {"rescue.file_not_named"}
        # Named, but only on the phone: what names it has to be handed in first.
        early = await phone.http.post(LAST_DOOR, json=mine.announcement(), headers=headers)
        assert early.status_code == 403
        assert await field.sql("select 1 from blob") == []


async def test_32_whoever_asks_for_files_without_end_is_slowed_refused_tries_included(field, monkeypatch):
    monkeypatch.setattr(rescue, "FILE_RATE", Rate(times=1, per=timedelta(hours=1), burst=3))
    async with field.phone() as phone:
        await disable(field)
        headers = {"Authorization": f"Bearer {phone._store.setting('access_token')}"}
        announced = a_photo(32).announcement()
        answers = [await phone.http.post(LAST_DOOR, json=announced, headers=headers) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [403, 403, 403, 429]


async def test_32_nothing_is_read_through_the_door_of_files(field):
    photo = a_photo(32)
    async with field.phone() as phone:
        field.photograph(phone, photo)
        await disable(field)
        await phone.rescue("disabled")
        headers = {"Authorization": f"Bearer {phone._store.setting('access_token')}"} | CHUNK
        known = await phone.http.head(f"{LAST_DOOR}/{photo.sha256}", headers=headers)
        assert (known.status_code, known.content) == (200, b"")
        assert (await phone.http.get(f"{LAST_DOOR}/{photo.sha256}", headers=headers)).status_code == 405
        for method in ("get", "head", "delete"):
            shut = await phone.http.request(method, f"{BLOBS}/{photo.sha256}", headers=headers)
            assert shut.status_code == 403, method


async def test_32_a_device_of_another_company_finds_nothing_named(field, database, services):
    photo = a_photo(32)
    async with field.phone() as phone:
        field.photograph(phone, photo)
        await disable(field)
        await phone.rescue("disabled")
        rival = await found_company(database, "rival")
        headers = {"Authorization": f"Bearer {await enrolled_token(services, rival, 'engineer')}"}
        answer = await phone.http.post(LAST_DOOR, json=photo.announcement(), headers=headers)
        assert answer.status_code == 403
