"""The phone's database: one SQLite file. What a transaction wrote is on the disk before anybody believes it."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA = """
create table if not exists setting (key text primary key, value text not null) without rowid;

create table if not exists outbox (
  stream text not null, seq integer not null,
  id text not null unique,
  envelope text not null,           -- the mutation exactly as sent: canonical JSON
  hash text not null,               -- its sha256, the `prev` of the next one
  at text not null,
  status text, result text,         -- the server's answer, null while it is not known
  primary key (stream, seq));
create index if not exists outbox_waiting on outbox (stream, seq) where status is null;

create table if not exists file (
  sha256 text primary key, mime text not null, purpose text not null,
  size integer not null, bytes blob not null,
  announced integer not null default 0,   -- the server knows of it: ask HEAD where to go on
  sent integer not null default 0);

create table if not exists bucket (
  key text primary key, version integer not null,
  confirmed integer not null default 0,   -- the cookie we hold covers it
  leaving integer not null default 0) without rowid;
create table if not exists base (
  bucket text not null, entity text not null, id text not null,
  ver integer not null, data text not null,
  primary key (bucket, entity, id)) without rowid;
create index if not exists base_entity on base (entity, id);

create table if not exists fix (seq integer primary key autoincrement, at text not null, data text not null);
"""


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: the text that is hashed is the text that is sent."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class Store:
    """Opens or creates the database at `path`. Not for use from several threads.

    lasting: wait for the disk at every commit, as a phone must. Without it a commit survives the program's end but not
        the machine's: for simulations that throw the file away.
    """

    def __init__(self, path: Path, *, lasting: bool = True) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, timeout=10)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute(f"pragma synchronous = {'full' if lasting else 'off'}")
        self._db.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing. Never await inside: everything else on this device shares the connection."""
        self._db.execute("begin immediate")
        try:
            yield self._db
            self._db.execute("commit")
        except BaseException:
            self._db.execute("rollback")
            raise

    def all(self, sql: str, *values: object) -> list[Any]:
        return self._db.execute(sql, values).fetchall()

    def one(self, sql: str, *values: object) -> Any | None:
        return self._db.execute(sql, values).fetchone()

    def setting(self, key: str) -> str | None:
        row = self.one("select value from setting where key = ?", key)
        return None if row is None else str(row[0])

    def settings(self, prefix: str = "") -> dict[str, str]:
        return dict(self.all("select key, value from setting where substr(key, 1, ?) = ?", len(prefix), prefix))

    def close(self) -> None:
        self._db.close()


def put_settings(db: sqlite3.Connection, **values: str | int | None) -> None:
    """Set each key; None removes it."""
    for key, value in values.items():
        if value is None:
            db.execute("delete from setting where key = ?", (key,))
        else:
            db.execute("insert or replace into setting values (?, ?)", (key, str(value)))
