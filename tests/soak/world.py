"""The company in which the simulation plays, its real application in this process, and another company next door."""

import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from fastapi import FastAPI
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from callout import cluster
from callout.asgi import assemble, bare_app
from callout.settings import Settings, kept_secret
from callout.wiring import subscriptions
from edge.services import Services
from server.core.db import UnitOfWork
from server.core.events import Subscriptions
from server.core.ids import compose_uuid7
from server.core.wire import Id, Text, WireIn
from server.identity.domain import Actor
from server.inventory import service as inventory
from server.sync import push as pushing
from server.sync.domain import APPLIED, Mutation, Outcome
from server.sync.registry import Nature
from server.workorders import checklists
from server.workorders.access import admit
from server.workorders.procedures import ItemDraft, ItemKind
from server.workorders.records import Note
from tests.conftest import STATE, migrated_template
from tests.factories.customers import a_customer, a_site, an_asset
from tests.factories.identity import Company, found_company
from tests.factories.inventory import a_part, a_warehouse, goods_in
from tests.factories.workforce import an_engineer, another_engineer
from tests.factories.workorders import a_visit, an_order
from tests.soak.clocks import ServerClock
from tests.soak.statements import WatchedDatabase

RIVAL = "CANARY-RIVAL"  # stands in everything of the other company
STRANGER = "CANARY-STRANGER"  # stands in orders of our own that no phone may ever see
_CONNECTIONS = 6
_COUNTED_PARTS = 6
_RAM = Path("/dev/shm")  # noqa: S108 - a folder of our own is made inside


@dataclass(frozen=True)
class World:
    app: FastAPI
    services: Services
    subscriptions: Subscriptions
    clock: ServerClock
    admin: psycopg.Connection  # a superuser's, for looking and for ending backends
    folder: Path
    company: Company
    engineers: tuple[Actor, ...]
    sites: list[str]
    parts: tuple[str, ...]
    serial_part: str
    warehouse: str
    strangers: tuple[str, ...]
    vans: dict[str, str]  # of each engineer

    @property
    def org(self) -> UUID:
        return self.company.id


@asynccontextmanager
async def open_world(devices: int, seed: int) -> AsyncIterator[World]:
    """A company of `devices` engineers on a database of its own, gone afterwards."""
    with _folder() as folder, _database() as (url, owner_url), _batches_committed(in_pieces=bool(seed % 2)):
        clock = ServerClock()
        settings = _settings(url, owner_url, folder)
        database = WatchedDatabase(url, clock, _Mint(), connections=_CONNECTIONS)
        services = replace(assemble(settings), database=database, wall_clock=clock)
        _add_a_bug(services)
        await database.open()
        try:
            async with services.jobs.open_async():
                with psycopg.connect(owner_url, autocommit=True) as admin:
                    _count_ids(admin)
                    yield await _furnish(services, settings, clock, admin, folder, devices)
        finally:
            await database.close()


class _Mint:
    """Ids in the order they are asked for, the same in every run."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, at: datetime) -> UUID:
        self._count += 1
        return compose_uuid7(at, self._count)


def _count_ids(admin: psycopg.Connection) -> None:
    """Ids the database makes itself follow one another instead of being random: two runs must be the same."""
    admin.execute("create sequence soak_id; grant usage on sequence soak_id to public")
    random_ones = admin.execute(
        "select table_name, column_name from information_schema.columns "
        "where table_schema = 'public' and column_default like '%gen_random_uuid%' order by 1, 2"
    ).fetchall()
    for table, column in random_ones:
        admin.execute(
            f"alter table {table} alter column {column} set default lpad(to_hex(nextval('soak_id')), 32, '0')::uuid"
        )


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="callout-soak-", dir=_RAM if _RAM.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _database() -> Iterator[tuple[str, str]]:
    admin_url = cluster.ensure("test")
    password = kept_secret(STATE.parent / "secrets" / "runtime-role")
    template = migrated_template(admin_url, password)
    name = f"callout_soak_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(f"create database {name} template {template} strategy file_copy")
    try:
        yield (
            make_conninfo(admin_url, dbname=name, user="callout_app", password=password),
            make_conninfo(admin_url, dbname=name),
        )
    finally:
        with psycopg.connect(admin_url, autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)")


def _settings(url: str, owner_url: str, folder: Path) -> Settings:
    return Settings(
        runtime_database_url=SecretStr(url),
        admin_database_url=SecretStr(owner_url),
        state_dir=folder / "state",
        secret=SecretStr("only-for-tests-" + "x" * 32),
        pool_size=_CONNECTIONS,
    )


@contextmanager
def _batches_committed(*, in_pieces: bool) -> Iterator[None]:
    """How long a batch takes must not decide how it is cut into transactions: the seed does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pushing, "_TRANSACTION_SECONDS", -1.0 if in_pieces else 1e9)
        yield


class PoisonArgs(WireIn):
    id: Id
    wo: Id
    visit: Id | None = None
    body: Text


