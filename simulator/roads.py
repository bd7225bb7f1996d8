"""Driving: real roads from the server's route service, and what a phone's GPS makes of the way."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from random import Random
from typing import Any

import httpx

from simulator.office import Office, Refused

_EARTH_M = 6_371_000.0
_STRAIGHT_MPS = 7.0  # town speed along the straight line, detours included
_NOISE_M = (5.0, 20.0)
_OUTLIER = 0.01


@dataclass(frozen=True)
class Place:
    """WGS-84 degrees."""

    lon: float
    lat: float

    def as_json(self) -> dict[str, float]:
        return {"lon": round(self.lon, 7), "lat": round(self.lat, 7)}

    def moved(self, east_m: float, north_m: float) -> "Place":
        lat = self.lat + math.degrees(north_m / _EARTH_M)
        return Place(self.lon + math.degrees(east_m / (_EARTH_M * math.cos(math.radians(self.lat)))), lat)


def metres_between(one: Place, other: Place) -> float:
    east, north = _offset(one, other)
    return math.hypot(east, north)


def _offset(start: Place, end: Place) -> tuple[float, float]:
    """East and north metres, good for the distances of a town."""
    east = math.radians(end.lon - start.lon) * _EARTH_M * math.cos(math.radians(start.lat))
    return east, math.radians(end.lat - start.lat) * _EARTH_M


@dataclass(frozen=True)
class Drive:
    """A way along a line of two or more places, at even speed. `seconds` is simulated time."""

    seconds: float
    line: tuple[Place, ...]

    @property
    def metres(self) -> float:
        return sum(metres_between(one, other) for one, other in pairwise(self.line))

    def at(self, elapsed: float) -> "Moving":
        """Where the van is after so many seconds."""
        left = self.metres * min(1.0, elapsed / self.seconds)
        speed = self.metres / self.seconds * 3.6
        for start, end in pairwise(self.line):
            leg = metres_between(start, end)
            if leg and left <= leg:
                east, north = _offset(start, end)
                there = start.moved(east * left / leg, north * left / leg)
                return Moving(there, math.degrees(math.atan2(east, north)) % 360, speed)
            left -= leg
        return Moving(self.line[-1], 0.0, 0.0)


@dataclass(frozen=True)
class Moving:
    place: Place
    heading: float
    speed_kmh: float


class Roads:
    """The navigation app: asks the server's road engine, goes by the straight line when that can't be had."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def drive(self, start: Place, end: Place) -> Drive:
        places = {"from": f"{start.lon:.6f},{start.lat:.6f}", "to": f"{end.lon:.6f},{end.lat:.6f}"}
        try:
            route = await self._office.get("/geo/route", **places)
        except (Refused, httpx.TransportError):
            return straight(start, end)
        line = tuple(Place(lon, lat) for lon, lat in route["line"]["coordinates"])
        return Drive(max(1.0, float(route["seconds"])), (start, *line, end))


def straight(start: Place, end: Place) -> Drive:
    return Drive(max(1.0, metres_between(start, end) / _STRAIGHT_MPS), (start, end))


def gps_fix(moving: Moving, at: datetime, rng: Random) -> Mapping[str, Any]:
    """What the phone believes: metres of noise, now and then a reflection that is far off and says so."""
    noise = rng.uniform(*_NOISE_M) * (rng.uniform(8, 20) if rng.random() < _OUTLIER else 1)
    seen = moving.place.moved(rng.gauss(0, noise / 2), rng.gauss(0, noise / 2))
    return {
        "at": at.isoformat(),
        **seen.as_json(),
        "accuracy_m": round(noise, 1),
        "heading": round(moving.heading % 360, 1) % 360,
        "speed_kmh": round(max(0.0, moving.speed_kmh + rng.gauss(0, 2)), 1),
    }


def moments(start: float, end: float, every: float) -> Iterator[float]:
    """Multiples of `every` within (start, end]."""
    number = math.floor(start / every) + 1
    while number * every <= end:
        yield number * every
        number += 1
