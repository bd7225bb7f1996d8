"""The technician routing problem of Pillac, Guéret and Medaglia, and six real days of a company (Praxedo's).

Technicians start and end at home; a request needs skills, tools and spare parts. Tools and parts that aren't on the van
come from the main depot, which may be visited once; afterwards nothing lacks. What counts is the working time, from
leaving home to being back. The data stay outside the repository: their licences differ.
"""

import gzip
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.plan.judge import BrokenRuleError
from server.dispatch.planner.plan import Plan
from server.dispatch.planner.problem import Level, Prices, Problem, Shift, Visit, Warehouse, Window

type Tour = tuple[int, list[int]]

DEPOT = 0
_GROUP = re.compile(r"\[([^\]]*)\]")
_ROUNDED = 1e-4  # windows are missed by this much only because published times are rounded
SCALE = 1000
_LEFT_OUT = 10**7  # more than any detour, so that whatever can be served is


@dataclass(frozen=True)
class Node:
    """The depot, a technician's home or a request. opens, closes: when work may begin, or the technician's day.

    skills, tools, parts: what a technician has and what a request needs.
    """

    x: float
    y: float
    opens: float
    closes: float
    work: float
    skills: frozenset[int]
    tools: frozenset[int]
    parts: tuple[int, ...]


@dataclass(frozen=True)
class Instance:
    """nodes: the depot, then `crew` technicians, then requests; times: (nodes, nodes) from row to column."""

    name: str
    crew: int
    nodes: tuple[Node, ...]
    times: NDArray[np.float64]

    @property
    def technicians(self) -> range:
        return range(1, 1 + self.crew)

    @property
    def requests(self) -> range:
        return range(1 + self.crew, len(self.nodes))


@dataclass(frozen=True)
class Best:
    """The best known: its working time, and how many requests it leaves out."""

    time: float
    unserved: int = 0


# DISPATCH.md, in minutes.
PRAXEDO = {
    "R1": Best(4915.767),
    "R2": Best(4139.667, 2),
    "R3": Best(4434.800),
    "R4": Best(3831.900),
    "R5": Best(3595.483, 1),
    "R6": Best(1284.734),
}


# --- reading ----------------------------------------------------------------------------------------------------------


def crew25(data: Path) -> list[Instance]:
    """Answer the 56 instances with 25 technicians and 100 requests."""
    return [_read(path.name.partition(".")[0], path.read_text()) for path in sorted(_in(data, "crew25").glob("*.txt"))]


def praxedo(data: Path) -> list[Instance]:
    """Answer the six real days; their time unit is the minute."""
    paths = [_in(data, "praxedo") / f"{name}.txt.gz" for name in PRAXEDO]
    return [_read(path.name.partition(".")[0], gzip.decompress(path.read_bytes()).decode()) for path in paths]


def best_of_2012(data: Path) -> dict[str, Best]:
    return {name: Best(float(time)) for name, (time, _) in _published(data).items()}


def tours_of_2012(data: Path, it: Instance) -> list[Tour]:
    """Answer the tours published with the best known time of an instance."""
    _, text = _published(data)[it.name]
    tours = []
    for part in text.strip("<>").split("|"):
        if part:
            technician, *ids = [int(number) for number in part.split(",")]
            tours.append((technician, [node for node in _nodes(it, ids) if node is not None]))
    return tours


def _nodes(it: Instance, ids: Sequence[int]) -> list[int | None]:
    """Fold copies back: published tours number ends at home after the nodes, and visits to the depot after those."""
    size = len(it.nodes)
    return [number if number < size else None if number < size + it.crew else DEPOT for number in ids]


def _published(data: Path) -> dict[str, tuple[str, str]]:
    """Answer the published working time and tours, by the first part of the instance's name."""
    lines = (data / "routing/trsp/pillac-minwt.sol").read_text().splitlines()
    facts = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    named = [name for name in facts if f"{name}-S" in facts]
    return {name.partition(".")[0]: (facts[name], facts[f"{name}-S"]) for name in named}


def _in(data: Path, folder: str) -> Path:
    path = data / "routing/trsp" / folder
    if not path.is_dir():
        raise FileNotFoundError(f"no instances at {path}; tell where they are with --data")
    return path


def _read(name: str, text: str) -> Instance:
    head, _, tables = text.partition("DISTANCES")
    _, _, times = tables.partition("TRAVEL TIMES")
    lines = head.splitlines()
    counts = next(line.split() for line in lines if re.fullmatch(r"\s*\d+(\s+\d+){3}\s*", line))
    nodes = tuple(_node(line) for line in lines if "[" in line)
    crew = int(counts[0])
    return Instance(name, crew, nodes, _table(times, crew, len(nodes)) if times else _euclidean(nodes))


def _node(line: str) -> Node:
    _, x, y, opens, closes, work = (float(number) for number in line.partition("[")[0].split())
    skills, tools, parts = ([int(n) for n in group.split(",") if n.strip()] for group in _GROUP.findall(line))
    return Node(x, y, opens, closes, work, frozenset(skills), frozenset(tools), tuple(parts))


