"""The road network as the engine built it: every stretch between two neighbouring nodes, with its free-flow time.

Read from OSRM's own files, since a file of speeds must name every road: one that is left out would keep its free-flow
time and draw all routes to itself.
"""

import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from server.geo.domain import EARTH_RADIUS

type Ids = NDArray[np.int64]
type Rows = NDArray[np.intp]
type Numbers = NDArray[np.float64]
type Flags = NDArray[np.bool_]

_TENTHS = 10  # OSRM counts in tenths of a second
_CLOSED = 2**22 - 1  # its longest time means that nobody may drive there
_DEGREE = 1e6
_WORD = 64

type _Files = Mapping[str, bytes]


@dataclass(frozen=True, slots=True, eq=False)
class Roads:
    """One row a stretch and direction, rising by (from_node, to_node), which are OpenStreetMap's ids.

    seconds: free flow; metres along the ground; lon, lat: its middle in degrees.
    """

    from_node: Ids
    to_node: Ids
    seconds: Numbers
    metres: Numbers
    lon: Numbers
    lat: Numbers

    @classmethod
    def read(cls, base: Path) -> Self:
        """Read the network of a build; half a second for a metropolitan area. base: as `Region.osrm_base`."""
        segments, nodes = _unpacked(base.with_suffix(".osrm.geometry")), _unpacked(base.with_suffix(".osrm.nbg_nodes"))
        ids = _packed(nodes, "nbn_data/osm_node_ids").astype(np.int64)
        lon, lat = np.frombuffer(nodes["nbn_data/coordinates"], "<i4").reshape(-1, 2).T / _DEGREE
        one, other, there, back = _pairs(segments)
        begin, end = np.concatenate((one, other)), np.concatenate((other, one))
        seconds = np.concatenate((there, back))
        open_ = np.flatnonzero((seconds > 0) & (seconds < _CLOSED))
        order = open_[np.lexsort((seconds[open_], ids[end[open_]], ids[begin[open_]]))]
        # Nodes beside each other can be joined twice; drives take the quicker way.
        again = (np.diff(begin[order], prepend=-1) == 0) & (np.diff(end[order], prepend=-1) == 0)
        rows = order[~again]
        begin, end = begin[rows], end[rows]
        return cls(
            ids[begin],
            ids[end],
            seconds[rows] / _TENTHS,
            _distances(lon[begin], lat[begin], lon[end], lat[end]),
            (lon[begin] + lon[end]) / 2,
            (lat[begin] + lat[end]) / 2,
        )

    def __len__(self) -> int:
        return len(self.seconds)

    def find(self, from_node: Ids, to_node: Ids) -> Rows:
        """Answer the row of each stretch; -1 for one that this network doesn't have."""
        if not len(self):
            return np.full(len(from_node), -1, dtype=np.intp)
        nodes = np.unique(np.concatenate((self.from_node, self.to_node)))
        known = np.searchsorted(nodes, self.from_node) * len(nodes) + np.searchsorted(nodes, self.to_node)
        begin = np.minimum(np.searchsorted(nodes, from_node), len(nodes) - 1)
        end = np.minimum(np.searchsorted(nodes, to_node), len(nodes) - 1)
        asked = begin * len(nodes) + end
        rows = np.minimum(np.searchsorted(known, asked), len(known) - 1)
        found = (nodes[begin] == from_node) & (nodes[end] == to_node) & (known[rows] == asked)
        return np.where(found, rows, -1)


def _unpacked(path: Path) -> dict[str, bytes]:
    """The parts of one of OSRM's files, which are tar archives of plain arrays, named below `common/`."""
    with tarfile.open(path) as archive:
        files = {it.name: archive.extractfile(it) for it in archive if it.isfile()}
        return {name.removeprefix("/").removeprefix("common/"): file.read() for name, file in files.items() if file}


def _packed(files: _Files, name: str) -> NDArray[np.uint64]:
    """An array whose numbers take fewer bits than a word, one after another."""
    count = int(np.frombuffer(files[f"{name}/number_of_elements.meta"], "<u8")[0])
    words = np.frombuffer(files[f"{name}/packed"], "<u8")
    if count == 0:
        return np.zeros(0, dtype=np.uint64)
    bits = len(words) // -(-count // _WORD)  # 64 numbers fill as many words as one has bits
    at = np.arange(count, dtype=np.uint64) * np.uint64(bits)
    word, skipped = (at // _WORD).astype(np.intp), at % np.uint64(_WORD)
    low = words[word] >> skipped
    high = words[np.minimum(word + 1, len(words) - 1)] << (np.uint64(_WORD - 1) - skipped) << np.uint64(1)
    found: NDArray[np.uint64] = (low | high) & np.uint64((1 << bits) - 1)
    return found


def _pairs(files: _Files) -> tuple[Rows, Rows, Rows, Rows]:
    """Neighbouring nodes of every geometry, with the tenths of seconds from the first to the second and back."""
    index = np.frombuffer(files["segment_data/index"], "<u4")
    nodes = np.frombuffer(files["segment_data/nodes"], "<u4").astype(np.intp)
    inside = np.ones(len(nodes), dtype=np.bool_)
    inside[index[index < len(nodes)]] = False
    at = np.flatnonzero(inside)
    # Times forward stand with the node where a stretch ends, times back with the one where it begins.
    there = _packed(files, "segment_data/forward_durations").astype(np.intp)
    back = _packed(files, "segment_data/reverse_durations").astype(np.intp)
    return nodes[at - 1], nodes[at], there[at], back[at - 1]


def _distances(lon: Numbers, lat: Numbers, other_lon: Numbers, other_lat: Numbers) -> Numbers:
    """Metres between neighbours: at this distance the Earth is flat."""
    north = np.radians(other_lat - lat)
    east = np.radians(other_lon - lon) * np.cos(np.radians((lat + other_lat) / 2))
    found: Numbers = EARTH_RADIUS * np.hypot(north, east)
    return found
