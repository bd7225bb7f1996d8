"""The problem as flat arrays, which is what compiled code reads.

Stops are numbered: visits first, then each shift's loading at its warehouse.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from server.dispatch.planner.problem import Level, Problem, Shift, Visit

type Ints = NDArray[np.int32]
type Longs = NDArray[np.int64]
type Records = NDArray[Any]  # of the dtypes below; only indices and field names are used on them
type Random = NDArray[np.uint64]
type Flags = NDArray[np.bool_]

NEVER = 2**30  # seconds; later than anything


STOP = np.dtype(
    [
        ("place", np.int32),
        ("opens", np.int32),  # of the first window
        ("closes", np.int32),  # of the last
        ("due", np.int32),
        ("late", np.int64),  # cost of a second after it
        ("penalty", np.int64),
        ("change", np.int64),
        ("known", np.int32),  # shift, -1 for none
    ],
    align=True,
)
SHIFT = np.dtype(
    [
        ("start", np.int32),
        ("end", np.int32),
        ("starts", np.int32),
        ("ends", np.int32),
        ("over", np.int32),
        ("rest_opens", np.int32),  # never where there is none
        ("rest_closes", np.int32),
        ("rest_lasts", np.int32),
        ("pace", np.int32),  # column of `work`
        ("locked", np.int32),  # so many first stops stay
        ("overtime", np.int64),  # cost of a second
        ("fixed", np.int64),
    ],
    align=True,
)


class Arrays(NamedTuple):
    """Shapes: n visits, m shifts, s = n + m stops, q places, k neighbours, w windows, b kinds of parts, a paces.

    Few arrays of records, and not many of numbers: what is read together lies together, and calls are cheap.
    """

    stops: Records  # [s]
    shifts: Records  # [m]
    ways: Ints  # [q, q, 2] seconds from row to column, and back: all ways of one place lie side by side
    price: Ints  # [q, q, 2] of those ways; only read if `priced`
    work: Ints  # [s, a]
    windows: Ints  # [s, w, 2]; those that a stop has not, never open
    able: Flags  # [n, m]
    near: Ints  # [n, k] other visits, the nearest first
    near_shifts: Ints  # [n, m] shifts that are able, the nearest start first, then -1
    fetches: Flags  # [n, m] must come after loading
    uses: Ints  # [s, b]
    stock: Ints  # [m, b]
    second_travelled: int
    second_away: int
    fairness: int
    priced: bool  # whether ways cost anything but their seconds
    loads: bool  # whether anybody may have to load on the way
    driven: bool  # whether routes have something that stretches can't say; see routes.py


def arrays_of(problem: Problem, *, neighbours: int = 20) -> Arrays:
    visits, shifts = problem.visits, problem.shifts
    number, ways, price = _tables(problem)
    paces = sorted({it.pace for it in shifts}) or [100]
    kinds = max([len(it.parts) for it in visits] + [len(it.stock) for it in shifts], default=0)
    depots = [it.warehouse for it in shifts]
    effort = _ints([it.work for it in visits])[:, None] * _ints(paces)[None, :] // 100
    loading = np.repeat(_ints([it.loading if it else 0 for it in depots])[:, None], len(paces), axis=1)
    windows = _windows(problem)
    able = able_of(problem)
    fetches = _fetches(visits, shifts)
    uses = _table([it.parts for it in visits] + [()] * len(shifts), kinds)
    stock = _table([it.stock for it in shifts], kinds)
    # Without a warehouse, what the van lacks can't be had.
    stocked = np.array([it.warehouse is not None for it in shifts], dtype=bool)
    able &= ~(fetches & ~stocked[None, :])
    loads = bool(fetches.any() or (kinds and (uses[: len(visits)].sum(0)[None, :] > stock).any()))
    prices = problem.prices
    return Arrays(
        stops=_stops(problem, number, windows),
        shifts=_shifts(problem, number, paces),
        ways=ways,
        price=price,
        work=np.concatenate([effort, loading]).astype(np.int32),
        windows=windows,
        able=able,
        near=_neighbours(visits, problem.seconds, neighbours),
        near_shifts=_nearest_shifts(visits, shifts, problem.seconds, able),
        fetches=fetches,
        uses=uses,
        stock=stock,
        second_travelled=prices.second_travelled,
        second_away=prices.second_away,
        fairness=prices.fairness,
        priced=len(price) > 1,
        loads=loads,
        driven=_is_driven(problem),
    )


def _stops(problem: Problem, number: Ints, windows: Ints) -> Records:
    visits, depots = problem.visits, [it.warehouse for it in problem.shifts]
    found = np.zeros(len(visits) + len(depots), STOP)
    found["place"] = number[[it.place for it in visits] + [it.place if it else -1 for it in depots]]
    found["opens"] = windows[:, 0, 0]
    found["closes"] = [it.windows[-1].closes for it in visits] + [it.closes if it else -1 for it in depots]
    found["due"], found["known"] = NEVER, -1
    mine = found[: len(visits)]
    mine["due"] = [NEVER if it.due is None else it.due for it in visits]
    mine["late"] = [it.late_cost for it in visits]
    mine["penalty"] = [it.penalty for it in visits]
    mine["change"] = [it.change_cost for it in visits]
    mine["known"] = [-1 if it.known is None else it.known for it in visits]
    return found


def _shifts(problem: Problem, number: Ints, paces: list[int]) -> Records:
    found = np.zeros(len(problem.shifts), SHIFT)
    for row, it in zip(found, problem.shifts, strict=True):
        rest = (it.rest.opens, it.rest.closes, it.rest.lasts) if it.rest else (NEVER, NEVER, 0)
        row["start"], row["end"] = number[it.start], number[-1 if it.end is None else it.end]
        row["starts"], row["ends"], row["over"] = it.starts, it.ends, it.over
        row["rest_opens"], row["rest_closes"], row["rest_lasts"] = rest
        row["pace"], row["locked"] = paces.index(it.pace), len(it.locked)
        row["overtime"], row["fixed"] = it.overtime_cost, it.fixed_cost
    return found


def _is_driven(problem: Problem) -> bool:
    return bool(
        problem.prices.fairness
        or any(len(it.windows) > 1 or (it.due is not None and it.late_cost) for it in problem.visits)
        or any(it.rest is not None or it.overtime for it in problem.shifts)
    )


def _tables(problem: Problem) -> tuple[Ints, Ints, Ints]:
    """Answer each place's row, the ways, and their prices. The last row is where open shifts end: every way is nothing.

    Places near each other get rows near each other: what is compared together is then read together.
    """
    order = np.append(_chain(problem.seconds), len(problem.seconds))
    number = np.empty(len(order), np.int32)
    number[order] = np.arange(len(order))
    ways = _there_and_back(problem.seconds, order)
    prices = problem.prices
    if not prices.metre or problem.metres is None:
        return number, ways, np.zeros((1, 1, 2), np.int32)
    metres = _there_and_back(problem.metres, order)
    return number, ways, (ways * prices.second_travelled + metres * prices.metre).astype(np.int32)


def _there_and_back(table: Ints, order: Ints) -> Ints:
    padded = np.pad(table, (0, 1))[np.ix_(order, order)]
    return np.ascontiguousarray(np.stack([padded, padded.T], axis=-1), dtype=np.int32)


def _chain(seconds: Ints) -> Ints:
    """Order the places from neighbour to neighbour."""
    ahead = seconds.astype(np.float64)
    order = np.zeros(len(seconds), np.int32)
    for k in range(1, len(seconds)):
        ahead[:, order[k - 1]] = np.inf
        order[k] = ahead[order[k - 1]].argmin()
    return order


def _windows(problem: Problem) -> Ints:
    visits, shifts = problem.visits, problem.shifts
    widest = max((len(it.windows) for it in visits), default=1)
    found = np.full((len(visits) + len(shifts), widest, 2), (NEVER, -1), dtype=np.int32)
    for row, visit in enumerate(visits):
        found[row, : len(visit.windows)] = [(it.opens, it.closes) for it in visit.windows]
    for row, shift in enumerate(shifts, start=len(visits)):
        if shift.warehouse:
            found[row, 0] = shift.warehouse.opens, shift.warehouse.closes
    return found


def able_of(problem: Problem) -> Flags:
    """Answer which shift may take which visit by what never changes: skills and who is asked for or kept away."""
    visits, shifts = problem.visits, problem.shifts
    asked, mastered = [it.skills for it in visits], [it.skills for it in shifts]
    skills = 1 + max((it.skill for levels in (*asked, *mastered) for it in levels), default=-1)
    able: Flags = np.ones((len(visits), len(shifts)), dtype=bool)
    for need, have in zip(_levels(asked, skills).T, _levels(mastered, skills).T, strict=True):
        able &= need[:, None] <= have[None, :]
    engineers = _ints([it.engineer for it in shifts])
    for row, visit in enumerate(visits):
        if visit.only is not None:
            able[row] &= np.isin(engineers, list(visit.only))
        if visit.never:
            able[row] &= ~np.isin(engineers, list(visit.never))
    return able


def _levels(held: Sequence[tuple[Level, ...]], skills: int) -> Ints:
    found = np.zeros((len(held), skills), np.int32)
    for row, levels in enumerate(held):
        for it in levels:
            found[row, it.skill] = max(found[row, it.skill], it.level)
    return found


def _fetches(visits: tuple[Visit, ...], shifts: tuple[Shift, ...]) -> Flags:
    found: Flags = np.zeros((len(visits), len(shifts)), dtype=bool)
    for row, visit in enumerate(visits):
        if visit.equipment:
            found[row] = [not visit.equipment <= shift.equipment for shift in shifts]
    return found


def _neighbours(visits: tuple[Visit, ...], seconds: Ints, many: int) -> Ints:
    """Order the visits around each by the way and what waiting or lateness going from one to the other must bring."""
    place = _ints([it.place for it in visits])
    opens = np.array([it.windows[0].opens for it in visits], dtype=np.int64)
    closes = np.array([it.windows[-1].closes for it in visits], dtype=np.int64)
    work = np.array([it.work for it in visits], dtype=np.int64)
    way = seconds[np.ix_(place, place)].astype(np.int64)
    waits = opens[None, :] - (closes[:, None] + work[:, None] + way)
    late = opens[:, None] + work[:, None] + way - closes[None, :]
    apart = way + 0.2 * np.maximum(waits, 0) + np.maximum(late, 0)
    apart = np.minimum(apart, apart.T)
    np.fill_diagonal(apart, np.inf)
    return _smallest(apart, min(many, max(0, len(visits) - 1)))


def _nearest_shifts(visits: tuple[Visit, ...], shifts: tuple[Shift, ...], seconds: Ints, able: Flags) -> Ints:
    place, start = _ints([it.place for it in visits]), _ints([it.start for it in shifts])
    way = np.where(able, seconds[np.ix_(start, place)].T, np.inf)
    found = _smallest(way, len(shifts))
    return np.where(np.take_along_axis(able, found, axis=1), found, -1).astype(np.int32)


def _smallest(values: NDArray[np.float64], many: int) -> Ints:
    """Answer the columns of the smallest values of each row, in order."""
    if many < values.shape[1] - 1:
        columns = np.argpartition(values, many, axis=1)[:, :many]
    else:
        columns = np.tile(np.arange(values.shape[1]), (len(values), 1))
    order = np.take_along_axis(values, columns, axis=1).argsort(axis=1, kind="stable")[:, :many]
    return np.ascontiguousarray(np.take_along_axis(columns, order, axis=1), dtype=np.int32)


def _table(rows: list[tuple[int, ...]], width: int) -> Ints:
    return _ints([tuple(row) + (0,) * (width - len(row)) for row in rows]).reshape(len(rows), width)


def _ints(values: object) -> Ints:
    return np.array(values, dtype=np.int32)
