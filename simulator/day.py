"""A field day played over HTTP, from the first report to the last signature, and the verdict on it."""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from simulator.cast import Player, Stage, assemble
from simulator.clock import DayClock, ServerClock
from simulator.customer import Customers
from simulator.device import NoConnection
from simulator.dispatcher import Desk, Dispatcher
from simulator.office import Office, Refused
from simulator.phone import HOUR
from simulator.roads import Roads
from simulator.styles import StyleName, style_of
from simulator.suggested import Habits
from simulator.tally import Tally
from simulator.together import in_background, until_done
from simulator.verdict import Verdict, judge
from simulator.world import World, dispatcher_account, give_shifts, prepare

_OVERTIME_HOURS = 3
_PROGRESS_EVERY_S = 3.0
_LOOK_AT_CLOCK_EVERY_S = 20.0
_SETTLE_AT_ONCE = 8
_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Play:
    """What is played. `speed` is simulated seconds per real second."""

    base_url: str
    engineers: int
    seed: int
    speed: float
    hours: float
    check: bool
    forever: bool
    email: str
    password: str
    style: StyleName


async def simulate(  # the options of `callout simulate`
    base_url: str,
    engineers: int = 8,
    seed: int = 1,
    speed: float = 60,
    hours: float = 9,
    *,
    check: bool = False,
    forever: bool = False,
    email: str = "admin@riviera.example",
    password: str = "callout-demo-2026",  # noqa: S107 - the demo's, printed in its banner
    style: str = "suggested",
) -> Verdict:
    """Play a day (with `forever`, one after another until SIGTERM or SIGINT) and answer the verdict.

    Progress and problems are written to stderr. A day that can't begin is a problem too. style: a `StyleName`.
    """
    play = Play(base_url, engineers, seed, speed, hours, check, forever, email, password, StyleName(style))
    began = time.monotonic()
    with TemporaryDirectory(prefix="callout-simulator-") as folder, _until_interrupted() as stop:
        async with httpx.AsyncClient(base_url=base_url, timeout=_TIMEOUT_S) as http:
            try:
                company = await _company(play, http, Path(folder))
            except (Refused, httpx.HTTPError, NoConnection) as wrong:
                return _told(Verdict(engineers, seed, 0, problems=[f"the day can't begin at {base_url}: {wrong}"]))
            try:
                await _play(play, company, stop)
                if check and not stop.is_set():
                    await _bring_home(company)
                return await _verdict(play, company, began, stop)
            finally:
                for player in company.players:
                    await player.phone.close()


@dataclass(frozen=True)
class _Company:
    http: httpx.AsyncClient
    admin: Office
    dispatcher: Office
    world: World
    stage: Stage
    players: Sequence[Player]


async def _company(play: Play, http: httpx.AsyncClient, folder: Path) -> _Company:
    server = ServerClock(http)
    await server.measure()
    admin = Office(http, play.email, play.password)
    slug = (await admin.sign_in())["organisation"]["slug"]
    stage = Stage(play.base_url, folder, play.seed, server, DayClock(play.speed), Tally())
    domain = play.email.split("@")[1]
    _say(f"Preparing {play.engineers} engineers with vans and phones …")
    world = await prepare(admin, slug, domain, play.engineers, stage.rng("world"))
    dispatcher = Office(http, await dispatcher_account(admin, domain, play.password), play.password)
    await dispatcher.sign_in()
    players = await assemble(stage, admin, Roads(dispatcher), world.staff)
    return _Company(http, admin, dispatcher, world, stage, players)


async def _play(play: Play, company: _Company, stop: asyncio.Event) -> None:
    while True:
        await _one_day(play, company, stop)
        if stop.is_set() or not play.forever:
            return


async def _one_day(play: Play, company: _Company, stop: asyncio.Event) -> None:
    stage, players = company.stage, company.players
    now = stage.server.now()
    over = now + timedelta(hours=play.hours + _OVERTIME_HOURS)
    await give_shifts(company.admin, company.world.staff, now, over)
    stage.day.begin()
    customers = Customers(
        company.http, company.dispatcher, company.world, stage.day, stage.rng("customers"), stage.tally
    )
    crew = frozenset(player.staff.person for player in players)
    desk = Desk(company.dispatcher, crew, stage.day, stage.server.now, stage.tally)
    rng = stage.rng("dispatcher")
    style = style_of(play.style, desk, rng=rng, seed=play.seed, until=over, habits=Habits())
    dispatcher = Dispatcher(desk, style)
    meanwhile = [
        dispatcher.run(),
        _progress(company, play.hours),
        _watch_clock(stage.server),
        *(player.phone.run() for player in players),
        *(player.phone.listen() for player in players),
        *(player.phone.locate_standing() for player in players),
        *(player.phone.lose_signal(play.hours) for player in players),
    ]
    async with in_background(meanwhile) as trouble:
        acts = [customers.run(play.hours), *(player.engineer.run(play.hours * HOUR) for player in players)]
        last_whistle = (play.hours + _OVERTIME_HOURS) * HOUR / play.speed
        await until_done(acts, [asyncio.create_task(stop.wait()), trouble], last_whistle)


async def _bring_home(company: _Company) -> None:
    """Everybody has signal again: sync to quiescence, then once more to see what the others did."""
    _say("Everyone is back in town: syncing to quiescence …")
    at_once = asyncio.Semaphore(_SETTLE_AT_ONCE)

    async def one(player: Player) -> None:
        async with at_once:
            if not await player.phone.settle():
                company.stage.tally.problem(f"{player.staff.name}'s phone could not send all that it holds")

    for _ in range(2):
        await asyncio.gather(*(one(player) for player in company.players))


async def _verdict(play: Play, company: _Company, began: float, stop: asyncio.Event) -> Verdict:
    verdict = Verdict(play.engineers, play.seed, company.stage.tally.orders)
    verdict.problems += company.stage.tally.problems
    if play.check and not stop.is_set():
        _say("Comparing every phone with the server …")
        await judge(verdict, company.admin, company.players, company.stage.tally)
    verdict.seconds = round(time.monotonic() - began, 1)
    return _told(verdict)


def _told(verdict: Verdict) -> Verdict:
    for problem in verdict.problems:
        _say(f"problem: {problem}")
    return verdict


async def _progress(company: _Company, hours: float) -> None:
    tally, day = company.stage.tally, company.stage.day
    while True:
        await asyncio.sleep(_PROGRESS_EVERY_S)
        offline = sum(not player.phone.signal for player in company.players)
        waiting = sum(player.phone.device.outbox.waiting() for player in company.players)
        files = sum(len(player.phone.device.files.waiting()) for player in company.players)
        _say(
            f"{day.elapsed() / HOUR:4.1f} of {hours:g} h: {tally.orders} orders, {tally.closed} signed; "
            f"{offline} phones offline, {waiting} mutations and {files} files waiting"
        )


async def _watch_clock(server: ServerClock) -> None:
    while True:
        await asyncio.sleep(_LOOK_AT_CLOCK_EVERY_S)
        with contextlib.suppress(httpx.HTTPError):
            await server.look()


@contextlib.contextmanager
def _until_interrupted() -> Iterator[asyncio.Event]:
    """The event is set by SIGTERM or SIGINT, so that the day winds down and the phones' databases are closed."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
