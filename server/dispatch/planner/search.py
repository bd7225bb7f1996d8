"""Ruin and recreate under cooling: strings of visits are taken out and put back, each where it costs least.

After Christiaens & Vanden Berghe, "Slack induction by string removals for vehicle routing problems" (2020), with orders
of putting back and candidate routes that suit many different engineers. Compiled.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from server.dispatch.planner.arrays import Arrays, Flags, Ints, Longs, Random, Records
from server.dispatch.planner.compiled import compiled, inlined
from server.dispatch.planner.insertion import cheapest, uniform
from server.dispatch.planner.routes import IMPOSSIBLE, Routes, copied, refresh

_STRINGS = 10.0  # visits taken out at once on average
_LONGEST = 10.0  # visits of one string
_SPLIT = 0.5  # how often a string leaves some of its visits where they are
_BLINK = 0.01
_NEAR_SHIFTS = 6  # looked at besides the routes of neighbours
_PATIENT = 0.05  # how often visits are put in though they cost more than their penalties, up to so many times
_PATIENCE = 3
_RETRIED = 20  # visits that were left out and are tried again in one step


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
    )
    for _ in range(5):
        uniform(search.random)
    return search


def changes(arrays: Arrays, routes: Routes) -> int:
    """What it costs that visits are not where people know them to be."""
    visits = arrays.stops[: len(routes.shift)]
    moved = (routes.shift >= 0) & (visits["known"] >= 0) & (routes.shift != visits["known"])
    return int(visits["change"][moved].sum())


@compiled
def anneal(p: Arrays, s: Search, steps: int, warm: float, cool: float) -> None:
    """Take so many steps while the temperature (cost units) falls from `warm` to `cool`."""
    factor = (cool / warm) ** (1.0 / max(1, steps))
    for _ in range(steps):
        before = s.costs[0]
        gain = _ruin(p, s)
        gain += _recreate(p, s)
        after = before + gain
        if after < before - warm * math.log(uniform(s.random) + 1e-300):
            s.costs[0] = after
            _keep_count(s)
            if after < s.costs[1]:
                s.costs[1] = after
                _keep_best(s)
        else:
            _undo(p, s)
        for i in range(s.touched[-1]):
            s.is_touched[s.touched[i]] = False
        s.touched[-1] = 0
        warm *= factor


@compiled
def _touch(s: Search, r: int) -> None:
    if not s.is_touched[r]:
        s.is_touched[r] = True
        s.touched[s.touched[-1]] = r
        s.touched[-1] += 1
        _copy(s.routes, s.old, r)


@compiled
def _ruin(p: Arrays, s: Search) -> int:
    """Take strings of visits out of routes that pass near a random visit. Answers the change of cost."""
    routes, n = s.routes, p.able.shape[0]
    s.taken[-1] = 0
    running, served = 0, n - s.left_out[-1]
    for r in range(routes.routes.shape[0]):
        running += routes.routes[r].size > 0
    longest = max(1.0, min(_LONGEST, served / max(1, running)))
    strings = int(uniform(s.random) * (4.0 * _STRINGS / (1.0 + longest) - 1.0) + 1.0)
    centre = int(uniform(s.random) * n)
    for k in range(p.near.shape[1] + 1):
        visit = centre if k == 0 else p.near[centre, k - 1]
        r = routes.shift[visit]
        if r < 0 or s.is_touched[r]:
            continue
        position = _position(routes, r, visit)
        if position < p.shifts[r].locked:
            continue
        free = routes.routes[r].size - p.shifts[r].locked
        _touch(s, r)
        _take_string(p, s, r, position, free, min(float(free), longest))
        strings -= 1
        if strings <= 0:
            break
    gain = 0
    for i in range(s.taken[-1]):
        visit = s.taken[i]
        r = routes.shift[visit]
        routes.shift[visit] = -1
        it = p.stops[visit]
        gain += it.penalty
        if it.known >= 0 and it.known != r:
            gain -= it.change
    for i in range(s.touched[-1]):
        r = s.touched[i]
        gain -= routes.routes[r].cost
        if p.loads and routes.routes[r].loading >= 0:
            _settle_loading(p, routes, r)
        refresh(p, routes, r)
        gain += routes.routes[r].cost
    return gain


@inlined
def _position(routes: Routes, r: int, visit: int) -> int:
    i = 0
    while routes.stages[r, i].stop != visit:
        i += 1
    return i


@compiled
def _take_string(p: Arrays, s: Search, r: int, position: int, free: int, longest: float) -> None:
    """Take out up to `longest` visits around a position, perhaps leaving a few in their midst."""
    n, row, size = p.able.shape[0], s.routes.stages[r], s.routes.routes[r].size
    length = min(free, int(uniform(s.random) * longest + 1.0))
    spared = 0
    if free > length and uniform(s.random) < _SPLIT:
        spared = 1
        while length + spared < free and uniform(s.random) < _SPLIT:
            spared += 1
    whole = length + spared
    low, high = max(p.shifts[r].locked, position - whole + 1), min(position, size - whole)
    begin = low + int(uniform(s.random) * (high - low + 1))
    spare = begin + (int(uniform(s.random) * (length + 1)) if spared else 0)
    kept = begin
    for i in range(begin, size):
        stop = row[i].stop
        if i < begin + whole and not spare <= i < spare + spared and stop < n:
            s.taken[s.taken[-1]] = stop
            s.taken[-1] += 1
        else:
            row[kept].stop = stop
            kept += 1
    s.routes.routes[r].size = kept


@compiled
def _recreate(p: Arrays, s: Search) -> int:
    """Put what was taken out, and some of what was left out before, back where it costs least."""
    routes, gain = s.routes, 0
    # A first visit alone may cost more than its penalty, and with the second beside it no longer.
    patience = _PATIENCE if uniform(s.random) < _PATIENT else 1
    for k in range(_ordered(p, s)):
        visit = s.order[k]
        bound = patience * p.stops[visit].penalty
        _, r, position, loading = best_place(p, routes, visit, bound, _BLINK, s.seen, s.random)
        if r < 0:
            continue
        _touch(s, r)
        it = p.stops[visit]
        gain -= routes.routes[r].cost + it.penalty
        put(p, routes, r, visit, position, loading)
        gain += routes.routes[r].cost
        if it.known >= 0 and it.known != r:
            gain += it.change
    return gain


@compiled
def best_place(
    p: Arrays, routes: Routes, visit: int, bound: int, blink: float, seen: Longs, random: Random
) -> tuple[int, int, int, int]:
    """Answer (cost, route, position, position of the warehouse) where a visit costs least; route -1: not below `bound`.

    Looked at are the routes of the visits around it, and the shifts that begin nearest: a few, or all if none of them
    has a place. seen: the last look at each.
    """
    seen[0] += 1  # the first entry counts the looks; route r keeps its own at r + 1
    it, look, at, position, loading = p.stops[visit], seen[0], -1, -1, -1
    best, near = bound, p.near.shape[1]
    for k in range(near + p.near_shifts.shape[1]):
        if k < near:
            r = routes.shift[p.near[visit, k]]
            if r < 0:
                continue
        else:
            r = p.near_shifts[visit, k - near]
            # Who begins farther off is only asked if nobody near has a place.
            if r < 0 or (at >= 0 and k - near >= _NEAR_SHIFTS):
                break
        if seen[r + 1] == look or not p.able[visit, r]:
            continue
        seen[r + 1] = look
        more = it.change if it.known >= 0 and it.known != r else 0
        cost, i, q = cheapest(p, routes, r, visit, best - more, blink, random)
        if cost + more < best:
            best, at, position, loading = cost + more, r, i, q
    return best, at, position, loading


@compiled
def put(p: Arrays, routes: Routes, r: int, visit: int, position: int, loading: int) -> bool:
    """Put a visit into a route, and before it the warehouse if `loading` says where."""
    _insert(routes, r, visit, position)
    if loading >= 0:
        _insert(routes, r, p.able.shape[0] + r, loading)
    return refresh(p, routes, r)


@inlined
def _insert(routes: Routes, r: int, stop: int, position: int) -> None:
    row = routes.stages[r]
    for i in range(routes.routes[r].size, position, -1):
        row[i].stop = row[i - 1].stop
    row[position].stop = stop
    routes.routes[r].size += 1


@compiled
def _ordered(p: Arrays, s: Search) -> int:
    """Line up what is to be put back, by one of several tastes; answers how many."""
    count = 0
    for i in range(s.taken[-1]):
        s.order[count] = s.taken[i]
        count += 1
    waiting = s.left_out[-1]
    skip = int(uniform(s.random) * waiting) if waiting > _RETRIED else 0
    for i in range(min(waiting, _RETRIED)):
        s.order[count] = s.left_out[(skip + i) % waiting]
        count += 1
    if count == 0:
        return 0
    taste, centre = uniform(s.random), p.stops[s.order[0]].place
    for i in range(count):
        visit = s.order[i]
        it = p.stops[visit]
        if taste < 0.3:
            key = uniform(s.random)
        elif taste < 0.5:
            key = uniform(s.random) - it.penalty
        elif taste < 0.65:
            key = float(it.closes - it.opens)
        elif taste < 0.75:
            key = float(it.opens)
        elif taste < 0.85:
            key = -float(it.closes)
        elif taste < 0.93:
            key = -float(p.ways[centre, it.place, 0])
        else:
            key = float(p.ways[centre, it.place, 0])
        # Few come at once: sorting by insertion as they come.
        j = i - 1
        while j >= 0 and s.keys[j] > key:
            s.keys[j + 1], s.order[j + 1] = s.keys[j], s.order[j]
            j -= 1
        s.keys[j + 1], s.order[j + 1] = key, visit
    return count


@compiled
def _settle_loading(p: Arrays, routes: Routes, r: int) -> None:
    """Drop the warehouse from a route that no longer needs it, or move it to where it costs least."""
    n, route, row = p.able.shape[0], routes.routes[r], routes.stages[r]
    kept = 0
    for i in range(route.size):
        if row[i].stop < n:
            row[kept].stop = row[i].stop
            kept += 1
    route.size = kept
    until = _needed_before(p, r, row, kept)
    if until < 0:
        return
    best, position = IMPOSSIBLE, 0
    for q in range(p.shifts[r].locked, until + 1):
        _insert(routes, r, n + r, q)
        if refresh(p, routes, r) and route.cost < best:
            best, position = route.cost, q
        for i in range(q, kept):
            row[i].stop = row[i + 1].stop
        route.size = kept
    _insert(routes, r, n + r, position)


@compiled
def _needed_before(p: Arrays, r: int, row: Records, size: int) -> int:
    """Answer the first visit that can't be done without loading, -1 if all can. Who is under way has what they need."""
    left, locked = p.stock[r].copy(), p.shifts[r].locked
    for i in range(size):
        stop = row[i].stop
        if i >= locked and p.fetches[stop, r]:
            return i
        for b in range(left.shape[0]):
            left[b] -= p.uses[stop, b]
            if i >= locked and p.uses[stop, b] and left[b] < 0:
                return i
    return -1


@compiled
def _keep_count(s: Search) -> None:
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
def _keep_best(s: Search) -> None:
    for r in range(s.best.routes.shape[0]):
        s.best.routes[r].size = s.routes.routes[r].size
        for i in range(s.routes.routes[r].size):
            s.best.stages[r, i].stop = s.routes.stages[r, i].stop


@compiled
def _undo(p: Arrays, s: Search) -> None:
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


@compiled
def _copy(one: Routes, other: Routes, r: int) -> None:
    """Make one route what it is elsewhere; where its visits are is the caller's."""
    other.routes[r] = one.routes[r]
    for i in range(one.routes[r].size + 2):
        other.stages[r, i] = one.stages[r, i]
    for b in range(one.used.shape[1]):
        other.used[r, b] = one.used[r, b]
