"""The chain seals all that happened, behind the writers and for good; whatever is changed afterwards is named."""

import asyncio
import json
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from server.audit import queries
from server.audit.anchors import BadAnchor, read_anchors, signed_heads, write_daily
from server.audit.checking import verify_chain
from server.audit.domain import GENESIS, SOURCES, row_digest
from server.audit.sealing import seal_batch, seal_everything
from server.confirmation.reporting import make_report
from server.confirmation.sealing import Sealer
from server.confirmation.seals import SealKeys
from server.core.clock import SystemClock
from server.media.store import DiskStore
from tests.factories.audit import an_authority, as_superuser, blob_file, kinds, sealed
from tests.factories.confirmation import a_full_order, a_signature, from_phone
from tests.factories.identity import found_company, token_for
from tests.factories.media import a_photo
from tests.factories.sync import enrolled_phone


@pytest.fixture
def store(tmp_path) -> DiskStore:
    return DiskStore(tmp_path / "blobs")


@pytest.fixture
def sealer(tmp_path) -> Sealer:
    return Sealer(SealKeys(tmp_path / "seals"), SystemClock())


@pytest.fixture
async def phone(database, engineer):
    return await enrolled_phone(database, engineer)


@pytest.fixture
async def worked(database, store, sealer, company, dispatcher, engineer, phone):
    """A day on which something of most kinds happened: pushed, signed, reported."""
    await phone.push(phone.note("a"), phone.note("dear"), phone.note("b"))
    async with database.unit_of_work(company.id) as uow:
        order = await a_full_order(uow, dispatcher, engineer, a_photo())
        await from_phone(uow, engineer, "signature.capture", a_signature(uow, order))
    await make_report(
        database,
        store,
        company.id,
        order.id,
        sealer=sealer,
        verify_base="https://x/",
        mint_code=lambda: order.id.bytes[8:] + __import__("os").urandom(8),
    )
    return order


async def chain(database, company):
    async with database.unit_of_work(company.id) as uow:
        return await queries.links_after(uow, 0, 10_000)


async def test_everything_that_happened_is_sealed_in_one_chain_that_verifies(database, store, company, worked):
    finding = await sealed(database, store, company)
    links = await chain(database, company)
    assert finding.faults == ()
    assert (finding.checked, finding.head, finding.backlog.count) == (len(links), links[-1].hash, 0)
    assert [link.n for link in links] == list(range(1, len(links) + 1))
    assert links[0].prev_hash == GENESIS
    counted = {kind: sum(link.kind == kind for link in links) for kind in SOURCES}
    assert (counted["mutation"], counted["signature"], counted["movement"]) == (3, 1, 1)
    assert (counted["report"], counted["print"], counted["certificate"], counted["device"]) == (2, 2, 1, 1)
    assert counted["timeline"] > 5
    assert finding.files == 2


async def test_sealing_again_adds_nothing(database, store, company, worked):
    first = await sealed(database, store, company)
    assert await sealed(database, store, company) == first
    assert await seal_everything(database) == 0


async def test_signing_in_and_being_shut_out_are_sealed(database, services, store, company):
    await token_for(services, company, "dispatcher")
    async with database.unit_of_work(company.id) as uow:
        await uow.run("update session set revoked_at = %(now)s, revoked_why = 'logout'", now=uow.now())
    assert (await sealed(database, store, company)).faults == ()
    assert [link.kind for link in await chain(database, company)] == ["login", "logout"]


async def test_a_row_that_commits_late_is_sealed_late_and_never_skipped(database, store, company, phone):
    early, late = phone.note("early"), phone.note("late")
    waiting, go_on = asyncio.Event(), asyncio.Event()

    async def slow_writer():
        async with database.unit_of_work(company.id) as uow:
            await uow.run(
                """
                insert into timeline_entry (org_id, id, work_order_id, action, actor_name, at, recorded_at, facts)
                select %(org)s, %(id)s, id, 'slow', 'Somebody', %(now)s, %(now)s, '{}' from work_order
                """,
                org=company.id,
                id=uow.new_id(),
                now=uow.now(),
            )
            await uow.run(
                "insert into session (org_id, id, person_id, audience, created_at) "
                "select org_id, gen_random_uuid(), id, 'web', %(now)s from person limit 1",
                now=uow.now(),
            )
            waiting.set()
            await go_on.wait()

    writing = asyncio.create_task(slow_writer())
    await waiting.wait()
    await phone.push(early)
    sealed_meanwhile = await sealed(database, store, company)
    kinds_meanwhile = [link.kind for link in await chain(database, company)]
    go_on.set()
    await writing
    await phone.push(late)
    assert sealed_meanwhile.faults == ()
    assert "login" not in kinds_meanwhile
    assert (await sealed(database, store, company)).faults == ()
    assert [link.kind for link in await chain(database, company)] == [*kinds_meanwhile, "login", "mutation"]


