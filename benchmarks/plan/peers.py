"""OR-Tools, PyVRP and VROOM on the same days, one thread each, asked as each of them is asked best.

Each runs in a process of its own: one that overruns can be killed, and gigabytes of matrices go away with it.
"""

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.plan.judge import Route
from benchmarks.plan.shape import Day, Whole, members

if TYPE_CHECKING:
    import pyvrp

type Peer = Callable[[Day, float, int], list[Route]]

_LEAST_SECONDS = 0.05


@dataclass(frozen=True)
class Answer:
    """routes: None when there was none, and `why` says so. seconds: from the question to the answer, by the clock."""

    routes: list[Route] | None
    seconds: float
    why: str = ""


def ask(peer: str, day: Day, seconds: float, seed: int) -> Answer:
    """Answer what a peer makes of the day; building its model counts, starting its process doesn't."""
    began, patience = time.perf_counter(), 6 * seconds + 60
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_answer, args=(theirs, peer, seconds, seed), daemon=True)
    process.start()
    theirs.close()
    try:
        # Not as an argument: writing more than a pipe holds to a process that died at its start would never end.
        ours.send(day)
        if not ours.poll(patience):
            return Answer(None, patience, f"killed after {patience:.0f} s")
        answer: Answer = ours.recv()
    except (EOFError, OSError):
        process.join()
        return Answer(None, time.perf_counter() - began, f"died with code {process.exitcode}")
    else:
        return answer
    finally:
        process.kill()
        process.join()


def _answer(line: Connection, peer: str, seconds: float, seed: int) -> None:
    day, solve = line.recv(), PEERS[peer]()
    began = time.perf_counter()
    try:
        routes = solve(day, seconds, seed)
        answer = Answer(routes, time.perf_counter() - began)
    except Exception as no:  # noqa: BLE001 - whatever a peer raises is its answer, and told
        answer = Answer(None, time.perf_counter() - began, f"{type(no).__name__}: {no}")
    line.send(answer)


