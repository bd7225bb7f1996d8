"""The cheapest place for one visit in one running route, and in each of them. Compiled."""

import numpy as np

from server.dispatch.planner.arrays import Arrays, Longs, Random
from server.dispatch.planner.compiled import compiled, inlined
from server.dispatch.planner.routes import IMPOSSIBLE, Routes, driven, extended, joined, price_of


@inlined
def uniform(state: Random) -> float:
    """The next number in [0, 1) of an xorshift generator; `state` is one unsigned 64-bit number that isn't zero."""
    x = state[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[0] = x
    return float(x >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@inlined
def cheapest(p: Arrays, routes: Routes, r: int, visit: int, bound: int) -> tuple[int, int, int]:
    """Answer (cost, position, position of the warehouse or -1) of putting `visit` into route `r`.

    (bound, -1, -1) if no place costs less than `bound`.
    """
    route, row, shift, it = routes.routes[r], routes.stages[r], p.shifts[r], p.stops[visit]
    best, position, loading = bound, -1, -1
    first, last, fetches = shift.locked, route.size, False
    if last + 3 > row.shape[0]:
        last = -1  # full
    if p.loads:
        fetches = p.fetches[visit, r] or lacks_parts(p, routes, r, visit)
        if fetches and route.loading >= 0:
            first = max(first, route.loading + 1)
        elif fetches:
            best, position, loading = with_loading(p, routes, r, visit, bound)
            last = -1
    work, ways = p.work[visit, shift.pace], p.ways[it.place]
    fixed, ready = shift.fixed if route.size == 0 else 0, it.opens + work
    for i in range(first, last + 1):
        stage = row[i]
        # Most places are too late or too early whatever the ways are, and ways are what takes time to look up.
        if stage.earliest + stage.length > it.closes:
            break
        if stage.then_latest < ready:
            continue
        b = row[i + 1].place
        there, onward = ways[stage.place, 1], ways[b, 0]
        cost = price_of(p, it.place, stage.place, 1, there) + price_of(p, it.place, b, 0, onward) - stage.leg + fixed
        # Time away can shrink where a window further on is given up; what the ways cost is no bound then.
        if cost >= best and not (p.driven and (p.second_away or p.fairness)):
            continue
        if stage.earliest + stage.length + there > it.closes:
            break  # whatever comes later is reached later still
        earliest, latest, length = extended(
            stage.earliest, stage.latest, stage.length, there, it.opens, it.closes, work
        )
        length = joined(earliest, latest, length, onward, stage.then_earliest, stage.then_latest, stage.then_length)
        if length >= IMPOSSIBLE:
            continue
        if p.driven:
            cost = driven(p, r, row, route.size, visit, i, -1)
            if cost >= IMPOSSIBLE:
                continue
            cost -= route.cost
        else:
            cost += p.second_away * (length - route.length)
        if cost < best:
            best, position = cost, i
    return best, position, loading


@compiled
def places(p: Arrays, routes: Routes, visit: int, costs: Longs, positions: Longs, loadings: Longs) -> None:
    """Fill in, for every shift, what `cheapest` answers for it; a cost of IMPOSSIBLE where the visit can't go.

    Shapes: costs, positions and loadings are [m].
    """
    for r in range(p.able.shape[1]):
        costs[r], positions[r], loadings[r] = IMPOSSIBLE, -1, -1
        if p.able[visit, r]:
            costs[r], positions[r], loadings[r] = cheapest(p, routes, r, visit, IMPOSSIBLE)


@compiled
def lacks_parts(p: Arrays, routes: Routes, r: int, visit: int) -> bool:
    for b in range(p.uses.shape[1]):
        if p.uses[visit, b] and routes.used[r, b] + p.uses[visit, b] > p.stock[r, b]:
            return True
    return False


@compiled
def with_loading(p: Arrays, routes: Routes, r: int, visit: int, bound: int) -> tuple[int, int, int]:
    """The cheapest place for the visit with the warehouse somewhere before it; position -1 if none is below `bound`."""
    route, row, shift, it = routes.routes[r], routes.stages[r], p.shifts[r], p.stops[visit]
    size, pace = route.size, shift.pace
    stop = p.able.shape[0] + r
    depot = p.stops[stop]
    best, position, loading = bound, -1, -1
    fixed = shift.fixed if size == 0 else 0
    if size + 4 > row.shape[0]:
        return best, position, loading
    for q in range(shift.locked, size + 1):
        stage = row[q]
        way = p.ways[stage.place, depot.place, 0]
        if stage.earliest + stage.length + way > depot.closes:
            break
        earliest, latest, length = extended(
            stage.earliest, stage.latest, stage.length, way, depot.opens, depot.closes, p.work[stop, pace]
        )
        place, price = depot.place, fixed + price_of(p, stage.place, depot.place, 0, way)
        for i in range(q, size + 1):
            then, b = row[i], row[i + 1].place
            way, onward = p.ways[place, it.place, 0], p.ways[it.place, b, 0]
            if earliest + length + way > it.closes:
                break
            cost = price + price_of(p, place, it.place, 0, way) + price_of(p, it.place, b, 0, onward) - then.leg
            early, late, away = extended(earliest, latest, length, way, it.opens, it.closes, p.work[visit, pace])
            away = joined(early, late, away, onward, then.then_earliest, then.then_latest, then.then_length)
            if away >= IMPOSSIBLE:
                cost = IMPOSSIBLE
            elif p.driven:
                cost = driven(p, r, row, size, visit, i, q)
                if cost < IMPOSSIBLE:
                    cost -= route.cost
            else:
                cost += p.second_away * (away - route.length)
            if cost < best:
                best, position, loading = cost, i, q
            if i < size:
                after = p.stops[then.stop]
                way = p.ways[place, after.place, 0]
                if earliest + length + way > after.closes:
                    break
                earliest, latest, length = extended(
                    earliest, latest, length, way, after.opens, after.closes, p.work[then.stop, pace]
                )
                price += price_of(p, place, after.place, 0, way) - then.leg
                place = after.place
    return best, position, loading
