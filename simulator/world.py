"""The company before the day begins: its engineers with skills, shifts and stocked vans; its customers and their sites.

Made through the web API as an administrator. Running it again finds what it made before.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from simulator.office import Office, Refused
from simulator.roads import Place

_FEWEST_SITES = 12
_REMEMBERED_ORDERS = 50
_STOCKED_PARTS = 8
_VAN_TARGET = 30
_NAMES = (
    ("Ines Duarte", "en"),
    ("张敏", "zh"),
    ("Jonas Weber", "en"),
    ("Chloé Blanc", "en"),
    ("刘洋", "zh"),
    ("Omar Diallo", "en"),
    ("Eva Lindqvist", "en"),
    ("Paul Martin", "en"),
    ("赵磊", "zh"),
    ("Nina Petrova", "en"),
    ("Tom Baker", "en"),
    ("Sofia Marini", "en"),
)
_KINDS = (("lift", "Lift", "电梯"), ("hvac", "Air conditioning", "空调"), ("appliance", "Appliance", "家电"))

type Json = dict[str, Any]
type Stretch = tuple[datetime, datetime]


@dataclass(frozen=True)
class Fault:
    """Something that broke at a site once and may break again. The skills and the procedure are the office's view."""

    title: str
    description: str
    problem_type: str
    minutes: int
    asset: str | None
    procedure: str | None
    skills: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Site:
    id: str
    customer_name: str
    customer_number: str
    place: Place
    serials: tuple[str, ...]  # of the equipment installed there
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Staff:
    """An engineer as the office knows them. `van` is the stock location; `stock` its balance by part id."""

    person: str
    name: str
    home: Place
    van: str
    stock: dict[str, float]


@dataclass(frozen=True)
class World:
    slug: str
    sites: tuple[Site, ...]
    skills: tuple[str, ...]
    staff: tuple[Staff, ...]


async def prepare(admin: Office, slug: str, domain: str, engineers: int, rng: Random) -> World:
    """Make sure that everything is there. Raises Refused."""
    skills = await _skills(admin)
    sites = await _sites(admin, rng)
    parts = await _parts(admin)
    staff = await _with_vans(admin, await _engineers(admin, engineers, domain, skills, sites, rng), parts)
    return World(slug, tuple(sites), tuple(skills), tuple(staff))


async def give_shifts(admin: Office, staff: tuple[Staff, ...], start: datetime, end: datetime) -> None:
    """See to it that everyone is on duty all that time, whatever shifts they have already."""
    # A little earlier: the first fix may be stamped by a phone whose clock is slow.
    start -= timedelta(minutes=10)
    planned: defaultdict[str, list[Stretch]] = defaultdict(list)
    async for shift in admin.pages("/shifts", **{"from": start.isoformat(), "to": end.isoformat()}):
        stretch = datetime.fromisoformat(shift["starts_at"]), datetime.fromisoformat(shift["ends_at"])
        planned[shift["person_id"]].append(stretch)
    for engineer in staff:
        for begin, stop in uncovered((start, end), planned[engineer.person]):
            shift = {"starts_at": begin.isoformat(), "ends_at": stop.isoformat()}
            await admin.post(f"/people/{engineer.person}/shifts", shift)


def uncovered(whole: Stretch, parts: Iterable[Stretch]) -> list[Stretch]:
    """What of `whole` none of the parts covers."""
    reached, end = whole
    gaps = []
    for begin, stop in sorted(parts):
        if reached < begin:
            gaps.append((reached, min(begin, end)))
        reached = max(reached, stop)
    return [*gaps, (reached, end)] if reached < end else gaps


async def dispatcher_account(admin: Office, domain: str, password: str) -> str:
    """The e-mail address of the simulated dispatcher, hired if need be."""
    email = f"sim-dispatch@{domain}"
    try:
        roles = ["dispatcher"]
        await admin.post(
            "/people", {"email": email, "name": "Dana Dispatch", "language": "en", "roles": roles, "password": password}
        )
    except Refused as refused:
        if refused.code != "person.email_taken":
            raise
    return email


async def _skills(admin: Office) -> list[str]:
    keys = sorted([skill["key"] async for skill in admin.pages("/skills")])
    if keys:
        return keys
    for key, english, chinese in _KINDS:
        await admin.post("/skills", {"key": key, "name": {"en": english, "zh": chinese}})
    return [key for key, _, _ in _KINDS]


async def _sites(admin: Office, rng: Random) -> list[Site]:
    customers = {customer["id"]: customer async for customer in admin.pages("/customers")}
    serials: defaultdict[str, list[str]] = defaultdict(list)
    async for asset in admin.pages("/assets"):
        serials[asset["site_id"]].append(asset["serial"])
    faults = await _past_faults(admin)
    found = [
        _site(site, customers[site["customer_id"]], serials[site["id"]], faults[site["id"]])
        async for site in admin.pages("/sites")
        if site["customer_id"] in customers
    ]
    centre = found[0].place if found else await _centre(admin)
    for number in range(len(found), _FEWEST_SITES):
        place = centre.moved(rng.gauss(0, 400), rng.gauss(0, 400))
        customer = await admin.post("/customers", {"name": f"Riviera Palace {number + 1}"})
        about = {"name": "Main house", "address": f"{number + 1} Quai Antoine", "place": place.as_json()}
        found.append(_site(await admin.post(f"/customers/{customer['id']}/sites", about), customer, [], []))
    return found


