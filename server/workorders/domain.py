"""The life of a work order. `TRANSITIONS` is the one table of state changes: nothing else changes a state.

The table is read by the code below, by `GET /api/v1/work-order-states` and by the pages that show it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from server.geo.domain import Point
from server.identity.domain import Permission
from server.sync.domain import Occurrence
from server.workforce.domain import SkillLevel
from server.workorders.errors import IllegalTransition, MissingRequirement


class Priority(StrEnum):
    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"


# Response promise by priority; SLA policies refine it per organisation later.
RESPOND_WITHIN: Mapping[Priority, timedelta] = {
    Priority.URGENT: timedelta(hours=2),
    Priority.HIGH: timedelta(hours=24),
    Priority.NORMAL: timedelta(hours=72),
}


class Channel(StrEnum):
    PORTAL = "portal"
    PHONE = "phone"
    EMAIL = "email"
    API = "api"
    FIELD = "field"
    DEVICE_ALARM = "device_alarm"
    CONTRACT = "contract"


class State(StrEnum):
    NEW = "new"
    TRIAGED = "triaged"
    SCHEDULED = "scheduled"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    TRAVELLING = "travelling"
    ON_SITE = "on_site"
    WORKING = "working"
    ON_HOLD = "on_hold"
    RESOLVED = "resolved"
    COMPLETED_DISPUTED = "completed_disputed"  # done by somebody who did not know that the office had stopped it
    AWAITING_CONFIRMATION = "awaiting_confirmation"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    REOPENED = "reopened"


class VisitState(StrEnum):
    PLANNED = "planned"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    TRAVELLING = "travelling"
    ON_SITE = "on_site"
    WORKING = "working"
    PAUSED = "paused"
    SUSPENDED = "suspended"  # the office stopped it; the engineer may not know yet
    COMPLETED = "completed"
    INTERRUPTED = "interrupted"  # left unfinished; the order goes on with another visit
    DECLINED = "declined"
    CANCELLED = "cancelled"


OPEN_VISIT = frozenset(VisitState) - {
    VisitState.COMPLETED,
    VisitState.INTERRUPTED,
    VisitState.DECLINED,
    VisitState.CANCELLED,
}


# What a visit's state makes of its order, while nothing else does.
STATE_OF: Mapping[VisitState, State] = {
    VisitState.PLANNED: State.SCHEDULED,
    VisitState.DISPATCHED: State.DISPATCHED,
    VisitState.ACCEPTED: State.ACCEPTED,
    VisitState.TRAVELLING: State.TRAVELLING,
    VisitState.ON_SITE: State.ON_SITE,
    VisitState.WORKING: State.WORKING,
    VisitState.PAUSED: State.ON_HOLD,
    VisitState.SUSPENDED: State.ON_HOLD,
    VisitState.COMPLETED: State.RESOLVED,
    VisitState.DECLINED: State.TRIAGED,
}
# The office took these from the engineer, whose own line of events goes on until they hear of it.
TAKEN_VISIT = frozenset({VisitState.CANCELLED, VisitState.INTERRUPTED, VisitState.SUSPENDED})
BEGUN_VISIT = frozenset({VisitState.TRAVELLING, VisitState.ON_SITE, VisitState.WORKING, VisitState.PAUSED})
OVER = frozenset({State.CLOSED, State.CANCELLED})
DONE = frozenset({State.RESOLVED, State.AWAITING_CONFIRMATION, State.COMPLETED_DISPUTED, State.CLOSED})
DEFAULT_DURATION_MINUTES = 60


class HoldReason(StrEnum):
    PARTS = "parts"
    CUSTOMER = "customer"
    THIRD_PARTY = "third_party"


class Pin(StrEnum):
    """What a dispatcher holds fast about a visit, whatever would be cheaper."""

    ENGINEER = "engineer"
    TIME = "time"  # the engineer too: it is somebody's promise for an hour


class LinkKind(StrEnum):
    TOGETHER = "together"  # at one place, begun in the same minute by two engineers
    BEFORE = "before"  # the second begins when the first has ended, and its gap has passed


class Action(StrEnum):
    TRIAGE = "triage"
    SCHEDULE = "schedule"
    DISPATCH = "dispatch"
    UNSCHEDULE = "unschedule"
    ACCEPT = "accept"
    DECLINE = "decline"
    TRAVEL = "travel"
    ARRIVE = "arrive"
    START = "start"
    HOLD = "hold"
    SUSPEND = "suspend"
    RESUME = "resume"
    RESOLVE = "resolve"
    COMPLETE_DISPUTED = "complete_disputed"
    ACCEPT_WORK = "accept_work"
    REQUEST_CONFIRMATION = "request_confirmation"
    CONFIRM = "confirm"
    CLOSE_BY_EXCEPTION = "close_by_exception"
    CANCEL = "cancel"
    REOPEN = "reopen"


class Requirement(StrEnum):
    """What must be at hand before an action is allowed."""

    VISIT = "visit"
    ENGINEER = "engineer"
    NOTE = "note"
    REASON = "reason"
    HOLD_REASON = "hold_reason"
    CHECKLIST = "checklist"
    SIGNATURE = "signature"
    RATING = "rating"
    WORK_DONE_UNKNOWING = "work_done_unknowing"  # a phone told of it that had not heard of the office's decision


@dataclass(frozen=True)
class Transition:
    action: Action
    sources: frozenset[State]
    target: State
    by: Permission  # VISITS_PERFORM always means: the engineer of this visit
    requires: tuple[Requirement, ...] = ()
    visit: VisitState | None = None  # what the visit at hand becomes
    triggers: str | None = None  # event appended for those above


def _t(
    action: Action,
    sources: set[State],
    target: State,
    by: Permission,
    *,
    requires: tuple[Requirement, ...] = (),
    visit: VisitState | None = None,
    triggers: str | None = None,
) -> Transition:
    return Transition(action, frozenset(sources), target, by, requires, visit, triggers)


_S, _V, _A, _R, _P = State, VisitState, Action, Requirement, Permission
_FINISHED = {_S.CLOSED, _S.CANCELLED}
_DONE = {_S.RESOLVED, _S.AWAITING_CONFIRMATION}
_STOPPABLE = {_S.SCHEDULED, _S.DISPATCHED, _S.ACCEPTED, _S.TRAVELLING, _S.ON_SITE, _S.WORKING}

TRANSITIONS: Mapping[Action, Transition] = {
    row.action: row
    for row in (
        _t(_A.TRIAGE, {_S.NEW, _S.REOPENED}, _S.TRIAGED, _P.ORDERS_TRIAGE, triggers="work_order.triaged"),
        _t(
            _A.SCHEDULE,
            {_S.NEW, _S.TRIAGED, _S.REOPENED, _S.SCHEDULED, _S.DISPATCHED, _S.ACCEPTED, _S.ON_HOLD},
            _S.SCHEDULED,
            _P.VISITS_DISPATCH,
            requires=(_R.VISIT,),
            visit=_V.PLANNED,
            triggers="visit.scheduled",
        ),
        _t(
            _A.DISPATCH,
            {_S.SCHEDULED},
            _S.DISPATCHED,
            _P.VISITS_DISPATCH,
            requires=(_R.VISIT, _R.ENGINEER),
            visit=_V.DISPATCHED,
            triggers="visit.dispatched",
        ),
        _t(
            _A.UNSCHEDULE,
            {_S.SCHEDULED, _S.DISPATCHED, _S.ACCEPTED},
            _S.TRIAGED,
            _P.VISITS_DISPATCH,
            requires=(_R.REASON,),
            visit=_V.CANCELLED,
            triggers="visit.withdrawn",
        ),
        _t(
            _A.ACCEPT,
            {_S.DISPATCHED},
            _S.ACCEPTED,
            _P.VISITS_PERFORM,
            requires=(_R.VISIT,),
            visit=_V.ACCEPTED,
            triggers="visit.accepted",
        ),
        _t(
            _A.DECLINE,
            {_S.DISPATCHED, _S.ACCEPTED},
            _S.TRIAGED,
            _P.VISITS_PERFORM,
            requires=(_R.VISIT, _R.REASON),
            visit=_V.DECLINED,
            triggers="visit.declined",
        ),
        _t(
            _A.TRAVEL,
            {_S.DISPATCHED, _S.ACCEPTED},
            _S.TRAVELLING,
            _P.VISITS_PERFORM,
            requires=(_R.VISIT,),
            visit=_V.TRAVELLING,
            triggers="visit.travelling",
        ),
        _t(
            _A.ARRIVE,
            {_S.DISPATCHED, _S.ACCEPTED, _S.TRAVELLING},
            _S.ON_SITE,
            _P.VISITS_PERFORM,
            requires=(_R.VISIT,),
            visit=_V.ON_SITE,
            triggers="visit.arrived",
        ),
        _t(
            _A.START,
            {_S.ON_SITE},
            _S.WORKING,
            _P.VISITS_PERFORM,
            requires=(_R.VISIT,),
            visit=_V.WORKING,
            triggers="visit.started",
        ),
        _t(
            _A.HOLD,
            {_S.ACCEPTED, _S.TRAVELLING, _S.ON_SITE, _S.WORKING},
            _S.ON_HOLD,
            _P.VISITS_PERFORM,
            requires=(_R.VISIT, _R.HOLD_REASON, _R.NOTE),
            visit=_V.PAUSED,
            triggers="work_order.held",
        ),
        _t(
            _A.SUSPEND,
            {_S.NEW, _S.TRIAGED, _S.REOPENED, _S.COMPLETED_DISPUTED} | _STOPPABLE,
            _S.ON_HOLD,
            _P.ORDERS_TRIAGE,
            requires=(_R.HOLD_REASON, _R.REASON),
            visit=_V.SUSPENDED,
            triggers="work_order.held",
        ),
        _t(
            _A.RESUME,
            {_S.ON_HOLD},
            _S.WORKING,
            _P.VISITS_PERFORM,
            requires=(_R.VISIT,),
            visit=_V.WORKING,
            triggers="work_order.resumed",
        ),
        _t(
            _A.RESOLVE,
            {_S.WORKING},
            _S.RESOLVED,
            _P.VISITS_PERFORM,
            requires=(_R.VISIT, _R.NOTE, _R.CHECKLIST),
            visit=_V.COMPLETED,
            triggers="work_order.resolved",
        ),
        _t(
            _A.COMPLETE_DISPUTED,
            {_S.CANCELLED, _S.ON_HOLD},
            _S.COMPLETED_DISPUTED,
            _P.VISITS_PERFORM,
            requires=(_R.WORK_DONE_UNKNOWING,),
            visit=_V.COMPLETED,
            triggers="work_order.completed_disputed",
        ),
        _t(
            _A.ACCEPT_WORK,
            {_S.COMPLETED_DISPUTED},
            _S.RESOLVED,
            _P.ORDERS_TRIAGE,
            requires=(_R.REASON,),
            triggers="work_order.resolved",
        ),
        _t(
            _A.REQUEST_CONFIRMATION,
            {_S.RESOLVED},
            _S.AWAITING_CONFIRMATION,
            _P.VISITS_PERFORM,
            triggers="work_order.confirmation_requested",
        ),
        _t(
            _A.CONFIRM,
            _DONE,
            _S.CLOSED,
            _P.VISITS_PERFORM,
            requires=(_R.SIGNATURE, _R.RATING),
            triggers="work_order.closed",
        ),
        _t(
            _A.CLOSE_BY_EXCEPTION,
            _DONE,
            _S.CLOSED,
            _P.ORDERS_CLOSE,
            requires=(_R.REASON,),
            triggers="work_order.closed",
        ),
        _t(
            _A.CANCEL,
            set(State) - _FINISHED - _DONE,
            _S.CANCELLED,
            _P.ORDERS_TRIAGE,
            requires=(_R.REASON,),
            visit=_V.CANCELLED,
            triggers="work_order.cancelled",
        ),
        _t(
            _A.REOPEN,
            _FINISHED | _DONE | {_S.COMPLETED_DISPUTED},
            _S.REOPENED,
            _P.ORDERS_TRIAGE,
            requires=(_R.REASON,),
            triggers="work_order.reopened",
        ),
    )
}


def decide(action: Action, state: State, at_hand: frozenset[Requirement]) -> Transition:
    """Answer the table's row for `action`.

    Raises IllegalTransition when the table does not allow it from `state`, MissingRequirement naming what is lacking.
    """
    transition = TRANSITIONS[action]
    if state not in transition.sources:
        raise IllegalTransition(action=action, state=state, allowed=actions_from(state))
    require_all(transition, at_hand)
    return transition


def require_all(transition: Transition, at_hand: frozenset[Requirement]) -> None:
    """Raise MissingRequirement naming what is lacking."""
    missing = [needed for needed in transition.requires if needed not in at_hand]
    if missing:
        raise MissingRequirement(action=transition.action, missing=", ".join(missing))


def actions_from(state: State) -> list[Action]:
    return [row.action for row in TRANSITIONS.values() if state in row.sources]


@dataclass(frozen=True)
class WorkOrder:
    id: UUID
    number: int
    customer_id: UUID
    site_id: UUID
    asset_id: UUID | None
    title: str
    problem_type: str
    description: str
    priority: Priority
    channel: Channel
    state: State
    hold_reason: HoldReason | None
    reported_at: datetime
    reported_by: str
    respond_by: datetime
    window_start: datetime | None
    window_end: datetime | None
    duration_minutes: int
    procedure_id: UUID | None
    preferred_engineer_id: UUID | None
    closed_at: datetime | None
    version: int
    findings: str = ""
    description_rev: int = 1
    findings_rev: int = 1
    voided_at: datetime | None = None


@dataclass(frozen=True)
class Visit:
    id: UUID
    work_order_id: UUID
    ordinal: int
    state: VisitState
    engineer_id: UUID | None
    planned_start: datetime | None
    planned_end: datetime | None
    approached_at: datetime | None
    finished_at: datetime | None  # server time at which it left the open states
    version: int
    field_state: VisitState  # how far the engineer says they are, whatever the office decided meanwhile
    begun_at: datetime | None  # estimated time at which the engineer set out
    pin: Pin | None = None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_VISIT

    @property
    def has_begun(self) -> bool:
        """Whether the engineer was already on it, so that taking it away interrupts rather than cancels."""
        return (self.field_state if self.state is VisitState.SUSPENDED else self.state) in BEGUN_VISIT

    @property
    def waits(self) -> bool:
        """Whether the engineer is expected and has not set out."""
        return self.is_open and not self.has_begun and self.state is not VisitState.SUSPENDED

    def moved(self, state: VisitState, *, at: datetime, now: datetime) -> "Visit":
        """Answer the visit in another state. What the office takes away leaves the engineer's own line as it was."""
        return replace(
            self,
            state=state,
            version=self.version + 1,
            finished_at=self._finished(state, now),
            field_state=self.field_state if state in TAKEN_VISIT else state,
            begun_at=self.begun_at or (at if state in BEGUN_VISIT else None),
        )

    def _finished(self, state: VisitState, now: datetime) -> datetime | None:
        if state in OPEN_VISIT:
            return None
        # Whoever completes what was taken from them finishes it now; it stays on their phone from now on.
        return now if state is VisitState.COMPLETED or self.finished_at is None else self.finished_at

    def told(self, state: VisitState, *, at: datetime) -> "Visit":
        """Answer the visit after its engineer told of a step that changes nothing the office decided."""
        begun = self.begun_at or (at if state in BEGUN_VISIT else None)
        return replace(self, field_state=state, begun_at=begun, version=self.version + 1)


