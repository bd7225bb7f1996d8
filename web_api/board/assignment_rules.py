"""Rules by which orders assign themselves, what they did, and the open pool."""

from datetime import datetime, time
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, status
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from edge.auth import Work, permitted
from edge.idempotency import IdempotencyHeader, once
from edge.problems import PROBLEMS
from server.core.wire import Id, Instant, Name, WireIn, WireOut
from server.customers.domain import Tier
from server.dispatch.rules import editing, pool, rehearsal, service
from server.dispatch.rules.domain import Conditions, Do, Hours, Limit, Limits, OfferEnding, Rule, RuleOutcome, Treatment
from server.dispatch.rules.editing import Wording
from server.identity.domain import Permission
from server.workorders.domain import Channel, Priority

router = APIRouter(prefix="/api/v1", tags=["assignment rules"], responses=PROBLEMS)


def _each_once[T](values: list[T]) -> list[T]:
    if len(set(values)) != len(values):
        message = "must name each value once"
        raise ValueError(message)
    return values


_FEW = Field(max_length=100)
_EACH_ONCE = AfterValidator(_each_once)

type OfDay = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
type Minutes = Annotated[int, Field(ge=1, le=7 * 24 * 60)]


class HoursOfDay(WireIn):
    """Clock times where the organisation is, the end excluded; from 22:00 to 06:00 is the night."""

    start: OfDay
    end: OfDay

    @model_validator(mode="after")
    def _lasts(self) -> "HoursOfDay":
        if self.start == self.end:
            message = "end must differ from start; leave hours out for the whole day"
            raise ValueError(message)
        return self


class RuleConditions(WireIn):
    """What an order must be like: all of what is given, and of a list one of its values."""

    priorities: Annotated[list[Priority], _FEW, _EACH_ONCE] = []
    problem_types: Annotated[list[Name], _FEW, _EACH_ONCE] = []
    territories: Annotated[list[Id], _FEW, _EACH_ONCE] = []
    channels: Annotated[list[Channel], _FEW, _EACH_ONCE] = []
    customer_tiers: Annotated[list[Tier], _FEW, _EACH_ONCE] = []
    hours: HoursOfDay | None = None
    max_minutes_old: Minutes | None = None


class RuleLimits(WireIn):
    """How clear the case must be: the best candidate's score, lead over the second, way there, load with this job."""

    min_score: Annotated[float, Field(ge=0, le=10)] | None = None
    min_lead: Annotated[float, Field(ge=0, le=10)] | None = None
    max_eta_minutes: Minutes | None = None
    max_load_percent: Annotated[int, Field(ge=1, le=1_000)] | None = None


class AssignAtOnce(WireIn):
    do: Literal[Do.ASSIGN]


class WaitThenAssign(WireIn):
    """A person may decide first."""

    do: Literal[Do.WAIT]
    minutes: Minutes


class OfferNearBreach(WireIn):
    """Into the open pool when fewer minutes remain to respond."""

    do: Literal[Do.POOL]
    minutes: Minutes


class LeaveToPeople(WireIn):
    do: Literal[Do.NEVER]


type RuleTreatment = Annotated[
    AssignAtOnce | WaitThenAssign | OfferNearBreach | LeaveToPeople, Field(discriminator="do")
]


class NewAssignmentRule(WireIn):
    name: Name
    active: bool
    conditions: RuleConditions = RuleConditions()
    limits: RuleLimits = RuleLimits()
    treatment: RuleTreatment


class ChangedAssignmentRule(NewAssignmentRule):
    version: Annotated[int, Field(ge=1, description="the one this was made from")]


class AssignmentRuleOrder(WireIn):
    """Every rule once, the one that is asked first first."""

    ids: Annotated[list[Id], Field(max_length=1_000)]


class HoursOfDayOut(WireOut):
    start: str
    end: str


class RuleConditionsOut(WireOut):
    priorities: list[Priority]
    problem_types: list[str]
    territories: list[UUID]
    channels: list[Channel]
    customer_tiers: list[Tier]
    hours: HoursOfDayOut | None
    max_minutes_old: int | None