def _site(site: Json, customer: Json, serials: list[str], faults: list[Fault]) -> Site:
    place = Place(site["place"]["lon"], site["place"]["lat"])
    return Site(site["id"], customer["name"], customer["number"], place, tuple(serials), tuple(faults))


async def _past_faults(admin: Office) -> defaultdict[str, list[Fault]]:
    """What broke where, from the newest orders, by site id."""
    newest = await admin.get("/work-orders", limit=_REMEMBERED_ORDERS)
    found: defaultdict[str, list[Fault]] = defaultdict(list)
    for summary in newest["items"]:
        order = await admin.get(f"/work-orders/{summary['id']}")
        found[order["site"]["id"]].append(
            Fault(
                title=order["title"],
                description=order["description"],
                problem_type=order["problem_type"],
                minutes=order["duration_minutes"],
                asset=order["asset"]["id"] if order["asset"] else None,
                procedure=order["procedure_key"],
                skills=tuple((skill["key"], skill["level"]) for skill in order["skills"]),
            )
        )
    return found


async def _centre(admin: Office) -> Place:
    region = (await admin.get("/board/snapshot")).get("region")
    west, south, east, north = region["bounds"] if region else (7.41, 43.725, 7.435, 43.745)
    return Place((west + east) / 2, (south + north) / 2)


async def _parts(admin: Office) -> list[str]:
    """Ids of parts that are counted, not told apart by serial number."""
    counted = [part["id"] async for part in admin.pages("/parts") if not part["serial_tracked"]]
    for number in range(len(counted), _STOCKED_PARTS):
        name = {"en": f"Filter type {number + 1}", "zh": f"{number + 1} 型滤芯"}
        price = {"unit": "piece", "serial_tracked": False, "price_minor": 1250, "currency": "EUR"}
        counted.append((await admin.post("/parts", {"sku": f"SIM-{number + 1:03}", "name": name, **price}))["id"])
    return counted[:_STOCKED_PARTS]


async def _engineers(
    admin: Office, wanted: int, domain: str, skills: list[str], sites: list[Site], rng: Random
) -> list[Json]:
    """The company's own engineers first; `sim-01@…` and so on are hired until there are enough."""
    people = await admin.all("/people")
    known = {person["email"] for person in people}
    found = [person for person in people if person["engineer"] and person["active"]]
    found.sort(key=lambda person: (person["email"].startswith("sim-"), person["email"]))
    number = 0
    while len(found) < wanted:
        number += 1
        email = f"sim-{number:02}@{domain}"
        if email not in known:
            found.append(await admin.post("/people", _applicant(number, email, skills, rng.choice(sites).place, rng)))
    return found[:wanted]


def _applicant(number: int, email: str, skills: list[str], home: Place, rng: Random) -> Json:
    name, language = _NAMES[(number - 1) % len(_NAMES)]
    # Every skill is somebody's: the first goes round, the others fall as they may.
    known = {skills[number % len(skills)], *rng.sample(skills, k=min(len(skills), rng.randint(2, 4)))}
    profile = {
        "home": home.as_json(),
        "daily_capacity_minutes": 480,
        "skills": [{"key": key, "level": rng.randint(3, 5)} for key in sorted(known)],
    }
    return {"email": email, "name": name, "language": language, "roles": ["engineer"], "engineer": profile}


async def _with_vans(admin: Office, hired: list[Json], parts: list[str]) -> list[Staff]:
    locations = await admin.all("/stock-locations")
    supplier = next(location["id"] for location in locations if location["kind"] == "supplier")
    vans = {location["person_id"]: location["id"] for location in locations if location["kind"] == "van"}
    staff = []
    for person in hired:
        van = vans.get(person["id"]) or await _new_van(admin, person)
        home = Place(**person["engineer"]["home"])
        staff.append(Staff(person["id"], person["name"], home, van, await _stocked(admin, van, supplier, parts)))
    return staff


async def _new_van(admin: Office, person: Json) -> str:
    name = f"Van of {person['email'].split('@')[0]}"
    van = await admin.post("/stock-locations", {"kind": "van", "name": name, "person_id": person["id"]})
    return str(van["id"])


async def _stocked(admin: Office, van: str, supplier: str, parts: list[str]) -> dict[str, float]:
    """Fill the van up and answer its balance."""
    balance = await van_stock(admin, van)
    for part in parts:
        missing = _VAN_TARGET - balance.get(part, 0.0)
        if missing >= _VAN_TARGET / 2:
            movement = {"part_id": part, "from_id": supplier, "to_id": van, "quantity": int(missing)}
            await admin.post("/stock-movements", {**movement, "reason": "goods_in"})
            balance[part] = balance.get(part, 0.0) + int(missing)
    return balance


async def van_stock(office: Office, van: str) -> dict[str, float]:
    return {row["part_id"]: float(row["quantity"]) async for row in office.pages("/stock", location_id=van)}
