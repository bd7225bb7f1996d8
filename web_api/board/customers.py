"""The customer file: customers, sites, contacts, installed equipment."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, status
from pydantic import Field, StringConstraints

from edge.auth import Work, permitted
from edge.idempotency import IdempotencyHeader, once
from edge.problems import PROBLEMS
from server.core.paging import MAX_PAGE
from server.core.wire import Id, Line, Name, PlaceIn, PlaceOut, Search, Text, WireIn, WireOut
from server.customers import access, duplicates, service
from server.customers.domain import Tier
from server.geo.domain import Point
from server.identity.domain import Permission
from server.workorders import reading
from server.workorders.views import Filter
from web_api.board.summaries import WorkOrderSummary

router = APIRouter(prefix="/api/v1", tags=["customers"], responses=PROBLEMS)

_RECENT_ORDERS = 10

type Email = Annotated[str, StringConstraints(max_length=320, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
type Phone = Annotated[str, StringConstraints(min_length=3, max_length=60, strip_whitespace=True)]
type Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]
type Cursor = Annotated[str | None, Query(max_length=1000)]
type FenceRadius = Annotated[int, Field(ge=20, le=20_000, description="without one, the organisation's")]
type FenceArea = Annotated[dict[str, Any], Field(description="GeoJSON polygon in WGS-84; stands in for the circle")]
type Reader = Annotated[Work, permitted(Permission.CUSTOMERS_READ)]
type Writer = Annotated[Work, permitted(Permission.CUSTOMERS_WRITE)]


class NewCustomer(WireIn):
    name: Name
    tier: Tier = Tier.STANDARD
    email: Email | None = None
    phone: Phone | None = None
    language: Literal["en", "zh"] = "en"
    tags: Annotated[list[Name], Field(max_length=50)] = []
    notes: Text = ""


class CustomerOut(WireOut):
    id: UUID
    number: str
    name: str
    tier: str
    email: str | None
    phone: str | None
    language: str
    tags: list[str]
    notes: str
    created_at: datetime


class CustomersOut(WireOut):
    items: list[CustomerOut]
    next_cursor: str | None


class NewSite(WireIn):
    name: Name
    address: Annotated[Line, StringConstraints(min_length=1)]
    place: PlaceIn
    access_notes: Text = ""
    meter_location: Text = ""
    fence_radius_m: FenceRadius | None = None
    fence_area: FenceArea | None = None


class SiteOut(WireOut):
    id: UUID
    customer_id: UUID
    name: str
    address: str
    place: PlaceOut
    access_notes: str
    meter_location: str
    fence_radius_m: int
    fence_is_default: bool
    fence_area: dict[str, Any] | None
    territory_id: UUID | None
    version: int


class SitesOut(WireOut):
    items: list[SiteOut]
    next_cursor: str | None


class NewContact(WireIn):
    name: Name
    role: Line = ""
    phone: Phone | None = None
    email: Email | None = None
    site_id: Id | None = None


class ContactOut(WireOut):
    id: UUID
    customer_id: UUID
    site_id: UUID | None
    name: str
    role: str
    phone: str | None
    email: str | None


class NewAsset(WireIn):
    product: Name
    model: Name
    serial: Name
    installed_on: date | None = None
    warranty_until: date | None = None
    notes: Text = ""


class AssetOut(WireOut):
    id: UUID
    site_id: UUID
    product: str
    model: str
    serial: str
    installed_on: date | None
    warranty_until: date | None
    status: str
    notes: str
    version: int
    twin_of: UUID | None


class SuggestionOut(WireOut):
    """Two records that are probably one thing."""

    id: UUID
    entity: str
    newer_id: UUID
    older_id: UUID
    why: str
    made_at: datetime


class SuggestionsOut(WireOut):
    items: list[SuggestionOut]
    next_cursor: str | None


class AssetsOut(WireOut):
    items: list[AssetOut]
    next_cursor: str | None


class CustomerProfile(CustomerOut):
    """Everything about a customer at a glance."""

    sites: list[SiteOut]
    contacts: list[ContactOut]
    assets: list[AssetOut]
    recent_orders: list[WorkOrderSummary]


@router.get("/customers")
async def list_customers(
    work: Reader,
    q: Annotated[Search | None, Query(description="in name, number, e-mail, phone, or a serial number")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> CustomersOut:
    return CustomersOut.model_validate(await service.customers(work.uow, work.actor, q=q, cursor=cursor, limit=limit))


@router.post("/customers", status_code=status.HTTP_201_CREATED)
async def add_customer(work: Writer, body: NewCustomer, key: IdempotencyHeader = None) -> CustomerOut:
    async def act() -> CustomerOut:
        return CustomerOut.model_validate(await service.add_customer(work.uow, **dict(body), by=work.actor.person))

    return await once(work, key, body, CustomerOut, act)


@router.get("/customers/{customer_id}")
async def get_customer(work: Reader, customer_id: Id) -> CustomerProfile:
    profile = await service.profile(work.uow, work.actor, customer_id)
    orders = await reading.summaries(work.uow, work.actor, Filter(customer_id=customer_id), limit=_RECENT_ORDERS)
    return CustomerProfile.model_validate({**vars(profile.customer), **vars(profile), "recent_orders": orders.items})


@router.post("/customers/{customer_id}/sites", status_code=status.HTTP_201_CREATED)
async def add_site(work: Writer, customer_id: Id, body: NewSite, key: IdempotencyHeader = None) -> SiteOut:
    async def act() -> SiteOut:
        customer = await access.customer_for(work.uow, work.actor, customer_id)
        said = dict(body) | {"place": Point(body.place.lon, body.place.lat)}
        return SiteOut.model_validate(await service.add_site(work.uow, customer_id=customer.id, **said))

    return await once(work, key, body, SiteOut, act)


@router.post("/customers/{customer_id}/contacts", status_code=status.HTTP_201_CREATED)
async def add_contact(work: Writer, customer_id: Id, body: NewContact, key: IdempotencyHeader = None) -> ContactOut:
    async def act() -> ContactOut:
        customer = await access.customer_for(work.uow, work.actor, customer_id)
        return ContactOut.model_validate(await service.add_contact(work.uow, customer_id=customer.id, **dict(body)))

    return await once(work, key, body, ContactOut, act)


@router.get("/sites")
async def list_sites(work: Reader, customer_id: Id | None = None, limit: Limit = 50, cursor: Cursor = None) -> SitesOut:
    return SitesOut.model_validate(
        await service.sites(work.uow, work.actor, customer_id=customer_id, cursor=cursor, limit=limit)
    )


class FenceIn(WireIn):
    """Neither: as large as the organisation's fences are."""

    radius_m: FenceRadius | None = None
    area: FenceArea | None = None


