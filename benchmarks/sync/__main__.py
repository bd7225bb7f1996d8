"""The sync figures: `./do bench sync`. Each is measured beside the statements alone, in the same run.

The server runs in processes of its own against a durable Postgres (fsync on); the client shares its two cores.
"""

import argparse
import asyncio
import json
import statistics
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg

from benchmarks.sync.lines import Line, Reply
from benchmarks.sync.world import Phone, World, world
from callout import cluster
from callout.wiring import registry
from server.core.db import SESSION_OPTIONS

PULL, PUSH = "/mobile/v1/sync/pull", "/mobile/v1/sync/push"
LIMITS = {  # SYNC.md §7
    "noop_pull_p95_ms": 8,
    "delta_pull_p95_ms": 20,
    "push100_p95_ms": 200,
    "mutations_per_s": 1_000,
    "first_sync_10k_bytes": 800_000,
    "first_sync_10k_server_ms": 300,
    "first_sync_100_devices_s": 45,
}
AT_LEAST = {"mutations_per_s"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="a tenth of the repetitions")
    given = parser.parse_args()
    rounds = 10 if given.quick else 100
    try:
        with world(given.workers) as it:
            print(f"{len(it.phones)} phones, {it.rows_in_sight} rows in sight of each", flush=True)
            figures = asyncio.run(_measure(it, rounds))
    finally:
        cluster.stop("demo", if_unused=True)
    _tell(figures)
    print(json.dumps(figures))


def _tell(figures: dict[str, Any]) -> None:
    for name, value in figures.items():
        limit = LIMITS.get(name)
        kept = "" if limit is None else "ok" if (value >= limit) == (name in AT_LEAST) or value == limit else "MISSED"
        print(f"{name:32} {value:>12,.2f}   {'' if limit is None else f'limit {limit:,}':>16} {kept}")


