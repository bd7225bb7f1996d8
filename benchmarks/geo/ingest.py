"""Fixes taken in a second, fences and all, beside the plainest insert Postgres can do with the same batches.

Each engineer drives between the four sites of their day and works at each; their phone sends a batch at a time. Two
processes record them through `record_fixes`, one transaction a batch, against a durable Postgres (fsync on) on the same
two cores. The plain limit is the same arrays into one table with the same columns and key: no shift, no fence, no
count, no partition. Over HTTP the same kind of batches go as JSON through two processes of the API; the client burns
its share of the cores.
"""

import asyncio
import json
import math
import multiprocessing
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

import psycopg

from benchmarks.database import ROOT, Own, own_database
from benchmarks.sync.lines import Line
from benchmarks.sync.world import served
from callout import cluster
from callout.settings import Settings
from server.core.clock import SystemClock
from server.core.db import Database, UnitOfWork
from server.geo import service as geo
from server.geo.domain import Point
from server.geo.positions import Fix, Interval
from server.identity import queries as identity_queries
from server.identity import service as identity
from server.identity.domain import Actor, Audience, Role, permissions_of
from server.identity.tokens import Tokens
from server.workforce import queries as workforce
from server.workforce.domain import Hours

PROCESSES = 2
AT_ONCE = 3  # transactions of one process
ENGINEERS = 120
SITES = 4
BATCH = 500
EVERY_S = 5
_DRIVE_S, _STAY_S = 600, 1_200
_METRES_PER_DEGREE = 111_195.0
_PORTO = Point(-8.61, 41.16)

_PLAIN = """
    create table plain_track (
        org_id uuid not null, person_id uuid not null, fixed_at timestamptz not null, device_id uuid not null,
        seq bigint not null, place geography(point, 4326) not null, accuracy_m integer not null,
        primary key (org_id, person_id, fixed_at, device_id, seq));
    grant all on plain_track to callout_app;
"""
_PLAIN_INSERT = """
    insert into plain_track (org_id, person_id, fixed_at, device_id, seq, place, accuracy_m)
    select %(org)s, %(person)s, fixed_at, %(device)s, seq, st_setsrid(st_makepoint(lon, lat), 4326)::geography, accuracy
    from unnest(%(seqs)b::bigint[], %(ats)b::timestamptz[], %(lons)b::float8[], %(lats)b::float8[],
                %(accuracies)b::int[]) as f (seq, fixed_at, lon, lat, accuracy)
"""


@dataclass(frozen=True)
class Phone:
    person: uuid.UUID
    device: uuid.UUID
    token: str
    sites: tuple[Point, ...]


type Send = Callable[[UnitOfWork, Phone, Sequence[Fix]], Awaitable[None]]


def figures(_: Path, quick: bool) -> dict[str, float]:  # noqa: FBT001
    rounds = 1 if quick else 8
    try:
        with own_database() as own, _state(own) as state:
            secret = Settings(state_dir=state).signing_secret
            org, phones, begin = asyncio.run(_founded(own.runtime_url, secret, rounds))
            with psycopg.connect(own.url, autocommit=True) as admin:
                admin.execute(_PLAIN)
            by_hand, by_http = phones[:ENGINEERS], phones[ENGINEERS:]
            sent = len(by_hand) * rounds * BATCH
            plain = sent / _timed(own.runtime_url, org, by_hand, begin, rounds, plain=True)
            ours = sent / _timed(own.runtime_url, org, by_hand, begin, rounds, plain=False)
            with served(own.admin, own.name, state, PROCESSES) as port:
                posted = len(by_http) * rounds * BATCH
                over_http = posted / asyncio.run(_posted(port, by_http, begin, rounds))
            with psycopg.connect(own.url) as admin:
                kept, crossed = _counted(admin)
    finally:
        cluster.stop("demo", if_unused=True)
    lost = sent + posted - kept
    print(f"engineers' days of {SITES} fences each, batches of {BATCH}, {PROCESSES} processes")
    print(f"{'plain insert':14} {plain:>10,.0f} fixes/s of {sent:,}")
    print(f"{'ours':14} {ours:>10,.0f} fixes/s of {sent:,}")
    print(
        f"{'over HTTP':14} {over_http:>10,.0f} fixes/s of {posted:,}; of all {lost} lost, {crossed:,} crossings",
        flush=True,
    )
    return {
        "fixes_per_s": ours,
        "fixes_over_plain_insert_ratio": ours / plain,
        "fixes_over_http_per_s": over_http,
        "fixes_lost": float(lost),
    }


