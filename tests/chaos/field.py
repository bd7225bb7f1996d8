"""Engineers at work all the time: the simulator's own, on phones that talk through the chaos proxy."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from callout.seeding import DEMO_PASSWORD
from simulator.cast import Player, Stage, assemble
from simulator.clock import DayClock, ServerClock
from simulator.device import DeviceRevoked, NoConnection, OutboxRefused, ProtocolBroken, SignedOut
from simulator.office import Office
from simulator.roads import Drive, Place, Roads, straight
from simulator.tally import Tally
from simulator.world import World, prepare
from tests.chaos.audit import Told, files_sent, told

_SLUG, _DOMAIN = "riviera", "riviera.example"
_SPEED = 1000.0  # simulated seconds in one: an hour's job takes four
_PATIENCE_S = 8.0
_FOR_EVER_S = 1e12


class Crow(Roads):
    """Flies: the server has other worries."""

    async def drive(self, start: Place, end: Place) -> Drive:
        return straight(start, end)


@dataclass
class Field:
    """Everyone outside, and what they would complain about."""

    world: World
    players: Sequence[Player]
    tally: Tally

    @staticmethod
    async def assemble(direct: httpx.AsyncClient, through: str, folder: Path, engineers: int, seed: int) -> "Field":
        """Hire, equip and enrol; the line at `through` had better be clear meanwhile."""
        admin = await someone(direct, "admin")
        server = ServerClock(direct)
        await server.measure()
        stage = Stage(through, folder, seed, server, DayClock(_SPEED), Tally())
        world = await prepare(admin, _SLUG, _DOMAIN, engineers, stage.rng("world"))
        players = await assemble(stage, admin, Crow(admin), world.staff)
        for player in players:
            player.phone._http.timeout = httpx.Timeout(
                _PATIENCE_S
            )  # half-open lines should cost seconds, not half minutes
        return Field(world, players, stage.tally)

    async def work(self, player: Player) -> None:
        """For ever: work and sync at once."""
        async with asyncio.TaskGroup() as both:
            both.create_task(player.engineer.run(_FOR_EVER_S))
            both.create_task(player.phone.run())

    def told(self) -> list[Told]:
        return [one for player in self.players for one in told(player.phone.device)]

    def files(self) -> list[tuple[str, int]]:
        return [file for player in self.players for file in files_sent(player.phone.device)]

    async def settle(self, within_s: float) -> None:
        """Every phone sends all it holds and takes what the others did. Raises TimeoutError."""
        async with asyncio.timeout(within_s), asyncio.TaskGroup() as everyone:
            for player in self.players:
                everyone.create_task(self.settle_one(player))

    async def settle_one(self, player: Player) -> None:
        while True:
            try:
                await player.phone.device.settle()
            except NoConnection:
                await asyncio.sleep(0.5)
            except (ProtocolBroken, OutboxRefused, SignedOut, DeviceRevoked) as wrong:
                self.tally.problem(f"{player.staff.name}'s phone gave up: {wrong!r}")
                return
            else:
                return

    async def close(self) -> None:
        for player in self.players:
            with suppress(Exception):
                await player.phone.close()


async def someone(http: httpx.AsyncClient, name: str) -> Office:
    """Somebody of the demo company, signed in."""
    office = Office(http, f"{name}@{_DOMAIN}", DEMO_PASSWORD)
    await office.sign_in()
    return office
