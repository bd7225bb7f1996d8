"""Every statement about the windows and links of orders."""

from collections.abc import Sequence
from uuid import UUID

from server.core.db import UnitOfWork
from server.workorders.domain import LinkKind
from server.workorders.views import Linked, Window


async def windows(uow: UnitOfWork, order_id: UUID) -> list[Window]:
    return await uow.all_of(
        Window,
        "select opens_at, closes_at from work_order_window where work_order_id = %(order)s order by opens_at, id",
        order=order_id,
    )


async def replace_windows(uow: UnitOfWork, order_id: UUID, wanted: Sequence[Window]) -> None:
    await uow.run("delete from work_order_window where work_order_id = %(order)s", order=order_id)
    await uow.run_many(
        """
        insert into work_order_window (org_id, id, work_order_id, opens_at, closes_at)
        values (%(org)s, %(id)s, %(order)s, %(opens_at)s, %(closes_at)s)
        """,
        [{"org": uow.org, "id": uow.new_id(), "order": order_id, **vars(it)} for it in wanted],
    )


async def links(uow: UnitOfWork, order_id: UUID) -> list[Linked]:
    return await uow.all_of(
        Linked,
        """
        select l.id, l.kind, l.first_id, f.number as first_number, f.title as first_title, l.then_id,
               t.number as then_number, t.title as then_title, l.gap_minutes
        from work_order_link l join work_order f on f.id = l.first_id join work_order t on t.id = l.then_id
        where %(order)s in (l.first_id, l.then_id) order by l.id
        """,
        order=order_id,
    )


async def at_one_site(uow: UnitOfWork, one: UUID, other: UUID) -> bool:
    return bool(
        await uow.value(
            "select count(distinct site_id) = 1 from work_order where id in (%(one)s, %(other)s)", one=one, other=other
        )
    )


async def leads_to(uow: UnitOfWork, start: UUID, end: UUID) -> bool:
    """Answer whether something that waits for `start`, over however many orders, is `end`. Together goes both ways."""
    return bool(
        await uow.value(
            """
            with recursive after (id) as (
                select %(start)s::uuid
                union
                select case when l.kind = 'together' and l.then_id = after.id then l.first_id else l.then_id end
                from work_order_link l join after
                  on l.first_id = after.id or (l.kind = 'together' and l.then_id = after.id)
            )
            select exists (select from after where id = %(end)s)
            """,
            start=start,
            end=end,
        )
    )


async def insert_link(uow: UnitOfWork, kind: LinkKind, first: UUID, then: UUID, gap_minutes: int) -> bool:
    """Answer False where these two are linked already."""
    return bool(
        await uow.run(
            """
            insert into work_order_link (org_id, id, kind, first_id, then_id, gap_minutes)
            values (%(org)s, %(id)s, %(kind)s, %(first)s, %(then)s, %(gap)s)
            on conflict do nothing
            """,
            org=uow.org,
            id=uow.new_id(),
            kind=kind,
            first=first,
            then=then,
            gap=gap_minutes,
        )
    )


async def delete_link(uow: UnitOfWork, link_id: UUID) -> tuple[UUID, UUID] | None:
    """Answer the two orders that were linked; None where there is no such link."""
    row = await uow.row("delete from work_order_link where id = %(id)s returning first_id, then_id", id=link_id)
    return (row["first_id"], row["then_id"]) if row else None
