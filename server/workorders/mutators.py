"""What a device may do to work orders: each function receives one mutation and says how it ended."""

from dataclasses import replace
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from server.core import events
from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.core.wire import Id, Instant, Line, Name, Sha256, Text, WireIn
from server.identity.access import require
from server.identity.domain import Actor, Permission
from server.sync.domain import Disagreement, Mutation, Outcome
from server.sync.registry import Nature, Registry
from server.workorders import (
    answers,
    correction_mutators,
    evidence,
    field_steps,
    hour_mutators,
    queries,
    service,
    settlements,
    timeline,
)
from server.workorders.access import Admission, admit
from server.workorders.domain import (
    TRANSITIONS,
    Action,
    Channel,
    HoldReason,
    OrderRequest,
    Priority,
    Requirement,
    Visit,
)
from server.workorders.recording import circumstances_of, outcome_of
from server.workorders.records import CostKind
from server.workorders.steps import payload_of


def _of_the_field(action: Action) -> Action:
    # Confirming needs the customer's signature, which has a mutation of its own.
    rule = TRANSITIONS[action]
    others = {Requirement.SIGNATURE, Requirement.WORK_DONE_UNKNOWING}
    if rule.by is not Permission.VISITS_PERFORM or others & set(rule.requires):
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


class PhotoWordArgs(WireIn):
    photo: Id
    wo: Id
    visit: Id | None = None
    caption: Line


class PhotoHideArgs(WireIn):
    photo: Id
    wo: Id
    visit: Id | None = None
    reason: Annotated[Line, StringConstraints(min_length=1)]


class PhotoShowArgs(WireIn):
    photo: Id
    wo: Id
    visit: Id | None = None


class ProposeTimeArgs(WireIn):
    wo: Id
    visit: Id | None = None
    start: Instant
    end: Instant
    reason: Line = ""

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.end <= self.start:
            message = "end must lie after start"
            raise ValueError(message)
        return self


class RejectArgs(WireIn):
    wo: Id
    visit: Id
    reason: Annotated[Line, StringConstraints(min_length=1)]


class FollowUpArgs(WireIn):
    id: Id
    wo: Id
    title: Name
    description: Text = ""
    priority: Priority = Priority.NORMAL


async def transition(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: TransitionArgs) -> Outcome:
    """Move an order, or book what was done while the office decided otherwise. See `field_steps`."""
    admission = await admit(uow, actor, work_order_id=args.wo, visit_id=args.visit, hold=True)
    at_hand = await queries.visit_at_hand(uow, args.wo)
    sent = args.model_dump(mode="json")
    mine = admission.visit
    if mine is None or at_hand is None or mine.id != args.visit:
        return Outcome.conflict(await _somebody_elses(uow, args, admission, at_hand, sent))
    told = field_steps.Told(args.to, args.reason, args.note, args.hold_reason)
    scene = field_steps.Scene(uow, actor, admission.order, mine, at_hand, told, circumstances_of(mutation), sent)
    return await field_steps.take_in(scene)


async def _somebody_elses(
    uow: UnitOfWork, args: TransitionArgs, admission: Admission, at_hand: Visit | None, sent: dict[str, Any]
) -> Disagreement:
    """Raises NotFound for a visit that is none of this order's."""
    meant = await queries.visit(uow, args.visit)
    if meant is None or meant.work_order_id != args.wo:
        raise NotFound(thing="visit")
    return field_steps.disagreement("REASSIGNED", sent, admission.order, at_hand)