async def test_many_sealers_at_once_make_one_chain(database, store, company, phone):
    for start in range(10):
        await phone.push(*[phone.note(f"p{start}-{number}") for number in range(20)], acked=0)
    made = await asyncio.gather(*[seal_batch(database, company.id, limit=30) for _ in range(8)])
    assert 30 <= sum(made) <= 8 * 30
    finding = await sealed(database, store, company)
    assert (finding.faults, finding.backlog.count) == ((), 0)
    refs = [link.ref for link in await chain(database, company) if link.kind == "mutation"]
    assert len(refs) == len(set(refs)) == 200


async def test_a_sealer_that_dies_before_it_commits_leaves_every_mark(database, store, company, worked):
    class Dies(Exception):
        pass

    async with database.unit_of_work(company.id) as uow:
        before = await queries.backlog(uow)
    with pytest.raises(Dies):
        async with database.unit_of_work(company.id) as uow:
            marks = await queries.marks(uow, 10)
            await queries.append(uow, [mark.ticket for mark in marks], ["0" * 64] * len(marks), uow.now())
            raise Dies
    async with database.unit_of_work(company.id) as uow:
        assert (await queries.backlog(uow)).count == before.count
    assert (await sealed(database, store, company)).faults == ()


async def test_the_backlog_is_told_with_its_age(database, store, company, worked):
    finding = await verify_chain(database, store, company.id)
    assert (finding.checked, finding.faults) == (0, ())
    assert finding.backlog.count > 10
    assert 0 < finding.backlog.oldest_seconds < 60


@pytest.mark.parametrize(
    "statement",
    [
        "insert into audit_entry select * from audit_entry",
        "update audit_entry set digest = ''",
        "delete from audit_entry",
        "delete from audit_pending",
        "update audit_pending set kind = 'none'",
        "insert into audit_pending (org_id, kind, ref) select org_id, 'mutation', id from person",
    ],
)
async def test_the_product_itself_can_not_touch_the_chain(database, company, worked, statement):
    await seal_everything(database)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.unit_of_work(company.id) as uow:
            await uow.run(statement)


async def test_only_what_was_marked_becomes_a_link_and_only_once(database, store, company, worked):
    async with database.unit_of_work(company.id) as uow:
        [first, *_] = await queries.marks(uow, 1)
    await seal_everything(database)
    before = await chain(database, company)
    async with database.unit_of_work(company.id) as uow:
        assert await queries.append(uow, [first.ticket, 10**9], ["0" * 64] * 2, uow.now()) == 0
    assert await chain(database, company) == before


async def test_organisations_have_chains_of_their_own(database, store, company, worked):
    rival = await found_company(database, "rival", roles=("engineer",))
    phone = await enrolled_phone(database, rival.actor("engineer"))
    await phone.push(phone.note("a"))
    assert (await sealed(database, store, rival)).checked == 2
    theirs, ours = await chain(database, rival), await chain(database, company)
    assert (theirs[0].prev_hash, ours[0].prev_hash) == (GENESIS, GENESIS)
    assert {link.ref for link in theirs}.isdisjoint(link.ref for link in ours)
    assert (await verify_chain(database, store, company.id)).faults == ()


TAMPERED = {
    "mutation": """update mutation_log set envelope = jsonb_set(envelope, '{args,sku}', '"free"') where seq = 1""",
    "signature": "update signature set rating = 5",
    "report": """update service_report set document = document || '{"free": true}' where language = 'en'""",
    "print": "update report_pdf set plain_sha256 = ''",
    "certificate": "update seal_certificate set pem = ''",
    "movement": "update stock_movement set quantity = quantity + 1",
    "timeline": "update timeline_entry set actor_name = 'Somebody else' where action = 'resolve'",
    "device": "update device set public_key = 'mine'",
}


@pytest.mark.parametrize("kind", TAMPERED)
async def test_a_row_changed_by_a_superuser_is_named(database, test_database, store, company, worked, kind):
    assert (await sealed(database, store, company)).faults == ()
    as_superuser(test_database.owner_url, TAMPERED[kind])
    finding = await verify_chain(database, store, company.id, files=False)
    first = finding.first
    assert first is not None
    assert (first.kind, first.what) == (kind, "the row is not what was sealed")
    [link] = [link for link in await chain(database, company) if link.n == first.n]
    assert (link.kind, link.ref) == (kind, first.ref)


