"""Every statement about customers, sites, contacts and assets. `door` is a condition made by a Door."""

import json
from collections.abc import Sequence
from uuid import UUID

from server.core.db import Row, UnitOfWork
from server.core.search import containing, digits_of
from server.customers.domain import Asset, Caller, Contact, Customer, Entity, Match, Site
from server.geo.domain import Point

_CUSTOMER = "c.id, c.number, c.name, c.tier, c.email, c.phone, c.language, c.tags, c.notes, c.created_at"
_SITE = """
    s.id, s.customer_id, s.name, s.address, array[st_x(s.place::geometry), st_y(s.place::geometry)] as place,
    s.access_notes, s.meter_location, s.fence_radius_m, s.territory_id, s.version, s.created_at, s.fence_is_default,
    st_asgeojson(s.fence_area)::jsonb as fence_area
"""
_CONTACT = "t.id, t.customer_id, t.site_id, t.name, t.role, t.phone, t.email"
ASSET_COLUMNS = """
    a.id, a.site_id, a.product, a.model, a.serial, a.installed_on, a.warranty_until, a.status, a.notes, a.version,
    a.twin_of
"""
# Fewer digits than this match too many telephones by accident.
_SHORTEST_PHONE = 6


async def hold_file(uow: UnitOfWork) -> None:
    """Let nobody else open a customer's file until this transaction ends."""
    await uow.run("select 1 from organisation where id = %(org)s for no key update", org=uow.org)


async def next_number(uow: UnitOfWork) -> int:
    """Answer the next customer number; concurrent callers wait for this transaction, so none is given twice."""
    await hold_file(uow)
    return int(
        await uow.value(
            r"select coalesce(max(substring(number from 2)::bigint), 0) + 1 from customer where number ~ '^C\d{1,15}$'"
        )
    )


async def insert_customer(uow: UnitOfWork, it: Customer) -> None:
    await uow.run(
        """
        insert into customer (org_id, id, number, name, tier, email, phone, language, tags, notes, created_at)
        values (%(org)s, %(id)s, %(number)s, %(name)s, %(tier)s, %(email)s, %(phone)s, %(language)s, %(tags)s,
                %(notes)s, %(created)s)
        """,
        org=uow.org,
        id=it.id,
        number=it.number,
        name=it.name,
        tier=it.tier,
        email=it.email,
        phone=it.phone,
        language=it.language,
        tags=list(it.tags),
        notes=it.notes,
        created=it.created_at,
    )


async def customer(uow: UnitOfWork, customer_id: UUID, *, door: str = "true") -> Customer | None:
    """Answer a customer by their id, or by the id of one that was merged into them."""
    known_as = _now_known_as(Entity.CUSTOMER)
    return await uow.one_of(
        Customer, f"select {_CUSTOMER} from customer c where c.id = {known_as} and {door}", id=customer_id
    )


async def customers_after(
    uow: UnitOfWork, *, q: str | None, after: tuple[str, UUID] | None, limit: int, door: str
) -> list[Customer]:
    """Answer customers by name behind the key (name, id); `q` looks into names, numbers, phones and serials."""
    name, customer_id = after or ("", UUID(int=0))
    digits = digits_of(q or "")
    return await uow.all_of(
        Customer,
        rf"""
        select {_CUSTOMER} from customer c
        where {door} and (c.name, c.id) > (%(name)s, %(id)s)
          and (%(pattern)s::text is null
            or c.name ilike %(pattern)s escape '\' or c.number ilike %(pattern)s escape '\'
            or c.email ilike %(pattern)s escape '\'
            or (%(digits)s <> '' and regexp_replace(c.phone, '\D', '', 'g') like '%%' || %(digits)s || '%%')
            or exists (
                select from site s join asset a on a.site_id = s.id
                where s.customer_id = c.id and a.serial ilike %(pattern)s escape '\'))
        order by c.name, c.id limit %(limit)s
        """,
        pattern=containing(q) if q else None,
        digits=digits if len(digits) >= _SHORTEST_PHONE else "",
        name=name,
        id=customer_id,
        limit=limit,
    )