async def _measure(it: World, rounds: int) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    first = await _first_syncs(it, it.phones[:1] * max(3, rounds // 10))
    figures["first_sync_10k_server_ms"] = statistics.median(first.milliseconds)
    figures["first_sync_10k_bytes"] = statistics.median(first.sizes)
    figures["first_sync_over_plain_sql_ratio"] = figures["first_sync_10k_server_ms"] / _plain_first_sync(it)
    figures["noop_pull_p95_ms"], figures["pull_over_plain_sql_ratio"] = await _idle_pulls(it, rounds * 3)
    figures["delta_pull_p95_ms"] = await _delta_pulls(it, rounds)
    figures["push100_p95_ms"], plain_ms = await _pushes(it, max(10, rounds // 3))
    figures["push100_over_plain_sql_ratio"] = figures["push100_p95_ms"] / plain_ms
    figures["mutations_per_s"] = await _sustained(it, seconds=max(5, rounds / 5))
    began = time.perf_counter()
    await _first_syncs(it, it.phones, together=True)
    figures["first_sync_100_devices_s"] = (time.perf_counter() - began) * 100 / len(it.phones)
    return figures


class _Taken:
    def __init__(self) -> None:
        self.milliseconds: list[float] = []
        self.sizes: list[int] = []


async def _first_syncs(it: World, phones: Sequence[Phone], *, together: bool = False) -> _Taken:
    taken = _Taken()
    if together:
        await asyncio.gather(*[_first_sync(it, phone, taken) for phone in phones])
    else:
        for phone in phones:
            await _first_sync(it, phone, taken)
    return taken


async def _first_sync(it: World, phone: Phone, taken: _Taken) -> None:
    """Pull from nothing until there is no more."""
    async with Line("127.0.0.1", it.port, phone.token) as line:
        seconds, size, cookie, more = 0.0, 0, None, True
        while more:
            reply = await line.post(PULL, _ask(phone, cookie, max_bytes=10_000_000))
            seconds, size = seconds + reply.seconds, size + len(reply.body)
            tail = _tail(reply)
            cookie, more = tail["cookie"], tail["more"]
        taken.milliseconds.append(seconds * 1000)
        taken.sizes.append(size)


def _ask(phone: Phone, cookie: str | None, max_bytes: int = 1_500_000) -> bytes:
    ask = {"device": str(phone.device), "stream": str(phone.device), "cookie": cookie, "max_bytes": max_bytes}
    return json.dumps(ask).encode()


def _tail(reply: Reply) -> dict[str, Any]:
    import zstandard

    body = reply.body
    if reply.headers.get("content-encoding") == "zstd":
        body = zstandard.decompress(body)
    tail: dict[str, Any] = json.loads(body.rsplit(b"\n", 2)[-2])
    return tail


async def _idle_pulls(it: World, rounds: int) -> tuple[float, float]:
    """Answer the 95th percentile of pulls that bring nothing, and the median over the statements alone."""
    phone = it.phones[0]
    async with Line("127.0.0.1", it.port, phone.token) as line:
        cookie = _tail(await line.post(PULL, _ask(phone, None, 10_000_000)))["cookie"]
        times = [(await line.post(PULL, _ask(phone, cookie))).seconds * 1000 for _ in range(rounds)]
    plain = _timed(lambda db: _plain_idle_pull(db, it, phone, int(cookie.split(":")[1])), it, rounds)
    return _p95(times), statistics.median(times) / statistics.median(plain)


def _plain_idle_pull(db: psycopg.Connection, it: World, phone: Phone, ordinal: int) -> None:
    db.execute("select set_config('callout.org', %s, true)", [str(it.org)])
    db.execute(
        "with held as (select h.key, h.value::bigint as version from sync_device_state s, jsonb_each_text(s.buckets) h "
        "where s.device_id = %s and s.ordinal = %s) "
        "select count(*) from (select distinct key from sync_scope(%s, now())) s join sync_bucket b on b.key = s.key "
        "full join held on held.key = b.key where held.version is distinct from b.version",
        [phone.device, ordinal, phone.person],
    ).fetchall()
    db.commit()


async def _delta_pulls(it: World, rounds: int) -> float:
    """Pulls that bring ten changed rows of three buckets."""
    phone, times = it.phones[0], []
    with psycopg.connect(it.url, autocommit=True) as office:
        async with Line("127.0.0.1", it.port, phone.token) as line:
            cookie = _tail(await line.post(PULL, _ask(phone, None, 10_000_000)))["cookie"]
            for _ in range(rounds):
                await asyncio.to_thread(
                    office.execute,
                    "update note set body = body || '.' where id in (select n.id from note n "
                    "where n.work_order_id = any(%s) order by n.id limit 10)",
                    [phone.orders[:3]],
                )
                reply = await line.post(PULL, _ask(phone, cookie))
                times.append(reply.seconds * 1000)
                cookie = _tail(reply)["cookie"]
    return _p95(times)


async def _pushes(it: World, rounds: int) -> tuple[float, float]:
    """Answer the 95th percentile of pushing a hundred mutations, and what their inserts alone take."""
    phone = it.phones[1]
    async with Line("127.0.0.1", it.port, phone.token) as line:
        stream = _Stream(phone)
        await line.post(PUSH, stream.batch(100))
        times = [(await line.post(PUSH, stream.batch(100))).seconds * 1000 for _ in range(rounds)]
    plain = _timed(lambda db: _plain_push(db, it, phone), it, rounds)
    return _p95(times), statistics.median(plain)


def _plain_push(db: psycopg.Connection, it: World, phone: Phone) -> None:
    """A hundred notes with their history and log lines, one statement each, in one transaction."""
    db.execute("select set_config('callout.org', %s, true)", [str(it.org)])
    for number in range(100):
        wo, note = phone.orders[number % 5], uuid.uuid4()
        db.execute(
            "insert into note (org_id, id, work_order_id, author_id, body, at) values (%s, %s, %s, %s, 'x', now())",
            [it.org, note, wo, phone.person],
        )
        db.execute(
            "insert into timeline_entry (org_id, id, work_order_id, action, actor_id, actor_name, at, recorded_at, "
            "facts) values (%s, %s, %s, 'note', %s, 'x', now(), now(), '{}')",
            [it.org, uuid.uuid4(), wo, phone.person],
        )
    db.commit()


async def _sustained(it: World, seconds: float) -> float:
    """Mutations a second while eight phones push batches of a hundred, one after the other."""
    until = time.perf_counter() + seconds
    began = time.perf_counter()

    async def work(phone: Phone) -> int:
        stream, done = _Stream(phone), 0
        async with Line("127.0.0.1", it.port, phone.token) as line:
            while time.perf_counter() < until:
                await line.post(PUSH, stream.batch(100))
                done += 100
        return done

    # One of each team: phones of different people seldom work on the same order.
    total = sum(await asyncio.gather(*[work(phone) for phone in it.one_of_each_team()[:8]]))
    return total / (time.perf_counter() - began)


class _Stream:
    """One phone's outbox: a mixture of what an engineer records, over five orders."""

    def __init__(self, phone: Phone) -> None:
        self._phone, self._id, self._seq = phone, str(uuid.uuid4()), 0

    def batch(self, size: int) -> bytes:
        acked = self._seq
        now = datetime.now(UTC).isoformat()
        return json.dumps(
            {
                "protocol": 1,
                "device": str(self._phone.device),
                "stream": self._id,
                "acked": acked,
                "clock": {"now": now, "mono": 1000.0 + self._seq, "boot": "b"},
                "mutations": [self._next(now) for _ in range(size)],
            }
        ).encode()

    def _next(self, now: str) -> dict[str, Any]:
        self._seq += 1
        wo = str(self._phone.orders[self._seq // 20 % 5])
        kind = self._seq % 5
        args: dict[str, Any] = {"id": str(uuid.uuid4()), "wo": wo}
        match kind:
            case 0 | 1:
                name, args = "note.add", args | {"body": "Checked the valve and cleaned the filter"}
            case 2:
                name, args = "time.add", args | {"kind": "work", "started_at": now, "ended_at": now}
            case 3:
                cost = {"kind": "parking", "amount_minor": 350, "currency": "EUR", "description": "Parking"}
                name, args = "cost.add", args | cost
            case _:
                name, args = "photo.add", args | {"sha256": uuid.uuid4().hex * 2, "caption": "Nameplate"}
        stamp = {"at": now, "mono": 1000.0, "boot": "b"}
        return {"seq": self._seq, "id": str(uuid.uuid4()), "name": name, "v": 1, "args": args, **stamp}


def _plain_first_sync(it: World) -> float:
    """Milliseconds the database alone takes to write the same rows as JSON, kind by kind."""
    wanted = [(code, projection.sql) for code, projection in sorted(registry().projections.items())]

    def once(db: psycopg.Connection) -> None:
        db.execute("select set_config('callout.org', %s, true)", [str(it.org)])
        for code, sql in wanted:
            mine = f"array(select id from bench_mine where entity = {code})"
            statement = sql.replace("%(ids)s", mine)
            db.execute(f"select string_agg(d::text, E'\\n') from ({statement}) p").fetchall()

    with psycopg.connect(it.runtime_url, options=SESSION_OPTIONS) as db:
        db.execute("select set_config('callout.org', %s, false)", [str(it.org)])
        db.execute(
            "create temporary table bench_mine as select e.entity, e.entity_id as id "
            "from (select distinct key from sync_scope(%s, now())) s join sync_bucket b on b.key = s.key "
            "join sync_entry e on e.bucket_id = b.id",
            [it.phones[0].person],
        )
        times = []
        for _ in range(5):
            began = time.perf_counter()
            once(db)
            times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def _timed(once: Callable[[psycopg.Connection], None], it: World, rounds: int) -> list[float]:
    times = []
    with psycopg.connect(it.runtime_url, options=SESSION_OPTIONS) as db:
        for _ in range(rounds):
            began = time.perf_counter()
            once(db)
            times.append((time.perf_counter() - began) * 1000)
    return times


def _p95(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


if __name__ == "__main__":
    main()
