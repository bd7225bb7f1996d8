"""Signatures close orders, evidence is never lost, reports follow what happened."""

import base64
import hashlib
import io
from datetime import timedelta
from decimal import Decimal
from functools import partial
from uuid import UUID

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import ValidationError
from pypdf import PdfReader

from server.confirmation import projections, queries, service
from server.confirmation.canonical import canonical, digest
from server.confirmation.document import report_document
from server.confirmation.domain import Attested, Ending, Language, SealLevel, content_hash
from server.confirmation.errors import UnknownReport
from server.confirmation.reporting import make_report
from server.confirmation.sealing import Sealer
from server.confirmation.seals import SealKeys
from server.confirmation.staleness import supersede_what_changed
from server.confirmation.subscribers import subscribe
from server.core.clock import SystemClock
from server.core.events import Event, Subscriptions
from server.identity.queries import insert_device
from server.inventory import service as stock
from server.inventory.domain import Reason
from server.media import derivatives
from server.media import service as media
from server.media.domain import BlobKey, Purpose
from server.media.store import DiskStore
from server.sync.domain import Status
from server.workorders import queries as orders
from server.workorders import service as workorders
from server.workorders.domain import Action, State
from server.workorders.errors import NeverAssigned
from tests.factories.confirmation import (
    a_full_order,
    a_refusal,
    a_resolved_order,
    a_signature,
    an_old_signature,
    from_phone,
    strokes,
)
from tests.factories.media import a_bomb, a_heic, a_photo
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
    assert kept.package == signature
    assert kept.package_hash == digest(signature)
    assert kept.strokes_hash == digest(strokes()) == digest(kept.package["strokes"])
    assert (kept.document_hash, kept.render_hash) == (signature["document_hash"], signature["render_hash"])
    assert (kept.received["document_hash"], kept.received["language"]) == (before, "en")
    assert kept.evidence["time"] == {
        "device": happened.at_device.isoformat(),
        "estimated": happened.at.isoformat(),
        "uncertainty_ms": happened.uncertainty_ms,
        "received": happened.received_at.isoformat(),
    }
    assert kept.evidence["place"] == {"lon": 7.42, "lat": 43.73}
    assert (kept.at, kept.at_device) == (happened.at, happened.at_device)
    assert kept.evidence["sent_by"]["id"] == str(engineer.person)
    assert kept.attested is Attested.MISSING


async def test_a_signature_of_an_app_a_year_old_is_kept_like_one_of_today(uow, dispatcher, engineer):
    order = await a_resolved_order(uow, dispatcher, engineer)
    outcome = await from_phone(uow, engineer, "signature.capture", an_old_signature(uow, order))
    assert (outcome.status, await state_of(uow, order)) == (Status.APPLIED, State.CLOSED)
    kept = await queries.newest_signature(uow, order.id)
    assert (kept.ending, kept.render_hash, kept.attested) == (Ending.SIGNED, None, Attested.MISSING)
    assert kept.package["consent"] == {"text": "report", "version": "2026-01", "accepted": True}
    assert [list(point) for point in kept.strokes[0]] == strokes()[0]


