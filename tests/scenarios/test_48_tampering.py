"""48: Tampering: edit a row of `mutation_log`, audit chain or signed PDF in the DB/file store."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from server.audit.sealing import seal_everything
from server.confirmation import service as confirmation
from server.confirmation.reporting import make_report
from tests.factories.audit import as_superuser, blob_file
from tests.factories.confirmation import a_resolved_order, a_signature
from tests.scenarios.handset import statuses

CALLOUT = Path(sys.executable).with_name("callout")


@pytest.fixture
def verify(settings, test_database):
    """`await verify()` runs the command as an administrator does and answers its exit code and what it said."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CALLOUT_")},
        "CALLOUT_RUNTIME_DATABASE_URL": test_database.url,
        "CALLOUT_STATE_DIR": str(settings.state_dir),
        "CALLOUT_SECRET": settings.secret.get_secret_value(),
    }

    def run() -> tuple[int, str]:
        done = subprocess.run(
            [CALLOUT, "audit", "verify", "--org", "acme"], env=environment, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    return lambda: asyncio.to_thread(run)


@pytest.fixture
async def signed(hand_out, database, services, company, dispatcher, engineer):
    """An order signed over HTTP and reported; everything sealed."""
    async with database.unit_of_work(company.id) as uow:
        order = await a_resolved_order(uow, dispatcher, engineer)
        package = a_signature(uow, order)
    phone = await hand_out("engineer", order.id)
    pushed = await phone.push(phone.note("Filter is clogged."), phone.record("signature.capture", package, v=2))
    assert statuses(pushed) == ["applied", "applied"]
    await make_report(
        database,
        services.blobs,
        company.id,
        order.id,
        sealer=services.sealer,
        verify_base="https://x/",
        mint_code=lambda: os.urandom(16),
    )
    await seal_everything(database)
    return phone


async def test_48_what_was_not_touched_verifies(signed, verify):
    code, said = await verify()
    assert (code, "FIRST BAD RECORD" in said) == (0, False), said


async def test_48_an_edited_mutation_is_named(signed, test_database, verify):
    [edited] = await signed.sql("select id from mutation_log where name = 'note.add'")
    as_superuser(
        test_database.owner_url,
        """
        update mutation_log set envelope = jsonb_set(envelope, '{args,body}', '"All fine."') where name = 'note.add'
        """,
    )
    [entry] = await signed.sql("select n from audit_entry where kind = 'mutation' and ref = %(id)s", id=edited["id"])
    code, said = await verify()
    assert code == 1
    fault = f"entry {entry['n']}, mutation {edited['id']}: the row is not what was sealed"
    assert f"acme: FIRST BAD RECORD: {fault}" in said


async def test_48_an_edited_link_of_the_chain_is_named(signed, test_database, verify):
    as_superuser(test_database.owner_url, "update audit_entry set at = at - interval '1 day' where n = 7")
    [entry] = await signed.sql("select kind, ref from audit_entry where n = 7")
    code, said = await verify()
    assert code == 1
    assert f"FIRST BAD RECORD: entry 7, {entry['kind']} {entry['ref']}: the entry itself was changed" in said


async def test_48_an_edited_print_is_named_and_its_seal_is_broken(signed, settings, services, database, verify):
    [printed] = await signed.sql(
        """
        select p.id, p.pdf_sha256, r.code from report_pdf p join service_report r on r.id = p.report_id
        where r.language = 'en'
        """
    )
    file = blob_file(settings.state_dir / "blobs", printed["pdf_sha256"])
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 1
    file.chmod(0o600)
    file.write_bytes(content)
    code, said = await verify()
    assert code == 1
    assert f"print {printed['id']}: its file is not what was sealed" in said
    seal = (await confirmation.verify(database, services.blobs, services.sealer, printed["code"])).seal
    assert seal.valid is False
    assert seal.why is not None


async def test_48_a_print_swapped_together_with_its_row_is_named(signed, test_database, verify):
    """Who changes the row too, so that the file fits it again, has changed what was sealed."""
    [english, chinese] = await signed.sql("select id, pdf_sha256 from report_pdf order by id")
    with psycopg.connect(test_database.owner_url) as superuser:
        superuser.execute("update report_pdf set pdf_sha256 = %s where id = %s", [chinese["pdf_sha256"], english["id"]])
    code, said = await verify()
    assert code == 1
    assert f"print {english['id']}: the row is not what was sealed" in said
