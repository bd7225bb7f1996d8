"""What a device may correct or add: texts and fields of orders, facts of sites and machines, new ones found on site."""

from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from server.core.db import UnitOfWork
from server.core.wire import Id, Instant, Line, Name, PlaceIn, Text, WireIn
from server.customers import corrections, duplicates
from server.customers import queries as customer_queries
from server.customers import service as customers
from server.customers.corrections import Corrected
from server.customers.domain import Asset, AssetStatus, Caller, Entity, Likeness
from server.geo.domain import Point
from server.identity.access import require
from server.identity.domain import Actor, Permission
from server.sync.domain import APPLIED, Disagreement, Mutation, Outcome
from server.sync.merge import FieldsMerged
from server.sync.registry import Nature, Registry
from server.workorders import amending, queries, writing
from server.workorders.access import admit
from server.workorders.domain import Priority
from server.workorders.errors import EntityGone, NeverAssigned
from server.workorders.recording import circumstances_of
from server.workorders.texts import TextField


class TextArgs(WireIn):
    """`base_rev` is the revision of the text the edit was begun from."""

    wo: Id
    visit: Id | None = None
    field: TextField
    base_rev: Annotated[int, Field(ge=1, lt=2**31)]
    new: Text


class _Fields(WireIn):
    """Some fields of something; which ones were sent is what counts."""

    @property
    def sent(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.model_fields_set}


class OrderFields(_Fields):
    priority: Priority = Priority.NORMAL
    title: Name = ""
    problem_type: Name = ""
    window_start: Instant | None = None
    window_end: Instant | None = None
    duration_minutes: Annotated[int, Field(ge=1, le=100_000)] = 1


class SiteFields(_Fields):
    access_notes: Text = ""
    meter_location: Text = ""
    name: Name = ""
    address: Annotated[Line, StringConstraints(min_length=1)] = ""
    fence_radius_m: Annotated[int, Field(ge=20, le=20_000)] = 20


class AssetFields(_Fields):
    product: Name = ""
    model: Name = ""
    serial: Name = ""
    installed_on: date | None = None
    warranty_until: date | None = None
    status: AssetStatus = AssetStatus.IN_SERVICE
    notes: Text = ""


class OrderPatch(WireIn):
    """`base` is what the person saw, at least of the fields they changed; `set` what they made of them."""

    wo: Id
    visit: Id | None = None
    base: OrderFields
    set: OrderFields


class SitePatch(WireIn):
    site: Id
    base: SiteFields
    set: SiteFields


class AssetPatch(WireIn):
    asset: Id
    base: AssetFields
    set: AssetFields


class AssetArgs(WireIn):
    id: Id
    site: Id
    product: Name
    model: Name
    serial: Name
    installed_on: date | None = None
    notes: Text = ""


class NewSiteArgs(WireIn):
    id: Id
    name: Name
    address: Annotated[Line, StringConstraints(min_length=1)]
    place: PlaceIn


class CustomerArgs(WireIn):
    id: Id
    name: Name
    phone: Line | None = None
    email: Line | None = None
    site: NewSiteArgs

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        if self.id == self.site.id:
            message = "a customer and their site need ids of their own"
            raise ValueError(message)
        return self


async def edit_text(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: TextArgs) -> Outcome:
    """Merge an edit by words; where both changed the same ones, the office's text stays and a person decides."""
    admission = await admit(uow, actor, work_order_id=args.wo, visit_id=args.visit, hold=True)
    written = await writing.edit_text(
        uow,
        actor,
        admission.order,
        field=args.field,
        base_rev=args.base_rev,
        new=args.new,
        signed=admission.signed,
        circumstances=circumstances_of(mutation),
    )
    if written is None:
        return Outcome.merged("ALREADY_THERE")
    if written.clash is not None:
        mine = {"field": args.field, "rev": written.rev, "text": args.new, "base_rev": args.base_rev}
        theirs = {"field": args.field, "rev": written.stands, "text": written.clash}
        return Outcome.conflict(Disagreement("TEXT_OVERLAP", "work_order", args.wo, mine, theirs, args.wo))
    facts = {"rev": written.stands}
    return Outcome.merged("TEXT_MERGED") if written.merged else Outcome(facts=facts)


async def patch_order(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: OrderPatch) -> Outcome:
    """Change fields that nobody changed meanwhile; where the office did, its word stands and the wish is kept."""
    admission = await admit(uow, actor, work_order_id=args.wo, visit_id=args.visit, hold=True)
    order = admission.order
    found = await amending.amend(
        uow,
        actor,
        order,
        base=args.base.sent,
        wanted=args.set.sent,
        signed=admission.signed,
        circumstances=circumstances_of(mutation),
    )
    if amending.is_alarm(found.kept_out, order):
        mine = {"fields": amending.plain(found.kept_out)}
        theirs = {"fields": amending.plain({name: getattr(order, name) for name in found.kept_out})}
        return Outcome.conflict(Disagreement("PRIORITY_RAISED", "work_order", order.id, mine, theirs, order.id))
    return _merged(found)


