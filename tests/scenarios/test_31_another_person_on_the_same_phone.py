"""31: User B logs in on the same phone with A's unsent outbox."""

from random import Random

import pytest

from simulator.device import EnrolmentRefused, Handset, SignedOut
from tests.factories.workforce import an_engineer
from tests.scenarios.phones import Instants


async def test_31_as_data_is_invisible_never_pushed_by_b_and_sent_when_a_is_back(field, tmp_path):
    async with field.database.unit_of_work(field.company.id) as uow:
        await an_engineer(uow, field.company.actor("partner_engineer"))
    async with field.line() as http:
        phone = Handset(tmp_path / "shared", http, Instants(field.clock), Random(1))
        a = await phone.sign_in(await field.code("engineer"), "Shared phone")
        await a.sync()
        field.note(a, "by A")
        field.note(a, "by A, too")

        b = await phone.sign_in(await field.code("partner_engineer"), "Shared phone")
        await b.sync()
        assert b.outbox.everything() == []
        assert b.shown("work_order") == {}
        assert phone.unsent_of_others() == 2  # the banner
        assert await field.notes() == []
        assert await field.sql("select 1 from mutation_log") == []

        a = await phone.sign_in(await field.code("engineer"), "Shared phone")
        await a.sync()
        assert phone.unsent_of_others() == 0
        assert await field.notes() == ["by A", "by A, too"]
        authors = await field.sql("select distinct person_id from mutation_log")
        assert [row["person_id"] for row in authors] == [field.company.actor("engineer").person]
        phone.sign_out()


async def test_31_one_database_is_never_handed_to_another_person_while_work_waits_in_it(field):
    async with field.phone() as phone:
        field.note(phone, "by A")
        with pytest.raises(EnrolmentRefused):
            await phone.enrol(await field.code("partner_engineer"), "Shared phone")
        assert phone.person.id == str(field.company.actor("engineer").person)
        assert phone.outbox.waiting() == 1


async def test_31_b_s_token_opens_neither_a_s_stream_nor_a_s_rescue(field, hand_out):
    """A client that does it all the same: the server refuses."""
    async with field.phone() as phone:
        field.note(phone, "by A")
        mutations = [it.envelope for it in phone.outbox.everything()]
        b = await hand_out("partner_engineer", field.order.id)
        pushed = await b.push(*mutations, device=phone.id, stream=phone.outbox.stream)
        assert (pushed.status_code, pushed.json()["code"]) == (403, "STREAM_NOT_YOURS")
        bundle = {"device": phone.id, "stream": phone.outbox.stream, "mutations": mutations}
        handed = await b.client.post("/mobile/v1/sync/rescue", json=bundle, headers=b.headers)
        assert (handed.status_code, handed.json()["code"]) == (403, "rescue.wrong_device")
        assert await field.quarantine() == []


async def test_31_what_a_left_can_be_handed_in_by_rescue_under_a_s_name(field):
    async with field.phone() as phone:
        field.note(phone, "by A")
        await field.sql("update session set revoked_at = now(), revoked_why = 'signed out' returning 1")
        with pytest.raises(SignedOut):
            await phone.push()
        assert await phone.rescue("A does not come back") == 1
        assert await field.quarantine() == [("RESCUED", "by A")]
        (row,) = await field.sql("select person_id from review_item")
        assert row["person_id"] == field.company.actor("engineer").person
