"""The ordered log of what a person did: appended atomically, numbered without holes, chained by hash."""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from simulator.device.errors import ProtocolBroken
from simulator.device.store import Store, canonical, put_settings

RETAIN = timedelta(hours=72)
type Json = dict[str, Any]


@dataclass(frozen=True)
class Attachment:
    """Bytes that a mutation refers to by their sha256."""

    content: bytes
    mime: str
    purpose: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Draft:
    """A mutation before the outbox gave it its place. `stamp` is when: at, mono, boot."""

    id: str
    name: str
    args: Mapping[str, Any]
    stamp: Mapping[str, Any]
    v: int = 1
    base: Mapping[str, Any] | None = None
    geo: Mapping[str, float] | None = None
    files: Sequence[Attachment] = ()

    def envelope(self, seq: int, prev: str | None) -> Json:
        optional: Json = {}
        if self.base is not None:
            optional["base"] = dict(self.base)
        if self.geo is not None:
            optional["geo"] = dict(self.geo)
        if self.files:
            optional["blobs"] = [f"sha256:{file.sha256}" for file in self.files]
        named = {"id": self.id, "name": self.name, "v": self.v, "args": dict(self.args)}
        return {"seq": seq, **named, **self.stamp, **optional, "prev": prev}


@dataclass(frozen=True)
class Recorded:
    """A mutation in the outbox; `status` is None until the server's answer is stored."""

    stream: str
    seq: int
    id: str
    envelope: Json
    status: str | None
    result: Json | None

    @property
    def name(self) -> str:
        return str(self.envelope["name"])

    @property
    def args(self) -> Json:
        return dict(self.envelope["args"])


@dataclass(frozen=True)
class Unsent:
    """How much waits, how large it is, and since when the oldest does."""

    count: int
    size: int
    oldest_at: str | None


_COLUMNS = "stream, seq, id, envelope, status, result"


def _recorded(row: Sequence[Any]) -> Recorded:
    stream, seq, mutation_id, envelope, status, result = row
    return Recorded(stream, seq, mutation_id, json.loads(envelope), status, json.loads(result) if result else None)


