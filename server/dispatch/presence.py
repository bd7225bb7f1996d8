"""Comings and goings at a site become facts of the visit."""

from datetime import datetime
from uuid import UUID

from server.core import events
from server.core.db import UnitOfWork
from server.geo.fence_queries import Fact
from server.geo.fences import Crossing
from server.identity.domain import Actor
from server.notify import service as notify
from server.notify.domain import Hint
from server.sync.domain import Occurrence
from server.workorders import queries as workorder_queries
from server.workorders import service as workorders
from server.workorders import timeline
from server.workorders.domain import Circumstances, Visit, WorkOrder
from server.workorders.steps import payload_of


async def note(uow: UnitOfWork, engineer: Actor, visit_id: UUID, fact: Fact) -> None:
    """Write one fact into the history; what is heard of for the first time is also an event, and opens the job."""
    visit = await _held(uow, visit_id, fact)
    order = await workorder_queries.order(uow, visit.work_order_id) if visit else None
    if visit is None or order is None:
        return
    await _write(uow, engineer, visit, fact)
    if fact.tellings == 0:
        await _tell(uow, engineer, order, visit, fact)


async def _held(uow: UnitOfWork, visit_id: UUID, fact: Fact) -> Visit | None:
    if _is_arrival(fact):
        return await workorders.set_approach(uow, visit_id=visit_id, at=fact.at)
    return await workorder_queries.visit(uow, visit_id)


async def _write(uow: UnitOfWork, engineer: Actor, visit: Visit, fact: Fact) -> None:
    await timeline.append(
        uow,
        engineer,
        work_order_id=visit.work_order_id,
        visit_id=visit.id,
        action=_word(fact) if fact.was is None else "presence_amended",
        facts={"stay": fact.stay} if fact.was is None else _amendment(fact, fact.was),
        circumstances=_seen_at(fact.at or uow.now(), uow.now()),
    )


def _amendment(fact: Fact, was: datetime) -> dict[str, object]:
    """`is` is missing of what turned out not to have happened."""
    now = {} if fact.at is None else {"is": fact.at.isoformat()}
    return {"what": _word(fact), "stay": fact.stay, "was": was.isoformat(), **now}


async def _tell(uow: UnitOfWork, engineer: Actor, order: WorkOrder, visit: Visit, fact: Fact) -> None:
    await events.append(
        uow,
        f"visit.{_word(fact)}",
        subject=("work_order", order.id),
        actor=engineer.person,
        payload=payload_of(order, visit),
    )
    if _is_arrival(fact) and visit.is_open:
        await notify.queue_hint(uow, engineer.person, Hint.ARRIVAL, order.id, f"arrival:{visit.id}")


def _is_arrival(fact: Fact) -> bool:
    return fact.kind is Crossing.ENTERED and fact.stay == 1


def _word(fact: Fact) -> str:
    match fact.kind:
        case Crossing.ENTERED:
            return "approached" if fact.stay == 1 else "returned"
        case Crossing.DWELT:
            return "dwelt"
        case Crossing.LEFT:
            return "left_site"


def _seen_at(at: datetime, now: datetime) -> Circumstances:
    return Circumstances(occurrence=Occurrence(at_device=at, at=at, uncertainty_ms=0, received_at=now))