def _table(text: str, crew: int, size: int) -> NDArray[np.float64]:
    """Answer the nodes' part of a table whose later rows repeat the homes and the depot, a copy per technician."""
    rows = [[float(cell) for cell in line.split(";")[1:] if cell.strip()] for line in text.splitlines() if ";" in line]
    table = np.array(rows)
    copied = [*range(size), *range(1, 1 + crew), *[DEPOT] * (len(table) - size - crew)]
    if not np.array_equal(table, table[np.ix_(copied, copied)]):
        raise ValueError("the rows after the nodes are no copies of the homes and the depot")
    return table[:size, :size]


def _euclidean(nodes: Sequence[Node]) -> NDArray[np.float64]:
    at = np.array([(node.x, node.y) for node in nodes])
    times: NDArray[np.float64] = np.sqrt(((at[:, None] - at[None]) ** 2).sum(-1))
    return times


# --- checking ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Worked:
    """time: of all technicians, from leaving home as late as possible to being back."""

    time: float
    unserved: int

    def gap(self, best: Best) -> float:
        """Per cent above the best known; a request more left out counts as all of its time again, one less likewise."""
        more = self.unserved - best.unserved
        # The best known are rounded to a thousandth, so differences below that are none.
        return round(100 * (self.time / best.time - 1 + more), 4) or 0.0


def checked(it: Instance, tours: Iterable[Tour]) -> Worked:
    """Answer what these tours, each a technician and the nodes in order, really take.

    Raises BrokenRuleError.
    """
    time, busy, served = 0.0, set[int](), set[int]()
    for technician, nodes in tours:
        requests = [node for node in nodes if node != DEPOT]
        if technician in busy or technician not in it.technicians:
            raise BrokenRuleError(f"{it.name}: {technician} is no technician, or has two tours")
        if served.intersection(requests) or len(set(requests)) < len(requests) or not set(requests) <= {*it.requests}:
            raise BrokenRuleError(f"{it.name}: technician {technician} makes what is made twice, or no request")
        _supplied(it, technician, nodes)
        busy.add(technician)
        served.update(requests)
        time += _time(it, technician, nodes) if nodes else 0
    return Worked(time, len(it.requests) - len(served))


def _supplied(it: Instance, technician: int, nodes: Sequence[int]) -> None:
    van = it.nodes[technician]
    stock = np.array(van.parts, dtype=int)
    filled = False
    for number in nodes:
        node = it.nodes[number]
        if not node.skills <= van.skills:
            raise BrokenRuleError(f"{it.name}: technician {technician} lacks a skill for {number}")
        if number == DEPOT and filled:
            raise BrokenRuleError(f"{it.name}: technician {technician} goes to the depot twice")
        filled = filled or number == DEPOT
        if filled:
            continue
        stock -= np.array(node.parts, dtype=int)
        if not node.tools <= van.tools or (stock < 0).any():
            raise BrokenRuleError(f"{it.name}: technician {technician} lacks a tool or part for {number}")


def _time(it: Instance, technician: int, nodes: Sequence[int]) -> float:
    """Be back as early as possible, then go back in time to see how late leaving allows that."""
    van, way = it.nodes[technician], [technician, *nodes, technician]
    time = van.opens
    for here, there in pairwise(way):
        node = it.nodes[there]
        time = max(time + it.times[here, there], node.opens)
        if time > node.closes + _ROUNDED:
            raise BrokenRuleError(f"{it.name}: technician {technician} is {time - node.closes} too late at {there}")
        time += node.work
    leaves = time
    for there, here in pairwise(reversed(way)):
        node = it.nodes[here]
        leaves = min(leaves - it.times[here, there] - node.work, node.closes)
    return float(time - leaves)


# --- our planner ------------------------------------------------------------------------------------------------------


def as_problem(it: Instance) -> Problem:
    """Answer the instance in our planner's words: its seconds are thousandths of the time unit, its cost working time.

    Travel is rounded up, so that what our planner finds in time is in time by exact numbers too. Visits and shifts are
    the requests and technicians in order.
    """
    seconds = np.ceil(it.times * SCALE - 1e-6).astype(np.int32)
    visits = tuple(_visit(it.nodes[number], number) for number in it.requests)
    depot = it.nodes[DEPOT]
    warehouse = Warehouse(DEPOT, _whole(depot.opens), _whole(depot.closes), loading=0)
    shifts = tuple(_shift(it.nodes[number], number, warehouse) for number in it.technicians)
    return Problem(visits, shifts, seconds, prices=Prices(second_travelled=0, second_away=1))


def tours_of(it: Instance, plan: Plan) -> list[Tour]:
    first = it.requests[0]
    return [
        (tour.shift + 1, [DEPOT if stop.visit is None else stop.visit + first for stop in tour.stops])
        for tour in plan.tours
    ]


def _visit(node: Node, place: int) -> Visit:
    return Visit(
        place=place,
        work=_whole(node.work),
        windows=(Window(_whole(node.opens), _whole(node.closes)),),
        penalty=_LEFT_OUT,
        skills=tuple(Level(skill) for skill in sorted(node.skills)),
        equipment=node.tools,
        parts=node.parts,
    )


def _shift(node: Node, place: int, warehouse: Warehouse) -> Shift:
    return Shift(
        engineer=place,
        start=place,
        end=place,
        starts=_whole(node.opens),
        ends=_whole(node.closes),
        skills=tuple(Level(skill) for skill in sorted(node.skills)),
        equipment=node.tools,
        stock=node.parts,
        warehouse=warehouse,
    )


def _whole(time: float) -> int:
    return round(time * SCALE)
