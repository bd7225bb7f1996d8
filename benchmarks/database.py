"""A database of a benchmark's own, migrated and empty; it is gone afterwards."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from callout import cluster
from callout import database as provisioning
from callout.settings import kept_secret

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Own:
    """admin: the server's superuser elsewhere; url: the superuser in this database; runtime_url: the product's role."""

    name: str
    admin: str
    url: str
    runtime_url: str


@contextmanager
def own_database() -> Iterator[Own]:
    admin = cluster.ensure("demo")
    name = f"callout_bench_{uuid.uuid4().hex[:8]}"
    password = kept_secret(ROOT / ".state" / "secrets" / "runtime-role")
    provisioning.create_roles(admin, password)
    provisioning.create_database(admin, name)
    url = make_conninfo(admin, dbname=name)
    try:
        provisioning.migrate(url)
        yield Own(name, admin, url, make_conninfo(url, user="callout_app", password=password))
    finally:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)")
