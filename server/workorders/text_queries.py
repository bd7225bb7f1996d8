"""Every statement about revisions of texts."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from server.core.db import UnitOfWork
from server.workorders.texts import Origin, TextField


@dataclass(frozen=True)
class Revision:
    """One version of a text. `parent` is the one its author saw, `author_name` is none where no person wrote it."""

    rev: int
    parent: int | None
    body: str
    origin: Origin
    author_name: str | None
    at: datetime


_REVISION = "t.rev, t.parent, t.body, t.origin, p.name as author_name, t.at"


async def revisions(uow: UnitOfWork, order_id: UUID, field: TextField) -> list[Revision]:
    return await uow.all_of(
        Revision,
        f"""
        select {_REVISION} from text_revision t left join person p on p.id = t.author_id
        where t.work_order_id = %(order)s and t.field = %(field)s order by t.rev
        """,
        order=order_id,
        field=field,
    )


async def base(uow: UnitOfWork, order_id: UUID, field: TextField, rev: int, *, device: UUID | None) -> Revision | None:
    """Answer the text an edit was begun from.

    A device that edits twice without hearing from us names the same revision twice; its second edit was begun from
    what it sent the first time.
    """
    return await uow.one_of(
        Revision,
        f"""
        select {_REVISION} from text_revision t left join person p on p.id = t.author_id
        where t.work_order_id = %(order)s and t.field = %(field)s
          and (t.rev = %(rev)s or t.parent = %(rev)s and t.origin = '{Origin.EDIT}' and t.device_id = %(device)s)
        order by t.rev desc limit 1
        """,
        order=order_id,
        field=field,
        rev=rev,
        device=device,
    )


async def keep(
    uow: UnitOfWork,
    *,
    revision_id: UUID,
    order_id: UUID,
    field: TextField,
    parent: int,
    body: str,
    origin: Origin,
    author_id: UUID,
    device_id: UUID | None,
    mutation_id: UUID | None,
    at: datetime,
) -> int:
    """Keep a version under the field's next number and answer that. The first edit keeps what stood before, too."""
    return int(
        await uow.value(
            f"""
            with first as (
                insert into text_revision (org_id, id, work_order_id, field, rev, body, origin, at)
                select o.org_id, gen_random_uuid(), o.id, %(field)s, o.{field}_rev, o.{field}, '{Origin.FIRST}', %(at)s
                from work_order o where o.id = %(order)s
                on conflict (org_id, work_order_id, field, rev) do nothing
                returning rev
            ),
            last as (
                select rev from text_revision where work_order_id = %(order)s and field = %(field)s
                union all select rev from first
            )
            insert into text_revision (org_id, id, work_order_id, field, rev, parent, body, origin, author_id,
                                       device_id, mutation_id, at)
            select %(org)s, %(id)s, %(order)s, %(field)s, max(rev) + 1, %(parent)s, %(body)s, %(origin)s, %(author)s,
                   %(device)s, %(mutation)s, %(at)s
            from last
            returning rev
            """,
            org=uow.org,
            id=revision_id,
            order=order_id,
            field=field,
            parent=parent,
            body=body,
            origin=origin,
            author=author_id,
            device=device_id,
            mutation=mutation_id,
            at=at,
        )
    )


async def let_stand(uow: UnitOfWork, order_id: UUID, field: TextField, rev: int, body: str) -> None:
    await uow.run(
        f"""
        update work_order set {field} = %(body)s, {field}_rev = %(rev)s, version = version + 1 where id = %(order)s
        """,
        order=order_id,
        rev=rev,
        body=body,
    )
