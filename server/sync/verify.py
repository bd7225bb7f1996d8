"""Comparing what a device holds with what it should hold, bucket by bucket, without sending a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from server.core.db import Database
from server.core.logging import logger
from server.identity.domain import Actor
from server.sync import fleet, queries
from server.sync.domain import Cookie
from server.sync.queries import Contents

log = logger(__name__)


@dataclass(frozen=True)
class Claim:
    """What a device says of one bucket: its version, how many rows, their checksum."""

    v: int
    n: int
    h: str


@dataclass(frozen=True)
class Verification:
    """`reset`: buckets that differ; the next pull with `cookie` brings them anew. Buckets behind are not compared."""

    compared: int
    reset: list[str]
    cookie: Cookie | None


async def verify(
    database: Database, actor: Actor, device: UUID, cookie: Cookie, claims: Mapping[str, Claim]
) -> Verification:
    """Compare a device's buckets at the versions its cookie names with the server's. An unknown cookie answers None."""
    async with database.snapshot(actor.org) as uow:
        stands = await queries.standing(uow, device, device, cookie)
        if stands.cookie is None:
            return Verification(0, [], None)
        told = await queries.held_buckets(uow, device, stands.cookie)
        held = {key: claim for key, claim in claims.items() if told.get(key) == claim.v}
        present = await queries.buckets_at(uow, {key: claim.v for key, claim in held.items()})
        contents = await queries.contents(uow, present)
    differing = []
    for bucket in present:
        assert bucket.id is not None
        here = contents.get(bucket.id, Contents.NOTHING)
        if (here.n, here.checksum) != (held[bucket.key].n, held[bucket.key].h):
            differing.append(bucket.key)
    if differing:
        log.error("a device differs from the server", device=str(device), buckets=differing[:20])
        async with database.unit_of_work(actor.org) as uow:
            cookie = await queries.store_cookie(uow, device, stands, dropped=differing, sent={}, asked=cookie)
            await fleet.note_verify_mismatch(uow, device, differing)
    return Verification(len(present), differing, cookie)
