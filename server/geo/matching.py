"""Positions brought onto the roads: which segments were driven, when, and how long each took."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from server.geo.domain import Metres, Point


@dataclass(frozen=True, slots=True)
class Fix:
    """A position in WGS-84 degrees at a time (seconds since 1970), true within `accuracy` metres two times in three."""

    lon: float
    lat: float
    at: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Passage:
    """One segment driven once, between two neighbouring nodes of OpenStreetMap, in driving direction.

    `seconds` is what it really took, stops included; `free_flow_seconds` what the engine says for the same metres.
    Where a match begins and ends the segment was driven only in part.
    """

    from_node: int
    to_node: int
    entered: float
    seconds: float
    metres: float
    free_flow_seconds: float


@dataclass(frozen=True, slots=True)
class SnappedFix:
    """Where on the road a fix belongs, and how far that is from where it was measured."""

    point: Point
    metres: Metres


@dataclass(frozen=True, slots=True)
class Matched:
    """Passages in driving order, one entry per fix (None where no road fits), and how sure that is, 0 to 1."""

    passages: tuple[Passage, ...]
    snapped: tuple[SnappedFix | None, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class Leg:
    """The way from one fix to the next: n + 1 nodes, and n metres and free-flow seconds between them."""

    begun: float
    ended: float
    nodes: Sequence[int]
    metres: Sequence[float]
    seconds: Sequence[float]


def unmatched(fixes: Sequence[Fix]) -> Matched:
    """Where there are no roads nothing is known."""
    return Matched((), (None,) * len(fixes), 0.0)


def passages_of(legs: Iterable[Leg]) -> Iterator[Passage]:
    """Share the time between two fixes among the segments driven; parts of one segment that follow on are joined."""
    last: Passage | None = None
    for part in (part for leg in legs for part in _parts(leg)):
        if last is None:
            last = part
        elif _goes_on(last, part):
            last = replace(
                last,
                seconds=last.seconds + part.seconds,
                metres=last.metres + part.metres,
                free_flow_seconds=last.free_flow_seconds + part.free_flow_seconds,
            )
        else:
            yield last
            last = part
    if last is not None:
        yield last


_SAME_INSTANT = 0.001  # seconds; times are sums of shares


def _goes_on(last: Passage, part: Passage) -> bool:
    same = (last.from_node, last.to_node) == (part.from_node, part.to_node)
    return same and abs(last.entered + last.seconds - part.entered) < _SAME_INSTANT


def _parts(leg: Leg) -> Iterator[Passage]:
    """Time goes by free-flow seconds; by metres where those are all 0; to the first segment where nobody moved."""
    weights = leg.seconds if sum(leg.seconds) else leg.metres
    if not sum(weights):
        weights = [1.0, *([0.0] * (len(leg.metres) - 1))]
    pace = (leg.ended - leg.begun) / sum(weights)
    entered = leg.begun
    for index, weight in enumerate(weights):
        took = weight * pace
        start, end = leg.nodes[index], leg.nodes[index + 1]
        yield Passage(start, end, entered, took, leg.metres[index], leg.seconds[index])
        entered += took
