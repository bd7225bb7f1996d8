"""Making a plan, in jobs: read the picture, solve each part, mend the borders, say what would change.

Every job may run twice, on any worker; what a plan comes to depends on its picture, seed and effort alone.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from procrastinate import App as JobApp

from server.core.db import Database
from server.dispatch.planner.plan import Plan
from server.dispatch.planner.problem import InvalidProblem
from server.dispatch.planner.solve import solve
from server.dispatch.planner.stopping import Cancelled, Progress, Steps, Stop
from server.dispatch.planning import queries, reading, service
from server.dispatch.planning.alternatives import Alternatives, alternatives_of
from server.dispatch.planning.asking import Asked, Sequences, ask, cautious, known_sequences, places_of
from server.dispatch.planning.comparing import Reason, lines_of
from server.dispatch.planning.domain import Effort, Line, PlanKind, PlanState
from server.dispatch.planning.picture import Picture
from server.dispatch.planning.splitting import Part, border, parts_of
from server.dispatch.planning.timetable import Timetable, figures_of, known_timetable_of, plain, timetable_of
from server.geo.journey import Matrix
from server.geo.travel import Travel

_LONGEST_S = 900  # a plan that takes longer is stopped, and then no longer the same on every machine
_WATCH_S = 0.7

NOBODY = "nobody_on_shift"
NOTHING = "nothing_to_plan"
BROKE_OFF = "broke_off"


async def begin_plan(database: Database, jobs: JobApp, org: UUID, plan_id: UUID) -> None:
    """Read the picture of one moment, split it, and queue its parts."""
    async with database.snapshot(org) as uow:
        plan = await queries.plan(uow, plan_id)
        if plan is None or plan.state is not PlanState.QUEUED:
            return
        _, policy = await queries.policy_in_force(uow)
        cause = plan.cause or {}
        without = frozenset(UUID(it) for it in cause.get("without", ()))
        picture = await reading.picture(uow, plan.scope, policy, with_new=cause.get("with_new", True), without=without)
        picture = replace(picture, told=plan.kind is PlanKind.REPAIR)
        names = await reading.territory_names(uow)
    if wrong := _why_not(picture):
        await fail(database, org, plan_id, wrong)
        return
    parts = parts_of(picture, plan.effort, names)
    async with database.unit_of_work(org) as uow:
        if await queries.lock_plan(uow, plan_id) is not PlanState.QUEUED:
            return
        await queries.save_picture(uow, plan_id, picture, parts)
        await queries.set_state(uow, plan_id, PlanState.RUNNING)
        for part in parts:
            await uow.defer(jobs, service.PART, queue=service.QUEUE, org=org, plan=plan_id, number=str(part.number))
        await service.tell(uow, plan_id, "plan.begun")


def _why_not(picture: Picture) -> str | None:
    if not picture.duties:
        return NOBODY
    return None if picture.orders else NOTHING


async def solve_part(database: Database, jobs: JobApp, travel: Travel, org: UUID, plan_id: UUID, number: int) -> None:
    """Solve one part, telling how far it is; the last part to be solved calls for joining them."""
    async with database.unit_of_work(org) as uow:
        found = await queries.part_to_solve(uow, plan_id, number)
        if found is None:
            return
        part, seed = found
        picture = (await queries.picture(uow, plan_id)).part(part.orders, part.shifts)

    async def tell(progress: float) -> bool:
        async with database.unit_of_work(org) as uow:
            return await queries.tell_progress(uow, plan_id, number, progress)

    try:
        asked, plan, wanted = await _solved(travel, picture, known_sequences(picture), part.steps, seed, tell)
    except InvalidProblem as wrong:
        await fail(database, org, plan_id, str(wrong))
        return
    if not wanted:
        return
    async with database.unit_of_work(org) as uow:
        if await queries.lock_plan(uow, plan_id) is not PlanState.RUNNING:
            return
        if await queries.save_part(uow, plan_id, number, cost=plan.cost, sequences=_plain_answer(asked, plan)):
            await uow.defer(jobs, service.JOIN, queue=service.QUEUE, org=org, plan=plan_id)


async def join_parts(database: Database, travel: Travel, org: UUID, plan_id: UUID) -> None:
    """Put the parts together, look at their borders once more, and propose what has come out."""
    async with database.unit_of_work(org) as uow:
        plan = await queries.plan(uow, plan_id)
        if plan is None or plan.state is not PlanState.RUNNING:
            return
        picture, parts = await queries.picture(uow, plan_id), await queries.parts(uow, plan_id)
        answer = _read_answers(await queries.answers(uow, plan_id))
    await mend_border(travel, picture, parts, answer, effort=plan.effort, seed=plan.seed)
    known, tables = await timetables(travel, picture, answer)
    lines = lines_of(picture, tables, answer.reasons, answer.alternatives)
    async with database.unit_of_work(org) as uow:
        if await queries.lock_plan(uow, plan_id) is not PlanState.RUNNING:
            return
        await queries.save_outcome(uow, plan_id, _outcome(picture, known, tables), [*_rows(lines)])
        await service.tell(uow, plan_id, "plan.ready")


@dataclass
class Answer:
    """What parts came to. appointments: when linked orders begin. alternatives: who else could have made an order."""

    sequences: dict[UUID, list[UUID | None]] = field(default_factory=dict)
    reasons: dict[UUID, Reason] = field(default_factory=dict)
    appointments: dict[UUID, datetime] = field(default_factory=dict)
    alternatives: dict[UUID, dict[str, Any]] = field(default_factory=dict)


async def mend_border(
    travel: Travel, picture: Picture, parts: list[Part], answer: Answer, *, effort: Effort, seed: int
) -> None:
    """Plan the shifts at the borders of parts once more, together, and put what comes of it into the answer."""
    part = border(picture, parts, answer.sequences, effort)
    if part is None:
        return
    small = picture.part(part.orders, part.shifts)
    start = {it: stops for it, stops in answer.sequences.items() if it in set(part.shifts)}
    with suppress(InvalidProblem):  # then the borders stay as they are
        asked, plan, _ = await _solved(travel, small, start, part.steps, seed + part.number)
        for shift in part.shifts:
            answer.sequences.pop(shift, None)
        for order in part.orders:
            answer.reasons.pop(order, None)
            answer.appointments.pop(order, None)
        answer.sequences.update(asked.named(plan))
        answer.reasons.update(_reasons(asked, plan))
        answer.appointments.update(asked.appointments(plan))
        answer.alternatives.update({it: _plain(others) for it, others in alternatives_of(asked, plan).items()})


async def timetables(travel: Travel, picture: Picture, answer: Answer) -> tuple[list[Timetable], list[Timetable]]:
    """Answer every shift's day as people know it, and as an answer makes it."""
    known, planned = [], []
    told = known_sequences(picture)
    for duty in picture.duties:
        before, after = told.get(duty.shift_id, []), answer.sequences.get(duty.shift_id, [])
        orders = {it for it in (*before, *after) if it is not None}
        asked = await asked_of(travel, picture.shift_alone(duty.shift_id, orders, answer.appointments))
        known.append(known_timetable_of(asked, before))
        planned.append(timetable_of(asked, after))
    return known, planned


