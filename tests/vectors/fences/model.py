"""The rules of a fence told once more, from the whole track at once and without the server's code."""

import itertools
import math
from collections.abc import Sequence

type Fix = Sequence[float]  # seconds, metres to the edge (negative inside), accuracy in metres
type Crossed = list[int | str | float]  # stay, kind, seconds
type Place = Sequence[float]  # longitude, latitude

_METRES_PER_DEGREE = 111_195.0


def crossings(radius_m: float, fixes: Sequence[Fix]) -> list[Crossed]:
    """Answer what is crossed by a track, in whichever order its fixes are given."""
    found: list[Crossed] = []
    inside, stay, entered, dwelt = False, 0, 0.0, False
    against: list[float] = []  # times of the fixes in a row that contradict
    for at, shown_inside in _clear(radius_m, fixes):
        if shown_inside is inside:
            against.clear()
            if inside and not dwelt and at - entered >= 300:
                dwelt = True
                found.append([stay, "dwelt", at])
            continue
        against.append(at)
        if shown_inside and len(against) >= 2:
            inside, dwelt, entered, stay = True, False, at, stay + 1
            found.append([stay, "entered", at])
            against.clear()
        elif not shown_inside and len(against) >= 3 and at - against[0] >= 30:
            inside = False
            found.append([stay, "left", at])
            against.clear()
    return found


def _clear(radius_m: float, fixes: Sequence[Fix]) -> list[tuple[float, bool]]:
    """Answer when a fix lay wholly inside, or wholly beyond the exit buffer; one fix for each instant."""
    buffer = max(25.0, radius_m / 10)
    first = {at: (edge, accuracy) for at, edge, accuracy in sorted(map(tuple, fixes), reverse=True)}
    clear = []
    for at, (edge, accuracy) in sorted(first.items()):
        if edge + accuracy <= 0:
            clear.append((at, True))
        elif edge - accuracy >= buffer:
            clear.append((at, False))
    return clear


def metres_to_circle(place: Place, centre: Place, radius_m: float) -> float:
    return math.hypot(*_flat(place, centre)) - radius_m


def metres_to_area(place: Place, ring: Sequence[Place]) -> float:
    """Distance to the nearest side of a closed ring, negative inside; on a plane, which a few kilometres are."""
    corners = [_flat(corner, place) for corner in ring]
    sides = list(itertools.pairwise(corners))
    nearest = min(_to_side(one, other) for one, other in sides)
    # Sides that cross the ray to the east, counted.
    crossed = sum((one[1] > 0) != (other[1] > 0) and _east_at_zero(one, other) > 0 for one, other in sides)
    return -nearest if crossed % 2 else nearest


def radius_of_area(ring: Sequence[Place]) -> int:
    corners = [_flat(corner, ring[0]) for corner in ring]
    twice = sum(one[0] * other[1] - other[0] * one[1] for one, other in itertools.pairwise(corners))
    return round(math.sqrt(abs(twice) / 2 / math.pi))


def _flat(place: Place, origin: Place) -> tuple[float, float]:
    east = (place[0] - origin[0]) * _METRES_PER_DEGREE * math.cos(math.radians(origin[1]))
    return east, (place[1] - origin[1]) * _METRES_PER_DEGREE


def _to_side(one: tuple[float, float], other: tuple[float, float]) -> float:
    along = (other[0] - one[0], other[1] - one[1])
    length = along[0] ** 2 + along[1] ** 2
    share = min(1.0, max(0.0, -(one[0] * along[0] + one[1] * along[1]) / length)) if length else 0.0
    return math.hypot(one[0] + share * along[0], one[1] + share * along[1])


def _east_at_zero(one: tuple[float, float], other: tuple[float, float]) -> float:
    return one[0] + (other[0] - one[0]) * -one[1] / (other[1] - one[1])
