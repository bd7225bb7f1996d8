"""Every statement about plans. What a plan is made from is read in `reading`."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from server.core.db import UnitOfWork
from server.dispatch.planning.domain import LIVE, OPEN, Change, Effort, LineState, PartState, PlanKind, PlanState, Scope
from server.dispatch.planning.picture import Picture, Policy
from server.dispatch.planning.splitting import Part
from server.dispatch.planning.timetable import Timetable
from server.dispatch.planning.views import LineView, PlanView

_PICTURE = TypeAdapter(Picture)
_POLICY = TypeAdapter(Policy)
_LIVE = [str(it) for it in LIVE]

_PLAN = """
    select l.id, l.kind, l.state, l.begins, l.until, l.territories, l.engineers, l.effort, l.seed, l.policy_version,
           l.requested_by, p.name as requested_by_name, l.cause, l.asked_at, l.ready_at, l.ended_at, l.why,
           case when l.state in ('queued', 'running') then
               coalesce((select sum(t.progress * t.steps) / nullif(sum(t.steps), 0) from plan_part t
                         where t.plan_id = l.id), 0) * 0.95
           else 1 end as progress,
           (select count(*)::int from plan_part t where t.plan_id = l.id) as parts,
           l.outcome -> 'before' as before, l.outcome -> 'after' as after,
           coalesce((select jsonb_object_agg(change || ':' || state, many) from (
               select change, state, count(*) as many from plan_line n where n.plan_id = l.id group by 1, 2) c), '{}')
               as lines
    from plan l left join person p on p.id = l.requested_by
"""


async def policy_in_force(uow: UnitOfWork) -> tuple[int, Policy]:
    """Answer the newest policy and its version; version 0 is what an organisation has that never set one."""
    found = await uow.row("select version, values from planning_policy order by version desc limit 1")
    return (found["version"], _POLICY.validate_python(found["values"])) if found else (0, Policy())


async def policy_keeper(uow: UnitOfWork) -> UUID | None:
    """Answer who set the policy that is in force."""
    found: UUID | None = await uow.value("select created_by from planning_policy order by version desc limit 1")
    return found


async def insert_policy(uow: UnitOfWork, version: int, policy: Policy, by: UUID) -> bool:
    """Answer whether this version was still to be had."""
    return bool(
        await uow.run(
            """
            insert into planning_policy (org_id, id, version, values, created_by, created_at)
            values (%(org)s, %(id)s, %(version)s, %(values)s, %(by)s, %(now)s)
            on conflict (org_id, version) do nothing
            """,
            org=uow.org,
            id=uow.new_id(),
            version=version,
            values=_POLICY.dump_python(policy, mode="json"),
            by=by,
            now=uow.now(),
        )
    )


async def insert_plan(
    uow: UnitOfWork,
    plan_id: UUID,
    *,
    kind: PlanKind,
    scope: Scope,
    effort: Effort,
    seed: int,
    policy_version: int,
    requested_by: UUID | None,
    cause: Mapping[str, Any] | None,
) -> None:
    await uow.run(
        f"""
        insert into plan (org_id, id, kind, state, begins, until, territories, engineers, effort, seed, policy_version,
                          requested_by, cause, asked_at)
        values (%(org)s, %(id)s, %(kind)s, '{PlanState.QUEUED}', %(begins)s, %(until)s, %(territories)s, %(engineers)s,
                %(effort)s, %(seed)s, %(policy)s, %(by)s, %(cause)s, %(now)s)
        """,
        org=uow.org,
        id=plan_id,
        kind=kind,
        begins=scope.begins,
        until=scope.until,
        territories=list(scope.territories),
        engineers=list(scope.engineers),
        effort=effort,
        seed=seed,
        policy=policy_version,
        by=requested_by,
        cause=dict(cause) if cause is not None else None,
        now=uow.now(),
    )


async def plan(uow: UnitOfWork, plan_id: UUID) -> PlanView | None:
    return await uow.one_of(PlanView, f"{_PLAN} where l.id = %(id)s", id=plan_id)


async def plans_before(uow: UnitOfWork, before: UUID | None, limit: int) -> list[PlanView]:
    """Answer the newest plans older than `before`."""
    return await uow.all_of(
        PlanView,
        f"{_PLAN} where %(before)s::uuid is null or l.id < %(before)s order by l.id desc limit %(limit)s",
        before=before,
        limit=limit,
    )


async def lock_plan(uow: UnitOfWork, plan_id: UUID) -> PlanState | None:
    """Answer a plan's state and keep others from changing it until this transaction ends."""
    found = await uow.value("select state from plan where id = %(id)s for no key update", id=plan_id)
    return PlanState(found) if found else None


