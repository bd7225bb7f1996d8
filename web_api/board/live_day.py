"""While the day runs: slots for customers, what-if, who takes an urgent order, and what goes wrong."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query, status
from pydantic import Field, model_validator

from edge.auth import Work, permitted
from edge.idempotency import IdempotencyHeader, once
from edge.problems import PROBLEMS
from edge.services import Services, ServicesOf
from server.core.wire import Id, Instant, Line, WireIn, WireOut
from server.dispatch.live_day import disruptions, policy, queries, service, what_if
from server.dispatch.live_day.days import RunningDays
from server.dispatch.live_day.domain import (
    Disruption,
    DisruptionKind,
    DisruptionState,
    LeftOut,
    Miss,
    Rating,
    Repair,
    Rule,
    Side,
)
from server.dispatch.live_day.errors import SlotsNotAsked
from server.dispatch.live_day.slots import Slot
from server.dispatch.live_day.tours import Placed
from server.dispatch.live_day.what_if import Effect
from server.dispatch.planning import queries as plan_queries
from server.dispatch.planning.domain import PlanState
from server.dispatch.planning.picture import Policy, Span
from server.dispatch.planning.timetable import plain
from server.geo.travel import Travel
from server.identity.domain import Permission
from server.workforce.domain import SkillLevel
from server.workorders import access, reading
from server.workorders.domain import Priority
from web_api.board.details import WorkOrderOut, whole
from web_api.board.plans import TourOut

router = APIRouter(prefix="/api/v1", tags=["live day"], responses=PROBLEMS)

type Dispatching = Annotated[Work, permitted(Permission.VISITS_DISPATCH)]
type Seconds = Annotated[int, Field(ge=0, le=10_000_000)]
type Price = Annotated[int, Field(ge=0, le=1_000_000, description="in seconds of driving")]

_WIDTHS = 30  # minutes; what a slot's width is a multiple of
_RUNNING: dict[Travel, RunningDays] = {}


def _days(services: Services) -> RunningDays:
    """The running tours of this process, kept beside the roads they were driven by."""
    return _RUNNING.setdefault(services.travel, RunningDays(services.travel))


class SkillNeeded(WireIn):
    key: Annotated[str, Field(min_length=1, max_length=100)]
    level: Annotated[int, Field(ge=1, le=10)] = 1


class SlotSearch(WireIn):
    """For an order, or for one still to be opened at a site. Days are the organisation's."""

    work_order_id: Id | None = None
    site_id: Id | None = None
    duration_minutes: Annotated[int, Field(ge=5, le=24 * 60)] | None = None
    skills: Annotated[list[SkillNeeded], Field(max_length=20)] = []
    priority: Priority = Priority.NORMAL
    first_day: Annotated[date | None, Field(description="today if left out")] = None
    days: Annotated[int, Field(ge=1, le=service.MOST_DAYS)] = 7
    width_minutes: Annotated[int, Field(ge=60, le=720, multiple_of=_WIDTHS, description="of a slot")] = 240

    @property
    def asked(self) -> UUID | service.Wish:
        if self.work_order_id is not None:
            return self.work_order_id
        if self.site_id is None or self.duration_minutes is None:
            raise SlotsNotAsked
        skills = tuple(SkillLevel(it.key, it.level) for it in self.skills)
        return service.Wish(self.site_id, self.duration_minutes, skills, self.priority)


class DelayOut(WireOut):
    work_order_id: UUID
    seconds: int


class PlaceInTourOut(WireOut):
    """`delays`: who would begin later, always within their windows. `late_seconds`: begun after the promise."""

    engineer_id: UUID
    name: str
    shift_id: UUID
    arrives_at: datetime
    arrives_p90_at: datetime
    begins_at: datetime
    ends_at: datetime
    extra_seconds: int
    extra_metres: int
    overtime_seconds: int
    delays: list[DelayOut]
    delay_seconds: int
    late_seconds: int
    cost: int


class SlotOut(WireOut):
    """`begins_at` is what to send when it is taken. `breaks_promise`: begun after the order is due."""

    day: date
    opens_at: datetime
    closes_at: datetime
    rating: Rating
    breaks_promise: bool
    place: PlaceInTourOut


