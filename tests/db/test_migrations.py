"""The schema in the database is the one that is declared, and every migration can be undone."""

import uuid

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg.conninfo import make_conninfo

from callout import database as provisioning
from server.migrations.metadata import METADATA, is_declared


@pytest.fixture
def empty_database(admin_url, runtime_password):
    name = f"callout_test_{uuid.uuid4().hex[:12]}"
    provisioning.create_roles(admin_url, runtime_password)
    provisioning.create_database(admin_url, name)
    yield make_conninfo(admin_url, dbname=name)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


def test_declared_tables_are_what_the_migrations_made(test_database):
    with provisioning.engine(test_database.owner_url).connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_object": lambda _object, name, kind, *_: kind != "table" or is_declared(name),
            },
        )
        assert compare_metadata(context, METADATA) == []


def test_up_down_up_on_an_empty_database_leaves_nothing_behind(empty_database):
    provisioning.migrate(empty_database)
    provisioning.downgrade(empty_database, "base")
    with psycopg.connect(empty_database) as connection:
        left = connection.execute(
            """
            select relname from pg_class
            where relnamespace = 'public'::regnamespace and relkind in ('r', 'S', 'v')
              and relname not in ('alembic_version', 'spatial_ref_sys', 'geography_columns', 'geometry_columns')
            """
        ).fetchall()
    assert left == []
    provisioning.migrate(empty_database)


def test_every_synced_table_bumps_its_bucket(test_database):
    """The trigger arguments name real columns, and no two feeds share an entity code."""
    with psycopg.connect(test_database.owner_url) as connection:
        feeds = connection.execute(
            """
            select c.relname, t.tgargs
            from pg_trigger t join pg_class c on c.oid = t.tgrelid
            where t.tgname ~ '^sync_[0-9]+$'
            """
        ).fetchall()
        columns = {
            row[0]
            for row in connection.execute(
                "select table_name || '.' || column_name from information_schema.columns"
            ).fetchall()
        }
    codes = []
    for table, arguments in feeds:
        code, _prefix, bucket_column, id_column, *_ = bytes(arguments).decode().split("\x00")
        codes.append(int(code))
        assert f"{table}.{id_column}" in columns
        assert not bucket_column or f"{table}.{bucket_column}" in columns
    assert len(codes) == len(set(codes))
    assert codes