async def set_state(uow: UnitOfWork, plan_id: UUID, state: PlanState, *, why: str | None = None) -> None:
    await uow.run(
        "update plan set state = %(state)s, why = coalesce(%(why)s, why), ended_at = %(ended)s where id = %(id)s",
        id=plan_id,
        state=state,
        why=why,
        ended=uow.now() if state not in OPEN else None,
    )


async def set_decider(uow: UnitOfWork, plan_id: UUID, by: UUID | None) -> None:
    await uow.run("update plan set decided_by = %(by)s where id = %(id)s", id=plan_id, by=by)


async def decider(uow: UnitOfWork, plan_id: UUID) -> UUID | None:
    found: UUID | None = await uow.value("select decided_by from plan where id = %(id)s", id=plan_id)
    return found


async def save_picture(uow: UnitOfWork, plan_id: UUID, picture: Picture, parts: Sequence[Part]) -> None:
    await uow.run(
        "update plan set picture = %(picture)s::jsonb where id = %(id)s",
        id=plan_id,
        picture=_PICTURE.dump_json(picture).decode(),
    )
    await uow.run_many(
        f"""
        insert into plan_part (org_id, plan_id, number, name, orders, shifts, steps, state, progress)
        values (%(org)s, %(plan)s, %(number)s, %(name)s, %(orders)s, %(shifts)s, %(steps)s, '{PartState.WAITING}', 0)
        """,
        [
            {
                "org": uow.org,
                "plan": plan_id,
                "number": it.number,
                "name": it.name,
                "orders": list(it.orders),
                "shifts": list(it.shifts),
                "steps": it.steps,
            }
            for it in parts
        ],
    )


async def picture(uow: UnitOfWork, plan_id: UUID) -> Picture:
    """Answer what a plan was made from. It must have been saved."""
    return _PICTURE.validate_python(await uow.value("select picture from plan where id = %(id)s", id=plan_id))


async def parts(uow: UnitOfWork, plan_id: UUID) -> list[Part]:
    return await uow.all_of(
        Part,
        "select number, name, orders, shifts, steps from plan_part where plan_id = %(id)s order by number",
        id=plan_id,
    )


async def part_to_solve(uow: UnitOfWork, plan_id: UUID, number: int) -> tuple[Part, int] | None:
    """Answer a part and its plan's seed; None if it is solved, or nobody wants it any more."""
    row = await uow.row(
        f"""
        select t.number, t.name, t.orders, t.shifts, t.steps, l.seed
        from plan_part t join plan l on l.id = t.plan_id
        where t.plan_id = %(id)s and t.number = %(number)s and t.state = '{PartState.WAITING}'
          and l.state = '{PlanState.RUNNING}'
        """,
        id=plan_id,
        number=number,
    )
    if row is None:
        return None
    orders, shifts = tuple(row["orders"]), tuple(row["shifts"])
    return Part(row["number"], row["name"], orders, shifts, row["steps"]), row["seed"] + row["number"]


async def tell_progress(uow: UnitOfWork, plan_id: UUID, number: int, progress: float) -> bool:
    """Note how far a part is; answers whether it is still wanted."""
    await uow.run(
        "update plan_part set progress = %(progress)s where plan_id = %(id)s and number = %(number)s",
        id=plan_id,
        number=number,
        progress=progress,
    )
    return await uow.value("select state from plan where id = %(id)s", id=plan_id) in _LIVE


async def save_part(uow: UnitOfWork, plan_id: UUID, number: int, *, cost: int, sequences: Mapping[str, Any]) -> bool:
    """Keep a part's answer; answers whether it was the last."""
    await uow.run(
        f"""
        update plan_part set state = '{PartState.SOLVED}', progress = 1, cost = %(cost)s, sequences = %(sequences)s
        where plan_id = %(id)s and number = %(number)s
        """,
        id=plan_id,
        number=number,
        cost=cost,
        sequences=dict(sequences),
    )
    waiting = await uow.value(
        f"select count(*) from plan_part where plan_id = %(id)s and state = '{PartState.WAITING}'", id=plan_id
    )
    return int(waiting) == 0


async def answers(uow: UnitOfWork, plan_id: UUID) -> list[dict[str, Any]]:
    """Answer what each part came to, by number."""
    return [
        row["sequences"]
        for row in await uow.rows("select sequences from plan_part where plan_id = %(id)s order by number", id=plan_id)
    ]


