"""Signatures close orders, evidence is never lost, reports follow what happened."""

import hashlib
import io
from datetime import timedelta
from functools import partial

import psycopg
import pytest
from pydantic import ValidationError
from pypdf import PdfReader

from server.confirmation import queries, service
from server.confirmation.canonical import digest
from server.confirmation.document import report_document
from server.confirmation.domain import Language, content_hash
from server.confirmation.errors import UnknownReport
from server.confirmation.reporting import make_report
from server.confirmation.subscribers import subscribe
from server.core.events import Event, Subscriptions
from server.media import service as media
from server.media.domain import BlobKey, Purpose
from server.media.store import DiskStore
from server.sync.domain import Status
from server.workorders import queries as orders
from server.workorders import service as workorders
from server.workorders.domain import Action, State
from server.workorders.errors import NeverAssigned
from tests.factories.confirmation import a_full_order, a_resolved_order, a_signature, from_phone, strokes
from tests.factories.media import a_photo
from tests.factories.workforce import another_engineer
from tests.factories.workorders import an_occurrence

CODES = iter(range(1, 10_000))


def mint() -> bytes:
    return next(CODES).to_bytes(16)


async def state_of(uow, order) -> State:
    found = await orders.order(uow, order.id)
    return found.state


async def test_a_signature_closes_the_order_and_leaves_its_whole_evidence(uow, dispatcher, engineer):
    order = await a_resolved_order(uow, dispatcher, engineer)
    before = content_hash(await report_document(uow, order.id, Language.EN))
    signature = a_signature(uow, order)
    happened = an_occurrence(uow.now(), ago=timedelta(hours=3), skew=timedelta(minutes=7))
    outcome = await from_phone(uow, engineer, "signature.capture", signature, occurrence=happened)
    assert (outcome.status, await state_of(uow, order)) == (Status.APPLIED, State.CLOSED)
    kept = await queries.newest_signature(uow, order.id)
    assert kept is not None
    assert kept.strokes_hash == digest(strokes()) == digest(kept.evidence["strokes"])
    assert kept.evidence["shown"]["document_hash"] == signature["document_hash"]
    assert kept.evidence["received"] == {"document_hash": before, "language": "en"}
    assert kept.evidence["consent"] == {"version": "2026-01", "accepted": True}
    assert kept.evidence["time"]["device"] == happened.at_device.isoformat()
    assert (kept.at, kept.at_device) == (happened.at, happened.at_device)
    assert kept.evidence["in_presence_of"]["id"] == str(engineer.person)


async def test_the_same_signature_again_changes_nothing(uow, dispatcher, engineer):
    order = await a_resolved_order(uow, dispatcher, engineer)
    signature = a_signature(uow, order)
    await from_phone(uow, engineer, "signature.capture", signature)
    again = await from_phone(uow, engineer, "signature.capture", signature)
    assert (again.status, again.code) == (Status.MERGED, "ALREADY_RECORDED")
    assert await uow.value("select count(*) from signature") == 1


async def test_an_order_that_cannot_close_keeps_the_signature_and_becomes_a_conflict(uow, dispatcher, engineer):
    order = await a_resolved_order(uow, dispatcher, engineer)
    await workorders.perform(
        uow, dispatcher, work_order_id=order.id, action=Action.CLOSE_BY_EXCEPTION, reason="customer left"
    )
    outcome = await from_phone(uow, engineer, "signature.capture", a_signature(uow, order))
    assert outcome.status is Status.CONFLICT
    assert outcome.disagreement is not None
    assert outcome.disagreement.theirs["state"] == "closed"
    [confirmed] = await service.confirmations_of(uow, order.id)
    assert (confirmed.signer_name, confirmed.rating) == ("Camille Rossi", 4)
    assert await uow.value("select count(*) from event where name = 'signature.kept'") == 1


async def test_two_signatures_are_both_kept(uow, dispatcher, engineer):
    order = await a_resolved_order(uow, dispatcher, engineer)
    await from_phone(uow, engineer, "signature.capture", a_signature(uow, order))
    second = await from_phone(uow, engineer, "signature.capture", a_signature(uow, order, signer_name="Second"))
    assert second.status is Status.CONFLICT
    assert await uow.value("select count(*) from signature") == 2


