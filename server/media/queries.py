"""Every statement on blobs. Row-level security keeps hashes of other organisations out of reach."""

from uuid import UUID

from server.core.db import UnitOfWork
from server.media.domain import Blob, BlobState

_BLOB = "sha256, size, mime, purpose, state, received, lease, created_by, created_at, ready_at"


async def blob(uow: UnitOfWork, sha256: str) -> Blob | None:
    return await uow.one_of(Blob, f"select {_BLOB} from blob where sha256 = %(sha256)s", sha256=sha256)


async def lock_blob(uow: UnitOfWork, sha256: str) -> Blob | None:
    return await uow.one_of(Blob, f"select {_BLOB} from blob where sha256 = %(sha256)s for update", sha256=sha256)


async def blobs(uow: UnitOfWork, hashes: list[str]) -> list[Blob]:
    return await uow.all_of(Blob, f"select {_BLOB} from blob where sha256 = any(%(hashes)s)", hashes=hashes)


async def announce(uow: UnitOfWork, *, sha256: str, size: int, mime: str, purpose: str, created_by: UUID) -> Blob:
    """Make the row, or answer the one there is. A pending file announced with another size starts again."""
    found = await uow.one_of(
        Blob,
        f"""
        insert into blob as b (org_id, sha256, size, mime, purpose, state, received, created_by, created_at)
        values (%(org)s, %(sha256)s, %(size)s, %(mime)s, %(purpose)s, 'pending', 0, %(created_by)s, %(now)s)
        on conflict (org_id, sha256) do update set
            received = case when b.state = 'pending' and b.size <> excluded.size then 0 else b.received end,
            size = case when b.state = 'pending' then excluded.size else b.size end
        returning {_BLOB}
        """,
        org=uow.org,
        sha256=sha256,
        size=size,
        mime=mime,
        purpose=purpose,
        created_by=created_by,
        now=uow.now(),
    )
    assert found is not None
    return found


async def set_lease(uow: UnitOfWork, sha256: str, lease: UUID) -> None:
    await uow.run("update blob set lease = %(lease)s where sha256 = %(sha256)s", sha256=sha256, lease=lease)


async def redeem(uow: UnitOfWork, sha256: str, lease: UUID, received: int) -> bool:
    """Commit an offset and end the lease; answer False when a newer request has taken it."""
    return bool(
        await uow.run(
            """
            update blob set received = %(received)s, lease = null
            where sha256 = %(sha256)s and lease = %(lease)s and state = 'pending'
            """,
            sha256=sha256,
            lease=lease,
            received=received,
        )
    )


async def rewind(uow: UnitOfWork, sha256: str) -> None:
    """Start a pending file again; whoever is writing it loses their lease."""
    await uow.run(
        "update blob set received = 0, lease = null where sha256 = %(sha256)s and state = 'pending'", sha256=sha256
    )


async def set_ready(uow: UnitOfWork, sha256: str, mime: str) -> bool:
    """Answer False when it was ready before."""
    return bool(
        await uow.run(
            """
            update blob set state = %(ready)s, received = size, lease = null, mime = %(mime)s, ready_at = %(now)s
            where sha256 = %(sha256)s and state <> %(ready)s
            """,
            sha256=sha256,
            mime=mime,
            ready=str(BlobState.READY),
            now=uow.now(),
        )
    )
