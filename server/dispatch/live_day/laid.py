"""The tours of a day laid side by side, and what an order costs at least in each of them: no place is overlooked. Pure.

What the roads have answered counts; where they were not asked, a drive is as quick as hardly any that is known.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from server.dispatch.live_day.roads import Roads, radians, straight
from server.dispatch.live_day.tours import Known, NotDrivable, refusal_of
from server.dispatch.planner.arrays import NEVER, Flags, Longs
from server.dispatch.planner.routes import IMPOSSIBLE
from server.dispatch.planner.running import Alone, Book, laid_alone
from server.dispatch.planning.asking import ask, places_of, visit_alone
from server.dispatch.planning.picture import Order
from server.geo.domain import Point
from server.workorders.domain import Priority

_NOWHERE = Point(0, -90)  # stands for the place of the order


@dataclass(frozen=True, eq=False)
class Laid:
    """A tour with room for one order more. places: by row of its ways. spare: the order's row."""

    tour: Known
    alone: Alone
    places: tuple[Point, ...]
    spare: int


def laid(tour: Known, roads: Roads) -> Laid:
    """Raises NotDrivable. roads: know every leg of the tour."""
    picture = replace(tour.picture, orders=(_any_order(tour), *tour.sequence))
    asked = ask(picture, roads.between(places_of(picture), tour.leaves))
    visits = range(1, len(picture.orders))
    alone = laid_alone(asked.problem, visits)
    if alone is None:
        raise NotDrivable(refusal_of(asked.problem, visits))
    stops, shift = alone[0].stops, alone[0].shifts[0]
    places = [_NOWHERE] * len(alone[0].ways)
    for number, it in enumerate(picture.orders):
        places[stops[number]["place"]] = it.place
    places[shift["start"]], places[shift["end"]] = tour.duty.start, tour.duty.home
    return Laid(tour, alone, tuple(places), int(stops[0]["place"]))


def _any_order(tour: Known) -> Order:
    return Order(
        id=tour.duty.shift_id,
        number=0,
        place=_NOWHERE,
        territory_id=None,
        priority=Priority.NORMAL,
        vip=False,
        minutes=0,
        windows=(),
        respond_by=tour.picture.until,
        skills=(),
        parts=(),
        preferred=None,
        banned=(),
        booked=None,
    )


class Standing:
    """Every tour of a day that can be driven, by shift."""

    def __init__(self, found: Iterable[Laid]) -> None:
        self.laid = tuple(sorted(found, key=lambda it: it.tour.duty.shift_id))
        self.tours = tuple(it.tour for it in self.laid)
        self.book = Book([it.alone for it in self.laid]) if self.laid else None
        self.holders = {it.id: number for number, tour in enumerate(self.tours) for it in tour.sequence}
        self._levels = [{one.key: one.level for one in it.duty.skills} for it in self.tours]
        rows = max((len(it.places) for it in self.laid), default=0)
        self.spare = np.array([it.spare for it in self.laid], dtype=np.int64)
        padded = [(*it.places, *[_NOWHERE] * (rows - len(it.places))) for it in self.laid]
        self.places = np.array([radians(row) for row in padded])
        self.paces = np.array([it.tour.duty.pace_percent for it in self.laid], dtype=np.int64)
        # What an order means to the planner depends on what its seconds are counted from and how far it looks.
        self.spans: dict[tuple[datetime, datetime], list[int]] = {}
        for number, tour in enumerate(self.tours):
            key = tour.picture.origin, max(tour.picture.until, tour.duty.over)
            self.spans.setdefault(key, []).append(number)

    def able(self, order: Order) -> Flags:
        """Answer who has the skills for an order and is not kept away from it; see `why_not`."""
        asked = [(it.key, it.level) for it in order.skills]
        return np.array(
            [
                all(levels.get(key, 0) >= level for key, level in asked) and tour.duty.engineer_id not in order.banned
                for tour, levels in zip(self.tours, self._levels, strict=True)
            ],
            dtype=np.bool_,
        )