async def insert_site(uow: UnitOfWork, it: Site) -> None:
    await uow.run(
        """
        insert into site (org_id, id, customer_id, name, address, place, access_notes, meter_location, fence_radius_m,
                          fence_is_default, fence_area, territory_id, version, created_at)
        values (%(org)s, %(id)s, %(customer)s, %(name)s, %(address)s, st_point(%(lon)s, %(lat)s, 4326)::geography,
                %(access)s, %(meter)s, %(radius)s, %(default)s,
                st_setsrid(st_geomfromgeojson(%(area)s::text), 4326)::geography, %(territory)s, %(version)s,
                %(created)s)
        """,
        org=uow.org,
        id=it.id,
        customer=it.customer_id,
        name=it.name,
        address=it.address,
        lon=it.place.lon,
        lat=it.place.lat,
        access=it.access_notes,
        meter=it.meter_location,
        radius=it.fence_radius_m,
        default=it.fence_is_default,
        area=None if it.fence_area is None else json.dumps(it.fence_area),
        territory=it.territory_id,
        version=it.version,
        created=it.created_at,
    )


async def lock_site(uow: UnitOfWork, site_id: UUID) -> Site | None:
    return await uow.one_of(Site, f"select {_SITE} from site s where s.id = %(id)s for no key update", id=site_id)


async def save_site(uow: UnitOfWork, it: Site) -> None:
    """Write what can be corrected of a site."""
    await uow.run(
        """
        update site set name = %(name)s, address = %(address)s, access_notes = %(access)s, meter_location = %(meter)s,
                        fence_radius_m = %(radius)s,
                        fence_is_default = fence_is_default and fence_radius_m = %(radius)s, version = %(version)s
        where id = %(id)s
        """,
        id=it.id,
        name=it.name,
        address=it.address,
        access=it.access_notes,
        meter=it.meter_location,
        radius=it.fence_radius_m,
        version=it.version,
    )


async def save_fence(uow: UnitOfWork, it: Site) -> None:
    """Write what is a site's fence."""
    await uow.run(
        """
        update site set fence_radius_m = %(radius)s, fence_is_default = %(default)s,
                        fence_area = st_setsrid(st_geomfromgeojson(%(area)s::text), 4326)::geography,
                        version = %(version)s
        where id = %(id)s
        """,
        id=it.id,
        radius=it.fence_radius_m,
        default=it.fence_is_default,
        area=None if it.fence_area is None else json.dumps(it.fence_area),
        version=it.version,
    )


async def follow_default_radius(uow: UnitOfWork, radius_m: int) -> int:
    """Give the sites that have no radius of their own the organisation's; answer how many there are."""
    return await uow.run(
        """
        update site set fence_radius_m = %(radius)s, version = version + 1
        where fence_is_default and fence_radius_m <> %(radius)s
        """,
        radius=radius_m,
    )


async def site(uow: UnitOfWork, site_id: UUID, *, door: str = "true") -> Site | None:
    return await uow.one_of(Site, f"select {_SITE} from site s where s.id = %(id)s and {door}", id=site_id)


async def sites_after(
    uow: UnitOfWork, *, customer_id: UUID | None, after: UUID | None, limit: int, door: str = "true"
) -> list[Site]:
    """Answer sites in the order they were added, of one customer or of all."""
    return await uow.all_of(
        Site,
        f"""
        select {_SITE} from site s
        where {door} and (%(customer)s::uuid is null or s.customer_id = %(customer)s)
          and (%(after)s::uuid is null or s.id > %(after)s)
        order by s.id limit %(limit)s
        """,
        customer=customer_id,
        after=after,
        limit=limit,
    )


