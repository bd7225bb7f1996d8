"""Which instants to try for linked visits: where the routes have room, as early as their order allows, or anywhere."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from server.dispatch.planner.arrays import Flags
from server.dispatch.planner.links import FAR, Appointments, Linked, Made, Sequences, Span, Tours, Unit, visits_of
from server.dispatch.planner.plan import Tour, Undrivable, tour_of
from server.dispatch.planner.problem import Cost, Problem, Seconds, common_windows

STAY = 0.4  # how often a group keeps its instants, and only the spans between them move


ORDERED = 0.4  # how often instants follow from the order of stops alone


_WILD = 0.15  # how often an instant is any


_OMIT = 0.1  # how often something is left out on purpose


_TRIED = 24  # instants looked at


_FITTED = 8  # places in the order of stops looked at


_TURNS = 2000


def relaid(known: Linked, small: Problem, moved: Appointments, sequences: Sequences) -> dict[int, Tour]:
    """Drive the sequences within spans; where one can't be, the moved visits leave it."""
    found = {}
    for number, sequence in sequences.items():
        pace = known.problem.shifts[number].pace
        barred = {it for it, span in moved.items() if span is None or (span.pace is not None and pace > span.pace)}
        for gone in (barred, set(moved)):
            left = [it for it in sequence if it not in gone or it in known.locked]
            try:
                found[number] = tour_of(small, number, left)
                break
            except Undrivable:
                continue
    return {number: tour for number, tour in found.items() if tour.visits}


def fitted(known: Linked, random: Random, unit: Unit, sequences: Sequences) -> Sequences:
    """Answer the sequences with a unit in them where it is possible and costs little; as they are if nowhere."""
    places = [_places(known.problem, known.able[visit], sequences, visit) for visit in unit]
    for _ in range(_FITTED):
        drawn: dict[int, list[int | None]] = {it: list(sequence) for it, sequence in sequences.items()}
        taken = set[int]()
        for visit, them in zip(unit, places, strict=True):
            free = [it for it in them if known.problem.shifts[it[1]].engineer not in taken]
            if not free:
                return sequences
            _, number, position = min(free, key=lambda it: (it[0] + 1) * random.random())
            taken.add(known.problem.shifts[number].engineer)
            drawn.setdefault(number, []).insert(position, visit)
        equipped = all(_equipped(known.problem, number, sequence) for number, sequence in drawn.items())
        if equipped and earliest(known, drawn) is not None:
            return drawn
    return sequences


def _equipped(problem: Problem, number: int, sequence: Sequence[int | None]) -> bool:
    """Whether a van has what it takes for all that comes before the warehouse. Who is under way has it."""
    shift = problem.shifts[number]
    left = dict(enumerate(shift.stock))
    for it in sequence:
        if it is None:
            return True
        visit = problem.visits[it]
        left |= {kind: left.get(kind, 0) - taken for kind, taken in enumerate(visit.parts)}
        lacks = any(taken and left[kind] < 0 for kind, taken in enumerate(visit.parts))
        if it not in shift.locked and (lacks or not visit.equipment <= shift.equipment):
            return False
    return True


def _places(problem: Problem, able: Flags, sequences: Sequences, visit: int) -> list[tuple[Seconds, int, int]]:
    """Answer the detour, shift and position of every place for a visit, were there time."""
    found, place = [], problem.visits[visit].place
    for number in np.flatnonzero(able).tolist():
        shift, sequence = problem.shifts[number], sequences.get(number, ())
        stops = [shift.start, *(_place(problem, number, it) for it in sequence), shift.end]
        for k in range(len(shift.locked), len(sequence) + 1):
            here, there = stops[k], stops[k + 1]
            assert here is not None
            detour = _seconds(problem, here, place) + _seconds(problem, place, there) - _seconds(problem, here, there)
            found.append((max(0, detour), number, k))
    return found


def earliest(known: Linked, sequences: Sequences) -> Made | None:
    """Answer when all begin if everybody drives these sequences as early as links allow; None if that is too late.

    Breaks are roughly where they will be: who drives it for good finds out.
    """
    made: dict[int, tuple[int, Seconds, Seconds]] = {}
    where = {it: number for number, sequence in sequences.items() for it in sequence if it in known.units}
    bounds: dict[int, Seconds] = {}
    ahead = set(sequences)
    for _ in range(_TURNS):
        if not ahead:
            return made
        number = min(ahead)
        ahead.remove(number)
        if not _driven_early(known.problem, number, sequences[number], bounds, made):
            return None
        for visit in sequences[number]:
            for it, bound in _bounds(known, visit, made):
                if it in where and bound > max(bounds.get(it, -FAR), made[it][1] if it in made else -FAR):
                    bounds[it] = bound
                    ahead.add(where[it])
    return None