class LeftOutOut(WireOut):
    engineer_id: UUID
    name: str
    shift_id: UUID
    why: Miss
    sentence: str


class SlotsOut(WireOut):
    """By day and time, one engineer each: the cheapest. `left_out`: shifts that offer nothing, as far as looked at."""

    timezone: str
    slots: list[SlotOut]
    left_out: list[LeftOutOut]


class TakenSlot(WireIn):
    """`window`: what the customer was promised becomes the order's window. `delay_seconds`: as the slot showed it."""

    work_order_id: Id
    engineer_id: Id
    begins_at: Instant
    window_opens_at: Instant | None = None
    window_closes_at: Instant | None = None
    delay_seconds: Seconds = 0
    width_minutes: Annotated[int, Field(ge=60, le=720, multiple_of=_WIDTHS)] = 240

    @model_validator(mode="after")
    def _whole(self) -> Self:
        ends = self.window_opens_at, self.window_closes_at
        if (ends[0] is None) != (ends[1] is None) or (ends[0] and ends[1] and ends[0] >= ends[1]):
            message = "a window needs both ends, and opens before it closes"
            raise ValueError(message)
        return self

    @property
    def window(self) -> Span | None:
        if self.window_opens_at is None or self.window_closes_at is None:
            return None
        return Span(self.window_opens_at, self.window_closes_at)


class OffersOut(WireOut):
    items: list[PlaceInTourOut]
    left_out: list[LeftOutOut]


class WhatIfAsked(WireIn):
    """Without `start` the cheapest place of the engineer's coming shifts is meant."""

    engineer_id: Id
    start: Instant | None = None


class LateOut(WireOut):
    work_order_id: UUID
    of: Rule
    seconds: int
    before_seconds: int


class EffectOut(WireOut):
    before: TourOut
    after: TourOut
    extra_seconds: int
    extra_metres: int
    extra_overtime_seconds: int
    late: list[LateOut]


class LackingOut(WireOut):
    """`has`: 0 without the skill."""

    key: str
    level: int
    has: int


class BrokenOut(WireOut):
    """`seconds`: by how much, on which `side` of the limit `at`. Clock times in `sentence` are the organisation's."""

    code: Rule
    sentence: str
    seconds: int | None
    at: datetime | None
    side: Side | None
    skills: list[LackingOut]


class WhatIfOut(WireOut):
    engineer_id: UUID
    start: datetime | None
    end: datetime | None
    tour: EffectOut | None
    taken_from: EffectOut | None
    broken: list[BrokenOut]


class AbsenceReport(WireIn):
    """From now, or from `from_at`; to the end of the shift, or to `until_at`."""

    engineer_id: Id
    from_at: Instant | None = None
    until_at: Instant | None = None
    why: Line = ""


class BreakdownReport(WireIn):
    """From now on the engineer goes nowhere; `where` is for whoever helps."""

    engineer_id: Id
    where: Line = ""
    until_at: Instant | None = None


class DelayReport(WireIn):
    engineer_id: Id
    minutes: Annotated[int, Field(ge=5, le=12 * 60)]
    why: Line = ""


class NoShowReport(WireIn):
    """The customer's wish for another time becomes the order's window."""

    work_order_id: Id
    wish_opens_at: Instant | None = None
    wish_closes_at: Instant | None = None
    why: Line = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        ends = self.wish_opens_at, self.wish_closes_at
        if (ends[0] is None) != (ends[1] is None) or (ends[0] and ends[1] and ends[0] >= ends[1]):
            message = "a wish needs both ends, and opens before it closes"
            raise ValueError(message)
        return self

    @property
    def wish(self) -> Span | None:
        if self.wish_opens_at is None or self.wish_closes_at is None:
            return None
        return Span(self.wish_opens_at, self.wish_closes_at)


class RepairOut(WireOut):
    """Of `changes` so many are in effect, so many declined. `by_itself`: within the limits, decided by nobody."""

    plan_id: UUID
    state: PlanState
    changes: int
    applied: int
    declined: int
    by_itself: bool


