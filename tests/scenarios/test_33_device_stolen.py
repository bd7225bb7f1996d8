"""33: Device reported stolen, thief goes online."""

from dataclasses import replace
from datetime import timedelta

import pytest

from server.identity.domain import RevokeReason
from server.sync import fleet
from simulator.device import DeviceRevoked, Locked, NoConnection
from simulator.device.device import LEASE
from tests.factories.media import a_photo


async def stolen(field, phone):
    async with field.database.unit_of_work(field.company.id) as uow:
        await fleet.cut_off(uow, field.company.actor("administrator"), phone.id, RevokeReason.STOLEN)


async def manifest(field, device):
    async with field.database.unit_of_work(field.company.id) as uow:
        return await fleet.manifest(uow, field.company.actor("administrator"), device)


async def test_33_unlocked_lately_it_hands_in_its_outbox_then_deletes_everything_and_says_so(field):
    async with field.phone() as phone:
        device, held = phone.id, phone.base.buckets()
        field.note(phone, "not sent")
        await stolen(field, phone)
        field.clock.forward(timedelta(days=1))
        with pytest.raises(DeviceRevoked) as refused:
            await phone.sync()
        assert refused.value.wipe
        assert list(field.folder.glob("phone.db*")) == []
        assert await field.quarantine() == [("AFTER_REVOCATION", "not sent")]
        assert await field.notes() == []
        (row,) = await field.sql("select wiped_at, revoked_why from device where id = %(id)s", id=device)
        assert (row["wiped_at"], row["revoked_why"]) == (field.clock.now(), "stolen")
        assert set(held) <= set((await manifest(field, device)).buckets)
        (told,) = await field.sql("select payload from event where name = 'device.wiped'")
        assert told["payload"] == {"unsent_left": 0}


async def test_33_the_photos_of_its_outbox_are_on_the_server_before_it_deletes_them(field):
    photo = a_photo(33, 400, 300)
    async with field.phone() as phone:
        field.photograph(phone, photo)
        await stolen(field, phone)
        with pytest.raises(DeviceRevoked):
            await phone.sync()
        assert list(field.folder.glob("phone.db*")) == []
        assert await field.stored(photo) == photo.content
        assert [code for code, _ in await field.quarantine()] == ["AFTER_REVOCATION"]


async def test_33_without_room_for_its_photos_it_keeps_everything_and_tries_again(field):
    photo, services = a_photo(33), field.app.state.services
    async with field.phone() as phone:
        field.photograph(phone, photo)
        await stolen(field, phone)
        field.app.state.services = replace(services, files=replace(services.files, device_bytes_a_day=10))
        with pytest.raises(NoConnection):
            await phone.sync()
        assert await field.stored(photo) is None
        field.app.state.services = services
        with pytest.raises(DeviceRevoked):
            await phone.sync()
        assert await field.stored(photo) == photo.content
        assert list(field.folder.glob("phone.db*")) == []


async def test_33_locked_it_shows_nothing_hands_in_nothing_and_says_how_much_was_lost(field):
    async with field.phone() as phone:
        field.note(phone, "not sent")
        await stolen(field, phone)
        field.clock.forward(LEASE + timedelta(minutes=1))
        with pytest.raises(Locked):
            phone.shown("work_order")
        with pytest.raises(DeviceRevoked):
            await phone.sync()
        assert list(field.folder.glob("phone.db*")) == []
        assert await field.quarantine() == []
        (told,) = await field.sql("select payload from event where name = 'device.wiped'")
        assert told["payload"] == {"unsent_left": 1}


async def test_33_the_manifest_is_frozen_whatever_happens_later(field):
    async with field.phone() as phone:
        before = await manifest(field, phone.id)
        await stolen(field, phone)
        frozen = await manifest(field, phone.id)
        assert frozen.buckets == before.buckets
        assert f"wo:{field.order.id}" in frozen.buckets
        assert frozen.frozen_at == field.clock.now()
        await field.sql("delete from sync_device_state returning 1")
        field.clock.forward(timedelta(days=30))
        assert await manifest(field, phone.id) == frozen


async def test_33_every_token_of_it_is_dead_at_once_and_everything_it_still_sends_is_quarantined(field):
    async with field.phone() as phone:
        field.note(phone, "after the theft")
        await stolen(field, phone)
        headers = {"Authorization": f"Bearer {phone._store.setting('access_token')}"}
        for method, path in [
            ("post", "/mobile/v1/sync/push"),
            ("post", "/mobile/v1/sync/pull"),
            ("get", "/mobile/v1/sync/events"),
        ]:
            answer = await phone.http.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "DEVICE_REVOKED"), path
            assert answer.json()["facts"]["wipe"] is True
        refreshed = await phone.http.post(
            "/mobile/v1/auth/refresh", json={"refresh_token": phone._store.setting("refresh_token")}
        )
        assert (refreshed.status_code, refreshed.json()["code"]) == (403, "DEVICE_REVOKED")
        assert await phone.rescue("found again") == 1
        assert await field.quarantine() == [("AFTER_REVOCATION", "after the theft")]
        assert await field.notes() == []
