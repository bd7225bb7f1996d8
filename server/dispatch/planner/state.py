"""Where a search stands, and how a step that doesn't stand is taken back. Compiled."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from server.dispatch.planner.arrays import Arrays, Flags, Ints, Longs, Random, Records
from server.dispatch.planner.compiled import compiled, inlined
from server.dispatch.planner.insertion import uniform
from server.dispatch.planner.pool import Chosen, Pool, empty_pool
from server.dispatch.planner.routes import Routes, copied, refresh


class Search(NamedTuple):
    """Where a search stands: `routes` wander, `best` is the cheapest plan met."""

    routes: Routes
    best: Routes
    costs: Longs  # [2] of the routes, of the best
    random: Random  # [1]
    left_out: Ints  # [n + 1] visits, their number last
    taken: Ints  # [n + 1] visits taken out in this step, their number last
    touched: Ints  # [m + 1] routes changed in this step, their number last
    is_touched: Flags  # [m]
    old: Routes  # those as they were before this step
    seen: Longs  # [m + 1] how many looks were taken, then the last one at each route
    order: Ints  # [n]
    keys: NDArray[np.float64]  # [n]
    pool: Pool
    looked: Records  # [n, m] what a visit would cost in a route when that was last looked at


LOOK = np.dtype(
    [
        ("mark", np.uint64),  # of the route then
        ("cost", np.int64),  # of the cheapest place; without one, what no place is below
        ("position", np.int16),
        ("loading", np.int16),
    ],
    align=True,
)


def begun(arrays: Arrays, routes: Routes, seed: int) -> Search:
    """A search that starts from `routes`."""
    visits, shifts = arrays.able.shape
    left_out = np.zeros(visits + 1, np.int32)
    absent = np.flatnonzero(routes.shift < 0)
    left_out[: len(absent)] = absent
    left_out[-1] = len(absent)
    cost = int(routes.routes["cost"].sum() + arrays.stops["penalty"][absent].sum()) + changes(arrays, routes)
    mixed = (seed * 2_654_435_761 + 88_172_645_463_325_252) % 2**64
    search = Search(
        routes=routes,
        best=copied(routes),
        costs=np.array([cost, cost], np.int64),
        random=np.array([mixed or 1], np.uint64),
        left_out=left_out,
        taken=np.zeros(visits + 1, np.int32),
        touched=np.zeros(shifts + 1, np.int32),
        is_touched=np.zeros(shifts, np.bool_),
        old=copied(routes),
        seen=np.zeros(shifts + 1, np.int64),
        order=np.zeros(visits, np.int32),
        keys=np.zeros(visits, np.float64),
        pool=empty_pool(routes),
        looked=np.zeros((visits, shifts), LOOK),
    )
    for _ in range(5):
        uniform(search.random)
    return search


def adopt(arrays: Arrays, s: Search, chosen: Chosen) -> None:
    """Go on from these routes, which cost less than the best so far."""
    s.routes.shift[:] = -1
    s.routes.routes["size"] = 0
    rows = dict(chosen)
    for r in range(len(s.routes.routes)):
        stops = rows.get(r, [])
        s.routes.stages[r]["stop"][: len(stops)] = stops
        s.routes.routes[r]["size"] = len(stops)
        refresh(arrays, s.routes, r)
    absent = np.flatnonzero(s.routes.shift < 0)
    s.left_out[: len(absent)], s.left_out[-1] = absent, len(absent)
    cost = int(s.routes.routes["cost"].sum() + arrays.stops["penalty"][absent].sum())
    s.costs[:] = cost + changes(arrays, s.routes)
    keep_best(s)


def changes(arrays: Arrays, routes: Routes) -> int:
    """What it costs that visits are not where people know them to be."""
    visits = arrays.stops[: len(routes.shift)]
    moved = (routes.shift >= 0) & (visits["known"] >= 0) & (routes.shift != visits["known"])
    return int(visits["change"][moved].sum())


@inlined
def touch(s: Search, r: int) -> None:
    if not s.is_touched[r]:
        s.is_touched[r] = True
        s.touched[s.touched[-1]] = r
        s.touched[-1] += 1
        _copy(s.routes, s.old, r)


@inlined
def position_of(routes: Routes, r: int, visit: int) -> int:
    i = 0
    while routes.stages[r, i].stop != visit:
        i += 1
    return i


@inlined
def keep_count(s: Search) -> None:
    """After a step that stands: who is left out now."""
    kept = 0
    for i in range(s.left_out[-1]):
        if s.routes.shift[s.left_out[i]] < 0:
            s.left_out[kept] = s.left_out[i]
            kept += 1
    for i in range(s.taken[-1]):
        if s.routes.shift[s.taken[i]] < 0:
            s.left_out[kept] = s.taken[i]
            kept += 1
    s.left_out[-1] = kept


@compiled
def keep_best(s: Search) -> None:
    for r in range(s.best.routes.shape[0]):
        s.best.routes[r].size, s.best.routes[r].cost = s.routes.routes[r].size, s.routes.routes[r].cost
        for i in range(s.routes.routes[r].size):
            s.best.stages[r, i].stop = s.routes.stages[r, i].stop


@inlined
def undo(p: Arrays, s: Search) -> None:
    """After a step that doesn't: the routes are as they were."""
    routes, n = s.routes, p.able.shape[0]
    for k in range(s.touched[-1]):
        r = s.touched[k]
        for i in range(routes.routes[r].size):
            stop = routes.stages[r, i].stop
            if stop < n:
                routes.shift[stop] = -1
    for k in range(s.touched[-1]):
        r = s.touched[k]
        _copy(s.old, routes, r)
        for i in range(routes.routes[r].size):
            stop = routes.stages[r, i].stop
            if stop < n:
                routes.shift[stop] = r


@inlined
def _copy(one: Routes, other: Routes, r: int) -> None:
    """Make one route what it is elsewhere; where its visits are is the caller's."""
    other.routes[r] = one.routes[r]
    for i in range(one.routes[r].size + 2):
        other.stages[r, i] = one.stages[r, i]
    for b in range(one.used.shape[1]):
        other.used[r, b] = one.used[r, b]
