"""Answers to a checklist: which one stands when several people answer, and what is put before a third."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from server.core.db import UnitOfWork
from server.identity.domain import Actor
from server.workorders import record_queries
from server.workorders.access import Admission
from server.workorders.domain import OFFICE, Circumstances
from server.workorders.evidence import Recorded, entry_of, kept
from server.workorders.procedures import Item, check_answer
from server.workorders.record_queries import AnswerGiven, AnswerKept


@dataclass(frozen=True)
class Answered(Recorded):
    """`against`: the answers of others it is in dispute with, each with id, value and answered_by."""

    against: tuple[dict[str, Any], ...] = ()


async def set_answer(
    uow: UnitOfWork,
    actor: Actor,
    admission: Admission,
    *,
    answer_id: UUID,
    item_id: UUID,
    value: Any,
    told: tuple[UUID, int] | None = None,
    circumstances: Circumstances = OFFICE,
) -> Answered | None:
    """Answer a checklist item; the order must have been admitted with `hold` and this item.

    `told` is the place of what a phone says in its stream, where one's own later word counts whenever it comes.
    None is lost: one that does not stand is history, one to an item that is not the order's any more is kept as extra.
    Raises AnswerDoesNotFit.
    """
    item = admission.item
    if item is not None:
        check_answer(item, value)
    facts = {"answer_id": str(answer_id), "item_id": str(item_id)}
    given = AnswerGiven(answer_id, item_id, value, actor.person, *(told or (None, None)))
    found = await record_queries.keep_answer(
        uow,
        entry_of(uow, actor, admission, circumstances, "answer", facts),
        given,
        order_id=admission.order.id,
        assignee=admission.assignee,
        safety_critical=item is not None and item.safety_critical,
    )
    if found is None:
        return None
    recorded = await kept(uow, actor, admission, "answer")
    return Answered(recorded.facts, _code(found), _flags(admission, item), tuple(found.against))


def _code(found: AnswerKept) -> str | None:
    if found.disputed:
        return "SAFETY_ANSWER"
    return "ANSWER_KEPT_BESIDE" if found.superseded_by else None


def _flags(admission: Admission, item: Item | None) -> tuple[str, ...]:
    belongs = item is not None and item.procedure_id == admission.order.procedure_id
    return () if belongs else ("EXTRA_ANSWER",)
