"""The invariants, looked at from outside: with a superuser's eyes and plain SQL, past what the server believes."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from server.audit.checking import verify_chain
from server.audit.sealing import seal_everything
from server.sync.registry import Registry
from tests.soak.acts import _AFTER as _AFTER_FIELD
from tests.soak.broken import Broken
from tests.soak.feeds import feeds
from tests.soak.journal import Journal, digest
from tests.soak.office import Office
from tests.soak.phone import Phone
from tests.soak.world import World

type Json = dict[str, Any]

# An order's state after each action: written down again here, so that the server's table is checked and not believed.
_AFTER: Mapping[str, str] = {
    **_AFTER_FIELD,
    "triage": "triaged",
    "schedule": "scheduled",
    "dispatch": "dispatched",
    "unschedule": "triaged",
    "confirm": "closed",
    "close_by_exception": "closed",
    "cancel": "cancelled",
    "reopen": "reopened",
    "suspend": "on_hold",
    "complete_disputed": "completed_disputed",
    "accept_work": "resolved",
    "open": "new",
}
# What a mutation leaves: its table, and what of its arguments must be found there.
_LEAVES: Mapping[str, tuple[str, Callable[[Json], Json]]] = {
    "note.add": ("note", lambda args: {"body": args["body"], "work_order_id": args["wo"]}),
    "answer.set": ("checklist_answer", lambda args: {"value": args["value"], "item_id": args["item"]}),
    "time.add": ("time_entry", lambda args: {"kind": args["kind"], "work_order_id": args["wo"]}),
    "time.edit": ("time_entry", lambda args: {"kind": args["kind"]}),
    "time.break": ("time_entry", lambda args: {"kind": "break", "work_order_id": args["wo"]}),
    "time.start": ("time_entry", lambda args: {"kind": args["kind"], "work_order_id": args["wo"]}),
    "time.stop": ("time_entry", lambda args: {"work_order_id": args["wo"]}),
    "cost.add": ("cost", lambda args: {"amount_minor": args["amount_minor"], "kind": args["kind"]}),
    "photo.add": ("photo", lambda args: {"sha256": args["sha256"], "work_order_id": args["wo"]}),
    "signature.capture": ("signature", lambda args: {"rating": args["rating"], "work_order_id": args["wo"]}),
    "part.use": ("stock_movement", lambda args: _movement(args, "used")),
    "part.return": ("stock_movement", lambda args: _movement(args, "returned")),
    "part.reverse": ("stock_movement", lambda args: {"reverses_id": args["movement"], "why": args["why"]}),
    "part.transfer": ("stock_movement", lambda args: _movement(args, "sent")),
    "part.receive": ("stock_movement", lambda args: _movement(args, "received")),
    "part.count": ("stock_count", lambda args: {"quantity": float(args["quantity"]), "part_id": args["part"]}),
    "wo.follow_up": ("work_order", lambda args: {"title": args["title"]}),
    "soak.poison": ("note", lambda _args: {}),
}
_COUNTED = ("note", "checklist_answer", "time_entry", "cost", "photo", "signature", "stock_movement", "stock_count")
# What a count found wrong is booked by the server itself, as often as later news of earlier acts ask for it.
# Somebody else, or the same person's other phone, said the same under another id.
_TOLD_BEFORE = frozenset({"ALREADY_RECEIVED", "ALREADY_REVERSED"})
_CLOSE = timedelta(minutes=10)
_BOOKED_BY_COUNTS = "and reason <> 'counted'"
# What a person may see, said once more and in other words than the server's.
_SCOPE = """
    with mine as (
        select o.* from work_order o where o.org_id = %(org)s and o.voided_at is null and exists (
            select from visit v where v.work_order_id = o.id and v.engineer_id = %(person)s and (
                v.state in ('planned', 'dispatched', 'accepted', 'travelling', 'on_site', 'working', 'paused',
                            'suspended')
                or v.state in ('completed', 'interrupted') and v.finished_at + interval '48 hours' > %(now)s)))
    select key from sync_bucket where org_id = %(org)s and key in (
        select 'wo:' || id from mine
        union select unnest(array['site:' || site_id, 'history:' || site_id, 'customer:' || customer_id]) from mine
        union select 'van:' || id from stock_location
              where org_id = %(org)s and kind = 'van' and person_id = %(person)s
        union select unnest(array['user:' || %(person)s, 'catalog:parts', 'catalog:procedures']))