async def test_somebody_who_was_never_assigned_cannot_hand_in_a_signature(uow, company, dispatcher, engineer):
    order = await a_resolved_order(uow, dispatcher, engineer)
    stranger = await another_engineer(uow, company.id)
    with pytest.raises(NeverAssigned):
        await from_phone(uow, stranger, "signature.capture", a_signature(uow, order))
    assert await service.confirmations_of(uow, order.id) == []
    assert await state_of(uow, order) is State.RESOLVED


@pytest.mark.parametrize(
    "changed",
    [
        {"rating": 0},
        {"rating": 6},
        {"consent": {"version": "2026-01", "accepted": False}},
        {"strokes": []},
        {"strokes": [[]]},
        {"strokes": [[[0, 0]]]},
        {"strokes": [[[float("nan"), 0, 0]]]},
        {"strokes": [[[1e300, 0, 0]]]},
        {"strokes": [[[1, 1, 1]] * 5000] * 5},
        {"document_hash": "abc"},
        {"locale": "../../etc"},
        {"signer_name": ""},
    ],
)
async def test_a_signature_that_is_none_is_refused(uow, dispatcher, engineer, changed):
    order = await a_resolved_order(uow, dispatcher, engineer)
    with pytest.raises(ValidationError):
        await from_phone(uow, engineer, "signature.capture", a_signature(uow, order, **changed))


async def test_signatures_cannot_be_rewritten_by_the_product(uow, dispatcher, engineer):
    order = await a_resolved_order(uow, dispatcher, engineer)
    await from_phone(uow, engineer, "signature.capture", a_signature(uow, order))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await uow.run("update signature set rating = 5")


async def test_the_document_says_all_that_was_done_in_the_reader_s_language(uow, dispatcher, engineer):
    order = await a_full_order(uow, dispatcher, engineer, a_photo())
    english, chinese = [await report_document(uow, order.id, language) for language in Language]
    assert [item["label"] for item in english["checklist"]] == ["Isolated?", "Heat"]
    assert [item["label"] for item in chinese["checklist"]] == ["已断电?", "温度"]
    assert [item["out_of_limits"] for item in english["checklist"]] == [False, True]
    assert [(part["sku"], part["quantity"], part["amount_minor"]) for part in english["parts"]] == [
        ("CAP-35", "2", 3780)
    ]
    assert english["totals"] == [{"currency": "EUR", "amount_minor": 3780 + 850}]
    assert [note["body"] for note in english["notes"]] == ["Replaced the contact."]
    assert english == await report_document(uow, order.id, Language.EN)


@pytest.fixture
def store(tmp_path) -> DiskStore:
    return DiskStore(tmp_path / "blobs")


@pytest.fixture
async def signed(database, company, dispatcher, engineer):
    """A full order, signed and committed, and the photo it mentions."""
    photo = a_photo()
    async with database.unit_of_work(company.id) as uow:
        order = await a_full_order(uow, dispatcher, engineer, photo)
        await from_phone(uow, engineer, "signature.capture", a_signature(uow, order))
    return order, photo


@pytest.fixture
def render(database, store, company, signed):
    order, _ = signed
    base = "https://callout.test/portal/v1/verify/"
    return partial(make_report, database, store, company.id, order.id, verify_base=base, mint_code=mint)


async def reports(database, company, order):
    async with database.unit_of_work(company.id) as uow:
        return await queries.newest_reports(uow, order.id)


async def pdf_text(store, company, report) -> str:
    content = await media.load_bytes(store, BlobKey(company.id, report.pdf_sha256))
    assert hashlib.sha256(content).hexdigest() == report.pdf_sha256
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


async def test_both_languages_are_rendered_as_real_pdfs_with_what_was_done(database, store, company, signed, render):
    order, _ = signed
    assert await render() == 1
    english, chinese = await reports(database, company, order)
    said = await pdf_text(store, company, english)
    for words in (
        str(order.number),
        "Oven stays cold",
        "CAP-35",
        "262.5 °C",
        "out of limits",
        "Camille Rossi",
        "46.30 EUR",
    ):
        assert words in said
    said = await pdf_text(store, company, chinese)
    for words in ("服务报告", "已断电", "超出范围", "签字", "Camille Rossi"):
        assert words in said
    assert english.code != chinese.code


async def test_rendering_again_writes_nothing_new(database, store, company, signed, render):
    order, _ = signed
    await render()
    first = await reports(database, company, order)
    assert await render() == 1
    assert await reports(database, company, order) == first