def _bounds(known: Linked, visit: int | None, made: Made) -> Iterable[tuple[int, Seconds]]:
    if visit is None or visit not in known.units:
        return
    _, begins, ends = made[visit]
    for mate in known.units[visit]:
        yield mate, begins
    for it in known.let_wait((visit,)):
        yield it.then, ends + it.gap


def _driven_early(
    problem: Problem,
    number: int,
    sequence: Sequence[int | None],
    bounds: Mapping[int, Seconds],
    made: dict[int, tuple[int, Seconds, Seconds]],
) -> bool:
    shift = problem.shifts[number]
    time, here, rest = shift.starts, shift.start, shift.rest
    for visit in sequence:
        place = _place(problem, number, visit)
        time, here = time + _seconds(problem, here, place), place
        if rest and time >= rest.opens:
            time, rest = time + rest.lasts, None
        if visit is None:
            depot = shift.warehouse
            time = max(time, depot.opens) + depot.loading if depot else time
            continue
        time = max(time, bounds.get(visit, time))
        window = next((it for it in problem.visits[visit].windows if time <= it.closes), None)
        if window is None:
            return False
        begins = max(time, window.opens)
        time = begins + problem.visits[visit].work * shift.pace // 100
        made[visit] = number, begins, time
    return time + _seconds(problem, here, shift.end) <= shift.over


def drawn(
    known: Linked,
    random: Random,
    group: tuple[Unit, ...],
    tours: Tours,
    *,
    kept: Made | None = None,
) -> Appointments:
    """Answer spans around instants where there is room beside these tours, or around any; those kept stay."""
    held = {it: kept[it] for it in visits_of(group) if it in kept} if kept else {}
    paces = {
        it: known.problem.shifts[held[it][0]].pace if it in held else _pace(known, random, it)
        for it in visits_of(group)
    }
    omitted = random.choice(group) if random.random() < _OMIT else ()
    latest = _latest(known, group, paces, omitted)
    begins = {it: made[1] for it, made in held.items()}
    for unit in group:
        waits = known.waits_for(unit)
        if unit == omitted or unit[0] in held or any(it.first not in begins for it in waits):
            continue
        if not all(it in known.locked or known.able[it].any() for it in unit):
            continue
        ends = [begins[it.first] + _effort(known, it.first, paces) + it.gap for it in waits]
        may = _may_begin(known, unit, max(ends, default=-FAR), latest[unit])
        if may:
            begins |= dict.fromkeys(unit, _instant(known, random, unit, tours, may))
    return _spans(known, random, group, begins, paces)


def _pace(known: Linked, random: Random, visit: int) -> int:
    shifts = known.problem.shifts
    if visit in known.locked:
        return shifts[known.locked[visit][2]].pace
    paces = sorted({shifts[it].pace for it in np.flatnonzero(known.able[visit]).tolist()}) or [100]
    return paces[-1] if random.random() < 1 / 2 else random.choice(paces)


def _effort(known: Linked, visit: int, paces: Mapping[int, int]) -> Seconds:
    return known.problem.visits[visit].work * paces[visit] // 100


def _latest(known: Linked, group: tuple[Unit, ...], paces: Mapping[int, int], omitted: Unit) -> dict[Unit, Seconds]:
    """Answer when each unit must begin at the latest for those that wait for it, as far as those could ever begin."""
    found: dict[int, Seconds] = {}
    units: dict[Unit, Seconds] = {}
    for unit in reversed(group):
        may = _may_begin(known, unit, -FAR, FAR)
        last = may[-1][1] if may else -FAR
        for it in known.let_wait(unit):
            bound = found.get(it.then, FAR) - it.gap - _effort(known, it.first, paces)
            if it.then not in omitted and may and bound >= may[0][0]:
                last = min(last, bound)
        units[unit] = last
        found |= dict.fromkeys(unit, last)
    return units


def _may_begin(known: Linked, unit: Unit, low: Seconds, high: Seconds) -> list[tuple[Seconds, Seconds]]:
    held = [known.locked[it] for it in unit if it in known.locked]
    low, high = max([low, *(it[0] for it in held)]), min([high, *(it[1] for it in held)])
    cut = [(max(opens, low), min(closes, high)) for opens, closes in _common(known, unit)]
    return [(opens, closes) for opens, closes in cut if opens <= closes]


def _common(known: Linked, unit: Unit) -> list[tuple[Seconds, Seconds]]:
    return common_windows([known.problem.visits[it] for it in unit])


