"""Who plays: a phone and an engineer for each of the staff, freshly enrolled."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from simulator.clock import DayClock, ServerClock
from simulator.engineer import Engineer
from simulator.office import Office
from simulator.phone import Phone
from simulator.roads import Roads
from simulator.tally import Tally
from simulator.world import Staff

_AT_ONCE = 6


@dataclass(frozen=True)
class Player:
    staff: Staff
    phone: Phone
    engineer: Engineer


@dataclass(frozen=True)
class Stage:
    """What all players share. `folder` keeps the phones' databases."""

    base_url: str
    folder: Path
    seed: int
    server: ServerClock
    day: DayClock
    tally: Tally

    def rng(self, actor: str) -> Random:
        """Randomness of one actor, independent of how the others happen to be interleaved."""
        return Random(f"{self.seed}/{actor}")


async def assemble(stage: Stage, admin: Office, roads: Roads, staff: Sequence[Staff]) -> list[Player]:
    """Give everyone a newly enrolled phone and let it pull for the first time."""
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int, person: Staff) -> Player:
        async with at_once:
            return await _player(stage, admin, roads, number, person)

    return list(await asyncio.gather(*(one(number, person) for number, person in enumerate(staff, start=1))))


async def _player(stage: Stage, admin: Office, roads: Roads, number: int, person: Staff) -> Player:
    database = stage.folder / f"phone-{number:03}.db"
    phone = Phone(database, stage.base_url, stage.server, stage.day, stage.rng(f"phone-{number}"), stage.tally)
    code = (await admin.post(f"/people/{person.person}/enrolment-codes", {}))["code"]
    await phone.device.enrol(code, f"Simulated phone {number}")
    await phone.try_sync()
    engineer = Engineer(person.home, phone, roads, stage.day, stage.rng, number, stage.tally)
    return Player(person, phone, engineer)
