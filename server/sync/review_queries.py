"""Every statement of reviewing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from server.core.db import Row, UnitOfWork
from server.sync.matters import ItemState, Matter, Verdict


@dataclass(frozen=True)
class Item:
    """A line of the inbox: what it is about, who recorded it when, and where it stands."""

    id: UUID
    kind: Matter
    code: str
    name: str
    mutation_id: UUID
    work_order_id: UUID | None
    person_id: UUID
    person_name: str
    device_id: UUID
    device_name: str
    at_device: datetime
    at_estimated: datetime
    uncertainty_ms: int
    received_at: datetime
    opened_at: datetime
    state: ItemState
    verdict: Verdict | None
    settled_at: datetime | None
    settled_by_name: str | None
    notes: int


@dataclass(frozen=True)
class Both:
    """Both sides of a conflict, completely."""

    entity: str
    entity_id: UUID
    mine: dict[str, Any]
    theirs: dict[str, Any]


@dataclass(frozen=True)
class Remark:
    """What somebody decided, tried or said about an item."""

    id: UUID
    verdict: Verdict
    note: str | None
    result: dict[str, Any] | None
    person_id: UUID
    person_name: str
    at: datetime


@dataclass(frozen=True)
class Sought:
    """Which items a list shows; what is left out admits all."""

    state: ItemState | None = ItemState.OPEN
    kind: Matter | None = None
    code: str | None = None
    person_id: UUID | None = None
    device_id: UUID | None = None
    work_order_id: UUID | None = None
    prefix: str = ""  # begins the names of the mutations


_ITEM = """
    select i.id, i.kind, i.code, i.name, i.mutation_id, i.work_order_id, i.person_id, p.name as person_name,
           i.device_id, d.name as device_name, m.at_device, m.at_estimated, m.uncertainty_ms, m.received_at,
           i.opened_at, i.state, i.verdict, i.settled_at, s.name as settled_by_name,
           (select count(*) from review r where r.item_id = i.id and r.note is not null) as notes
    from review_item i
    join mutation_log m on (m.org_id, m.id) = (i.org_id, i.mutation_id)
    join person p on (p.org_id, p.id) = (i.org_id, i.person_id)
    join device d on (d.org_id, d.id) = (i.org_id, i.device_id)
    left join person s on (s.org_id, s.id) = (i.org_id, i.settled_by)
"""
_SOUGHT = (
    ("i.state = %(state)s", "state"),
    ("i.kind = %(matter)s", "kind"),
    ("i.code = %(code)s", "code"),
    ("i.person_id = %(person_id)s", "person_id"),
    ("i.device_id = %(device_id)s", "device_id"),
    ("i.work_order_id = %(work_order_id)s", "work_order_id"),
)


async def items_after(
    uow: UnitOfWork, sought: Sought, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Item]:
    """Answer items, newest first, older than the key `after`."""
    conditions = [sql for sql, field in _SOUGHT if getattr(sought, field) is not None]
    if sought.prefix:
        conditions.append("starts_with(i.name, %(prefix)s)")
    if after is not None:
        conditions.append("(i.opened_at, i.id) < (%(after_at)s, %(after_id)s)")
    where = " and ".join(conditions) or "true"
    after_at, after_id = after or (None, None)
    return await uow.all_of(
        Item,
        f"{_ITEM} where {where} order by i.opened_at desc, i.id desc limit %(limit)s",
        after_at=after_at,
        after_id=after_id,
        limit=limit,
        state=sought.state,
        matter=sought.kind,
        code=sought.code,
        person_id=sought.person_id,
        device_id=sought.device_id,
        work_order_id=sought.work_order_id,
        prefix=sought.prefix,
    )


async def item(uow: UnitOfWork, item_id: UUID) -> Item | None:
    return await uow.one_of(Item, f"{_ITEM} where i.id = %(id)s", id=item_id)


async def lock_item(uow: UnitOfWork, item_id: UUID) -> Item | None:
    """Answer the item as it stands once whoever is settling it now is done; nobody else can until we commit."""
    await uow.run("select 1 from review_item where id = %(id)s for update", id=item_id)
    return await item(uow, item_id)


async def counts(uow: UnitOfWork, prefix: str) -> dict[Matter, int]:
    """Answer how many items of each kind are open whose mutation's name begins so."""
    found = await uow.rows(
        """
        select kind, count(*) as n from review_item
        where state = 'open' and starts_with(name, %(prefix)s) group by kind
        """,
        prefix=prefix,
    )
    return {Matter(row["kind"]): row["n"] for row in found}


async def both_sides(uow: UnitOfWork, item_id: UUID) -> Both | None:
    return await uow.one_of(Both, "select entity, entity_id, mine, theirs from conflict where id = %(id)s", id=item_id)


async def mutation(uow: UnitOfWork, mutation_id: UUID) -> Row:
    """Answer the log's row of a mutation that is in an inbox."""
    found = await uow.row(
        """
        select id, seq, name, v, envelope, device_id, person_id, stream_id, status, result, at_device, at_estimated,
               uncertainty_ms, received_at
        from mutation_log where id = %(id)s
        """,
        id=mutation_id,
    )
    assert found is not None, "an item can't exist without its mutation"
    return found


async def remarks(uow: UnitOfWork, item_id: UUID) -> list[Remark]:
    return await uow.all_of(
        Remark,
        """
        select r.id, r.verdict, r.note, r.result, r.person_id, p.name as person_name, r.at
        from review r join person p on (p.org_id, p.id) = (r.org_id, r.person_id)
        where r.item_id = %(item)s order by r.at, r.id
        """,
        item=item_id,
    )


async def insert_review(
    uow: UnitOfWork,
    item_id: UUID,
    person: UUID,
    verdict: Verdict,
    *,
    note: str | None,
    result: dict[str, Any] | None = None,
) -> None:
    await uow.run(
        """
        insert into review (org_id, id, item_id, verdict, note, result, person_id, at)
        values (%(org)s, %(id)s, %(item)s, %(verdict)s, %(note)s, %(result)s, %(person)s, %(now)s)
        """,
        org=uow.org,
        id=uow.new_id(),
        item=item_id,
        verdict=verdict,
        note=note,
        result=result,
        person=person,
        now=uow.now(),
    )


async def mark(uow: UnitOfWork, item_id: UUID, verdict: Verdict | None, person: UUID) -> None:
    """Close an item with its verdict, or open it again with None."""
    settled_at, settled_by = (uow.now(), person) if verdict else (None, None)
    await uow.run(
        """
        with mirrored as (
            update conflict set settled_at = %(at)s, settled_by = %(by)s, settlement = %(verdict)s where id = %(id)s
        )
        update review_item set state = %(state)s, verdict = %(verdict)s, settled_at = %(at)s, settled_by = %(by)s
        where id = %(id)s
        """,
        id=item_id,
        state=ItemState.SETTLED if verdict else ItemState.OPEN,
        verdict=verdict,
        at=settled_at,
        by=settled_by,
    )
