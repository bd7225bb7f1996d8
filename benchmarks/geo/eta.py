"""How near predicted drives come to real ones on the Porto drives: free flow, the usual factors, and what was learnt.

The drives are parts of taxi trips before five moments (a Thursday 18:00, a Tuesday 08:30, a Monday 17:45, a Saturday
04:00, a Sunday 14:30, UTC), so there are five hours of the week and nothing else. Two splits by time:

- later: the first three stretches teach, the last two judge. Nothing of the day part that judges was ever seen.
- each: every stretch is judged by what the other four teach. Two of them share an afternoon, on other days.

And one that is not by time: a fifth of the drives is judged by what all others teach, with those of the same hour among
them, as near as these data come to weeks of the same drives.

The usual factors were drawn through two of these very stretches (decision 9), so they are flattered in all three.
Every prediction is what a customised set of roads answers from end to end, its own choice of way included.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from server.geo.congestion import P90_OVER_MEDIAN
from server.geo.domain import Point
from server.geo.learning.accuracy import accuracy
from server.geo.learning.engine import EmptyRoads
from server.geo.learning.files import write_sets
from server.geo.learning.hours import PARTS
from server.geo.learning.judging import Drives, setting_of, train
from server.geo.learning.material import Driven, drives_from
from server.geo.learning.network import Flags, Roads
from server.geo.learning.speeds import Setting
from server.geo.learning.trips import trips_of
from server.geo.matching import Fix
from server.geo.osrm import RoadEngine
from server.geo.preparing import prepare_region
from server.geo.region import Region
from server.geo.roads import customise_roads

TRIPS, EXTRACT = "gps/porto_taxi_pkdd15_test.csv", "osm/porto_portugal.osm.pbf"
ROOT = Path(__file__).parents[2]
_EVERY_S, _ACCURACY_M = 15, 8.0
_TEACHING = 3  # stretches, in the split by time
_FIFTHS = 5

type Split = Sequence[tuple[Flags, Flags]]  # which drives teach, which judge


@dataclass(frozen=True, slots=True, eq=False)
class Town:
    region: Region
    setting: Setting
    driven: Sequence[Driven]  # in the order of `drives`
    ends: Sequence[Point]
    drives: Drives


def figures(data: Path, quick: bool) -> Mapping[str, float]:  # noqa: FBT001 - as every part of the benchmark
    """Answer mean errors in per cent, and how many drives in a hundred stayed within the p90."""
    town = _town(data)
    print(f"{len(town.drives)} drives, {int(town.drives.judges.sum())} of them direct\n")
    print(f"{'split':8} {'by':12} {'drives':>6} {'mape %':>8} {'bias %':>8} {'in p50 %':>9} {'in p90 %':>9}")
    later = _told("later", town, _later(town.drives))
    found = {
        "eta_mape_freeflow_pct": later["free flow"],
        "eta_mape_present_factors_pct": later["usual"],
        "eta_mape_learned_pct": later["learnt"],
        "p90_coverage_pct": later["p90"],
    }
    if not quick:
        for name, split in {"each": _each(town.drives), "fifths": _fifths(town.drives)}.items():
            said = _told(name, town, split)
            found |= {
                f"eta_mape_present_factors_{name}_pct": said["usual"],
                f"eta_mape_learned_{name}_pct": said["learnt"],
                f"p90_coverage_{name}_pct": said["p90"],
            }
    return found


# --- the drives -------------------------------------------------------------------------------------------------------


def _town(data: Path) -> Town:
    region = prepare_region(data / EXTRACT, ROOT / ".state" / "bench" / "regions", "porto", lambda _: None)
    roads = EmptyRoads(region.osrm_base)
    found: list[tuple[Driven, Point]] = []
    for trip in (trip for track in _tracks(data / TRIPS) for trip in trips_of(track)):
        origin, to = Point(trip[0].lon, trip[0].lat), Point(trip[-1].lon, trip[-1].lat)
        way, fastest = roads.driven(trip), roads.fastest(origin, to)
        if way is not None and fastest is not None:
            began = datetime.fromtimestamp(trip[0].at, UTC)
            found.append((Driven(began, trip[-1].at - trip[0].at, origin, way, fastest), to))
    found.sort(key=lambda it: (it[0].began, it[0].origin, it[0].seconds))
    network = Roads.read(region.osrm_base)
    driven = [it for it, _ in found]
    return Town(region, setting_of(network), driven, [to for _, to in found], drives_from(network, driven))


def _tracks(file: Path) -> Iterator[list[Fix]]:
    with file.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            began = int(row["TIMESTAMP"])
            places = json.loads(row["POLYLINE"])
            yield [Fix(lon, lat, began + _EVERY_S * n, _ACCURACY_M) for n, (lon, lat) in enumerate(places)]


# --- splits -----------------------------------------------------------------------------------------------------------


def _later(drives: Drives) -> Split:
    last = np.unique(drives.day)[_TEACHING - 1]
    return [(drives.day <= last, (drives.day > last) & drives.judges)]


def _each(drives: Drives) -> Split:
    return [(drives.day != day, (drives.day == day) & drives.judges) for day in np.unique(drives.day)]


def _fifths(drives: Drives) -> Split:
    fifth = np.arange(len(drives)) % _FIFTHS
    return [(fifth != number, (fifth == number) & drives.judges) for number in range(_FIFTHS)]


# --- telling ----------------------------------------------------------------------------------------------------------


def _told(name: str, town: Town, split: Split) -> dict[str, float]:
    judging = np.any([judges for _, judges in split], axis=0)
    median, p90 = np.full(len(judging), np.nan), np.full(len(judging), np.nan)
    for teaches, judges in split:
        for row, said, late in _predicted(town, teaches, judges):
            median[row], p90[row] = said, late
    free_flow = town.drives.free_flow
    usual = free_flow * np.exp(town.setting.usual[town.drives.hour])
    answers = {"free flow": (free_flow, free_flow), "usual": (usual, usual * P90_OVER_MEDIAN), "learnt": (median, p90)}
    found: dict[str, float] = {}
    for by, (seconds, slow) in answers.items():
        it = asdict(accuracy(town.drives.seconds[judging], seconds[judging], slow[judging]))
        found[by], found["p90"] = it["mape"], it["within_p90"]
        print(f"{name:8} {by:12} {it['drives']:>6} " + _row(list(it.values())[1:]), flush=True)
    return found


def _row(values: Iterable[float]) -> str:
    return " ".join(f"{value:>{width}.1f}" for value, width in zip(values, (8, 8, 9, 9), strict=True))


def _predicted(town: Town, teaches: Flags, judges: Flags) -> Iterator[tuple[int, float, float]]:
    """Each judging drive's row, median and p90, as the sets of roads that were taught answer them."""
    part = town.setting.part[town.drives.hour]
    with TemporaryDirectory(prefix="eta-") as folder:
        model = train(town.setting, town.drives, teaches)
        sets = write_sets(model, _only(town, teaches), Path(folder))
        for number in np.unique(part[judges]):
            learnt = sets[PARTS[number]]
            target = Path(folder) / PARTS[number] / "roads.osrm"
            customise_roads(town.region.osrm_base, target, learnt.speeds, town.region.places)
            engine = RoadEngine(target)
            for row in np.flatnonzero(judges & (part == number)).tolist():
                drive = engine.drive(town.driven[row].origin, town.ends[row])
                assert drive is not None, "there was a way on empty roads"
                said = drive[0] * learnt.factor
                yield row, said, said * learnt.p90_over_median


def _only(town: Town, chosen: Flags) -> Drives:
    return drives_from(town.setting.roads, [it for it, wanted in zip(town.driven, chosen, strict=True) if wanted])
