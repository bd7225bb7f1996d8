"""The technicians' days as they come: requests arrive while others are made, and each is taken or refused at once.

Known before are the requests without a release date. A technician sets out as late as the next request allows and is
then bound to it; who has no more to do goes home, and may be sent out again from there. What was taken is made; only
who makes it when may still change. `refused` drives what was done once more by the instance's own exact times.
"""

import tarfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.plan.judge import BrokenRuleError
from benchmarks.plan.technicians import DEPOT, SCALE, Instance, Node, as_problem, crew25
from server.dispatch.planner.plan import Costs, Plan, tour_of
from server.dispatch.planner.problem import Problem, Shift, Visit
from server.dispatch.planner.solve import solve
from server.dispatch.planner.stopping import Seconds

# Nothing that comes is worth what has been promised.
_PROMISED = 10**9
_PLENTY = 10**6
_ROUNDED = 2e-3  # travel is rounded up to a thousandth of the time unit


@dataclass(frozen=True)
class Live:
    """An instance and when each of its requests becomes known; those that are missing are known before the day."""

    instance: Instance
    released: dict[int, float]


@dataclass(frozen=True)
class Move:
    """A technician sets out for a node at a time: a request, the depot or their own home."""

    technician: int
    node: int
    leaves: float


@dataclass(frozen=True)
class Lived:
    """What was done, and how long the slowest answer to a request took, in seconds."""

    moves: tuple[Move, ...]
    slowest: float


@dataclass
class _Technician:
    """place: where they are, or what they are bound for, from `free` on; ahead: nodes that may still change."""

    place: int
    free: int
    stock: tuple[int, ...]
    filled: bool = False
    ahead: list[int] = field(default_factory=list)


def live_days(data: Path, dynamic: int) -> list[Live]:
    """Answer the 56 days of which `dynamic` per cent of the requests come during the day."""
    with tarfile.open(data / "routing/trsp/dyn/release_dates_crew25.tar.gz") as archive:
        return [Live(it, _released(archive, it, dynamic)) for it in crew25(data)]


def _released(archive: tarfile.TarFile, it: Instance, dynamic: int) -> dict[int, float]:
    file = archive.extractfile(f"dyn/{it.name}.100_25-5-5-5_rd_{dynamic}.txt")
    assert file is not None
    lines = [line.split() for line in file.read().decode().splitlines()[3:]]
    dates = {int(row[0]): float(row[1]) for row in lines if len(row) > 1 and row[0].isdecimal()}
    if set(dates) != set(it.requests):
        raise ValueError(f"{it.name}: release dates of other requests")
    return {request: date for request, date in dates.items() if date >= 0}


def lived(live: Live, *, before: float, each: float, seed: int) -> Lived:
    """Live that day, having `before` seconds for the first plan and `each` for every request."""
    day, slowest = _Day(live.instance, seed), 0.0
    day.take([it for it in live.instance.requests if it not in live.released], 0, before)
    for request, date in sorted(live.released.items(), key=lambda it: it[1]):
        began, now = time.perf_counter(), round(date * SCALE)
        day.pass_until(now)
        day.take([request], now, each)
        slowest = max(slowest, time.perf_counter() - began)
    day.pass_until(_PLENTY * SCALE)
    return Lived(tuple(sorted(day.moves, key=lambda it: it.leaves)), slowest)