class DisruptionOut(WireOut):
    """`reported_by` is null where the system noticed. `plan_id`: the repair that was made for it, the newest.

    `why`: a sentence; `said`: what of it are the words of whoever reported it.
    """

    id: UUID
    kind: DisruptionKind
    state: DisruptionState
    engineer_id: UUID
    engineer_name: str
    work_order_id: UUID | None
    visit_id: UUID | None
    from_at: datetime
    until_at: datetime
    reported_by: UUID | None
    reported_at: datetime
    why: str
    said: str
    plan_id: UUID | None
    repair: RepairOut | None


class DisruptionsOut(WireOut):
    items: list[DisruptionOut]


class Prices(WireOut):
    """By priority, in seconds of driving."""

    urgent: int
    high: int
    normal: int


class PricesIn(WireIn):
    urgent: Price
    high: Price
    normal: Price

    @property
    def by_priority(self) -> dict[Priority, int]:
        return {Priority.URGENT: self.urgent, Priority.HIGH: self.high, Priority.NORMAL: self.normal}


class PlanningPolicyOut(WireOut):
    """Version 0 is what holds while nobody has set anything."""

    version: int
    worth: Prices
    vip: float
    promised: int
    booked: int
    late: Prices
    overtime: int
    changed: int
    away: int
    fairness: int
    frozen: int
    loading: int
    split: int
    caution_percent: int
    delay_notice_minutes: int
    automatic: bool
    automatic_moves: int
    automatic_later: int


class NewPlanningPolicy(WireIn):
    """What plans weigh against what. `expected_version` is the one in force as the caller saw it.

    `automatic`: repairs that move no more than `automatic_moves` visits, none of them more than `automatic_later`
    minutes later, and leave none out, put themselves into effect in the name of whoever set this.
    """

    expected_version: Annotated[int, Field(ge=0, lt=2**31)]
    worth: PricesIn
    vip: Annotated[float, Field(ge=1, le=10)]
    promised: Annotated[int, Field(ge=1, le=100)]
    booked: Annotated[int, Field(ge=1, le=100)]
    late: PricesIn
    overtime: Annotated[int, Field(ge=0, le=1_000)]
    changed: Price
    away: Annotated[int, Field(ge=0, le=100)]
    fairness: Annotated[int, Field(ge=0, le=1_000)]
    frozen: Annotated[int, Field(ge=0, le=24 * 60, description="minutes ahead that nothing changes any more")]
    loading: Annotated[int, Field(ge=0, le=240, description="minutes at the warehouse")]
    split: Annotated[int, Field(ge=20, le=2_000, description="orders from which a plan is made by territory")]
    caution_percent: Annotated[
        int, Field(ge=0, le=100, description="of the way from a usual drive to a slow one (p90) that plans allow for")
    ]
    delay_notice_minutes: Annotated[
        int, Field(ge=1, le=240, description="later than planned, and an engineer at work is said to be late")
    ]
    automatic: bool
    automatic_moves: Annotated[int, Field(ge=0, le=1_000)]
    automatic_later: Annotated[int, Field(ge=0, le=24 * 60)]

    @property
    def policy(self) -> Policy:
        said = self.model_dump(exclude={"expected_version", "worth", "late"})
        return Policy(worth=self.worth.by_priority, late=self.late.by_priority, **said)


@router.post("/slots")
async def find_slots(work: Dispatching, services: ServicesOf, body: SlotSearch) -> SlotsOut:
    """Spans of the coming days in which somebody able could come, each with the cheapest engineer for it."""
    found = await service.slots(
        work.uow,
        work.actor,
        _days(services),
        body.asked,
        first=body.first_day,
        many=body.days,
        width=body.width_minutes,
    )
    return SlotsOut(timezone=found.zone, slots=[_slot(it) for it in found.slots], left_out=_left_out(found.left_out))


@router.post("/slots/take")
async def take_slot(
    work: Dispatching, services: ServicesOf, body: TakenSlot, key: IdempotencyHeader = None
) -> WorkOrderOut:
    """Book a slot. Whoever comes second is told, with the slots of that day as they are by then."""

    async def act() -> WorkOrderOut:
        await service.take(
            work.uow,
            work.actor,
            _days(services),
            services.travel,
            work_order_id=body.work_order_id,
            engineer_id=body.engineer_id,
            start=body.begins_at,
            window=body.window,
            most_delay=body.delay_seconds,
            width=body.width_minutes,
        )
        return await _order(work, body.work_order_id)

    return await once(work, key, body, WorkOrderOut, act)


