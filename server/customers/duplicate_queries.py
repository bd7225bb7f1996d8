"""Every statement about records made twice."""

from uuid import UUID

from server.core.db import UnitOfWork
from server.customers.domain import Asset, Entity, Likeness, Suggestion
from server.customers.likeness import plate
from server.customers.queries import ASSET_COLUMNS

_SUGGESTION = "m.id, m.entity, m.newer_id, m.older_id, m.why, m.made_at, m.settlement"


async def assets_like(uow: UnitOfWork, it: Asset) -> list[Asset]:
    """Answer the organisation's assets with this serial number and those at its site; who had a number first, first."""
    return await uow.all_of(
        Asset,
        rf"""
        select {ASSET_COLUMNS} from asset a
        where a.site_id = %(site)s or upper(regexp_replace(a.serial, '[\W_]+', '', 'g')) = %(plate)s
        order by a.twin_of is not null, a.id limit 1000
        """,
        site=it.site_id,
        plate=plate(it.serial),
    )


async def insert_suggestion(
    uow: UnitOfWork, *, suggestion_id: UUID, entity: Entity, newer: UUID, older: UUID, why: Likeness
) -> bool:
    return bool(
        await uow.run(
            """
            insert into merge_suggestion (org_id, id, entity, newer_id, older_id, why, made_at)
            values (%(org)s, %(id)s, %(entity)s, %(newer)s, %(older)s, %(why)s, %(now)s) on conflict do nothing
            """,
            org=uow.org,
            id=suggestion_id,
            entity=entity,
            newer=newer,
            older=older,
            why=why,
            now=uow.now(),
        )
    )


async def open_suggestions(uow: UnitOfWork) -> list[Suggestion]:
    return await uow.all_of(
        Suggestion,
        f"select {_SUGGESTION} from merge_suggestion m where m.settled_at is null order by m.id limit 500",
    )


async def lock_suggestion(uow: UnitOfWork, suggestion_id: UUID) -> Suggestion | None:
    return await uow.one_of(
        Suggestion, f"select {_SUGGESTION} from merge_suggestion m where m.id = %(id)s for update", id=suggestion_id
    )


async def settle(uow: UnitOfWork, suggestion_id: UUID, *, by: UUID, settlement: str) -> None:
    await uow.run(
        """
        update merge_suggestion set settled_at = %(now)s, settled_by = %(by)s, settlement = %(settlement)s
        where id = %(id)s
        """,
        id=suggestion_id,
        by=by,
        settlement=settlement,
        now=uow.now(),
    )


async def merge_assets(uow: UnitOfWork, *, gone: UUID, stays: UUID, by: UUID) -> None:
    """Point everything that refers to one asset at another and keep the row that goes with its alias."""
    await uow.run(
        "update work_order set asset_id = %(stays)s, version = version + 1 where asset_id = %(gone)s",
        gone=gone,
        stays=stays,
    )
    await uow.run("update asset set twin_of = null where twin_of = %(gone)s", gone=gone)
    await _leave_alias(uow, Entity.ASSET, gone=gone, stays=stays, by=by)
    await uow.run("delete from asset where id = %(gone)s", gone=gone)


async def merge_customers(uow: UnitOfWork, *, gone: UUID, stays: UUID, by: UUID) -> None:
    """As `merge_assets`; sites, contacts and orders follow."""
    for table in ("site", "contact", "work_order"):
        await uow.run(
            f"update {table} set customer_id = %(stays)s where customer_id = %(gone)s", gone=gone, stays=stays
        )
    await _leave_alias(uow, Entity.CUSTOMER, gone=gone, stays=stays, by=by)
    await uow.run("delete from customer where id = %(gone)s", gone=gone)


async def _leave_alias(uow: UnitOfWork, entity: Entity, *, gone: UUID, stays: UUID, by: UUID) -> None:
    """Aliases never chain: those of the record that goes point at the one that stays from now on."""
    await uow.run(
        f"""
        with earlier as (update alias set now_id = %(stays)s where now_id = %(gone)s and entity = '{entity}')
        insert into alias (org_id, id, entity, now_id, was, made_at, made_by)
        select %(org)s, t.id, '{entity}', %(stays)s, to_jsonb(t), %(now)s, %(by)s from {entity} t where t.id = %(gone)s
        """,
        org=uow.org,
        gone=gone,
        stays=stays,
        by=by,
        now=uow.now(),
    )
