"""Who takes this job? Ranking engineers, and sending one of them."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np

from server.core.db import UnitOfWork
from server.dispatch import queries
from server.dispatch.decisions import How, chosen_by_person
from server.dispatch.scoring import (
    DEFAULT_WEIGHTS,
    Drives,
    Integers,
    Job,
    Prospects,
    Ranking,
    Weights,
    rank,
    scores,
)
from server.geo.estimate import EstimatedTravel
from server.geo.travel import Travel
from server.identity.access import require
from server.identity.domain import Actor, Permission
from server.workforce.errors import NotAnEngineer
from server.workorders import access
from server.workorders import queries as workorder_queries
from server.workorders import service as workorders
from server.workorders.domain import Visit

ASKED_AT_ONCE = 50  # engineers whose roads are asked: 12 ms, and everybody in a small company
NAMED = 3  # so many of the best are certain


async def candidates(uow: UnitOfWork, actor: Actor, travel: Travel, work_order_id: UUID, at: datetime) -> Ranking:
    """Rank every engineer for an order as of `at`. Takes no locks. Raises NotFound."""
    return await _ranked(uow, travel, await _job(uow, actor, work_order_id), at)


async def _job(uow: UnitOfWork, actor: Actor, work_order_id: UUID) -> Job:
    await access.work_order_for(uow, actor, work_order_id)
    job = await queries.job(uow, work_order_id)
    assert job is not None, "an order that was just seen has a site and a customer"
    return job


async def _ranked(uow: UnitOfWork, travel: Travel, job: Job, at: datetime, chosen: UUID | None = None) -> Ranking:
    """Rank everybody; the one who is chosen already is asked about whatever they may hope for."""
    prospects = await queries.prospects(uow, job, at)
    version, weights = await weights_in_force(uow)
    drives, asked = await _drives(travel, job, prospects, at, weights, chosen)
    skills = await queries.skills_of(uow, [prospects.id_of(row) for row in asked.tolist()], at)
    return rank(job, prospects, drives, at, weights=weights, weights_version=version, skills=skills)


async def _drives(
    travel: Travel, job: Job, prospects: Prospects, at: datetime, weights: Weights, chosen: UUID | None
) -> tuple[Drives, Integers]:
    """Answer everybody's drive, and the rows whose roads were asked; the others keep the estimate, labelled.

    Whoever can hope for most, were their road as quick as roads get, is asked about first, until nobody left can hope
    to be among the best `NAMED`: those are what they would be had everybody been asked about, as long as no drive is
    quicker than `Drives.at_best`.
    """
    drives = Drives.read(await EstimatedTravel().table([job.place], prospects.places(), at))
    hopes = scores(job, prospects, drives.at_best(), at, weights)
    if chosen is not None:
        hopes[prospects.engineer_id == np.void(chosen.bytes)] = np.inf
    order = np.argsort(-hopes, kind="stable")
    for begin in range(0, len(order), ASKED_AT_ONCE):
        rows = order[begin : begin + ASKED_AT_ONCE]
        table = await travel.table([prospects.place_of(row) for row in rows.tolist()], [job.place], at)
        drives = drives.corrected(rows, Drives.read(table))
        asked, left = np.split(order, [begin + ASKED_AT_ONCE])
        found = np.sort(scores(job, prospects, drives, at, weights)[asked])
        if not len(left) or hopes[left[0]] == -np.inf or (len(found) >= NAMED and found[-NAMED] > hopes[left[0]]):
            return drives, asked
    return drives, order


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
    how: How | None = None,
    plan_id: UUID | None = None,
    note: str | None = None,
) -> Visit:
    """Send an engineer, in place of whoever was sent before, and keep what the decision was based on.

    how: who or what chose them; a person when left out, who may have followed the first suggestion.

    Without times the visit is planned for when they can be there after what is planned already. A dispatcher may
    choose somebody whom the rules exclude; the decision shows that they did. Repeating it changes nothing.
    Raises NotFound, Forbidden, NotAnEngineer, PlanRunsBackwards, IllegalTransition.
    """
    require(actor, Permission.VISITS_DISPATCH)
    # Roads are asked before schedule_visit locks the order.
    job = await _job(uow, actor, work_order_id)
    ranking = await _ranked(uow, travel, job, uow.now(), chosen=engineer_id)
    could_begin = ranking.start_of(engineer_id)
    if could_begin is None:
        raise NotAnEngineer
    start, end = await _plan(uow, job, could_begin, engineer_id, planned_start, planned_end)
    visit = await workorders.schedule_visit(
        uow,
        actor,
        work_order_id=work_order_id,
        engineer_id=engineer_id,
        planned_start=start,
        planned_end=end,
    )
    rank_of_chosen = ranking.rank_of(engineer_id)
    await queries.insert_decision(
        uow,
        visit=visit.id,
        engineer=engineer_id,
        decided_by=None if how is How.AUTOMATIC else actor.person,
        how=how or chosen_by_person(rank_of_chosen),
        chosen_rank=rank_of_chosen,
        plan=plan_id,
        note=note,
        weights_version=ranking.weights_version,
        candidates=_inputs(ranking),
    )
    return visit


async def _plan(
    uow: UnitOfWork,
    job: Job,
    could_begin: datetime,
    engineer_id: UUID,
    planned_start: datetime | None,
    planned_end: datetime | None,
) -> tuple[datetime, datetime]:
    if planned_start is None and planned_end is None:
        sent = await workorder_queries.visit_at_hand(uow, job.id)
        # Asked twice for the same engineer: their plan stands, whatever a minute has changed on the roads.
        if sent and sent.is_open and sent.engineer_id == engineer_id and sent.planned_start and sent.planned_end:
            return sent.planned_start, sent.planned_end
    start = planned_start or could_begin
    return start, planned_end or start + job.duration


def _inputs(ranking: Ranking) -> list[dict[str, Any]]:
    """The ranking as plain JSON: candidates with their factors, then the excluded with their reasons."""
    lines = [asdict(candidate) for candidate in ranking.items] + [asdict(other) for other in ranking.excluded]
    return [_plain(line) for line in lines]


def _plain(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, UUID) else value for name, value in line.items()}