@router.post("/work-orders/{work_order_id}/offers")
async def find_offers(work_order_id: Id, work: Dispatching, services: ServicesOf) -> OffersOut:
    """The three best places for an urgent order in the tours that run today."""
    found = await service.offers(work.uow, work.actor, _days(services), work_order_id)
    return OffersOut(items=[_placed(it) for it in found.placed], left_out=_left_out(found.left_out))


@router.post("/work-orders/{work_order_id}/what-if")
async def ask_what_if(work_order_id: Id, work: Dispatching, services: ServicesOf, body: WhatIfAsked) -> WhatIfOut:
    """What giving the order to an engineer would mean. Nothing is refused and nothing is written."""
    found = await what_if.what_if(
        work.uow, work.actor, _days(services), work_order_id, engineer_id=body.engineer_id, start=body.start
    )
    return WhatIfOut(
        engineer_id=found.engineer_id,
        start=found.start,
        end=found.end,
        tour=_effect(found.tour),
        taken_from=_effect(found.taken_from),
        broken=[BrokenOut.model_validate(it) for it in found.broken],
    )


@router.get("/disruptions")
async def list_disruptions(
    work: Dispatching, state: Annotated[DisruptionState | None, Query()] = None
) -> DisruptionsOut:
    """What went wrong in the last day or is not over yet, the newest first."""
    found = await disruptions.disruptions(work.uow, state)
    return DisruptionsOut(items=await _with_repairs(work, found))


@router.post("/disruptions/absence", status_code=status.HTTP_201_CREATED)
async def report_absence(
    work: Dispatching, services: ServicesOf, body: AbsenceReport, key: IdempotencyHeader = None
) -> DisruptionOut:
    """An engineer is not there; a repair is made of what they were to do."""

    async def act() -> DisruptionOut:
        made = await disruptions.report_absence(
            work.uow,
            work.actor,
            services.jobs,
            body.engineer_id,
            since=body.from_at,
            until=body.until_at,
            why=body.why,
        )
        return await _disruption(work, made)

    return await once(work, key, body, DisruptionOut, act)


@router.post("/disruptions/breakdown", status_code=status.HTTP_201_CREATED)
async def report_breakdown(
    work: Dispatching, services: ServicesOf, body: BreakdownReport, key: IdempotencyHeader = None
) -> DisruptionOut:
    """An engineer's van has broken down: nobody expects them any more today."""

    async def act() -> DisruptionOut:
        made = await disruptions.report_absence(
            work.uow,
            work.actor,
            services.jobs,
            body.engineer_id,
            until=body.until_at,
            why=body.where,
            kind=DisruptionKind.BREAKDOWN,
        )
        return await _disruption(work, made)

    return await once(work, key, body, DisruptionOut, act)


@router.post("/disruptions/delay", status_code=status.HTTP_201_CREATED)
async def report_delay(
    work: Dispatching, services: ServicesOf, body: DelayReport, key: IdempotencyHeader = None
) -> DisruptionOut:
    """An engineer says that they will be later."""

    async def act() -> DisruptionOut:
        made = await disruptions.report_delay(
            work.uow, work.actor, services.jobs, body.engineer_id, minutes=body.minutes, why=body.why
        )
        return await _disruption(work, made)

    return await once(work, key, body, DisruptionOut, act)


@router.post("/disruptions/no-show", status_code=status.HTTP_201_CREATED)
async def report_no_show(
    work: Dispatching, services: ServicesOf, body: NoShowReport, key: IdempotencyHeader = None
) -> DisruptionOut:
    """The customer was not there: the visit is given up and the order waits for another time."""

    async def act() -> DisruptionOut:
        made = await disruptions.report_no_show(
            work.uow, work.actor, services.jobs, body.work_order_id, wish=body.wish, why=body.why
        )
        return await _disruption(work, made)

    return await once(work, key, body, DisruptionOut, act)


