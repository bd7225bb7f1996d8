"""Every statement of an erasure.

They are run by an administrator, whom row-level security does not hold back: each names the organisation itself.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from server.audit.domain import SOURCES
from server.core.db import UnitOfWork


async def hold_order(uow: UnitOfWork, number: int) -> UUID | None:
    """Answer the order of this number and keep everybody else from it; None when there is none."""
    found: UUID | None = await uow.value(
        "select id from work_order where org_id = %(org)s and number = %(number)s for update",
        org=uow.org,
        number=number,
    )
    return found


async def erased_order(uow: UnitOfWork, number: int) -> UUID | None:
    """Answer the order that had this number and was erased before."""
    found: UUID | None = await uow.value(
        "select work_order_id from audit_erasure where org_id = %(org)s and number = %(number)s limit 1",
        org=uow.org,
        number=number,
    )
    return found


async def parts_of_order(uow: UnitOfWork, order: UUID) -> list[UUID]:
    """Answer the ids under which people's records speak of an order: its own, its visits', its movements'."""
    found = await uow.rows(
        """
        select %(order)s::uuid as id
        union all select id from visit where org_id = %(org)s and work_order_id = %(order)s
        union all select id from stock_movement where org_id = %(org)s and work_order_id = %(order)s
        """,
        org=uow.org,
        order=order,
    )
    return [row["id"] for row in found]


async def mutations_about(uow: UnitOfWork, order: UUID, parts: Sequence[UUID]) -> list[UUID]:
    """Answer the mutations that name one of these ids, wherever in them, or were looked at as the order's."""
    found = await uow.rows(
        """
        select m.id from mutation_log m
        where m.org_id = %(org)s and m.status <> 'erased'
          and (m.envelope::text ilike any(%(named)s)
            or m.id in (select i.mutation_id from review_item i
                        where i.org_id = %(org)s and i.work_order_id = %(order)s))
        """,
        org=uow.org,
        order=order,
        named=_naming(parts),
    )
    return [row["id"] for row in found]


def _naming(ids: Sequence[UUID]) -> list[str]:
    return [f"%{one}%" for one in ids]


async def put_on_record(
    uow: UnitOfWork, order: UUID, mutations: Sequence[UUID], *, number: int, why: str, by: str | None, at: datetime
) -> int:
    """Record the erasure of every sealed row that goes with the order; answer how many those are."""
    doomed = " union all ".join(
        f"select '{source.kind}', t.id from {source.table} t "
        f"where t.org_id = %(org)s and {source.condition} and {source.of_order}"
        for source in SOURCES.values()
        if source.of_order
    )
    return await uow.run(
        f"""
        insert into audit_erasure (org_id, id, kind, ref, work_order_id, number, why, erased_by, at)
        select %(org)s, gen_random_uuid(), d.kind, d.ref, %(order)s, %(number)s, %(why)s,
               coalesce(%(by)s::text, session_user), %(at)s
        from ({doomed}) d (kind, ref)
        """,
        org=uow.org,
        order=order,
        mutations=list(mutations),
        number=number,
        why=why,
        by=by,
        at=at,
    )


async def clear_inbox(uow: UnitOfWork, order: UUID, mutations: Sequence[UUID]) -> None:
    """Remove what people were asked about the order, and what they answered."""
    about = "(work_order_id = %(order)s or mutation_id = any(%(mutations)s))"
    for statement in (
        f"""
        delete from review where org_id = %(org)s and item_id in (
            select id from review_item where org_id = %(org)s and {about})
        """,
        f"delete from review_item where org_id = %(org)s and {about}",
        f"delete from conflict where org_id = %(org)s and {about}",
    ):
        await uow.run(statement, org=uow.org, order=order, mutations=list(mutations))


async def empty_mutations(uow: UnitOfWork, mutations: Sequence[UUID]) -> None:
    """Leave of mutations what a phone that sends them again is answered with, and nothing it told."""
    await uow.run(
        """
        update mutation_log
        set status = 'erased', envelope = '{}',
            result = jsonb_strip_nulls(jsonb_build_object(
                'seq', result -> 'seq', 'id', result -> 'id', 'status', result -> 'status', 'code', result -> 'code'))
        where org_id = %(org)s and id = any(%(mutations)s)
        """,
        org=uow.org,
        mutations=list(mutations),
    )


async def forget_traces(uow: UnitOfWork, parts: Sequence[UUID]) -> None:
    """Remove what was said about the order in passing: news of it, messages, fences, answers kept for repetition."""
    for statement in (
        """
        delete from event
        where org_id = %(org)s and (subject_id = any(%(parts)s) or payload::text ilike any(%(named)s))
        """,
        "delete from message where org_id = %(org)s and subject_id = any(%(parts)s)",
        "delete from fence where org_id = %(org)s and subject_id = any(%(parts)s)",
        # A repetition is then refused: the key is taken, by a request that matches no other.
        """
        update idempotency_key set request_hash = '', answer = '{}'
        where org_id = %(org)s and answer::text ilike any(%(named)s)
        """,
    ):
        await uow.run(statement, org=uow.org, parts=list(parts), named=_naming(parts))


async def forget_planning(uow: UnitOfWork, order: UUID) -> None:
    """Take the order out of plans and ways it was part of; where they only count a stop, nobody's stays."""
    for statement in (
        """
        update plan set
            picture = picture || jsonb_build_object(
                'orders', (select coalesce(jsonb_agg(it), '[]') from jsonb_array_elements(picture -> 'orders') it
                           where it ->> 'id' <> %(order)s::text),
                'links', (select coalesce(jsonb_agg(it), '[]') from jsonb_array_elements(picture -> 'links') it
                          where %(order)s::text not in (it ->> 'first_id', it ->> 'then_id'))),
            outcome = replace(outcome::text, %(order)s::text, %(nobody)s::text)::jsonb,
            cause = replace(cause::text, %(order)s::text, %(nobody)s::text)::jsonb
        where org_id = %(org)s
          and (picture::text ilike %(named)s or outcome::text ilike %(named)s or cause::text ilike %(named)s)
        """,
        """
        update plan_part set
            orders = array_remove(orders, %(order)s),
            sequences = replace(sequences::text, %(order)s::text, %(nobody)s::text)::jsonb
        where org_id = %(org)s and (%(order)s = any(orders) or sequences::text ilike %(named)s)
        """,
        """
        update route set stops = (
            select coalesce(jsonb_agg(it order by at), '[]') from jsonb_array_elements(stops) with ordinality s(it, at)
            where it ->> 'work_order_id' is distinct from %(order)s::text)
        where org_id = %(org)s and stops::text ilike %(named)s
        """,
    ):
        await uow.run(statement, org=uow.org, order=order, nobody=UUID(int=0), named=f"%{order}%")


async def delete_order(uow: UnitOfWork, order: UUID) -> None:
    """Delete the order; what belongs to it goes by cascade, and phones learn of it by the feed."""
    await uow.run("delete from work_order where org_id = %(org)s and id = %(order)s", org=uow.org, order=order)


async def unreadable_pushes(uow: UnitOfWork, order: UUID) -> int:
    """Answer how many kept bodies that nobody could read name the order."""
    return int(
        await uow.value(
            """
            select count(*) from refused_push
            where org_id = %(org)s and encode(body, 'escape') ilike %(named)s
            """,
            org=uow.org,
            named=f"%{order}%",
        )
    )


async def take_time(uow: UnitOfWork) -> None:
    """Lift the limits for requests: the whole log is read, and whoever works on the order is waited for."""
    await uow.run("set local statement_timeout = 0")
    await uow.run("set local lock_timeout = '30s'")
