"""Statements on photos and the files they wait for."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from server.core.db import UnitOfWork
from server.identity.domain import Actor
from server.workorders.access import ORDER
from server.workorders.records import MissingFile

_AT_ONCE = 1_000


@dataclass(frozen=True)
class Sight:
    """How an actor comes to a hash: through an order they may see, through a photo of their own."""

    on_order: bool
    as_author: bool


async def sight(uow: UnitOfWork, actor: Actor, sha256: str) -> Sight:
    found = await uow.one_of(
        Sight,
        f"""
        select count(*) > 0 as on_order, coalesce(bool_or(f.author_id = %(actor)s), false) as as_author
        from photo f join work_order o on (o.org_id, o.id) = (f.org_id, f.work_order_id)
        where f.sha256 = %(sha256)s and f.hidden_why is null and {ORDER.condition(actor)}
        """,
        sha256=sha256,
        actor=actor.person,
    )
    assert found is not None
    return found


@dataclass(frozen=True)
class Settled:
    id: UUID
    work_order_id: UUID
    author_id: UUID
    sha256: str
    was_missing: bool


_FOLLOW = """
    update photo f
    set state = now_is.state, undecodable_why = now_is.why, width = now_is.width, height = now_is.height,
        blurhash = now_is.blurhash, missing_told_at = null
    from (
        select f.id, case when b.state = 'ready' then coalesce(k.state, 'ready') else 'pending_blob' end as state,
               k.why, k.width, k.height, k.blurhash, f.missing_told_at is not null as was_missing
        from photo f
        left join blob b on (b.org_id, b.sha256) = (f.org_id, f.sha256)
        left join picture k on (k.org_id, k.sha256) = (f.org_id, f.sha256)
        where {which}
    ) now_is
    where f.id = now_is.id and f.state <> now_is.state
    returning f.id, f.work_order_id, f.author_id, f.sha256, now_is.was_missing
"""


async def follow(uow: UnitOfWork, sha256: str) -> list[Settled]:
    """Bring photos up to what is known of their file; answer those that changed."""
    return await uow.all_of(Settled, _FOLLOW.format(which="f.sha256 = %(sha256)s"), sha256=sha256)


async def catch_up(uow: UnitOfWork) -> list[Settled]:
    """The same for all photos that still wait for something."""
    which = f"""
        f.id in (select p.id from photo p join blob h on (h.org_id, h.sha256) = (p.org_id, p.sha256)
                 where p.state in ('pending_blob', 'ready') and h.state = 'ready'
                   and (p.state = 'pending_blob' or exists (
                     select from picture m where (m.org_id, m.sha256) = (p.org_id, p.sha256)))
                 limit {_AT_ONCE})
    """
    return await uow.all_of(Settled, _FOLLOW.format(which=which))


async def without_small_copies(uow: UnitOfWork, before: datetime) -> list[str]:
    """Answer hashes of photos whose file has been complete since before then, and nothing was made of it."""
    found = await uow.rows(
        f"""
        select distinct f.sha256 from photo f join blob b on (b.org_id, b.sha256) = (f.org_id, f.sha256)
        where f.state = 'ready' and b.ready_at < %(before)s
          and not exists (select from picture k where (k.org_id, k.sha256) = (f.org_id, f.sha256))
        limit {_AT_ONCE}
        """,
        before=before,
    )
    return [row["sha256"] for row in found]


async def take_overdue(uow: UnitOfWork, before: datetime) -> list[Settled]:
    """Mark photos that wait for their bytes since before then and were never told of; answer them."""
    return await uow.all_of(
        Settled,
        f"""
        update photo f set missing_told_at = %(now)s
        where f.id in (
            select id from photo
            where state = 'pending_blob' and hidden_why is null and missing_told_at is null
              and recorded_at < %(before)s
            order by recorded_at limit {_AT_ONCE} for update skip locked)
        returning f.id, f.work_order_id, f.author_id, f.sha256, true as was_missing
        """,
        before=before,
        now=uow.now(),
    )


async def missing_files(
    uow: UnitOfWork, actor: Actor, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[MissingFile]:
    since, past = after or (None, None)
    return await uow.all_of(
        MissingFile,
        f"""
        select f.id as photo_id, f.work_order_id, o.number, o.title, f.sha256, f.caption, f.author_id,
               p.name as author_name, f.at, f.recorded_at, f.missing_told_at is not null as overdue,
               (select max(d.last_contact_at) from device d where d.person_id = f.author_id) as last_contact_at
        from photo f
        join work_order o on (o.org_id, o.id) = (f.org_id, f.work_order_id)
        join person p on (p.org_id, p.id) = (f.org_id, f.author_id)
        where f.state = 'pending_blob' and f.hidden_why is null and {ORDER.condition(actor)}
          and (%(since)s::timestamptz is null or (f.recorded_at, f.id) > (%(since)s, %(past)s))
        order by f.recorded_at, f.id limit %(limit)s
        """,
        since=since,
        past=past,
        limit=limit,
        actor=actor.person,
    )
