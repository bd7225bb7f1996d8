"""Two shifts trade what they do from some visit on, or all of it, which removing strings hardly ever does. Compiled."""

from server.dispatch.planner.arrays import Arrays
from server.dispatch.planner.compiled import inlined
from server.dispatch.planner.insertion import uniform
from server.dispatch.planner.loading import settle_loading
from server.dispatch.planner.routes import IMPOSSIBLE, refresh
from server.dispatch.planner.state import Search, position_of, touch

_ANYBODY = 0.3  # how often the other is any shift that is able, instead of one that makes a visit nearby


@inlined
def trade(p: Arrays, s: Search) -> int:
    """Trade around a random visit. Answers the change of cost, IMPOSSIBLE if it can't be driven."""
    s.taken[-1] = 0
    one, i, other, j = _drawn(p, s)
    if other < 0 or not _may_have(p, s, one, i, other, j) or not _may_have(p, s, other, j, one, i):
        return IMPOSSIBLE
    routes = s.routes.routes
    before = routes[one].cost + routes[other].cost
    touch(s, one)
    touch(s, other)
    after = _go_on(p, s, one, i, other, j) + _go_on(p, s, other, j, one, i)
    return int(min(after - before, IMPOSSIBLE))


@inlined
def _drawn(p: Arrays, s: Search) -> tuple[int, int, int, int]:
    """Answer two shifts, and from which position on each gives away what it does; the second is -1 if there is none."""
    routes, near, shifts = s.routes, p.near, p.near_shifts
    visit = int(uniform(s.random) * p.able.shape[0])
    one = routes.shift[visit]
    if one < 0:
        return -1, 0, -1, 0
    i = position_of(routes, one, visit)
    if uniform(s.random) < _ANYBODY or near.shape[1] == 0:
        other = shifts[visit, int(uniform(s.random) * shifts.shape[1])]
        j = p.shifts[other].locked
        if uniform(s.random) < 1 / 2:
            i = p.shifts[one].locked
        elif other >= 0:
            j = int(uniform(s.random) * (routes.routes[other].size + 1))
    else:
        beside = near[visit, int(uniform(s.random) * near.shape[1])]
        other = routes.shift[beside]
        i, j = i + 1, position_of(routes, other, beside) if other >= 0 else 0
    if other < 0 or other == one or i < p.shifts[one].locked or j < p.shifts[other].locked:
        return -1, 0, -1, 0
    return one, i, other, j


@inlined
def _may_have(p: Arrays, s: Search, one: int, i: int, other: int, j: int) -> bool:
    """Whether `one` is able, and has room, to do from position `i` on what `other` does from `j` on."""
    routes, n, size = s.routes, p.able.shape[0], s.routes.routes[other].size
    # A warehouse may come to it.
    if i + size - j + 3 > routes.stages.shape[1]:
        return False
    for k in range(j, size):
        stop = routes.stages[other, k].stop
        if stop < n and not p.able[stop, one]:
            return False
    return True


@inlined
def _go_on(p: Arrays, s: Search, one: int, i: int, other: int, j: int) -> int:
    """Let `one` go on from position `i` as `other` did from `j`. Answers what it costs, moved visits included."""
    routes, n, size, moved = s.routes, p.able.shape[0], i, 0
    for k in range(j, s.old.routes[other].size):
        stop = s.old.stages[other, k].stop
        routes.stages[one, size].stop = stop if stop < n else n + one
        size += 1
        if stop < n and p.stops[stop].known == one:
            moved -= p.stops[stop].change
        elif stop < n and p.stops[stop].known == other:
            moved += p.stops[stop].change
    routes.routes[one].size = size
    if p.loads:
        settle_loading(p, routes, one)
    return moved + routes.routes[one].cost if refresh(p, routes, one) else IMPOSSIBLE