@pytest.fixture
async def device_key(uow, engineer):
    """The private key of the engineer's phone, whose public half is registered as WebCrypto exports it."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    await insert_device(
        uow,
        device=UUID(int=7),
        person=engineer.person,
        name="Phone",
        platform="test",
        app_version="1",
        public_key=base64.b64encode(public).decode(),
        storage_persisted=True,
    )
    return key


def attest(key, package):
    """The package with the 64 bytes WebCrypto makes over it."""
    r, s = decode_dss_signature(key.sign(canonical(package), ec.ECDSA(SHA256())))
    signature = base64.b64encode(r.to_bytes(32) + s.to_bytes(32)).decode()
    return package | {"attestation": {"alg": "ES256", "signature": signature}}


async def test_the_device_s_own_signature_over_the_package_is_verified(uow, dispatcher, engineer, device_key):
    order = await a_resolved_order(uow, dispatcher, engineer)
    # A name that parsing strips must not break what was signed with its blanks.
    package = attest(device_key, a_signature(uow, order, signer_name=" Camille Rossi "))
    outcome = await from_phone(uow, engineer, "signature.capture", package)
    assert (outcome.status, outcome.flags) == (Status.APPLIED, ())
    [confirmed] = await service.confirmations_of(uow, order.id)
    assert confirmed.attested is Attested.VERIFIED


@pytest.mark.parametrize(
    "forge",
    [
        lambda package: package | {"rating": 5},
        lambda package: package | {"captured": package["captured"] | {"at": "2026-11-22T08:59:00+01:00"}},
        lambda package: package | {"attestation": {"alg": "ES256", "signature": "AAAA"}},
        lambda package: package | {"attestation": {"alg": "ES256", "signature": "no base64!"}},
        lambda package: package | {"attestation": {"alg": "ES256", "signature": base64.b64encode(b"\0" * 64).decode()}},
    ],
)
async def test_a_package_changed_after_the_device_signed_it_is_kept_and_flagged(
    uow, dispatcher, engineer, device_key, forge
):
    order = await a_resolved_order(uow, dispatcher, engineer)
    package = forge(attest(device_key, a_signature(uow, order)))
    outcome = await from_phone(uow, engineer, "signature.capture", package)
    assert (outcome.status, outcome.flags) == (Status.APPLIED, ("ATTESTATION_INVALID",))
    kept = await queries.newest_signature(uow, order.id)
    assert (kept.attested, kept.evidence["attestation"]) == (Attested.INVALID, package["attestation"]["signature"])


async def test_a_signature_by_a_device_without_a_key_we_can_read_says_so(uow, dispatcher, engineer):
    order = await a_resolved_order(uow, dispatcher, engineer)
    package = attest(ec.generate_private_key(ec.SECP256R1()), a_signature(uow, order))
    outcome = await from_phone(uow, engineer, "signature.capture", package)
    assert (outcome.status, outcome.flags) == (Status.APPLIED, ())
    [confirmed] = await service.confirmations_of(uow, order.id)
    assert confirmed.attested is Attested.NO_KEY


async def test_strokes_that_are_not_those_the_device_hashed_are_flagged(uow, dispatcher, engineer):
    order = await a_resolved_order(uow, dispatcher, engineer)
    other = hashlib.sha256(b"other strokes").hexdigest()
    outcome = await from_phone(uow, engineer, "signature.capture", a_signature(uow, order, strokes_hash=other))
    assert (outcome.status, outcome.flags) == (Status.APPLIED, ("STROKES_DIFFER",))


async def test_who_will_not_sign_is_recorded_with_the_reason_and_the_order_stays_open(uow, dispatcher, engineer):
    order = await a_resolved_order(uow, dispatcher, engineer)
    refusal = a_refusal(uow, order)
    outcome = await from_phone(uow, engineer, "signature.capture", refusal)
    assert (outcome.status, await state_of(uow, order)) == (Status.APPLIED, State.RESOLVED)
    [answer] = await service.confirmations_of(uow, order.id)
    assert (answer.ending, answer.rating, answer.reason) == (Ending.DECLINED, None, "Disputes the second hour.")
    assert await uow.value("select count(*) from event where name = 'signature.refused'") == 1
    document = await report_document(uow, order.id, Language.EN)
    assert document["signature"] is None
    assert document["unsigned"]["reason"] == "Disputes the second hour."
    later = await from_phone(uow, engineer, "signature.capture", a_signature(uow, order))
    assert (later.status, await state_of(uow, order)) == (Status.APPLIED, State.CLOSED)
    assert "unsigned" not in await report_document(uow, order.id, Language.EN)


async def changed_after_signing(uow, engineer, order):
    """Add a note to a signed order and let the subscriber hear that content changed; the events that follow."""
    late = {"id": uow.new_id(), "wo": order.id, "body": "Forgot: filter is clogged."}
    await from_phone(uow, engineer, "note.add", late)
    await supersede_what_changed(uow, order.id, changed_by=engineer.person)
    found = await uow.rows("select payload from event where name = 'signature.superseded' order by id")
    return [row["payload"] for row in found]


async def test_what_changes_after_signing_supersedes_the_signature_and_asks_for_a_new_one(uow, dispatcher, engineer):
    order = await a_resolved_order(uow, dispatcher, engineer)
    signature = a_signature(uow, order)
    await from_phone(uow, engineer, "signature.capture", signature)
    assert await supersede_what_changed(uow, order.id, changed_by=None) == 0
    [asked] = await changed_after_signing(uow, engineer, order)
    assert (asked["signature_id"], asked["changed"]) == (signature["id"], ["notes"])
    [old] = await service.confirmations_of(uow, order.id)
    assert (old.superseded_at, old.superseded_parts) == (uow.now(), ["notes"])
    assert await uow.value("select changed_by from signature_superseded") == engineer.person
    assert await changed_after_signing(uow, engineer, order) == [asked], "said once"


@pytest.mark.parametrize("how", ["used", "returned", "taken back", "booked by the office", "reversed by the office"])
async def test_parts_moved_after_signing_supersede_the_signature(uow, services, dispatcher, engineer, how):
    order = await a_full_order(uow, dispatcher, engineer, a_photo())
    await from_phone(uow, engineer, "signature.capture", a_signature(uow, order))
    usage = await uow.row("select id, part_id, from_id, to_id from stock_movement where reason = 'used'")
    assert usage is not None
    told = {"id": uow.new_id(), "wo": order.id, "part": usage["part_id"], "quantity": 1}
    match how:
        case "used":
            await from_phone(uow, engineer, "part.use", told)
        case "returned":
            await from_phone(uow, engineer, "part.return", told)
        case "taken back":
            reversal = {"id": uow.new_id(), "movement": usage["id"], "why": "typed twice"}
            await from_phone(uow, engineer, "part.reverse", reversal)
        case "booked by the office":
            part, source, target = usage["part_id"], usage["from_id"], usage["to_id"]
            ends = {"source": source, "target": target, "reason": Reason.USED, "quantity": Decimal(1)}
            await stock.move(uow, dispatcher, id=uow.new_id(), part=part, **ends, work_order_id=order.id)
        case "reversed by the office":
            await stock.reverse(uow, dispatcher, usage["id"], "wrong order")
    [changed] = await uow.rows(
        "select subject_id, actor_id, payload ->> 'what' as what from event where name = 'work_order.content_changed'"
    )
    by = dispatcher if "office" in how else engineer
    assert (changed["subject_id"], changed["actor_id"], changed["what"]) == (order.id, by.person, "part")
    subscriptions = Subscriptions()
    subscribe(subscriptions, services.jobs)
    heard = Event(uow.new_id(), "work_order.content_changed", "work_order", order.id, {}, by.person, "", uow.now(), 1)
    for subscriber in subscriptions.events[heard.name]:
        await subscriptions.by_name[subscriber](uow, heard)
    [signature] = await service.confirmations_of(uow, order.id)
    assert signature.superseded_at == uow.now()
    assert "parts" in signature.superseded_parts


async def test_signing_anew_what_had_changed_is_no_conflict_and_stands(uow, dispatcher, engineer):
    order = await a_resolved_order(uow, dispatcher, engineer)
    await from_phone(uow, engineer, "signature.capture", a_signature(uow, order))
    await changed_after_signing(uow, engineer, order)
    again = await from_phone(uow, engineer, "signature.capture", a_signature(uow, order, signer_name="Camille R."))
    assert (again.status, again.flags) == (Status.APPLIED, ("SIGNED_ANEW",))
    new, old = await service.confirmations_of(uow, order.id)
    assert (new.signer_name, new.superseded_at) == ("Camille R.", None)
    assert old.superseded_at is not None
    third = await from_phone(uow, engineer, "signature.capture", a_signature(uow, order))
    assert third.status is Status.CONFLICT, "nobody asked for this one"


async def test_a_superseded_signature_reaches_the_phone_in_the_order_s_bucket(uow, dispatcher, engineer):
    order = await a_resolved_order(uow, dispatcher, engineer)
    await from_phone(uow, engineer, "signature.capture", a_signature(uow, order))
    await changed_after_signing(uow, engineer, order)
    fed = await uow.rows(
        """
        select b.key, e.entity_id from sync_entry e join sync_bucket b on b.id = e.bucket_id where e.entity = %(code)s
        """,
        code=projections.SUPERSEDED,
    )
    assert [row["key"] for row in fed] == [f"wo:{order.id}"]
    seen = await uow.row(projections._SUPERSEDED, ids=[fed[0]["entity_id"]])
    assert seen["d"]["changed"] == ["notes"]


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
        {"consent": {"text": "report", "version": "2026-01", "accepted": False}},
        {"strokes": []},
        {"strokes": [[]]},
        {"strokes": [[[0, 0]]]},
        {"strokes": [[[float("nan"), 0, 0]]]},
        {"strokes": [[[1e300, 0, 0]]]},
        {"strokes": [[[1, 1, 1]] * 5000] * 5},
        {"strokes": [[[1, 1, 1, 1.5]]]},
        {"rating": None},
        {"consent": None},
        {"ending": "perhaps"},
        {"ending": "declined"},
        {"ending": "absent", "reason": ""},
        {"render_hash": "abc"},
        {"attestation": {"alg": "none", "signature": ""}},
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
def sealer(tmp_path) -> Sealer:
    return Sealer(SealKeys(tmp_path / "seals"), SystemClock())


@pytest.fixture
async def signed(database, company, dispatcher, engineer):
    """A full order, signed and committed, and the photo it mentions."""
    photo = a_photo()
    async with database.unit_of_work(company.id) as uow:
        order = await a_full_order(uow, dispatcher, engineer, photo)
        await from_phone(uow, engineer, "signature.capture", a_signature(uow, order))
    return order, photo


@pytest.fixture
def render(database, store, sealer, company, signed):
    order, _ = signed
    base = "https://callout.test/portal/v1/verify/"
    return partial(make_report, database, store, company.id, order.id, sealer=sealer, verify_base=base, mint_code=mint)


async def reports(database, company, order):
    async with database.unit_of_work(company.id) as uow:
        return await queries.newest_reports(uow, order.id)


async def print_of(database, company, report):
    async with database.unit_of_work(company.id) as uow:
        return await queries.newest_print(uow, report.id)


async def pdf_text(database, store, company, report) -> str:
    printed = await print_of(database, company, report)
    content = await media.load_bytes(store, BlobKey(company.id, printed.pdf_sha256))
    assert hashlib.sha256(content).hexdigest() == printed.pdf_sha256
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


async def test_both_languages_are_rendered_as_real_pdfs_with_what_was_done(database, store, company, signed, render):
    order, _ = signed
    assert await render() == 1
    english, chinese = await reports(database, company, order)
    said = await pdf_text(database, store, company, english)
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
    said = await pdf_text(database, store, company, chinese)
    for words in ("服务报告", "已断电", "超出范围", "签字", "Camille Rossi"):
        assert words in said
    assert english.code != chinese.code


async def test_rendering_again_writes_nothing_new(database, store, company, signed, render):
    order, _ = signed
    await render()
    first = await reports(database, company, order)
    prints = [await print_of(database, company, report) for report in first]
    assert await render() == 1
    assert await reports(database, company, order) == first
    assert [await print_of(database, company, report) for report in first] == prints


async def test_a_late_note_makes_the_next_version_and_the_old_code_says_so(
    database, store, sealer, company, engineer, signed, render
):
    order, _ = signed
    await render()
    old = (await reports(database, company, order))[0]
    async with database.unit_of_work(company.id) as uow:
        late = {"id": uow.new_id(), "wo": order.id, "body": "Forgot: filter is clogged."}
        await from_phone(uow, engineer, "note.add", late)
    assert await render() == 2
    verified = await service.verify(database, store, sealer, old.code)
    assert (verified.valid, verified.version, verified.newest_version) == (True, 1, 2)
    assert verified.seal.valid, "the old print is still what it was"
    assert verified.superseded_at is not None
    assert verified.number == order.number
    assert verified.signed_by == "Camille Rossi"


async def test_a_photo_that_arrives_after_the_report_is_shown_in_the_same_version(
    database, clock, store, company, signed, render
):
    order, photo = signed
    await render()
    before = (await reports(database, company, order))[0]
    shown = await print_of(database, company, before)
    clock.forward(timedelta(minutes=1))
    assert "picture not yet received" in await pdf_text(database, store, company, before)
    await media.save_bytes(
        database, store, company.id, photo.content, mime=photo.mime, purpose=Purpose.PHOTO, made_by=company.id
    )
    clock.forward(timedelta(minutes=1))
    await render()
    assert "picture received" in await pdf_text(database, store, company, before)
    await derivatives.make(database, store, company.id, photo.sha256, last_try=True)
    clock.forward(timedelta(minutes=1))
    await render()
    after = (await reports(database, company, order))[0]
    assert (after.version, after.code, after.document_hash) == (1, before.code, before.document_hash)
    assert (await print_of(database, company, after)).pdf_sha256 != shown.pdf_sha256
    said = await pdf_text(database, store, company, after)
    assert "picture not yet received" not in said
    assert "picture received" not in said


async def test_a_heic_photo_is_printed_and_a_bomb_only_leaves_its_frame(
    database, company, store, sealer, dispatcher, engineer
):
    orders = {}
    for photo, name in ((a_heic(), "heic"), (a_bomb(), "bomb")):
        async with database.unit_of_work(company.id) as uow:
            orders[name] = order = await a_resolved_order(uow, dispatcher, engineer)
            args = {"id": str(uow.new_id()), "wo": str(order.id), "sha256": photo.sha256, "caption": name}
            await from_phone(uow, engineer, "photo.add", args)
        await media.save_bytes(
            database, store, company.id, photo.content, mime=photo.mime, purpose=Purpose.PHOTO, made_by=company.id
        )
        await derivatives.make(database, store, company.id, photo.sha256, last_try=True)
        await make_report(
            database, store, company.id, order.id, sealer=sealer, verify_base="https://x/", mint_code=mint
        )
    for name, gap, pictures in (("heic", False, 1), ("bomb", True, 0)):
        report = (await reports(database, company, orders[name]))[0]
        said = await pdf_text(database, store, company, report)
        assert ("file received and kept" in said) is gap, name
        assert "picture" not in said
        assert await pictures_in(database, store, company, report) == pictures


async def pictures_in(database, store, company, report) -> int:
    printed = await print_of(database, company, report)
    content = await media.load_bytes(store, BlobKey(company.id, printed.pdf_sha256))
    return sum(len(page.images) for page in PdfReader(io.BytesIO(content)).pages)


async def test_two_workers_at_once_publish_one_version(database, company, signed, render):
    import asyncio

    order, _ = signed
    assert list(await asyncio.gather(render(), render())) == [1, 1]
    async with database.unit_of_work(company.id) as uow:
        assert len(await service.reports_of(uow, order.id)) == 2


async def test_a_report_can_not_be_rewritten_by_the_product_and_one_that_was_no_longer_verifies(
    database, test_database, store, sealer, company, signed, render
):
    order, _ = signed
    await render()
    report = (await reports(database, company, order))[0]
    rewrite = "update service_report set document = jsonb_set(document, '{order,title}', '\"Free of charge\"')"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.unit_of_work(company.id) as uow:
            await uow.run(rewrite)
    with psycopg.connect(test_database.owner_url) as superuser:
        superuser.execute(rewrite)
    assert not (await service.verify(database, store, sealer, report.code)).valid


async def test_every_print_is_sealed_by_the_organisation_and_verification_says_so(
    database, store, sealer, company, signed, render
):
    order, _ = signed
    await render()
    for report in await reports(database, company, order):
        seal = (await service.verify(database, store, sealer, report.code)).seal
        assert (seal.valid, seal.why, seal.level) == (True, None, SealLevel.BASIC)
        assert "Acme Service" in (seal.sealed_by or "")
        assert seal.fingerprint == (await print_of(database, company, report)).fingerprint


async def test_after_the_key_is_rotated_old_prints_still_verify(database, store, sealer, company, signed, render):
    order, _ = signed
    await render()
    old = (await reports(database, company, order))[0]
    assert sealer.keys.rotate(company.id, sealer.wall.now())
    async with database.unit_of_work(company.id) as uow:
        await uow.run(
            """
            insert into note (org_id, id, work_order_id, author_id, body, at)
            select org_id, gen_random_uuid(), id, (select id from person limit 1), 'Later.', %(now)s from work_order
            """,
            now=uow.now(),
        )
    assert await render() == 2
    new = (await reports(database, company, order))[0]
    seals = [(await service.verify(database, store, sealer, report.code)).seal for report in (old, new)]
    assert [seal.valid for seal in seals] == [True, True]
    assert seals[0].fingerprint != seals[1].fingerprint


async def test_a_print_that_was_swapped_or_lost_is_no_longer_a_valid_seal(
    database, store, sealer, company, signed, render, tmp_path
):
    order, _ = signed
    await render()
    english, chinese = await reports(database, company, order)
    mine, other = [await print_of(database, company, report) for report in (english, chinese)]
    [file] = (tmp_path / "blobs").rglob(mine.pdf_sha256)
    [theirs] = (tmp_path / "blobs").rglob(other.pdf_sha256)
    file.chmod(0o600)
    file.write_bytes(theirs.read_bytes())
    seal = (await service.verify(database, store, sealer, english.code)).seal
    assert (seal.valid, seal.why) == (False, "it is not the file that was recorded")
    file.unlink()
    assert (await service.verify(database, store, sealer, english.code)).seal.why == "its file is missing"


async def test_a_code_nobody_issued_is_unknown(database, store, sealer, company):
    with pytest.raises(UnknownReport):
        await service.verify(database, store, sealer, "A" * 26)


async def test_an_order_closed_by_exception_is_reported_without_a_signature(
    database, store, sealer, company, dispatcher, engineer
):
    async with database.unit_of_work(company.id) as uow:
        order = await a_resolved_order(uow, dispatcher, engineer)
        await workorders.perform(
            uow, dispatcher, work_order_id=order.id, action=Action.CLOSE_BY_EXCEPTION, reason="customer left"
        )
    await make_report(database, store, company.id, order.id, sealer=sealer, verify_base="https://x/", mint_code=mint)
    report = (await reports(database, company, order))[0]
    assert report.signature_id is None
    assert "completed without a signature" in await pdf_text(database, store, company, report)


async def test_closing_an_order_and_a_late_photo_each_enqueue_its_report(database, services, company, signed, render):
    order, photo = signed
    await render()
    subscriptions = Subscriptions()
    subscribe(subscriptions, services.jobs)
    async with database.unit_of_work(company.id) as uow:
        for name, payload in (("work_order.closed", {}), ("picture.made", {"sha256": photo.sha256})):
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
