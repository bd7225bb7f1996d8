"""Who may see an order: the office all of them, an engineer those they have a visit to."""

from dataclasses import dataclass
from uuid import UUID

from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.core.rows import part_of_row
from server.identity.access import Door
from server.identity.domain import Actor, Permission
from server.workorders import queries
from server.workorders.domain import Visit, VisitState, WorkOrder
from server.workorders.errors import EntityGone, NeverAssigned, Voided
from server.workorders.procedures import Item

ORDER = Door(
    "work order",
    Permission.ORDERS_READ,
    own=f"""o.voided_at is null and exists (
        select from visit mine where mine.work_order_id = o.id and mine.engineer_id = %(actor)s
        and mine.state not in ('{VisitState.CANCELLED}', '{VisitState.DECLINED}'))""",
)


async def work_order_for(uow: UnitOfWork, actor: Actor, work_order_id: UUID) -> WorkOrder:
    """Raises NotFound, also for what the actor may not see."""
    found = await queries.order_behind(uow, work_order_id, door=ORDER.condition(actor), actor=actor)
    if found is None:
        raise NotFound(thing=ORDER.thing)
    return found


async def living_order_for(uow: UnitOfWork, actor: Actor, work_order_id: UUID) -> WorkOrder:
    """As `work_order_for`, for whoever wants to add to it. Raises NotFound, Voided."""
    found = await work_order_for(uow, actor, work_order_id)
    if found.voided_at is not None:
        raise Voided
    return found


@dataclass(frozen=True)
class Admission:
    """Evidence from the field is let in: the order, the actor's visit it belongs to, and whether it comes late.

    late: the visit was taken from the actor meanwhile; what they did before they knew has happened all the same.
    assignee: whose visit the order is about now. signed: a customer has signed what the order held until now.
    item: the checklist item that was asked for, where it exists.
    """

    order: WorkOrder
    visit: Visit | None
    late: bool
    assignee: UUID | None
    signed: bool
    item: Item | None


async def admit(
    uow: UnitOfWork,
    actor: Actor,
    *,
    work_order_id: UUID,
    visit_id: UUID | None = None,
    item_id: UUID | None = None,
    hold: bool = False,
) -> Admission:
    """Let in what somebody recorded who was ever assigned to the order, or who may see every order.

    hold: keep others from changing the order until this transaction ends.
    Raises EntityGone (also for an order the office took back), NeverAssigned.
    """
    found = await queries.admission(
        uow, work_order_id, engineer_id=actor.person, visit_id=visit_id, item_id=item_id, hold=hold
    )
    order = part_of_row(WorkOrder, found, "o_") if found else None
    if found is None or order is None or order.voided_at is not None:
        raise EntityGone(thing=ORDER.thing)
    visit = part_of_row(Visit, found, "v_")
    if visit is None and not actor.may(ORDER.everyone):
        raise NeverAssigned
    late = visit is not None and not found["active"]
    return Admission(order, visit, late, found["assignee"], found["signed"], part_of_row(Item, found, "i_"))
