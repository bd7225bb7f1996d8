"""The reference device and the real server, in one process: they must mean the same by every word of the protocol."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import httpx
import pytest
from fastapi import FastAPI

from server.core.db import Database
from server.identity import service as identity
from server.sync import snapshots
from server.workorders import reading, service
from server.workorders.domain import Action, Priority, WorkOrder
from server.workorders.views import WorkOrderDetail
from simulator.device import Attachment, Device, NoConnection
from simulator.faults import Fate, FaultyTransport
from tests.factories.identity import Company
from tests.factories.workforce import an_engineer
from tests.factories.workorders import a_procedure, a_visit, an_order
from tests.fakes.clock import FakeClock


@dataclass
class Sent:
    """A phone with one dispatched order on it."""

    company: Company
    phone: Device
    order: WorkOrder
    fates: list[Fate]

    @property
    def visit(self) -> str:
        return next(iter(self.phone.view.rows("visit")))

    def go(self, *actions: str, **more: str) -> None:
        for action in actions:
            args = {"wo": str(self.order.id), "visit": self.visit, "to": action, "note": "Done as planned.", **more}
            self.phone.record("wo.transition", args)

    def note(self, body: str) -> str:
        note_id = self.phone.new_id()
        self.phone.record("note.add", {"id": note_id, "wo": str(self.order.id), "visit": self.visit, "body": body})
        return note_id

    def photo(self, size: int) -> Attachment:
        file = Attachment(b"\xff\xd8\xff" + Random(1).randbytes(size), "image/jpeg", "photo")
        args = {"id": self.phone.new_id(), "wo": str(self.order.id), "sha256": file.sha256, "caption": "Plate"}
        self.phone.record("photo.add", args, files=[file])
        return file


class Instants:
    """The server's clock, as a phone that is never wrong would have it."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock

    boot = "once"

    def now(self) -> datetime:
        return self._clock.now()

    def mono(self) -> float:
        return 0.0


@pytest.fixture
async def sent(
    app: FastAPI, database: Database, company: Company, clock: FakeClock, tmp_path: Path
) -> AsyncIterator[Sent]:
    """An engineer whose phone has just received an order with a checklist."""
    fates: list[Fate] = []
    async with database.unit_of_work(company.id) as uow:
        await an_engineer(uow, company.actor("engineer"))
        await a_procedure(uow)
        order = await an_order(uow, company.actor("dispatcher"), procedure_key="oven-service", priority=Priority.URGENT)
        await a_visit(uow, company.actor("dispatcher"), company.actor("engineer"), order)
        code, _ = await identity.issue_enrolment_code(
            uow, company.actor("administrator"), company.actor("engineer").person
        )
    transport = FaultyTransport(httpx.ASGITransport(app), lambda _request: fates.pop(0) if fates else Fate.PASS)
    async with httpx.AsyncClient(transport=transport, base_url="http://callout.test") as http:
        phone = Device(tmp_path / "phone.db", http, Instants(clock), Random(1), chunk=20_000)
        await phone.enrol(code, "Test phone")
        await phone.sync()
        yield Sent(company, phone, order, fates)
        phone.close()


@pytest.fixture
def office(database: Database, company: Company):
    """`await office(order)` answers what the dispatcher sees of it."""

    async def look(order: WorkOrder) -> WorkOrderDetail:
        async with database.unit_of_work(company.id) as uow:
            return await reading.detail(uow, company.actor("dispatcher"), order.id)

    return look


def written_by_hand(order: WorkOrderDetail) -> list[str]:
    """Ids of the notes that did not come with a transition."""
    return sorted(str(note.id) for note in order.notes if note.body != "Done as planned.")


async def test_the_order_its_customer_and_its_checklist_are_on_the_phone(sent: Sent) -> None:
    view = sent.phone.view
    assert view.rows("work_order")[str(sent.order.id)]["number"] == sent.order.number
    assert len(view.rows("procedure_item")) == 2
    assert len(view.rows("customer")) == len(view.rows("site")) == len(view.rows("visit")) == 1


