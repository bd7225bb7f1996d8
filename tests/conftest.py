"""Real Postgres for every test that asks: a template is migrated once, each test gets its own clone of it."""

import hashlib
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from filelock import FileLock
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from callout import cluster
from callout import database as provisioning
from callout.settings import Settings, kept_secret
from server.core.db import Database, UnitOfWork
from server.identity.domain import Actor
from tests.factories.identity import Company, found_company, token_for
from tests.fakes.clock import MONDAY_MORNING, FakeClock

pytest_plugins = ["tests.regions", "tests.live", "tests.scenarios.apart", "tests.fakes.s3"]

STATE = Path(__file__).parent.parent / ".state" / "test"
_MIGRATIONS = Path(__file__).parent.parent / "server" / "migrations"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def admin_url() -> str:
    """A superuser's URL: DATABASE_URL when given, else the private test cluster."""
    return cluster.ensure("test")


@pytest.fixture(scope="session")
def runtime_password() -> str:
    # Shared with every other command of this checkout: on a given server they all use the same role.
    return kept_secret(STATE.parent / "secrets" / "runtime-role")


@pytest.fixture(scope="session")
def template(admin_url: str, runtime_password: str) -> str:
    return migrated_template(admin_url, runtime_password)


def migrated_template(admin_url: str, runtime_password: str) -> str:
    """Name of a migrated database; made by whichever worker comes first, again whenever a migration changed."""
    files = sorted(path for path in _MIGRATIONS.rglob("*") if path.suffix in {".py", ".sql"})
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
    name = f"callout_template_{digest}"
    STATE.mkdir(parents=True, exist_ok=True)
    with FileLock(STATE / "template.lock"):
        provisioning.create_roles(admin_url, runtime_password)
        with psycopg.connect(admin_url, autocommit=True) as connection:
            known = connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone()
        if not known:
            draft = f"{name}_draft"
            with psycopg.connect(admin_url, autocommit=True) as connection:
                connection.execute(f"drop database if exists {draft}")
            provisioning.create_database(admin_url, draft)
            provisioning.migrate(make_conninfo(admin_url, dbname=draft))
            with psycopg.connect(admin_url, autocommit=True) as connection:
                connection.execute(f"alter database {draft} rename to {name}")
    return name


@dataclass(frozen=True)
class TestDatabase:
    """A database of one test's own: `owner_url` is a superuser's, `url` the runtime role's."""

    __test__ = False

    name: str
    url: str
    owner_url: str


@pytest.fixture
def test_database(admin_url: str, template: str, runtime_password: str) -> Iterator[TestDatabase]:
    name = f"callout_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(admin_url, autocommit=True) as connection:
        # Copying files takes half the time of the usual way, which logs every page.
        connection.execute(f"create database {name} template {template} strategy file_copy")
    yield TestDatabase(
        name,
        make_conninfo(admin_url, dbname=name, user="callout_app", password=runtime_password),
        make_conninfo(admin_url, dbname=name),
    )
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(MONDAY_MORNING)


@pytest.fixture
async def database(test_database: TestDatabase, clock: FakeClock) -> AsyncIterator[Database]:
    opened = Database(test_database.url, clock, min_size=0, max_size=8)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def company(database: Database) -> Company:
    """An organisation with one person in each role."""
    return await found_company(database)


@pytest.fixture
async def uow(database: Database, company: Company) -> AsyncIterator[UnitOfWork]:
    """A unit of work inside the company; what it wrote is undone at the end."""
    async with database.pool.connection() as connection, connection.transaction(force_rollback=True):
        opened = UnitOfWork(connection, database.clock, database.mint, None)
        await opened.enter(company.id)
        yield opened


@pytest.fixture
def settings(test_database: TestDatabase, tmp_path: Path) -> Settings:
    return Settings(
        runtime_database_url=SecretStr(test_database.url),
        admin_database_url=SecretStr(test_database.owner_url),
        database_name=test_database.name,
        state_dir=tmp_path / "state",
        secret=SecretStr("only-for-tests-" + "x" * 32),
        pool_size=8,
    )


@pytest.fixture
async def services(settings: Settings, database: Database) -> AsyncIterator:
    """What the composition root builds, on the test's clock and database."""
    from dataclasses import replace

    from callout.asgi import assemble

    built = replace(assemble(settings), database=database, wall_clock=database.clock)
    async with built.jobs.open_async():
        yield built


@pytest.fixture
def work_through(services, database):
    """`await work_through()` relays what happened and runs every job that follows from it."""
    from callout.wiring import subscriptions
    from callout.worker import install_tasks
    from server.core import relay

    subscribed = subscriptions(services)
    install_tasks(services, subscribed, "https://callout.test")

    async def run() -> None:
        while True:
            await services.jobs.run_worker_async(wait=False, install_signal_handlers=False, listen_notify=False)
            if not await relay.relay_once(database, services.jobs, subscribed):
                return

    return run


@pytest.fixture(scope="session")
def bare_application() -> Callable[[int], FastAPI]:
    """Building the routes takes longer than most tests, so those of one process share them."""
    from callout.asgi import bare_app

    return cache(bare_app)


@pytest.fixture
async def app(settings: Settings, services, bare_application) -> AsyncIterator[FastAPI]:
    built = bare_application(settings.max_body_bytes)
    routes = list(built.router.routes)
    built.state.services = services
    yield built
    built.router.routes[:] = routes


@pytest.fixture
async def client(app) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks to the real application in this process; 5xx answers come back as answers."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://callout.test") as opened:
        yield opened


@pytest.fixture
def signed_in(services, database: Database, company: Company):
    """`await signed_in("dispatcher")` answers the headers of that person's browser session."""

    async def headers(role: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {await token_for(services, company, role)}"}

    return headers


@pytest.fixture
def dispatcher(company: Company) -> Actor:
    return company.actor("dispatcher")


@pytest.fixture
def engineer(company: Company) -> Actor:
    return company.actor("engineer")


@pytest.fixture
def administrator(company: Company) -> Actor:
    return company.actor("administrator")
