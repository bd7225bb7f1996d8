"""Putting stops into routes, and where the warehouse comes in them. Compiled."""

from server.dispatch.planner.arrays import Arrays, Records
from server.dispatch.planner.compiled import compiled, inlined
from server.dispatch.planner.routes import IMPOSSIBLE, Routes, refresh


@inlined
def put(p: Arrays, routes: Routes, r: int, visit: int, position: int, loading: int) -> bool:
    """Put a visit into a route, and before it the warehouse if `loading` says where."""
    insert_stop(routes, r, visit, position)
    if loading >= 0:
        insert_stop(routes, r, p.able.shape[0] + r, loading)
    return refresh(p, routes, r)


@inlined
def insert_stop(routes: Routes, r: int, stop: int, position: int) -> None:
    row = routes.stages[r]
    for i in range(routes.routes[r].size, position, -1):
        row[i].stop = row[i - 1].stop
    row[position].stop = stop
    routes.routes[r].size += 1


@compiled
def settle_loading(p: Arrays, routes: Routes, r: int) -> None:
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
        insert_stop(routes, r, n + r, q)
        if refresh(p, routes, r) and route.cost < best:
            best, position = route.cost, q
        for i in range(q, kept):
            row[i].stop = row[i + 1].stop
        route.size = kept
    insert_stop(routes, r, n + r, position)


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
