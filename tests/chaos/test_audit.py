"""The auditor is worth something only if it finds what is wrong: each kind of loss and doubling is made, and found."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from server.inventory import service as inventory
from server.inventory.domain import LocationKind
from tests.chaos.audit import Auditor, Findings, Told
from tests.chaos.office import Answered
from tests.conftest import TestDatabase
from tests.factories.identity import Company
from tests.factories.inventory import a_part, goods_in
from tests.scenarios.handset import NOW, Handset, outcomes


@pytest.fixture
async def mutations(handset: Handset, company: Company, test_database: TestDatabase) -> list[Told]:
    """A note, an accepted visit and a used part, pushed and acknowledged; the relay has been there too."""
    async with handset.database.unit_of_work(handset.actor.org) as uow:
        part, engineer = await a_part(uow), handset.actor.person
        van = await inventory.add_location(uow, kind=LocationKind.VAN, name="Van", person_id=engineer)
        await goods_in(uow, company.actor("administrator"), part, van, 10)
    visit = (await handset.sql("select id from visit"))[0]["id"]
    work = {"wo": str(handset.order), "visit": str(visit)}
    handset.note("one")
    handset.record("wo.transition", {**work, "to": "accept"})
    handset.record("part.use", {**work, "id": str(uuid4()), "part": str(part.id), "quantity": 2})
    answer = outcomes(await handset.push())
    assert [status for status, _ in answer] == ["applied"] * 3
    change(test_database, "update event set position = nextval('event_position')")
    return [
        Told(
            id=it["id"],
            device=handset.device,
            stream=handset.stream,
            seq=it["seq"],
            name=it["name"],
            outcome=status,
            code=code,
            row=it["args"].get("id"),
            order=str(handset.order),
        )
        for it, (status, code) in zip(handset.outbox, answer, strict=True)
    ]


@pytest.fixture
def audit(test_database: TestDatabase, tmp_path: Path) -> Callable[..., Findings]:
    auditor = Auditor(test_database.owner_url, tmp_path)
    return lambda mutations, files=(): auditor.audit(mutations, files, at_rest=True)


def change(database: TestDatabase, sql: str) -> None:
    """Past every rule and trigger."""
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(sql.encode())


async def test_where_all_is_well_nothing_is_found(mutations, audit):
    assert audit(mutations) == Findings()


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("delete from mutation_log where name = 'note.add'", "acknowledged and not in the log"),
        ("update mutation_log set status = 'merged' where name = 'note.add'", "acknowledged with another status"),
        ("delete from note", "acknowledged without an effect"),
        ("delete from stock_movement where device_id is not null", "acknowledged without an effect"),
        ("delete from timeline_entry where action = 'accept'", "applied without its step"),
    ],
)
async def test_what_is_lost_is_found(mutations, audit, test_database, damage, found):
    change(test_database, damage)
    assert any(sentence.startswith(found) for sentence in audit(mutations).lost)


@pytest.mark.parametrize(
    ("table", "changed", "where", "found"),
    [
        ("timeline_entry", {"id": "gen_random_uuid()"}, "action = 'accept'", "stepped more than once"),
        ("mutation_log", {"id": "gen_random_uuid()", "seq": "9"}, "seq = 1", "in the log and recorded on no phone"),
        ("stock_movement", {"id": "gen_random_uuid()"}, "device_id is not null", "moved from a phone that recorded no"),
    ],
)
async def test_what_is_there_twice_is_found(mutations, audit, test_database, table, changed, where, found):
    copied(test_database, table, changed, where)
    assert any(sentence.startswith(found) for sentence in audit(mutations).doubled)


def copied(database: TestDatabase, table: str, changed: dict[str, str], where: str) -> None:
    columns = "select column_name from information_schema.columns where table_name = %s and is_generated = 'NEVER'"
    with psycopg.connect(database.owner_url) as connection:
        names = [name for (name,) in connection.execute(columns, [table])]
    values = ", ".join(changed.get(name, name) for name in names)
    change(database, f"insert into {table} ({', '.join(names)}) select {values} from {table} where {where} limit 1")


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("update stock set quantity = quantity + 1", "balances that are not their ledger's"),
        ("update stock set quantity = quantity + 1", "parts whose balances and the outside world"),
        ("update sync_stream set last_seq = last_seq + 1", "streams with holes"),
        ("update event set position = null", "events without a position"),
        ("update event set position = 1", "event positions given twice"),
        (
            "update mutation_log set status = 'quarantined', code = 'sync.server_error'",
            "quarantined because the server",
        ),
        (
            "insert into procrastinate_jobs (task_name, status, queue_name) values ('a', 'failed', 'default')",
            "jobs that never ended",
        ),
    ],
)
async def test_what_does_not_fit_is_found(mutations, audit, test_database, damage, found):
    change(test_database, damage)
    assert any(sentence.startswith(found) for sentence in audit(mutations).wrong)


async def test_files_that_were_confirmed_are_looked_for_and_read(mutations, audit, test_database, tmp_path):
    content = b"\xff\xd8\xff" + b"x" * 1000
    sha = hashlib.sha256(content).hexdigest()
    files = [(sha, len(content))]
    assert "not ready in the database" in audit(mutations, files).lost[0]
    org = mutations_org(test_database)
    change(
        test_database,
        f"insert into blob (org_id, sha256, size, mime, purpose, state, received, created_by, created_at) "
        f"values ('{org}', '{sha}', {len(content)}, 'image/jpeg', 'photo', 'ready', {len(content)}, '{org}', '{NOW}')",
    )
    assert "not in the store" in audit(mutations, files).lost[0]
    (tmp_path / sha).write_bytes(content[:-1] + b"y")
    assert "other bytes" in audit(mutations, files).lost[0]
    (tmp_path / sha).write_bytes(content)
    assert audit(mutations, files) == Findings()


def mutations_org(database: TestDatabase) -> str:
    with psycopg.connect(database.owner_url) as connection:
        (org,) = connection.execute("select org_id from mutation_log").fetchall()[0]
        return str(org)


async def test_the_office_has_exactly_what_it_was_told_it_made(mutations, test_database, tmp_path):
    auditor = Auditor(test_database.owner_url, tmp_path)
    before = auditor.baseline()
    before.orders.clear()
    there = auditor.baseline().orders.pop()
    told = Answered("key", "/work-orders", {}, {"id": there})
    never = Answered("key", "/work-orders", {}, {"id": str(uuid4())})
    assert auditor.office(before, [told], []) == Findings()
    assert len(auditor.office(before, [told, never], []).lost) == 1
    assert len(auditor.office(before, [], []).doubled) == 1
