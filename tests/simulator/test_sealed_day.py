"""A day on the real system leaves a chain that verifies, packages the phones attested and reports that are sealed."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from server.geo.region import Region
from simulator.day import simulate
from tests.live import LiveServer, live_system

pytestmark = pytest.mark.slow

_SEALED_WITHIN_S = 60


@pytest.fixture
def server(admin_url: str, template: str, monaco: Region, tmp_path: Path) -> Iterator[LiveServer]:
    with live_system(admin_url, template, monaco, tmp_path) as started:
        yield started


def looked_up(server: LiveServer, statement: str) -> list[tuple]:
    environment = server.environment
    with psycopg.connect(environment["DATABASE_URL"], dbname=environment["CALLOUT_DATABASE_NAME"]) as connection:
        return connection.execute(statement).fetchall()


def wait_until_nothing_is_left_to_do(server: LiveServer) -> None:
    until = time.monotonic() + _SEALED_WITHIN_S
    left = """
        select (select count(*) from audit_pending) + (select count(*) from event where position is null)
             + (select count(*) from procrastinate_jobs where status in ('todo', 'doing'))
    """
    while looked_up(server, left) != [(0,)] and time.monotonic() < until:
        time.sleep(0.5)


async def test_after_a_day_the_chain_verifies_and_what_was_signed_is_attested_and_sealed(server: LiveServer) -> None:
    verdict = await simulate(server.url, engineers=3, seed=3, speed=600, hours=2, check=True)
    assert verdict.passed, verdict.problems
    wait_until_nothing_is_left_to_do(server)
    verified = server.run("audit", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "wait to be sealed" not in verified.stdout
    assert {row[0] for row in looked_up(server, "select attested from signature")} == {"verified"}
    codes = looked_up(server, "select code from service_report where signature_id is not null")
    assert len(codes) >= 2 * verdict.signatures
    async with httpx.AsyncClient(base_url=server.url) as holder:
        for (code,) in codes:
            seal = (await holder.get(f"/portal/v1/verify/{code}")).json()["seal"]
            assert (seal["valid"], seal["level"]) == (True, "B-B")
