"""Every statement about what is recorded on orders, and about procedures."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from server.core.db import UnitOfWork
from server.workorders.procedures import Item, Procedure
from server.workorders.records import Answer, Cost, CostKind, Note, Photo, TimeEntry, TimeKind

_ITEM = """
    i.id, i.procedure_id, i.ordinal, i.kind, i.label, i.required, i.unit, i.minimum, i.maximum, i.choices
"""


async def insert_note(
    uow: UnitOfWork,
    *,
    note_id: UUID,
    order_id: UUID,
    visit_id: UUID | None,
    author_id: UUID,
    body: str,
    at: datetime,
) -> bool:
    """Answer whether it was new, as all inserts here do: a device may send an id twice."""
    return bool(
        await uow.run(
            """
            insert into note (org_id, id, work_order_id, visit_id, author_id, body, at)
            values (%(org)s, %(id)s, %(order)s, %(visit)s, %(author)s, %(body)s, %(at)s)
            on conflict (org_id, id) do nothing
            """,
            org=uow.org,
            id=note_id,
            order=order_id,
            visit=visit_id,
            author=author_id,
            body=body,
            at=at,
        )
    )


async def notes(uow: UnitOfWork, order_id: UUID) -> list[Note]:
    return await uow.all_of(
        Note,
        """
        select n.id, n.work_order_id, n.visit_id, n.author_id, p.name as author_name, n.body, n.at
        from note n join person p on p.id = n.author_id
        where n.work_order_id = %(order)s order by n.at, n.id
        """,
        order=order_id,
    )


async def has_note(uow: UnitOfWork, visit_id: UUID, order_id: UUID) -> bool:
    return bool(
        await uow.value(
            "select exists (select from note where work_order_id = %(order)s and visit_id = %(visit)s)",
            order=order_id,
            visit=visit_id,
        )
    )


async def insert_answer(
    uow: UnitOfWork,
    *,
    answer_id: UUID,
    order_id: UUID,
    visit_id: UUID | None,
    item_id: UUID,
    value: Any,
    answered_by: UUID,
    at: datetime,
    superseded_by: UUID | None,
) -> bool:
    return bool(
        await uow.run(
            """
            insert into checklist_answer (org_id, id, work_order_id, visit_id, item_id, value, answered_by, at,
                                          superseded_by)
            values (%(org)s, %(id)s, %(order)s, %(visit)s, %(item)s, %(value)s, %(by)s, %(at)s, %(superseded)s)
            on conflict (org_id, id) do nothing
            """,
            org=uow.org,
            id=answer_id,
            order=order_id,
            visit=visit_id,
            item=item_id,
            value=Jsonb(value),
            by=answered_by,
            at=at,
            superseded=superseded_by,
        )
    )


async def supersede_answers(uow: UnitOfWork, order_id: UUID, item_id: UUID, *, by: UUID) -> None:
    """Let the answer `by` stand for the item in place of the one that stood."""
    await uow.run(
        """
        update checklist_answer set superseded_by = %(by)s
        where work_order_id = %(order)s and item_id = %(item)s and superseded_by is null and id <> %(by)s
        """,
        order=order_id,
        item=item_id,
        by=by,
    )


async def standing_answer(uow: UnitOfWork, order_id: UUID, item_id: UUID) -> Answer | None:
    found = await answers(uow, order_id, item_id=item_id, standing_only=True)
    return found[0] if found else None


async def answers(
    uow: UnitOfWork, order_id: UUID, *, item_id: UUID | None = None, standing_only: bool = False
) -> list[Answer]:
    """Answer an order's checklist answers in the order they were given."""
    return await uow.all_of(
        Answer,
        """
        select a.id, a.item_id, a.value, a.answered_by, p.name as answered_by_name, a.at, a.superseded_by
        from checklist_answer a join person p on p.id = a.answered_by
        where a.work_order_id = %(order)s and (%(item)s::uuid is null or a.item_id = %(item)s)
          and (not %(standing)s or a.superseded_by is null)
        order by a.at, a.id
        """,
        order=order_id,
        item=item_id,
        standing=standing_only,
    )


async def insert_time(
    uow: UnitOfWork,
    *,
    entry_id: UUID,
    order_id: UUID,
    visit_id: UUID | None,
    person_id: UUID,
    kind: TimeKind,
    started_at: datetime,
    ended_at: datetime,
) -> bool:
    return bool(
        await uow.run(
            """
            insert into time_entry (org_id, id, work_order_id, visit_id, person_id, kind, started_at, ended_at)
            values (%(org)s, %(id)s, %(order)s, %(visit)s, %(person)s, %(kind)s, %(started)s, %(ended)s)
            on conflict (org_id, id) do nothing
            """,
            org=uow.org,
            id=entry_id,
            order=order_id,
            visit=visit_id,
            person=person_id,
            kind=kind,
            started=started_at,
            ended=ended_at,
        )
    )


async def overlaps_time(uow: UnitOfWork, person_id: UUID, start: datetime, end: datetime) -> bool:
    """Answer whether the person already recorded time within [start, end), on whichever order."""
    return bool(
        await uow.value(
            """
            select exists (
                select from time_entry
                where person_id = %(person)s and started_at < %(end)s and ended_at > %(start)s)
            """,
            person=person_id,
            start=start,
            end=end,
        )
    )


async def time_entries(uow: UnitOfWork, order_id: UUID) -> list[TimeEntry]:
    return await uow.all_of(
        TimeEntry,
        """
        select t.id, t.visit_id, t.person_id, p.name as person_name, t.kind, t.started_at, t.ended_at
        from time_entry t join person p on p.id = t.person_id
        where t.work_order_id = %(order)s order by t.started_at, t.id
        """,
        order=order_id,
    )


