"""The same day, dispatched in one style or another, played over HTTP without waiting, and what it came to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx

from simulator.dispatcher import Desk, Dispatcher
from simulator.measured.account import Account, Outcome, account
from simulator.measured.company import Company, found
from simulator.measured.engineer import FieldEngineer
from simulator.measured.script import Call, Script
from simulator.measured.stepped import SteppedClock
from simulator.office import Office
from simulator.phone import HOUR, MINUTE
from simulator.roads import Roads
from simulator.styles import StyleName, style_of
from simulator.suggested import Habits
from simulator.tally import Tally

_TIMEOUT_S = 120.0
_OFFICE_OPENS = 10 * MINUTE
_WAY_HOME = 2 * HOUR
_STEADY = Habits(overrides=0, second_thoughts=0)


@dataclass(frozen=True)
class Login:
    """Of an administrator of an organisation in which nothing is yet."""

    email: str
    password: str


@dataclass(frozen=True)
class Stage:
    """Where a day is played. `told` makes the server's clock stand at a moment; `folder` keeps the phones' databases.

    policy: of planning, where it is not to be the default.
    """

    base_url: str
    login: Login
    start: datetime
    told: Callable[[datetime], None]
    folder: Path
    policy: Mapping[str, int]


@dataclass(frozen=True)
class Played:
    account: Account
    outcomes: Sequence[Outcome]
    plans: Sequence[dict[str, Any]]
    problems: Sequence[str]


async def play(stage: Stage, it: Script, style: StyleName) -> Played:
    tally, clock = Tally(), SteppedClock(stage.start, stage.told)
    async with httpx.AsyncClient(base_url=stage.base_url, timeout=_TIMEOUT_S) as http:
        office = Office(http, stage.login.email, stage.login.password)
        await office.sign_in()
        await _set_policy(office, stage.policy)
        company = await found(office, http, clock, it, stage.login.email.split("@")[1], stage.folder)
        book: dict[str, Call] = {}
        roads = Roads(office)
        engineers = [FieldEngineer(one, roads, clock, it.shape, book) for one in company.crew]
        desk = Desk(office, frozenset(one.person for one in company.crew), clock, clock.now, tally)
        rng = Random(f"{it.seed}/dispatcher")
        how = style_of(style, desk, rng=rng, seed=it.seed, until=clock.at(it.shape.over), habits=_STEADY)
        acts = [_calls(office, clock, it, company, book), _dispatch(clock, Dispatcher(desk, how))]
        try:
            await clock.play([*acts, *(engineer.run() for engineer in engineers)], it.shape.over + _WAY_HOME)
            outcomes = await _outcomes(office, clock, book)
        finally:
            for member in company.crew:
                member.device.close()
    trips = [trip for engineer in engineers for trip in engineer.trips]
    works = [worked for engineer in engineers for worked in engineer.works]
    return Played(account(outcomes, trips, works, it.shape), outcomes, tally.plans, tally.problems)


async def _set_policy(office: Office, wanted: Mapping[str, int]) -> None:
    if wanted:
        known = await office.get("/planning-policy")
        version = known.pop("version")
        await office.put("/planning-policy", {"expected_version": version, **known, **wanted})


async def _dispatch(clock: SteppedClock, dispatcher: Dispatcher) -> None:
    """The office opens when what came over night has been taken down."""
    await clock.until(_OFFICE_OPENS)
    await dispatcher.run()


async def _calls(office: Office, clock: SteppedClock, it: Script, company: Company, book: dict[str, Call]) -> None:
    """Open every order when it comes."""
    for call in it.calls:
        await clock.until(call.comes)
        opened: dict[str, Any] = {
            "site_id": company.sites[call.number],
            "title": f"Job {call.number + 1:03}",
            "problem_type": call.skills[0][0],
            "description": "It does not work any more.",
            "priority": call.priority,
            "duration_minutes": call.minutes,
            "skills": [{"key": key, "level": level} for key, level in call.skills],
        }
        if call.window:
            opens, closes = call.window
            opened |= {"window_start": clock.at(opens).isoformat(), "window_end": clock.at(closes).isoformat()}
        book[(await office.post("/work-orders", opened))["id"]] = call


async def _outcomes(office: Office, clock: SteppedClock, book: dict[str, Call]) -> list[Outcome]:
    """Ask for every order and its history."""
    found = []
    for order_id, call in book.items():
        order = await office.get(f"/work-orders/{order_id}")
        history = (await office.get(f"/work-orders/{order_id}/timeline"))["items"]
        began = [_seconds(clock, entry["at"]) for entry in history if entry["action"] == "start"]
        ended = [_seconds(clock, entry["at"]) for entry in history if entry["action"] == "resolve"]
        promised = _seconds(clock, order["respond_by"])
        found.append(Outcome(call, promised, min(began, default=None), min(ended, default=None)))
    return found


def _seconds(clock: SteppedClock, instant: str) -> float:
    return (datetime.fromisoformat(instant) - clock.at(0)).total_seconds()
