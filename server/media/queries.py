"""Every statement on blobs. Row-level security keeps hashes of other organisations out of reach."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from server.core.db import UnitOfWork
from server.media.domain import Announcement, Blob, BlobState, Picture

_BLOB = """sha256, size, mime, purpose, state, received, staged, lease, created_by, device_id, created_at, touched_at,
           ready_at"""


async def blob(uow: UnitOfWork, sha256: str) -> Blob | None:
    return await uow.one_of(Blob, f"select {_BLOB} from blob where sha256 = %(sha256)s", sha256=sha256)


async def lock_blob(uow: UnitOfWork, sha256: str) -> Blob | None:
    return await uow.one_of(Blob, f"select {_BLOB} from blob where sha256 = %(sha256)s for update", sha256=sha256)


async def blobs(uow: UnitOfWork, hashes: list[str]) -> list[Blob]:
    return await uow.all_of(Blob, f"select {_BLOB} from blob where sha256 = any(%(hashes)s)", hashes=hashes)


async def announce(uow: UnitOfWork, it: Announcement, *, created_by: UUID, device: UUID | None = None) -> Blob:
    """Make the row, or answer the one there is. A pending file announced with another size starts again."""
    found = await uow.one_of(
        Blob,
        f"""
        insert into blob as b (org_id, sha256, size, mime, purpose, state, received, created_by, device_id, created_at,
                               touched_at)
        values (%(org)s, %(sha256)s, %(size)s, %(mime)s, %(purpose)s, 'pending', 0, %(created_by)s, %(device)s,
                %(now)s, %(now)s)
        on conflict (org_id, sha256) do update set
            received = case when b.state = 'pending' and b.size <> excluded.size then 0 else b.received end,
            staged = case when b.state = 'pending' and b.size <> excluded.size then '' else b.staged end,
            size = case when b.state = 'pending' then excluded.size else b.size end,
            touched_at = excluded.touched_at
        returning {_BLOB}
        """,
        org=uow.org,
        **{**vars(it), "purpose": str(it.purpose)},
        created_by=created_by,
        device=device,
        now=uow.now(),
    )
    assert found is not None
    return found


async def note_holder(uow: UnitOfWork, sha256: str, person: UUID, device: UUID | None) -> None:
    """Remember who says that they have these bytes."""
    await uow.run(
        """
        insert into blob_holder (org_id, sha256, person_id, device_id, announced_at)
        values (%(org)s, %(sha256)s, %(person)s, %(device)s, %(now)s)
        on conflict (org_id, sha256, person_id) do update
            set device_id = excluded.device_id, announced_at = excluded.announced_at
        """,
        org=uow.org,
        sha256=sha256,
        person=person,
        device=device,
        now=uow.now(),
    )


async def holds(uow: UnitOfWork, sha256: str, person: UUID) -> bool:
    return bool(
        await uow.value(
            "select true from blob_holder where sha256 = %(sha256)s and person_id = %(person)s",
            sha256=sha256,
            person=person,
        )
    )


async def announced_by(uow: UnitOfWork, device: UUID, since: datetime) -> int:
    """Answer how many bytes of files a device brought up since then."""
    return int(
        await uow.value(
            "select coalesce(sum(size), 0) from blob where device_id = %(device)s and created_at > %(since)s",
            device=device,
            since=since,
        )
    )


async def bytes_kept(uow: UnitOfWork) -> int:
    """Answer what the organisation keeps: the last count and what was announced since; removals show at the next."""
    return int(
        await uow.value(
            """
            with counted as (
                select coalesce(max(bytes), 0) as bytes, coalesce(max(counted_at), '-infinity') as at from blob_usage
            )
            select bytes + (select coalesce(sum(size), 0) from blob where created_at > counted.at) from counted
            """
        )
    )


async def count_usage(uow: UnitOfWork) -> None:
    await uow.run(
        """
        insert into blob_usage as u (org_id, bytes, counted_at)
        select %(org)s, coalesce(sum(size), 0), %(now)s from blob where created_at <= %(now)s
        on conflict (org_id) do update set bytes = excluded.bytes, counted_at = excluded.counted_at
        """,
        org=uow.org,
        now=uow.now(),
    )


async def set_lease(uow: UnitOfWork, sha256: str, lease: UUID) -> None:
    await uow.run("update blob set lease = %(lease)s where sha256 = %(sha256)s", sha256=sha256, lease=lease)


async def redeem(uow: UnitOfWork, sha256: str, lease: UUID, received: int, staged: str) -> bool:
    """Commit an offset and end the lease; answer False when a newer request has taken it."""
    return bool(
        await uow.run(
            """
            update blob set received = %(received)s, staged = %(staged)s, lease = null, touched_at = %(now)s
            where sha256 = %(sha256)s and lease = %(lease)s and state = 'pending'
            """,
            sha256=sha256,
            lease=lease,
            received=received,
            staged=staged,
            now=uow.now(),
        )
    )


async def rewind(uow: UnitOfWork, sha256: str) -> None:
    """Start a pending file again; whoever is writing it loses their lease."""
    await uow.run(
        "update blob set received = 0, staged = '', lease = null where sha256 = %(sha256)s and state = 'pending'",
        sha256=sha256,
    )


async def set_ready(uow: UnitOfWork, sha256: str, mime: str) -> bool:
    """Answer False when it was ready before."""
    return bool(
        await uow.run(
            """
            update blob set state = %(ready)s, received = size, staged = '', lease = null, mime = %(mime)s,
                ready_at = %(now)s
            where sha256 = %(sha256)s and state <> %(ready)s
            """,
            sha256=sha256,
            mime=mime,
            ready=str(BlobState.READY),
            now=uow.now(),
        )
    )


async def set_lost(uow: UnitOfWork, sha256: str) -> bool:
    """Say that the bytes of a complete file are gone, so that it can be sent again; False when it was not complete."""
    return bool(
        await uow.run(
            """
            update blob set state = 'pending', received = 0, staged = '', lease = null, ready_at = null,
                touched_at = %(now)s
            where sha256 = %(sha256)s and state = 'ready'
            """,
            sha256=sha256,
            now=uow.now(),
        )
    )


def _referred(references: Sequence[str], among: str) -> str:
    """A SELECT of those hashes of an array that something refers to; each source is asked through its own index."""
    none = "select null::text where false"
    sources = [f"select r.sha256 from ({source}) r where r.sha256 = any({among})" for source in references]
    return " union all ".join(sources) or none


async def is_referred_to(uow: UnitOfWork, sha256: str, references: Sequence[str]) -> bool:
    return bool(await uow.value(f"select exists ({_referred(references, 'array[%(sha256)s::text]')})", sha256=sha256))


async def untouched(uow: UnitOfWork, state: BlobState, before: datetime, after: str, limit: int) -> list[str]:
    """Answer files in this state that nobody touched since then, a page at a time, in the order of their hashes."""
    found = await uow.rows(
        """
        select sha256 from blob
        where state = %(state)s and touched_at < %(before)s and coalesce(ready_at, touched_at) < %(before)s
          and sha256 > %(after)s
        order by org_id, sha256 limit %(limit)s
        """,
        state=str(state),
        before=before,
        after=after,
        limit=limit,
    )
    return [row["sha256"] for row in found]


async def unreferred(uow: UnitOfWork, hashes: Sequence[str], references: Sequence[str]) -> list[str]:
    """Answer those that nothing refers to. Old logs are read for it: a job's patience, not a request's."""
    await uow.run("set local statement_timeout = '10min'")
    found = await uow.rows(_referred(references, "%(hashes)s"), hashes=list(hashes))
    return sorted(set(hashes) - {row["sha256"] for row in found})


async def delete(uow: UnitOfWork, sha256: str) -> None:
    await uow.run("delete from blob where sha256 = %(sha256)s", sha256=sha256)


async def ready_after(uow: UnitOfWork, sha256: str, limit: int) -> list[Blob]:
    """Answer complete files in the order of their hashes, a page at a time."""
    return await uow.all_of(
        Blob,
        f"""
        select {_BLOB} from blob where state = 'ready' and sha256 > %(after)s order by org_id, sha256 limit %(limit)s
        """,
        after=sha256,
        limit=limit,
    )


_PICTURE = "sha256, state, why, width, height, blurhash, thumb_sha256, view_sha256"


async def picture(uow: UnitOfWork, sha256: str) -> Picture | None:
    return await uow.one_of(Picture, f"select {_PICTURE} from picture where sha256 = %(sha256)s", sha256=sha256)


async def pictures(uow: UnitOfWork, hashes: Sequence[str]) -> list[Picture]:
    return await uow.all_of(
        Picture, f"select {_PICTURE} from picture where sha256 = any(%(hashes)s)", hashes=list(hashes)
    )


async def insert_picture(uow: UnitOfWork, it: Picture) -> bool:
    """Answer False when it was known already."""
    return bool(
        await uow.run(
            f"""
            insert into picture (org_id, {_PICTURE}, made_at)
            values (%(org)s, %(sha256)s, %(state)s, %(why)s, %(width)s, %(height)s, %(blurhash)s, %(thumb_sha256)s,
                    %(view_sha256)s, %(now)s)
            on conflict (org_id, sha256) do nothing
            """,
            org=uow.org,
            **{**vars(it), "state": str(it.state)},
            now=uow.now(),
        )
    )


async def forget_pictures_with(uow: UnitOfWork, copy: str) -> list[str]:
    """Forget the pictures that a small copy belongs to; answer their originals."""
    found = await uow.rows(
        "delete from picture where %(copy)s in (thumb_sha256, view_sha256) returning sha256", copy=copy
    )
    return [row["sha256"] for row in found]