async def insert_cost(
    uow: UnitOfWork,
    *,
    cost_id: UUID,
    order_id: UUID,
    visit_id: UUID | None,
    person_id: UUID,
    kind: CostKind,
    amount_minor: int,
    currency: str,
    description: str,
    at: datetime,
) -> bool:
    return bool(
        await uow.run(
            """
            insert into cost (org_id, id, work_order_id, visit_id, person_id, kind, amount_minor, currency,
                              description, at)
            values (%(org)s, %(id)s, %(order)s, %(visit)s, %(person)s, %(kind)s, %(amount)s, %(currency)s,
                    %(description)s, %(at)s)
            on conflict (org_id, id) do nothing
            """,
            org=uow.org,
            id=cost_id,
            order=order_id,
            visit=visit_id,
            person=person_id,
            kind=kind,
            amount=amount_minor,
            currency=currency,
            description=description,
            at=at,
        )
    )


async def costs(uow: UnitOfWork, order_id: UUID) -> list[Cost]:
    return await uow.all_of(
        Cost,
        """
        select k.id, k.visit_id, k.person_id, p.name as person_name, k.kind, k.amount_minor, k.currency, k.description,
               k.at
        from cost k join person p on p.id = k.person_id
        where k.work_order_id = %(order)s order by k.at, k.id
        """,
        order=order_id,
    )


async def insert_photo(
    uow: UnitOfWork,
    *,
    photo_id: UUID,
    order_id: UUID,
    visit_id: UUID | None,
    author_id: UUID,
    sha256: str,
    caption: str,
    at: datetime,
) -> bool:
    return bool(
        await uow.run(
            """
            insert into photo (org_id, id, work_order_id, visit_id, author_id, sha256, caption, at, recorded_at,
                               state, undecodable_why, width, height, blurhash)
            select %(org)s, %(id)s, %(order)s, %(visit)s, %(author)s, %(sha256)s, %(caption)s, %(at)s, %(now)s,
                   case when b.state = 'ready' then coalesce(k.state, 'ready') else 'pending_blob' end,
                   k.why, k.width, k.height, k.blurhash
            from (select %(org)s::uuid as org_id, %(sha256)s::text as sha256) taken
            left join blob b on (b.org_id, b.sha256) = (taken.org_id, taken.sha256)
            left join picture k on (k.org_id, k.sha256) = (taken.org_id, taken.sha256)
            on conflict (org_id, id) do nothing
            """,
            org=uow.org,
            id=photo_id,
            order=order_id,
            visit=visit_id,
            author=author_id,
            sha256=sha256,
            caption=caption,
            at=at,
            now=uow.now(),
        )
    )


_PHOTO = """
    select f.id, f.work_order_id, f.visit_id, f.author_id, p.name as author_name, f.sha256, f.caption, f.at,
           f.recorded_at, f.state, f.undecodable_why, f.width, f.height, f.blurhash,
           f.missing_told_at is not null as missing
    from photo f join person p on p.id = f.author_id
"""


async def photos(uow: UnitOfWork, order_id: UUID) -> list[Photo]:
    return await uow.all_of(
        Photo,
        f"{_PHOTO} where f.work_order_id = %(order)s and f.hidden_why is null order by f.at, f.id",
        order=order_id,
    )


async def photo(uow: UnitOfWork, photo_id: UUID) -> Photo | None:
    return await uow.one_of(Photo, f"{_PHOTO} where f.id = %(id)s and f.hidden_why is null", id=photo_id)


async def procedures(uow: UnitOfWork) -> list[Procedure]:
    """Answer the newest version of every procedure, by key."""
    return await uow.all_of(
        Procedure,
        "select distinct on (p.key) p.id, p.key, p.version, p.name from procedure p order by p.key, p.version desc",
    )


async def newest_procedure(uow: UnitOfWork, key: str) -> Procedure | None:
    return await uow.one_of(
        Procedure,
        "select id, key, version, name from procedure where key = %(key)s order by version desc limit 1",
        key=key,
    )


async def procedure(uow: UnitOfWork, procedure_id: UUID) -> Procedure | None:
    return await uow.one_of(
        Procedure, "select id, key, version, name from procedure where id = %(id)s", id=procedure_id
    )


async def insert_procedure(uow: UnitOfWork, it: Procedure, items: Sequence[Item]) -> None:
    await uow.run(
        """
        insert into procedure (org_id, id, key, version, name)
        values (%(org)s, %(id)s, %(key)s, %(version)s, %(name)s)
        """,
        org=uow.org,
        id=it.id,
        key=it.key,
        version=it.version,
        name=dict(it.name),
    )
    await uow.run_many(
        """
        insert into procedure_item (org_id, id, procedure_id, ordinal, kind, label, required, unit, minimum, maximum,
                                    choices)
        values (%(org)s, %(id)s, %(procedure_id)s, %(ordinal)s, %(kind)s, %(label)s, %(required)s, %(unit)s,
                %(minimum)s, %(maximum)s, %(choices)s)
        """,
        [{**vars(item), "org": uow.org, "choices": Jsonb(item.choices)} for item in items],
    )


async def items(uow: UnitOfWork, procedure_ids: Sequence[UUID]) -> list[Item]:
    """Answer the items of some procedures, each procedure's in order."""
    return await uow.all_of(
        Item,
        f"""
        select {_ITEM} from procedure_item i where i.procedure_id = any(%(procedures)s)
        order by i.procedure_id, i.ordinal
        """,
        procedures=list(procedure_ids),
    )


async def item(uow: UnitOfWork, item_id: UUID) -> Item | None:
    return await uow.one_of(Item, f"select {_ITEM} from procedure_item i where i.id = %(id)s", id=item_id)
