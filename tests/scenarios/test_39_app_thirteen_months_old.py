"""39: App 13 months old pushes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from server.sync.windows import NOTICE, Window, announce
from simulator.device import UpgradeRequired

YEAR_AND_A_MONTH = timedelta(days=396)


async def close_the_window(field):
    """The office announced a newest lowest version in time, and that day has come."""
    windows = {"reference": Window("2.0", field.clock.now(), field.clock.now() + NOTICE)}
    async with field.database.unit_of_work() as uow:
        await announce(uow, windows)
    field.app.state.services = replace(field.app.state.services, app_windows=windows)
    return windows


async def test_39_push_says_426_the_outbox_is_handed_in_and_nothing_is_lost(field):
    async with field.phone(app="reference/1.0.0") as phone:
        field.note(phone, "one")
        field.note(phone, "two")
        windows = await close_the_window(field)
        field.clock.forward(YEAR_AND_A_MONTH)
        await phone.enrol(await field.code(), "Old phone")

        with pytest.raises(UpgradeRequired) as told:
            await phone.sync()

        assert "too old for this server; update it. Nothing recorded on it is lost" in str(told.value)
        assert phone.outbox.waiting() == 0
        assert await field.quarantine() == [("UPGRADE_REQUIRED", "one"), ("UPGRADE_REQUIRED", "two")]
        hello = (await phone.http.get("/mobile/v1/sync/hello", params={"platform": "reference"})).json()
        assert hello["app"]["min_version"] == "2.0"
        assert hello["app"]["hard_from"].startswith(str(windows["reference"].hard_from.date()))


async def test_39_before_the_hard_date_the_old_app_is_served(field):
    async with field.phone(app="reference/1.0.0") as phone:
        field.note(phone, "in time")
        await close_the_window(field)
        await phone.sync()
        assert await field.notes() == ["in time"]


async def test_39_once_updated_it_goes_on_and_what_was_handed_in_is_not_doubled(field):
    async with field.line() as http:
        old = field.open(http, app="reference/1.0.0")
        await old.enrol(await field.code(), "Phone")
        await old.sync()
        field.note(old, "by the old app")
        await close_the_window(field)
        field.clock.forward(NOTICE)
        with pytest.raises(UpgradeRequired):
            await old.push()
        old.close()
        new = field.open(http, app="reference/2.0.0")
        field.note(new, "by the new app")
        await new.sync()
        assert [it.status for it in new.outbox.everything()] == ["duplicate", "applied"]
        assert await field.notes() == ["by the new app"]
        assert await field.quarantine() == [("UPGRADE_REQUIRED", "by the old app")]
        new.close()