def _spans(
    known: Linked, random: Random, group: tuple[Unit, ...], begins: Mapping[int, Seconds], paces: Mapping[int, int]
) -> Appointments:
    """Answer spans that contain these instants and keep every link whatever is done within them."""
    crews = {visit for unit in group if len(unit) > 1 for visit in unit}
    opens = {it: time if it in crews else -FAR for it, time in begins.items()}
    closes = {it: time if it in crews else FAR for it, time in begins.items()}
    for it in known.befores:
        if it.then not in begins:
            continue
        effort = _effort(known, it.first, paces)
        low, high = begins[it.first] + effort, begins[it.then] - it.gap
        share = 0.0 if it.first in crews else 1.0 if it.then in crews else random.choice((0.0, random.random(), 1.0))
        apart = low + int((high - low) * share)
        closes[it.first] = min(closes[it.first], apart - effort)
        opens[it.then] = max(opens[it.then], apart + it.gap)
    # Who is last may take any time for it.
    first = {it.first for it in known.befores if it.then in begins}
    return {
        it: Span(opens[it], closes[it], paces[it] if it in first and it not in known.locked else None)
        if it in begins
        else None
        for it in visits_of(group)
    }


@dataclass(frozen=True)
class _Gap:
    """Where a visit would fit into a tour: it could begin from `opens` to `closes`, for a detour."""

    engineer: int
    opens: Seconds
    closes: Seconds
    cost: Cost


def _instant(
    known: Linked, random: Random, unit: Unit, tours: Tours, may: Sequence[tuple[Seconds, Seconds]]
) -> Seconds:
    """Answer when a unit might begin: where it costs little beside these tours, or anywhere."""
    opens, closes = random.choice(may)
    anywhere = random.randint(opens, closes)
    if random.random() < _WILD:
        return anywhere
    gaps = [_gaps(known, visit, tours) for visit in unit]
    ends = [time for them in gaps for gap in them for time in (gap.opens, gap.closes)]
    worth = [max(opens, min(time, closes)) for time in ends for opens, closes in may]
    tried = [*sorted(set(random.sample(worth, min(_TRIED, len(worth))))), anywhere, may[0][0], may[-1][1]]
    costs = {time: _meeting_cost(known, unit, gaps, time) * random.uniform(1.0, 1.5) for time in tried}
    return min(costs, key=lambda time: costs[time])


def _meeting_cost(known: Linked, unit: Unit, gaps: Sequence[Sequence[_Gap]], time: Seconds) -> float:
    """Answer roughly what it costs that all of a unit begin at this time, each by somebody else."""
    taken, cost = set[int](), 0.0
    suiting = [[gap for gap in them if gap.opens <= time <= gap.closes] for them in gaps]
    for visit, them in sorted(zip(unit, suiting, strict=True), key=lambda it: len(it[1])):
        best = min((gap for gap in them if gap.engineer not in taken), key=lambda gap: gap.cost, default=None)
        if best is None:
            cost += 1 + sum(known.problem.visits[it].penalty for it in known.falls[visit])
        else:
            taken.add(best.engineer)
            cost += 1 + best.cost
    return cost


def _gaps(known: Linked, visit: int, tours: Tours) -> list[_Gap]:
    if visit in known.locked:
        opens, closes, number = known.locked[visit]
        return [_Gap(known.problem.shifts[number].engineer, opens, closes, 0)]
    return [gap for it in np.flatnonzero(known.able[visit]).tolist() for gap in _gaps_in(known.plain, visit, it, tours)]


def _gaps_in(problem: Problem, visit: int, number: int, tours: Tours) -> Iterable[_Gap]:
    """Between stops as they are: breaks are not looked at, and second windows only where a stop is."""
    shift, it, prices = problem.shifts[number], problem.visits[visit], problem.prices
    stops = tours[number].stops if number in tours else ()
    work, here, free = it.work * shift.pace // 100, shift.start, shift.starts
    for k in range(len(stops) + 1):
        after = stops[k] if k < len(stops) else None
        there = shift.end if after is None else _place(problem, number, after.visit)
        way, on = _seconds(problem, here, it.place), _seconds(problem, it.place, there)
        closes = (shift.over if after is None else after.begins + after.slack) - on - work
        if k >= len(shift.locked) and free + way <= closes:
            detour = (way + on - _seconds(problem, here, there)) * (prices.second_travelled + prices.second_away)
            yield _Gap(shift.engineer, free + way, closes, detour + (0 if stops else shift.fixed_cost))
        if after is not None:
            here, free = _place(problem, number, after.visit), after.ends


def _seconds(problem: Problem, here: int, there: int | None) -> Seconds:
    return 0 if there is None else int(problem.seconds[here, there])


def _place(problem: Problem, number: int, visit: int | None) -> int:
    if visit is not None:
        return problem.visits[visit].place
    depot = problem.shifts[number].warehouse
    assert depot is not None
    return depot.place
