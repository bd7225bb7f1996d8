"""How long stretches of road take, learnt from drives. Pure.

Times are multiples of each other, so everything is estimated on logarithms: of the time a drive spent over free flow.
What is looked for is a sum of parts, from what all roads share to what one road has of its own; each part is a median
of what is left over by those before it, shrunk towards none by how little there is to tell:

    the usual factor of the hour + hour + kind of road + kind and day part + district + district and day part
        + stretch + stretch and day part

So a road nobody has driven goes by its neighbours, a district nobody has driven by roads of its kind, an hour nobody
has driven in by the usual factor, and without any drive everything is as it was.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from server.geo.learning.network import Flags, Numbers, Roads, Rows

type Keys = NDArray[np.int64]

HOURS = 48  # the sun's, of workdays and then of weekends
WEEKEND = 24  # the first of those
KINDS_KMH = (22.0, 35.0, 48.0, 65.0, 85.0)  # free-flow speeds that part one kind of road from the next
DISTRICT_M = 1_000.0

_METRES_A_DEGREE = 111_195.0
_HEARD_S = 20.0  # of free flow on a group of roads: less of a drive tells less about it
_LOUDEST_S = 120.0  # of free flow: a drive along a whole motorway is still one opinion
_FARTHEST = float(np.log(20.0))  # a stretch that took twenty times as long is a queue, a pause or a wrong match


@dataclass(frozen=True, slots=True, eq=False)
class Passes:
    """What drives did: a row each drive and stretch.

    drive: its number, from 0; hour: when the drive began, 0 to 47; road: row in Roads; seconds: what it took, turns
    and crossings apart; free_flow: seconds the same way takes on an empty road.
    """

    drive: Rows
    hour: Rows
    road: Rows
    seconds: Numbers
    free_flow: Numbers

    def __len__(self) -> int:
        return len(self.drive)

    def of(self, chosen: Flags) -> Self:
        """Only the drives chosen; a flag each drive."""
        kept = chosen[self.drive]
        return type(self)(self.drive[kept], self.hour[kept], self.road[kept], self.seconds[kept], self.free_flow[kept])


@dataclass(frozen=True, slots=True)
class Level:
    """A part of the sum. keys: which group a road at an hour belongs to; doubt: drives that say "no different"."""

    name: str
    keys: Callable[["Setting", Rows, Rows], Keys]
    doubt: float


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """What groups are made of: the roads, and the usual logarithm and the day part of every hour."""

    roads: Roads
    usual: Numbers
    part: Rows
    kind: Rows = field(init=False)
    district: Keys = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", kinds(self.roads))
        object.__setattr__(self, "district", districts(self.roads))


def kinds(roads: Roads) -> Rows:
    """The kind of each road, by how fast it is when it is empty."""
    return np.searchsorted(KINDS_KMH, 3.6 * roads.metres / roads.seconds)


def districts(roads: Roads) -> Keys:
    """Squares of DISTRICT_M, about: their width is that of the place's own parallel."""
    row = np.floor(roads.lat * _METRES_A_DEGREE / DISTRICT_M)
    wide = np.cos(np.radians((row + 0.5) * DISTRICT_M / _METRES_A_DEGREE))
    column = np.floor(roads.lon * wide * _METRES_A_DEGREE / DISTRICT_M)
    return row.astype(np.int64) * 2**20 + column.astype(np.int64)


_MOST_PARTS = 8