class Outbox:
    """One stream at a time. Acknowledged mutations are retained: a restored server is refilled from them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def stream(self) -> str:
        stream = self._store.setting("stream")
        if stream is None:
            raise ProtocolBroken("the device has no stream yet: enrol it first")
        return stream

    def append(self, draft: Draft) -> Recorded:
        """Put the mutation and its files on the disk, in one transaction."""
        with self._store.transaction() as db:
            for file in draft.files:
                _keep_file(db, file)
            return self._insert(db, self.stream, draft)

    def _insert(self, db: sqlite3.Connection, stream: str, draft: Draft) -> Recorded:
        last = self._store.one("select seq, hash from outbox where stream = ? order by seq desc limit 1", stream)
        seq, prev = (last[0] + 1, last[1]) if last else (1, None)
        envelope = draft.envelope(seq, prev)
        _write(db, stream, envelope)
        return Recorded(stream, seq, draft.id, envelope, None, None)

    def batch(self, limit: int) -> list[Recorded]:
        """The oldest mutations whose answer is not known, in order."""
        waiting = f"select {_COLUMNS} from outbox where stream = ? and status is null order by seq limit ?"
        return [_recorded(row) for row in self._store.all(waiting, self.stream, limit)]

    def acked(self) -> int:
        """The highest seq up to which every result is stored; 0 when there is none. A rescue is no result."""
        stream = self.stream
        held = "select coalesce(min(seq) - 1, (select max(seq) from outbox where stream = ?), 0) from outbox"
        row = self._store.one(f"{held} where stream = ? and coalesce(status, 'rescued') = 'rescued'", stream, stream)
        return int(row[0]) if row else 0

    def waiting(self) -> int:
        row = self._store.one("select count(*) from outbox where status is null")
        return int(row[0]) if row else 0

    def after(self, seq: int) -> list[Recorded]:
        later = f"select {_COLUMNS} from outbox where stream = ? and seq > ? order by seq"
        return [_recorded(row) for row in self._store.all(later, self.stream, seq)]

    def everything(self) -> list[Recorded]:
        return [_recorded(row) for row in self._store.all(f"select {_COLUMNS} from outbox order by rowid")]

    def settle(self, results: Iterable[Mapping[str, Any]], durable_seq: int, now: datetime) -> None:
        """Store what the server said, then let go of what is both durable there and old."""
        stream = self.stream
        with self._store.transaction() as db:
            for result in results:
                db.execute(
                    "update outbox set status = ?, result = ? where stream = ? and seq = ?",
                    (result["status"], canonical(result), stream, result["seq"]),
                )
        self.let_go(durable_seq, now)

    def hand_in(self, handed: Sequence[Recorded]) -> None:
        """The server keeps these in quarantine now: they are safe, and a person decides about them."""
        with self._store.transaction() as db:
            db.executemany(
                "update outbox set status = 'rescued' where id = ? and status is null", [(it.id,) for it in handed]
            )

    def unsent(self) -> Unsent:
        """What has no answer yet."""
        row = self._store.one(
            "select count(*), coalesce(sum(length(envelope)), 0), min(at) from outbox where status is null"
        )
        assert row is not None
        return Unsent(*row)

    def let_go(self, durable_seq: int, now: datetime) -> None:
        """Forget mutations the server has safe in a backup, three days after they were recorded, and their files.

        Former streams were acknowledged before this one began: once any of this one is safe, so are they.
        """
        if durable_seq <= 0:
            return
        with self._store.transaction() as db:
            gone = db.execute(
                "delete from outbox where status is not null and at < ? and (stream <> ? or seq <= ? "
                "and seq < (select max(seq) from outbox where stream = ?)) "  # the last one carries the chain
                "returning envelope",
                ((now - RETAIN).isoformat(), self.stream, durable_seq, self.stream),
            ).fetchall()
            for (envelope,) in gone:
                _forget_files(db, json.loads(envelope).get("blobs", []))

    def resend_from(self, expected: int) -> None:
        """The server knows less than we thought. Raises ProtocolBroken when the log no longer reaches back that far."""
        stream = self.stream
        with self._store.transaction() as db:
            if not db.execute("select 1 from outbox where stream = ? and seq = ?", (stream, expected)).fetchone():
                raise ProtocolBroken(f"the server asks for mutation {expected}, which this device no longer has")
            again = "update outbox set status = null, result = null where stream = ? and seq >= ?"
            db.execute(again, (stream, expected))

    def replay_from(self, expected: int) -> None:
        """The server was restored and may have lost what it acknowledged, of former streams too: offer all of it.

        Former streams even if it lost nothing of this one: it may have begun after what was lost, at a new enrolment.
        """
        if self.acked() >= expected:
            self.resend_from(expected)
        stream = self.stream
        former = self._store.all("select id, envelope from outbox where stream <> ? order by rowid", stream)
        with self._store.transaction() as db:
            last = db.execute("select seq, hash from outbox where stream = ? order by seq desc limit 1", (stream,))
            seq, prev = last.fetchone() or (0, None)
            for mutation_id, envelope in former:
                db.execute("delete from outbox where id = ?", (mutation_id,))
                seq += 1
                prev = _write(db, stream, {**json.loads(envelope), "seq": seq, "prev": prev})

    def fork(self, stream: str) -> None:
        """The server knows our stream as somebody else's."""
        with self._store.transaction() as db:
            self.move(db, stream)

    def move(self, db: sqlite3.Connection, stream: str) -> None:
        """Go on under a new stream: what is not acknowledged moves there with its ids, numbered and chained afresh."""
        moving = [row.envelope for row in self.batch(-1)] if self._store.setting("stream") else []
        db.execute("delete from outbox where status is null")
        put_settings(db, stream=stream, base_seq=0)
        prev: str | None = None
        for seq, envelope in enumerate(moving, start=1):
            prev = _write(db, stream, {**envelope, "seq": seq, "prev": prev})


def _write(db: sqlite3.Connection, stream: str, envelope: Json) -> str:
    text = canonical(envelope)
    digest = hashlib.sha256(text.encode()).hexdigest()
    db.execute(
        "insert into outbox (stream, seq, id, envelope, hash, at) values (?, ?, ?, ?, ?, ?)",
        (stream, envelope["seq"], envelope["id"], text, digest, envelope["at"]),
    )
    return digest


def _keep_file(db: sqlite3.Connection, file: Attachment) -> None:
    db.execute(
        "insert or ignore into file (sha256, mime, purpose, size, bytes) values (?, ?, ?, ?, ?)",
        (file.sha256, file.mime, file.purpose, len(file.content), file.content),
    )


def _forget_files(db: sqlite3.Connection, names: Iterable[str]) -> None:
    """Drop bytes that arrived and that no mutation we still keep refers to."""
    for name in names:
        db.execute(
            "delete from file where sha256 = ? and sent = 1 "
            "and not exists (select 1 from outbox where envelope like ?)",
            (name.removeprefix("sha256:"), f"%{name}%"),
        )
