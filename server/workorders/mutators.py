"""What a device may do to work orders: each function receives one mutation and says how it ended."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from server.core.db import UnitOfWork
from server.core.wire import Id, Instant, Line, Name, Sha256, Text, WireIn
from server.geo.domain import Point
from server.identity.access import require
from server.identity.domain import Actor, Permission
from server.sync.domain import APPLIED, Disagreement, Mutation, Outcome
from server.sync.registry import Nature, Registry
from server.workorders import evidence, queries, service
from server.workorders.access import Admission, admit
from server.workorders.domain import (
    TRANSITIONS,
    Action,
    Channel,
    Circumstances,
    HoldReason,
    OrderRequest,
    Priority,
    Requirement,
    Visit,
    WorkOrder,
)
from server.workorders.errors import IllegalTransition, NotYourVisit, VisitOver
from server.workorders.records import CostKind, TimeKind


def _of_the_field(action: Action) -> Action:
    # Confirming needs the customer's signature, which has a mutation of its own.
    rule = TRANSITIONS[action]
    if rule.by is not Permission.VISITS_PERFORM or Requirement.SIGNATURE in rule.requires:
        message = "is not an action of the field"
        raise ValueError(message)
    return action


class TransitionArgs(WireIn):
    wo: Id
    visit: Id
    to: Annotated[Action, AfterValidator(_of_the_field)]
    reason: Line | None = None
    note: Text | None = None
    hold_reason: HoldReason | None = None


class NoteArgs(WireIn):
    id: Id
    wo: Id
    visit: Id | None = None
    body: Annotated[Text, StringConstraints(min_length=1)]


class AnswerArgs(WireIn):
    id: Id
    wo: Id
    visit: Id | None = None
    item: Id
    value: Any


class TimeArgs(WireIn):
    id: Id
    wo: Id
    visit: Id | None = None
    kind: TimeKind
    started_at: Instant
    ended_at: Instant

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.ended_at < self.started_at:
            message = "ended_at must not lie before started_at"
            raise ValueError(message)
        return self


class CostArgs(WireIn):
    id: Id
    wo: Id
    visit: Id | None = None
    kind: CostKind
    amount_minor: Annotated[int, Field(ge=0, le=10**12)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    description: Line = ""


class PhotoArgs(WireIn):
    id: Id
    wo: Id
    visit: Id | None = None
    sha256: Sha256
    caption: Line = ""


class FollowUpArgs(WireIn):
    id: Id
    wo: Id
    title: Name
    description: Text = ""
    priority: Priority = Priority.NORMAL


async def transition(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: TransitionArgs) -> Outcome:
    """Move an order. Already there: merged. Not possible any more: a conflict that keeps both sides."""
    admission = await admit(uow, actor, work_order_id=args.wo, visit_id=args.visit)
    order = await queries.lock_order(uow, args.wo)
    assert order is not None, "admitted in this very transaction"
    at_hand = await queries.visit_at_hand(uow, args.wo)
    if order.state is TRANSITIONS[args.to].target and at_hand is not None and at_hand.id == args.visit:
        await _keep_what_was_said(uow, actor, mutation, args, admission)
        return Outcome.merged("ALREADY_THERE")
    try:
        await service.perform(
            uow,
            actor,
            work_order_id=args.wo,
            visit_id=args.visit,
            action=args.to,
            reason=args.reason,
            note=args.note,
            hold_reason=args.hold_reason,
            **vars(circumstances_of(mutation)),
        )
    except IllegalTransition:
        return Outcome.conflict(_disagreement("ILLEGAL_TRANSITION", args, order, at_hand))
    except (NotYourVisit, VisitOver):
        return Outcome.conflict(_disagreement("REASSIGNED", args, order, at_hand))
    return APPLIED


async def _keep_what_was_said(
    uow: UnitOfWork, actor: Actor, mutation: Mutation, args: TransitionArgs, admission: Admission
) -> None:
    if args.note and args.note.strip():
        await evidence.add_note(
            uow,
            actor,
            admission,
            note_id=uow.new_id(),
            body=args.note,
            circumstances=circumstances_of(mutation),
        )


def _disagreement(code: str, args: TransitionArgs, order: WorkOrder, visit: Visit | None) -> Disagreement:
    theirs: Mapping[str, Any] = {
        "state": order.state,
        "version": order.version,
        "visit_id": str(visit.id) if visit else None,
        "visit_state": visit.state if visit else None,
        "engineer_id": str(visit.engineer_id) if visit and visit.engineer_id else None,
    }
    return Disagreement(code, "work_order", order.id, args.model_dump(mode="json"), theirs)


async def add_note(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: NoteArgs) -> Outcome:
    return _outcome(
        await evidence.add_note(
            uow,
            actor,
            await admit(uow, actor, work_order_id=args.wo, visit_id=args.visit),
            note_id=args.id,
            body=args.body,
            circumstances=circumstances_of(mutation),
        )
    )


async def set_answer(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: AnswerArgs) -> Outcome:
    return _outcome(
        await evidence.set_answer(
            uow,
            actor,
            await admit(uow, actor, work_order_id=args.wo, visit_id=args.visit),
            answer_id=args.id,
            item_id=args.item,
            value=args.value,
            circumstances=circumstances_of(mutation),
        )
    )


async def add_time(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: TimeArgs) -> Outcome:
    return _outcome(
        await evidence.add_time(
            uow,
            actor,
            await admit(uow, actor, work_order_id=args.wo, visit_id=args.visit),
            entry_id=args.id,
            kind=args.kind,
            started_at=args.started_at,
            ended_at=args.ended_at,
            circumstances=circumstances_of(mutation),
        )
    )


async def add_cost(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: CostArgs) -> Outcome:
    return _outcome(
        await evidence.add_cost(
            uow,
            actor,
            await admit(uow, actor, work_order_id=args.wo, visit_id=args.visit),
            cost_id=args.id,
            kind=args.kind,
            amount_minor=args.amount_minor,
            currency=args.currency,
            description=args.description,
            circumstances=circumstances_of(mutation),
        )
    )


async def add_photo(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: PhotoArgs) -> Outcome:
    return _outcome(
        await evidence.add_photo(
            uow,
            actor,
            await admit(uow, actor, work_order_id=args.wo, visit_id=args.visit),
            photo_id=args.id,
            sha256=args.sha256,
            caption=args.caption,
            circumstances=circumstances_of(mutation),
        )
    )


async def follow_up(uow: UnitOfWork, actor: Actor, _mutation: Mutation, args: FollowUpArgs) -> Outcome:
    """Open another order at the same site, for what can't be done on this one."""
    require(actor, Permission.ORDERS_CREATE)
    first = (await admit(uow, actor, work_order_id=args.wo)).order
    if await queries.order(uow, args.id) is not None:
        return Outcome.merged("ALREADY_RECORDED")
    order = await service.open_work_order(
        uow,
        actor,
        OrderRequest(
            id=args.id,
            site_id=first.site_id,
            asset_id=first.asset_id,
            title=args.title,
            problem_type=first.problem_type,
            description=args.description,
            priority=args.priority,
            channel=Channel.FIELD,
            duration_minutes=first.duration_minutes,
            skills=tuple(await queries.skills(uow, first.id)),
        ),
    )
    return Outcome(facts={"number": order.number})


