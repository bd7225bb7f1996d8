"""34: Stolen device offline for ever."""

from datetime import timedelta

import pytest

from server.identity.domain import RevokeReason
from server.sync import fleet
from simulator.device import Locked
from simulator.device.device import LEASE


async def test_34_the_office_knows_what_was_on_it_and_how_much_was_not_sent(field):
    async with field.phone() as phone:
        device, held = phone.id, set(phone.base.buckets())
        field.note(phone, "sent")
        await phone.sync()
        field.note(phone, "never sent")
        field.note(phone, "never sent either")
        await phone.report_health()
        reported_at = field.clock.now()
        field.clock.forward(timedelta(days=2))
        async with field.database.unit_of_work(field.company.id) as uow:
            administrator = field.company.actor("administrator")
            await fleet.cut_off(uow, administrator, device, RevokeReason.STOLEN)
        field.clock.forward(timedelta(days=365))
        await fleet.watch_all(field.database)

        async with field.database.unit_of_work(field.company.id) as uow:
            manifest = await fleet.manifest(uow, administrator, device)
            known = await fleet.device(uow, device)
        assert held <= set(manifest.buckets)
        assert (known.unsent_count, known.reported_at, known.last_seq) == (2, reported_at, 1)
        assert known.oldest_unsent_at == reported_at
        assert (known.wiped_at, known.alerts) == (None, ("unsent_too_long",))


async def test_34_after_the_lease_nothing_is_shown_and_nothing_is_deleted(field):
    async with field.phone() as phone:
        field.note(phone, "kept")
        field.clock.forward(LEASE)
        assert phone.shown("work_order")
        field.clock.forward(timedelta(seconds=1))
        assert phone.locked
        with pytest.raises(Locked):
            phone.shown("work_order")
        assert phone.outbox.waiting() == 1
        phone.unlock()
        assert phone.shown("work_order")
