"""Every statement about what is recorded on orders, and about procedures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from server.core.db import Row, UnitOfWork
from server.workorders.procedures import Item, Procedure
from server.workorders.queries import TIMELINE_COLUMNS, TIMELINE_VALUES, timeline_params
from server.workorders.records import Answer, Cost, CostKind, Note, Photo, TimelineEntry

_ITEM = """
    i.id, i.procedure_id, i.ordinal, i.kind, i.label, i.required, i.unit, i.minimum, i.maximum, i.choices,
    i.safety_critical
"""


async def keep(
    uow: UnitOfWork, insert: str, entry: TimelineEntry, order_id: UUID, *, learnt: str = "'{}'::jsonb", **params: object
) -> Row | None:
    """Write a record and what the history says of it in one statement; None when the record was known already.

    insert: the body of the common table `new`, which inserts at most one row and returns it.
    learnt: jsonb made of `new`'s columns, for what only the database could tell.
    """
    return await uow.row(
        f"""
        with {insert},
        told as (
            insert into timeline_entry ({TIMELINE_COLUMNS})
            select {TIMELINE_VALUES} || {learnt} from new
        )
        select * from new
        """,
        org=uow.org,
        order=order_id,
        **timeline_params(entry, order_id),
        **params,
    )


async def insert_note(
    uow: UnitOfWork,
    *,
    note_id: UUID,
    order_id: UUID,
    visit_id: UUID | None,
    author_id: UUID,
    body: str,
    at: datetime,
) -> None:
    """Write a note of which another entry of the history tells."""
    await uow.run(
        """
        insert into note (org_id, id, work_order_id, visit_id, author_id, body, at)
        values (%(org)s, %(id)s, %(order)s, %(visit)s, %(author)s, %(body)s, %(at)s)
        """,
        org=uow.org,
        id=note_id,
        order=order_id,
        visit=visit_id,
        author=author_id,
        body=body,
        at=at,
    )


async def keep_note(
    uow: UnitOfWork, entry: TimelineEntry, *, note_id: UUID, order_id: UUID, author_id: UUID, body: str
) -> bool:
    """Answer whether it was new, as all of these do: a device may send an id twice."""
    insert = """
        new as (
            insert into note (org_id, id, work_order_id, visit_id, author_id, body, at)
            values (%(org)s, %(id)s, %(order)s, %(t_visit_id)s, %(author)s, %(body)s, %(t_at)s)
            on conflict (org_id, id) do nothing returning id)
    """
    return bool(await keep(uow, insert, entry, order_id, id=note_id, author=author_id, body=body))


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


@dataclass(frozen=True)
class AnswerGiven:
    """An answer as it came. `seq` is its place in `stream_id`; both are None from an office."""

    id: UUID
    item_id: UUID
    value: Any
    answered_by: UUID
    stream_id: UUID | None
    seq: int | None


@dataclass(frozen=True)
class AnswerKept:
    """What became of it: who outranked it, and with which answers it is in dispute."""

    superseded_by: UUID | None
    disputed: bool
    against: list[dict[str, Any]]


async def keep_answer(
    uow: UnitOfWork,
    entry: TimelineEntry,
    it: AnswerGiven,
    *,
    order_id: UUID,
    assignee: UUID | None,
    safety_critical: bool,
) -> AnswerKept | None:
    """Keep an answer and let the right one stand. The order is held, so the standing answers can't change meanwhile.

    One's own later word replaces the earlier one. Somebody else's is replaced by whoever is assigned now, or when its
    author isn't either. On safety nobody replaces what somebody else says differently: both stand, in dispute.
    """
    insert = """
        standing as (
            select a.id, a.value, a.answered_by, a.disputed, a.answered_by = %(by)s as own,
                   a.answered_by = %(by)s and a.stream_id = %(stream)s and a.seq > %(seq)s as said_later
            from checklist_answer a
            where a.work_order_id = %(order)s and a.item_id = %(item)s and a.superseded_by is null
        ),
        against as (
            select id, value, answered_by from standing
            where %(safety)s and not own and value <> %(value)s
        ),
        outranking as (
            select id from standing
            where said_later
               or not own and answered_by = %(assignee)s and %(by)s <> %(assignee)s and not exists (select from against)
            order by said_later desc limit 1
        ),
        new as (
            insert into checklist_answer (org_id, id, work_order_id, visit_id, item_id, value, answered_by, at,
                                          superseded_by, disputed, stream_id, seq)
            select %(org)s, %(id)s, %(order)s, %(t_visit_id)s, %(item)s, %(value)s, %(by)s, %(t_at)s,
                   (select id from outranking),
                   exists (select from against) and not exists (select from outranking), %(stream)s, %(seq)s
            on conflict (org_id, id) do nothing
            returning id, superseded_by, disputed,
                      (select coalesce(jsonb_agg(to_jsonb(against) order by id), '[]') from against) as against
        ),
        replaced as (
            update checklist_answer a set superseded_by = new.id
            from new, standing
            where a.id = standing.id and new.superseded_by is null and a.org_id = %(org)s and a.id <> new.id
              and (standing.own or not new.disputed)
        ),
        doubted as (
            update checklist_answer a set disputed = true
            from new, against where a.id = against.id and a.org_id = %(org)s and new.disputed and not a.disputed
        )
    """
    found = await keep(
        uow,
        insert,
        entry,
        order_id,
        learnt="case when new.superseded_by is null then '{}' else '{\"kept_beside\": true}' end::jsonb",
        id=it.id,
        item=it.item_id,
        value=Jsonb(it.value),
        by=it.answered_by,
        stream=it.stream_id,
        seq=it.seq,
        assignee=assignee,
        safety=safety_critical,
    )
    if found is None:
        return None
    return AnswerKept(found["superseded_by"], found["disputed"], found["against"] if found["disputed"] else [])


async def let_answer_stand(uow: UnitOfWork, order_id: UUID, item_id: UUID, answer_id: UUID) -> None:
    """Let one answer stand for the item alone."""
    await uow.run(
        """
        update checklist_answer a
        set superseded_by = case when a.id = %(stands)s then null else coalesce(a.superseded_by, %(stands)s) end,
            disputed = false
        where a.work_order_id = %(order)s and a.item_id = %(item)s
          and (a.superseded_by is null or a.disputed or a.id = %(stands)s)
        """,
        order=order_id,
        item=item_id,
        stands=answer_id,
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
        select a.id, a.item_id, a.value, a.answered_by, p.name as answered_by_name, a.at, a.superseded_by,
               a.disputed
        from checklist_answer a join person p on p.id = a.answered_by
        where a.work_order_id = %(order)s and (%(item)s::uuid is null or a.item_id = %(item)s)
          and (not %(standing)s or a.superseded_by is null)
        order by a.at, a.id
        """,
        order=order_id,
        item=item_id,
        standing=standing_only,
    )


