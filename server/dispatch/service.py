"""Who takes this job? Ranking engineers, and sending one of them."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import numpy as np

from server.core.db import UnitOfWork
from server.dispatch import crew, queries
from server.dispatch.decisions import Decision, How, chosen_by_person, inputs, whole_rows
from server.dispatch.learning import service as learning
from server.dispatch.prospects import Drives, Job, Prospects
from server.dispatch.scoring import DEFAULT_WEIGHTS, Judgement, Ranking, Weights, judge
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
SHOWN = 50
ALL_SHOWN_UP_TO = 200  # engineers; a larger company asks about those it wonders about


async def candidates(
    uow: UnitOfWork,
    actor: Actor,
    travel: Travel,
    work_order_id: UUID,
    at: datetime,
    *,
    about: Collection[UUID] = (),
) -> Ranking:
    """Rank the engineers for an order as of `at`: all of a small company, else the best. Takes no locks.

    about: whoever else is to be told of, as a candidate or with why not. Raises NotFound.
    """
    job = await _job(uow, actor, work_order_id)
    in_all = await crew.size(uow)
    small = in_all <= ALL_SHOWN_UP_TO
    version, judged = await _judged(uow, travel, job, at, everybody=small, wanted=about)
    named = [row for one in about if (row := judged.prospects.row_of(one)) is not None]
    best, barred = judged.best.tolist(), judged.barred.tolist()
    shown = best if small else [*best[:SHOWN], *(row for row in named if row in best[SHOWN:])]
    told = barred if small else [row for row in named if row in barred]
    people = await crew.people(uow, [judged.prospects.id_of(row) for row in (*shown, *told)], at)
    return Ranking(
        [judged.candidate(row, people[judged.prospects.id_of(row)]) for row in shown],
        [judged.excluded(row, people[judged.prospects.id_of(row)]) for row in told],
        len(best),
        in_all - len(best),
        version,
        judged,
    )


async def _job(uow: UnitOfWork, actor: Actor, work_order_id: UUID) -> Job:
    await access.work_order_for(uow, actor, work_order_id)
    job = await crew.job(uow, work_order_id)
    assert job is not None, "an order that was just seen has a site and a customer"
    return job


async def _judged(
    uow: UnitOfWork, travel: Travel, job: Job, at: datetime, *, everybody: bool, wanted: Collection[UUID]
) -> tuple[int, Judgement]:
    """Judge everybody, or those whom the rules don't exclude at first sight; `wanted` in any case.

    Those are asked about whatever they may hope for.
    """
    prospects = await crew.prospects(uow, job, at, everybody=everybody, also=wanted)
    if (learnt := await learning.chance_of_fix(uow, job.problem_type)) is not None:
        prospects = replace(prospects, learnt_chance=learnt.of(prospects.engineer_id.view("S16")))
    version, weights = await weights_in_force(uow)
    drives = await _drives(travel, job, prospects, at, weights, wanted)
    return version, judge(job, prospects, drives, at, weights)


async def _drives(
    travel: Travel, job: Job, prospects: Prospects, at: datetime, weights: Weights, wanted: Collection[UUID]
) -> Drives:
    """Answer everybody's drive: from the roads where that decides, the others keep the estimate, labelled.

    Whoever can hope for most, were their road as quick as roads get, is asked about first, until nobody left can hope
    to be among the best `NAMED`: those are what they would be had everybody been asked about, as long as no drive is
    quicker than `Drives.at_best`.
    """
    drives = Drives.read(EstimatedTravel().gathering(prospects.lon, prospects.lat, job.place, at))
    hopes = judge(job, prospects, drives.at_best(), at, weights).scores
    hopes[prospects.among(list(wanted))] = np.inf
    order = np.argsort(-hopes, kind="stable")
    for begin in range(0, len(order), ASKED_AT_ONCE):
        rows = order[begin : begin + ASKED_AT_ONCE]
        table = await travel.table([prospects.place_of(row) for row in rows.tolist()], [job.place], at)
        drives = drives.corrected(rows, Drives.read(table))
        asked, left = np.split(order, [begin + ASKED_AT_ONCE])
        found = np.sort(judge(job, prospects, drives, at, weights).scores[asked])
        if not len(left) or hopes[left[0]] == -np.inf or (len(found) >= NAMED and found[-NAMED] > hopes[left[0]]):
            break
    return drives


async def weights_in_force(uow: UnitOfWork) -> tuple[int, Weights]:
    """Answer the newest weights and their version; the first use writes version 1."""
    known = await queries.newest_weights(uow)
    if known is None:
        await queries.insert_weights(uow, 1, DEFAULT_WEIGHTS)
        return 1, DEFAULT_WEIGHTS
    return known


async def decisions(uow: UnitOfWork, actor: Actor, work_order_id: UUID) -> list[Decision]:
    """Answer why whom was sent to an order, the newest first. Raises NotFound."""
    await access.work_order_for(uow, actor, work_order_id)
    return await queries.decisions(uow, work_order_id)


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
    version, judged = await _judged(uow, travel, job, uow.now(), everybody=True, wanted=[engineer_id])
    chosen = judged.prospects.row_of(engineer_id)
    if chosen is None:
        raise NotAnEngineer
    start, end = await _plan(uow, job, judged.start_of(chosen), engineer_id, planned_start, planned_end)
    visit = await workorders.schedule_visit(
        uow,
        actor,
        work_order_id=work_order_id,
        engineer_id=engineer_id,
        planned_start=start,
        planned_end=end,
    )
    rank = judged.rank_of(chosen)
    await _keep(uow, judged, chosen, version, _Choice(visit.id, how or chosen_by_person(rank), actor, plan_id, note))
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


async def note_planned(
    uow: UnitOfWork, actor: Actor, *, visit: Visit, engineer_id: UUID, how: How, plan_id: UUID
) -> None:
    """Keep that a plan sent somebody: why is told by the plan itself, nobody was ranked."""
    version, weights = await weights_in_force(uow)
    people = await crew.people(uow, [engineer_id], uow.now())
    await queries.insert_decision(
        uow,
        Decision(
            id=uow.new_id(),
            visit_id=visit.id,
            engineer_id=engineer_id,
            engineer_name=people[engineer_id].name,
            decided_by=actor.person,
            decided_by_name=actor.name,
            decided_at=uow.now(),
            how=how,
            plan_id=plan_id,
            chosen_rank=None,
            note=None,
            job=None,
            weights_version=version,
            weights=dict(weights),
            candidates=(),
            excluded=(),
            others={"candidates": [], "excluded": []},
        ),
    )


@dataclass(frozen=True)
class _Choice:
    visit: UUID
    how: How
    actor: Actor
    plan: UUID | None
    note: str | None


async def _keep(uow: UnitOfWork, judged: Judgement, chosen: int, weights_version: int, choice: _Choice) -> None:
    """Keep a decision with everything it was taken on."""
    best, barred = whole_rows(judged, chosen)
    people = await crew.people(uow, [judged.prospects.id_of(row) for row in (*best, *barred)], judged.at)
    known = inputs(judged, chosen, people, await crew.names(uow))
    engineer = judged.prospects.id_of(chosen)
    decided_by = None if choice.how in {How.AUTOMATIC, How.JOINT} else choice.actor
    await queries.insert_decision(
        uow,
        Decision(
            id=uow.new_id(),
            visit_id=choice.visit,
            engineer_id=engineer,
            engineer_name=people[engineer].name,
            decided_by=decided_by.person if decided_by else None,
            decided_by_name=decided_by.name if decided_by else None,
            decided_at=uow.now(),
            how=choice.how,
            plan_id=choice.plan,
            chosen_rank=judged.rank_of(chosen),
            note=choice.note,
            job=known.job,
            weights_version=weights_version,
            weights=known.weights,
            candidates=tuple(known.candidates),
            excluded=tuple(known.excluded),
            others=known.others,
        ),
    )
