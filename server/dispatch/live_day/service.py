"""While the day runs: when a customer can be offered somebody, and who takes one visit more."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.customers.domain import Tier
from server.dispatch import service as dispatch
from server.dispatch.live_day import queries
from server.dispatch.live_day.days import Day, RunningDays, place, read_picture, search
from server.dispatch.live_day.domain import LeftOut, Miss
from server.dispatch.live_day.errors import DaysNotAhead, OrderUnderWay, OutOfStep, SlotTaken
from server.dispatch.live_day.linked import Bounds, bounds_of
from server.dispatch.live_day.slots import Slot, day_of, rating_of, spans_of
from server.dispatch.live_day.tours import NotDrivable, Placed, known_tours, why_not, within, without
from server.dispatch.planning import reading
from server.dispatch.planning.picture import Order, Span
from server.geo.travel import Travel
from server.identity.access import require
from server.identity.domain import Actor, Permission
from server.workforce import queries as workforce_queries
from server.workforce.domain import SkillLevel
from server.workforce.errors import NotAnEngineer
from server.workorders import access
from server.workorders import service as workorders
from server.workorders.domain import RESPOND_WITHIN, Priority, State, Visit, WorkOrder

MOST_DAYS = 14
MINUTE = timedelta(minutes=1)
_WHILE_TALKING = timedelta(minutes=15)
_OFFERS = 3
_BOOKABLE = frozenset(
    {State.NEW, State.TRIAGED, State.REOPENED, State.SCHEDULED, State.DISPATCHED, State.ACCEPTED, State.ON_HOLD}
)


@dataclass(frozen=True)
class Wish:
    """An order that is not opened yet, as it is known on the telephone."""

    site_id: UUID
    duration_minutes: int
    skills: tuple[SkillLevel, ...] = ()
    priority: Priority = Priority.NORMAL


@dataclass(frozen=True)
class Slots:
    """What can be offered, by day and time, and the shifts that offer nothing, with the reason."""

    zone: str
    slots: tuple[Slot, ...]
    left_out: tuple[LeftOut, ...]


async def slots(
    uow: UnitOfWork,
    actor: Actor,
    days: RunningDays,
    asked: UUID | Wish,
    *,
    first: date | None = None,
    many: int = 7,
    width: int = 240,
) -> Slots:
    """Answer the spans in which somebody able could come, with the cheapest engineer of each.

    asked: an order, or what will become one. first: today if left out. width: minutes of a span.
    Raises NotFound, DaysNotAhead, OrderUnderWay.
    """
    order = await _wished(uow, actor, asked)
    bounds = await bounds_of_order(uow, order)
    order = bounds.apart(order)
    zone = ZoneInfo(await queries.zone(uow))
    today = uow.now().astimezone(zone).date()
    first = first or today
    if not today <= first or not 1 <= many <= MOST_DAYS or first + timedelta(days=many) > today + timedelta(days=366):
        raise DaysNotAhead(most=MOST_DAYS)
    found: list[Slot] = []
    left_out: list[LeftOut] = []
    for day in (first + timedelta(days=ahead) for ahead in range(many)):
        slots_of_day, missed = await _slots_of_day(uow, days, order, bounds, day, width, zone)
        found += slots_of_day
        left_out += missed
    return Slots(str(zone), tuple(found), tuple(left_out))


async def _slots_of_day(
    uow: UnitOfWork, days: RunningDays, order: Order, bounds: Bounds, day: date, width: int, zone: ZoneInfo
) -> tuple[list[Slot], list[LeftOut]]:
    whole = day_of(day, zone)
    if bounds.cut(whole) is None:
        return [], _held_back(await days.day(uow, whole.opens, whole.closes), bounds)
    looking = search(uow, days.roads, await days.day(uow, whole.opens, whole.closes), order)
    found = []
    for span in spans_of(day, width, zone):
        if span.closes <= uow.now():
            continue
        # Who begins when a span ends begins in the next.
        free = bounds.cut(replace(span, closes=span.closes - MINUTE))
        best = await looking.best(1, free) if free else []
        found += [Slot(day, span, it.duty.engineer_id, it, rating_of(it)) for it in best]
    return found, _named(looking.left_out(), bounds)


async def take(
    uow: UnitOfWork,
    actor: Actor,
    days: RunningDays,
    travel: Travel,
    *,
    work_order_id: UUID,
    engineer_id: UUID,
    start: datetime,
    window: Span | None = None,
    most_delay: int = 0,
    width: int = 240,
) -> Visit:
    """Book what was offered, if there is room for it still.

    window: what the customer was promised; it becomes the order's. most_delay: seconds that others were shown to begin
    later in all. Raises NotFound, Forbidden, OrderUnderWay, NotAnEngineer, OutOfStep with what it is linked with, and
    SlotTaken with the day's slots as they are.
    """
    require(actor, Permission.VISITS_DISPATCH)
    row = await access.work_order_for(uow, actor, work_order_id)
    order = await _open_order(uow, row)
    # Whoever takes a slot of this engineer waits here, and then sees what the other has taken.
    if not await workforce_queries.lock_engineer(uow, engineer_id):
        raise NotAnEngineer
    bounds = await bounds_of_order(uow, order)
    if broken := bounds.against(start):
        raise OutOfStep(start=start.isoformat(), why=" ".join(it.sentence for it in broken))
    zone = ZoneInfo(await queries.zone(uow))
    day = start.astimezone(zone).date()
    order = bounds.apart(order)
    placed = await _still_free(uow, days, order, bounds, engineer_id, start, day_of(day, zone))
    if placed is None or placed.delay_seconds > most_delay + 60:
        free, _ = await _slots_of_day(uow, days, order, bounds, day, width, zone)
        spans = [f"{it.span.opens.isoformat()}/{it.span.closes.isoformat()}" for it in free]
        raise SlotTaken(start=start.isoformat(), many=len(spans), slots=spans)
    if window is not None:
        wanted = {"window_start": window.opens, "window_end": window.closes}
        await workorders.amend(uow, actor, work_order_id=row.id, expected_version=row.version, wanted=wanted)
    return await dispatch.assign(
        uow,
        actor,
        travel,
        work_order_id=work_order_id,
        engineer_id=engineer_id,
        planned_start=placed.begins,
        planned_end=placed.ends,
    )


async def _still_free(
    uow: UnitOfWork, days: RunningDays, order: Order, bounds: Bounds, engineer_id: UUID, start: datetime, day: Span
) -> Placed | None:
    picture = await read_picture(uow, day.opens, day.closes, [engineer_id])
    # People talk while time passes: what was offered for this minute may begin a little after it.
    for until in (start, start + _WHILE_TALKING):
        found, span = [], bounds.cut(Span(start, until)) or Span(start, start)
        for tour in known_tours(picture):
            if why_not(tour.duty, order) is None:
                with suppress(NotDrivable):
                    alone = without(tour, order.id)
                    found.append(await place(days.roads, picture, alone, within(order, span)))
        best = min((it for it in found if it is not None), key=lambda it: it.cost, default=None)
        if best is not None:
            return best
    return None


@dataclass(frozen=True)
class Offers:
    """The best places for an order in the tours that run today, and why others offer none."""

    placed: tuple[Placed, ...]
    left_out: tuple[LeftOut, ...]


async def offers(uow: UnitOfWork, actor: Actor, days: RunningDays, work_order_id: UUID) -> Offers:
    """Answer who could take an order on today at the least cost, exact by the roads. Raises NotFound, OrderUnderWay."""
    require(actor, Permission.VISITS_DISPATCH)
    order = await _open_order(uow, await access.work_order_for(uow, actor, work_order_id))
    bounds, running = await bounds_of_order(uow, order), await today(uow, days)
    free = bounds.narrowed(bounds.apart(order), Span(running.picture.begins, running.picture.until))
    if free is None:
        return Offers((), tuple(_held_back(running, bounds)))
    looking = search(uow, days.roads, running, free)
    placed = await looking.best(_OFFERS)
    return Offers(tuple(placed), tuple(_named(looking.left_out(), bounds)))


async def bounds_of_order(uow: UnitOfWork, order: Order) -> Bounds:
    """Answer what the orders that an order is linked with say about when it may begin."""
    return bounds_of(await queries.mates(uow, order.id), order.minutes)


def _held_back(day: Day, bounds: Bounds) -> list[LeftOut]:
    duties = [(shift, tour.duty) for shift, tour in day.tours.items()]
    return [LeftOut(it.engineer_id, it.name, shift, Miss.LINK, bounds.why) for shift, it in duties]


def _named(left_out: Sequence[LeftOut], bounds: Bounds) -> list[LeftOut]:
    """Say of those who make an order that begins together with it that they do."""
    return [
        replace(it, why=Miss.LINK, sentence=bounds.mates[it.engineer_id]) if it.engineer_id in bounds.mates else it
        for it in left_out
    ]


async def today(uow: UnitOfWork, days: RunningDays) -> Day:
    """Answer the tours of the organisation's day."""
    zone = ZoneInfo(await queries.zone(uow))
    whole = day_of(uow.now().astimezone(zone).date(), zone)
    return await days.day(uow, whole.opens, whole.closes)


async def _wished(uow: UnitOfWork, actor: Actor, asked: UUID | Wish) -> Order:
    require(actor, Permission.VISITS_DISPATCH)
    if isinstance(asked, UUID):
        return await _open_order(uow, await access.work_order_for(uow, actor, asked))
    site = await queries.site_facts(uow, asked.site_id)
    if site is None:
        raise NotFound(thing="site")
    return Order(
        id=uow.new_id(),
        number=0,
        place=site.place,
        territory_id=site.territory_id,
        priority=asked.priority,
        vip=site.tier is Tier.VIP,
        minutes=asked.duration_minutes,
        windows=(),
        respond_by=uow.now() + RESPOND_WITHIN[asked.priority],
        skills=asked.skills,
        parts=(),
        preferred=site.liked,
        banned=site.banned,
        booked=None,
    )


async def _open_order(uow: UnitOfWork, row: WorkOrder) -> Order:
    found = await reading.order(uow, row.id)
    if found is None or row.state not in _BOOKABLE:
        raise OrderUnderWay(state=row.state)
    return found
