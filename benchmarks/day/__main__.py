"""What planning is worth: `./do bench day`. The same days, planned, and by the nearest free engineer.

Each day is played over HTTP against an API and a worker of its own clock, which stands still while something happens:
figures do not depend on how busy the machine is. The same seed gives the same customers, engineers, work and traffic.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.day.world import World, world
from callout import cluster
from simulator.measured.account import Account
from simulator.measured.day import Played, Stage, play
from simulator.measured.script import CENTRE, Script, Shape, script
from simulator.roads import Place
from simulator.styles import StyleName

_MONDAY = 0
_MORNING = 5  # UTC
_ORDERS_PER_ENGINEER = 6
_COLUMNS = (
    "done",
    "kept_pct",
    "travel_minutes_per_job",
    "travel_km",
    "late_mean_minutes",
    "late_p90_minutes",
    "overtime_minutes",
    "idle_pct",
    "wait_mean_minutes",
)

type Days = Mapping[StyleName, Sequence[Account]]


def main() -> None:
    given = _given()
    seeds = [given.seed + number for number in range(given.seeds)]
    shape = Shape(given.engineers, given.orders or given.engineers * _ORDERS_PER_ENGINEER, centre=_centre(given))
    try:
        with world(given.regions) as it:
            days = _days(it, shape, seeds, [StyleName(name) for name in given.styles], _policy(given))
    finally:
        cluster.stop("demo", if_unused=True)
    print(json.dumps(_figures(days, shape, seeds)))


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--engineers", type=int, default=None, help="20 if left out; 30 at most, phones enrol one by one"
    )
    parser.add_argument("--orders", type=int, default=None, help=f"{_ORDERS_PER_ENGINEER} an engineer if left out")
    parser.add_argument("--seed", type=int, default=1, help="the first one")
    parser.add_argument("--seeds", type=int, default=None, help="so many days, 3 if left out")
    parser.add_argument("--styles", nargs="+", choices=list(StyleName), default=["suggested", "nearest", "planned"])
    parser.add_argument("--regions", type=Path, help="a folder of prepared regions; drives are estimates without")
    parser.add_argument("--centre", help="lon,lat of the town, for a region")
    parser.add_argument("--policy", nargs="*", default=[], metavar="NAME=NUMBER", help="of planning, else the default")
    parser.add_argument("--quick", action="store_true", help="one day of six engineers, nearest and planned alone")
    given = parser.parse_args()
    given.engineers = given.engineers or (6 if given.quick else 20)
    given.seeds = given.seeds or (1 if given.quick else 3)
    if given.quick:
        given.styles = ["nearest", "planned"]
    return given


def _centre(given: argparse.Namespace) -> Place:
    if not given.centre:
        return CENTRE
    lon, lat = (float(part) for part in given.centre.split(","))
    return Place(lon, lat)


def _policy(given: argparse.Namespace) -> dict[str, int]:
    pairs = [pair.partition("=") for pair in given.policy]
    return {name: int(value) for name, _, value in pairs}


def _days(
    it: World, shape: Shape, seeds: Sequence[int], styles: Sequence[StyleName], policy: Mapping[str, int]
) -> Days:
    days: dict[StyleName, list[Account]] = {style: [] for style in styles}
    print("seed style     " + " ".join(f"{name[:12]:>12}" for name in _COLUMNS), flush=True)
    week = 0
    for seed in seeds:
        for style in styles:
            began = time.monotonic()
            played = _played(it, script(seed, shape), style, week, policy)
            week += 1
            days[style].append(played.account)
            _tell(seed, style, played, time.monotonic() - began)
    return days


def _played(it: World, day: Script, style: StyleName, week: int, policy: Mapping[str, int]) -> Played:
    """Every day is a Monday, each in a week of its own: time never runs backwards."""
    start = _monday() + timedelta(weeks=week)
    it.clock.move(start)
    login = it.organisation(f"day-{day.seed}-{style}")
    with TemporaryDirectory(prefix="callout-day-") as folder:
        stage = Stage(it.url, login, start, it.clock.move, Path(folder), policy)
        return asyncio.run(play(stage, day, style))


def _monday() -> datetime:
    """The next one: enrolment codes end by real time."""
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    ahead = (_MONDAY - tomorrow.weekday()) % 7
    return datetime.combine(tomorrow + timedelta(days=ahead), datetime.min.time(), UTC) + timedelta(hours=_MORNING)


def _tell(seed: int, style: StyleName, played: Played, seconds: float) -> None:
    figures = played.account.as_figures()
    row = " ".join(f"{figures[name]:>12,.1f}" for name in _COLUMNS)
    print(f"{seed:4} {style:9} {row}   {len(played.plans)} plans, {seconds:.0f} s", flush=True)
    for problem in played.problems:
        print(f"     problem: {problem}", flush=True)


def _figures(days: Days, shape: Shape, seeds: Sequence[int]) -> dict[str, Any]:
    figures: dict[str, Any] = {"seeds": list(seeds), "engineers": shape.engineers, "orders": shape.orders}
    for style, accounts in days.items():
        each = [it.as_figures() for it in accounts]
        figures |= {f"day_{style}_{name}": round(statistics.fmean(it[name] for it in each), 2) for name in each[0]}
        figures[f"day_{style}_each"] = each
    planned, nearest = days.get(StyleName.PLANNED), days.get(StyleName.NEAREST)
    if planned and nearest:
        figures |= {
            "day_travel_per_job_ratio": _ratio(planned, nearest, "travel_minutes_per_job"),
            "day_sla_kept_planned_pct": figures["day_planned_kept_pct"],
            "day_sla_kept_nearest_pct": figures["day_nearest_kept_pct"],
            "day_jobs_done_ratio": _ratio(planned, nearest, "done"),
            "day_lateness_ratio": _ratio(planned, nearest, "late_mean_minutes"),
        }
    return figures


def _ratio(one: Sequence[Account], other: Sequence[Account], name: str) -> float | None:
    """Of the sums over all days; None where there is nothing to compare with."""
    above, below = (sum(it.as_figures()[name] for it in accounts) for accounts in (one, other))
    return round(above / below, 3) if below else None


if __name__ == "__main__":
    main()
