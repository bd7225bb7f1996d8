"""Trips brought onto the empty roads of a build: what was driven, and what would have been the fastest way."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import osrm

from server.geo.domain import Point, haversine
from server.geo.learning.network import Ids, Numbers
from server.geo.learning.trips import Trip
from server.geo.osrm import SNAP_LIMIT

_NOWHERE = ("NoMatch", "NoSegment", "NoRoute", "TooBig")
_LEAST_M, _MOST_M = 5.0, 50.0  # of a fix's error, as OSRM takes it
_ROUND_THE_BLOCK = 3.0  # a way so many times as long as the distance between two fixes is a wrong match
_SLACK_M = 100.0
_STANDING = 0.3  # of the time at least was spent on the road and not on its turns


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """Stretches in driving order: seconds is what each took, free_flow what it takes on an empty road.

    turns: free-flow seconds of all turns and crossings together.
    """

    from_node: Ids
    to_node: Ids
    seconds: Numbers
    free_flow: Numbers
    turns: float

    @property
    def free_flow_seconds(self) -> float:
        return float(self.free_flow.sum()) + self.turns


@dataclass(frozen=True, slots=True)
class _Leg:
    """Between two fixes: what it took, metres as the crow flies and by road, and the road's stretches."""

    took: float
    straight: float
    metres: float
    turns: float
    nodes: Sequence[int]
    free_flow: Sequence[float]

    @property
    def is_likely(self) -> bool:
        return sum(self.free_flow) > 0 and self.metres <= _ROUND_THE_BLOCK * self.straight + _SLACK_M

    def stretches(self) -> Iterator[tuple[int, int, float, float]]:
        """Each one's ends, its share of the time that turns didn't take, and its free flow."""
        pace = max(self.took - self.turns, _STANDING * self.took) / sum(self.free_flow)
        for (begin, end), free_flow in zip(pairwise(self.nodes), self.free_flow, strict=True):
            if free_flow > 0:
                yield begin, end, free_flow * pace, free_flow


class EmptyRoads:
    """The free-flow data of one build, opened in this process. Blocking; a match holds the interpreter for some ms."""

    def __init__(self, base: Path) -> None:
        self._osrm = osrm.OSRM(storage_config=str(base), algorithm="MLD", use_shared_memory=False)

    def driven(self, trip: Trip) -> Way | None:
        """What a trip drove; None where no road fits."""
        asked = osrm.MatchParameters(
            coordinates=[(fix.lon, fix.lat) for fix in trip],
            timestamps=[int(fix.at) for fix in trip],
            radiuses=[min(max(fix.accuracy, _LEAST_M), _MOST_M) for fix in trip],
            annotations=["nodes", "duration"],
            overview="false",
            gaps="ignore",  # trips are whole already, and standing at a light is no gap
            generate_hints=False,
        )
        answer = _answer(self._osrm.Match, asked)
        return None if answer is None else _way([leg for leg in _legs(trip, answer) if leg.is_likely])

    def fastest(self, origin: Point, to: Point) -> Way | None:
        """The fastest way on empty roads, which takes its free flow; None where none is near or leads."""
        asked = osrm.RouteParameters(
            coordinates=[(origin.lon, origin.lat), (to.lon, to.lat)],
            annotations=["nodes", "duration"],
            overview="false",
        )
        answer = _answer(self._osrm.Route, asked)
        if answer is None or any(end["distance"] > SNAP_LIMIT for end in answer["waypoints"]):
            return None
        return _way([_leg(leg, float(leg["duration"]), 0.0) for leg in answer["routes"][0]["legs"]])


def _answer(ask: Any, asked: Any) -> Any:
    try:
        return ask(asked)
    except RuntimeError as problem:
        if str(problem).startswith(_NOWHERE):
            return None
        raise


def _legs(trip: Trip, answer: Any) -> Iterator[_Leg]:
    matched: dict[int, list[int]] = {}
    for index, found in enumerate(answer["tracepoints"]):
        if found is not None:
            matched.setdefault(int(found["matchings_index"]), []).append(index)
    for number, matching in enumerate(answer["matchings"]):
        for (one, other), leg in zip(pairwise(matched[number]), matching["legs"], strict=True):
            begin, end = trip[one], trip[other]
            straight = haversine(Point(begin.lon, begin.lat), Point(end.lon, end.lat))
            yield _leg(leg, end.at - begin.at, straight)


def _leg(leg: Any, took: float, straight: float) -> _Leg:
    # OSRM answers numbers of its own type, node ids as floats.
    free_flow = [float(it) for it in leg["annotation"]["duration"]]
    nodes = [int(it) for it in leg["annotation"]["nodes"]]
    return _Leg(
        took, straight, float(leg["distance"]), max(0.0, float(leg["duration"]) - sum(free_flow)), nodes, free_flow
    )


def _way(legs: Sequence[_Leg]) -> Way | None:
    rows = [row for leg in legs if sum(leg.free_flow) > 0 for row in leg.stretches()]
    if not rows:
        return None
    begin, end, seconds, free_flow = zip(*rows, strict=True)
    return Way(
        np.array(begin, dtype=np.int64),
        np.array(end, dtype=np.int64),
        np.array(seconds),
        np.array(free_flow),
        sum(leg.turns for leg in legs),
    )