"""
# A closed order's history line is only renewed when the order itself is touched: these may be older.
_MAY_LAG = {"history": {"notes", "rating", "visits", "parts"}}


def _movement(args: Json, reason: str) -> Json:
    return {"quantity": float(args["quantity"]), "part_id": args["part"], "reason": reason}


class Checks:
    def __init__(self, world: World, journal: Journal, office: Office) -> None:
        self._world, self._journal, self._office = world, journal, office
        self._registry: Registry = world.services.registry
        self._feeds = feeds()
        self._seen: dict[UUID, int] = {}  # stream → the last of its mutations that was checked
        self._versions: dict[str, int] = {}
        self._told: set[tuple[int, str, int]] = set()
        self._before = {table: self._count(table) for table in _COUNTED}
        self._expected: Counter[str] = Counter()
        self._timers: set[str] = set()
        self._timeline = ""
        self.statuses: Counter[str] = Counter()
        self.mutations = 0
        self.devices_compared = 0
        self.rows_compared = 0
        self.sealed = 0

    # -- I1, I2: the log and its effects ---------------------------------------------------------------------------

    def log(self) -> None:
        """I1: what is new in the log was recorded by somebody, exactly so, once. I2: it has its effect, once."""
        fresh = self._rows(
            """
            select l.id, l.stream_id, l.seq, l.name, l.status, l.code, l.envelope
            from sync_stream s
            left join unnest(%(streams)s::uuid[], %(seqs)s::bigint[]) as known (id, seq) on known.id = s.id
            join mutation_log l on l.org_id = s.org_id and l.stream_id = s.id and l.seq > coalesce(known.seq, 0)
            where s.org_id = %(org)s and s.last_seq > coalesce(known.seq, 0)
            order by l.stream_id, l.seq
            """,
            streams=list(self._seen),
            seqs=list(self._seen.values()),
        )
        for row in fresh:
            self._seen[row["stream_id"]] = max(self._seen.get(row["stream_id"], 0), row["seq"])
            self._logged(row)
        self._effects(fresh)

    def _logged(self, row: Json) -> None:
        mutation, sent = str(row["id"]), _as_sent(row["envelope"])
        if (entry := self._journal.settled(mutation)) is None:
            raise Broken(
                "I1", f"the log has {row['name']} {mutation}, which nobody recorded or which it has had before"
            )
        if entry.digest != digest(sent["name"], sent["args"]):
            raise Broken("I1", f"{row['name']} {mutation} is not kept as it was recorded")
        rescued = row["code"] == "AFTER_REVOCATION"
        gone = row["code"] == "ENTITY_GONE" and sent["args"].get("wo") in self._office.voided
        failed = row["code"] == "SERVER_ERROR" and row["name"] != "soak.poison"
        if failed or not (gone or rescued or row["status"] in entry.allowed):
            raise Broken("I2", f"{row['name']} {mutation} ended as {row['status']} {row['code']}: {sent['args']}")
        self.mutations += 1
        self.statuses[f"{row['status']} {row['code'] or ''}".strip()] += 1

    def _effects(self, fresh: Iterable[Json]) -> None:
        by_table: defaultdict[str, list[tuple[Json, Json, Callable[[Json], Json]]]] = defaultdict(list)
        for row in fresh:
            args = _as_sent(row["envelope"])["args"]
            if row["name"] in _LEAVES and _is_uuid(args.get("id")) and row["code"] not in _TOLD_BEFORE:
                table, content = _LEAVES[row["name"]]
                by_table[table].append((row, args, content))
            if row["name"] == "time.break":  # ends a timer besides
                by_table["time_entry"].append((row, {"id": args["timer"]}, lambda _: {}))
        self._words(fresh)
        for table, left in by_table.items():
            found = {
                str(it["id"]): it
                for it in self._rows(
                    f"select * from {table} where id = any(%(ids)s)", ids=[a["id"] for _, a, _ in left]
                )
            }
            for row, args, content in left:
                self._effect(table, row, found.get(args["id"]), content(args))

    def _effect(self, table: str, row: Json, found: Json | None, content: Json) -> None:
        if row["status"] == "quarantined":
            # A stop may be refused where its start was not.
            if found is not None and str(found["id"]) not in self._timers:
                raise Broken(
                    "I2", f"{row['name']} {row['id']} is in quarantine and has its effect in {table} all the same"
                )
            return
        # A start and a stop make one entry, whichever of them is missing.
        timer = str(found["id"]) if row["name"] in {"time.start", "time.stop", "time.break"} and found else ""
        self._expected[table] += timer not in self._timers
        self._timers |= {timer} - {""}
        if found is None:
            raise Broken("I2", f"{row['name']} {row['id']} is {row['status']} and left nothing in {table}")
        wrong = {name: found[name] for name, value in content.items() if _plain(found[name]) != value}
        if wrong:
            raise Broken("I2", f"{row['name']} {row['id']} left {wrong} in {table} instead of {content}")

    def _words(self, fresh: Iterable[Json]) -> None:
        """I2: what a person wrote beside a step, or into a text, is to be found again, once."""
        for row in fresh:
            args = _as_sent(row["envelope"])["args"]
            if row["status"] != "quarantined" and row["name"] == "wo.transition" and args.get("note"):
                self._note_of_step(row, args["note"])
            if row["status"] != "quarantined" and row["name"] == "text.edit":
                marks = {word for word in args["new"].split(" ") if word.startswith("#")}
                kept = self._rows("select body from text_revision where work_order_id = %(wo)s", wo=args["wo"])
                if lost := marks - {word for text in kept for word in text["body"].split(" ")}:
                    raise Broken("I2", f"text.edit {row['id']} lost {lost}")

    def _note_of_step(self, row: Json, note: str) -> None:
        found = self._rows("select count(*) as n from note where org_id = %(org)s and body = %(body)s", body=note)[0][
            "n"
        ]
        self._expected["note"] += found
        if row["status"] == "conflict" and found == 0:
            found = self._rows(
                "select count(*) as n from conflict where mutation_id = %(id)s and mine ->> 'note' = %(body)s",
                id=row["id"],
                body=note,
            )[0]["n"]
        if found != 1:
            raise Broken("I2", f"the note of {row['name']} {row['id']} ({row['status']}) is there {found} times")

    def totals(self) -> None:
        """I2: there is nothing in the tables but what the log, the office and the beginning account for."""
        self._expected["note"] += self._office.notes
        self._expected["stock_movement"] += self._office.moves
        self._expected["stock_count"] += self._office.counts
        self._office.notes = self._office.moves = self._office.counts = 0
        for table in _COUNTED:
            there, expected = self._count(table), self._before[table] + self._expected[table]
            if there != expected:
                raise Broken("I2", f"{table} has {there} rows, {expected} are accounted for")

    def states(self) -> None:
        """I2: the history of each order leads step by step from its beginning to its present state."""
        fresh = self._rows(
            """
            select h.id, h.work_order_id, h.action, h.from_state, h.to_state, o.state,
                   h.facts ->> 'mutation_id' as mutation
            from timeline_entry h join work_order o on (o.org_id, o.id) = (h.org_id, h.work_order_id)
            where h.org_id = %(org)s and h.to_state is not null and h.work_order_id in (
                select work_order_id from timeline_entry where org_id = %(org)s and id::text > %(after)s)
            order by h.work_order_id, h.id
            """,
            after=self._timeline,
        )
        at: dict[UUID, str | None] = {}
        mutations: set[str] = set()
        for step in fresh:
            self._timeline = max(self._timeline, str(step["id"]))
            if step["from_state"] != at.get(step["work_order_id"]) or step["to_state"] != _AFTER[step["action"]]:
                raise Broken("I2", f"order {step['work_order_id']} stood at {at.get(step['work_order_id'])}: {step}")
            if step["mutation"] in mutations:
                raise Broken("I2", f"mutation {step['mutation']} moved an order twice")
            mutations |= {step["mutation"]} - {None}
            at[step["work_order_id"]] = step["to_state"]
        for step in fresh:
            if step["state"] != at[step["work_order_id"]]:
                raise Broken("I2", f"order {step['work_order_id']} is {step['state']}, its history says otherwise")

    def told(self, phone: Phone) -> None:
        """I1: what the phone was told is what the log says."""
        answered = [it for it in phone.device.outbox.everything() if it.status is not None]
        fresh = [it for it in answered if (phone.number, it.stream, it.seq) not in self._told]
        logged = {
            str(row["id"]): row
            for row in self._rows(
                "select id, stream_id, seq, status, result from mutation_log where id = any(%(ids)s)",
                ids=[it.id for it in fresh],
            )
        }
        for it in fresh:
            row = logged.get(it.id)
            if row is None:
                raise Broken("I1", f"{phone.name} was told {it.status} for {it.id}, which the log lacks")
            result = it.result or {}
            if it.status == "duplicate":
                first = {"stream": str(row["stream_id"]), "seq": row["seq"], "status": row["status"]}
                same = result.get("first") == first
            else:
                same = row["result"] == result and row["status"] == it.status
            if not same:
                raise Broken("I1", f"{phone.name} was told {result} for {it.id}, the log says {row}")
            self._told.add((phone.number, it.stream, it.seq))

    # -- I3: phones ------------------------------------------------------------------------------------------------

    def same_as_scope(self, phone: Phone) -> None:
        """I3: the phone, fresh from a whole pull, holds exactly what plain SQL says its person may see."""
        keys = self._scope(phone.person)
        held = {key for (key,) in phone.device._store.all("select key from bucket where leaving = 0")}
        if held != keys:
            raise Broken("I3", f"{phone.name} lacks buckets {keys - held} and has {held - keys} too many")
        there = self._rows_in_scope(keys)
        here = {
            (bucket, entity, row_id): json.loads(data)
            for bucket, entity, row_id, data in phone.device._store.all(
                "select b.bucket, b.entity, b.id, b.data from base b join bucket k on k.key = b.bucket "
                "where k.leaving = 0"
            )
        }
        if there.keys() != here.keys():
            lacking, surplus = there.keys() - here.keys(), here.keys() - there.keys()
            raise Broken("I3", f"{phone.name} lacks {sorted(lacking)[:5]} and has {sorted(surplus)[:5]} too many")
        for key, row in there.items():
            lag = _MAY_LAG.get(key[1], set())
            if {k: v for k, v in row.items() if k not in lag} != {k: v for k, v in here[key].items() if k not in lag}:
                raise Broken("I3", f"{phone.name} shows {here[key]} for {key}, it is {row}")
        self.devices_compared += 1
        self.rows_compared += len(there)

    def _scope(self, person: str) -> set[str]:
        found = self._rows(_SCOPE, person=person, now=self._world.clock.now())
        return {row["key"] for row in found}

    def _rows_in_scope(self, keys: set[str]) -> dict[tuple[str, str, str], Json]:
        found: dict[tuple[str, str, str], Json] = {}
        prefixes = {key.split(":")[0] + ":" for key in keys}
        for feed in self._feeds:
            projection = self._registry.projections.get(feed.entity)
            if projection is None or (feed.column and feed.prefix not in prefixes):
                continue
            placed = {
                row["id"]: row["bucket"]
                for row in self._rows(
                    f"select t.{feed.id} as id, {feed.bucket} as bucket from {feed.table} t "
                    f"where t.org_id = %(org)s and {feed.bucket} = any(%(keys)s)",
                    keys=list(keys),
                )
            }
            for row in self._rows(f"select id, d from ({projection.sql}) p", ids=list(placed)) if placed else []:
                found[placed[row["id"]], projection.name, str(row["id"])] = row["d"]
        return found

    # -- the rest --------------------------------------------------------------------------------------------------

    def ledger(self) -> None:
        """I4: what one location lost another gained; every kept balance is its movements played again."""
        drifted = self._rows(
            """
            select coalesce(s.location_id, m.location_id) as place, s.quantity, m.quantity as played
            from (select * from stock where org_id = %(org)s) s
            full join (
                select location_id, part_id, sum(quantity) as quantity from (
                    select to_id as location_id, part_id, quantity from stock_movement where org_id = %(org)s
                    union all select from_id, part_id, -quantity from stock_movement where org_id = %(org)s) ends
                where location_id in (select id from stock_location where org_id = %(org)s
                                      and kind in ('warehouse', 'van', 'quarantine'))
                group by location_id, part_id) m
              on (m.location_id, m.part_id) = (s.location_id, s.part_id)
            where coalesce(s.quantity, 0) <> coalesce(m.quantity, 0)
            """
        )
        if drifted:
            raise Broken("I4", f"balances drifted: {drifted[:3]}")

    def shelves(self) -> None:
        """I4: on a shelf lies what its last count found and what came and went since, however late it was told."""
        told = self._rows(
            """
            select end_.place, m.part_id, end_.change, m.at, coalesce(u.stream_id, m.stream_id) as stream,
                   coalesce(u.seq, m.seq) as seq
            from stock_movement m left join stock_movement u on u.id = m.reverses_id
            cross join lateral (values (m.to_id, m.quantity), (m.from_id, -m.quantity)) end_ (place, change)
            where m.org_id = %(org)s and m.reason <> 'counted'
            """
        )
        last = self._rows(
            """
            select distinct on (c.location_id, c.part_id) c.location_id, c.part_id, c.quantity, c.at,
                   c.stream_id as stream, c.seq, s.quantity as there
            from stock_count c join stock s using (org_id, location_id, part_id)
            where c.org_id = %(org)s order by c.location_id, c.part_id, c.at desc, c.id desc
            """
        )
        for count in last:
            shelf = (count["location_id"], count["part_id"])
            since = sum(it["change"] for it in told if (it["place"], it["part_id"]) == shelf and not _found(it, count))
            if count["quantity"] + since != count["there"]:
                raise Broken("I4", f"{count} was counted and {since} came since")

    def versions(self) -> None:
        """I7: a bucket's version never falls, and nothing in a bucket is newer than the bucket."""
        for row in self._rows("select key, version from sync_bucket where org_id = %(org)s"):
            if row["version"] < self._versions.get(row["key"], 0):
                raise Broken("I7", f"{row['key']} fell from {self._versions[row['key']]} to {row['version']}")
            self._versions[row["key"]] = row["version"]
        ahead = self._rows(
            "select b.key from sync_entry e join sync_bucket b on b.id = e.bucket_id "
            "where b.org_id = %(org)s and e.bv > b.version limit 3"
        )
        if ahead:
            raise Broken("I7", f"entries are newer than their bucket: {ahead}")

    def files(self, phones: Iterable[Phone]) -> None:
        """I6, at rest: a photo without bytes is one no phone has any more, and its author is asked for it."""
        missing = self._rows(
            """
            select f.sha256, f.author_id from photo f where f.org_id = %(org)s and f.hidden_why is null
              and f.at > %(now)s::timestamptz - interval '90 days'
              and not exists (select from blob b where (b.org_id, b.sha256, b.state) = (f.org_id, f.sha256, 'ready'))
            """,
            now=self._world.clock.now(),
        )
        held = {sha for phone in phones for sha in phone.device.files.hashes()}
        asked: dict[UUID, set[str]] = {}
        for row in missing:
            if row["author_id"] not in asked:
                union = " union ".join(self._registry.files)
                found = self._rows(union, person=row["author_id"], now=self._world.clock.now())
                asked[row["author_id"]] = {line["sha256"] for line in found}
            if row["sha256"] not in asked[row["author_id"]]:
                raise Broken("I6", f"photo {row['sha256']} has no bytes and nobody asks for them")
            if row["sha256"] in held:
                raise Broken("I6", f"photo {row['sha256']} has no bytes on the server though a phone still has them")

    def nothing_missing(self) -> None:
        """I1, at rest: everything that some phone still had has arrived."""
        if missing := self._journal.missing():
            raise Broken("I1", f"{len(missing)} mutations never arrived, the first {missing[:3]}")

    async def chain(self) -> None:
        """I5: all that is evidence is sealed, and the chain recomputes."""
        services = self._world.services
        await seal_everything(services.database)
        found = await verify_chain(services.database, services.blobs, self._world.org, files=False)
        if found.faults:
            raise Broken("I5", f"the audit chain does not verify: {found.faults[:3]}")
        self.sealed = found.checked

    def everything(self) -> None:
        """What can be looked at while phones are out."""
        self.log()
        self.totals()
        self.states()
        self.ledger()
        self.shelves()
        self.versions()

    def _count(self, table: str) -> int:
        only = _BOOKED_BY_COUNTS if table == "stock_movement" else ""
        return int(self._rows(f"select count(*) as n from {table} where org_id = %(org)s {only}")[0]["n"])

    def _rows(self, sql: str, **params: object) -> list[Json]:
        with self._world.admin.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(sql, {"org": self._world.org, **params}).fetchall()


def _found(moved: Json, count: Json) -> bool:
    """Whether a count already found what a movement left: one outbox's own order goes before two close estimates."""
    same = moved["stream"] is not None and moved["stream"] == count["stream"] and moved["seq"] != count["seq"]
    if same and abs(count["at"] - moved["at"]) < _CLOSE:
        return bool(moved["seq"] < count["seq"])
    return bool(moved["at"] <= count["at"])


def _as_sent(envelope: Json) -> Json:
    """The mutation itself; one no column could hold is kept as text."""
    return dict(json.loads(envelope["json"]) if set(envelope) == {"json"} else envelope)


def _is_uuid(value: object) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True


def _plain(value: Any) -> Any:
    match value:
        case UUID():
            return str(value)
        case bool() | int() | float() | str() | None:
            return value
        case _ if hasattr(value, "as_tuple"):
            return float(value)
    return value
