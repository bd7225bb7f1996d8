"""From a phone's fixes at the fence to the hint on its stream: API, worker and Postgres as processes, over HTTP.

The clock runs from sending the fixes to reading the hint: the answer to the fixes, the relay, the queue, the subscriber
and the stream's own asking lie in between. One engineer after another, so nothing waits for anything but the system.
"""

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx

from benchmarks.database import ROOT, Own, own_database
from callout.settings import kept_secret
from server.core.clock import SystemClock
from server.core.db import Database, UnitOfWork
from server.customers import service as customers
from server.geo.domain import Point
from server.identity import queries as devices
from server.identity import service as identity
from server.identity.domain import Actor, Audience, Role, permissions_of
from server.identity.tokens import Tokens
from server.workforce import service as workforce
from server.workforce.domain import Hours
from server.workorders import service as workorders
from server.workorders.domain import OrderRequest

SITE = Point(7.4280, 43.7396)
_READY_WITHIN_S = 60
_FIXES = 4  # a second apart, and none from before somebody was expected


@dataclass(frozen=True)
class Phone:
    device: UUID
    headers: Mapping[str, str]


def figures(data: Path, quick: bool) -> dict[str, float]:  # noqa: FBT001 - as every part of the benchmark
    """`data` is not needed."""
    del data
    with own_database() as own, running(own) as url:
        took = asyncio.run(_measure(own, url, 10 if quick else 100))
    ranked = sorted(took)
    print(f"{len(ranked)} arrivals, the slowest {ranked[-1]:.0f} ms")
    return {
        "fence_entry_to_app_p50_ms": statistics.median(ranked),
        "fence_entry_to_app_p99_ms": ranked[max(round(len(ranked) * 0.99) - 1, 0)],
    }


@contextmanager
def running(own: Own) -> Iterator[str]:
    state = ROOT / ".state" / "bench" / own.name
    state.mkdir(parents=True)
    (state / "secrets").symlink_to(ROOT / ".state" / "secrets")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "DATABASE_URL": own.admin,
        "CALLOUT_DATABASE_NAME": own.name,
        "CALLOUT_STATE_DIR": str(state),
        "CALLOUT_PORT": str(port),
        "CALLOUT_LOG_LEVEL": "WARNING",
    }
    with ExitStack() as children:
        for what in ("serve", "worker"):
            children.enter_context(_child(what, environment, state / f"{what}.log"))
        _wait(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _child(what: str, environment: Mapping[str, str], log: Path) -> Iterator[None]:
    command = [str(Path(sys.executable).with_name("callout")), what]
    with log.open("wb") as said:
        child = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            child.terminate()
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _wait(url: str) -> None:
    until = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < until:
        try:
            if httpx.get(f"{url}/readyz", timeout=2).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    message = "the API did not become ready"
    raise RuntimeError(message)


async def _measure(own: Own, url: str, how_many: int) -> list[float]:
    database = Database(own.runtime_url, SystemClock())
    await database.open()
    async with database.unit_of_work() as uow:
        dispatcher, site = await _office(uow)
    phones = []
    for number in range(how_many):
        async with database.unit_of_work(dispatcher.org) as uow:
            phones.append(await _sent_out(uow, dispatcher, site, number))
    await _until_expected(database, dispatcher.org, how_many)
    await asyncio.sleep(_FIXES)
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        took = [await _arrive(client, phone) for phone in phones]
    await database.close()
    return took


async def _office(uow: UnitOfWork) -> tuple[Actor, UUID]:
    organisation = await identity.found_organisation(uow, name="Acme", slug="acme", language="en", timezone="UTC")
    person = await identity.hire(uow, email="dana@acme.example", name="Dana", roles=[Role.DISPATCHER])
    customer = await customers.add_customer(uow, name="Hotel Azur")
    site = await customers.add_site(uow, customer_id=customer.id, name="Kitchen", address="1 Quai Antoine", place=SITE)
    may = permissions_of([Role.DISPATCHER])
    return Actor(organisation.id, person.id, person.name, may, Audience.WEB, person.language), site.id


async def _sent_out(uow: UnitOfWork, dispatcher: Actor, site: UUID, number: int) -> Phone:
    """An engineer on shift with a phone that is signed in, sent to the site."""
    now = uow.now()
    person = await identity.hire(uow, email=f"{number}@acme.example", name=f"Engineer {number}", roles=[Role.ENGINEER])
    await workforce.set_engineer(uow, person=person.id, home=SITE, daily_capacity_minutes=480, skills=[])
    await workforce.add_shift(uow, person=person.id, hours=Hours(now - timedelta(hours=1), now + timedelta(hours=7)))
    order = await workorders.open_work_order(
        uow, dispatcher, OrderRequest(site_id=site, title="Oven stays cold", problem_type="no_heat", description="")
    )
    await workorders.schedule_visit(
        uow,
        dispatcher,
        work_order_id=order.id,
        engineer_id=person.id,
        planned_start=now + timedelta(hours=1),
        planned_end=now + timedelta(hours=2),
    )
    device = uow.new_id()
    await devices.insert_device(
        uow,
        device=device,
        person=person.id,
        name="Phone",
        platform="bench",
        app_version="1.0.0",
        public_key=None,
        storage_persisted=True,
    )
    session = await identity.open_session(
        uow, _tokens(), person=person.id, device=device, audience=Audience.MOBILE, now=now
    )
    return Phone(device, {"Authorization": f"Bearer {session.access_token}"})


def _tokens() -> Tokens:
    return Tokens(kept_secret(ROOT / ".state" / "secrets" / "signing"))


async def _until_expected(database: Database, org: UUID, how_many: int) -> None:
    """Wait until every site is watched for its engineer."""
    async with asyncio.timeout(_READY_WITHIN_S):
        while True:
            async with database.unit_of_work(org) as uow:
                if await uow.value("select count(*) from fence") == how_many:
                    return
            await asyncio.sleep(0.2)


async def _arrive(client: httpx.AsyncClient, phone: Phone) -> float:
    """Answer how many milliseconds pass from sending the fixes to reading the hint."""
    async with client.stream("GET", "/mobile/v1/sync/events", headers=phone.headers) as stream:
        lines = stream.aiter_lines()
        await _until(lines, "job")  # what waited since the visit was planned: from here on the stream is idle
        began = time.perf_counter()
        answer = await client.post("/mobile/v1/positions", json=_at_the_site(phone), headers=phone.headers)
        answer.raise_for_status()
        await _until(lines, "arrival")
        return (time.perf_counter() - began) * 1000


def _at_the_site(phone: Phone) -> dict[str, object]:
    now = SystemClock().now()
    fixes = [
        {
            "seq": seq,
            "at": (now - timedelta(seconds=_FIXES - seq)).isoformat(),
            "lon": SITE.lon,
            "lat": SITE.lat,
            "accuracy_m": 8.0,
        }
        for seq in range(1, _FIXES + 1)
    ]
    return {"device": str(phone.device), "fixes": fixes}


async def _until(lines: AsyncIterator[str], hint: str) -> None:
    async with asyncio.timeout(30):
        async for line in lines:
            if line.startswith("data:") and json.loads(line.removeprefix("data:"))["h"] == hint:
                return
    message = f"the stream ended before {hint}"
    raise RuntimeError(message)
