"""What of a track was driving: from where somebody had stood to where they stood again. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from server.geo.domain import Point, haversine
from server.geo.matching import Fix

type Trip = tuple[Fix, ...]

STOP_S = 240.0  # standing longer is having arrived; less is a light, a queue, a gate
GAP_S = 120.0  # what happened in a longer silence nobody knows
SHORTEST_S = 180.0
SHORTEST_M = 500.0  # between both ends: who walks about a site doesn't drive

_STAND_M = 30.0
_WORST_ACCURACY_M = 50.0
_FASTEST_MPS = 60.0  # farther from one fix to the next is a jump of the receiver
_FEWEST = 4


def trips_of(track: Iterable[Fix]) -> list[Trip]:
    """The drives of one person's fixes, which may come in any order.

    A trip begins with the last fix of a stand and ends with the first of the next. Of every stand on the way only the
    first fix is kept, since a receiver that stands still wanders about and would seem to drive round the block.
    """
    return [trip for part in _unbroken(track) for trip in _between_stops(part) if _is_drive(trip)]


def _unbroken(track: Iterable[Fix]) -> Iterator[list[Fix]]:
    """The track without fixes that say little, parted where it is silent."""
    part: list[Fix] = []
    for fix in sorted((it for it in track if it.accuracy <= _WORST_ACCURACY_M), key=lambda it: (it.at, it.lon, it.lat)):
        if part and fix.at - part[-1].at < 1:
            continue
        if part and fix.at - part[-1].at > GAP_S:
            yield part
            part = []
        if part and _metres(part[-1], fix) > _FASTEST_MPS * (fix.at - part[-1].at) + fix.accuracy + part[-1].accuracy:
            continue
        part.append(fix)
    yield part


def _between_stops(part: Sequence[Fix]) -> Iterator[Trip]:
    trip: list[Fix] = []
    for stand in _stands(part):
        if stand[-1].at - stand[0].at >= STOP_S:
            if trip:
                yield (*trip, stand[0])
            trip = [stand[-1]]
        else:
            trip.append(stand[0] if trip else stand[-1])
    yield tuple(trip)


def _stands(part: Sequence[Fix]) -> Iterator[list[Fix]]:
    """Fixes near the first of their group; a group of one was passed by."""
    stand: list[Fix] = []
    for fix in part:
        if stand and _metres(stand[0], fix) > _STAND_M:
            yield stand
            stand = []
        stand.append(fix)
    if stand:
        yield stand


def _is_drive(trip: Trip) -> bool:
    return len(trip) >= _FEWEST and trip[-1].at - trip[0].at >= SHORTEST_S and _metres(trip[0], trip[-1]) >= SHORTEST_M


def _metres(one: Fix, other: Fix) -> float:
    return haversine(Point(one.lon, one.lat), Point(other.lon, other.lat))
