"""Build the road data of a region with OSRM, and refuse it when its answers can't be true."""

import filecmp
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from server.geo.domain import Point
from server.geo.errors import NoRoads, RoadsImplausible
from server.geo.osrm import CAR_PROFILE, RoadEngine
from server.geo.tools import run_module

_PLAUSIBLE_KMH = (5, 130)
_ENDS_OF_A_DRIVE = 2
_UNREACHABLE_AT_MOST = 0.10  # extracts cut at a border have stumps of road
_QUIET = ("--verbosity", "ERROR")


@dataclass(frozen=True, slots=True)
class SmokeCheck:
    """What drives between random places on the new roads look like."""

    drives: int
    mean_kmh: float
    unreachable: float  # share, 0 to 1


def build_roads(extract: Path, base: Path, places: Sequence[Point], report: Callable[[str], None]) -> SmokeCheck:
    """Write OSRM's MLD files beside `base` (in an empty folder), then drive between the given places on roads.

    Raises NoRoads, RoadsImplausible and ToolFailed.
    """
    if len(places) < _ENDS_OF_A_DRIVE:
        raise NoRoads(path=extract)
    stem = base.with_suffix("")
    report("Roads: reading the network")
    run_module("osrm", "extract", *_QUIET, "--profile", CAR_PROFILE, "--output", stem, extract)
    report("Roads: partitioning")
    run_module("osrm", "partition", *_QUIET, stem)
    report("Roads: weighing")
    run_module("osrm", "customize", *_QUIET, stem)
    report("Roads: trying random drives")
    return check_roads(base, places, extract)


def customise_roads(base: Path, target: Path, speeds: Path, places: Sequence[Point]) -> SmokeCheck:
    """Write the road data of `base` beside `target` (a folder to be made), weighed by learnt speeds, and drive on it.

    Raises RoadsImplausible and ToolFailed.
    """
    target.parent.mkdir()
    for file in base.parent.iterdir():
        shutil.copyfile(file, target.parent / file.name)
    run_module("osrm", "customize", *_QUIET, "--segment-speed-file", speeds, target.with_suffix(""))
    # Only now: the tool writes into files where they lie, and those of `base` must never change.
    for file in base.parent.iterdir():
        if filecmp.cmp(file, target.parent / file.name, shallow=False):
            (target.parent / file.name).unlink()
            os.link(file, target.parent / file.name)
    return check_roads(target, places, speeds)


def check_roads(base: Path, places: Sequence[Point], extract: Path) -> SmokeCheck:
    """Raises RoadsImplausible.

    Files of two builds in one folder load without complaint and answer with speeds of thousands of km/h; only driving
    shows it.
    """
    drives = RoadEngine(base).table(places, places)
    elsewhere = ~np.eye(len(places), dtype=np.bool_)
    reached = np.isfinite(drives.seconds) & (drives.seconds > 0)
    unreachable = 1 - float(np.isfinite(drives.seconds[elsewhere]).mean())
    mean_kmh = 3.6 * float(drives.metres[reached].sum()) / float(drives.seconds[reached].sum() or 1)
    if not (_PLAUSIBLE_KMH[0] <= mean_kmh <= _PLAUSIBLE_KMH[1]) or unreachable > _UNREACHABLE_AT_MOST:
        raise RoadsImplausible(
            path=extract, mean_kmh=round(mean_kmh, 1), unreachable_percent=round(100 * unreachable, 1)
        )
    return SmokeCheck(drives=int(elsewhere.sum()), mean_kmh=round(mean_kmh, 1), unreachable=round(unreachable, 4))
