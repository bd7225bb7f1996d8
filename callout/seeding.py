"""The demo organisation: founded once, by the same use cases people use, from `fixtures/demo`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from callout import database
from callout.settings import Settings
from server.core.db import Database, UnitOfWork
from server.customers import service as customers
from server.customers.domain import Tier
from server.geo.domain import Point
from server.geo.region import Region
from server.identity import queries
from server.identity import service as identity
from server.identity.domain import Actor, Audience, permissions_of
from server.inventory import service as inventory
from server.inventory.domain import LocationKind, Reason
from server.workforce import service as workforce
from server.workforce.domain import SkillLevel
from server.workorders import checklists
from server.workorders import service as workorders
from server.workorders.domain import Action, Channel, OrderRequest, Priority
from server.workorders.procedures import ItemDraft, ItemKind

DEMO_PASSWORD = "callout-demo-2026"  # noqa: S105 - published in the README; a demo is for looking at
LOGINS = (
    ("dispatcher", "dispatcher@riviera.example"),
    ("dispatcher, Chinese", "diaodu@riviera.example"),
    ("administrator", "admin@riviera.example"),
    ("service agent", "agent@riviera.example"),
    ("warehouse clerk", "warehouse@riviera.example"),
    ("service manager", "manager@riviera.example"),
    ("auditor", "auditor@riviera.example"),
)

_FIXTURES = Path(__file__).parent.parent / "fixtures" / "demo"
_WAREHOUSE_STOCK = 120
_VAN_STOCK = 20
_VAN_PARTS = 10
_PAST_ORDERS = 26  # so that sites have a history from the first day on
_OPEN_ORDERS = 9
# Where sites go when no region is prepared.
_CENTRE = Point(7.4213, 43.7372)

type Json = dict[str, Any]


class _Calendar:
    """The business clock, set back while the past is told."""

    def __init__(self, present: datetime) -> None:
        self.present = present
        self.at = present

    def now(self) -> datetime:
        return self.at


@dataclass(frozen=True)
class _Place:
    """A site with what is installed there."""

    site: UUID
    kind: str
    asset: UUID


@dataclass
class _Story:
    uow: UnitOfWork
    calendar: _Calendar
    company: Json
    book: Json
    rng: Random


async def seed(settings: Settings) -> None:
    """Found the demo organisation unless it is there. One transaction: all of it or nothing."""
    calendar = _Calendar(settings.business_clock.now())
    opened = Database(database.prepare(settings), calendar)
    await opened.open()
    try:
        async with opened.unit_of_work() as uow:
            if await queries.organisation_of_slug(uow, _read("company")["organisation"]["slug"]):
                print("the demo organisation is there already")
                return
            region = Region.load(settings.regions_dir, settings.region or None)
            story = _Story(uow, calendar, _read("company"), _read("customers"), Random(7))
            await _tell(story, region)
    finally:
        await opened.close()


def _read(name: str) -> Json:
    content: Json = json.loads((_FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return content


async def _tell(story: _Story, region: Region | None) -> None:
    organisation = await identity.found_organisation(story.uow, **story.company["organisation"])
    office = {
        email: await _hire(story, organisation.id, person, person["roles"], DEMO_PASSWORD)
        for person in story.company["office"]
        for email in [person["email"]]
    }
    await _describe_work(story)
    corners = _addresses(region, story.rng)
    engineers = [
        await _engineer(story, organisation.id, person, corners.pop()[1]) for person in story.company["engineers"]
    ]
    administrator = office["admin@riviera.example"]
    await _stock(story, administrator, engineers)
    places = [await _customer(story, about, corners) for about in story.book["customers"]]
    dispatcher = office["dispatcher@riviera.example"]
    for _ in range(_PAST_ORDERS):
        await _past_order(story, dispatcher, engineers, story.rng.choice(places))
    story.calendar.at = story.calendar.present
    for place in story.rng.sample(places, _OPEN_ORDERS):
        await _order(story, dispatcher, place)
    print(f"founded {organisation.name}: {len(engineers)} engineers, {len(places)} customers")


async def _hire(story: _Story, org: UUID, person: Json, roles: Sequence[str], password: str | None) -> Actor:
    hired = await identity.hire(
        story.uow,
        email=person["email"],
        name=person["name"],
        roles=roles,
        language=person["language"],
        password=password,
    )
    return Actor(org, hired.id, hired.name, permissions_of(hired.roles), Audience.WEB, hired.language)


async def _describe_work(story: _Story) -> None:
    for key, name in story.company["skills"].items():
        await workforce.add_skill(story.uow, key=key, name=name)
    for procedure in story.company["procedures"]:
        items = [_item(item) for item in procedure["items"]]
        await checklists.define_procedure(story.uow, key=procedure["key"], name=procedure["name"], items=items)


def _item(item: Json) -> ItemDraft:
    return ItemDraft(
        kind=ItemKind(item["kind"]),
        label=item["label"],
        required=item["required"],
        unit=item.get("unit"),
        minimum=item.get("minimum"),
        maximum=item.get("maximum"),
        choices=tuple(item.get("choices", ())),
    )


def _addresses(region: Region | None, rng: Random) -> list[tuple[str, Point]]:
    """Real addresses of the region in a fixed random order, or numbered places around its centre."""
    known = [address for address in region.addresses() if not address.is_street] if region else []
    rng.shuffle(known)
    found = [
        (
            " ".join(part for part in (address.housenumber, address.street or address.name, address.city) if part),
            address.point,
        )
        for address in known
    ]
    centre = region.bounds.centre if region else _CENTRE
    while len(found) < 60:  # noqa: PLR2004 - more than the demo places
        place = Point(centre.lon + rng.gauss(0, 0.004), centre.lat + rng.gauss(0, 0.003))
        found.append((f"{len(found) + 1} Quai Antoine", place))
    return found


async def _engineer(story: _Story, org: UUID, person: Json, home: Point) -> Actor:
    actor = await _hire(story, org, person, ["engineer"], None)
    await workforce.set_engineer(
        story.uow,
        person=actor.person,
        home=home,
        daily_capacity_minutes=480,
        skills=[SkillLevel(key, level) for key, level in person["skills"].items()],
    )
    return actor


async def _stock(story: _Story, administrator: Actor, engineers: Sequence[Actor]) -> None:
    uow = story.uow
    virtual = await inventory.ensure_virtual_locations(uow)
    supplier = virtual[LocationKind.SUPPLIER].id
    about = story.company["warehouse"]
    warehouse = await inventory.add_location(
        uow, kind=LocationKind.WAREHOUSE, name=about["name"], place={"lon": about["lon"], "lat": about["lat"]}
    )
    parts = [await inventory.add_part(uow, **part, currency="EUR") for part in story.company["parts"]]
    counted = [part.id for part in parts if not part.serial_tracked]

    async def bring(part: UUID, source: UUID, target: UUID, quantity: int, reason: Reason) -> None:
        await inventory.move(
            uow,
            administrator,
            id=uow.new_id(),
            part=part,
            source=source,
            target=target,
            quantity=Decimal(quantity),
            reason=reason,
        )

    for part in counted:
        await bring(part, supplier, warehouse.id, _WAREHOUSE_STOCK * 2, Reason.GOODS_IN)
    for engineer in engineers:
        van = await inventory.give_van(uow, engineer.person, f"Van {engineer.name}")
        for part in story.rng.sample(counted, _VAN_PARTS):
            await bring(part, warehouse.id, van.id, _VAN_STOCK, Reason.TRANSFER)


async def _customer(story: _Story, about: Json, corners: list[tuple[str, Point]]) -> _Place:
    uow, rng = story.uow, story.rng
    customer = await customers.add_customer(
        uow,
        name=about["name"],
        tier=Tier(about["tier"]),
        email=f"service{rng.randrange(100, 999)}@customer.example",
        phone=f"+377 99 99 {rng.randrange(10, 99)} {rng.randrange(10, 99)}",
    )
    address, place = corners.pop()
    site = await customers.add_site(
        uow, customer_id=customer.id, name=about["name"], address=address, place=place, access_notes="Ask at reception."
    )
    await customers.add_contact(
        uow, customer_id=customer.id, site_id=site.id, name="Front desk", role="reception", phone=customer.phone
    )
    asset = await customers.add_asset(
        uow,
        site_id=site.id,
        product=about["product"],
        model=about["product"].split()[-1],
        serial=f"{about['kind'][:3].upper()}-{rng.randrange(100_000, 999_999)}",
        installed_on=(story.calendar.present - timedelta(days=rng.randrange(400, 3000))).date(),
    )
    return _Place(site.id, about["kind"], asset.id)


async def _order(story: _Story, actor: Actor, place: _Place) -> UUID:
    fault: Mapping[str, str] = story.rng.choice(story.book["faults"][place.kind])
    order = await workorders.open_work_order(
        story.uow,
        actor,
        OrderRequest(
            site_id=place.site,
            asset_id=place.asset,
            title=fault["title"],
            description=fault["description"],
            problem_type=fault["problem_type"],
            priority=story.rng.choices(list(Priority), weights=[1, 3, 6])[0],
            channel=story.rng.choice([Channel.PHONE, Channel.PORTAL, Channel.EMAIL]),
            duration_minutes=story.rng.choice([30, 45, 60, 90]),
            skills=(SkillLevel(place.kind, 3),),
            procedure_key=story.book["procedure_of"][place.kind],
        ),
    )
    return order.id


async def _past_order(story: _Story, dispatcher: Actor, engineers: Sequence[Actor], place: _Place) -> None:
    """An order of the past weeks, lived through step by step and closed without a signature, for a stated reason."""
    calendar, rng, uow = story.calendar, story.rng, story.uow
    calendar.at = calendar.present - timedelta(days=rng.randrange(3, 60), minutes=rng.randrange(0, 300))
    order = await workorders.open_work_order(
        uow,
        dispatcher,
        OrderRequest(
            site_id=place.site,
            asset_id=place.asset,
            priority=Priority.NORMAL,
            channel=Channel.PHONE,
            duration_minutes=60,
            **rng.choice(story.book["faults"][place.kind]),
        ),
    )
    engineer = rng.choice(engineers)
    await workorders.schedule_visit(
        uow,
        dispatcher,
        work_order_id=order.id,
        engineer_id=engineer.person,
        planned_start=calendar.at,
        planned_end=calendar.at + timedelta(hours=1),
    )

    async def step(action: Action, minutes: int, actor: Actor = engineer, **more: Any) -> None:
        calendar.at += timedelta(minutes=minutes)
        await workorders.perform(uow, actor, work_order_id=order.id, action=action, **more)

    await step(Action.ACCEPT, 3)
    await step(Action.TRAVEL, 20)
    await step(Action.ARRIVE, rng.randrange(4, 15))
    await step(Action.START, 2)
    await step(Action.RESOLVE, rng.randrange(20, 90), note=rng.choice(story.book["findings"]))
    await step(Action.REQUEST_CONFIRMATION, 1)
    await step(Action.CLOSE_BY_EXCEPTION, 30, dispatcher, reason="Confirmed by telephone before Callout was in use.")