@pytest.mark.parametrize("table", ["mutation_log", "signature_superseded", "report_pdf", "stock_movement"])
async def test_a_sealed_row_that_was_deleted_is_missed(database, test_database, store, company, worked, table):
    async with database.unit_of_work(company.id) as uow:
        await uow.run(
            """
            insert into signature_superseded (org_id, signature_id, id, work_order_id, content_hash, changed, at)
            select org_id, id, gen_random_uuid(), work_order_id, '', '[]', at from signature
            """
        )
    assert (await sealed(database, store, company)).faults == ()
    as_superuser(test_database.owner_url, f"delete from {table}")
    finding = await verify_chain(database, store, company.id)
    kind = next(source.kind for source in SOURCES.values() if source.table == table)
    assert {*kinds(finding)} == {(kind, "the row is missing")}


async def test_an_entry_that_was_changed_is_named(database, test_database, store, company, worked):
    await sealed(database, store, company)
    as_superuser(test_database.owner_url, "update audit_entry set digest = repeat('0', 64) where n = 5")
    first = (await verify_chain(database, store, company.id)).first
    assert (first.n, first.what) == (5, "the entry itself was changed")


async def test_an_entry_that_was_taken_out_is_missed(database, test_database, store, company, worked):
    await sealed(database, store, company)
    as_superuser(test_database.owner_url, "delete from audit_entry where n = 5")
    first = (await verify_chain(database, store, company.id)).first
    assert (first.n, first.kind, first.what) == (5, "entry", "missing; the next one there is 6")


async def test_rows_whose_entries_or_marks_were_cut_off_are_named(database, test_database, store, company, worked):
    await sealed(database, store, company)
    [*_, last] = await chain(database, company)
    as_superuser(test_database.owner_url, f"delete from audit_entry where n = {last.n}")
    first = (await verify_chain(database, store, company.id)).first
    assert (first.n, first.kind, first.ref) == (None, last.kind, last.ref)
    assert first.what == "it is in no entry and does not wait"


async def test_a_row_written_past_the_trigger_is_named(database, test_database, store, company, worked):
    await sealed(database, store, company)
    as_superuser(
        test_database.owner_url,
        """
        insert into timeline_entry (org_id, id, work_order_id, action, actor_name, at, recorded_at, facts)
        select org_id, gen_random_uuid(), id, 'close', 'Nobody', now(), now(), '{}' from work_order
        """,
    )
    first = (await verify_chain(database, store, company.id)).first
    assert (first.n, first.kind, first.what) == (None, "timeline", "it is in no entry and does not wait")


async def test_a_print_that_is_not_the_sealed_one_is_named(database, store, company, worked, tmp_path):
    await sealed(database, store, company)
    async with database.unit_of_work(company.id) as uow:
        [first, second] = await uow.rows("select id, pdf_sha256 from report_pdf order by id")
    file = blob_file(tmp_path / "blobs", first["pdf_sha256"])
    file.chmod(0o600)
    file.write_bytes(file.read_bytes() + b"\n")
    blob_file(tmp_path / "blobs", second["pdf_sha256"]).unlink()
    finding = await verify_chain(database, store, company.id)
    assert [(fault.ref, fault.what) for fault in sorted(finding.faults, key=lambda fault: fault.what)] == [
        (second["id"], "its file is missing"),
        (first["id"], "its file is not what was sealed"),
    ]


def forge(owner_url: str) -> None:
    """Change a mutation and compute every link behind it anew: a chain without a flaw of its own."""
    from server.audit.domain import Link, link_hash

    with psycopg.connect(owner_url) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(TAMPERED["mutation"])
        found = connection.execute("select n, kind, ref, digest, at from audit_entry order by n").fetchall()
        [[changed]] = connection.execute("select id from mutation_log where seq = 1").fetchall()
        with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            source = SOURCES["mutation"]
            cursor.execute(f"select id, {source.columns} from mutation_log where id = %s", [changed])
            [row] = cursor.fetchall()
        digest = row_digest("mutation", row)
        previous = GENESIS
        for n, kind, ref, was, at in found:
            link = Link(n, kind, ref, digest if ref == changed else was, previous, "", at)
            fresh = link_hash(previous, link)
            connection.execute(
                "update audit_entry set digest = %s, prev_hash = %s, hash = %s where n = %s",
                [link.digest, previous, fresh, n],
            )
            previous = fresh


