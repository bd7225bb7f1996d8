"""The customer file: who is served, where, whom to call, and which equipment stands there."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from server.core import events
from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.core.paging import Page, decode_cursor, id_in, page_of
from server.customers import access, queries
from server.customers.domain import (
    Asset,
    AssetStatus,
    Caller,
    Contact,
    Customer,
    Match,
    Profile,
    Site,
    Tier,
    numbered,
)
from server.customers.errors import SerialTaken, SiteOfAnotherCustomer
from server.geo import areas, tracking
from server.geo.domain import Point
from server.identity.domain import Actor
from server.workforce import service as workforce

# Somebody who reports from this near a known site means that site.
SAME_SITE_WITHIN_M = 150
# A profile shows this many sites; the rest are listed by `sites`.
_PROFILE_SITES = 200


async def add_customer(
    uow: UnitOfWork,
    *,
    name: str,
    tier: Tier = Tier.STANDARD,
    email: str | None = None,
    phone: str | None = None,
    language: str = "en",
    tags: Sequence[str] = (),
    notes: str = "",
    by: UUID | None = None,
    customer_id: UUID | None = None,
) -> Customer:
    """Add a customer under the organisation's next number."""
    number = numbered(await queries.next_number(uow))
    it = Customer(
        customer_id or uow.new_id(), number, name, tier, email, phone, language, tuple(tags), notes, uow.now()
    )
    await queries.insert_customer(uow, it)
    await events.append(uow, "customer.added", subject=("customer", it.id), actor=by, payload={"number": number})
    return it


async def customer_of(uow: UnitOfWork, customer_id: UUID) -> Customer:
    found = await queries.customer(uow, customer_id)
    if found is None:
        raise NotFound(thing="customer")
    return found


async def customers(
    uow: UnitOfWork, actor: Actor, *, q: str | None = None, cursor: str | None = None, limit: int
) -> Page[Customer]:
    """Answer a page of customers by name."""
    key = decode_cursor(cursor, 2)
    rows = await queries.customers_after(
        uow,
        q=q,
        after=(key[0], id_in(key[1])) if key else None,
        limit=limit + 1,
        door=access.CUSTOMER.condition(actor),
    )
    return page_of(rows, limit, lambda customer: (customer.name, customer.id))


async def profile(uow: UnitOfWork, actor: Actor, customer_id: UUID) -> Profile:
    customer = await access.customer_for(uow, actor, customer_id)
    return Profile(
        customer,
        await queries.sites_after(uow, customer_id=customer_id, after=None, limit=_PROFILE_SITES),
        await queries.contacts(uow, customer_id),
        await queries.assets_of(uow, customer_id),
    )


async def add_site(
    uow: UnitOfWork,
    *,
    customer_id: UUID,
    name: str,
    address: str,
    place: Point,
    access_notes: str = "",
    meter_location: str = "",
    fence_radius_m: int | None = None,
    fence_area: Mapping[str, Any] | None = None,
    site_id: UUID | None = None,
) -> Site:
    """Add a place where a customer is served; its territory follows from the map.

    Without a radius its fence is as large as the organisation's fences are. Raises NotAFence.
    """
    if fence_area is not None:
        await areas.check(uow, fence_area)
    it = Site(
        site_id or uow.new_id(),
        customer_id,
        name,
        address,
        place,
        access_notes,
        meter_location,
        fence_radius_m or (await tracking.policy(uow)).fence_radius_m,
        await workforce.territory_at(uow, place),
        1,
        uow.now(),
        fence_radius_m is None,
        fence_area,
    )
    await queries.insert_site(uow, it)
    return it


async def set_fence(
    uow: UnitOfWork, actor: Actor, site_id: UUID, *, radius_m: int | None, area: Mapping[str, Any] | None
) -> Site:
    """Let a site's fence be a circle, an area, or without either as large as the organisation's fences are.

    Raises NotFound, NotAFence.
    """
    site = await access.site_for(uow, actor, site_id)
    if area is not None:
        await areas.check(uow, area)
    changed = replace(
        site,
        fence_radius_m=radius_m or (await tracking.policy(uow)).fence_radius_m,
        fence_is_default=radius_m is None,
        fence_area=area,
        version=site.version + 1,
    )
    await queries.save_fence(uow, changed)
    await events.append(uow, "site.fence_set", subject=("site", site.id), actor=actor.person)
    return changed


async def follow_default_radius(uow: UnitOfWork, radius_m: int) -> int:
    """Give the sites that have no radius of their own the organisation's new one; answer how many there are."""
    return await queries.follow_default_radius(uow, radius_m)


