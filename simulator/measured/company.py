"""The company of a measured day, made over HTTP: skills, engineers with phones and shifts, customers with sites."""

from dataclasses import dataclass
from pathlib import Path
from random import Random

import httpx

from simulator.device import Device
from simulator.measured.script import SKILLS, Call, Hand, Script
from simulator.measured.stepped import SteppedClock
from simulator.office import Office
from simulator.roads import Place

_CHINESE = ("电梯", "锅炉", "制冷", "电气", "大门", "给水")


@dataclass(frozen=True)
class Member:
    hand: Hand
    person: str
    device: Device

    def locate(self, place: Place) -> None:
        at = self.device.clock.now().isoformat()
        self.device.track.record([{"at": at, **place.as_json(), "accuracy_m": 8.0}])

    async def sync(self) -> None:
        await self.device.sync()
        await self.device.track.send()


@dataclass(frozen=True)
class Company:
    crew: tuple[Member, ...]
    sites: dict[int, str]  # by the number of the call


class PhoneClock:
    """The day's time as phones have it. Satisfies `simulator.device.Clock`."""

    boot = "measured"

    def __init__(self, clock: SteppedClock) -> None:
        self._clock = clock
        self.now = clock.now

    def mono(self) -> float:
        return self._clock.elapsed() * 1000


async def found(
    office: Office, http: httpx.AsyncClient, clock: SteppedClock, it: Script, domain: str, folder: Path
) -> Company:
    """`domain`: of the engineers' addresses; `folder` keeps the phones' databases. Raises Refused."""
    for key, chinese in zip(SKILLS, _CHINESE, strict=True):
        await office.post("/skills", {"key": key, "name": {"en": key.capitalize(), "zh": chinese}})
    crew = [await _member(office, http, clock, it, hand, domain, folder) for hand in it.hands]
    return Company(tuple(crew), {call.number: await _site(office, call) for call in it.calls})


async def _member(
    office: Office,
    http: httpx.AsyncClient,
    clock: SteppedClock,
    it: Script,
    hand: Hand,
    domain: str,
    folder: Path,
) -> Member:
    name = f"Engineer {hand.number + 1:02}"
    profile = {
        "home": hand.home.as_json(),
        "daily_capacity_minutes": round(it.shape.hours * 60),
        "skills": [{"key": key, "level": level} for key, level in hand.skills],
    }
    person = await office.post(
        "/people",
        {"email": f"e{hand.number}@{domain}", "name": name, "roles": ["engineer"], "engineer": profile},
    )
    shift = {
        "starts_at": clock.at(it.shape.begins).isoformat(),
        "ends_at": clock.at(it.shape.ends).isoformat(),
        "overtime_minutes": it.shape.overtime_minutes,
    }
    await office.post(f"/people/{person['id']}/shifts", shift)
    rng = Random(f"{it.seed}/phone/{hand.number}")
    device = Device(folder / f"{hand.number:03}.db", http, PhoneClock(clock), rng, lasting=False)
    code = (await office.post(f"/people/{person['id']}/enrolment-codes", {}))["code"]
    await device.enrol(code, f"Phone {hand.number + 1}")
    await device.sync()
    return Member(hand, person["id"], device)


async def _site(office: Office, call: Call) -> str:
    customer = await office.post("/customers", {"name": f"House {call.number + 1:03}"})
    about = {"name": "Main house", "address": f"Street {call.number + 1}", "place": call.place.as_json()}
    site = await office.post(f"/customers/{customer['id']}/sites", about)
    return str(site["id"])
