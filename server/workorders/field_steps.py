"""Steps an engineer took, perhaps without knowing what the office decided meanwhile: what becomes of each verdict.

What was done has happened: it is booked whatever the order says. Only who controls the order can be in question.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from server.core import events
from server.core.db import UnitOfWork
from server.identity.domain import Actor
from server.sync.domain import APPLIED, Disagreement, Outcome
from server.workorders import queries, record_queries, service, timeline
from server.workorders.domain import (
    BEGUN_VISIT,
    TRANSITIONS,
    Action,
    Circumstances,
    HoldReason,
    Requirement,
    Transition,
    Verdict,
    Visit,
    VisitState,
    WorkOrder,
    decide,
    judge,
    require_all,
)
from server.workorders.errors import IllegalTransition, VisitOver
from server.workorders.steps import Step, payload_of


@dataclass(frozen=True)
class Told:
    """What a phone says was done."""

    action: Action
    reason: str | None
    note: str | None
    hold_reason: HoldReason | None


@dataclass(frozen=True)
class Scene:
    """One step of the field before it is judged; the order is held. `sent` is the step as the device sent it."""

    uow: UnitOfWork
    actor: Actor
    order: WorkOrder
    mine: Visit
    at_hand: Visit
    told: Told
    circumstances: Circumstances
    sent: Mapping[str, Any]

    @property
    def rule(self) -> Transition:
        return TRANSITIONS[self.told.action]

    @property
    def step(self) -> Step:
        told = self.told
        return Step(self.uow, self.actor, told.reason, told.note, told.hold_reason, self.circumstances)

    def conflict(self, code: str) -> Outcome:
        return Outcome.conflict(disagreement(code, self.sent, self.order, self.at_hand))


async def _go_on(scene: Scene) -> Outcome:
    if scene.order.state is scene.rule.target:
        return await _said_before(scene)
    try:
        await service.perform(
            scene.uow,
            scene.actor,
            work_order_id=scene.order.id,
            visit_id=scene.mine.id,
            **vars(scene.told),
            **vars(scene.circumstances),
        )
    except IllegalTransition:
        return scene.conflict("ILLEGAL_TRANSITION")
    except VisitOver:
        return scene.conflict("REASSIGNED")
    return APPLIED


async def _stand_aside(scene: Scene) -> Outcome:
    """They decline what the office gave to somebody else or stopped: nothing is asked of them any more."""
    mine = scene.mine
    told = await scene.step.tell_of(scene.order, mine, scene.rule, {})
    if mine.is_open:
        left = told.moved(VisitState.DECLINED, at=scene.step.happened_at, now=scene.uow.now())
        await queries.save_visit(scene.uow, left)
    return Outcome.merged("NO_LONGER_ASKED")


async def _work_on_stopped(scene: Scene) -> Outcome:
    first_step = scene.mine.begun_at is None
    told = await scene.step.tell_of(scene.order, scene.mine, scene.rule, {})
    if scene.told.action is Action.RESOLVE:
        disputed = decide(Action.COMPLETE_DISPUTED, scene.order.state, frozenset({Requirement.WORK_DONE_UNKNOWING}))
        quiet = Step(scene.uow, scene.actor, scene.told.reason, None, None, scene.circumstances)
        await quiet.take(scene.order, told, disputed, regained=True, facts={"stopped_as": scene.order.state})
        return scene.conflict("COMPLETED_DISPUTED")
    if first_step and told.begun_at is not None:
        await _tell(scene, "visit.worked_regardless", told)
    return Outcome.merged("BOOKED_AS_FACT")


async def _work_done_twice(scene: Scene) -> Outcome:
    """Somebody else finished the order. The first completion stays; this one becomes a visit of its own."""
    told = await scene.step.tell_of(scene.order, scene.mine, scene.rule, {})
    if scene.told.action is not Action.RESOLVE:
        return Outcome.merged("BOOKED_AS_FACT")
    second = told.moved(VisitState.COMPLETED, at=scene.step.happened_at, now=scene.uow.now())
    await queries.save_visit(scene.uow, second)
    await timeline.append(
        scene.uow,
        scene.actor,
        work_order_id=scene.order.id,
        visit_id=second.id,
        action="additional_visit",
        facts={"engineer_id": str(second.engineer_id)},
        circumstances=scene.circumstances,
    )
    await _tell(scene, "visit.completed_additionally", second)
    return scene.conflict("BOTH_COMPLETED")


async def _take_back(scene: Scene) -> Outcome:
    """They had begun before the order was taken from them and nobody else has: it is theirs again.

    Whether the other booking is to be cancelled is for the dispatcher to say.
    """
    await take_back(scene.step, scene.order, scene.mine, scene.rule)
    if not _is_rival(scene.at_hand, scene.mine):
        return Outcome(facts={"taken_back": True})
    await _tell(scene, "visit.taken_back", scene.at_hand)
    return scene.conflict("TAKEN_BACK")


async def take_back(
    step: Step,
    order: WorkOrder,
    mine: Visit,
    rule: Transition,
    *,
    vouched: frozenset[Requirement] = frozenset(),
) -> WorkOrder:
    """Give the order back to an engineer it was taken from, by a step of their own line of events.

    vouched: what a person has decided to do without. Raises MissingRequirement.
    """
    from_field = replace(mine, state=mine.field_state, finished_at=None)
    at_hand = await step.at_hand(order, from_field, rule)
    require_all(rule, at_hand | vouched)
    moved, _ = await step.take(order, mine, rule, regained=True, facts={"taken_back": True})
    return moved


async def _contest(scene: Scene) -> Outcome:
    """Control is with somebody else: the first step on the way and the last one are put before the dispatcher."""
    if scene.rule.visit not in BEGUN_VISIT | {VisitState.COMPLETED}:
        await scene.step.tell_of(scene.order, scene.mine, scene.rule, {"late_after_reassign": True})
        return Outcome.merged("BOOKED_AS_FACT")
    first = not await record_queries.was_contested(scene.uow, scene.mine.id)
    facts = {"late_after_reassign": True, "contested": True}
    await scene.step.tell_of(scene.order, scene.mine, scene.rule, facts)
    if first or scene.told.action is Action.RESOLVE:
        return scene.conflict("REASSIGNED")
    return Outcome.merged("BOOKED_AS_FACT")


async def _said_before(scene: Scene) -> Outcome:
    await scene.step.keep_note(scene.order, scene.mine)
    return Outcome.merged("ALREADY_THERE")


async def _refuse(scene: Scene) -> Outcome:
    return scene.conflict("ILLEGAL_TRANSITION")


_FOLLOWS: Mapping[Verdict, Callable[[Scene], Awaitable[Outcome]]] = {
    Verdict.IN_STEP: _go_on,
    Verdict.SAID_BEFORE: _said_before,
    Verdict.IMPOSSIBLE: _refuse,
    Verdict.STAND_ASIDE: _stand_aside,
    Verdict.STOPPED: _work_on_stopped,
    Verdict.DONE_BY_ANOTHER: _work_done_twice,
    Verdict.GIVEN_BACK: _take_back,
    Verdict.CONTESTED: _contest,
}


async def take_in(scene: Scene) -> Outcome:
    """Judge a step and write what follows from it."""
    verdict = judge(scene.told.action, scene.order, scene.mine, scene.at_hand, scene.step.happened_at)
    return await _FOLLOWS[verdict](scene)


def _is_rival(at_hand: Visit, mine: Visit) -> bool:
    return at_hand.id != mine.id and at_hand.is_open


async def _tell(scene: Scene, event: str, visit: Visit) -> None:
    await events.append(
        scene.uow,
        event,
        subject=("work_order", scene.order.id),
        actor=scene.actor.person,
        payload={**payload_of(scene.order, visit), "action": scene.told.action, "by": str(scene.actor.person)},
    )


def disagreement(code: str, sent: Mapping[str, Any], order: WorkOrder, at_hand: Visit | None) -> Disagreement:
    """Put both sides of a disputed step: what the device sent, and how the order stood when it came."""
    theirs: Mapping[str, Any] = {
        "state": order.state,
        "version": order.version,
        "visit_id": str(at_hand.id) if at_hand else None,
        "visit_state": at_hand.state if at_hand else None,
        "engineer_id": str(at_hand.engineer_id) if at_hand and at_hand.engineer_id else None,
        "planned_start": at_hand.planned_start.isoformat() if at_hand and at_hand.planned_start else None,
        "planned_end": at_hand.planned_end.isoformat() if at_hand and at_hand.planned_end else None,
    }
    return Disagreement(code, "work_order", order.id, dict(sent), theirs, order.id)
