"""What the database says about what people were told: by SQL on the tables themselves, past every layer of the product.

Each finding is a sentence. `told` is everything the devices recorded, with the answer they hold.
"""

import asyncio
import hashlib
import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from simulator.device import Device, Recorded
from tests.chaos.office import Answered

_NAMED = 20  # findings of one kind that are told in full

type Json = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """One mutation as its device holds it; `outcome` is what the server said, a duplicate's being that of the first."""

    id: str
    device: str
    stream: str
    seq: int
    name: str
    outcome: str | None
    code: str | None
    row: str | None
    order: str


def told(device: Device) -> list[Told]:
    return [_told(str(device.id), recorded) for recorded in device.outbox.everything()]


def _told(device: str, it: Recorded) -> Told:
    outcome, result = it.status, it.result or {}
    if outcome == "duplicate":
        outcome = str(result["first"]["status"])
    args = it.args
    return Told(it.id, device, it.stream, it.seq, it.name, outcome, result.get("code"), args.get("id"), args["wo"])


def files_sent(device: Device) -> list[tuple[str, int]]:
    """Hash and size of the files that the server confirmed to this device."""
    return [(sha, size) for sha, size in device._store.all("select sha256, size from file where sent = 1")]


@dataclass
class Findings:
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.lost) + len(self.doubled) + len(self.wrong)


_EFFECTS = """
create temp view effect as
          select 'note.add' as name, id from note
union all select 'answer.set', id from checklist_answer
union all select 'time.add', id from time_entry
union all select 'cost.add', id from cost
union all select 'photo.add', id from photo
union all select 'part.use', id from stock_movement
union all select 'part.return', id from stock_movement
union all select 'wo.follow_up', id from work_order
union all select 'signature.capture', id from signature;

create temp view step as
select id, facts ->> 'mutation_id' as mutation, action, device_id from timeline_entry
where facts ? 'mutation_id';

create temp table told (
  id uuid, device uuid, stream uuid, seq bigint, name text, outcome text, code text, row uuid, "order" uuid);
"""

_LOST = {
    "acknowledged and not in the log": """
        select t.id, t.name, t.outcome from told t left join mutation_log m on m.id = t.id
        where t.outcome is not null and m.id is null""",
    "acknowledged with another status than the log's": """
        select t.id, t.name, t.outcome, m.status from told t join mutation_log m on m.id = t.id
        where t.outcome is not null and m.status <> t.outcome""",
    "acknowledged without an effect": """
        select t.id, t.name, t.outcome, t.row from told t
        where t.outcome in ('applied', 'merged', 'conflict') and t.name <> 'wo.transition'
          and not exists (select from effect e where e.name = t.name and e.id = t.row)""",
    "applied without its step in the timeline": """
        select t.id, t.name from told t
        where t.outcome = 'applied' and t.name = 'wo.transition'
          and not exists (select from step s where s.mutation = t.id::text)""",
}

_DOUBLED = {
    "in the log more than once": "select id, count(*) from mutation_log group by id having count(*) > 1",
    "stepped more than once": """
        select mutation, action, count(*) from step group by mutation, action having count(*) > 1""",
}

# Only true when every phone has been emptied and the office has heard the end of everything.
_AT_REST_DOUBLED = {
    "in the log and recorded on no phone": """
        select m.id, m.name from mutation_log m
        where m.device_id in (select device from told) and not exists (select from told t where t.id = m.id)""",
    "moved from a phone that recorded no such movement": """
        select s.id from stock_movement s
        where s.device_id in (select device from told) and not exists (select from told t where t.row = s.id)""",
    "stepped for no mutation of its phone": """
        select s.id, s.action from step s
        where s.device_id in (select device from told)
          and not exists (select from told t where t.id::text = s.mutation)""",
}

_WRONG = {
    "quarantined because the server failed": """
        select id, name, result from mutation_log where status = 'quarantined' and code ilike '%server_error%'""",
    "streams with holes": """
        select s.id, s.last_seq, count(m.id) as logged, max(m.seq) as highest
        from sync_stream s left join mutation_log m on m.stream_id = s.id
        group by s.id, s.last_seq having (s.last_seq, s.last_seq) <> (count(m.id), coalesce(max(m.seq), 0))""",
    "balances that are not their ledger's": """
        with replayed as (
            select location, part_id, sum(quantity) as quantity
            from (select to_id as location, part_id, quantity from stock_movement
                  union all select from_id, part_id, -quantity from stock_movement) m
            group by location, part_id)
        select l.name, coalesce(r.part_id, s.part_id), r.quantity as replayed, s.quantity as kept
        from replayed r full join stock s on s.location_id = r.location and s.part_id = r.part_id
        join stock_location l on l.id = coalesce(r.location, s.location_id)
        where l.kind not in ('supplier', 'consumed', 'adjustment')
          and coalesce(r.quantity, 0) <> coalesce(s.quantity, 0)""",
    "parts whose balances and the outside world do not sum to zero": """
        with outside as (
            select part_id, sum(case when t.kind in ('supplier', 'consumed', 'adjustment') then quantity else 0 end
                - case when f.kind in ('supplier', 'consumed', 'adjustment') then quantity else 0 end) as quantity
            from stock_movement m join stock_location t on t.id = m.to_id join stock_location f on f.id = m.from_id
            group by part_id)
        select part_id, o.quantity, sum(s.quantity) from outside o join stock s using (part_id)
        group by part_id, o.quantity having o.quantity + sum(s.quantity) <> 0""",
    "event positions given twice": "select position from event group by position having count(position) > 1",
}

