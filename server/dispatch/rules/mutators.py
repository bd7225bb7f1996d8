"""What a phone may do in the open pool: take what is on offer."""

from dataclasses import replace
from uuid import UUID

from server.core.db import UnitOfWork
from server.core.wire import Id, WireIn
from server.dispatch import service as dispatch
from server.dispatch.rules import pool, pool_queries
from server.dispatch.rules.pool import TooLate
from server.geo.travel import Travel
from server.identity.domain import Actor
from server.sync.domain import Disagreement, Dispute, Mutation, Outcome, Side
from server.sync.registry import Nature, Registry
from server.workorders import queries as workorder_queries
from server.workorders.errors import EntityGone, IllegalTransition, Overtaken

POOL_TAKEN = "POOL_TAKEN"


class TakeArgs(WireIn):
    offer: Id
    wo: Id


def register(registry: Registry, travel: Travel) -> None:
    async def take(uow: UnitOfWork, actor: Actor, _mutation: Mutation, args: TakeArgs) -> Outcome:
        found = await pool.take(uow, actor, travel, offer_id=args.offer, work_order_id=args.wo)
        if isinstance(found, TooLate):
            return _outrun(args, found)
        if found.visit is None:
            return Outcome.merged("ALREADY_THERE")
        return Outcome(facts={"visit_id": str(found.visit.id)})

    async def settle_taken(uow: UnitOfWork, actor: Actor, dispute: Dispute, side: Side) -> None:
        """Mine: whoever was late gets the order all the same. Theirs: whoever was quicker has it."""
        offer = await pool_queries.offer(uow, dispute.entity_id)
        if offer is None:
            raise EntityGone(thing="offer")
        at_hand = await workorder_queries.visit_at_hand(uow, offer.work_order_id)
        has_it = at_hand is not None and at_hand.is_open and at_hand.engineer_id == dispute.person
        engineer = dispute.person if side is Side.MINE else offer.taken_by
        # Theirs stands already, unless mine was made to stand before.
        if engineer is not None and has_it is not (side is Side.MINE):
            await _give(uow, actor, travel, offer.work_order_id, engineer)

    registry.mutator("pool.take", TakeArgs, take, nature=Nature.CONTROL)
    registry.settlement(POOL_TAKEN, settle_taken)


def _outrun(args: TakeArgs, late: TooLate) -> Outcome:
    """Who was quicker is not for the phone to know: not in the answer, nor in the conflict it can read."""
    theirs = {"ending": str(late.ending), "at": late.at.isoformat()}
    disagreement = Disagreement(POOL_TAKEN, "pool_offer", args.offer, args.model_dump(mode="json"), theirs, args.wo)
    said = "Somebody else was quicker; this work order is theirs."
    return replace(Outcome.conflict(disagreement), facts={"detail": said, **theirs})


async def _give(uow: UnitOfWork, actor: Actor, travel: Travel, work_order_id: UUID, engineer_id: UUID) -> None:
    try:
        await dispatch.assign(uow, actor, travel, work_order_id=work_order_id, engineer_id=engineer_id)
    except IllegalTransition as cant:
        raise Overtaken(why=str(cant)) from None
