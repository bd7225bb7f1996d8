"""Real drives with a stay at their end and simulated noise: how often a fence says somebody left who did not.

A day is one trip of the Porto taxis to a site, an hour there, and the same way back. People don't work at the point
the office put on the map: the place where they stand lies anywhere within the fence, and they walk about it. Noise is
what a receiver shows: Gaussian on both axes, most of it carried on from fix to fix, one fix in fifty four times as far
off; the stated accuracy is the usual 68 % radius, itself wrong by up to a third. The naive rule is the one everybody
writes first: inside is nearer than the radius.
"""

import csv
import json
import math
import random
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from server.geo.domain import Point, haversine
from server.geo.fences import Crossing, Machine, Sight

SIGMAS_M = (5, 10, 20)
HEADLINE_M = 10
RADII_M = (100, 200, 500)
EVERY_S = 15
STAY_S = 3_600
_MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)
_METRES_PER_DEGREE = 111_195.0
_CARRIED = 0.8  # of the noise from one fix to the next
_SHORTEST_M = 1_500  # a trip that hardly leaves the fence tells nothing of arriving


@dataclass(frozen=True)
class Day:
    """Where somebody truly was, in metres east and north of the site, each 15 s; inside from `entered_s` on."""

    radius_m: int
    true: tuple[tuple[float, float], ...]
    stay: range  # steps on site
    entered_s: float


@dataclass(frozen=True)
class Told:
    false_exits: int
    delay_s: float | None  # none: the arrival was missed


def figures(data: Path, quick: bool) -> dict[str, float]:  # noqa: FBT001
    days = list(_days(_trips(data), random.Random(1)))
    if quick:
        days = days[::10]
    hours = len(days) * STAY_S / 3600
    print(f"{len(days)} drives, {hours:.0f} h on site, a fix each {EVERY_S} s, radius {RADII_M} m by turns")
    print(f"{'sigma':>6} {'rule':8} {'false exits / 100 h':>20} {'entry delay p50':>16} {'p90':>8} {'missed':>7}")
    found: dict[str, float] = {}
    for sigma in SIGMAS_M:
        noisy = [_with_noise(day, sigma, random.Random(f"{sigma}:{number}")) for number, day in enumerate(days)]
        for rule, watch in (("naive", _naive), ("ours", _ours)):
            told = [watch(day, sights) for day, sights in zip(days, noisy, strict=True)]
            exits = 100 * sum(it.false_exits for it in told) / hours
            delays = [it.delay_s for it in told if it.delay_s is not None]
            p50, p90 = statistics.median(delays), statistics.quantiles(delays, n=10)[-1]
            print(
                f"{sigma:>4} m {rule:8} {exits:>20,.1f} {p50:>14.1f} s {p90:>6.1f} s {len(told) - len(delays):>7}",
                flush=True,
            )
            found[f"false_exits_per_100h_{rule}_{sigma}m"] = exits
            if rule == "ours":
                found[f"entry_delay_p50_s_{sigma}m"] = p50
    for name in ("false_exits_per_100h_naive", "false_exits_per_100h_ours", "entry_delay_p50_s"):
        found[name] = found[f"{name}_{HEADLINE_M}m"]
    return found


