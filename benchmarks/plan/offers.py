"""An urgent order among 200 engineers who run tours of 12 visits: the service's own `offers`, database and roads."""

import asyncio
import statistics
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from benchmarks.database import own_database
from benchmarks.plan.rank import _region  # the same prepared roads
from server.core.clock import Clock
from server.core.db import Database
from server.dispatch.live_day import service
from server.dispatch.live_day.days import RunningDays
from server.geo.travel import Travel, travel_for
from server.identity import service as identity
from server.identity.domain import Actor, Audience, Role, permissions_of

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ENGINEERS, VISITS, ORDERS = 200, 12, 200

# Sites lie around the home of whoever visits them; visits of 25 minutes begin every 38.
_FILL = """
set local session_replication_role = replica;  -- no phone follows
select setseed(0.5);
create function pg_temp.near(p geography, metres float) returns geography language sql volatile as $f$
    select st_project(p, random() * metres, random() * 6.28)
$f$;
create temporary table crew on commit drop as
select gen_random_uuid() as id, n, st_makepoint(-8.70 + random() * 0.22, 41.06 + random() * 0.24)::geography as home
from generate_series(1, {engineers}) n;
insert into person (org_id, id, email, name, language, roles, active, created_at)
select '{org}', id, 'e' || n || '@bench.example', 'Engineer ' || n, 'en', '{{engineer}}', true, now() from crew;
insert into engineer (org_id, person_id, home, daily_capacity_minutes) select '{org}', id, home, 480 from crew;
insert into skill (org_id, id, key, name)
select '{org}', gen_random_uuid(), 'skill-' || n, jsonb_build_object('en', 'Skill ' || n) from generate_series(0, 3) n;
insert into engineer_skill (org_id, person_id, skill_id, level)
select '{org}', c.id, k.id, 3 from crew c join skill k on k.key <> 'skill-' || c.n % 4;
insert into shift (org_id, id, person_id, starts_at, ends_at, break_opens, break_closes, break_minutes,
                   overtime_minutes)
select '{org}', gen_random_uuid(), id, '{day}'::timestamptz + interval '7 hours',
       '{day}'::timestamptz + interval '19 hours', '{day}'::timestamptz + interval '11 hours',
       '{day}'::timestamptz + interval '13 hours', 30, 60 from crew;
insert into position_last (org_id, person_id, device_id, place, accuracy_m, fixed_at, received_at)
select '{org}', id, gen_random_uuid(), pg_temp.near(home, 2000), 10, '{at}', '{at}' from crew;
create temporary table job on commit drop as
select gen_random_uuid() as wo, gen_random_uuid() as site, gen_random_uuid() as customer, c.id as engineer, c.n, v,
       row_number() over () as number, pg_temp.near(c.home, 4000) as place
from crew c cross join generate_series(0, {visits} - 1) v;
insert into job
select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), null, n, -1, {engineers} * {visits} + n,
       st_makepoint(-8.70 + random() * 0.22, 41.06 + random() * 0.24)::geography from generate_series(1, {orders}) n;
insert into customer (org_id, id, number, name, tier, language, tags, notes, created_at)
select '{org}', customer, 'C-' || number, 'Hotel ' || number, 'standard', 'pt', '{{}}', '', now() from job;
insert into site (org_id, id, customer_id, name, address, place, access_notes, meter_location, fence_radius_m, version,
                  created_at)
select '{org}', site, customer, 'Main building', number || ' Rua Central', place, '', '', 500, 1, now() from job;
insert into work_order (org_id, id, number, customer_id, site_id, title, problem_type, description, priority, channel,
    state, reported_at, reported_by, respond_by, duration_minutes, version, findings, description_rev, findings_rev)
select '{org}', wo, number, customer, site, 'Heat pump makes noise', 'noise', 'A rattling noise',
       case when v < 0 then 'urgent' else 'normal' end, 'phone', case when v < 0 then 'new' else 'dispatched' end,
       '{at}', 'M. Blanc', '{at}'::timestamptz + interval '1 day', case when v < 0 then 30 else 25 end, 1, '', 1, 1
from job;
insert into visit (org_id, id, work_order_id, ordinal, state, engineer_id, planned_start, planned_end, version,
                   field_state)
select '{org}', gen_random_uuid(), wo, 1, 'dispatched', engineer, start, start + interval '25 minutes', 1, 'dispatched'
from (select *, '{at}'::timestamptz + interval '5 minutes' + v * interval '38 minutes' as start
      from job where v >= 0) planned;
insert into work_order_skill (org_id, work_order_id, skill_id, level)
select '{org}', wo, k.id, 2 from job join skill k on k.key = 'skill-' || n % 4 where v < 0 and n % 2 = 0;
"""


class _Then(Clock):
    """Half past nine of that day, and going on from there."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def now(self) -> datetime:
        return AT + timedelta(seconds=time.monotonic() - self._begun)


def p99_ms(data: Path, _: int) -> float:
    """Answer the 99th percentile of the three best places for an order, everybody's tours known to the process."""
    return asyncio.run(_all(travel_for(_region(data))))


async def _all(travel: Travel) -> float:
    with own_database() as own:
        database = Database(own.runtime_url, _Then())
        await database.open()
        try:
            async with database.unit_of_work() as uow:
                org = (
                    await identity.found_organisation(
                        uow, name="Bench", slug="bench", language="en", timezone="Europe/Lisbon"
                    )
                ).id
            await asyncio.to_thread(_fill, own.url, org)
            times = await _measured(database, org, travel)
        finally:
            await database.close()
    return _told(times)


def _fill(url: str, org: uuid.UUID) -> None:
    sizes = {"org": org, "at": AT, "day": AT.date(), "engineers": ENGINEERS, "visits": VISITS, "orders": ORDERS}
    with psycopg.connect(url) as connection:
        connection.execute("select set_config('callout.org', %s, true)", [str(org)])
        connection.execute(_FILL.format(**sizes))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")


async def _measured(database: Database, org: uuid.UUID, travel: Travel) -> list[float]:
    async with database.unit_of_work(org) as uow:
        boss = await identity.hire(uow, email="boss@bench.example", name="Boss", roles=[Role.DISPATCHER])
        rows = await uow.rows("select id from work_order where state = 'new' order by number")
    actor = Actor(org, boss.id, boss.name, permissions_of([Role.DISPATCHER]), Audience.WEB, "en")
    days, times, found = RunningDays(travel), [], 0
    await _know_every_tour(database, org, days)
    for row in [*rows[:20], *rows]:
        begun = time.perf_counter()
        async with database.unit_of_work(org) as uow:
            found += bool((await service.offers(uow, actor, days, row["id"])).placed)
        times.append(1000 * (time.perf_counter() - begun))
    assert found > len(rows) // 2, "most orders have a place"
    return times[20:]


async def _know_every_tour(database: Database, org: uuid.UUID, days: RunningDays) -> None:
    """Drive every tour once, as a process has that has been asked for an hour."""
    async with database.unit_of_work(org) as uow:
        day = await service.today(uow, days)
    for tour in day.tours.values():
        await days.roads.learn_legs(tour.legs, tour.leaves)


def _told(times: list[float]) -> float:
    p99 = statistics.quantiles(times, n=100, method="inclusive")[98]
    told = f"p50 {statistics.median(times):.1f} ms, p99 {p99:.1f} ms, worst {max(times):.1f} ms"
    print(f"{'offers 200':10} {'ours':9} {'-':>14} {'-':>9} {sum(times) / 1000:>8.1f}  {told}", flush=True)
    return p99