def _add_a_bug(services: Services) -> None:
    """A handler that writes and then fails, every time: what it wrote must never be seen."""

    async def poison(uow: UnitOfWork, actor: Actor, _mutation: Mutation, args: PoisonArgs) -> Outcome:
        await admit(uow, actor, work_order_id=args.wo, visit_id=args.visit)
        await uow.run(
            "insert into note (org_id, id, work_order_id, author_id, body, at) "
            "values (%(org)s, %(id)s, %(wo)s, %(by)s, %(body)s, %(now)s)",
            org=uow.org,
            id=args.id,
            wo=args.wo,
            by=actor.person,
            body=args.body,
            now=uow.now(),
        )
        message = "a bug"
        raise RuntimeError(message)
        return APPLIED

    services.registry.mutator("soak.poison", PoisonArgs, poison, nature=Nature.EVIDENCE)


async def _furnish(
    services: Services, settings: Settings, clock: ServerClock, admin: psycopg.Connection, folder: Path, devices: int
) -> World:
    database = services.database
    company = await found_company(database, "acme")
    rival = await found_company(database, "rival")
    async with database.unit_of_work(rival.id) as uow:
        await _rival_life(uow, rival)
    async with database.unit_of_work(company.id) as uow:
        engineers = [await another_engineer(uow, company.id, f"Engineer{number}") for number in range(devices)]
        await _procedures(uow)
        sites = [await _site_with_oven(uow, number) for number in range(6)]
        parts = [await a_part(uow, f"PART-{number}") for number in range(_COUNTED_PARTS)]
        serial_part = await a_part(uow, "SERIAL-1", serial_tracked=True)
        warehouse = await a_warehouse(uow)
        office = company.actor("administrator")
        vans = {}
        for engineer in engineers:
            van = await inventory.give_van(uow, engineer.person, f"Van of {engineer.name}")
            vans[str(engineer.person)] = str(van.id)
            for part in parts:
                await goods_in(uow, office, part, van, 20)
        for part in parts:
            await goods_in(uow, office, part, warehouse, 1000)
        strangers = await _strangers(uow, company)
    app = bare_app(settings.max_body_bytes)
    app.state.services = services
    return World(
        app,
        services,
        subscriptions(services),
        clock,
        admin,
        folder,
        company,
        tuple(engineers),
        sites,
        tuple(str(part.id) for part in parts),
        str(serial_part.id),
        str(warehouse.id),
        tuple(strangers),
        vans,
    )


async def _site_with_oven(uow: UnitOfWork, number: int) -> str:
    site = await a_site(uow, await a_customer(uow, f"Customer {number}"))
    await an_asset(uow, site, f"OV-{number}")
    return str(site.id)


async def _procedures(uow: UnitOfWork) -> None:
    yes_no = ItemDraft(ItemKind.YES_NO, {"en": "Isolated?", "zh": "已断电?"})
    heat = ItemDraft(ItemKind.NUMBER, {"en": "Heat", "zh": "温度"}, required=False, unit="°C", minimum=180, maximum=250)
    words = ItemDraft(ItemKind.TEXT, {"en": "Remarks", "zh": "备注"}, required=False)
    name = {"en": "Oven service", "zh": "烤箱保养"}
    await checklists.define_procedure(uow, key="oven-service", name=name, items=[yes_no, heat, words])


async def _rival_life(uow: UnitOfWork, rival: Company) -> None:
    """What a phone would have there: every kind of row carries the canary."""
    dispatcher, engineer = rival.actor("dispatcher"), rival.actor("engineer")
    await an_engineer(uow, engineer)
    site = await a_site(uow, await a_customer(uow, f"{RIVAL} customer"), name=f"{RIVAL} site")
    order = await an_order(uow, dispatcher, site=site, title=f"{RIVAL} order", description=f"{RIVAL} said")
    await a_visit(uow, dispatcher, engineer, order)
    part = await a_part(uow, f"{RIVAL}-PART")
    van = await inventory.give_van(uow, engineer.person, f"{RIVAL} van")
    await goods_in(uow, rival.actor("administrator"), part, van, 3)
    await _note(uow, engineer, order.id, f"{RIVAL} note")


async def _strangers(uow: UnitOfWork, company: Company) -> list[str]:
    """Orders of our own company whose engineer has no phone here."""
    loner = await another_engineer(uow, company.id, f"{STRANGER}-engineer")
    found = []
    for number in range(3):
        site = await a_site(uow, await a_customer(uow, f"{STRANGER} customer {number}"), name=f"{STRANGER} site")
        said: dict[str, Any] = {"title": f"{STRANGER} order", "description": f"{STRANGER} said"}
        order = await an_order(uow, company.actor("dispatcher"), site=site, **said)
        await a_visit(uow, company.actor("dispatcher"), loner, order)
        await _note(uow, loner, order.id, f"{STRANGER} note")
        found.append(str(order.id))
    return found


async def _note(uow: UnitOfWork, author: Actor, order: UUID, body: str) -> None:
    note = Note(uow.new_id(), order, None, author.person, author.name, body, uow.now())
    await uow.run(
        "insert into note (org_id, id, work_order_id, author_id, body, at) "
        "values (%(org)s, %(id)s, %(wo)s, %(by)s, %(body)s, %(now)s)",
        org=uow.org,
        id=note.id,
        wo=order,
        by=author.person,
        body=body,
        now=note.at,
    )