HOUR = Level("hour", lambda _, __, hour: hour.astype(np.int64), 20)
LEVELS: Sequence[Level] = (
    Level("everything", lambda _, road, __: np.zeros(len(road), dtype=np.int64), 10),
    HOUR,
    Level("kind", lambda it, road, _: it.kind[road].astype(np.int64), 10),
    Level("kind and day part", lambda it, road, hour: it.kind[road] * _MOST_PARTS + it.part[hour], 20),
    Level("district", lambda it, road, _: it.district[road], 8),
    Level("district and day part", lambda it, road, hour: it.district[road] * _MOST_PARTS + it.part[hour], 16),
    Level("stretch", lambda _, road, __: road.astype(np.int64), 8),
    Level("stretch and day part", lambda it, road, hour: road * _MOST_PARTS + it.part[hour], 16),
)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What a level found: keys rise; a group that is not among them is no different."""

    keys: Keys
    logs: Numbers

    def of(self, keys: Keys) -> Numbers:
        if not len(self.keys):
            return np.zeros(len(keys))
        rows = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[rows] == keys, self.logs[rows], 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """Every part, by the name of its level."""

    setting: Setting
    parts: Mapping[str, Part]

    def logs(self, road: Rows, hour: Rows) -> Numbers:
        """Logarithms of the time these stretches take at these hours over their free flow."""
        return self.of_hours[hour] + self._of_roads(road, hour)

    @property
    def of_hours(self) -> Numbers:
        """What an hour adds on every road, HOURS numbers."""
        every = np.arange(HOURS)
        return self.setting.usual + self.parts[HOUR.name].of(HOUR.keys(self.setting, every, every))

    def pattern(self, part: int) -> Numbers:
        """What a day part adds on each road of the network, whatever the hour."""
        within = int(np.flatnonzero(self.setting.part == part)[0])
        every = np.arange(len(self.setting.roads))
        return self._of_roads(every, np.full(len(every), within))

    def _of_roads(self, road: Rows, hour: Rows) -> Numbers:
        found = np.zeros(len(road))
        for level in LEVELS:
            if level is not HOUR:
                found += self.parts[level.name].of(level.keys(self.setting, road, hour))
        return found


def fit(setting: Setting, passes: Passes) -> Learnt:
    """Estimate everything from these passes; from none, nothing. Their order doesn't matter."""
    parts: dict[str, Part] = {}
    logs = setting.usual[passes.hour]
    for level in LEVELS:
        keys = level.keys(setting, passes.road, passes.hour)
        part = _part(passes, keys, logs, level.doubt)
        parts[level.name] = part
        logs = logs + part.of(keys)
    return Learnt(setting, parts)


def _part(passes: Passes, keys: Keys, logs: Numbers, doubt: float) -> Part:
    """Each group's median of what its drives took over what was expected of them, shrunk towards no difference."""
    names, group = np.unique(keys, return_inverse=True)
    said, opinion = np.unique(passes.drive * len(names) + group, return_inverse=True)
    size = len(said)
    took = np.bincount(opinion, passes.seconds, size)
    expected = np.bincount(opinion, passes.free_flow * np.exp(logs), size)
    free_flow = np.bincount(opinion, passes.free_flow, size)
    # Rounded, since a sum in another order differs in its last digits.
    off = np.round(np.clip(np.log(took / expected), -_FARTHEST, _FARTHEST), 9)
    of = (said % max(1, len(names))).astype(np.intp)
    drives = np.bincount(of, np.minimum(1.0, free_flow / _HEARD_S), len(names))
    middle = weighted_medians(off, np.round(np.minimum(free_flow, _LOUDEST_S), 6), of, len(names))
    return Part(names, middle * drives / (drives + doubt))


def weighted_medians(values: Numbers, weights: Numbers, groups: Rows, size: int) -> Numbers:
    """Answer for each group the value that has half of the group's weight below it, at most; 0 for an empty one."""
    order = np.lexsort((values, groups))
    values, weights, groups = values[order], weights[order], groups[order]
    total = np.bincount(groups, weights, size)
    before = np.cumsum(total) - total
    below = np.cumsum(weights) - before[groups]
    reached = below >= total[groups] / 2 - 1e-9
    found = np.zeros(size)
    # Written from the back, so that the first that reaches the half stays.
    found[groups[reached][::-1]] = values[reached][::-1]
    return found