async def patch_site(uow: UnitOfWork, actor: Actor, _mutation: Mutation, args: SitePatch) -> Outcome:
    site = await customer_queries.lock_site(uow, args.site)
    if site is None:
        raise EntityGone(thing="site")
    await _check_known_there(uow, actor, site.id)
    return _merged(
        (await corrections.patch_site(uow, site, base=args.base.sent, wanted=args.set.sent, by=actor.person)).fields
    )


async def patch_asset(uow: UnitOfWork, actor: Actor, _mutation: Mutation, args: AssetPatch) -> Outcome:
    asset = await customer_queries.lock_asset(uow, args.asset)
    if asset is None:
        raise EntityGone(thing="asset")
    await _check_known_there(uow, actor, asset.site_id)
    corrected = await corrections.patch_asset(uow, asset, base=args.base.sent, wanted=args.set.sent, by=actor.person)
    if corrected.holder is not None:
        return _serial_taken(asset, corrected, corrected.holder)
    return _merged(corrected.fields)


def _serial_taken(asset: Asset, corrected: Corrected, holder: Asset) -> Outcome:
    mine = {"fields": {"serial": corrected.serial}}
    theirs = {"fields": {"serial": asset.serial}, "held_by": str(holder.id), "held_at_site": str(holder.site_id)}
    return Outcome.conflict(Disagreement("SERIAL_TAKEN", "asset", asset.id, mine, theirs))


def _merged(found: FieldsMerged) -> Outcome:
    if found.kept_out:
        return Outcome.merged("PROPOSAL_KEPT")
    if found.beside or found.overruled:
        return Outcome.merged("FIELDS_MERGED")
    return APPLIED if found.taken else Outcome.merged("ALREADY_THERE")


async def create_asset(uow: UnitOfWork, actor: Actor, _mutation: Mutation, args: AssetArgs) -> Outcome:
    """Record a machine found on site. One that is probably known already is recorded, and a merge suggested."""
    if await customer_queries.site(uow, args.site) is None:
        raise EntityGone(thing="site")
    await _check_known_there(uow, actor, args.site)
    if await customer_queries.asset(uow, args.id) is not None:
        return Outcome.merged("ALREADY_RECORDED")
    it = Asset(
        args.id,
        args.site,
        args.product,
        args.model,
        args.serial,
        args.installed_on,
        None,
        AssetStatus.IN_SERVICE,
        args.notes,
        1,
    )
    probably = await corrections.record_asset(uow, it, by=actor.person)
    if probably is None:
        return APPLIED
    return Outcome(facts={"probably": str(probably.id)}, flags=("PROBABLE_DUPLICATE",))


async def create_customer(uow: UnitOfWork, actor: Actor, _mutation: Mutation, args: CustomerArgs) -> Outcome:
    """Open a file for somebody met in the field, with the place they are served at."""
    require(actor, Permission.ORDERS_CREATE)
    if await customer_queries.customer(uow, args.id) is not None:
        return Outcome.merged("ALREADY_RECORDED")
    known = await customer_queries.match(uow, Caller(args.name, phone=args.phone, email=args.email))
    made = await customers.add_customer(
        uow, name=args.name, phone=args.phone, email=args.email, by=actor.person, customer_id=args.id
    )
    site = args.site
    await customers.add_site(
        uow,
        customer_id=made.id,
        name=site.name,
        address=site.address,
        place=Point(site.place.lon, site.place.lat),
        site_id=site.id,
    )
    if known is None:
        return APPLIED
    await duplicates.suggest(
        uow, Entity.CUSTOMER, newer=made.id, older=known.customer_id, why=Likeness.SAME_CONTACT, by=actor.person
    )
    return Outcome(facts={"probably": str(known.customer_id)}, flags=("PROBABLE_DUPLICATE",))


async def _check_known_there(uow: UnitOfWork, actor: Actor, site_id: UUID) -> None:
    """Raise NeverAssigned unless the actor was ever sent to this site, or keeps the customer file."""
    if not actor.may(Permission.CUSTOMERS_WRITE) and not await queries.has_worked_at(uow, actor.person, site_id):
        raise NeverAssigned


def register(registry: Registry) -> None:
    registry.mutator("text.edit", TextArgs, edit_text, nature=Nature.EVIDENCE)
    registry.mutator("wo.patch", OrderPatch, patch_order, nature=Nature.CONTROL)
    registry.mutator("site.patch", SitePatch, patch_site, nature=Nature.EVIDENCE)
    registry.mutator("asset.patch", AssetPatch, patch_asset, nature=Nature.EVIDENCE, needs="asset")
    registry.mutator("asset.create", AssetArgs, create_asset, nature=Nature.EVIDENCE)
    registry.mutator("customer.create", CustomerArgs, create_customer, nature=Nature.CONTROL)
