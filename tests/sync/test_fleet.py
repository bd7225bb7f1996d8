"""Devices say how they are; what is wrong is told once; a lost one is cut off and known for what it held."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from server.core.errors import NotFound
from server.identity import service as identity
from server.identity.domain import Audience, RevokeReason
from server.identity.errors import DeviceRevoked
from server.identity.tokens import Credential
from server.sync import fleet, review
from server.sync.fleet import Health
from server.sync.matters import Alert, Verdict
from server.sync.review_queries import Sought
from tests.factories.sync import enrolled_phone


@pytest.fixture
async def phone(database, engineer):
    return await enrolled_phone(database, engineer)


def health(**said):
    plain: dict[str, Any] = {
        "app": "pwa/2026.11.3",
        "unsent_count": 0,
        "unsent_bytes": 0,
        "oldest_unsent_at": None,
        "files_waiting": 0,
        "rows": 100,
        "storage_persisted": True,
        "quota_bytes": 10**9,
        "used_bytes": 10**6,
        "clock_offset_ms": -1500,
        "storage_cleared": False,
    }
    return Health(**(plain | said))


@pytest.fixture
def report(phone):
    async def act(**said):
        async with phone.database.unit_of_work(phone.actor.org) as uow:
            await fleet.report(uow, phone.actor.device, health(**said))

    return act


async def state(phone):
    async with phone.database.unit_of_work(phone.actor.org) as uow:
        return await fleet.device(uow, phone.actor.device)


async def told(phone, kind):
    async with phone.database.unit_of_work(phone.actor.org) as uow:
        return await uow.value(
            "select count(*) from event where name = 'device.alert' and payload ->> 'kind' = %(kind)s", kind=kind
        )


async def test_the_last_report_is_what_the_office_sees(phone, report, clock):
    await report(unsent_count=3, oldest_unsent_at=clock.now())
    clock.forward(timedelta(hours=1))
    await report(unsent_count=1, oldest_unsent_at=clock.now(), storage_persisted=False, files_waiting=2)
    seen = await state(phone)
    assert (seen.unsent_count, seen.files_waiting, seen.storage_persisted) == (1, 2, False)
    assert (seen.reported_at, seen.last_contact_at, seen.app_version) == (clock.now(), clock.now(), "pwa/2026.11.3")
    assert seen.clock_offset_ms == -1500
    assert seen.alerts == ()


async def test_unsent_work_older_than_a_day_is_told_once_and_is_over_when_it_is_sent(phone, report, clock):
    old = clock.now() - timedelta(hours=25)
    await report(unsent_count=2, oldest_unsent_at=old)
    await report(unsent_count=2, oldest_unsent_at=old)
    assert (await state(phone)).alerts == (Alert.UNSENT_TOO_LONG,)
    assert await told(phone, Alert.UNSENT_TOO_LONG) == 1
    await report()
    assert (await state(phone)).alerts == ()
    await report(unsent_count=2, oldest_unsent_at=old)
    assert await told(phone, Alert.UNSENT_TOO_LONG) == 2


async def test_a_phone_that_fell_silent_with_unsent_work_is_noticed_by_the_watch(phone, report, clock, database):
    await report(unsent_count=2, oldest_unsent_at=clock.now())
    await fleet.watch_all(database)
    assert (await state(phone)).alerts == ()
    clock.forward(timedelta(hours=25))
    await fleet.watch_all(database)
    await fleet.watch_all(database)
    assert (await state(phone)).alerts == (Alert.UNSENT_TOO_LONG,)
    assert await told(phone, Alert.UNSENT_TOO_LONG) == 1


async def test_quarantined_work_is_told_until_it_is_settled(phone, database, dispatcher):
    await phone.push(phone.note("dear"))
    await fleet.watch_all(database)
    seen = await state(phone)
    assert (seen.alerts, seen.quarantined, seen.conflicts) == ((Alert.QUARANTINE,), 1, 0)
    async with database.unit_of_work(phone.actor.org) as uow:
        (item,) = (await review.items(uow, Sought(), cursor=None, limit=5)).items
        await review.settle(uow, phone.registry, dispatcher, item.id, Verdict.DISCARD)
    await fleet.watch_all(database)
    assert (await state(phone)).alerts == ()


async def test_storage_that_was_cleared_is_told_with_what_was_last_known_to_be_unsent(phone, report, database, clock):
    await report(unsent_count=7, oldest_unsent_at=clock.now())
    await report(storage_cleared=True)
    async with database.unit_of_work(phone.actor.org) as uow:
        facts = await uow.value("select facts from device_alert where kind = 'storage_cleared'")
    assert facts["unsent_count"] == 7
    assert (await state(phone)).alerts == (Alert.STORAGE_CLEARED,)


async def test_too_many_rows_and_a_failed_comparison_are_told(phone, report, database):
    await report(rows=fleet.MANY_ROWS + 1)
    async with database.unit_of_work(phone.actor.org) as uow:
        await fleet.note_verify_mismatch(uow, phone.actor.device, ["wo:1"])
    assert set((await state(phone)).alerts) == {Alert.TOO_MANY_ROWS, Alert.VERIFY_MISMATCH}


async def test_somebody_who_has_looked_puts_an_alert_away(phone, administrator, database):
    async def put_away():
        async with database.unit_of_work(phone.actor.org) as uow:
            await fleet.acknowledge(uow, administrator, phone.actor.device, Alert.VERIFY_MISMATCH)

    async with database.unit_of_work(phone.actor.org) as uow:
        await fleet.note_verify_mismatch(uow, phone.actor.device, ["wo:1"])
    await put_away()
    assert (await state(phone)).alerts == ()
    with pytest.raises(NotFound):
        await put_away()


async def test_the_manifest_is_frozen_when_the_device_is_cut_off_and_reading_it_is_remembered(
    phone, administrator, database
):
    await phone.push(phone.note("a"))
    await phone.pull(want=frozenset())

    async def held():
        async with database.unit_of_work(phone.actor.org) as uow:
            return await fleet.manifest(uow, administrator, phone.actor.device)

    live = await held()
    assert (live.frozen_at, live.last_seq) == (None, 1)
    assert f"user:{phone.actor.person}" in live.buckets
    async with database.unit_of_work(phone.actor.org) as uow:
        await fleet.cut_off(uow, administrator, phone.actor.device, RevokeReason.STOLEN)
        await uow.run("delete from sync_device_state")
    frozen = await held()
    assert frozen.buckets == live.buckets
    assert frozen.frozen_at == database.clock.now()
    async with database.unit_of_work(phone.actor.org) as uow:
        readers = await uow.rows("select actor_id from event where name = 'device.manifest_read'")
    assert [row["actor_id"] for row in readers] == [administrator.person] * 2


async def test_cutting_off_twice_changes_and_tells_nothing_more(phone, administrator, database, clock):
    async def cut(why):
        async with database.unit_of_work(phone.actor.org) as uow:
            await fleet.cut_off(uow, administrator, phone.actor.device, why)

    await cut(RevokeReason.LOST)
    first = await state(phone)
    clock.forward(timedelta(days=1))
    await cut(RevokeReason.STOLEN)
    again = await state(phone)
    assert (again.revoked_at, again.revoked_why) == (first.revoked_at, "lost")
    async with database.unit_of_work(phone.actor.org) as uow:
        assert await uow.value("select count(*) from event where name = 'device.revoked'") == 1
        with pytest.raises(NotFound):
            await fleet.cut_off(uow, administrator, uuid4(), RevokeReason.LOST)


async def test_a_stolen_phone_is_told_to_wipe_also_when_its_person_has_left(phone, administrator, database):
    async with database.unit_of_work(phone.actor.org) as uow:
        await identity.dismiss(uow, administrator, phone.actor.person)
        await fleet.cut_off(uow, administrator, phone.actor.device, RevokeReason.STOLEN)
        credential = Credential(phone.actor.org, Audience.MOBILE, phone.actor.person, uuid4(), phone.actor.device)
        with pytest.raises(DeviceRevoked) as told_to:
            await identity.actor_of(uow, credential)
    assert told_to.value.facts == {"wipe": True}


async def test_a_wipe_is_confirmed_once(phone, database, clock):
    async def confirm():
        async with database.unit_of_work(phone.actor.org) as uow:
            await fleet.confirm_wiped(uow, phone.actor.device, phone.actor.person, unsent_left=4)

    await confirm()
    wiped_at = (await state(phone)).wiped_at
    clock.forward(timedelta(hours=1))
    await confirm()
    assert (await state(phone)).wiped_at == wiped_at
    async with database.unit_of_work(phone.actor.org) as uow:
        assert [row["payload"] for row in await uow.rows("select payload from event where name = 'device.wiped'")] == [
            {"unsent_left": 4}
        ]


async def test_devices_are_paged_and_found_by_person(database, company, clock):
    for role in ("engineer", "engineer", "partner_engineer"):
        clock.forward(timedelta(seconds=1))
        await enrolled_phone(database, company.actor(role))
    async with database.unit_of_work(company.id) as uow:
        first = await fleet.devices(uow, person=None, cursor=None, limit=2)
        rest = await fleet.devices(uow, person=None, cursor=first.next_cursor, limit=2)
        theirs = await fleet.devices(uow, person=company.actor("engineer").person, cursor=None, limit=9)
    assert (len(first.items), len(rest.items), rest.next_cursor) == (2, 1, None)
    assert len({device.id for device in [*first.items, *rest.items]}) == 3
    assert len(theirs.items) == 2