async def add_note(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: NoteArgs) -> Outcome:
    return outcome_of(
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
    admission = await admit(uow, actor, work_order_id=args.wo, visit_id=args.visit, item_id=args.item, hold=True)
    recorded = await answers.set_answer(
        uow,
        actor,
        admission,
        answer_id=args.id,
        item_id=args.item,
        value=args.value,
        told=(mutation.stream, mutation.seq),
        circumstances=circumstances_of(mutation),
    )
    if recorded is None or not recorded.against:
        return outcome_of(recorded)
    mine = {"answer_id": str(args.id), "item_id": str(args.item), "value": args.value, "answered_by": str(actor.person)}
    other = recorded.against[0]
    theirs = {"answer_id": other["id"], "item_id": str(args.item), **other}
    return replace(
        Outcome.conflict(Disagreement("SAFETY_ANSWER", "checklist_item", args.item, mine, theirs, args.wo)),
        facts=recorded.facts,
        flags=recorded.flags,
    )


async def add_cost(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: CostArgs) -> Outcome:
    return outcome_of(
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
    return outcome_of(
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


async def caption_photo(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: PhotoWordArgs) -> Outcome:
    return await _change_photo(uow, actor, mutation, args, "photo_caption", caption=args.caption)


async def hide_photo(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: PhotoHideArgs) -> Outcome:
    return await _change_photo(uow, actor, mutation, args, "photo_hide", hidden_why=args.reason)


async def show_photo(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: PhotoShowArgs) -> Outcome:
    return await _change_photo(uow, actor, mutation, args, "photo_show")


async def _change_photo(
    uow: UnitOfWork,
    actor: Actor,
    mutation: Mutation,
    args: PhotoWordArgs | PhotoHideArgs | PhotoShowArgs,
    action: str,
    *,
    caption: str | None = None,
    hidden_why: str | None = None,
) -> Outcome:
    return outcome_of(
        await evidence.change_photo(
            uow,
            actor,
            await admit(uow, actor, work_order_id=args.wo, visit_id=args.visit),
            photo_id=args.photo,
            action=action,
            caption=caption,
            hidden_why=hidden_why,
            circumstances=circumstances_of(mutation),
        )
    )


async def propose_time(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: ProposeTimeArgs) -> Outcome:
    """Ask for another time. The plan is the office's: the wish is kept for it, nothing is moved."""
    wish = {"start": args.start.isoformat(), "end": args.end.isoformat()}
    return await _propose(uow, actor, mutation, args, "propose_time", wish)


async def reject(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: RejectArgs) -> Outcome:
    """Ask to be taken off a visit, at whatever stage it is."""
    return await _propose(uow, actor, mutation, args, "reject", {})


async def _propose(
    uow: UnitOfWork,
    actor: Actor,
    mutation: Mutation,
    args: ProposeTimeArgs | RejectArgs,
    action: str,
    wish: dict[str, Any],
) -> Outcome:
    admission = await admit(uow, actor, work_order_id=args.wo, visit_id=args.visit)
    visit = admission.visit
    facts = {**wish, **evidence.late_facts(admission)}
    await timeline.append(
        uow,
        actor,
        work_order_id=args.wo,
        visit_id=visit.id if visit else None,
        action=action,
        why=args.reason or None,
        facts=facts,
        circumstances=circumstances_of(mutation),
    )
    await events.append(
        uow,
        f"visit.{action}",
        subject=("work_order", args.wo),
        actor=actor.person,
        payload={**payload_of(admission.order, visit), **wish, "reason": args.reason},
    )
    return Outcome(facts=evidence.late_facts(admission))


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


def register(registry: Registry) -> None:
    registry.mutator("wo.transition", TransitionArgs, transition, nature=Nature.CONTROL)
    registry.mutator("wo.follow_up", FollowUpArgs, follow_up, nature=Nature.CONTROL)
    registry.mutator("wo.propose_time", ProposeTimeArgs, propose_time, nature=Nature.EVIDENCE)
    registry.mutator("wo.reject", RejectArgs, reject, nature=Nature.EVIDENCE)
    registry.mutator("note.add", NoteArgs, add_note, nature=Nature.EVIDENCE)
    registry.mutator("answer.set", AnswerArgs, set_answer, nature=Nature.EVIDENCE)
    registry.mutator("cost.add", CostArgs, add_cost, nature=Nature.EVIDENCE)
    registry.mutator("photo.add", PhotoArgs, add_photo, nature=Nature.EVIDENCE)
    registry.mutator("photo.caption", PhotoWordArgs, caption_photo, nature=Nature.EVIDENCE)
    registry.mutator("photo.hide", PhotoHideArgs, hide_photo, nature=Nature.EVIDENCE)
    registry.mutator("photo.show", PhotoShowArgs, show_photo, nature=Nature.EVIDENCE)
    hour_mutators.register(registry)
    correction_mutators.register(registry)
    settlements.register(registry)
