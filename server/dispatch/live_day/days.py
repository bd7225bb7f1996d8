"""The running tours of a span of time, kept by a process between questions and brought up to date by what happened.

What is kept only says where it is worth asking: whoever is offered was read anew, and driven by the roads.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
from uuid import UUID

import numpy as np

from server.core import events
from server.core.db import UnitOfWork
from server.dispatch.live_day import queries
from server.dispatch.live_day.domain import LeftOut, Miss
from server.dispatch.live_day.roads import Roads
from server.dispatch.live_day.tours import (
    MISS_OF,
    Gaps,
    Known,
    NotDrivable,
    Placed,
    Trial,
    gaps_of,
    known_tours,
    picture_with,
    why_not,
    with_depots,
    within,
    without,
)
from server.dispatch.planning import queries as plan_queries
from server.dispatch.planning import reading
from server.dispatch.planning.asking import places_of
from server.dispatch.planning.domain import Scope
from server.dispatch.planning.picture import Order, Picture, Span
from server.geo.domain import Point
from server.geo.travel import Travel

_OLDEST = timedelta(minutes=10)  # skills, wishes and sites change without an event that says whose tours they touch
_KEPT = 64  # spans of time, of all organisations of this process
_AT_ONCE, _MOST = 6, 36  # gaps whose roads are asked at once, and in all


@dataclass(eq=False)
class Day:
    """Every tour of a span of time as it was last read."""

    read_at: datetime
    position: int
    heard: set[UUID]  # events that had no position yet
    marks: dict[UUID, str]
    picture: Picture
    tours: dict[UUID, Known] = field(default_factory=dict)  # by shift

    @cached_property
    def gaps(self) -> Gaps:
        return gaps_of(self.tours.values())


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
            known = await _read(uow, begins, until)
            while len(self._days) >= _KEPT:
                self._days.pop(next(iter(self._days)))
            self._days[key] = known
            return known
        await _refresh(uow, known, begins, until)
        return known


async def _read(uow: UnitOfWork, begins: datetime, until: datetime) -> Day:
    # What happens while the rest is read is then read again, never missed.
    position = await events.last_position(uow)
    heard = {it.id for it in await queries.happened_since(uow, position)}
    marks = await queries.shift_marks(uow, begins, until)
    picture = await read_picture(uow, begins, until)
    return Day(uow.now(), position, heard, marks, picture, {it.duty.shift_id: it for it in known_tours(picture)})


async def read_picture(uow: UnitOfWork, begins: datetime, until: datetime, people: Sequence[UUID] = ()) -> Picture:
    """Answer who is on shift and what they have to do, of everybody or of some."""
    _, policy = await plan_queries.policy_in_force(uow)
    return await reading.picture(uow, Scope(begins, until, engineers=tuple(people)), policy, with_new=False)


async def _refresh(uow: UnitOfWork, day: Day, begins: datetime, until: datetime) -> None:
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
    for shift in [it for it, tour in day.tours.items() if tour.duty.engineer_id in touched]:
        del day.tours[shift]
    day.tours |= {it.duty.shift_id: it for it in known_tours(picture)}
    day.__dict__.pop("gaps", None)


class Search:
    """One order looking for its place in the tours of a day. Roads are asked gap by gap, the likeliest first."""

    def __init__(self, uow: UnitOfWork, roads: Roads, day: Day, order: Order) -> None:
        self._uow, self._roads, self._day, self._order = uow, roads, day, order
        self._fresh: dict[UUID, Known | None] = {}
        self._whole: Picture = day.picture
        self._refused: dict[UUID, str] = {}
        self._offered: set[UUID] = set()
        gaps = day.gaps
        self._why = [why_not(it.duty, order) for it in gaps.tours]
        self._able = np.array([it is None for it in self._why], dtype=np.bool_)

    async def best(self, most: int, span: Span | None = None) -> list[Placed]:
        """Answer the cheapest places of different shifts, exact by the roads, beginning within a span if there is one.

        A gap is not asked about when by an estimate it costs at least more than the worst of those found.
        """
        gaps = self._day.gaps
        about, least = gaps.detours(self._order, self._uow.now(), span)
        mine = self._able[gaps.tour] if len(gaps.tour) else np.zeros(0, dtype=np.bool_)
        order = [it for it in np.argsort(np.where(mine, about, np.inf), kind="stable").tolist() if mine[it]]
        order = [it for it in order if np.isfinite(about[it])][:_MOST]
        found: dict[UUID, Trial] = {}
        for begin in range(0, len(order), _AT_ONCE):
            ranked = sorted(_cost(it) for it in found.values())
            if len(ranked) >= most and min(least[order[begin:]]) > ranked[most - 1]:
                break
            batch = order[begin : begin + _AT_ONCE]
            shifts = list(dict.fromkeys(int(gaps.tour[it]) for it in batch))
            await self._read(shifts)
            for number in shifts:
                old = gaps.tours[number]
                tour = self._fresh[old.duty.shift_id]
                theirs = [it for it in batch if gaps.tour[it] == number]
                if tour is not None and (tried := await self._try(tour, old, theirs, span)):
                    found[tour.duty.shift_id] = tried
                    self._offered.add(tour.duty.shift_id)
        ranked_trials = sorted(found.values(), key=lambda it: (_cost(it), it.duty.shift_id))
        placed = (it.cheapest() for it in ranked_trials)
        return list(islice((it for it in placed if it is not None), most))

    async def _read(self, numbers: Sequence[int]) -> None:
        """Read tours as they are at this moment: where their engineers are, and from when they are free."""
        tours = [self._day.gaps.tours[it] for it in numbers]
        unread = [it for it in tours if it.duty.shift_id not in self._fresh]
        if not unread:
            return
        span = self._day.picture
        people = sorted({it.duty.engineer_id for it in unread})
        self._whole = await read_picture(self._uow, span.begins, span.until, people)
        fresh = {it.duty.shift_id: it for it in known_tours(self._whole)}
        for it in unread:
            known = fresh.get(it.duty.shift_id)
            # Whoever is to be given another time is in nobody's way.
            self._fresh[it.duty.shift_id] = known and without(known, self._order.id)

    async def _try(self, tour: Known, old: Known, gaps: Sequence[int], span: Span | None) -> Trial | None:
        order = self._order if span is None else within(self._order, span)
        kept = self._day.gaps
        befores = [tour.duty.start if kept.before[it] == old.duty.start else kept.before[it] for it in gaps]
        try:
            tried = await trial(self._roads, self._whole, tour, order, befores, [kept.after[it] for it in gaps])
        except NotDrivable as no:
            self._refused[tour.duty.shift_id] = str(no)
            return None
        return None if tried.cost is None else tried

    def left_out(self) -> list[LeftOut]:
        """Answer why shifts offered nothing, as far as they were looked at."""
        found = []
        for tour, broken in zip(self._day.gaps.tours, self._why, strict=True):
            duty = tour.duty
            said = (duty.engineer_id, duty.name, duty.shift_id)
            if broken is not None:
                found.append(LeftOut(*said, MISS_OF[broken.code], broken.sentence))
            elif duty.shift_id in self._refused:
                why = f"{duty.name}'s tour can't be driven by the rules any more: {self._refused[duty.shift_id]}."
                found.append(LeftOut(*said, Miss.UNDRIVABLE, why))
            elif duty.shift_id in self._fresh.keys() - self._offered:
                found.append(LeftOut(*said, Miss.NO_ROOM, f"{duty.name} has no room for it by the rules."))
        return found


def _cost(tried: Trial) -> int:
    assert tried.cost is not None, "only who has a place is kept"
    return tried.cost


async def place(roads: Roads, whole: Picture, tour: Known, order: Order) -> Placed | None:
    """Answer the cheapest place for an order in one tour, driven by the roads. Raises NotDrivable."""
    return (await trial(roads, whole, tour, order)).cheapest()


async def trial(
    roads: Roads,
    whole: Picture,
    tour: Known,
    order: Order,
    befores: Sequence[Point] | None = None,
    afters: Sequence[Point] | None = None,
) -> Trial:
    """Try an order in one tour, driven by the roads. Raises NotDrivable.

    befores, afters: the places it may come from and go on to; all of the tour's if left out.
    """
    if order.parts:
        tour, befores, afters = with_depots(tour, whole), None, None
    places = tour.places
    await roads.learn(places, places, tour.leaves)
    await roads.learn(places if befores is None else befores, [order.place], tour.leaves)
    await roads.learn([order.place], places if afters is None else afters, tour.leaves)
    drives = roads.between(places_of(picture_with(tour, order)), tour.leaves)
    return Trial(tour, order, drives)