async def site_near(uow: UnitOfWork, customer_id: UUID, place: Point, *, within_m: int) -> Site | None:
    """Answer the customer's nearest site within so many metres of a place."""
    return await uow.one_of(
        Site,
        f"""
        with asked as (select st_point(%(lon)s, %(lat)s, 4326)::geography as place)
        select {_SITE} from site s, asked
        where s.customer_id = %(customer)s and st_dwithin(s.place, asked.place, %(within)s)
        order by st_distance(s.place, asked.place), s.id limit 1
        """,
        customer=customer_id,
        lon=place.lon,
        lat=place.lat,
        within=within_m,
    )


async def insert_contact(uow: UnitOfWork, it: Contact) -> None:
    await uow.run(
        """
        insert into contact (org_id, id, customer_id, site_id, name, role, phone, email)
        values (%(org)s, %(id)s, %(customer)s, %(site)s, %(name)s, %(role)s, %(phone)s, %(email)s)
        """,
        org=uow.org,
        id=it.id,
        customer=it.customer_id,
        site=it.site_id,
        name=it.name,
        role=it.role,
        phone=it.phone,
        email=it.email,
    )


async def contacts(uow: UnitOfWork, customer_id: UUID) -> list[Contact]:
    return await uow.all_of(
        Contact,
        f"select {_CONTACT} from contact t where t.customer_id = %(customer)s order by t.id",
        customer=customer_id,
    )


async def insert_asset(uow: UnitOfWork, it: Asset) -> bool:
    """Answer whether it was new: false when the product's serial number is taken."""
    return bool(
        await uow.run(
            """
            insert into asset (org_id, id, site_id, product, model, serial, installed_on, warranty_until, status, notes,
                               version, twin_of)
            values (%(org)s, %(id)s, %(site)s, %(product)s, %(model)s, %(serial)s, %(installed)s, %(warranty)s,
                    %(status)s, %(notes)s, %(version)s, %(twin)s)
            on conflict (org_id, product, serial) where twin_of is null do nothing
            """,
            org=uow.org,
            id=it.id,
            site=it.site_id,
            product=it.product,
            model=it.model,
            serial=it.serial,
            installed=it.installed_on,
            warranty=it.warranty_until,
            status=it.status,
            notes=it.notes,
            version=it.version,
            twin=it.twin_of,
        )
    )


async def asset(uow: UnitOfWork, asset_id: UUID) -> Asset | None:
    """Answer an asset by its id, or by the id of one that was merged into it."""
    return await uow.one_of(
        Asset, f"select {ASSET_COLUMNS} from asset a where a.id = {_now_known_as(Entity.ASSET)}", id=asset_id
    )


def _now_known_as(entity: Entity) -> str:
    return f"coalesce((select now_id from alias where id = %(id)s and entity = '{entity}'), %(id)s)"


async def lock_asset(uow: UnitOfWork, asset_id: UUID) -> Asset | None:
    """Answer an asset, by its own id or by one that was merged into it, and keep others from changing it."""
    return await uow.one_of(
        Asset,
        f"select {ASSET_COLUMNS} from asset a where a.id = {_now_known_as(Entity.ASSET)} for no key update of a",
        id=asset_id,
    )


async def serial_holder(uow: UnitOfWork, it: Asset) -> Asset | None:
    """Answer the other asset that has this product's serial number, and had it first."""
    return await uow.one_of(
        Asset,
        f"""
        select {ASSET_COLUMNS} from asset a
        where a.product = %(product)s and a.serial = %(serial)s and a.twin_of is null and a.id <> %(id)s
        """,
        product=it.product,
        serial=it.serial,
        id=it.id,
    )