_AT_REST_WRONG = {
    "events without a position": "select id, name, at from event where position is null",
    "jobs that never ended": """
        select id, task_name, status, attempts, args from procrastinate_jobs where status in ('failed', 'aborting')""",
}

# A job put off until much later is nobody's debt; one waiting for its next try is.
_PENDING = """
select 'event ' || name as what from event where position is null
union all
select status || ' job ' || task_name || ' after ' || attempts || ' attempts' from procrastinate_jobs
where status in ('todo', 'doing') and coalesce(scheduled_at < now() + interval '10 minutes', true)
"""


class Auditor:
    """Reads as the database's superuser, whom no row policy applies to."""

    def __init__(self, database_url: str, blobs: Path) -> None:
        self._url, self._blobs = database_url, blobs
        self._checked: set[str] = set()

    def pending(self) -> list[str]:
        """Events not yet numbered and jobs not yet done."""
        with psycopg.connect(self._url) as connection:
            return [what for (what,) in connection.execute(_PENDING)]

    async def until_quiet(self, patience_s: float) -> None:
        """Wait until the worker has done what followed from everything.

        Raises TimeoutError, with what it has not done, when nothing gets done for so long: a long queue is no fault.
        """
        fewest, until = sys.maxsize, 0.0
        while pending := await asyncio.to_thread(self.pending):
            if len(pending) < fewest:
                fewest, until = len(pending), time.monotonic() + patience_s
            elif time.monotonic() > until:
                raise TimeoutError(f"for {patience_s:.0f} s nothing has become of {pending[:_NAMED]}")
            await asyncio.sleep(0.3)

    def audit(self, mutations: Sequence[Told], files: Iterable[tuple[str, int]], *, at_rest: bool) -> Findings:
        found = Findings()
        with psycopg.connect(self._url, row_factory=dict_row) as connection:
            connection.execute(_EFFECTS)
            with connection.cursor() as cursor, cursor.copy("copy told from stdin") as copy:
                for it in mutations:
                    copy.write_row(list(vars(it).values()))
            connection.execute("analyze told")
            _look(connection, _LOST, found.lost)
            _look(connection, _DOUBLED | (_AT_REST_DOUBLED if at_rest else {}), found.doubled)
            _look(connection, _WRONG | (_AT_REST_WRONG if at_rest else {}), found.wrong)
            ready = {row["sha256"] for row in connection.execute("select sha256 from blob where state = 'ready'")}
        found.lost += [sentence for sha, size in files for sentence in self._missing(sha, size, sha in ready)]
        if at_rest:
            found.lost += [f"{it.name} {it.id} was never answered" for it in mutations if it.outcome is None]
        return found

    def _missing(self, sha256: str, size: int, ready: bool) -> list[str]:
        if not ready:
            return [f"file {sha256} was confirmed and is not ready in the database"]
        if sha256 in self._checked:
            return []
        kept = [path for path in self._blobs.rglob(sha256) if "partial" not in path.parts]
        if not kept:
            return [f"file {sha256} was confirmed and is not in the store"]
        content = kept[0].read_bytes()
        if len(content) != size or hashlib.sha256(content).hexdigest() != sha256:
            return [f"file {sha256} was confirmed and has other bytes"]
        self._checked.add(sha256)
        return []

    def office(self, before: "Baseline", orders: Sequence[Answered], movements: Sequence[Answered]) -> Findings:
        """Whether what the office made is exactly what it was told that it made."""
        found, now = Findings(), self.baseline()
        for kind, answered, there in (
            ("order", orders, now.orders - before.orders),
            ("movement", movements, now.movements - before.movements),
        ):
            known = {one.answer["id"] for one in answered}
            found.lost += [f"{kind} {missing} was acknowledged and is not there" for missing in known - there]
            found.doubled += [f"{kind} {more} is there and nobody was told" for more in there - known]
        return found

    def baseline(self) -> "Baseline":
        with psycopg.connect(self._url) as connection:
            orders = connection.execute("select id::text from work_order where channel <> 'field'").fetchall()
            moved = connection.execute("select id::text from stock_movement where device_id is null").fetchall()
        return Baseline({order for (order,) in orders}, {movement for (movement,) in moved})

    def answer(self, sql: str) -> list[Json]:
        with psycopg.connect(self._url, row_factory=dict_row) as connection:
            return connection.execute(sql.encode()).fetchall()


@dataclass(frozen=True)
class Baseline:
    """What the office had before: orders that did not come from the field, movements that did not either."""

    orders: set[str]
    movements: set[str]


def _look(connection: psycopg.Connection[Json], questions: dict[str, str], into: list[str]) -> None:
    for what, question in questions.items():
        rows = connection.execute(question.encode()).fetchall()
        into += [f"{what}: {json.dumps(row, default=str)}" for row in rows[:_NAMED]]
        into += [f"{what}: and {len(rows) - _NAMED} more"] if len(rows) > _NAMED else []
