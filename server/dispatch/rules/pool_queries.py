"""Every statement about the open pool."""

from datetime import datetime
from uuid import UUID

from server.core.db import UnitOfWork
from server.dispatch.rules.domain import Offer, OfferEnding
from server.identity.domain import PERMISSIONS_OF, Permission
from server.workorders.domain import VisitState

_OFFER = """
    select f.id, f.work_order_id, f.opened_at, f.opened_by, f.rule_id, f.rule_version, f.closes_at, f.ended_at,
           f.ending, f.taken_by
    from pool_offer f
"""
_FIELD_ROLES = [str(role) for role, granted in PERMISSIONS_OF.items() if Permission.VISITS_PERFORM in granted]

# Who holds what an order on offer asks for, and has not declined it.
_ABLE = f"""
    able as (
        select f.id as offer_id, e.person_id, o.version as revision
        from pool_offer f join work_order o on o.id = f.work_order_id
        cross join engineer e join person p on p.id = e.person_id
        where f.ended_at is null and (%(order)s::uuid is null or f.work_order_id = %(order)s)
          and p.active and p.roles && %(roles)s::text[]
          and not exists (
            select from work_order_skill w
            where w.work_order_id = o.id and not exists (
                select from engineer_skill es
                where (es.person_id, es.skill_id) = (e.person_id, w.skill_id) and es.level >= w.level
                  and (es.valid_until is null or es.valid_until >= %(today)s)))
          and not exists (
            select from visit v
            where (v.work_order_id, v.engineer_id) = (o.id, e.person_id) and v.state = '{VisitState.DECLINED}')
    )
"""


async def offer(uow: UnitOfWork, offer_id: UUID) -> Offer | None:
    return await uow.one_of(Offer, f"{_OFFER} where f.id = %(id)s", id=offer_id)


async def open_offer(uow: UnitOfWork, work_order_id: UUID) -> Offer | None:
    return await uow.one_of(
        Offer, f"{_OFFER} where f.work_order_id = %(order)s and f.ended_at is null", order=work_order_id
    )


async def last_offer(uow: UnitOfWork, work_order_id: UUID) -> Offer | None:
    return await uow.one_of(
        Offer,
        f"{_OFFER} where f.work_order_id = %(order)s order by f.opened_at desc, f.id desc limit 1",
        order=work_order_id,
    )


async def insert_offer(uow: UnitOfWork, it: Offer) -> None:
    await uow.run(
        """
        insert into pool_offer (org_id, id, work_order_id, opened_at, opened_by, rule_id, rule_version, closes_at)
        values (%(org)s, %(id)s, %(order)s, %(opened)s, %(by)s, %(rule)s, %(version)s, %(closes)s)
        """,
        org=uow.org,
        id=it.id,
        order=it.work_order_id,
        opened=it.opened_at,
        by=it.opened_by,
        rule=it.rule_id,
        version=it.rule_version,
        closes=it.closes_at,
    )


async def end_offer(uow: UnitOfWork, offer_id: UUID, ending: OfferEnding, taken_by: UUID | None = None) -> None:
    """Close it and take it from every phone."""
    await uow.run(
        "update pool_offer set ended_at = %(now)s, ending = %(ending)s, taken_by = %(by)s where id = %(id)s",
        id=offer_id,
        now=uow.now(),
        ending=ending,
        by=taken_by,
    )
    await uow.run("delete from pool_visible where offer_id = %(offer)s", offer=offer_id)


async def show(uow: UnitOfWork, work_order_id: UUID | None = None) -> None:
    """Let open offers, or that of one order, be on the phones of exactly those who may take them, as they are now."""
    asked = {"order": work_order_id, "roles": _FIELD_ROLES, "today": uow.now().date()}
    await uow.run(
        f"""
        with {_ABLE}
        delete from pool_visible v using pool_offer f
        where f.id = v.offer_id and (%(order)s::uuid is null or f.work_order_id = %(order)s)
          and not exists (select from able a where (a.offer_id, a.person_id) = (v.offer_id, v.person_id))
        """,
        **asked,
    )
    await uow.run(
        f"""
        with {_ABLE}
        insert into pool_visible as v (org_id, offer_id, person_id, revision)
        select %(org)s, a.offer_id, a.person_id, a.revision from able a
        where not exists (
            select from pool_visible known
            where (known.offer_id, known.person_id, known.revision) = (a.offer_id, a.person_id, a.revision))
        on conflict (org_id, offer_id, person_id) do update set revision = excluded.revision
        """,
        org=uow.org,
        **asked,
    )


async def nearest_at_work(uow: UnitOfWork, offer_id: UUID, limit: int) -> list[UUID]:
    """Answer who sees an offer, is on shift now and was last seen, or lives, nearest to it."""
    found = await uow.rows(
        """
        select v.person_id
        from pool_visible v
        join pool_offer f on f.id = v.offer_id
        join work_order o on o.id = f.work_order_id
        join site s on s.id = o.site_id
        join engineer e on e.person_id = v.person_id
        left join position_last l on l.person_id = v.person_id
        where v.offer_id = %(offer)s and exists (
            select from shift s where s.person_id = v.person_id and s.starts_at <= %(now)s and s.ends_at > %(now)s)
        order by st_distance(coalesce(l.place, e.home), s.place, false), v.person_id limit %(limit)s
        """,
        offer=offer_id,
        now=uow.now(),
        limit=limit,
    )
    return [row["person_id"] for row in found]


async def has_open(uow: UnitOfWork) -> bool:
    return bool(await uow.value("select exists (select from pool_offer where ended_at is null)"))


async def expired(uow: UnitOfWork, at: datetime) -> list[UUID]:
    """Answer the orders whose offer should have closed by then."""
    found = await uow.rows(
        """
        select work_order_id from pool_offer where ended_at is null and closes_at <= %(at)s order by closes_at, id
        """,
        at=at,
    )
    return [row["work_order_id"] for row in found]