def circumstances_of(mutation: Mutation) -> Circumstances:
    """Answer when, where and from what a mutation says it happened."""
    place = Point(mutation.place["lon"], mutation.place["lat"]) if mutation.place else None
    return Circumstances(mutation.occurrence, place, mutation.device, mutation.id)


def _outcome(recorded: evidence.Recorded | None) -> Outcome:
    if recorded is None:
        return Outcome.merged("ALREADY_RECORDED")
    if recorded.code is not None:
        return Outcome.merged(recorded.code)
    return Outcome(facts=recorded.facts)


def register(registry: Registry) -> None:
    registry.mutator("wo.transition", TransitionArgs, transition, nature=Nature.CONTROL)
    registry.mutator("note.add", NoteArgs, add_note, nature=Nature.EVIDENCE)
    registry.mutator("answer.set", AnswerArgs, set_answer, nature=Nature.EVIDENCE)
    registry.mutator("time.add", TimeArgs, add_time, nature=Nature.EVIDENCE)
    registry.mutator("cost.add", CostArgs, add_cost, nature=Nature.EVIDENCE)
    registry.mutator("photo.add", PhotoArgs, add_photo, nature=Nature.EVIDENCE)
    registry.mutator("wo.follow_up", FollowUpArgs, follow_up, nature=Nature.CONTROL)