async def test_a_visit_done_offline_with_replies_lost_on_the_way_is_on_the_server_once(sent: Sent, office) -> None:
    sent.go("accept", "travel", "arrive", "start")
    notes = [sent.note("Heater broken"), sent.note("加热管已更换\u2028完成")]
    item, yes_no = next(it for it in sent.phone.view.rows("procedure_item").items() if it[1]["kind"] == "yes_no")
    assert yes_no["required"]
    answer = {"id": sent.phone.new_id(), "wo": str(sent.order.id), "visit": sent.visit, "item": item, "value": True}
    sent.phone.record("answer.set", answer)
    photo = sent.photo(90_000)
    sent.go("resolve")
    sent.fates += [Fate.LOSE_REPLY, Fate.LOSE_REPLY, Fate.PASS, Fate.LOSE_REPLY, Fate.PASS, Fate.LOSE_REPLY]
    await sent.phone.settle()
    there = await office(sent.order)
    assert there.order.state == "resolved"
    assert written_by_hand(there) == sorted(notes)
    assert [line.answer.value for line in there.checklist if line.answer] == [True]
    assert [it.sha256 for it in there.photos] == [photo.sha256]
    assert {mutation.status for mutation in sent.phone.outbox.everything()} == {"applied"}
    assert sent.phone.view.rows("work_order")[str(sent.order.id)]["state"] == "resolved"


async def test_what_the_phone_shows_before_it_sent_is_what_the_server_says_after(sent: Sent) -> None:
    item = next(item for item, row in sent.phone.view.rows("procedure_item").items() if row["required"])
    for step in ("accept", "travel", "arrive", "start", "hold", "resume", "resolve", "request_confirmation"):
        if step == "resolve":
            answer = {"id": sent.phone.new_id(), "wo": str(sent.order.id), "item": item, "value": True}
            sent.phone.record("answer.set", answer)
        sent.go(step, **({"hold_reason": "parts"} if step == "hold" else {}))
        before = states(sent.phone)
        await sent.phone.sync()
        assert states(sent.phone) == before, step


def states(phone: Device) -> list[str]:
    return [row["state"] for entity in ("work_order", "visit") for row in phone.view.rows(entity).values()]


async def test_pulls_that_are_cut_again_and_again_leave_nothing_out_and_nothing_behind(
    sent: Sent, database: Database, company: Company
) -> None:
    async with database.unit_of_work(company.id) as uow:
        more = [await an_order(uow, company.actor("dispatcher")) for _ in range(5)]
        for order in more:
            await a_visit(uow, company.actor("dispatcher"), company.actor("engineer"), order)
    for _ in range(4):
        sent.fates[:] = [Fate.CUT]
        with pytest.raises(NoConnection):
            await sent.phone.pull()
    async with database.unit_of_work(company.id) as uow:
        for order in (sent.order, *more[:2]):
            dispatcher = company.actor("dispatcher")
            await service.perform(uow, dispatcher, work_order_id=order.id, action=Action.CANCEL, reason="Not needed")
    await sent.phone.sync()
    assert sent.phone.view.rows("work_order").keys() == {str(order.id) for order in more[2:]}


async def test_a_cloned_phone_goes_on_under_its_own_stream_and_nothing_is_doubled(
    sent: Sent, office, tmp_path: Path
) -> None:
    sent.go("accept")
    note = sent.note("Before the copy")
    shutil.copy(tmp_path / "phone.db", tmp_path / "clone.db")
    shutil.copy(tmp_path / "phone.db-wal", tmp_path / "clone.db-wal")
    clone = Device(tmp_path / "clone.db", sent.phone.http, sent.phone.clock, Random(2))
    theirs = clone.new_id()
    clone.record("note.add", {"id": theirs, "wo": str(sent.order.id), "body": "By the clone"})
    ours = sent.note("By the first")
    await sent.phone.sync()
    stream = clone.outbox.stream
    await clone.sync()
    assert clone.outbox.stream != stream
    assert written_by_hand(await office(sent.order)) == sorted([note, ours, theirs])
    assert [mutation.status for mutation in clone.outbox.everything()] == ["duplicate", "duplicate", "applied"]
    clone.close()


async def test_work_on_an_order_that_was_cancelled_meanwhile_is_kept(
    sent: Sent, database: Database, company: Company, office
) -> None:
    sent.go("accept", "travel", "arrive", "start")
    note = sent.note("Replaced the fuse")
    async with database.unit_of_work(company.id) as uow:
        dispatcher = company.actor("dispatcher")
        await service.perform(uow, dispatcher, work_order_id=sent.order.id, action=Action.CANCEL, reason="Moved out")
    await sent.phone.settle()
    assert written_by_hand(await office(sent.order)) == [note]
    statuses = [mutation.status for mutation in sent.phone.outbox.everything()]
    assert statuses == ["merged"] * 4 + ["applied"]
    assert sent.phone.view.rows("work_order") == {}


async def test_what_the_server_has_safe_is_forgotten_after_three_days_with_its_files(
    sent: Sent, database: Database, clock: FakeClock
) -> None:
    sent.note("First")
    file = sent.photo(2_000)
    last = sent.note("Last")
    await sent.phone.settle()
    clock.forward(timedelta(hours=71))
    await durable(database, sent)
    await sent.phone.sync()
    assert len(sent.phone.outbox.everything()) == 3
    clock.forward(timedelta(hours=2))
    await sent.phone.sync()
    assert [kept.args["id"] for kept in sent.phone.outbox.everything()] == [last]
    assert file.sha256 not in sent.phone.files.hashes()


