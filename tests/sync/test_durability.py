"""Phones keep what is not safe elsewhere, and notice a server that has lost something."""

from datetime import timedelta

import psycopg
import pytest

from server.core.db import Database
from server.sync import queries
from server.sync.errors import EpochChanged
from tests.factories.sync import enrolled_phone


@pytest.fixture
async def phone(database, engineer):
    return await enrolled_phone(database, engineer)


def only(cursor) -> int:
    return int(cursor.fetchone()[0])


async def advance(database, company):
    async with database.unit_of_work(company.id) as uow:
        await queries.advance_durable(uow, trusted_before=uow.now() - timedelta(hours=24))


async def durable(phone):
    return (await phone.push(acked=len(phone.sent))).durable_seq


async def test_without_a_copy_to_ask_a_day_must_pass(phone, database, company, clock):
    await phone.push(phone.note("a"))
    await advance(database, company)
    assert await durable(phone) == 0
    clock.forward(timedelta(hours=25))
    await phone.push(phone.note("b"))
    await advance(database, company)
    assert await durable(phone) == 1
    assert (await phone.pull())[0]["durable_seq"] == 1
    clock.forward(timedelta(hours=25))
    await advance(database, company)
    assert await durable(phone) == 2


async def test_with_a_replica_what_it_flushed_is_safe_and_nothing_else(phone, database, company, test_database):
    """A physical slot makes the server wait for a copy; the copy's place is played by a function of the same name."""
    with psycopg.connect(test_database.owner_url, autocommit=True) as owner:
        owner.execute("create or replace function sync_has_safe_copy() returns boolean language sql as 'select true'")
        owner.execute("create or replace function sync_safe_lsn() returns bigint language sql as 'select 0::bigint'")
        await phone.push(phone.note("a"))
        await advance(database, company)
        await advance(database, company)
        assert await durable(phone) == 0
        owner.execute(
            "create or replace function sync_safe_lsn() returns bigint language sql "
            "as $$ select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint $$"
        )
        await advance(database, company)
        assert await durable(phone) == 1


async def test_a_new_connection_to_another_timeline_raises_the_epoch_once(phone, test_database, clock):
    await phone.push(phone.note("a"))
    first = await phone.pull()
    greeted = Database(test_database.url, clock, max_size=2, greeting="select sync_notice_restore()")
    await greeted.open()
    with psycopg.connect(test_database.owner_url, autocommit=True) as owner:
        assert owner.execute("select epoch from sync_epoch").fetchone() == (first[0]["epoch"],)
        owner.execute("update sync_epoch set timeline = timeline + 1")
        await greeted.close()
        again = Database(test_database.url, clock, max_size=2, greeting="select sync_notice_restore()")
        await again.open()
        raised = only(owner.execute("select epoch from sync_epoch"))
        await again.close()
    assert raised > first[0]["epoch"]
    restored = await phone.pull()
    assert restored[0]["epoch"] == raised
    assert restored[0]["since"] is None
    with pytest.raises(EpochChanged) as changed:
        await phone.push(phone.note("b"), acked=5)
    assert changed.value.facts == {"last_seq": 1, "epoch": raised}


async def test_two_restores_of_one_backup_never_share_an_epoch(test_database):
    with psycopg.connect(test_database.owner_url, autocommit=True) as owner:
        first = only(owner.execute("select sync_bump_epoch()"))
        owner.execute("update sync_epoch set epoch = 1")
        owner.execute("select pg_sleep(1.1)")
        assert only(owner.execute("select sync_bump_epoch()")) > first
