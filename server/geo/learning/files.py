"""Files of speeds: what is put in force, as the roads are weighed by it, and read back to be judged."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from server.geo.dayparts import DayPart, LearntSpeeds
from server.geo.learning.hours import PARTS
from server.geo.learning.judging import Drives, Model
from server.geo.learning.network import Numbers, Roads

_KMH = 3.6
_SLOWEST_KMH, _FASTEST_KMH = 1.0, 160.0


def write_sets(model: Model, drives: Drives, folder: Path) -> Mapping[DayPart, LearntSpeeds]:
    """Write a file for every day part, with each road of the network in it, and answer what goes with it.

    A set knows no hours: those of its part count by how many drives there were in them, and each of them once.
    """
    setting = model.learnt.setting
    began = np.bincount(drives.hour, minlength=len(setting.part)) + 1.0
    found = {}
    for number, part in enumerate(PARTS):
        within = setting.part == number
        level = float(np.average(model.learnt.of_hours[within], weights=began[within]))
        speeds = folder / f"{part}.csv"
        _write(setting.roads, setting.roads.seconds * np.exp(level + model.learnt.pattern(number)), speeds)
        found[part] = LearntSpeeds(
            speeds,
            factor=round(float(np.exp(model.levelled.factor[number])), 4),
            p90_over_median=round(float(np.exp(model.levelled.spread[number])), 4),
            trips=int((setting.part[drives.hour] == number).sum()),
        )
    return found


def median_of_sets(roads: Roads, sets: Mapping[DayPart, LearntSpeeds], drives: Drives, part: np.ndarray) -> Numbers:
    """Seconds that the sets say of each drive's fastest way on empty roads; NaN where its day part has none.

    part: of each drive, by its place in PARTS.
    """
    found = np.full(len(drives), np.nan)
    for number, name in enumerate(PARTS):
        if name in sets:
            seconds = read_seconds(roads, sets[name].speeds)
            took = drives.ways.free_flow * seconds[drives.ways.road] / roads.seconds[drives.ways.road]
            said = (np.bincount(drives.ways.drive, took, len(drives)) + drives.turns) * sets[name].factor
            found = np.where(part == number, said, found)
    return found


def read_seconds(roads: Roads, speeds: Path) -> Numbers:
    """Seconds of every stretch as a file of speeds has them; free flow for those that it doesn't name."""
    from_node, to_node, kmh = np.loadtxt(speeds, delimiter=",", ndmin=2, dtype=np.float64).reshape(-1, 3).T
    rows = roads.find(from_node.astype(np.int64), to_node.astype(np.int64))
    named = (rows >= 0) & (kmh > 0)
    found = roads.seconds.copy()
    found[rows[named]] = _KMH * roads.metres[rows[named]] / kmh[named]
    return found


def _write(roads: Roads, seconds: Numbers, file: Path) -> None:
    kmh = np.clip(_KMH * roads.metres / seconds, _SLOWEST_KMH, _FASTEST_KMH)
    rows = zip(roads.from_node.tolist(), roads.to_node.tolist(), kmh.tolist(), strict=True)
    file.write_text("".join(map("%d,%d,%.2f\n".__mod__, rows)), encoding="ascii")
