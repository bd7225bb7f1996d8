"""Every statement on the chain."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from server.audit.domain import Backlog, Erasure, Link, Mark, Source
from server.core.db import Row, UnitOfWork

_LINK = "select n, kind, ref, digest, prev_hash, hash, at from audit_entry"
_ERASURE = "select kind, ref, number, why, erased_by, at from audit_erasure"


@dataclass(frozen=True)
class Unsealed:
    """Rows that have neither a link nor a mark."""

    count: int
    first: UUID


async def organisations_with_marks(uow: UnitOfWork) -> list[UUID]:
    return [row["org"] for row in await uow.rows("select audit_waiting() as org")]


async def marks(uow: UnitOfWork, limit: int) -> list[Mark]:
    """Answer what waits, in the order it was written; what is not committed yet comes with a later call."""
    return await uow.all_of(
        Mark, "select ticket, kind, ref from audit_pending order by ticket limit %(limit)s", limit=limit
    )


async def append(uow: UnitOfWork, tickets: Sequence[int], digests: Sequence[str], at: datetime) -> int:
    """Turn marks into links; -1 when another worker is at it."""
    return int(
        await uow.value(
            "select audit_append(%(tickets)s::bigint[], %(digests)s::text[], %(at)s)",
            tickets=list(tickets),
            digests=list(digests),
            at=at,
        )
    )


async def rows_of(uow: UnitOfWork, source: Source, ids: Sequence[UUID]) -> dict[UUID, Row]:
    """Answer the sealed columns of rows by id; what is gone is not among them."""
    found = await uow.rows(
        f"select id, {source.columns} from {source.table} where id = any(%(ids)s) and {source.condition}",
        ids=list(ids),
    )
    return {row["id"]: row for row in found}


async def links_after(uow: UnitOfWork, n: int, limit: int) -> list[Link]:
    return await uow.all_of(Link, f"{_LINK} where n > %(n)s order by n limit %(limit)s", n=n, limit=limit)


async def head(uow: UnitOfWork) -> Link | None:
    return await uow.one_of(Link, f"{_LINK} order by n desc limit 1")


async def backlog(uow: UnitOfWork) -> Backlog:
    found = await uow.one_of(
        Backlog,
        """
        select count(*) as count,
               coalesce(extract(epoch from clock_timestamp() - min(marked_at)), 0)::float8 as oldest_seconds
        from audit_pending
        """,
    )
    assert found is not None
    return found


async def unsealed(uow: UnitOfWork, source: Source) -> Unsealed | None:
    """Answer the rows that were written past the trigger, or whose link or mark was taken away."""
    return await uow.one_of(
        Unsealed,
        f"""
        select count(*) as count, (array_agg(t.id order by t.id))[1] as first
        from {source.table} t
        where {source.condition}
          and not exists (
            select from audit_entry e where e.org_id = t.org_id and e.kind = %(sealed_as)s and e.ref = t.id)
          and not exists (
            select from audit_pending p where p.org_id = t.org_id and p.kind = %(sealed_as)s and p.ref = t.id)
        having count(*) > 0
        """,
        sealed_as=source.kind,
    )


async def erasures_of(uow: UnitOfWork, refs: Sequence[UUID]) -> dict[tuple[str, UUID], Erasure]:
    """Answer what is on record as erased, by kind and ref."""
    found = await uow.all_of(Erasure, f"{_ERASURE} where ref = any(%(refs)s)", refs=list(refs))
    return {(it.kind, it.ref): it for it in found}


async def erasures(uow: UnitOfWork) -> list[Erasure]:
    return await uow.all_of(Erasure, f"{_ERASURE} order by at, kind, ref")


async def take_time(uow: UnitOfWork) -> None:
    """Lift the limit on how long a statement may run: checking a chain reads everything there is."""
    await uow.run("set local statement_timeout = 0")
