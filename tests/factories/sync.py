"""A phone as the engine sees it, with a tiny vocabulary: it may add parts to the catalogue and sees the catalogue."""

import asyncio
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from callout.wiring import registry as product_registry
from server.core.db import Database, UnitOfWork
from server.core.errors import Kind, Problem
from server.core.wire import Id, Name, WireIn
from server.identity import queries as identity
from server.identity.domain import Actor, Audience
from server.sync.domain import APPLIED, Cookie, Disagreement, Mutation, Outcome
from server.sync.envelope import Batch, DeviceClock, Sent, read
from server.sync.pull import Ask, pull
from server.sync.push import Receipt, push
from server.sync.registry import Nature, Registry

CATALOGUE = frozenset({"catalog"})


class PartArgs(WireIn):
    id: Id
    sku: Name


class TooDear(Problem):
    code = "part.too_dear"
    kind = Kind.REFUSED
    sentence = "This part is too dear."


async def add_part(uow: UnitOfWork, _actor: Actor, _mutation: Mutation, args: PartArgs) -> Outcome:
    match args.sku:
        case "dear":
            raise TooDear
        case "poison":
            await _insert(uow, args)
            message = "a bug"
            raise RuntimeError(message)
        case "disputed":
            return Outcome.conflict(Disagreement("DISPUTED", "part", args.id, {"sku": "a"}, {"sku": "b"}))
        case "slow":
            await asyncio.sleep(0.3)
    await _insert(uow, args)
    return APPLIED


async def _insert(uow: UnitOfWork, args: PartArgs) -> None:
    await uow.run(
        """
        insert into part (org_id, id, sku, name, unit, serial_tracked, price_minor, currency)
        values (%(org)s, %(id)s, %(sku)s, '{"en": "Part"}', 'pcs', false, 100, 'EUR')
        """,
        org=uow.org,
        id=args.id,
        sku=args.sku,
    )


def catalogue_registry() -> Registry:
    """What phones see in the product, and one mutation that is only about the catalogue."""
    registry = Registry(projections=product_registry().projections)
    registry.mutator("part.add", PartArgs, add_part, nature=Nature.EVIDENCE)
    return registry


@dataclass
class Phone:
    """An enrolled device that keeps what it sent."""

    database: Database
    registry: Registry
    actor: Actor
    stream: UUID = field(default_factory=uuid4)
    sent: list[dict[str, Any]] = field(default_factory=list)
    cookie: Cookie | None = None

    def note(self, sku: str, **changed: Any) -> dict[str, Any]:
        """Record one mutation as the next of the stream."""
        mutation = {
            "seq": len(self.sent) + 1,
            "id": str(uuid4()),
            "name": "part.add",
            "v": 1,
            "args": {"id": str(uuid4()), "sku": sku},
            "at": "2026-11-23T08:00:00+00:00",
        } | changed
        self.sent.append(mutation)
        return mutation

    async def push(self, *mutations: dict[str, Any], acked: int = 0) -> Receipt:
        return await push(self.database, self.registry, self.actor, self.batch(*mutations, acked=acked))

    def batch(self, *mutations: dict[str, Any], acked: int = 0) -> Batch:
        assert self.actor.device
        now = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
        read_in: list[Sent] = [read(raw, index) for index, raw in enumerate(mutations)]
        return Batch(
            self.actor.device, self.stream, acked, DeviceClock(now, None, None), self.database.clock.now(), read_in
        )

    async def pull(self, *, cookie: Cookie | None = None, **asked: Any) -> list[dict[str, Any]]:
        assert self.actor.device
        ask = Ask(self.actor.device, self.stream, cookie or self.cookie, **({"want": CATALOGUE} | asked))
        patch = await pull(self.database, self.registry, self.actor, ask)
        lines = [json.loads(line) for line in patch.splitlines()]
        self.cookie = Cookie.read(lines[-1]["cookie"])
        return lines


async def enrolled_phone(database: Database, actor: Actor, registry: Registry | None = None) -> Phone:
    device = uuid4()
    async with database.unit_of_work(actor.org) as uow:
        await identity.insert_device(
            uow,
            device=device,
            person=actor.person,
            name="Phone",
            platform="test",
            app_version="1",
            public_key=None,
            storage_persisted=True,
        )
    return Phone(database, registry or catalogue_registry(), replace(actor, device=device, audience=Audience.MOBILE))