def _trips(data: Path) -> Iterator[list[Point]]:
    with (data / "gps" / "porto_taxi_pkdd15_test.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            yield [Point(lon, lat) for lon, lat in json.loads(row["POLYLINE"])]


def _days(trips: Iterator[list[Point]], chance: random.Random) -> Iterator[Day]:
    for number, trip in enumerate(trips):
        if len(trip) < 2 or haversine(trip[0], trip[-1]) < _SHORTEST_M:  # noqa: PLR2004 - a line has two ends
            continue
        radius = RADII_M[number % len(RADII_M)]
        way = _around_site(trip, radius, chance)
        drive = [_metres(place, way[0]) for place in way[1]]
        stand = _walking(drive[-1], chance, STAY_S // EVERY_S, radius)
        entered = _entered_s(drive, radius)
        if entered is None:
            continue
        yield Day(
            radius,
            (*drive, *stand, *reversed(drive)),
            range(len(drive), len(drive) + len(stand)),
            entered,
        )


def _around_site(trip: list[Point], radius: int, chance: random.Random) -> tuple[Point, list[Point]]:
    """Put the site where the trip's end is within its fence, anywhere with equal chance by area."""
    away, bearing = radius * math.sqrt(chance.random()), chance.uniform(0, 2 * math.pi)
    end = trip[-1]
    lat = end.lat + away * math.cos(bearing) / _METRES_PER_DEGREE
    lon = end.lon + away * math.sin(bearing) / (_METRES_PER_DEGREE * math.cos(math.radians(end.lat)))
    return Point(lon, lat), trip


def _metres(place: Point, site: Point) -> tuple[float, float]:
    east = (place.lon - site.lon) * _METRES_PER_DEGREE * math.cos(math.radians(site.lat))
    return east, (place.lat - site.lat) * _METRES_PER_DEGREE


def _walking(start: tuple[float, float], chance: random.Random, steps: int, radius: int) -> list[tuple[float, float]]:
    """Walk about within twenty metres of where one parked, never out of the fence."""
    places, (east, north) = [], start
    for _ in range(steps):
        to = (east + chance.uniform(-4, 4), north + chance.uniform(-4, 4))
        if math.hypot(to[0] - start[0], to[1] - start[1]) <= 20 and math.hypot(*to) <= radius:  # noqa: PLR2004
            east, north = to
        places.append((east, north))
    return places


def _entered_s(drive: Sequence[tuple[float, float]], radius: int) -> float | None:
    """When the way was inside for good, between two fixes by proportion."""
    away = [math.hypot(*place) for place in drive]
    last_outside = max((step for step, metres in enumerate(away) if metres > radius), default=None)
    if last_outside is None or last_outside + 1 == len(away):
        return None
    before, after = away[last_outside], away[last_outside + 1]
    return EVERY_S * (last_outside + (before - radius) / (before - after))


def _with_noise(day: Day, sigma: float, chance: random.Random) -> list[Sight]:
    east = north = 0.0
    fresh = math.sqrt(1 - _CARRIED**2)
    sights = []
    for step, (true_east, true_north) in enumerate(day.true):
        east = _CARRIED * east + fresh * chance.gauss(0, sigma)
        north = _CARRIED * north + fresh * chance.gauss(0, sigma)
        off = 4 if chance.random() < 0.02 else 1  # noqa: PLR2004
        away = math.hypot(true_east + off * east, true_north + off * north)
        accuracy = math.ceil(1.51 * sigma * chance.uniform(0.67, 1.33))
        sights.append(Sight(_MIDNIGHT + timedelta(seconds=EVERY_S * step), away - day.radius_m, accuracy))
    return sights


def _naive(day: Day, sights: Sequence[Sight]) -> Told:
    inside, crossings = False, []
    for step, sight in enumerate(sights):
        if (sight.edge_m <= 0) is not inside:
            inside = not inside
            crossings.append((Crossing.ENTERED if inside else Crossing.LEFT, step))
    return _told(day, crossings)


def _ours(day: Day, sights: Sequence[Sight]) -> Told:
    machine, crossings = Machine(day.radius_m), []
    for step, sight in enumerate(sights):
        machine, crossing = machine.feed(sight)
        if crossing is not None:
            crossings.append((crossing, step))
    return _told(day, crossings)


def _told(day: Day, crossings: Sequence[tuple[Crossing, int]]) -> Told:
    exits = sum(kind is Crossing.LEFT and step in day.stay for kind, step in crossings)
    arrived = [step * EVERY_S for kind, step in crossings if kind is Crossing.ENTERED and step < day.stay.stop]
    delays = [at - day.entered_s for at in arrived if at >= day.entered_s - EVERY_S]
    return Told(exits, max(0.0, delays[0]) if delays else None)