class _Left:
    """What is left of the limit after building the model, in seconds."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.perf_counter() + seconds

    def __call__(self) -> float:
        return max(_LEAST_SECONDS, self._ends - time.perf_counter())


# --- OR-Tools ---------------------------------------------------------------------------------------------------------


def _ortools() -> Peer:
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2

    def solve(day: Day, seconds: float, seed: int) -> list[Route]:  # noqa: ARG001 - it takes no seed
        left = _Left(seconds)
        homes = list(range(day.jobs, day.jobs + day.engineers))
        nodes = pywrapcp.RoutingIndexManager(day.jobs + day.engineers, day.engineers, homes, homes)
        model = pywrapcp.RoutingModel(nodes)
        model.SetArcCostEvaluatorOfAllVehicles(model.RegisterTransitMatrix(day.seconds.tolist()))
        _times(model, nodes, day)
        _choices(model, nodes, day)
        how = pywrapcp.DefaultRoutingSearchParameters()
        how.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
        how.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        how.time_limit.FromMilliseconds(int(left() * 1000))
        found = model.SolveWithParameters(how)
        if found is None:
            raise LookupError("no solution within the limit")
        return _followed(model, nodes, found, day)

    return solve


def _times(model: Any, nodes: Any, day: Day) -> None:
    busy = day.seconds.copy()
    busy[: day.jobs] += day.work[:, None]
    horizon = int(day.shifts[:, 1].max())
    model.AddDimension(model.RegisterTransitMatrix(busy.tolist()), horizon, horizon, False, "time")  # noqa: FBT003
    clock = model.GetDimensionOrDie("time")
    for job, (opens, closes) in enumerate(day.windows.tolist()):
        clock.CumulVar(nodes.NodeToIndex(job)).SetRange(opens, min(closes, horizon))
    for engineer, (starts, ends) in enumerate(day.shifts.tolist()):
        clock.CumulVar(model.Start(engineer)).SetRange(starts, ends)
        clock.CumulVar(model.End(engineer)).SetRange(starts, ends)


def _choices(model: Any, nodes: Any, day: Day) -> None:
    for job, able in enumerate(day.able):
        index = nodes.NodeToIndex(job)
        model.AddDisjunction([index], int(day.penalties[job]))
        if not able.all():
            # SetAllowedVehiclesForIndex says the same, but raises TypeError in 9.15 (absl::Span isn't mapped).
            model.VehicleVar(index).SetValues([-1, *np.flatnonzero(able).tolist()])


def _followed(model: Any, nodes: Any, found: Any, day: Day) -> list[Route]:
    routes = []
    for engineer in range(day.engineers):
        jobs, index = [], found.Value(model.NextVar(model.Start(engineer)))
        while not model.IsEnd(index):
            jobs.append(nodes.IndexToNode(index))
            index = found.Value(model.NextVar(index))
        routes.append((engineer, jobs))
    return routes


# --- PyVRP ------------------------------------------------------------------------------------------------------------


def _pyvrp() -> Peer:
    import pyvrp
    from pyvrp.stop import MaxRuntime

    def solve(day: Day, seconds: float, seed: int) -> list[Route]:
        left = _Left(seconds)
        data = _model(day)
        best = pyvrp.solve(data, stop=MaxRuntime(left()), seed=seed, display=False, collect_stats=False).best
        return [(route.vehicle_type(), [it.idx for it in route if it.is_client()]) for route in best.routes()]

    return solve


def _model(day: Day) -> "pyvrp.ProblemData":
    """It knows no skills, so each set of them has a table of ways of its own, and each engineer a type of vehicle."""
    import pyvrp

    profiles = {bits: number for number, bits in enumerate(sorted(set(day.skills.tolist())))}
    ways: list[Any] = [_forbidden(day, bits) for bits in profiles]
    jobs = zip(day.work.tolist(), day.windows.tolist(), day.penalties.tolist(), strict=True)
    clients = [
        pyvrp.Client(job, service_duration=work, tw_early=opens, tw_late=closes, prize=prize, required=False)
        for job, (work, (opens, closes), prize) in enumerate(jobs)
    ]
    vehicles = [
        pyvrp.VehicleType(start_depot=v, end_depot=v, tw_early=starts, tw_late=ends, profile=profiles[bits])
        for v, ((starts, ends), bits) in enumerate(zip(day.shifts.tolist(), day.skills.tolist(), strict=True))
    ]
    homes = [pyvrp.Depot(day.jobs + v) for v in range(day.engineers)]
    nowhere = [pyvrp.Location(0, 0)] * (day.jobs + day.engineers)
    return pyvrp.ProblemData(nowhere, clients, homes, vehicles, ways, ways)


def _forbidden(day: Day, bits: int) -> Whole:
    """Answer the ways of somebody with these skills: jobs that need others are out of anyone's reach."""
    ways = day.seconds.copy()
    closed = np.flatnonzero(day.needs & ~bits)
    ways[closed] = ways[:, closed] = 10 * max(int(ways.max()), int(day.shifts.max()))
    np.fill_diagonal(ways, 0)
    return ways


# --- VROOM ------------------------------------------------------------------------------------------------------------


def _vroom() -> Peer:
    import vroom  # type: ignore[import-untyped]

    def solve(day: Day, seconds: float, seed: int) -> list[Route]:  # noqa: ARG001 - it takes no seed
        left = _Left(seconds)
        asked = vroom.Input()
        asked.set_durations_matrix("car", day.seconds)
        asked.add_job(_vroom_jobs(day))
        for v, (starts, ends) in enumerate(day.shifts.tolist()):
            home, skills = day.jobs + v, set(members(day.skills[v]))
            hours = vroom.TimeWindow(starts, ends)
            asked.add_vehicle(vroom.Vehicle(v + 1, start=home, end=home, time_window=hours, skills=skills))
        steps = asked.solve(exploration_level=5, nb_threads=1, timeout=timedelta(seconds=left())).routes
        jobs = steps[steps["type"] == "job"].groupby("vehicle_id", sort=False)["id"]
        return [(int(v) - 1, [int(job) - 1 for job in ids]) for v, ids in jobs]

    return solve


def _vroom_jobs(day: Day) -> list[Any]:
    """It knows no penalties; urgency as its priority comes nearest. Its numbers begin at 1."""
    import vroom

    return [
        vroom.Job(
            job + 1,
            location=job,
            default_service=int(day.work[job]),
            time_windows=[vroom.TimeWindow(opens, closes)],
            skills=set(members(day.needs[job])),
            priority=int(day.urgency[job]),
        )
        for job, (opens, closes) in enumerate(day.windows.tolist())
    ]


# Called once in the peer's process before the clock starts, for its imports.
PEERS: dict[str, Callable[[], Peer]] = {"OR-Tools": _ortools, "PyVRP": _pyvrp, "VROOM": _vroom}