async def asked_of(travel: Travel, picture: Picture) -> Asked:
    """Ask the roads and put a picture as a problem, with drives as they usually are."""
    return ask(picture, await _drives(travel, picture))


async def _drives(travel: Travel, picture: Picture) -> Matrix:
    """Ask the roads between all places of a picture, in the first departure's hour."""
    places = places_of(picture)
    leaving = max([picture.begins, *(it.free_at for it in picture.duties[:1])])
    return await travel.table(places, places, leaving)


async def _solved(
    travel: Travel,
    picture: Picture,
    start: Sequences,
    steps: int,
    seed: int,
    tell: Callable[[float], Awaitable[bool]] | None = None,
) -> tuple[Asked, Plan, bool]:
    """Solve a picture in a thread, with drives as careful as its policy; answers whether it was wanted to its end."""
    asked = ask(picture, cautious(await _drives(travel, picture), picture.policy.caution_percent))
    unwanted, told = threading.Event(), _Told(steps)
    # Seconds would cool the search by the clock; this only ends it.
    latest = time.monotonic() + _LONGEST_S
    stop: Stop = told | Cancelled(lambda: unwanted.is_set() or time.monotonic() > latest)
    task = asyncio.create_task(asyncio.to_thread(solve, asked.problem, stop, seed=seed, start=asked.start(start)))
    while tell is not None and not task.done():
        await asyncio.wait([task], timeout=_WATCH_S)
        if not task.done() and not await tell(min(1.0, told.far)):
            unwanted.set()
    return asked, await task, not unwanted.is_set()


