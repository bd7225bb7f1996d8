"""What giving an order to somebody would mean for everybody concerned. Never refuses, writes nothing."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.dispatch.live_day import queries
from server.dispatch.live_day.days import RunningDays, place, read_picture
from server.dispatch.live_day.domain import Broken, Rule, Side
from server.dispatch.live_day.linked import Bounds, bounds_of
from server.dispatch.live_day.roads import Roads
from server.dispatch.live_day.slots import day_of
from server.dispatch.live_day.tours import Known, NotDrivable, booked_at, known_tours, why_not, without
from server.dispatch.planner.plan import Undrivable, tour_of
from server.dispatch.planning import reading
from server.dispatch.planning.asking import Asked, ask, places_of, softened, whole_minutes
from server.dispatch.planning.picture import Booked, Order, Picture, Span
from server.dispatch.planning.timetable import Call, Timetable, known_timetable_of
from server.identity.access import require
from server.identity.domain import Actor, Permission
from server.workforce import service as workforce
from server.workorders import access
from server.workorders.domain import Pin

_LOOKED_AHEAD = 7  # days


@dataclass(frozen=True)
class Late:
    """A visit that would begin after its window or its promise, and had not, or less."""

    order_id: UUID
    of: Rule
    seconds: int
    before_seconds: int


@dataclass(frozen=True)
class Effect:
    """One shift as it is known and as it would be. late: what becomes later than its window or promise allows."""

    before: Timetable
    after: Timetable
    late: tuple[Late, ...]

    @property
    def extra_seconds(self) -> int:
        return _travel(self.after)[0] - _travel(self.before)[0]

    @property
    def extra_metres(self) -> int:
        return _travel(self.after)[1] - _travel(self.before)[1]

    @property
    def extra_overtime_seconds(self) -> int:
        return self.after.overtime_seconds - self.before.overtime_seconds


@dataclass(frozen=True)
class WhatIf:
    """What would happen. start: none, like `tour`, if the engineer has no shift then.

    taken_from: the shift that has the order now, if it is another.
    """

    engineer_id: UUID
    start: datetime | None
    end: datetime | None
    tour: Effect | None
    taken_from: Effect | None
    broken: tuple[Broken, ...]


async def what_if(
    uow: UnitOfWork,
    actor: Actor,
    days: RunningDays,
    work_order_id: UUID,
    *,
    engineer_id: UUID,
    start: datetime | None = None,
) -> WhatIf:
    """Answer what giving an order to an engineer would mean, at a time or in the cheapest place of the next days.

    Raises NotFound, NotAnEngineer.
    """
    require(actor, Permission.VISITS_DISPATCH)
    await access.work_order_for(uow, actor, work_order_id)
    await workforce.require_engineer(uow, engineer_id)
    order = await reading.order(uow, work_order_id)
    if order is None:
        raise NotFound(thing="work order")
    zone = ZoneInfo(await queries.zone(uow))
    bounds = bounds_of(await queries.mates(uow, order.id), order.minutes)
    asking = _Asking(uow, days.roads, order, bounds, zone)
    given = await asking.given_to(engineer_id, start)
    taken = await asking.taken_from(engineer_id, given[0] if given else None)
    if given is None:
        none = Broken(Rule.SHIFT, "This engineer has no shift then.")
        return WhatIf(engineer_id, start, None, None, taken, (none,))
    tour, booked = given
    effect, broken = await asking.effect(tour, booked)
    assert booked.booked is not None
    return WhatIf(engineer_id, booked.booked.start, booked.booked.end, effect, taken, broken)


class _Asking:
    def __init__(self, uow: UnitOfWork, roads: Roads, order: Order, bounds: Bounds, zone: ZoneInfo) -> None:
        self._uow, self._roads, self._order, self._bounds, self._zone = uow, roads, order, bounds, zone

    async def given_to(self, engineer: UUID, start: datetime | None) -> tuple[Known, Order] | None:
        """Answer the shift as it is known and the order as it would be booked in it."""
        if start is not None:
            picture = await self._picture(engineer, start)
            duty = picture.duty_of(Booked(self._order.id, engineer, start, start))
            if duty is None:
                return None
            tour = next(it for it in known_tours(picture) if it.duty.shift_id == duty.shift_id)
            return tour, self._booked(tour, start)
        first: Known | None = None
        for ahead in range(_LOOKED_AHEAD):
            picture = await self._picture(engineer, self._uow.now() + timedelta(days=ahead))
            tours = known_tours(picture)
            first = first or next(iter(tours), None)
            order = self._bounds.narrowed(self._order, Span(picture.begins, picture.until))
            if order is None:
                continue
            for tour in tours:
                with suppress(NotDrivable):
                    placed = await place(self._roads, picture, without(tour, order.id), order)
                    if placed is not None:
                        return tour, self._booked(tour, placed.begins)
        return None if first is None else (first, self._booked(first, await self._at_the_end(first)))

    async def taken_from(self, engineer: UUID, given: Known | None) -> Effect | None:
        held = self._order.booked
        if held is None:
            return None
        picture = await self._picture(held.engineer_id, held.start)
        for tour in known_tours(picture):
            theirs = any(it.id == self._order.id for it in tour.sequence)
            same = given is not None and given.duty.shift_id == tour.duty.shift_id and held.engineer_id == engineer
            if theirs and not same:
                return await self._compared(tour, without(tour, self._order.id))
        return None

    async def effect(self, tour: Known, booked: Order) -> tuple[Effect, tuple[Broken, ...]]:
        after = _with(without(tour, booked.id), booked)
        effect = await self._compared(tour, after)
        return effect, tuple(await self._broken(tour, after, booked, effect))

    async def _picture(self, engineer: UUID, at: datetime) -> Picture:
        day = day_of(at.astimezone(self._zone).date(), self._zone)
        return await read_picture(self._uow, day.opens, day.closes, [engineer])

    def _booked(self, tour: Known, start: datetime) -> Order:
        minutes = self._order.minutes * tour.duty.pace_percent / 100
        return booked_at(self._order, tour.duty.engineer_id, start, start + timedelta(minutes=minutes))

    async def _at_the_end(self, tour: Known) -> datetime:
        """When the order could begin after everything else."""
        asked = await self._asked(_with(without(tour, self._order.id), self._booked(tour, tour.duty.over)))
        others = [it.id for it in asked.picture.orders if it.id != self._order.id]
        known = known_timetable_of(asked, others)
        free = known.calls[-1].ends if known.calls else tour.leaves
        here = next(
            (it.place for it in asked.picture.orders if known.calls and it.id == known.calls[-1].order_id), None
        )
        await self._roads.learn([here or tour.duty.start], [self._order.place], tour.leaves)
        drive = self._roads.between([here or tour.duty.start, self._order.place], tour.leaves).seconds[0, 1]
        return asked.instant(whole_minutes(round((free - asked.picture.origin).total_seconds()) + int(drive)))

    async def _compared(self, before: Known, after: Known) -> Effect:
        was, would = await self._asked(before), await self._asked(after)
        one, other = known_timetable_of(was, _ids(before)), known_timetable_of(would, _ids(after))
        orders = {it.id: it for it in after.sequence}
        return Effect(one, other, tuple(_late(orders, one, other)))

    async def _asked(self, tour: Known) -> Asked:
        picture = replace(tour.picture, told=False)
        places = places_of(picture)
        await self._roads.learn(places, places, tour.leaves)
        return ask(picture, self._roads.between(places, tour.leaves))

    async def _broken(self, before: Known, after: Known, booked: Order, effect: Effect) -> Sequence[Broken]:
        duty, found = after.duty, []
        if broken := why_not(duty, booked):
            found.append(broken)
        found += self._against_the_shift(after, booked, effect)
        found += _against_what_was_said(booked, effect)
        if call := _call(effect.after, booked.id):
            found += self._bounds.against(call.begins)
        if mate := self._bounds.mates.get(duty.engineer_id):
            found.append(Broken(Rule.LINK, mate))
        if not _can_rest(await self._asked(after), after) and _can_rest(await self._asked(before), before):
            found.append(Broken(Rule.BREAK, f"{duty.name} would have no break."))
        held = self._order.booked
        if held and held.pin and (held.engineer_id != duty.engineer_id or held.pin is Pin.TIME):
            found.append(Broken(Rule.PIN, "It is held fast where it is."))
        return found

    def _against_the_shift(self, tour: Known, booked: Order, effect: Effect) -> Sequence[Broken]:
        duty, told = tour.duty, booked.booked
        assert told is not None
        found = []
        early = round((duty.free_at - told.start).total_seconds())
        if early > 0:
            clock = f"{duty.free_at.astimezone(self._zone):%H:%M}"
            sentence = f"{duty.name} is not free before {clock}."
            found.append(Broken(Rule.SHIFT, sentence, early, duty.free_at, Side.EARLY))
        over = round((effect.after.returns - duty.over).total_seconds())
        if over > 0 and effect.after.returns > effect.before.returns:
            sentence = f"{duty.name} would be home {_minutes(over)} after the end of the shift."
            found.append(Broken(Rule.SHIFT, sentence, over, duty.over, Side.LATE))
        return found


def _with(tour: Known, order: Order) -> Known:
    both = [*tour.sequence, order]
    return Known(replace(tour.picture, orders=tuple(sorted(both, key=_told))))


def _told(order: Order) -> tuple[datetime, UUID]:
    assert order.booked is not None
    return order.booked.start, order.id


def _ids(tour: Known) -> list[UUID | None]:
    return [it.id for it in tour.sequence]


def _call(table: Timetable, order: UUID) -> Call | None:
    return next((it for it in table.calls if it.order_id == order), None)


def _late(orders: Mapping[UUID, Order], before: Timetable, after: Timetable) -> Sequence[Late]:
    found = []
    for call in after.calls:
        order = orders[call.order_id] if call.order_id else None
        known = call.order_id and _call(before, call.order_id)
        if order is None:
            continue
        for rule, last in ((Rule.WINDOW, _closes(order)), (Rule.PROMISE, order.respond_by)):
            late = _after(call.begins, last)
            was = _after(known.begins, last) if known else 0
            if late > was:
                found.append(Late(order.id, rule, late, was))
    return found


def _closes(order: Order) -> datetime | None:
    return max((it.closes for it in order.windows), default=None)


def _after(begins: datetime, last: datetime | None) -> int:
    return 0 if last is None else max(0, round((begins - last).total_seconds()))


def _against_what_was_said(booked: Order, effect: Effect) -> Sequence[Broken]:
    """Before or after the customer's windows, or after the promise."""
    limits = {Rule.WINDOW: _closes(booked), Rule.PROMISE: booked.respond_by}
    found = [
        Broken(
            it.of,
            f"It would begin {_minutes(it.seconds)} after its {it.of.value}.",
            it.seconds,
            limits[it.of],
            Side.LATE,
        )
        for it in effect.late
        if it.order_id == booked.id
    ]
    opens = min((it.opens for it in booked.windows), default=None)
    call = _call(effect.after, booked.id)
    if call and opens and call.begins < opens:
        early = round((opens - call.begins).total_seconds())
        sentence = f"It would begin {_minutes(early)} before its window opens."
        found.append(Broken(Rule.WINDOW, sentence, early, opens, Side.EARLY))
    return found


def _can_rest(asked: Asked, tour: Known) -> bool:
    """Whether the break fits in, were everything else to give way."""
    rest = asked.problem.shifts[0].rest
    if rest is None:
        return True
    problem = softened(asked)
    rested = replace(problem, shifts=tuple(replace(it, rest=rest) for it in problem.shifts))
    try:
        tour_of(rested, 0, asked.numbered({tour.duty.shift_id: _ids(tour)})[0])
    except Undrivable:
        return False
    return True


def _travel(table: Timetable) -> tuple[int, int]:
    drives = [it.drive for it in table.calls] + ([table.home] if table.calls else [])
    return sum(it.seconds for it in drives), sum(it.metres for it in drives)


def _minutes(seconds: int) -> str:
    return f"{-(-seconds // 60)} min"
