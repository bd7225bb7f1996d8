"""Running routes, and what they cost. Compiled.

A stretch of a route is three numbers, (earliest, latest, length): leaving within [earliest, latest] takes `length` from
the first departure to the end of the last work, waiting included; leaving before `earliest` only waits more. Two
stretches join in constant time, so a place for a visit is judged without looking at the rest of the route (Vidal et
al., "A hybrid genetic algorithm with adaptive diversity management", 2013, section 4.4.1, without its lateness).

Breaks, overtime, promises and second windows can't be said that way. Where a problem has any, stretches only bound: the
windows they see are the widest ones, and a place that passes is driven through, stop by stop.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from server.dispatch.planner.arrays import NEVER, Arrays, Ints, Records
from server.dispatch.planner.compiled import compiled, inlined

IMPOSSIBLE = 2**60
_QUARTER = 900  # seconds

# A position in a route: what leads there, what comes next, and what follows from it.
STAGE = np.dtype(
    [
        ("place", np.int32),  # where one is before the next stop
        ("stop", np.int32),  # the next stop
        ("leg", np.int32),  # price of the way to it
        ("earliest", np.int32),  # the stretch from the start to this place
        ("latest", np.int32),
        ("length", np.int32),
        ("then_earliest", np.int32),  # the stretch from the next stop to the end
        ("then_latest", np.int32),
        ("then_length", np.int32),
    ]
)
ROUTE = np.dtype(
    [
        ("size", np.int32),
        ("loading", np.int32),  # position of the warehouse, -1 for none
        ("length", np.int64),  # seconds away from home, as stretches say it
        ("cost", np.int64),
        ("mark", np.uint64),  # of its stops in their order; with the same mark it is the same route
    ],
    align=True,
)


class Routes(NamedTuple):
    """One plan under work: m shifts, up to c stops each."""

    routes: Records  # [m]
    stages: Records  # [m, c + 2]; the last of a route is its end
    shift: Ints  # [n] of each visit, -1 where it is left out
    used: Ints  # [m, b] parts taken from the van before loading


def empty_routes(arrays: Arrays) -> Routes:
    visits, shifts = arrays.able.shape
    usual = 4 * -(-visits // max(1, shifts)) + 24
    capacity = min(visits, usual + int(arrays.shifts["locked"].max(initial=0))) + 1
    empty = Routes(
        routes=np.zeros(shifts, ROUTE),
        stages=np.zeros((shifts, capacity + 2), STAGE),
        shift=np.full(visits, -1, np.int32),
        used=np.zeros((shifts, arrays.uses.shape[1]), np.int32),
    )
    for r in range(shifts):
        refresh(arrays, empty, r)
    return empty


def copied(it: Routes) -> Routes:
    return Routes(it.routes.copy(), it.stages.copy(), it.shift.copy(), it.used.copy())


def lay(arrays: Arrays, routes: Routes, r: int, visits: Sequence[int | None]) -> bool:
    """Make a route these visits, None being the warehouse; answers whether it can be driven."""
    depot = len(arrays.able) + r
    routes.stages[r]["stop"][: len(visits)] = [depot if it is None else it for it in visits]
    routes.routes[r]["size"] = len(visits)
    return bool(refresh(arrays, routes, r))


@inlined
def price_of(p: Arrays, here: int, there: int, back: int, seconds: int) -> int:
    """What the way between two places costs: `back` = 0 from here to there, 1 from there to here."""
    return int(p.price[here, there, back]) if p.priced else p.second_travelled * seconds


@inlined
def extended(
    earliest: int, latest: int, length: int, way: int, opens: int, closes: int, work: int
) -> tuple[int, int, int]:
    """A stretch and one more stop; the caller has seen that it can be reached."""
    delta = length + way
    wait = max(0, opens - delta - latest)
    return max(earliest, opens - delta) - wait, min(latest, closes - delta), delta + work + wait


@inlined
def joined(
    earliest: int, latest: int, length: int, way: int, then_earliest: int, then_latest: int, then_length: int
) -> int:
    """How long two stretches take together; IMPOSSIBLE if the second is reached too late."""
    delta = length + way
    if earliest + delta > then_latest:
        return IMPOSSIBLE
    return delta + then_length + max(0, then_earliest - delta - latest)


@inlined
def mixed(mark: np.uint64) -> np.uint64:
    """Spread what differs in one bit over many."""
    mark *= np.uint64(0x9E3779B97F4A7C15)
    return mark ^ (mark >> np.uint64(29))


@inlined
def refresh(p: Arrays, routes: Routes, r: int) -> bool:
    """Compute everything about route `r` anew from its stops. Answers False if it can't be driven."""
    route, row, shift = routes.routes[r], routes.stages[r], p.shifts[r]
    n, size, pace = p.able.shape[0], route.size, shift.pace
    route.loading = -1
    if p.loads:
        for b in range(p.uses.shape[1]):
            routes.used[r, b] = 0
    row[0].place, row[0].earliest, row[0].latest, row[0].length = shift.start, shift.starts, shift.over, 0
    here, price, fits = shift.start, 0, True
    mark = mixed(np.uint64(r + 1))
    earliest, latest, length = shift.starts, shift.over, 0
    for i in range(size):
        stop = row[i].stop
        it = p.stops[stop]
        mark = mixed(mark ^ np.uint64(stop))
        if stop >= n:
            route.loading = i
        else:
            routes.shift[stop] = r
            if p.loads and route.loading < 0:
                for b in range(p.uses.shape[1]):
                    routes.used[r, b] += p.uses[stop, b]
        way = p.ways[here, it.place, 0]
        leg = price_of(p, here, it.place, 0, way)
        price += leg
        if earliest + length + way > it.closes:
            fits = False
        earliest, latest, length = extended(earliest, latest, length, way, it.opens, it.closes, p.work[stop, pace])
        row[i].leg = leg
        here = it.place
        then = row[i + 1]
        then.place, then.earliest, then.latest, then.length = here, earliest, latest, length
    route.mark = mark
    last, way = row[size], p.ways[here, shift.end, 0]
    leg = price_of(p, here, shift.end, 0, way) if size else 0
    last.leg, last.then_earliest, last.then_latest, last.then_length = leg, shift.starts, shift.over, 0
    row[size + 1].place = shift.end
    if size == 0:
        route.length, route.cost = 0, 0
        return True
    away = joined(earliest, latest, length, way, shift.starts, shift.over, 0)
    earliest, latest, length = shift.starts, shift.over, 0
    for i in range(size - 1, -1, -1):
        stop = row[i].stop
        it, work = p.stops[stop], p.work[stop, pace]
        delta = work + way
        wait = max(0, earliest - delta - it.closes)
        earliest, latest = max(earliest - delta, it.opens) - wait, min(latest - delta, it.closes)
        length += delta + wait
        row[i].then_earliest, row[i].then_latest, row[i].then_length = earliest, latest, length
        way = p.ways[row[i].place, it.place, 0]
    route.length = away
    if p.driven:
        route.cost = driven(p, r, row, size, -1, -1, -1)
    else:
        route.cost = price + leg + p.second_away * away + shift.fixed
    return bool(fits and away < IMPOSSIBLE and route.cost < IMPOSSIBLE)


