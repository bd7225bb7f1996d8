"""How one side of a conflict is made to stand, and the other one again: by the same table as everything else."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from server.core.db import UnitOfWork
from server.customers import corrections
from server.customers import queries as customer_queries
from server.identity.access import require
from server.identity.domain import Actor, Permission
from server.sync.domain import Dispute, Side
from server.sync.merge import Merged, merge_text
from server.sync.registry import Registry
from server.workorders import amending, evidence, queries, record_queries, service, timeline, writing
from server.workorders.domain import (
    DONE,
    OFFICE,
    OVER,
    TRANSITIONS,
    Action,
    HoldReason,
    Requirement,
    State,
    Visit,
    VisitState,
    WorkOrder,
)
from server.workorders.errors import EntityGone, IllegalTransition, MissingRequirement, Overtaken, VisitOver, Voided
from server.workorders.field_steps import take_back
from server.workorders.steps import Step, withdraw
from server.workorders.texts import TextField

_REASON = "A conflict was settled."


async def settle_step(uow: UnitOfWork, actor: Actor, dispute: Dispute, side: Side) -> None:
    """ILLEGAL_TRANSITION. Mine: the step is taken now, where the table allows it. Theirs: back to where it was."""
    order = await _held(uow, actor, dispute)
    if side is Side.THEIRS:
        await _bring_back(uow, actor, order, State(dispute.theirs["state"]))
        return
    sent = dispute.mine
    try:
        await service.perform(
            uow,
            actor,
            work_order_id=order.id,
            visit_id=UUID(sent["visit"]),
            action=Action(sent["to"]),
            reason=sent["reason"] or _REASON,
            note=sent["note"],
            hold_reason=HoldReason(sent["hold_reason"]) if sent["hold_reason"] else None,
            on_behalf=True,
        )
    except (IllegalTransition, VisitOver, MissingRequirement) as cant:
        raise Overtaken(why=str(cant)) from None


async def settle_assignment(uow: UnitOfWork, actor: Actor, dispute: Dispute, side: Side) -> None:
    """REASSIGNED and TAKEN_BACK. Mine: the order is theirs who sent it. Theirs: it is whose it was."""
    order = await _held(uow, actor, dispute)
    if side is Side.MINE:
        await _give_to_sender(uow, actor, order, dispute)
    else:
        await _give_to_other(uow, actor, order, dispute)


async def _give_to_sender(uow: UnitOfWork, actor: Actor, order: WorkOrder, dispute: Dispute) -> None:
    mine = await _visit(uow, order, dispute.mine["visit"], dispute.person)
    if order.state in OVER | DONE and mine.state is not VisitState.COMPLETED:
        raise Overtaken(why=f"the work order is {order.state}")
    if mine.state is not mine.field_state:
        action = _action_that_made(mine.field_state)
        step = Step(uow, actor, _REASON, None, HoldReason.CUSTOMER if action is Action.HOLD else None, OFFICE)
        # The step was taken; whoever settles it has looked at what was said and left out.
        looked_at = frozenset({Requirement.VISIT, Requirement.NOTE, Requirement.CHECKLIST})
        await take_back(step, order, mine, TRANSITIONS[action], vouched=looked_at)
    for visit in await queries.open_visits(uow, order.id):
        if visit.id != mine.id:
            await withdraw(uow, actor, order, visit, _REASON)


async def _give_to_other(uow: UnitOfWork, actor: Actor, order: WorkOrder, dispute: Dispute) -> None:
    at_hand = await queries.visit_at_hand(uow, order.id)
    engineer = dispute.theirs["engineer_id"]
    if at_hand is None or at_hand.engineer_id != dispute.person or engineer is None:
        return
    try:
        if TRANSITIONS[Action.SCHEDULE].sources.isdisjoint({order.state}):
            step_back = Action.REOPEN if order.state in DONE else Action.SUSPEND
            await service.perform(
                uow,
                actor,
                work_order_id=order.id,
                action=step_back,
                reason=_REASON,
                hold_reason=HoldReason.CUSTOMER,
                on_behalf=True,
            )
        await service.schedule_visit(
            uow,
            actor,
            work_order_id=order.id,
            engineer_id=UUID(engineer),
            planned_start=_instant(dispute.theirs["planned_start"]),
            planned_end=_instant(dispute.theirs["planned_end"]),
            reason=_REASON,
        )
    except IllegalTransition as cant:
        raise Overtaken(why=str(cant)) from None


async def settle_disputed_work(uow: UnitOfWork, actor: Actor, dispute: Dispute, side: Side) -> None:
    """COMPLETED_DISPUTED. Mine: the work counts. Theirs: the order is cancelled or held again."""
    order = await _held(uow, actor, dispute)
    if side is Side.THEIRS:
        await _bring_back(uow, actor, order, State(dispute.theirs["state"]))
        return
    if order.state in TRANSITIONS[Action.COMPLETE_DISPUTED].sources:
        # Undoing the other decision: what was done brings the order back before it can be accepted.
        visit = await _visit(uow, order, dispute.mine["visit"], dispute.person)
        step = Step(uow, actor, _REASON, None, None, OFFICE)
        order, _ = await step.take(order, visit, TRANSITIONS[Action.COMPLETE_DISPUTED], regained=True)
    if order.state is State.COMPLETED_DISPUTED:
        await _office(uow, actor, order, Action.ACCEPT_WORK)


async def settle_double_work(uow: UnitOfWork, actor: Actor, dispute: Dispute, side: Side) -> None:
    """BOTH_COMPLETED. Mine: the second visit counts as completed. Theirs: it counts as interrupted."""
    order = await _held(uow, actor, dispute)
    second = await _visit(uow, order, dispute.mine["visit"], dispute.person)
    counts = VisitState.COMPLETED if side is Side.MINE else VisitState.INTERRUPTED
    if second.state is counts:
        return
    await queries.save_visit(uow, second.moved(counts, at=uow.now(), now=uow.now()))
    await timeline.append(
        uow, actor, work_order_id=order.id, visit_id=second.id, action="settle", facts={"visit_state": counts}
    )


async def settle_text(uow: UnitOfWork, actor: Actor, dispute: Dispute, side: Side) -> None:
    """TEXT_OVERLAP. The chosen text replaces the other; what was written elsewhere since then stays."""
    order = await _held(uow, actor, dispute)
    becomes, was = (dispute.mine, dispute.theirs) if side is Side.MINE else (dispute.theirs, dispute.mine)
    field = TextField(becomes["field"])
    standing, rev = writing.text_of(order, field)
    merged = merge_text(was["text"], becomes["text"], standing)
    if becomes["text"] == standing:
        return
    if not isinstance(merged, Merged):
        raise Overtaken(why="the same words were changed again")
    await writing.edit_text(uow, actor, order, field=field, base_rev=rev, new=merged.text, signed=True)


async def settle_answer(uow: UnitOfWork, actor: Actor, dispute: Dispute, side: Side) -> None:
    """SAFETY_ANSWER. The chosen answer stands alone; refused once somebody has answered again."""
    order = await _held(uow, actor, dispute)
    chosen = dispute.mine if side is Side.MINE else dispute.theirs
    item_id = UUID(chosen["item_id"])
    standing = {it.id for it in await record_queries.answers(uow, order.id, item_id=item_id, standing_only=True)}
    sides = {UUID(dispute.mine["answer_id"]), UUID(dispute.theirs["answer_id"])}
    if not standing <= sides:
        raise Overtaken(why="somebody has answered again")
    await record_queries.let_answer_stand(uow, order.id, item_id, UUID(chosen["answer_id"]))
    await timeline.append(uow, actor, work_order_id=order.id, action="settle", facts={"answer_id": chosen["answer_id"]})
    await evidence.content_changed(uow, actor, order.id, "answer")


async def settle_fields(uow: UnitOfWork, actor: Actor, dispute: Dispute, side: Side) -> None:
    """PRIORITY_RAISED. The chosen values are written, unless they were changed again since."""
    order = await _held(uow, actor, dispute)
    becomes, was = (dispute.mine, dispute.theirs) if side is Side.MINE else (dispute.theirs, dispute.mine)
    wanted = _order_fields(becomes["fields"])
    seen = _order_fields(was["fields"])
    found = await amending.amend(uow, actor, order, base=seen, wanted=wanted)
    if found.kept_out:
        raise Overtaken(why="the office changed it again")


async def settle_serial(uow: UnitOfWork, actor: Actor, dispute: Dispute, side: Side) -> None:
    """SERIAL_TAKEN. Mine: both machines carry the number, and a merge is suggested. Theirs: the number it had."""
    require(actor, Permission.CUSTOMERS_WRITE)
    asset = await customer_queries.lock_asset(uow, dispute.entity_id)
    if asset is None:
        raise EntityGone(thing="asset")
    chosen = dispute.mine if side is Side.MINE else dispute.theirs
    if asset.serial == chosen["fields"]["serial"]:
        return
    await corrections.write_fields(uow, asset, {"serial": chosen["fields"]["serial"]}, by=actor.person)


async def _held(uow: UnitOfWork, actor: Actor, dispute: Dispute) -> WorkOrder:
    require(actor, Permission.ORDERS_TRIAGE)
    order = await queries.lock_order(uow, dispute.work_order_id or dispute.entity_id)
    if order is None:
        raise EntityGone(thing="work order")
    if order.voided_at is not None:
        raise Voided
    return order


async def _visit(uow: UnitOfWork, order: WorkOrder, visit_id: str, engineer: UUID) -> Visit:
    visit = await queries.visit(uow, UUID(visit_id))
    if visit is None or visit.work_order_id != order.id or visit.engineer_id != engineer:
        raise Overtaken(why="it was not their visit")
    return visit


def _action_that_made(state: VisitState) -> Action:
    made = (row for row in TRANSITIONS.values() if row.visit is state and row.by is Permission.VISITS_PERFORM)
    found = next((row.action for row in made if row.action is not Action.COMPLETE_DISPUTED), None)
    if found is None:
        raise Overtaken(why="they had not set out")
    return found


async def _bring_back(uow: UnitOfWork, actor: Actor, order: WorkOrder, state: State) -> None:
    """Bring an order back to a state by one step of the office. Raises Overtaken where the table has none."""
    if order.state is state:
        return
    for row in TRANSITIONS.values():
        office = row.by is not Permission.VISITS_PERFORM and set(row.requires) <= {
            Requirement.REASON,
            Requirement.HOLD_REASON,
        }
        if office and row.target is state and order.state in row.sources:
            await _office(uow, actor, order, row.action)
            return
    raise Overtaken(why=f"a work order that is {order.state} can't become {state} again")


async def _office(uow: UnitOfWork, actor: Actor, order: WorkOrder, action: Action) -> None:
    await service.perform(
        uow,
        actor,
        work_order_id=order.id,
        action=action,
        reason=_REASON,
        hold_reason=HoldReason.CUSTOMER,
    )


def _order_fields(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _instant(value) if name.startswith("window") else value for name, value in plain.items()}


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def register(registry: Registry) -> None:
    registry.settlement("ILLEGAL_TRANSITION", settle_step)
    registry.settlement("REASSIGNED", settle_assignment)
    registry.settlement("TAKEN_BACK", settle_assignment)
    registry.settlement("COMPLETED_DISPUTED", settle_disputed_work)
    registry.settlement("BOTH_COMPLETED", settle_double_work)
    registry.settlement("TEXT_OVERLAP", settle_text)
    registry.settlement("SAFETY_ANSWER", settle_answer)
    registry.settlement("PRIORITY_RAISED", settle_fields)
    registry.settlement("SERIAL_TAKEN", settle_serial)
