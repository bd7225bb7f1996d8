"""What a measured day consists of before anybody decides anything: who works, what breaks where, and how long it takes.

Everything is drawn from the seed and its own name, so that it is the same whoever goes, and whenever.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from simulator.phone import HOUR, MINUTE
from simulator.roads import Place

SKILLS = ("lift", "boiler", "cooling", "electric", "gate", "water")
_WEIGHTS = (26, 22, 18, 16, 10, 8)
_MINUTES, _HOW_OFTEN = (30, 45, 60, 75, 90, 120), (20, 24, 24, 14, 12, 6)
_PRIORITIES, _PRESSING = ("urgent", "high", "normal"), (10, 25, 65)
_SECOND_SKILL = 0.1
_KNOWN_BEFORE = 0.7
_LAST_CALL = 0.75  # of the shift
_WINDOWED = {"urgent": 0.0, "high": 0.5, "normal": 0.35}
_NOTICE = 1.5 * HOUR  # between a call and the earliest window given to it
_SPREAD_M = (9_000.0, 6_000.0)  # east and north, one standard deviation
_TOWNS = 5
_IN_TOWN_M = 2_500.0
_DRIVES_VARY, _MOST_OFF = 0.18, 1.6
_WORK_VARIES = (0.75, 1.25)
CENTRE = Place(8.55, 47.37)


@dataclass(frozen=True)
class Shape:
    """begins: of the shifts, in seconds after the day's first minute; overtime_minutes: what nobody minds."""

    engineers: int = 20
    orders: int = 120
    begins: float = 0.5 * HOUR
    hours: float = 9.0
    overtime_minutes: int = 60
    centre: Place = CENTRE

    @property
    def ends(self) -> float:
        return self.begins + self.hours * HOUR

    @property
    def over(self) -> float:
        """When nothing is counted any more."""
        return self.ends + self.overtime_minutes * MINUTE


@dataclass(frozen=True)
class Hand:
    """An engineer."""

    number: int
    home: Place
    skills: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Call:
    """An order as it will be: `comes` and the window in seconds, `works` is how long the work really takes.

    drive_factor: how much slower than usual the road there is.
    """

    number: int
    comes: float
    place: Place
    priority: str
    minutes: int
    skills: tuple[tuple[str, int], ...]
    window: tuple[float, float] | None
    works: float
    drive_factor: float


@dataclass(frozen=True)
class Script:
    seed: int
    shape: Shape
    hands: tuple[Hand, ...]
    calls: tuple[Call, ...]


def script(seed: int, shape: Shape) -> Script:
    towns = _towns(Random(f"{seed}/towns"), shape.centre)
    hands = tuple(_hand(Random(f"{seed}/hand/{it}"), it, towns) for it in range(shape.engineers))
    calls = [_call(Random(f"{seed}/call/{it}"), it, shape, towns, hands) for it in range(shape.orders)]
    return Script(seed, shape, hands, tuple(sorted(calls, key=lambda call: (call.comes, call.number))))


def _towns(rng: Random, centre: Place) -> list[Place]:
    return [centre, *(_near(rng, centre, *_SPREAD_M) for _ in range(_TOWNS))]


def _near(rng: Random, place: Place, east_m: float, north_m: float) -> Place:
    return place.moved(rng.gauss(0, east_m), rng.gauss(0, north_m))


def _somewhere(rng: Random, towns: list[Place]) -> Place:
    return _near(rng, rng.choice(towns), _IN_TOWN_M, _IN_TOWN_M)


def _hand(rng: Random, number: int, towns: list[Place]) -> Hand:
    """Every skill is somebody's at the highest level: the first goes round, the others fall as they may."""
    first = SKILLS[number % len(SKILLS)]
    known = {first, *rng.choices(SKILLS, _WEIGHTS, k=rng.randint(1, 3))}
    return Hand(
        number,
        _somewhere(rng, towns),
        tuple((key, 5 if key == first else rng.randint(2, 5)) for key in sorted(known)),
    )


def _call(rng: Random, number: int, shape: Shape, towns: list[Place], hands: tuple[Hand, ...]) -> Call:
    known = rng.random() < _KNOWN_BEFORE
    comes = 0.0 if known else shape.begins + rng.uniform(0, _LAST_CALL) * shape.hours * HOUR
    priority = rng.choices(_PRIORITIES, _PRESSING)[0]
    minutes = rng.choices(_MINUTES, _HOW_OFTEN)[0]
    return Call(
        number=number,
        comes=comes,
        place=_somewhere(rng, towns),
        priority=priority,
        minutes=minutes,
        skills=_asked(rng, hands),
        window=_window(rng, comes, shape) if rng.random() < _WINDOWED[priority] else None,
        works=minutes * MINUTE * rng.uniform(*_WORK_VARIES),
        drive_factor=min(_MOST_OFF, max(1 / _MOST_OFF, rng.lognormvariate(0, _DRIVES_VARY))),
    )


def _asked(rng: Random, hands: tuple[Hand, ...]) -> tuple[tuple[str, int], ...]:
    """What somebody in the crew can do."""
    asked = {rng.choices(SKILLS, _WEIGHTS)[0]: rng.randint(1, 4)}
    first = dict(asked)
    if rng.random() < _SECOND_SKILL:
        asked.setdefault(rng.choices(SKILLS, _WEIGHTS)[0], rng.randint(1, 2))
    fits = [it for it in (asked, first) if any(_can(hand, it) for hand in hands)]
    # A small crew lacks some skills altogether.
    return tuple(sorted(fits[0].items())) if fits else hands[rng.randrange(len(hands))].skills[:1]


def _can(hand: Hand, asked: Mapping[str, int]) -> bool:
    known = dict(hand.skills)
    return all(known.get(key, 0) >= level for key, level in asked.items())


def _window(rng: Random, comes: float, shape: Shape) -> tuple[float, float] | None:
    """Two or three hours in whole half hours, with some notice; None when the day is too short for that."""
    length = rng.choice((2, 3)) * HOUR
    first, last = max(shape.begins, comes + _NOTICE), shape.ends - length
    if first > last:
        return None
    opens = round(rng.uniform(first, last) / (30 * MINUTE)) * 30 * MINUTE
    return opens, opens + length