@compiled
def driven(p: Arrays, r: int, row: Records, size: int, visit: int, position: int, loading: int) -> int:
    """What a route costs when it is driven as early as it can be: the meaning of breaks, promises and overtime.

    With `visit` put before `position`, and the warehouse before `loading`, unless they are -1. IMPOSSIBLE if it can't
    be driven. Two clocks run beside each other, one whose rest is still to come; the rest is taken on arrival, or
    before leaving where it would be too late by then.
    """
    shift = p.shifts[r]
    opens, closes, lasts = shift.rest_opens, shift.rest_closes, shift.rest_lasts
    unrested, rested = shift.starts, IMPOSSIBLE
    late_unrested, late_rested = 0, 0
    place, price = shift.start, shift.fixed
    # How much later one may leave home: no stop may be late for it, and no more than is waited away.
    waited, leeway = 0, NEVER
    i, fresh, load = 0, visit >= 0, loading >= 0
    while i < size or fresh or load:
        if load and i == loading:
            stop, load = p.able.shape[0] + r, False
        elif fresh and i == position:
            stop, fresh = visit, False
        else:
            stop, i = row[i].stop, i + 1
        it, work = p.stops[stop], p.work[stop, shift.pace]
        way = p.ways[place, it.place, 0]
        price += price_of(p, place, it.place, 0, way)
        place = it.place
        begun_rested, late_then = IMPOSSIBLE, late_rested
        if rested < IMPOSSIBLE:
            begun_rested = _begun(p, stop, rested + way)
        if unrested < IMPOSSIBLE:
            if lasts:
                begun = _begun(p, stop, _after_rest(unrested, way, opens, closes, lasts))
                if begun < begun_rested:
                    begun_rested, late_then = begun, late_unrested
            begun = _begun(p, stop, unrested + way)
            if begun < IMPOSSIBLE:
                closing = _closing(p, stop, begun)
                waited += begun - unrested - way
                leeway = min(leeway, waited + (min(closing, max(begun, it.due)) if it.late else closing) - begun)
                late_unrested += it.late * max(0, begun - it.due)
                begun += work
            unrested = begun
        if begun_rested < IMPOSSIBLE:
            late_rested = late_then + it.late * max(0, begun_rested - it.due)
            begun_rested += work
        rested = begun_rested
        if unrested >= IMPOSSIBLE and rested >= IMPOSSIBLE:
            return IMPOSSIBLE
    way = p.ways[place, shift.end, 0]
    price += price_of(p, place, shift.end, 0, way)
    home, late = rested + way, late_rested
    if lasts and max(unrested, opens) <= closes and max(unrested, opens) + lasts + way < home:
        home, late = max(unrested, opens) + lasts + way, late_unrested
    if unrested + way < home and (lasts == 0 or unrested + way <= closes):
        home, late = unrested + way, late_unrested
    if home > shift.over:
        return IMPOSSIBLE
    away = home - shift.starts - (min(leeway, waited) if lasts == 0 else 0)
    quarters = away // _QUARTER
    overtime = shift.overtime * max(0, home - shift.ends)
    return int(price + p.second_away * away + p.fairness * quarters * quarters + late + overtime)


@inlined
def _after_rest(time: int, way: int, opens: int, closes: int, lasts: int) -> int:
    """When one arrives rested: having rested there, or before leaving, or never."""
    if max(time + way, opens) <= closes:
        return max(time + way, opens) + lasts
    if max(time, opens) <= closes:
        return max(time, opens) + lasts + way
    return IMPOSSIBLE


@inlined
def _begun(p: Arrays, stop: int, arrives: int) -> int:
    """When work begins in the first window that is still open."""
    for w in range(p.windows.shape[1]):
        if arrives <= p.windows[stop, w, 1]:
            return max(arrives, int(p.windows[stop, w, 0]))
    return IMPOSSIBLE


@inlined
def _closing(p: Arrays, stop: int, begun: int) -> int:
    for w in range(p.windows.shape[1]):
        if begun <= p.windows[stop, w, 1]:
            return int(p.windows[stop, w, 1])
    return begun