@router.put("/sites/{site_id}/fence")
async def set_site_fence(work: Writer, site_id: Id, body: FenceIn) -> SiteOut:
    """What is noticed when an engineer enters it. Visits that were dispatched before keep the fence they have."""
    changed = await service.set_fence(work.uow, work.actor, site_id, radius_m=body.radius_m, area=body.area)
    return SiteOut.model_validate(changed)


@router.post("/sites/{site_id}/assets", status_code=status.HTTP_201_CREATED)
async def add_asset(work: Writer, site_id: Id, body: NewAsset, key: IdempotencyHeader = None) -> AssetOut:
    async def act() -> AssetOut:
        site = await access.site_for(work.uow, work.actor, site_id)
        return AssetOut.model_validate(await service.add_asset(work.uow, site_id=site.id, **dict(body)))

    return await once(work, key, body, AssetOut, act)


@router.get("/assets")
async def list_assets(work: Reader, site_id: Id | None = None, limit: Limit = 50, cursor: Cursor = None) -> AssetsOut:
    return AssetsOut.model_validate(
        await service.assets(work.uow, work.actor, site_id=site_id, cursor=cursor, limit=limit)
    )


@router.get("/merge-suggestions")
async def list_merge_suggestions(work: Reader) -> SuggestionsOut:
    """Records that were probably made twice and wait for a person to decide, the oldest first."""
    found = await duplicates.open_suggestions(work.uow, work.actor)
    return SuggestionsOut.model_validate({"items": found, "next_cursor": None})


@router.post("/merge-suggestions/{suggestion_id}/merge")
async def merge_records(work: Writer, suggestion_id: Id) -> SuggestionOut:
    """Let the newer record become the older one; phones that still know its id are understood."""
    return SuggestionOut.model_validate(await duplicates.merge(work.uow, work.actor, suggestion_id))


@router.post("/merge-suggestions/{suggestion_id}/keep-apart")
async def keep_records_apart(work: Writer, suggestion_id: Id) -> SuggestionOut:
    return SuggestionOut.model_validate(await duplicates.keep_apart(work.uow, work.actor, suggestion_id))
