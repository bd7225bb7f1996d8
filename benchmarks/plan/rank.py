"""Who takes this job, among ten thousand engineers: the service's own `candidates`, beside its statement alone."""

import asyncio
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import psycopg

from benchmarks.database import own_database
from server.core.clock import SystemClock
from server.core.db import Database, UnitOfWork
from server.dispatch import crew, service
from server.geo.preparing import prepare_region
from server.geo.region import Region
from server.geo.travel import Travel, travel_for
from server.identity import service as identity
from server.identity.domain import Actor, Audience, Role, permissions_of

ROOT = Path(__file__).parents[2]
EXTRACT = "osm/porto_portugal.osm.pbf"
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)  # a Monday; shifts and visits are laid around it
ENGINEERS, JOBS, WARMING_UP = 10_000, 200, 20

# Homes, positions and sites lie in and around Porto. An engineer has 4 of 40 skills, most a shift of today and a fresh
# position, 4 open visits, one of them under way with every third, and 2 of other days behind them.
_FILL = """
set local session_replication_role = replica;  -- no phone follows
select setseed(0.5);

create function pg_temp.somewhere() returns geography language sql volatile as $f$
    select st_makepoint(-8.70 + random() * 0.22, 41.06 + random() * 0.24)::geography
$f$;
create temporary table crew on commit drop as
select gen_random_uuid() as id, n from generate_series(1, {engineers}) n;
insert into person (org_id, id, email, name, language, roles, active, created_at)
select '{org}', id, 'e' || n || '@bench.example', 'Engineer ' || n, 'en', '{{engineer}}', n % 50 > 0, now() from crew;
insert into territory (org_id, id, name, area)
select '{org}', gen_random_uuid(), 'North ' || n,
       st_makeenvelope(-8.70 + n * 0.02, 41.06, -8.68 + n * 0.02, 41.30, 4326)::geography from generate_series(0, 10) n;
insert into engineer (org_id, person_id, home, territory_id, daily_capacity_minutes)
select '{org}', c.id, p.place, (select t.id from territory t where st_covers(t.area, p.place) limit 1), 480
from (select id, pg_temp.somewhere() as place from crew) p join crew c on c.id = p.id;
insert into skill (org_id, id, key, name)
select '{org}', gen_random_uuid(), 'skill-' || n, jsonb_build_object('en', 'Skill ' || n) from generate_series(0, 39) n;
insert into engineer_skill (org_id, person_id, skill_id, level)
select '{org}', c.id, k.id, 1 + (random() * 4)::int
from crew c cross join generate_series(0, 3) m join skill k on k.key = 'skill-' || (c.n * 7 + m * 11) % 40;
insert into shift (org_id, id, person_id, starts_at, ends_at)
select '{org}', gen_random_uuid(), id, day + interval '7 hours' + random() * interval '4 hours',
       day + interval '15 hours' + random() * interval '4 hours'
from crew cross join generate_series('{day}'::timestamptz - interval '7 days', '{day}'::timestamptz + interval '7 days',
                                     '1 day') day
where n % 10 > 0;
insert into position_last (org_id, person_id, device_id, place, accuracy_m, fixed_at, received_at)
select '{org}', id, gen_random_uuid(), pg_temp.somewhere(), 10, '{at}'::timestamptz - random() * interval '20 minutes',
       '{at}' from crew where n % 5 > 0;

create temporary table place on commit drop as
select gen_random_uuid() as customer, gen_random_uuid() as site, n, pg_temp.somewhere() as place
from generate_series(1, {engineers}) n;
insert into customer (org_id, id, number, name, tier, language, tags, notes, created_at)
select '{org}', customer, 'C-' || n, 'Hotel ' || n, case when n % 10 = 0 then 'vip' else 'standard' end, 'pt', '{{}}',
       '', now() from place;
insert into site (org_id, id, customer_id, name, address, place, access_notes, meter_location, fence_radius_m, version,
                  created_at, territory_id)
select '{org}', site, customer, 'Main building', n || ' Rua Central', place, '', '', 500, 1, now(),
       (select t.id from territory t where n % 4 > 0 and st_covers(t.area, place) limit 1)
from place;

create temporary table job on commit drop as
select gen_random_uuid() as wo, p.customer, p.site, row_number() over () as number, r, p.n
from place p cross join generate_series(1, 6) r;
insert into job select gen_random_uuid(), customer, site, 6 * {engineers} + n, 0, n from place where n <= {jobs};
insert into work_order (org_id, id, number, customer_id, site_id, title, problem_type, description, priority, channel,
    state, reported_at, reported_by, respond_by, duration_minutes, version, findings, description_rev, findings_rev,
    preferred_engineer_id)
select '{org}', wo, number, customer, site, 'Heat pump makes noise', 'noise', 'A rattling noise', 'normal', 'phone',
       case when r = 0 then 'new' when r > 4 then 'closed' else 'dispatched' end, '{at}', 'M. Blanc',
       '{at}'::timestamptz + interval '1 hour' + random() * interval '24 hours', 30 + (random() * 6)::int * 15, 1, '',
       1, 1, case when r = 0 and job.n % 3 = 0 then (select id from crew where crew.n = job.n) end
from job;
insert into visit (org_id, id, work_order_id, ordinal, state, engineer_id, planned_start, planned_end, version,
                   field_state)
select '{org}', gen_random_uuid(), wo, 1,
       case when r > 4 then 'completed' when r = 1 and job.n % 3 = 0 then 'working' else 'dispatched' end, c.id,
       '{day}'::timestamptz + (7 + 2 * r) * interval '1 hour', '{day}'::timestamptz + (8 + 2 * r) * interval '1 hour',
       1, 'dispatched'
from job join crew c on c.n = (job.n * 37 + r * 4001) % {engineers} + 1 where r > 0;
-- A third asks for no skill, a third for one, a third for two.
insert into work_order_skill (org_id, work_order_id, skill_id, level)
select '{org}', wo, k.id, 2 + m from job cross join generate_series(0, 1) m
join skill k on k.key = 'skill-' || (job.n * 7 + m * 11) % 40 where r = 0 and job.n % 3 > m;
"""


