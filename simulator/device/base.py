"""What the server said, bucket by bucket: the rows a pull brought, before anything that is still pending."""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from simulator.device.errors import ProtocolBroken
from simulator.device.store import Store, canonical, put_settings

type Json = dict[str, Any]


class BucketDiffers(ProtocolBroken):
    """After applying a bucket the device holds other rows than the server says: start over."""


@dataclass
class BucketPatch:
    """One bucket's part of a pull, collected until it is complete.

    snapshot: sha256 of a file whose rows come before `puts` and `deletions`.
    """

    key: str
    version: int
    reset: bool
    snapshot: str | None = None
    puts: list[Json] = field(default_factory=list)
    deletions: list[Json] = field(default_factory=list)
    count: int | None = None
    checksum: str | None = None


@dataclass(frozen=True)
class Row:
    entity: str
    id: str
    bucket: str
    ver: int
    data: Json


class Base:
    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def cookie(self) -> str | None:
        return self._store.setting("cookie")

    @property
    def seen_seq(self) -> int:
        """Mutations up to here are contained in these rows."""
        return int(self._store.setting("base_seq") or 0)

    def rows(self, entity: str) -> Iterator[Row]:
        held = self._store.all("select id, bucket, ver, data from base where entity = ?", entity)
        for row_id, bucket, ver, data in held:
            yield Row(entity, row_id, bucket, ver, json.loads(data))

    def count(self) -> int:
        row = self._store.one("select count(*) from base")
        return int(row[0]) if row else 0

    def buckets(self) -> dict[str, int]:
        return dict(self._store.all("select key, version from bucket"))

    def claims(self) -> dict[str, Json]:
        """What we hold of each bucket the cookie covers, to be compared with what the server has."""
        covered = self._store.all("select key, version from bucket where confirmed = 1 and leaving = 0")
        return {key: {"v": version, **self._holding(key)} for key, version in covered}

    def _holding(self, bucket: str) -> Json:
        rows = self._store.all("select id, ver from base where bucket = ?", bucket)
        return {"n": len(rows), "h": checksum(rows)}

    def apply(self, patch: BucketPatch, snapshot: Iterable[Json] = ()) -> None:
        """The whole bucket and its version, or nothing; the rows of `snapshot` come first. Raises BucketDiffers."""
        with self._store.transaction() as db:
            if patch.reset:
                db.execute("delete from base where bucket = ?", (patch.key,))
            for puts in (snapshot, patch.puts):
                db.executemany(
                    "insert or replace into base (bucket, entity, id, ver, data) values (?, ?, ?, ?, ?)",
                    ((patch.key, put["t"], put["id"], put["ver"], canonical(put["d"])) for put in puts),
                )
            db.executemany(
                "delete from base where bucket = ? and entity = ? and id = ?",
                [(patch.key, gone["t"], gone["id"]) for gone in patch.deletions],
            )
            db.execute(
                "insert into bucket (key, version) values (?, ?) "
                "on conflict (key) do update set version = excluded.version, leaving = 0",
                (patch.key, patch.version),
            )
            if patch.count is not None:
                there = {"n": patch.count, "h": patch.checksum}
                if (here := self._holding(patch.key)) != there:
                    raise BucketDiffers(f"{patch.key}: {here} here, {there} on the server")

    def leave(self, buckets: Iterable[str]) -> None:
        """These left our scope. They go once nothing pending can still refer to them: see `sweep`."""
        with self._store.transaction() as db:
            db.executemany("update bucket set leaving = 1 where key = ?", [(key,) for key in buckets])

    def sweep(self, needed: set[str]) -> None:
        """Remove what is leaving, save the buckets that pending mutations still need."""
        leaving = [key for (key,) in self._store.all("select key from bucket where leaving = 1") if key not in needed]
        if leaving:
            with self._store.transaction() as db:
                _remove(db, leaving)

    def confirm(self, cookie: str, seen: set[str], base_seq: int, *, complete: bool) -> None:
        """A response arrived to its end: from now on its cookie speaks for the buckets it brought.

        A bucket from an interrupted response is in no cookie. If a complete answer does not mention it, it left our
        scope in between and no `drop` will ever come for it.
        """
        with self._store.transaction() as db:
            db.executemany("update bucket set confirmed = 1 where key = ?", [(key,) for key in seen])
            if complete:
                db.execute("update bucket set leaving = 1 where confirmed = 0")
            put_settings(db, cookie=cookie, base_seq=base_seq)

    def expect_anew(self, buckets: Iterable[str], cookie: str) -> None:
        """The server found these to differ and, asked with this cookie, will send them whole."""
        with self._store.transaction() as db:
            db.executemany("update bucket set confirmed = 0 where key = ?", [(key,) for key in buckets])
            put_settings(db, cookie=cookie)

    def forget_cookie(self) -> None:
        """Ask for everything again. What we hold stays until the answer replaces it."""
        with self._store.transaction() as db:
            db.execute("update bucket set confirmed = 0")
            put_settings(db, cookie=None)


def checksum(rows: Iterable[tuple[str, int]]) -> str:
    """Of rows given by id and version: the same on every device that holds the same, whatever the order."""
    mixed = 0
    for row_id, ver in rows:
        mixed ^= int.from_bytes(hashlib.sha256(f"{row_id}:{ver}".encode()).digest()[:8])
    return f"{mixed:016x}"


def _remove(db: sqlite3.Connection, buckets: list[str]) -> None:
    keys = [(key,) for key in buckets]
    db.executemany("delete from base where bucket = ?", keys)
    db.executemany("delete from bucket where key = ?", keys)