class _Day:
    """Where everybody is. Times are whole thousandths, as in `as_problem`."""

    def __init__(self, instance: Instance, seed: int) -> None:
        self.instance, self.problem, self.seed = instance, as_problem(instance), seed
        vans = [instance.nodes[it] for it in instance.technicians]
        self.crew = [
            _Technician(number, round(van.opens * SCALE), van.parts) for number, van in enumerate(vans, start=1)
        ]
        self.moves: list[Move] = []

    def take(self, requests: Sequence[int], now: int, seconds: float) -> None:
        """Plan what lies ahead anew with these requests, as far as they fit in."""
        stop = Seconds(seconds)
        promised = [node for it in self.crew for node in it.ahead if node != DEPOT]
        nodes = [*promised, *requests]
        visits = [replace(self._visit(node), penalty=_PROMISED) for node in promised]
        problem = replace(
            self.problem,
            visits=(*visits, *(self._visit(node) for node in requests)),
            shifts=tuple(self._shift(number, now) for number in range(len(self.crew))),
        )
        plan = solve(problem, stop, seed=self.seed, start=self._plan(problem, nodes))
        for it in self.crew:
            it.ahead, it.free = [], max(it.free, now)
        for tour in plan.tours:
            stops = [DEPOT if stop.visit is None else nodes[stop.visit] for stop in tour.stops]
            self.crew[tour.shift].ahead = stops

    def _visit(self, node: int) -> Visit:
        return self.problem.visits[node - self.instance.requests[0]]

    def _shift(self, number: int, now: int) -> Shift:
        it, shift = self.crew[number], self.problem.shifts[number]
        if it.filled:
            tools = frozenset().union(*(node.tools for node in self.instance.nodes))
            shift = replace(shift, equipment=tools, stock=(_PLENTY,) * len(shift.stock), warehouse=None)
        else:
            shift = replace(shift, stock=it.stock)
        return replace(shift, start=it.place, starts=min(max(it.free, now), shift.ends))

    def _plan(self, problem: Problem, nodes: Sequence[int]) -> Plan:
        tours = [
            tour_of(problem, shift, [None if node == DEPOT else nodes.index(node) for node in it.ahead])
            for shift, it in enumerate(self.crew)
            if it.ahead
        ]
        return Plan(tuple(tours), {}, Costs())

    def pass_until(self, now: int) -> None:
        """Let everybody set out who has to by now."""
        for number in range(len(self.crew)):
            while self._set_out(number, now):
                pass

    def _set_out(self, number: int, now: int) -> bool:
        it, home = self.crew[number], number + 1
        if not it.ahead and it.place == home:
            return False
        node = self.instance.nodes[it.ahead[0] if it.ahead else home]
        to = it.ahead[0] if it.ahead else home
        way = int(self.problem.seconds[it.place, to])
        leaves = max(it.free, round(node.opens * SCALE) - way) if it.ahead else it.free
        if leaves > now:
            return False
        self.moves.append(Move(home, to, leaves / SCALE))
        it.place, it.free = to, leaves + way
        if it.ahead:
            it.ahead.pop(0)
            it.filled = it.filled or to == DEPOT
            it.free += round(node.work * SCALE)
            it.stock = tuple(have - used for have, used in zip(it.stock, node.parts, strict=True)) if to else it.stock
        return True


# --- checking ---------------------------------------------------------------------------------------------------------


def refused(live: Live, moves: Sequence[Move]) -> int:
    """Answer how many requests nobody makes, having driven every move again. Raises BrokenRuleError."""
    made: list[int] = []
    for technician in live.instance.technicians:
        mine = [it for it in moves if it.technician == technician]
        _drive(live, technician, mine)
        made += [it.node for it in mine if it.node in live.instance.requests]
    if len(set(made)) < len(made):
        raise BrokenRuleError(f"{live.instance.name}: a request is made twice")
    return len(live.instance.requests) - len(made)


def _drive(live: Live, technician: int, moves: Sequence[Move]) -> None:
    it, name = live.instance, live.instance.name
    van = it.nodes[technician]
    here, free, stock, filled = technician, van.opens, np.array(van.parts), False
    if moves and moves[-1].node != technician:
        raise BrokenRuleError(f"{name}: technician {technician} is not home in the end")
    for move in moves:
        if move.leaves < free - _ROUNDED or move.leaves < live.released.get(move.node, 0.0):
            raise BrokenRuleError(f"{name}: technician {technician} sets out for {move.node} before they can")
        node = it.nodes[move.node]
        begins = max(move.leaves + it.times[here, move.node], node.opens)
        if begins > node.closes + _ROUNDED:
            raise BrokenRuleError(f"{name}: technician {technician} is too late at {move.node}")
        here, free = move.node, begins + node.work
        filled = filled or here == DEPOT
        if here in it.requests and not filled:
            stock = stock - np.array(node.parts)
        if here in it.requests and not _able(van, node, stock, filled=filled):
            raise BrokenRuleError(f"{name}: technician {technician} lacks what {here} needs")
    if sum(it.node == DEPOT for it in moves) > 1:
        raise BrokenRuleError(f"{name}: technician {technician} goes to the depot twice")


def _able(van: Node, node: Node, stock: NDArray[np.int64], *, filled: bool) -> bool:
    equipped = node.tools <= van.tools and (stock >= 0).all()
    return node.skills <= van.skills and (filled or bool(equipped))
