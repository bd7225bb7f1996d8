"""Organisations are isolated by the database itself, whatever the code above forgets."""

import psycopg
import pytest

from server.core.db import Database
from server.migrations.metadata import SHARED_TABLES
from tests.factories.identity import Company, found_company


def test_every_table_with_an_organisation_forces_row_level_security(test_database):
    """A new table without a policy, or without `org_id` and a reason, is found here."""
    with psycopg.connect(test_database.owner_url) as connection:
        found = connection.execute(
            """
            select c.relname, c.relrowsecurity and c.relforcerowsecurity,
                   exists (select 1 from pg_policies p where p.tablename = c.relname and 'callout_app' = any(p.roles)),
                   exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'org_id')
            from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
            """
        ).fetchall()
    names = {name for name, *_ in found}
    unprotected = {name for name, forced, policy, _ in found if name not in SHARED_TABLES and not (forced and policy)}
    keyless = {name for name, _, _, keyed in found if not keyed and name not in {*SHARED_TABLES, "organisation"}}
    assert not unprotected
    assert not keyless
    assert set(SHARED_TABLES) <= names


def test_the_runtime_role_owns_nothing_and_bypasses_nothing(test_database):
    with psycopg.connect(test_database.url) as connection:
        flags = connection.execute(
            "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles where rolname = current_user"
        ).fetchone()
        owned = connection.execute(
            "select count(*) from pg_class c join pg_roles r on r.oid = c.relowner where r.rolname = current_user"
        ).fetchone()
    assert flags == (False, False, False, False)
    assert owned == (0,)


async def test_raw_sql_reads_writes_and_moves_nothing_across_organisations(database: Database, company: Company):
    other = await found_company(database, "rival", roles=("dispatcher",))
    victim = other.actor("dispatcher").person

    async with database.unit_of_work(company.id) as uow:
        seen = await uow.rows(
            "select org_id from person where org_id = %(org)s or id = %(id)s", org=other.id, id=victim
        )
        changed = await uow.run("update person set name = 'x' where id = %(id)s", id=victim)
        gone = await uow.run("delete from person where id = %(id)s", id=victim)
        organisations = await uow.rows("select id from organisation")
    assert seen == []
    assert (changed, gone) == (0, 0)
    assert [row["id"] for row in organisations] == [company.id]

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.unit_of_work(company.id) as uow:
            await uow.run(
                "insert into skill (org_id, id, key, name) values (%(org)s, %(id)s, 'x', '{}')",
                org=other.id,
                id=uow.new_id(),
            )
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.unit_of_work(company.id) as uow:
            await uow.run("update person set org_id = %(org)s", org=other.id)


async def test_without_an_organisation_no_row_is_visible(database: Database, company: Company):
    async with database.unit_of_work() as uow:
        assert await uow.value("select count(*) from person") == 0


async def test_a_pooled_connection_forgets_the_organisation(database: Database, company: Company):
    async with database.unit_of_work(company.id) as uow:
        assert await uow.value("select count(*) from person") > 0
    for _ in range(10):
        async with database.unit_of_work() as uow:
            assert await uow.value("select callout_org()") is None


@pytest.mark.parametrize(
    "table",
    [
        "event",
        "timeline_entry",
        "stock_movement",
        "signature",
        "mutation_log",
        "service_report",
        "report_pdf",
        "audit_entry",
    ],
)
async def test_what_happened_can_not_be_rewritten(database: Database, company: Company, table: str):
    for statement in (f"update {table} set org_id = org_id", f"delete from {table}"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with database.unit_of_work(company.id) as uow:
                await uow.run(statement)
