"""Writing a decided transition: the order, its visit, the note, the history and the event, together or not at all."""

from collections.abc import Mapping
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
        self,
        order: WorkOrder,
        visit: Visit | None,
        transition: Transition,
        *,
        regained: bool = False,
        facts: Mapping[str, Any] | None = None,
    ) -> tuple[WorkOrder, Visit | None]:
        """Write a decided transition: order, visit, note, history, event.

        regained: the visit had been taken from its engineer and goes on all the same.
        """
        moved = replace(
            order,
            state=transition.target,
            hold_reason=self.hold_reason if transition.target is State.ON_HOLD else None,
            closed_at=self.happened_at if transition.target in OVER else None,
            version=order.version + 1,
        )
        await queries.save_order(self.uow, moved)
        visit_after = visit
        if visit and transition.visit and (visit.is_open or regained):
            visit_after = visit.moved(transition.visit, at=self.happened_at, now=self.uow.now())
            await queries.save_visit(self.uow, visit_after)
        note_id = await self.keep_note(order, visit)
        await self._record(order, moved, visit_after, transition, note_id, facts or {})
        await self._tell(moved, visit_after, transition)
        if visit and visit.is_open and transition.action in {Action.CANCEL, Action.SUSPEND}:
            await _tell_withdrawn(self.uow, self.actor, moved, visit)
        return moved, visit_after

    @property
    def happened_at(self) -> datetime:
        occurrence = self.circumstances.occurrence
        return occurrence.at if occurrence else self.uow.now()

    async def tell_of(self, order: WorkOrder, visit: Visit, rule: Transition, facts: Mapping[str, Any]) -> Visit:
        """Book a step of the engineer as a fact: the visit's own line goes on, the order stays as the office has it."""
        assert rule.visit is not None, "only steps of a visit are facts"
        told = visit.told(rule.visit, at=self.happened_at)
        await queries.save_visit(self.uow, told)
        note_id = await self.keep_note(order, visit)
        await timeline.append(
            self.uow,
            self.actor,
            work_order_id=order.id,
            visit_id=visit.id,
            action=rule.action,
            why=self.reason,
            facts={
                "regardless_of": order.state,
                "field_state": told.field_state,
                **({"note_id": str(note_id)} if note_id else {}),
                **facts,
            },
            circumstances=self.circumstances,
        )
        return told

    async def keep_note(self, order: WorkOrder, visit: Visit | None) -> UUID | None:
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
            at=self.happened_at,
        )
        return note_id

    async def _record(
        self,
        order: WorkOrder,
        moved: WorkOrder,
        visit: Visit | None,
        transition: Transition,
        note_id: UUID | None,
        more: Mapping[str, Any],
    ) -> None:
        facts: dict[str, Any] = dict(more)
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


async def withdraw(uow: UnitOfWork, actor: Actor, order: WorkOrder, visit: Visit, reason: str | None) -> None:
    """Take a visit from its engineer because another one takes its place, or because the order is over."""
    left = VisitState.INTERRUPTED if visit.has_begun else VisitState.CANCELLED
    taken = visit.moved(left, at=uow.now(), now=uow.now())
    await queries.save_visit(uow, taken)
    await timeline.append(
        uow,
        actor,
        work_order_id=order.id,
        visit_id=visit.id,
        action="withdraw",
        why=_said(reason),
        facts={"engineer_id": str(visit.engineer_id), "visit_state": left},
    )
    await _tell_withdrawn(uow, actor, order, taken)


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