async def site_of(uow: UnitOfWork, site_id: UUID) -> Site:
    found = await queries.site(uow, site_id)
    if found is None:
        raise NotFound(thing="site")
    return found


async def sites(
    uow: UnitOfWork, actor: Actor, *, customer_id: UUID | None = None, cursor: str | None = None, limit: int
) -> Page[Site]:
    """Answer a page of sites in the order they were added."""
    key = decode_cursor(cursor, 1)
    rows = await queries.sites_after(
        uow,
        customer_id=customer_id,
        after=id_in(key[0]) if key else None,
        limit=limit + 1,
        door=access.SITE.condition(actor),
    )
    return page_of(rows, limit, lambda site: (site.id,))


async def add_contact(
    uow: UnitOfWork,
    *,
    customer_id: UUID,
    name: str,
    role: str = "",
    phone: str | None = None,
    email: str | None = None,
    site_id: UUID | None = None,
) -> Contact:
    """Raises SiteOfAnotherCustomer."""
    if site_id is not None:
        site = await queries.site(uow, site_id)
        if site is None or site.customer_id != customer_id:
            raise SiteOfAnotherCustomer
    it = Contact(uow.new_id(), customer_id, site_id, name, role, phone, email)
    await queries.insert_contact(uow, it)
    return it


async def contacts_of(uow: UnitOfWork, customer_id: UUID) -> list[Contact]:
    return await queries.contacts(uow, customer_id)


async def add_asset(
    uow: UnitOfWork,
    *,
    site_id: UUID,
    product: str,
    model: str,
    serial: str,
    installed_on: date | None = None,
    warranty_until: date | None = None,
    notes: str = "",
) -> Asset:
    """Record equipment installed at a site. Raises SerialTaken."""
    it = Asset(
        uow.new_id(),
        site_id,
        product,
        model,
        serial,
        installed_on,
        warranty_until,
        AssetStatus.IN_SERVICE,
        notes,
        1,
    )
    if not await queries.insert_asset(uow, it):
        raise SerialTaken(product=product, serial=serial)
    return it


async def asset_of(uow: UnitOfWork, asset_id: UUID) -> Asset:
    found = await queries.asset(uow, asset_id)
    if found is None:
        raise NotFound(thing="asset")
    return found


async def assets(
    uow: UnitOfWork, actor: Actor, *, site_id: UUID | None = None, cursor: str | None = None, limit: int
) -> Page[Asset]:
    """Answer a page of assets in the order they were added."""
    key = decode_cursor(cursor, 1)
    rows = await queries.assets_after(
        uow,
        site_id=site_id,
        after=id_in(key[0]) if key else None,
        limit=limit + 1,
        door=access.ASSET.condition(actor),
    )
    return page_of(rows, limit, lambda asset: (asset.id,))


async def recognise(uow: UnitOfWork, caller: Caller) -> Match | None:
    """Answer which customer this is, None for somebody new: nobody else can then open their file meanwhile."""
    known = await queries.match(uow, caller)
    if known is None:
        await queries.hold_file(uow)
        known = await queries.match(uow, caller)
    return known


async def welcome(uow: UnitOfWork, caller: Caller, *, language: str) -> Customer:
    """Open a file for somebody who was not known."""
    return await add_customer(uow, name=caller.name, email=caller.email, phone=caller.phone, language=language)


async def site_meant(uow: UnitOfWork, customer_id: UUID, *, site_id: UUID | None, place: Point | None) -> Site | None:
    """Answer the customer's site that a report is about: the one named, else the one it comes from, else the first."""
    if site_id is not None:
        named = await queries.site(uow, site_id)
        if named is not None and named.customer_id == customer_id:
            return named
    if place is not None:
        return await queries.site_near(uow, customer_id, place, within_m=SAME_SITE_WITHIN_M)
    known = await queries.sites_after(uow, customer_id=customer_id, after=None, limit=1)
    return known[0] if known else None


async def remember_contact(uow: UnitOfWork, caller: Caller, *, customer_id: UUID, site_id: UUID) -> None:
    """Keep how to reach the caller, unless it is known already."""
    if not caller.phone and not caller.email:
        return
    if not await queries.knows_contact(uow, customer_id, phone=caller.phone, email=caller.email):
        await add_contact(
            uow, customer_id=customer_id, name=caller.name, phone=caller.phone, email=caller.email, site_id=site_id
        )
