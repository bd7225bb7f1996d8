"""Who takes this job? Ranking engineers, and sending one of them."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from server.core.db import UnitOfWork
from server.dispatch import queries
from server.dispatch.scoring import DEFAULT_WEIGHTS, Job, Ranking, Weights, drives_in, rank
from server.geo.travel import Travel
from server.identity.access import require
from server.identity.domain import Actor, Permission
from server.workforce.errors import NotAnEngineer
from server.workorders import access
from server.workorders import queries as workorder_queries
from server.workorders import service as workorders
from server.workorders.domain import Visit


async def candidates(uow: UnitOfWork, actor: Actor, travel: Travel, work_order_id: UUID, at: datetime) -> Ranking:
    """Rank every engineer for an order as of `at`. Takes no locks. Raises NotFound."""
    return await _ranked(uow, travel, await _job(uow, actor, work_order_id), at)


async def _job(uow: UnitOfWork, actor: Actor, work_order_id: UUID) -> Job:
    await access.work_order_for(uow, actor, work_order_id)
    job = await queries.job(uow, work_order_id)
    assert job is not None, "an order that was just seen has a site and a customer"
    return job


async def _ranked(uow: UnitOfWork, travel: Travel, job: Job, at: datetime) -> Ranking:
    prospects = await queries.prospects(uow, job, at)
    version, weights = await weights_in_force(uow)
    table = await travel.table([prospect.origin(at)[1] for prospect in prospects], [job.place], at)
    return rank(job, prospects, drives_in(table), at, weights=weights, weights_version=version)


async def weights_in_force(uow: UnitOfWork) -> tuple[int, Weights]:
    """Answer the newest weights and their version; the first use writes version 1."""
    known = await queries.newest_weights(uow)
    if known is None:
        await queries.insert_weights(uow, 1, DEFAULT_WEIGHTS)
        return 1, DEFAULT_WEIGHTS
    return known


async def assign(
    uow: UnitOfWork,
    actor: Actor,
    travel: Travel,
    *,
    work_order_id: UUID,
    engineer_id: UUID,
    planned_start: datetime | None = None,
    planned_end: datetime | None = None,
) -> Visit:
    """Send an engineer, in place of whoever was sent before, and keep what the decision was based on.

    Without times the visit is planned for when they can be there after what is planned already. A dispatcher may
    choose somebody whom the rules exclude; the decision shows that they did. Repeating it changes nothing.
    Raises NotFound, Forbidden, NotAnEngineer, PlanRunsBackwards, IllegalTransition.
    """
    require(actor, Permission.VISITS_DISPATCH)
    # Roads are asked before schedule_visit locks the order.
    job = await _job(uow, actor, work_order_id)
    ranking = await _ranked(uow, travel, job, uow.now())
    if engineer_id not in ranking.starts:
        raise NotAnEngineer
    start, end = await _plan(uow, job, ranking, engineer_id, planned_start, planned_end)
    visit = await workorders.schedule_visit(
        uow,
        actor,
        work_order_id=work_order_id,
        engineer_id=engineer_id,
        planned_start=start,
        planned_end=end,
    )
    await queries.insert_decision(
        uow,
        visit=visit.id,
        engineer=engineer_id,
        decided_by=actor.person,
        weights_version=ranking.weights_version,
        candidates=_inputs(ranking),
    )
    return visit


async def _plan(
    uow: UnitOfWork,
    job: Job,
    ranking: Ranking,
    engineer_id: UUID,
    planned_start: datetime | None,
    planned_end: datetime | None,
) -> tuple[datetime, datetime]:
    if planned_start is None and planned_end is None:
        sent = await workorder_queries.visit_at_hand(uow, job.id)
        # Asked twice for the same engineer: their plan stands, whatever a minute has changed on the roads.
        if sent and sent.is_open and sent.engineer_id == engineer_id and sent.planned_start and sent.planned_end:
            return sent.planned_start, sent.planned_end
    start = planned_start or ranking.starts[engineer_id]
    return start, planned_end or start + job.duration


def _inputs(ranking: Ranking) -> list[dict[str, Any]]:
    """The ranking as plain JSON: candidates with their factors, then the excluded with their reasons."""
    lines = [asdict(candidate) for candidate in ranking.items] + [asdict(other) for other in ranking.excluded]
    return [_plain(line) for line in lines]


def _plain(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, UUID) else value for name, value in line.items()}