class Verdict(StrEnum):
    """What becomes of a step that an engineer took, perhaps without knowing what the office decided meanwhile."""

    IN_STEP = "in_step"  # nothing came between
    SAID_BEFORE = "said_before"
    IMPOSSIBLE = "impossible"  # not even by the engineer's own line of events
    STAND_ASIDE = "stand_aside"  # they decline what is no longer theirs
    STOPPED = "stopped"  # the office cancelled or suspended the order; what was done has happened all the same
    DONE_BY_ANOTHER = "done_by_another"
    GIVEN_BACK = "given_back"  # they had begun before it was taken from them, and nobody else has
    CONTESTED = "contested"


def judge(action: Action, order: WorkOrder, mine: Visit, at_hand: Visit, at: datetime) -> Verdict:
    """Judge a step of the field that was taken at `at` on the visit `mine`; `at_hand` is the order's visit now."""
    rule = TRANSITIONS[action]
    undisturbed = at_hand.id == mine.id and mine.state is mine.field_state
    if undisturbed or (rule.visit is None and mine.state is VisitState.COMPLETED):
        return Verdict.IN_STEP
    if rule.visit is mine.field_state:
        return Verdict.SAID_BEFORE
    if rule.visit is None or STATE_OF[mine.field_state] not in rule.sources:
        return Verdict.IMPOSSIBLE
    if action is Action.DECLINE:
        return Verdict.STAND_ASIDE
    begun = mine.begun_at or (at if rule.visit in BEGUN_VISIT else None)
    return _against_the_office(order, mine, at_hand, begun)