async def keep_cost(
    uow: UnitOfWork,
    entry: TimelineEntry,
    *,
    cost_id: UUID,
    order_id: UUID,
    person_id: UUID,
    kind: CostKind,
    amount_minor: int,
    currency: str,
    description: str,
) -> bool:
    insert = """
        new as (
            insert into cost (org_id, id, work_order_id, visit_id, person_id, kind, amount_minor, currency,
                              description, at)
            values (%(org)s, %(id)s, %(order)s, %(t_visit_id)s, %(person)s, %(kind)s, %(amount)s, %(currency)s,
                    %(description)s, %(t_at)s)
            on conflict (org_id, id) do nothing returning id)
    """
    return bool(
        await keep(
            uow,
            insert,
            entry,
            order_id,
            id=cost_id,
            person=person_id,
            kind=kind,
            amount=amount_minor,
            currency=currency,
            description=description,
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


async def keep_photo(
    uow: UnitOfWork,
    entry: TimelineEntry,
    *,
    photo_id: UUID,
    order_id: UUID,
    author_id: UUID,
    sha256: str,
    caption: str,
) -> bool:
    insert = """
        new as (
            insert into photo (org_id, id, work_order_id, visit_id, author_id, sha256, caption, at, recorded_at,
                               state, undecodable_why, width, height, blurhash)
            select %(org)s, %(id)s, %(order)s, %(t_visit_id)s, %(author)s, %(sha256)s, %(caption)s, %(t_at)s,
                   %(t_recorded_at)s,
                   case when b.state = 'ready' then coalesce(k.state, 'ready') else 'pending_blob' end,
                   k.why, k.width, k.height, k.blurhash
            from (select %(org)s::uuid as org_id, %(sha256)s::text as sha256) taken
            left join blob b on (b.org_id, b.sha256) = (taken.org_id, taken.sha256)
            left join picture k on (k.org_id, k.sha256) = (taken.org_id, taken.sha256)
            on conflict (org_id, id) do nothing returning id)
    """
    return bool(await keep(uow, insert, entry, order_id, id=photo_id, author=author_id, sha256=sha256, caption=caption))


async def change_photo(
    uow: UnitOfWork,
    entry: TimelineEntry,
    *,
    photo_id: UUID,
    order_id: UUID,
    caption: str | None,
    hiding: bool,
    hidden_why: str | None,
) -> bool:
    """Set the caption (None leaves it) or the hiding of a photo; the history keeps what they were.

    Answers False when the order has no such photo.
    """
    insert = """
        was as (
            select caption, hidden_why from photo where id = %(id)s and work_order_id = %(order)s for no key update
        ),
        new as (
            update photo f set caption = coalesce(%(caption)s, f.caption),
                               hidden_why = case when %(hiding)s then %(hidden)s else f.hidden_why end
            from was where f.id = %(id)s and f.org_id = %(org)s
            returning f.id, was.caption as caption_was, was.hidden_why as hidden_why_was)
    """
    return bool(
        await keep(
            uow,
            insert,
            entry,
            order_id,
            learnt="jsonb_build_object('caption_was', new.caption_was, 'hidden_why_was', new.hidden_why_was)",
            id=photo_id,
            caption=caption,
            hiding=hiding,
            hidden=hidden_why,
        )
    )


async def was_contested(uow: UnitOfWork, visit_id: UUID) -> bool:
    """Answer whether an earlier step of this visit was put before a dispatcher already."""
    return bool(
        await uow.value(
            "select exists (select from timeline_entry where visit_id = %(visit)s and facts ? 'contested')",
            visit=visit_id,
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
                                    choices, safety_critical)
        values (%(org)s, %(id)s, %(procedure_id)s, %(ordinal)s, %(kind)s, %(label)s, %(required)s, %(unit)s,
                %(minimum)s, %(maximum)s, %(choices)s, %(safety_critical)s)
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