async def test_a_late_note_makes_the_next_version_and_the_old_code_says_so(
    database, store, company, engineer, signed, render
):
    order, _ = signed
    await render()
    old = (await reports(database, company, order))[0]
    async with database.unit_of_work(company.id) as uow:
        late = {"id": uow.new_id(), "wo": order.id, "body": "Forgot: filter is clogged."}
        await from_phone(uow, engineer, "note.add", late)
    assert await render() == 2
    verified = await service.verify(database, old.code)
    assert (verified.valid, verified.version, verified.newest_version) == (True, 1, 2)
    assert verified.number == order.number
    assert verified.signed_by == "Camille Rossi"


async def test_a_photo_that_arrives_after_the_report_is_shown_in_the_same_version(
    database, store, company, signed, render
):
    order, photo = signed
    await render()
    before = (await reports(database, company, order))[0]
    assert "picture not yet received" in await pdf_text(store, company, before)
    await media.save_bytes(
        database, store, company.id, photo.content, mime=photo.mime, purpose=Purpose.PHOTO, made_by=company.id
    )
    await render()
    after = (await reports(database, company, order))[0]
    assert (after.version, after.code, after.document_hash) == (1, before.code, before.document_hash)
    assert after.pdf_sha256 != before.pdf_sha256
    assert "picture not yet received" not in await pdf_text(store, company, after)


async def test_two_workers_at_once_publish_one_version(database, company, signed, render):
    import asyncio

    order, _ = signed
    assert list(await asyncio.gather(render(), render())) == [1, 1]
    async with database.unit_of_work(company.id) as uow:
        assert len(await service.reports_of(uow, order.id)) == 2


async def test_a_document_changed_in_the_database_no_longer_verifies(database, company, signed, render):
    order, _ = signed
    await render()
    report = (await reports(database, company, order))[0]
    async with database.unit_of_work(company.id) as uow:
        await uow.run(
            """
            update service_report set document = jsonb_set(document, '{order,title}', '"Free of charge"')
            where id = %(id)s
            """,
            id=report.id,
        )
    assert not (await service.verify(database, report.code)).valid


async def test_a_code_nobody_issued_is_unknown(database, company):
    with pytest.raises(UnknownReport):
        await service.verify(database, "A" * 26)


async def test_an_order_closed_by_exception_is_reported_without_a_signature(
    database, store, company, dispatcher, engineer
):
    async with database.unit_of_work(company.id) as uow:
        order = await a_resolved_order(uow, dispatcher, engineer)
        await workorders.perform(
            uow, dispatcher, work_order_id=order.id, action=Action.CLOSE_BY_EXCEPTION, reason="customer left"
        )
    await make_report(database, store, company.id, order.id, verify_base="https://x/", mint_code=mint)
    report = (await reports(database, company, order))[0]
    assert report.signature_id is None
    assert "completed without a signature" in await pdf_text(store, company, report)


async def test_closing_an_order_and_a_late_photo_each_enqueue_its_report(database, services, company, signed, render):
    order, photo = signed
    await render()
    subscriptions = Subscriptions()
    subscribe(subscriptions, services.jobs)
    async with database.unit_of_work(company.id) as uow:
        for name, payload in (("work_order.closed", {}), ("blob.ready", {"sha256": photo.sha256})):
            event = Event(uow.new_id(), name, "work_order", order.id, payload, None, "", uow.now(), 1)
            for subscriber in subscriptions.events[name]:
                await subscriptions.by_name[subscriber](uow, event)
        jobs = await uow.rows("select args from procrastinate_jobs where task_name = 'confirmation.render_report'")
    assert [job["args"] for job in jobs] == [{"org": str(company.id), "work_order": str(order.id)}] * 2


async def test_a_phone_is_asked_for_photos_until_their_bytes_are_here(database, store, company, engineer, signed):
    from callout.wiring import registry
    from server.sync.queries import awaited_files

    _, photo = signed
    files = registry().files
    async with database.unit_of_work(company.id) as uow:
        assert await awaited_files(uow, files, engineer.person) == [photo.sha256]
    await media.save_bytes(
        database, store, company.id, photo.content, mime=photo.mime, purpose=Purpose.PHOTO, made_by=company.id
    )
    async with database.unit_of_work(company.id) as uow:
        assert await awaited_files(uow, files, engineer.person) == []