class RuleLimitsOut(WireOut):
    min_score: float | None
    min_lead: float | None
    max_eta_minutes: int | None
    max_load_percent: int | None


class RuleTreatmentOut(WireOut):
    do: Do
    minutes: int | None


class AssignmentRuleOut(WireOut):
    """`version` grows with every change of what the rule says; its `position` is none of it."""

    id: UUID
    version: int
    position: int
    name: str
    active: bool
    conditions: RuleConditionsOut
    limits: RuleLimitsOut
    treatment: RuleTreatmentOut
    created_by: UUID
    created_at: datetime


class AssignmentRulesOut(WireOut):
    items: list[AssignmentRuleOut]


class BrokenLimitOut(WireOut):
    limit: Limit
    allowed: float
    found: float


class Rehearsal(WireIn):
    days: Annotated[int, Field(ge=1, le=90)]
    inactive_too: Annotated[bool, Field(description="as if every rule were active")] = False


class RuleName(WireOut):
    id: UUID
    version: int
    name: str


class RehearsedOrderOut(WireOut):
    """`rule` is none where nothing would have decided. `outcome` is none where no ranking was kept to tell it from.

    `waiting` means that a person had sent somebody before the rule would have acted. `best_id` led when somebody was
    sent, who is `sent_id`.
    """

    work_order_id: UUID
    number: int
    title: str
    reported_at: datetime
    rule: RuleName | None
    outcome: RuleOutcome | None
    limits: list[BrokenLimitOut]
    best_id: UUID | None
    sent_id: UUID | None


class RehearsalOut(WireOut):
    """The newest thousand orders at most."""

    items: list[RehearsedOrderOut]


class AttemptOut(WireOut):
    """`until`: when it goes on. `over_at`: when waiting ended. `engineer_id`: who was sent, or only led."""

    id: UUID
    rule_id: UUID
    rule_version: int
    rule_name: str
    outcome: RuleOutcome
    at: datetime
    until: datetime | None
    over_at: datetime | None
    engineer_id: UUID | None
    engineer_name: str | None
    limits: list[BrokenLimitOut]


class PoolOfferOut(WireOut):
    """Opened by a person or by a rule; `ending` is none while it is open."""

    id: UUID
    work_order_id: UUID
    opened_at: datetime
    opened_by: UUID | None
    rule_id: UUID | None
    rule_version: int | None
    closes_at: datetime
    ended_at: datetime | None
    ending: OfferEnding | None
    taken_by: UUID | None


class AutomationOut(WireOut):
    """What rules did with an order, the newest first, and its last offer."""

    attempts: list[AttemptOut]
    offer: PoolOfferOut | None


class NewPoolOffer(WireIn):
    closes_at: Annotated[
        Instant | None, Field(description="with the promise, if left out, but in an hour at least")
    ] = None


@router.get("/assignment-rules")
async def list_assignment_rules(work: Annotated[Work, permitted(Permission.VISITS_DISPATCH)]) -> AssignmentRulesOut:
    """Every rule in the order they are asked."""
    return AssignmentRulesOut(items=[_out(rule) for rule in await editing.rules(work.uow)])


@router.post("/assignment-rules", status_code=status.HTTP_201_CREATED)
async def add_assignment_rule(
    work: Annotated[Work, permitted(Permission.SETTINGS_MANAGE)],
    body: NewAssignmentRule,
    key: IdempotencyHeader = None,
) -> AssignmentRuleOut:
    """Add a rule behind all others."""

    async def act() -> AssignmentRuleOut:
        return _out(await editing.add(work.uow, work.actor, _wording(body)))

    return await once(work, key, body, AssignmentRuleOut, act)


@router.put("/assignment-rules/order")
async def reorder_assignment_rules(
    work: Annotated[Work, permitted(Permission.SETTINGS_MANAGE)], body: AssignmentRuleOrder
) -> AssignmentRulesOut:
    """Ask the rules in this order from now on."""
    return AssignmentRulesOut(items=[_out(rule) for rule in await editing.reorder(work.uow, work.actor, body.ids)])


