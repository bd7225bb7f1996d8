"""The running tours of a span of time, kept by a process between questions and brought up to date by what happened.

What is kept only says where it is worth asking: whoever is offered was read anew, and driven by the roads.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from uuid import UUID

import numpy as np

from server.core import events
from server.core.db import UnitOfWork
from server.dispatch.live_day import queries
from server.dispatch.live_day.domain import LeftOut, Miss
from server.dispatch.live_day.laid import Asking, Laid, Standing, laid
from server.dispatch.live_day.roads import Roads, hour_of
from server.dispatch.live_day.tours import (
    MISS_OF,
    Known,
    NotDrivable,
    Placed,
    Trial,
    known_tours,
    picture_with,
    why_not,
    with_depots,
    within,
    without,
)
from server.dispatch.planner.routes import IMPOSSIBLE
from server.dispatch.planning import queries as plan_queries
from server.dispatch.planning import reading
from server.dispatch.planning.asking import places_of
from server.dispatch.planning.domain import Scope
from server.dispatch.planning.picture import Order, Picture, Span
from server.geo.domain import Point
from server.geo.travel import Travel

_OLDEST = timedelta(minutes=10)  # skills, wishes and sites change without an event that says whose tours they touch
_KEPT = 64  # spans of time, of all organisations of this process
_SAMPLE = 16  # tours
_AHEAD, _ROUNDS = 5, 12  # tours whose roads are asked beside those that lead, and how often


type Read = Callable[[Sequence[UUID]], Awaitable[Picture]]


@dataclass(eq=False)
class Day:
    """Every tour of a span of time as it was last read."""

    read_at: datetime
    position: int
    heard: set[UUID]  # events that had no position yet
    marks: dict[UUID, str]
    picture: Picture
    tours: dict[UUID, Known] = field(default_factory=dict)  # by shift
    laid: dict[UUID, Laid] = field(default_factory=dict)  # those that can be driven
    refused: dict[UUID, str] = field(default_factory=dict)  # why the others can't
    standing: Standing = field(default_factory=lambda: Standing(()))

    async def put(self, tours: Sequence[Known], roads: Roads) -> None:
        """Have these tours in it, too, as they are driven."""
        for it in tours:
            shift = it.duty.shift_id
            await roads.learn_legs(it.legs, it.leaves)
            self.tours[shift] = it
            try:
                self.laid[shift] = laid(it, roads)
            except NotDrivable as no:
                self.refused[shift] = str(no)
        self.standing = Standing(self.laid.values())

    def drop(self, people: set[UUID]) -> None:
        """Have nobody's tours in it who is among these people."""
        for shift in [it for it, tour in self.tours.items() if tour.duty.engineer_id in people]:
            del self.tours[shift]
            self.laid.pop(shift, None)
            self.refused.pop(shift, None)


class RunningDays:
    """One for a process. Nothing in it is a row: it may be lost at any moment, and two processes need not agree."""

    def __init__(self, travel: Travel) -> None:
        self.roads = Roads(travel)
        self._days: dict[tuple[UUID, datetime, datetime], Day] = {}

    async def day(self, uow: UnitOfWork, begins: datetime, until: datetime) -> Day:
        """Answer the tours of a span of time as they are now."""
        assert uow.org is not None, "tours belong to an organisation"
        key = uow.org, begins, until
        known = self._days.get(key)
        if known is None or uow.now() - known.read_at > _OLDEST:
            known = await _read(uow, self.roads, begins, until)
            while len(self._days) >= _KEPT:
                self._days.pop(next(iter(self._days)))
            self._days[key] = known
            return known
        await _refresh(uow, self.roads, known, begins, until)
        return known


