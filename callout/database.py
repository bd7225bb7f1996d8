"""Make the database ready: roles, extension, migrations. Run with a connection that may create all of these.

Two roles exist: `callout_owner` owns the tables and runs migrations, `callout_app` is what the product runs as and
neither owns nor bypasses anything.
"""

import re
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from psycopg.conninfo import make_conninfo
from sqlalchemy import Engine, NullPool, create_engine, text

from callout import cluster
from callout.cluster import ClusterError
from callout.settings import Settings, kept_secret
from server.migrations.security import OWNER, RUNTIME

_MIGRATIONS = Path(__file__).parent.parent / "server" / "migrations"


def prepare(settings: Settings) -> str:
    """Create what is missing, migrate to the newest version, answer the runtime URL. Safe to repeat."""
    admin = admin_url(settings)
    create_roles(admin, runtime_password(settings))
    create_database(admin, settings.database_name)
    migrate(owner_url(settings))
    return runtime_url(settings)


def admin_url(settings: Settings) -> str:
    """The given superuser's URL, else that of this checkout's private cluster, which is started if need be."""
    if settings.admin_database_url is not None:
        return settings.admin_database_url.get_secret_value()
    try:
        return cluster.ensure("demo")
    except ClusterError as none:
        raise SystemExit(f"callout: {none}") from None


def owner_url(settings: Settings) -> str:
    """A superuser's URL of the product's own database."""
    return make_conninfo(admin_url(settings), dbname=settings.database_name)


def runtime_password(settings: Settings) -> str:
    return kept_secret(settings.state_dir / "secrets" / "runtime-role")


def runtime_url(settings: Settings) -> str:
    """Where the product connects: the given URL, else the administrator's server as the runtime role."""
    if settings.runtime_database_url is not None:
        return settings.runtime_database_url.get_secret_value()
    return make_conninfo(
        admin_url(settings), user=RUNTIME, password=runtime_password(settings), dbname=settings.database_name
    )


def create_roles(admin: str, password: str) -> None:
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(hashtext('callout.roles'))")
        for role in (OWNER, RUNTIME):
            if not connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone():
                connection.execute(sql.SQL("create role {} nosuperuser").format(sql.Identifier(role)))
        connection.execute(
            sql.SQL("alter role {} login password {}").format(sql.Identifier(RUNTIME), sql.Literal(password))
        )
        connection.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(OWNER)))
        # How far replicas have come is what tells phones which of their records are safe.
        connection.execute(sql.SQL("grant pg_read_all_stats to {}").format(sql.Identifier(OWNER)))


def create_database(admin: str, name: str) -> None:
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name):
        message = f"{name!r} is no plain database name"
        raise ValueError(message)
    with psycopg.connect(admin, autocommit=True) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
            connection.execute(
                sql.SQL("create database {} template template0 encoding 'UTF8'").format(sql.Identifier(name))
            )
    with psycopg.connect(make_conninfo(admin, dbname=name), autocommit=True) as connection:
        connection.execute("create extension if not exists postgis")
        connection.execute(sql.SQL("grant usage, create on schema public to {}").format(sql.Identifier(OWNER)))
        connection.execute(sql.SQL("grant usage on schema public to {}").format(sql.Identifier(RUNTIME)))
        connection.execute("revoke create on schema public from public")


def engine(url: str) -> Engine:
    """An engine whose connections act as the owner of the tables."""

    def connect() -> psycopg.Connection:
        return psycopg.connect(url, options=f"-c role={OWNER}")

    # Unpooled, so that closing a connection really ends its session and the locks it holds.
    return create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


def migrate(url: str, target: str = "head") -> None:
    """Upgrade to `target`. One process at a time; the others wait and then find nothing to do."""
    config = alembic_config()
    with engine(url).connect() as connection:
        connection.execute(text("select pg_advisory_lock(hashtext('callout.migrate'))"))
        connection.commit()
        config.attributes["connection"] = connection
        command.upgrade(config, target)
        connection.commit()


def draft_migration(url: str, why: str) -> Path:
    """Write the next numbered migration from the difference between the declared tables and the database at `url`."""
    number = len(list((_MIGRATIONS / "versions").glob("[0-9]*.py"))) + 1
    config = alembic_config()
    with engine(url).connect() as connection:
        config.attributes["connection"] = connection
        script = command.revision(config, why, autogenerate=True, rev_id=f"{number:04}")
    if script is None or isinstance(script, list):
        message = "Alembic wrote no migration"
        raise RuntimeError(message)
    return Path(script.path)


def downgrade(url: str, target: str) -> None:
    config = alembic_config()
    with engine(url).connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, target)
        connection.commit()