class Asking:
    """One order that is asked about, and the drives to and from it as far as they are known.

    costs: by tour, what it costs there at least; IMPOSSIBLE where it can't go. Exactly so where `is_known`.
    """

    def __init__(self, standing: Standing, place: Point, roads: Roads) -> None:
        """standing: with a tour in it."""
        assert standing.book is not None, "there is a tour"
        self._standing, self._place, self._roads, self._book = standing, place, roads, standing.book.to_write_in()
        self.costs = np.full(len(standing.tours), IMPOSSIBLE, np.int64)
        self._positions = np.full(len(standing.tours), -1, np.int64)
        ways, spare = self._book.arrays.ways, standing.spare
        self._to, self._from = (np.zeros(ways.shape[:2], dtype=np.bool_) for _ in range(2))
        least = roads.paces.least(straight(standing.places, radians([place]))).astype(np.int32)
        tours = np.arange(len(spare))
        ways[tours, spare] = least[:, :, None]
        ways[tours, :, spare] = least[:, :, None]

    def put(self, order: Order, able: Flags) -> None:
        """Ask for the order's place in the tours that are able, from now on with these windows and this work."""
        standing, arrays = self._standing, self._book.arrays
        visits = {key: visit_alone(standing.tours[its[0]].picture, order) for key, its in standing.spans.items()}
        many = max((len(it.windows) for it in visits.values()), default=1)
        if many > arrays.windows.shape[2]:
            wider = np.full((*arrays.windows.shape[:2], many, 2), (NEVER, -1), dtype=np.int32)
            wider[:, :, : arrays.windows.shape[2]] = arrays.windows
            arrays = self._book.arrays = arrays._replace(windows=wider)
        for key, its in standing.spans.items():
            it = visits[key]
            arrays.stops["opens"][its, 0], arrays.stops["closes"][its, 0] = it.windows[0].opens, it.windows[-1].closes
            arrays.stops["due"][its, 0] = NEVER if it.due is None else it.due
            arrays.stops["late"][its, 0] = it.late_cost
            arrays.work[its, 0, 0] = it.work * standing.paces[its] // 100
            arrays.windows[its, 0] = NEVER, -1
            arrays.windows[its, 0, : len(it.windows)] = [(one.opens, one.closes) for one in it.windows]
        self.costs[:] = IMPOSSIBLE
        self._look(np.flatnonzero(able))

    def _look(self, tours: Longs) -> None:
        self.costs[tours], self._positions[tours] = self._book.cheapest(tours)

    def is_known(self, tour: int) -> bool:
        """Whether the roads have said what the order costs in a tour; by all others it costs at least so much."""
        before, after = self._rows(tour)
        return bool(self._to[tour, before] and self._from[tour, after])

    def between(self, tour: int) -> tuple[Point, Point]:
        """Answer the places between which the order would go."""
        before, after = self._rows(tour)
        places = self._standing.laid[tour].places
        return places[before], places[after]

    def learn(self, tours: Sequence[int]) -> None:
        """Count the drives from and to the places between which the order would go in some tours."""
        ways = self._book.arrays.ways
        for tour in tours:
            spare, leaves = self._standing.spare[tour], self._standing.tours[tour].leaves
            (before, after), (here, there) = self._rows(tour), self.between(tour)
            ways[tour, before, spare, 0] = ways[tour, spare, before, 1] = self._roads.seconds(here, self._place, leaves)
            ways[tour, spare, after, 0] = ways[tour, after, spare, 1] = self._roads.seconds(self._place, there, leaves)
            self._to[tour, before] = self._from[tour, after] = True
        self._look(np.array(tours, dtype=np.int64))

    def _rows(self, tour: int) -> tuple[int, int]:
        position = self._positions[tour]
        before, after = self._book.routes.stages["place"][tour, 0, position : position + 2].tolist()
        return before, after