async def _read(uow: UnitOfWork, roads: Roads, begins: datetime, until: datetime) -> Day:
    # What happens while the rest is read is then read again, never missed.
    position = await events.last_position(uow)
    heard = {it.id for it in await queries.happened_since(uow, position)}
    marks = await queries.shift_marks(uow, begins, until)
    picture = await read_picture(uow, begins, until)
    day = Day(uow.now(), position, heard, marks, picture)
    # How quick drives are through all of the region says where it is not worth asking.
    some = [it.home for it in picture.duties[:: -(-len(picture.duties) // _SAMPLE) or 1]]
    await roads.learn(some, some, day.read_at)
    await day.put(known_tours(picture), roads)
    return day


async def read_picture(uow: UnitOfWork, begins: datetime, until: datetime, people: Sequence[UUID] = ()) -> Picture:
    """Answer who is on shift and what they have to do, of everybody or of some."""
    _, policy = await plan_queries.policy_in_force(uow)
    return await reading.picture(uow, Scope(begins, until, engineers=tuple(people)), policy, with_new=False)


async def _refresh(uow: UnitOfWork, roads: Roads, day: Day, begins: datetime, until: datetime) -> None:
    """Read those tours again that something happened to."""
    happened = [it for it in await queries.happened_since(uow, day.position) if it.id not in day.heard]
    marks = await queries.shift_marks(uow, begins, until)
    touched = {who for who in day.marks.keys() | marks.keys() if day.marks.get(who) != marks.get(who)}
    touched |= {UUID(it.engineer_id) for it in happened if it.engineer_id}
    orders = {it.order_id for it in happened if it.order_id}
    holders = {it.duty.engineer_id for it in day.tours.values() if any(one.id in orders for one in it.sequence)}
    touched |= holders
    picture = await read_picture(uow, begins, until, sorted(touched)) if touched else None
    day.position = max([day.position, *(it.position for it in happened if it.position is not None)])
    day.heard |= {it.id for it in happened}
    day.marks = marks
    if picture is None:
        return
    day.drop(touched)
    await day.put(known_tours(picture), roads)


def search(uow: UnitOfWork, roads: Roads, day: Day, order: Order) -> "Search":
    """Look for an order's place; whoever may get it is read anew in this transaction."""
    return Search(partial(read_picture, uow, day.picture.begins, day.picture.until), roads, day, order)


class Search:
    """One order looking for its place in the tours of a day, the likeliest first.

    It looks no further when everybody else costs more at least than the worst of those found, whatever the roads are.
    """

    def __init__(self, read: Read, roads: Roads, day: Day, order: Order) -> None:
        """read: answers what people have to do in this span of time, as it is now."""
        self._read_anew, self._roads, self._day, self._order = read, roads, day, order
        self._fresh: dict[UUID, Known | None] = {}
        self._whole: Picture = day.picture
        self._refused: dict[UUID, str] = dict(day.refused)
        self._offered: set[UUID] = set()
        self._standing = day.standing
        tours = self._standing.tours
        self._able = self._standing.able(order)
        # Whom the customer did not wish for costs more.
        wished = [order.preferred in {None, it.duty.engineer_id} for it in tours] if order.preferred else True
        self._more = np.where(wished, 0, day.picture.policy.changed)
        holder = self._standing.holders.get(order.id)
        self._holders = [] if holder is None or not self._able[holder] else [holder]
        self._asking = Asking(self._standing, order.place, roads) if tours else None

    async def best(self, most: int, span: Span | None = None) -> list[Placed]:
        """Answer the cheapest places of different shifts, exact by the roads, beginning in a span if there is one."""
        if self._asking is None:
            return []
        order = self._order if span is None else within(self._order, span)
        self._asking.put(order, self._able)
        read: dict[int, Placed | None] = {}
        for _ in range(_ROUNDS):
            ahead = self._ahead(self._asking, read)[: most + _AHEAD]
            unread = [it for it in ahead[:most] if it not in read]
            if not unread:
                break
            unknown = [it for it in ahead if it not in read and not self._is_known(self._asking, it)]
            if set(unknown).isdisjoint(unread):
                read |= await self._read(self._asking, unread, order)
            else:
                await self._ask(self._asking, unknown)
        found = sorted((it for it in read.values() if it), key=lambda it: (it.cost, it.duty.shift_id))[:most]
        self._offered |= {it.duty.shift_id for it in found}
        return found

    def _ahead(self, asking: Asking, read: Mapping[int, Placed | None]) -> list[int]:
        """Answer the tours that have a place, the cheapest first as far as is known."""
        costs = np.where(asking.costs < IMPOSSIBLE, asking.costs + self._more, IMPOSSIBLE)
        costs[self._holders] = -1
        for tour, placed in read.items():
            costs[tour] = placed.cost if placed else IMPOSSIBLE
        return [it for it in np.argsort(costs, kind="stable").tolist() if costs[it] < IMPOSSIBLE]

    def _is_known(self, asking: Asking, tour: int) -> bool:
        return tour in self._holders or asking.is_known(tour)

    async def _ask(self, asking: Asking, tours: Sequence[int]) -> None:
        """Ask the roads about the cheapest places in some tours."""
        place = self._order.place
        for hour, group in groupby(sorted(tours, key=self._hour), key=self._hour):
            gaps = [asking.between(it) for it in group]
            await self._roads.learn([before for before, _ in gaps], [place], hour)
            await self._roads.learn([place], [after for _, after in gaps], hour)
        asking.learn(tours)

    def _hour(self, tour: int) -> datetime:
        return hour_of(self._standing.tours[tour].leaves)

    async def _read(self, asking: Asking, tours: Sequence[int], order: Order) -> dict[int, Placed | None]:
        """Read tours as they are now, where their engineers are and from when they are free, and try them."""
        old = {it: self._standing.tours[it] for it in tours}
        unread = [it for it in old.values() if it.duty.shift_id not in self._fresh]
        if unread:
            self._whole = await self._read_anew(sorted({it.duty.engineer_id for it in unread}))
            fresh = {it.duty.shift_id: it for it in known_tours(self._whole)}
            for it in unread:
                known = fresh.get(it.duty.shift_id)
                # Whoever is to be given another time is in nobody's way.
                self._fresh[it.duty.shift_id] = known and without(known, self._order.id)
        return {number: await self._try(asking, number, it, order) for number, it in old.items()}

    async def _try(self, asking: Asking, number: int, old: Known, order: Order) -> Placed | None:
        tour = self._fresh[old.duty.shift_id]
        if tour is None:
            return None
        if [it.place for it in tour.sequence] == [it.place for it in old.sequence]:
            before, after = asking.between(number)
            gap = tour.duty.start if before == old.duty.start else before, after
            if placed := await self._placed(tour, order, [gap]):
                return placed
        # It is not as it was: every place in it may be the cheapest.
        return await self._placed(tour, order, None)

    async def _placed(self, tour: Known, order: Order, gaps: Sequence[tuple[Point, Point]] | None) -> Placed | None:
        try:
            return (await trial(self._roads, self._whole, tour, order, gaps)).cheapest()
        except NotDrivable as no:
            self._refused[tour.duty.shift_id] = str(no)
            return None

    def left_out(self) -> list[LeftOut]:
        """Answer why shifts offered nothing, as far as that is known."""
        found = []
        for shift, tour in self._day.tours.items():
            said = (tour.duty.engineer_id, tour.duty.name, shift)
            if broken := why_not(tour.duty, self._order):
                found.append(LeftOut(*said, MISS_OF[broken.code], broken.sentence))
            elif shift in self._refused:
                why = f"{tour.duty.name}'s tour can't be driven by the rules any more: {self._refused[shift]}."
                found.append(LeftOut(*said, Miss.UNDRIVABLE, why))
            elif shift in self._fresh.keys() - self._offered:
                found.append(LeftOut(*said, Miss.NO_ROOM, f"{tour.duty.name} has no room for it by the rules."))
        return found


async def place(roads: Roads, whole: Picture, tour: Known, order: Order) -> Placed | None:
    """Answer the cheapest place for an order in one tour, driven by the roads. Raises NotDrivable."""
    return (await trial(roads, whole, tour, order)).cheapest()


async def trial(
    roads: Roads, whole: Picture, tour: Known, order: Order, gaps: Sequence[tuple[Point, Point]] | None = None
) -> Trial:
    """Try an order in one tour, driven by the roads. Raises NotDrivable.

    gaps: the places it may come from and go on to; any of the tour's if left out.
    """
    if order.parts:
        tour, gaps = with_depots(tour, whole), None
    places = tour.places
    if tour.picture.depots:
        await roads.learn(places, places, tour.leaves)
    await roads.learn_legs(tour.legs, tour.leaves)
    await roads.learn(places if gaps is None else [before for before, _ in gaps], [order.place], tour.leaves)
    await roads.learn([order.place], places if gaps is None else [after for _, after in gaps], tour.leaves)
    drives = roads.between(places_of(picture_with(tour, order)), tour.leaves)
    if gaps is None:
        return Trial(tour, order, drives)
    return Trial(tour, order, drives, [at for at, gap in enumerate(tour.gaps) if gap in gaps])