async def test_what_is_not_durable_is_kept_however_old(sent: Sent, clock: FakeClock) -> None:
    sent.note("First")
    file = sent.photo(2_000)
    sent.note("Last")
    await sent.phone.settle()
    clock.forward(timedelta(days=60))
    await sent.phone.sync()
    assert len(sent.phone.outbox.everything()) == 3
    assert file.sha256 in sent.phone.files.hashes()


async def durable(database: Database, sent: Sent) -> None:
    """A backup of the server has all of it."""
    async with database.unit_of_work(sent.company.id) as uow:
        await uow.run("update sync_stream set durable_seq = last_seq where id = %(id)s", id=sent.phone.outbox.stream)


async def test_a_row_that_went_wrong_on_the_phone_is_found_and_comes_anew(sent: Sent) -> None:
    before = sent.phone.view.rows("work_order")
    assert await sent.phone.verify() == []
    with sent.phone._store.transaction() as db:
        db.execute("update base set ver = ver + 1, data = '{}' where entity = 'work_order'")
    assert await sent.phone.verify() == [f"wo:{sent.order.id}"]
    await sent.phone.pull()
    assert sent.phone.view.rows("work_order") == before
    assert await sent.phone.verify() == []


async def test_a_phone_enrolled_again_sends_what_the_first_enrolment_had_not(
    sent: Sent, database: Database, company: Company, office
) -> None:
    note = sent.note("Before the sign-in ended")
    async with database.unit_of_work(company.id) as uow:
        engineer = company.actor("engineer").person
        code, _ = await identity.issue_enrolment_code(uow, company.actor("administrator"), engineer)
    stream, device = sent.phone.outbox.stream, sent.phone.id
    await sent.phone.enrol(code, "Test phone")
    assert (sent.phone.outbox.stream, sent.phone.id) != (stream, device)
    await sent.phone.settle()
    assert written_by_hand(await office(sent.order)) == [note]


async def test_a_large_catalogue_arrives_as_a_file_and_what_changed_since_on_top(
    sent: Sent, database: Database, company: Company, app: FastAPI
) -> None:
    async with database.unit_of_work(company.id) as uow:
        await uow.run(
            """
            insert into part (org_id, id, sku, name, unit, serial_tracked, price_minor, currency)
            select %(org)s, gen_random_uuid(), 'BULK-' || n, '{"en": "Part", "zh": "零件"}', 'pc', false, 5, 'EUR'
            from generate_series(1, 1500) n
            """,
            org=uow.org,
        )
    assert await snapshots.make_snapshots(database, app.state.services.registry, company.id) == 1
    async with database.unit_of_work(company.id) as uow:
        await uow.run("update part set price_minor = 7 where sku = 'BULK-1'")
        await uow.run("delete from part where sku = 'BULK-2'")
    sent.phone.base.forget_cookie()
    await sent.phone.pull()
    prices = {row["sku"]: row["price_minor"] for row in sent.phone.view.rows("part").values()}
    assert (len(prices), prices["BULK-1"], prices["BULK-3"]) == (1499, 7, 5)
    assert await sent.phone.verify() == []


async def test_a_departure_told_by_an_answer_that_broke_off_is_not_believed(
    sent: Sent, database: Database, company: Company
) -> None:
    """Asked again with the old cookie, the server takes it that the phone still holds what it had dropped."""
    dispatcher, engineer = company.actor("dispatcher"), company.actor("engineer")
    async with database.unit_of_work(company.id) as uow:
        orders = [sent.order, *[await an_order(uow, dispatcher) for _ in range(3)]]
        for order in orders[1:]:
            await a_visit(uow, dispatcher, engineer, order)
    await sent.phone.pull()
    async with database.unit_of_work(company.id) as uow:
        for order in orders:
            await service.perform(uow, dispatcher, work_order_id=order.id, action=Action.UNSCHEDULE, reason="Later")
    sent.phone.http.headers["Accept-Encoding"] = "identity"  # so that half of the bytes are half of the lines
    sent.fates[:] = [Fate.CUT]
    with pytest.raises(NoConnection):
        await sent.phone.pull()
    async with database.unit_of_work(company.id) as uow:
        for order in orders:
            await a_visit(uow, dispatcher, engineer, order)
    await sent.phone.pull()
    assert sent.phone.view.rows("work_order").keys() == {str(order.id) for order in orders}
    assert len(sent.phone.view.rows("customer")) == len(sent.phone.view.rows("site")) == len(orders)
