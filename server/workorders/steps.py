"""Writing a decided transition: the order, its visit, the note, the history and the event, together or not at all."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from server.core import events
from server.core.db import UnitOfWork
from server.identity.domain import Actor
from server.workorders import checklists, queries, record_queries, timeline
from server.workorders.domain import (
    OVER,
    Action,
    Circumstances,
    HoldReason,
    Requirement,
    State,
    Transition,
    Visit,
    VisitState,
    WorkOrder,
)


class Step:
    """One action being taken: who, why and under which circumstances, to be written once decided."""

    def __init__(
        self,
        uow: UnitOfWork,
        actor: Actor,
        reason: str | None,
        note: str | None,
        hold_reason: HoldReason | None,
        circumstances: Circumstances,
    ) -> None:
        self.uow = uow
        self.actor = actor
        self.reason = _said(reason)
        self.note = _said(note)
        self.hold_reason = hold_reason
        self.circumstances = circumstances

    async def at_hand(self, order: WorkOrder, visit: Visit | None, rule: Transition) -> frozenset[Requirement]:
        """Answer which of the rule's requirements are met; only those it names are looked up."""
        is_open = visit is not None and visit.is_open
        found = {
            Requirement.VISIT: is_open,
            Requirement.ENGINEER: is_open and visit is not None and visit.engineer_id is not None,
            Requirement.REASON: self.reason is not None,
            Requirement.HOLD_REASON: self.hold_reason is not None,
        }
        if Requirement.NOTE in rule.requires:
            found[Requirement.NOTE] = self.note is not None or (
                visit is not None and await record_queries.has_note(self.uow, visit.id, order.id)
            )
        if Requirement.CHECKLIST in rule.requires:
            found[Requirement.CHECKLIST] = await checklists.is_complete(self.uow, order)
        return frozenset(requirement for requirement, met in found.items() if met)

    async def take(
        self, order: WorkOrder, visit: Visit | None, transition: Transition
    ) -> tuple[WorkOrder, Visit | None]:
        """Write a decided transition: order, visit, note, history, event."""
        moved = replace(
            order,
            state=transition.target,
            hold_reason=self.hold_reason if transition.target is State.ON_HOLD else None,
            closed_at=self._happened_at() if transition.target in OVER else None,
            version=order.version + 1,
        )
        await queries.save_order(self.uow, moved)
        visit_after = visit
        if visit and visit.is_open and transition.visit:
            visit_after = await _move_visit(self.uow, visit, transition.visit)
        note_id = await self._keep_note(order, visit)
        await self._record(order, moved, visit_after, transition, note_id)
        await self._tell(moved, visit_after, transition)
        if visit and visit.is_open and transition.action is Action.CANCEL:
            await _tell_withdrawn(self.uow, self.actor, moved, visit)
        return moved, visit_after

    def _happened_at(self) -> datetime:
        occurrence = self.circumstances.occurrence
        return occurrence.at if occurrence else self.uow.now()

    async def _keep_note(self, order: WorkOrder, visit: Visit | None) -> UUID | None:
        if self.note is None:
            return None
        note_id = self.uow.new_id()
        await record_queries.insert_note(
            self.uow,
            note_id=note_id,
            order_id=order.id,
            visit_id=visit.id if visit else None,
            author_id=self.actor.person,
            body=self.note,
            at=self._happened_at(),
        )
        return note_id

    async def _record(
        self, order: WorkOrder, moved: WorkOrder, visit: Visit | None, transition: Transition, note_id: UUID | None
    ) -> None:
        facts: dict[str, Any] = {}
        if note_id:
            facts["note_id"] = str(note_id)
        if moved.hold_reason:
            facts["hold_reason"] = moved.hold_reason
        if visit and visit.engineer_id:
            facts["engineer_id"] = str(visit.engineer_id)
        await timeline.append(
            self.uow,
            self.actor,
            work_order_id=order.id,
            visit_id=visit.id if visit else None,
            action=transition.action,
            moved=(order.state, moved.state),
            why=self.reason,
            facts=facts,
            circumstances=self.circumstances,
        )

    async def _tell(self, order: WorkOrder, visit: Visit | None, transition: Transition) -> None:
        if transition.triggers is None:
            return
        await events.append(
            self.uow,
            transition.triggers,
            subject=("work_order", order.id),
            actor=self.actor.person,
            payload={**payload_of(order, visit), "action": transition.action, "reason": self.reason},
        )


async def _move_visit(uow: UnitOfWork, visit: Visit, state: VisitState) -> Visit:
    moved = replace(visit, state=state, version=visit.version + 1)
    if not moved.is_open:
        moved = replace(moved, finished_at=uow.now())
    await queries.save_visit(uow, moved)
    return moved


async def withdraw(uow: UnitOfWork, actor: Actor, order: WorkOrder, visit: Visit, reason: str | None) -> None:
    """Take a visit from its engineer because another one takes its place."""
    left = VisitState.INTERRUPTED if visit.has_begun else VisitState.CANCELLED
    await _move_visit(uow, visit, left)
    await timeline.append(
        uow,
        actor,
        work_order_id=order.id,
        visit_id=visit.id,
        action="withdraw",
        why=_said(reason),
        facts={"engineer_id": str(visit.engineer_id), "visit_state": left},
    )
    await _tell_withdrawn(uow, actor, order, replace(visit, state=left))


async def _tell_withdrawn(uow: UnitOfWork, actor: Actor, order: WorkOrder, visit: Visit) -> None:
    await events.append(
        uow,
        "visit.withdrawn",
        subject=("work_order", order.id),
        actor=actor.person,
        payload=payload_of(order, visit),
    )


def payload_of(order: WorkOrder, visit: Visit | None) -> dict[str, Any]:
    return {
        "work_order_id": str(order.id),
        "number": order.number,
        "state": order.state,
        "priority": order.priority,
        "site_id": str(order.site_id),
        "customer_id": str(order.customer_id),
        "visit_id": str(visit.id) if visit else None,
        "visit_state": visit.state if visit else None,
        "engineer_id": str(visit.engineer_id) if visit and visit.engineer_id else None,
    }


def _said(text: str | None) -> str | None:
    return (text or "").strip() or None
