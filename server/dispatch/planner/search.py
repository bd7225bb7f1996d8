"""Ruin and recreate under cooling: strings of visits are taken out and put back, each where it costs least.

After Christiaens & Vanden Berghe, "Slack induction by string removals for vehicle routing problems" (2020), with orders
of putting back and candidate routes that suit many different engineers. Compiled.
"""

import math

from server.dispatch.planner.arrays import Arrays
from server.dispatch.planner.compiled import compiled, inlined
from server.dispatch.planner.insertion import cheapest, uniform
from server.dispatch.planner.loading import put, settle_loading
from server.dispatch.planner.pool import remember
from server.dispatch.planner.routes import refresh
from server.dispatch.planner.state import Search, keep_best, keep_count, position_of, touch, undo
from server.dispatch.planner.trading import trade

_TRADED = 0.2  # how often a step is a trade; it takes a twentieth of the time of the others
_STRINGS = 10.0  # visits taken out at once on average
_LONGEST = 10.0  # visits of one string
_SPLIT = 0.5  # how often a string leaves some of its visits where they are
_BLINK = 0.01  # how often a route is overlooked: who errs now and then finds the way out of more corners
_NEAR_SHIFTS = 6  # looked at besides the routes of neighbours
_PATIENT = 0.05  # how often visits are put in though they cost more than their penalties, up to so many times
_PATIENCE = 3
_RETRIED = 20  # visits that were left out and are tried again in one step


@compiled
def anneal(p: Arrays, s: Search, steps: int, warm: float, cool: float) -> None:
    """Take so many steps while the temperature (cost units) falls from `warm` to `cool`."""
    factor = (cool / warm) ** (1.0 / max(1, steps))
    for _ in range(steps):
        before = s.costs[0]
        if uniform(s.random) < _TRADED:
            gain = trade(p, s)
        else:
            gain = _ruin(p, s)
            gain += _recreate(p, s)
        after = before + gain
        if after < before - warm * math.log(uniform(s.random) + 1e-300):
            s.costs[0] = after
            keep_count(s)
            for i in range(s.touched[-1]):
                remember(s.pool, s.routes, s.touched[i])
            if after < s.costs[1]:
                s.costs[1] = after
                keep_best(s)
        else:
            undo(p, s)
        for i in range(s.touched[-1]):
            s.is_touched[s.touched[i]] = False
        s.touched[-1] = 0
        warm *= factor


@inlined
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
        position = position_of(routes, r, visit)
        if position < p.shifts[r].locked:
            continue
        free = routes.routes[r].size - p.shifts[r].locked
        touch(s, r)
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
            settle_loading(p, routes, r)
        refresh(p, routes, r)
        gain += routes.routes[r].cost
    return gain


@inlined
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


@inlined
def _recreate(p: Arrays, s: Search) -> int:
    """Put what was taken out, and some of what was left out before, back where it costs least."""
    routes, gain = s.routes, 0
    # A first visit alone may cost more than its penalty, and with the second beside it no longer.
    patience = _PATIENCE if uniform(s.random) < _PATIENT else 1
    for k in range(_ordered(p, s)):
        visit = s.order[k]
        bound = patience * p.stops[visit].penalty
        _, r, position, loading = _best_place(p, s, visit, bound)
        if r < 0:
            continue
        touch(s, r)
        it = p.stops[visit]
        gain -= routes.routes[r].cost + it.penalty
        put(p, routes, r, visit, position, loading)
        gain += routes.routes[r].cost
        if it.known >= 0 and it.known != r:
            gain += it.change
    return gain


@inlined
def _best_place(p: Arrays, s: Search, visit: int, bound: int) -> tuple[int, int, int, int]:
    """Answer (cost, route, position, position of the warehouse) where a visit costs least; route -1: not below `bound`.

    Looked at are the routes of the visits around it, and the shifts that begin nearest: a few, or all if none of them
    has a place. What was found in a route is true again whenever it has the same stops.
    """
    routes, seen, touched, looked, random = s.routes, s.seen, s.is_touched, s.looked, s.random
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
        if uniform(random) < _BLINK:
            continue
        more = it.change if it.known >= 0 and it.known != r else 0
        below, known, mark = best - more, looked[visit, r], routes.routes[r].mark
        cost, i, q = known.cost, known.position, known.loading
        if touched[r] or known.mark != mark or (i < 0 and cost < below):
            cost, i, q = cheapest(p, routes, r, visit, below)
            if not touched[r]:  # a step is mostly taken back: what was known before it is worth more
                known.mark, known.cost, known.position, known.loading = mark, cost, i, q
        if i >= 0 and cost < below:
            best, at, position, loading = cost + more, r, i, q
    return best, at, position, loading


@inlined
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