@router.post("/disruptions/{disruption_id}/ignore")
async def ignore_disruption(disruption_id: Id, work: Dispatching, services: ServicesOf) -> DisruptionOut:
    """Leave things as they are: no plan counts with it any more."""
    left = await disruptions.ignore(work.uow, work.actor, services.jobs, disruption_id)
    return await _disruption(work, left)


@router.get("/planning-policy")
async def get_planning_policy(work: Dispatching) -> PlanningPolicyOut:
    return _policy(*await plan_queries.policy_in_force(work.uow))


@router.put("/planning-policy")
async def set_planning_policy(
    work: Annotated[Work, permitted(Permission.SETTINGS_MANAGE)], body: NewPlanningPolicy
) -> PlanningPolicyOut:
    """Put new values in force, from the next plan on; old ones stay with the plans they made."""
    version = await policy.set_policy(work.uow, work.actor, body.policy, expected_version=body.expected_version)
    return _policy(version, body.policy)


def _policy(version: int, it: Policy) -> PlanningPolicyOut:
    prices = {"worth": _prices(it.worth), "late": _prices(it.late)}
    return PlanningPolicyOut.model_validate({**vars(it), **prices, "version": version})


def _prices(values: dict[Priority, int]) -> dict[str, int]:
    return {str(priority): value for priority, value in values.items()}


def _slot(it: Slot) -> SlotOut:
    return SlotOut(
        day=it.day,
        opens_at=it.span.opens,
        closes_at=it.span.closes,
        rating=it.rating,
        breaks_promise=it.placed.late_seconds > 0,
        place=_placed(it.placed),
    )


def _placed(it: Placed) -> PlaceInTourOut:
    return PlaceInTourOut(
        engineer_id=it.duty.engineer_id,
        name=it.duty.name,
        shift_id=it.duty.shift_id,
        arrives_at=it.arrives,
        arrives_p90_at=it.arrives_p90,
        begins_at=it.begins,
        ends_at=it.ends,
        extra_seconds=it.extra_seconds,
        extra_metres=it.extra_metres,
        overtime_seconds=it.overtime_seconds,
        delays=[DelayOut(work_order_id=delay.order_id, seconds=delay.seconds) for delay in it.delays],
        delay_seconds=it.delay_seconds,
        late_seconds=it.late_seconds,
        cost=it.cost,
    )


def _left_out(found: tuple[LeftOut, ...]) -> list[LeftOutOut]:
    return [LeftOutOut.model_validate(it) for it in found]


def _effect(it: Effect | None) -> EffectOut | None:
    if it is None:
        return None
    return EffectOut(
        before=TourOut.model_validate(plain(it.before)),
        after=TourOut.model_validate(plain(it.after)),
        extra_seconds=it.extra_seconds,
        extra_metres=it.extra_metres,
        extra_overtime_seconds=it.extra_overtime_seconds,
        late=[
            LateOut(work_order_id=one.order_id, of=one.of, seconds=one.seconds, before_seconds=one.before_seconds)
            for one in it.late
        ],
    )


async def _with_repairs(work: Work, found: Sequence[Disruption]) -> list[DisruptionOut]:
    repairs = await queries.repairs(work.uow, {it.plan_id for it in found if it.plan_id is not None})
    return [_disruption_out(it, repairs.get(it.plan_id) if it.plan_id else None) for it in found]


def _disruption_out(it: Disruption, repair: Repair | None) -> DisruptionOut:
    said = it.why if it.reported_by is not None else ""
    return DisruptionOut.model_validate({**vars(it), "why": it.sentence, "said": said, "repair": repair})


async def _disruption(work: Work, it: Disruption) -> DisruptionOut:
    (told,) = await _with_repairs(work, [it])
    return told


async def _order(work: Work, work_order_id: UUID) -> WorkOrderOut:
    order = await access.work_order_for(work.uow, work.actor, work_order_id)
    summary = await reading.summary_of(work.uow, work_order_id)
    assert summary is not None, "an order that can be seen has a line in the list"
    return WorkOrderOut.model_validate(whole(order, summary))