@router.post("/assignment-rules/dry-run")
async def rehearse_assignment_rules(
    work: Annotated[Work, permitted(Permission.VISITS_DISPATCH)], body: Rehearsal
) -> RehearsalOut:
    """What the rules would have done with the orders of the last days; nothing is changed."""
    found = await rehearsal.rehearse(work.uow, body.days, inactive_too=body.inactive_too)
    return RehearsalOut(items=[RehearsedOrderOut.model_validate(it) for it in found])


@router.put("/assignment-rules/{rule_id}")
async def change_assignment_rule(
    rule_id: Id, work: Annotated[Work, permitted(Permission.SETTINGS_MANAGE)], body: ChangedAssignmentRule
) -> AssignmentRuleOut:
    """Give a rule a new version. What it decided before goes on naming the old one."""
    return _out(await editing.change(work.uow, work.actor, rule_id, body.version, _wording(body)))


@router.delete("/assignment-rules/{rule_id}", status_code=status.HTTP_204_NO_CONTENT)
async def remove_assignment_rule(rule_id: Id, work: Annotated[Work, permitted(Permission.SETTINGS_MANAGE)]) -> None:
    """Orders that wait under it are looked at anew when their time has come."""
    await editing.remove(work.uow, work.actor, rule_id)


@router.get("/work-orders/{work_order_id}/automation")
async def automation(work_order_id: Id, work: Annotated[Work, permitted(Permission.VISITS_DISPATCH)]) -> AutomationOut:
    """What rules did with this order and why, and whether it is on offer."""
    return AutomationOut.model_validate(await service.automation_of(work.uow, work.actor, work_order_id))


@router.post("/work-orders/{work_order_id}/pool", status_code=status.HTTP_201_CREATED)
async def offer_work_order(
    work_order_id: Id,
    work: Annotated[Work, permitted(Permission.VISITS_DISPATCH)],
    body: NewPoolOffer,
    key: IdempotencyHeader = None,
) -> PoolOfferOut:
    """Offer the order to every engineer who may take it. What is on offer already stays as it is."""

    async def act() -> PoolOfferOut:
        made = await pool.offer_by_hand(work.uow, work.actor, work_order_id, body.closes_at)
        return PoolOfferOut.model_validate(made)

    return await once(work, key, body, PoolOfferOut, act)


@router.delete("/work-orders/{work_order_id}/pool", status_code=status.HTTP_204_NO_CONTENT)
async def withdraw_work_order(work_order_id: Id, work: Annotated[Work, permitted(Permission.VISITS_DISPATCH)]) -> None:
    """Take the offer back; it leaves every phone."""
    await pool.withdraw(work.uow, work.actor, work_order_id)


def _wording(body: NewAssignmentRule) -> Wording:
    return Wording(
        name=body.name,
        active=body.active,
        conditions=_conditions(body.conditions),
        limits=Limits(**dict(body.limits)),
        treatment=Treatment(body.treatment.do, getattr(body.treatment, "minutes", None)),
    )


def _conditions(asked: RuleConditions) -> Conditions:
    hours = asked.hours
    return Conditions(
        priorities=frozenset(asked.priorities),
        problem_types=frozenset(asked.problem_types),
        territories=frozenset(asked.territories),
        channels=frozenset(asked.channels),
        customer_tiers=frozenset(asked.customer_tiers),
        hours=Hours(time.fromisoformat(hours.start), time.fromisoformat(hours.end)) if hours else None,
        max_minutes_old=asked.max_minutes_old,
    )


def _out(rule: Rule) -> AssignmentRuleOut:
    said: dict[str, Any] = {"hours": None, "max_minutes_old": None, **rule.conditions.as_json()}
    lists = ("priorities", "problem_types", "territories", "channels", "customer_tiers")
    conditions = {**{name: [] for name in lists}, **said}
    return AssignmentRuleOut.model_validate({**vars(rule), "conditions": conditions})