async def save_outcome(
    uow: UnitOfWork, plan_id: UUID, outcome: Mapping[str, Any], lines: Sequence[Mapping[str, object]]
) -> None:
    await uow.run(
        f"""
        update plan set state = '{PlanState.READY}', ready_at = %(now)s, outcome = %(outcome)s::jsonb
        where id = %(id)s
        """,
        id=plan_id,
        now=uow.now(),
        outcome=json.dumps(outcome),
    )
    await uow.run_many(
        f"""
        insert into plan_line (org_id, plan_id, work_order_id, ordinal, change, state, from_engineer_id, from_start,
                               from_end, to_engineer_id, to_start, to_end, details)
        select %(org)s, %(plan)s, o.id, %(ordinal)s, %(change)s, '{LineState.PROPOSED}', %(from_engineer)s,
               %(from_start)s, %(from_end)s, %(to_engineer)s, %(to_start)s, %(to_end)s, %(details)s
        from work_order o where o.id = %(order)s
        """,
        [{"org": uow.org, "plan": plan_id, **line} for line in lines],
    )


async def outcome(uow: UnitOfWork, plan_id: UUID) -> dict[str, Any] | None:
    found: dict[str, Any] | None = await uow.value("select outcome from plan where id = %(id)s", id=plan_id)
    return found


_LINE = """
    select n.work_order_id, o.number, o.title, o.priority, s.name as site_name,
           array[st_x(s.place::geometry), st_y(s.place::geometry)] as place, n.change, n.state, n.from_engineer_id,
           f.name as from_engineer_name, n.from_start, n.from_end, n.to_engineer_id, t.name as to_engineer_name,
           n.to_start, n.to_end, n.details, n.why
    from plan_line n
    join work_order o on o.id = n.work_order_id
    join site s on s.id = o.site_id
    left join person f on f.id = n.from_engineer_id
    left join person t on t.id = n.to_engineer_id
"""


async def lines(uow: UnitOfWork, plan_id: UUID) -> list[LineView]:
    return await uow.all_of(LineView, f"{_LINE} where n.plan_id = %(id)s order by n.ordinal", id=plan_id)


async def lines_in(uow: UnitOfWork, plan_id: UUID, state: LineState) -> list[LineView]:
    return await uow.all_of(
        LineView,
        f"{_LINE} where n.plan_id = %(id)s and n.state = %(state)s order by n.to_engineer_id, n.ordinal",
        id=plan_id,
        state=state,
    )


async def mark_lines(
    uow: UnitOfWork,
    plan_id: UUID,
    orders: Sequence[UUID] | None,
    *,
    of: LineState,
    to: LineState,
    changes: Sequence[Change],
) -> int:
    """Move lines from one state to another, all of these kinds or those of some orders; answers how many."""
    return await uow.run(
        """
        update plan_line set state = %(to)s
        where plan_id = %(id)s and state = %(of)s and change = any(%(changes)s)
          and (%(orders)s::uuid[] is null or work_order_id = any(%(orders)s))
        """,
        id=plan_id,
        to=to,
        of=of,
        changes=[str(it) for it in changes],
        orders=None if orders is None else list(orders),
    )


async def settle_line(uow: UnitOfWork, plan_id: UUID, order_id: UUID, state: LineState, why: str | None = None) -> None:
    await uow.run(
        "update plan_line set state = %(state)s, why = %(why)s where plan_id = %(plan)s and work_order_id = %(order)s",
        plan=plan_id,
        order=order_id,
        state=state,
        why=why,
    )


async def retime_line(uow: UnitOfWork, plan_id: UUID, order_id: UUID, start: datetime, end: datetime) -> None:
    await uow.run(
        """
        update plan_line set to_start = %(start)s, to_end = %(end)s
        where plan_id = %(plan)s and work_order_id = %(order)s
        """,
        plan=plan_id,
        order=order_id,
        start=start,
        end=end,
    )


async def save_route(uow: UnitOfWork, table: Timetable, stops: Sequence[Mapping[str, Any]]) -> None:
    """Keep an engineer's way of a shift; nothing is written where nothing changed, so no phone pulls in vain."""
    await uow.run(
        """
        insert into route as r (org_id, id, person_id, leaves_at, rests_at, returns_at, stops, made_at)
        values (%(org)s, %(id)s, %(person)s, %(leaves)s, %(rests)s, %(returns)s, %(stops)s::jsonb, %(now)s)
        on conflict (org_id, id) do update
        set leaves_at = excluded.leaves_at, rests_at = excluded.rests_at, returns_at = excluded.returns_at,
            stops = excluded.stops, made_at = excluded.made_at
        where (r.leaves_at, r.rests_at, r.returns_at, r.stops)
              is distinct from (excluded.leaves_at, excluded.rests_at, excluded.returns_at, excluded.stops)
        """,
        org=uow.org,
        id=table.shift_id,
        person=table.engineer_id,
        leaves=table.leaves,
        rests=table.rests,
        returns=table.returns,
        stops=json.dumps(stops),
        now=uow.now(),
    )


async def delete_route(uow: UnitOfWork, shift: UUID) -> None:
    await uow.run("delete from route where id = %(id)s", id=shift)
