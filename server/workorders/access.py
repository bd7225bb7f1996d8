"""Who may see an order: the office all of them, an engineer those they have a visit to."""

from dataclasses import dataclass
from uuid import UUID

from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.identity.access import Door
from server.identity.domain import Actor, Permission
from server.workorders import queries
from server.workorders.domain import Visit, VisitState, WorkOrder
from server.workorders.errors import EntityGone, NeverAssigned

ORDER = Door(
    "work order",
    Permission.ORDERS_READ,
    own=f"""exists (
        select from visit mine where mine.work_order_id = o.id and mine.engineer_id = %(actor)s
        and mine.state not in ('{VisitState.CANCELLED}', '{VisitState.DECLINED}'))""",
)


async def work_order_for(uow: UnitOfWork, actor: Actor, work_order_id: UUID) -> WorkOrder:
    """Raises NotFound, also for what the actor may not see."""
    found = await queries.order_behind(uow, work_order_id, door=ORDER.condition(actor), actor=actor)
    if found is None:
        raise NotFound(thing=ORDER.thing)
    return found


@dataclass(frozen=True)
class Admission:
    """Evidence from the field is let in: the order, the actor's visit it belongs to, and whether it comes late.

    late: the visit was taken from the actor meanwhile; what they did before they knew has happened all the same.
    """

    order: WorkOrder
    visit: Visit | None
    late: bool


async def admit(uow: UnitOfWork, actor: Actor, *, work_order_id: UUID, visit_id: UUID | None = None) -> Admission:
    """Let in what somebody recorded who was ever assigned to the order, or who may see every order.

    Raises EntityGone, NeverAssigned.
    """
    order = await queries.order(uow, work_order_id)
    if order is None:
        raise EntityGone(thing=ORDER.thing)
    theirs = await queries.visits_of_engineer(uow, work_order_id, actor.person)
    if not theirs and not actor.may(ORDER.everyone):
        raise NeverAssigned
    named = next((visit for visit in theirs if visit.id == visit_id), None)
    late = bool(theirs) and not any(visit.is_open or visit.state is VisitState.COMPLETED for visit in theirs)
    return Admission(order, named or next(iter(theirs), None), late)