@contextmanager
def _state(own: Own) -> Iterator[Path]:
    """A state folder for processes that serve this database, with the checkout's secrets."""
    state = ROOT / ".state" / "bench" / own.name
    state.mkdir(parents=True)
    (state / "secrets").symlink_to(ROOT / ".state" / "secrets")
    yield state


def _counted(admin: psycopg.Connection) -> tuple[int, int]:
    row = admin.execute(
        "select (select count(*) from position_track), (select count(*) from fence_crossing)"
    ).fetchone()
    assert row is not None
    return row[0], row[1]


async def _founded(url: str, secret: str, rounds: int) -> tuple[uuid.UUID, list[Phone], datetime]:
    """Found the organisation with its engineers, phones and today's fences; answer when the day began."""
    database, tokens, chance = Database(url, SystemClock()), Tokens(secret), random.Random(1)
    await database.open()
    begin = SystemClock().now() - timedelta(seconds=rounds * BATCH * EVERY_S)
    try:
        async with database.unit_of_work() as uow:
            org = (
                await identity.found_organisation(
                    uow, name="Bench", slug="bench", language="en", timezone="Europe/Lisbon"
                )
            ).id
            phones = [
                await _equipped(uow, tokens, number, begin, chance) for number in range(ENGINEERS + ENGINEERS // 2)
            ]
            for phone in phones:
                for site in phone.sites:
                    await geo.watch(uow, uow.new_id(), phone.person, site, 500, since=begin)
    finally:
        await database.close()
    return org, phones, begin


async def _equipped(uow: UnitOfWork, tokens: Tokens, number: int, begin: datetime, chance: random.Random) -> Phone:
    """An engineer on shift, with a phone that is signed in and four sites to go to."""
    email = f"e{number}@bench.example"
    person = await identity.hire(uow, email=email, name=f"Engineer {number}", roles=[Role.ENGINEER])
    device = uow.new_id()
    await identity_queries.insert_device(
        uow,
        device=device,
        person=person.id,
        name="Phone",
        platform="bench",
        app_version="1.0.0",
        public_key=None,
        storage_persisted=True,
    )
    signed_in = await identity.open_session(
        uow, tokens, person=person.id, device=device, audience=Audience.MOBILE, now=uow.now()
    )
    hours = Hours(begin - timedelta(hours=1), uow.now() + timedelta(hours=1))
    await workforce.insert_shift(uow, shift=uow.new_id(), person=person.id, hours=hours)
    sites = tuple(
        Point(_PORTO.lon + chance.uniform(-0.05, 0.05), _PORTO.lat + chance.uniform(-0.04, 0.04)) for _ in range(SITES)
    )
    return Phone(person.id, device, signed_in.access_token, sites)


async def _posted(port: int, phones: Sequence[Phone], begin: datetime, rounds: int) -> float:
    """Seconds until every phone has posted its day; eight at once."""
    days = {phone: [_body(phone, batch) for batch in _batches(phone, begin, rounds)] for phone in phones}
    waiting = iter([(phone, days[phone][number]) for number in range(rounds) for phone in phones])

    async def line() -> None:
        for phone, body in waiting:
            async with Line("127.0.0.1", port, phone.token) as posting:
                reply = await posting.post("/mobile/v1/positions", body)
            assert reply.json()["accepted"] == BATCH, reply.body

    began = time.perf_counter()
    await asyncio.gather(*(line() for _ in range(8)))
    return time.perf_counter() - began


def _body(phone: Phone, batch: Sequence[Fix]) -> bytes:
    fixes = [
        {
            "seq": fix.seq,
            "at": fix.at.isoformat(),
            "lon": fix.place.lon,
            "lat": fix.place.lat,
            "accuracy_m": fix.accuracy_m,
            "heading": fix.heading,
            "speed_kmh": fix.speed_kmh,
        }
        for fix in batch
    ]
    return json.dumps({"device": str(phone.device), "fixes": fixes}).encode()


def _timed(url: str, org: uuid.UUID, phones: Sequence[Phone], begin: datetime, rounds: int, *, plain: bool) -> float:
    """Seconds from when every process has its batches ready until all are committed."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(PROCESSES + 1)
    workers = [
        context.Process(target=_work, args=(url, org, phones[part::PROCESSES], begin, rounds, ready, plain))
        for part in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    ready.wait(timeout=300)
    began = time.perf_counter()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise RuntimeError("a process that recorded fixes has failed")
    return time.perf_counter() - began


def _work(
    url: str,
    org: uuid.UUID,
    phones: Sequence[Phone],
    begin: datetime,
    rounds: int,
    ready: Barrier,
    plain: bool,  # noqa: FBT001
) -> None:
    tracks = {phone: list(_batches(phone, begin, rounds)) for phone in phones}
    queue = [(phone, tracks[phone][number]) for number in range(rounds) for phone in phones]
    asyncio.run(_send_all(url, org, queue, ready, _insert_plainly if plain else _record))


async def _send_all(url: str, org: uuid.UUID, queue: list[tuple[Phone, list[Fix]]], ready: Barrier, send: Send) -> None:
    database = Database(url, SystemClock(), min_size=AT_ONCE, max_size=AT_ONCE)
    await database.open()
    waiting = iter(queue)
    await asyncio.to_thread(ready.wait, 300)

    async def line() -> None:
        for phone, batch in waiting:
            async with database.unit_of_work(org) as uow:
                await send(uow, phone, batch)

    try:
        await asyncio.gather(*(line() for _ in range(AT_ONCE)))
    finally:
        await database.close()


async def _record(uow: UnitOfWork, phone: Phone, batch: Sequence[Fix]) -> None:
    assert uow.org is not None
    actor = Actor(
        uow.org,
        phone.person,
        "Engineer",
        permissions_of([Role.ENGINEER]),
        Audience.MOBILE,
        "en",
        device=phone.device,
    )
    day = [Interval(batch[0].at - timedelta(hours=1), batch[-1].at + timedelta(hours=1))]
    await geo.record_fixes(uow, actor, phone.device, batch, day)


async def _insert_plainly(uow: UnitOfWork, phone: Phone, batch: Sequence[Fix]) -> None:
    await uow.run(
        _PLAIN_INSERT,
        org=uow.org,
        person=phone.person,
        device=phone.device,
        seqs=[fix.seq for fix in batch],
        ats=[fix.at for fix in batch],
        lons=[fix.place.lon for fix in batch],
        lats=[fix.place.lat for fix in batch],
        accuracies=[fix.accuracy_m for fix in batch],
    )


def _batches(phone: Phone, begin: datetime, rounds: int) -> Iterator[list[Fix]]:
    chance = random.Random(phone.device.int)
    for number in range(rounds):
        steps = range(number * BATCH, (number + 1) * BATCH)
        yield [Fix(step + 1, _time(begin, step), _place(phone, step * EVERY_S, chance), 8, 90, 30) for step in steps]


def _time(begin: datetime, step: int) -> datetime:
    return begin + timedelta(seconds=EVERY_S * step)


def _place(phone: Phone, second: int, chance: random.Random) -> Point:
    leg, into = divmod(second, _DRIVE_S + _STAY_S)
    here, there = phone.sites[leg % SITES], phone.sites[(leg + 1) % SITES]
    share = min(1.0, into / _DRIVE_S)
    lat = here.lat + share * (there.lat - here.lat) + chance.gauss(0, 5) / _METRES_PER_DEGREE
    lon = (
        here.lon
        + share * (there.lon - here.lon)
        + chance.gauss(0, 5) / (_METRES_PER_DEGREE * math.cos(math.radians(lat)))
    )
    return Point(lon, lat)