def p99_ms(data: Path, _: int) -> float:
    """Answer the slowest of a hundred rankings, database and road times included."""
    return _percentile(_times(data)[0], 99)


def over_plain_sql(data: Path, _: int) -> float:
    """Answer the median ranking over the median of its statement alone, asked in turn in the same run."""
    ranked, plain = _times(data)
    return statistics.median(ranked) / statistics.median(plain)


@cache
def _times(data: Path) -> tuple[list[float], list[float]]:
    """Milliseconds of every ranking and of every plain statement."""
    with _company() as (url, org):
        return asyncio.run(_measured(url, org, travel_for(_region(data))))


def _region(data: Path) -> Region | None:
    """Prepared once and kept; without the extract there are no roads, and the row says so."""
    extract, kept = data / EXTRACT, ROOT / ".state" / "bench" / "regions"
    return prepare_region(extract, kept, "porto", lambda _: None) if extract.is_file() else None


async def _measured(url: str, org: uuid.UUID, travel: Travel) -> tuple[list[float], list[float]]:
    database = Database(url, SystemClock())
    await database.open()
    try:
        async with database.unit_of_work(org) as uow:
            boss = await identity.hire(uow, email="boss@bench.example", name="Boss", roles=[Role.DISPATCHER])
            jobs = [
                row["id"] for row in await uow.rows("select id from work_order where state = 'new' order by number")
            ]
        actor = Actor(org, boss.id, boss.name, permissions_of([Role.DISPATCHER]), Audience.WEB, "en")

        async def rank(uow: UnitOfWork, job: uuid.UUID) -> None:
            found = await service.candidates(uow, actor, travel, job, AT)
            sources.update(candidate.source for candidate in found.items[:3])

        async def plain(uow: UnitOfWork, job: uuid.UUID) -> None:
            asked = await crew.job(uow, job)
            assert asked is not None
            statement = crew.prospects_statement(everybody=False, skilled=bool(asked.skills))
            await uow.rows(statement, **crew.prospects_asked(asked, AT))

        sources: set[str] = set()
        ranked, bare = [], []
        for job in [*jobs[:WARMING_UP], *jobs]:
            ranked.append(await _timed(database, org, rank, job))
            bare.append(await _timed(database, org, plain, job))
    finally:
        await database.close()
    ranked, bare = ranked[WARMING_UP:], bare[WARMING_UP:]
    _row("ours", ranked, f"times by {', '.join(sorted(sources))}")
    _row("plain sql", bare, "the statement alone, nothing read of its answer")
    return ranked, bare


async def _timed(
    database: Database, org: uuid.UUID, ask: Callable[[UnitOfWork, uuid.UUID], Awaitable[None]], job: uuid.UUID
) -> float:
    begun = time.perf_counter()
    async with database.unit_of_work(org) as uow:
        await ask(uow, job)
    return 1000 * (time.perf_counter() - begun)


def _row(who: str, times: list[float], remark: str) -> None:
    told = f"p50 {statistics.median(times):.1f} ms, p99 {_percentile(times, 99):.1f} ms, worst {max(times):.1f} ms"
    print(f"{'rank 10k':10} {who:9} {'-':>14} {'-':>9} {sum(times) / 1000:>8.1f}  {told}; {remark}", flush=True)


def _percentile(times: list[float], percent: int) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[percent - 1]


@contextmanager
def _company() -> Iterator[tuple[str, uuid.UUID]]:
    """A database of its own, filled."""
    with own_database() as own:
        org = asyncio.run(_founded(own.runtime_url))
        _fill(own.url, org)
        yield own.runtime_url, org


async def _founded(url: str) -> uuid.UUID:
    database = Database(url, SystemClock())
    await database.open()
    try:
        async with database.unit_of_work() as uow:
            found = await identity.found_organisation(
                uow, name="Bench", slug="bench", language="en", timezone="Europe/Lisbon"
            )
            return found.id
    finally:
        await database.close()


def _fill(url: str, org: uuid.UUID) -> None:
    sizes = {"org": org, "at": AT, "day": AT.date(), "engineers": ENGINEERS, "jobs": JOBS}
    with psycopg.connect(url) as connection:
        connection.execute("select set_config('callout.org', %s, true)", [str(org)])
        connection.execute(_FILL.format(**sizes))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")