class _Told(Stop):
    """So many steps, and how far they are, for whoever watches from another thread."""

    def __init__(self, steps: int) -> None:
        self._steps, self.far = Steps(steps), 0.0

    def progress(self, so_far: Progress, /) -> float:
        self.far = self._steps.progress(so_far)
        return self.far


def _reasons(asked: Asked, plan: Plan) -> dict[UUID, Reason]:
    orders, duties = asked.picture.orders, asked.picture.duties
    return {
        orders[it].id: Reason(
            asked.held_back(it) or no.why, no.cost, None if no.shift is None else duties[no.shift].engineer_id
        )
        for it, no in plan.left_out.items()
    }


def _plain_answer(asked: Asked, plan: Plan) -> dict[str, Any]:
    return {
        "tours": {str(shift): [it and str(it) for it in stops] for shift, stops in asked.named(plan).items()},
        "left_out": {
            str(order): {"why": it.why, "cost": it.cost, "engineer_id": it.engineer_id and str(it.engineer_id)}
            for order, it in _reasons(asked, plan).items()
        },
        "appointments": {str(order): begin.isoformat() for order, begin in asked.appointments(plan).items()},
        "alternatives": {str(order): _plain(it) for order, it in alternatives_of(asked, plan).items()},
    }


def _plain(it: Alternatives) -> dict[str, Any]:
    others = [{"engineer_id": str(one.engineer_id), "name": one.name, "extra": one.extra} for one in it.others]
    return {"others": others, "unable": it.unable, "full": it.full}


def _read_answers(answers: Iterable[Mapping[str, Any]]) -> Answer:
    found = Answer()
    for answer in answers:
        for shift, stops in answer["tours"].items():
            found.sequences[UUID(shift)] = [UUID(it) if it else None for it in stops]
        for order, it in answer["left_out"].items():
            whose = it["engineer_id"]
            found.reasons[UUID(order)] = Reason(it["why"], it["cost"], UUID(whose) if whose else None)
        for order, begin in answer["appointments"].items():
            found.appointments[UUID(order)] = datetime.fromisoformat(begin)
        found.alternatives.update({UUID(order): it for order, it in answer["alternatives"].items()})
    return found


def _outcome(picture: Picture, known: list[Timetable], tables: list[Timetable]) -> dict[str, Any]:
    made = {call.order_id for table in tables for call in table.calls}
    unbooked = sum(1 for it in picture.orders if it.booked is None)
    return {
        "before": asdict(figures_of(known, unbooked)),
        "after": asdict(figures_of(tables, sum(1 for it in picture.orders if it.id not in made))),
        "tours": [plain(it) for it in tables],
        "known": [plain(it) for it in known],
    }


def _rows(lines: Iterable[Line]) -> Iterable[dict[str, object]]:
    for ordinal, it in enumerate(lines):
        yield {
            "order": it.work_order_id,
            "ordinal": ordinal,
            "change": it.change,
            "from_engineer": it.before and it.before.engineer_id,
            "from_start": it.before and it.before.start,
            "from_end": it.before and it.before.end,
            "to_engineer": it.after and it.after.engineer_id,
            "to_start": it.after and it.after.start,
            "to_end": it.after and it.after.end,
            "details": dict(it.details),
        }


async def fail(database: Database, org: UUID, plan_id: UUID, why: str) -> None:
    """Say that nothing will come of a plan, unless something has already. why: a code, or a sentence."""
    async with database.unit_of_work(org) as uow:
        if await queries.lock_plan(uow, plan_id) in {PlanState.QUEUED, PlanState.RUNNING}:
            await queries.set_state(uow, plan_id, PlanState.FAILED, why=why)
            await service.tell(uow, plan_id, "plan.failed")