async def test_a_chain_rewritten_without_a_flaw_is_given_away_by_an_anchor(
    database, test_database, store, sealer, company, worked, tmp_path
):
    await sealed(database, store, company)
    document = await signed_heads(database, sealer, [company.id])
    write_daily(tmp_path / "anchors", SystemClock().now().date(), document)
    anchors = await read_anchors([tmp_path / "anchors"], sealer)
    await seal_everything(database)
    assert (await verify_chain(database, store, company.id, anchors=anchors)).faults == ()
    forge(test_database.owner_url)
    assert (await verify_chain(database, store, company.id)).faults == ()
    first = (await verify_chain(database, store, company.id, anchors=anchors)).first
    assert first.n == anchors[0].n
    assert first.what.startswith("the entry is not the one that was anchored in ")


async def test_an_end_that_was_cut_off_with_its_rows_is_given_away_by_an_anchor(
    database, test_database, store, sealer, company, phone, tmp_path
):
    await phone.push(phone.note("a"), phone.note("b"))
    await sealed(database, store, company)
    file = tmp_path / "anchor.json"
    file.write_text(json.dumps(await signed_heads(database, sealer, [company.id])))
    as_superuser(
        test_database.owner_url,
        "delete from mutation_log where seq = 2",
        "delete from audit_entry where n = 3",
        "delete from audit_pending",
        "delete from seal_certificate",
    )
    assert (await verify_chain(database, store, company.id)).faults == ()
    first = (await verify_chain(database, store, company.id, anchors=await read_anchors([file], sealer))).first
    assert (first.n, first.what) == (3, "missing; anchor.json anchors entry 3")


async def test_the_day_s_anchor_is_written_once_and_not_to_be_written_over(tmp_path):
    day = SystemClock().now().date()
    written = write_daily(tmp_path, day, {"a": 1})
    assert written is not None
    assert write_daily(tmp_path, day, {"a": 2}) is None
    assert (json.loads(written.read_text()), oct(written.stat().st_mode & 0o777)) == ({"a": 1}, "0o444")
    assert [path.name for path in tmp_path.iterdir()] == [written.name]


@pytest.fixture
async def anchored(database, store, sealer, company, worked, tmp_path):
    """A time-stamped anchor and what reads it."""
    stamped = Sealer(sealer.keys, sealer.wall, an_authority())
    await sealed(database, store, company)
    document = await signed_heads(database, stamped, [company.id], entries=True)
    file = tmp_path / "anchor.json"
    file.write_text(json.dumps(document))
    return stamped, file, document


async def test_an_anchor_is_signed_and_time_stamped_and_may_carry_the_chain(database, company, anchored):
    stamped, file, document = anchored
    [anchor] = await read_anchors([file], stamped)
    links = [link for link in await chain(database, company) if link.n <= anchor.n]
    assert (anchor.org, anchor.hash) == (company.id, links[-1].hash)
    assert document["heads"][0]["timestamp"] is not None
    assert [UUID(entry["ref"]) for entry in document["heads"][0]["entries"]] == [link.ref for link in links]


def _other_hash(head):
    head["statement"]["hash"] = "0" * 64


def _other_signature(head):
    head["signature"] = "AAAA"


def _other_time(head):
    head["timestamp"] = head["timestamp"][:200] + "AAAA" + head["timestamp"][204:]


def _no_certificate(head):
    del head["certificate"]


@pytest.mark.parametrize("change", [_other_hash, _other_signature, _other_time, _no_certificate])
async def test_an_anchor_that_was_changed_is_refused(anchored, change):
    stamped, file, document = anchored
    change(document["heads"][0])
    file.write_text(json.dumps(document))
    with pytest.raises(BadAnchor, match=r"anchor\.json"):
        await read_anchors([file], stamped)


@pytest.mark.parametrize("content", ["", "[]", '{"schema": "other"}', "\x00"])
async def test_what_is_no_anchor_is_refused_with_its_name(sealer, tmp_path: Path, content):
    file = tmp_path / "strange.json"
    await asyncio.to_thread(file.write_text, content)
    with pytest.raises(BadAnchor, match=r"strange\.json"):
        await read_anchors([file], sealer)


async def test_a_row_with_a_number_no_double_can_hold_is_sealed_like_any_other(
    database, test_database, store, company, phone
):
    await phone.push(phone.note("a"))
    as_superuser(test_database.owner_url, """update mutation_log set result = '{"huge": 1e400}'""")
    assert (await sealed(database, store, company)).faults == ()
    as_superuser(test_database.owner_url, """update mutation_log set result = '{"huge": 1e401}'""")
    assert kinds(await verify_chain(database, store, company.id)) == [("mutation", "the row is not what was sealed")]