def _against_the_office(order: WorkOrder, mine: Visit, at_hand: Visit, begun: datetime | None) -> Verdict:
    held = order.state is State.ON_HOLD and VisitState.SUSPENDED in {mine.state, at_hand.state}
    if held or order.state is State.CANCELLED:
        return Verdict.STOPPED
    if order.state in DONE:
        return Verdict.DONE_BY_ANOTHER
    had_begun = begun is not None and mine.finished_at is not None and begun < mine.finished_at
    untouched = at_hand.id == mine.id or at_hand.begun_at is None
    return Verdict.GIVEN_BACK if had_begun and untouched else Verdict.CONTESTED


@dataclass(frozen=True)
class OrderRequest:
    """What is known when a work order is opened. `id` is given when it was born on a device."""

    site_id: UUID
    title: str
    problem_type: str
    description: str
    priority: Priority = Priority.NORMAL
    channel: Channel = Channel.PHONE
    asset_id: UUID | None = None
    window_start: datetime | None = None
    window_end: datetime | None = None
    duration_minutes: int = DEFAULT_DURATION_MINUTES
    skills: tuple[SkillLevel, ...] = ()
    procedure_key: str | None = None
    preferred_engineer_id: UUID | None = None
    reported_by: str | None = None
    id: UUID | None = None


@dataclass(frozen=True)
class Circumstances:
    """When, where and from which device something was done. Without any of it: here and now, in an office."""

    occurrence: Occurrence | None = None
    place: Point | None = None
    device: UUID | None = None
    mutation: UUID | None = None


OFFICE = Circumstances()