async def save_asset(uow: UnitOfWork, it: Asset) -> None:
    """Write what can be corrected of an asset."""
    await uow.run(
        """
        update asset set product = %(product)s, model = %(model)s, serial = %(serial)s, installed_on = %(installed)s,
                         warranty_until = %(warranty)s, status = %(status)s, notes = %(notes)s, twin_of = %(twin)s,
                         version = %(version)s
        where id = %(id)s
        """,
        id=it.id,
        product=it.product,
        model=it.model,
        serial=it.serial,
        installed=it.installed_on,
        warranty=it.warranty_until,
        status=it.status,
        notes=it.notes,
        twin=it.twin_of,
        version=it.version,
    )


async def assets_of(uow: UnitOfWork, customer_id: UUID) -> list[Asset]:
    return await uow.all_of(
        Asset,
        f"""
        select {ASSET_COLUMNS} from asset a join site s on s.id = a.site_id
        where s.customer_id = %(customer)s order by a.id limit 1000
        """,
        customer=customer_id,
    )


async def assets_after(
    uow: UnitOfWork, *, site_id: UUID | None, after: UUID | None, limit: int, door: str = "true"
) -> list[Asset]:
    """Answer assets in the order they were added, of one site or of all."""
    return await uow.all_of(
        Asset,
        f"""
        select {ASSET_COLUMNS} from asset a
        where {door} and (%(site)s::uuid is null or a.site_id = %(site)s)
          and (%(after)s::uuid is null or a.id > %(after)s)
        order by a.id limit %(limit)s
        """,
        site=site_id,
        after=after,
        limit=limit,
    )


async def match(uow: UnitOfWork, caller: Caller) -> Match | None:
    """Answer the customer the caller is: by the machine's serial, else number, e-mail address, telephone."""
    digits = digits_of(caller.phone or "")
    return await uow.one_of(
        Match,
        r"""
        with said as (
            select s.customer_id, 'asset_serial' as matched_by, a.id as asset_id, a.site_id, 1 as rank
            from asset a join site s on s.id = a.site_id where a.serial = %(serial)s
            union all
            select c.id, 'customer_number', null, null, 2 from customer c where c.number = upper(%(number)s)
            union all
            select c.id, 'email', null, null, 3 from customer c where lower(c.email) = lower(%(email)s)
            union all
            select t.customer_id, 'email', null, t.site_id, 4 from contact t where lower(t.email) = lower(%(email)s)
            union all
            select c.id, 'phone', null, null, 5
            from customer c where regexp_replace(c.phone, '\D', '', 'g') = %(digits)s
            union all
            select t.customer_id, 'phone', null, t.site_id, 6
            from contact t where regexp_replace(t.phone, '\D', '', 'g') = %(digits)s
        )
        select customer_id, matched_by, asset_id, site_id from said order by rank, customer_id limit 1
        """,
        serial=caller.asset_serial,
        number=caller.customer_number,
        email=caller.email,
        digits=digits if len(digits) >= _SHORTEST_PHONE else None,
    )


async def knows_contact(uow: UnitOfWork, customer_id: UUID, *, phone: str | None, email: str | None) -> bool:
    return bool(
        await uow.value(
            r"""
            select exists (
                select from contact t where t.customer_id = %(customer)s
                and (regexp_replace(t.phone, '\D', '', 'g') = %(digits)s or lower(t.email) = lower(%(email)s)))
            """,
            customer=customer_id,
            digits=digits_of(phone or "") or None,
            email=email,
        )
    )


async def names(uow: UnitOfWork, *, customers: Sequence[UUID], sites: Sequence[UUID]) -> list[Row]:
    """Answer kind, id, name and customer_name of those that (still) exist, by name."""
    return await uow.rows(
        """
        select 'customer' as kind, c.id, c.name, c.name as customer_name from customer c where c.id = any(%(customers)s)
        union all
        select 'site', s.id, s.name, c.name from site s join customer c on (c.org_id, c.id) = (s.org_id, s.customer_id)
        where s.id = any(%(sites)s)
        order by 1, 4, 3, 2
        """,
        customers=list(customers),
        sites=list(sites),
    )
