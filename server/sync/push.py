"""Taking in a batch of mutations.

The stream's row is locked first, so two copies of a batch run one after the other and the second finds everything
stored. Mutations run in groups, each group in one savepoint: nearly always all of them succeed. When one doesn't,
its group is undone and run again with a savepoint for each, so whatever becomes of one touches no other. The log is
written in the same transaction as the effects, and the queue goes on.
"""

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg

from server.core import limits
from server.core.db import Database, UnitOfWork
from server.core.errors import Kind, Problem
from server.core.logging import logger, trace_id
from server.identity.domain import Actor
from server.sync import queries
from server.sync.domain import Disagreement, Mutation, Occurrence, Outcome, Status
from server.sync.envelope import Batch, Envelope, Sent, occurrence
from server.sync.errors import (
    DependsOn,
    EpochChanged,
    InvalidArguments,
    SeqGap,
    ServerError,
    StreamForked,
    StreamNotYours,
)
from server.sync.registry import Registry

log = logger(__name__)

MAX_MUTATIONS = 100
_BATCH_TRIES = 5
_MUTATION_TRIES = 3
_GROUP = 25
# A batch that takes longer is committed in several transactions: nobody waits long for the rows it holds.
_TRANSACTION_SECONDS = 0.25
# Worth running the whole batch again; every other database trouble is the caller's 503.
_TRANSIENT = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
# The log refuses a mutation that arrives through two streams at once: the second try finds it there.
_WORTH_ANOTHER_TRY = (*_TRANSIENT, psycopg.errors.UniqueViolation)

# Far above what a person records; an outbox of many weeks still goes through at once.
_RATE = limits.Rate(times=200, per=timedelta(seconds=1), burst=50_000)

type Result = dict[str, Any]


@dataclass(frozen=True)
class Receipt:
    last_seq: int
    durable_seq: int
    epoch: int
    results: Sequence[Result]


@dataclass(frozen=True)
class _Taken:
    """What one transaction settled: the first mutations of a batch."""

    stream: queries.Stream
    results: Sequence[Result]


async def push(database: Database, registry: Registry, actor: Actor, batch: Batch) -> Receipt:
    """Apply a batch exactly once and answer one result per mutation, in order.

    Raises SeqGap, StreamForked, EpochChanged, StreamNotYours, TooManyRequests (nothing is applied of the rest then);
    deadlocks are retried.
    """
    if batch.device != actor.device:
        raise StreamNotYours
    results: list[Result] = []
    while True:
        rest = replace(batch, mutations=batch.mutations[len(results) :])
        taken = await _retried(database, registry, actor, rest)
        results += taken.results
        if len(results) == len(batch.mutations):
            return Receipt(taken.stream.last_seq, taken.stream.durable_seq, taken.stream.epoch, results)


async def _retried(database: Database, registry: Registry, actor: Actor, batch: Batch) -> _Taken:
    for _ in range(_BATCH_TRIES - 1):
        try:
            return await _in_one_transaction(database, registry, actor, batch)
        except _WORTH_ANOTHER_TRY as clash:
            log.info("batch retried", why=type(clash).__name__)
    return await _in_one_transaction(database, registry, actor, batch)


async def _in_one_transaction(database: Database, registry: Registry, actor: Actor, batch: Batch) -> _Taken:
    async with database.unit_of_work(actor.org) as uow:
        stream = await queries.lock_stream(uow, stream=batch.stream, device=batch.device, person=actor.person)
        if (stream.device_id, stream.person_id) != (batch.device, actor.person):
            raise StreamNotYours
        if batch.acked > stream.last_seq:
            raise EpochChanged(last_seq=stream.last_seq, epoch=stream.epoch)
        known = await _known(uow, batch)
        _check_order(batch, stream.last_seq, known)
        if new := sum(sent.envelope.seq > stream.last_seq for sent in batch.mutations):
            await limits.take(uow, f"push:{batch.device}", _RATE, cost=new)
        engine = _Engine(uow, registry, actor, batch, await _clock_offsets(uow, batch))
        results: list[Result] = []
        until = time.monotonic() + _TRANSACTION_SECONDS
        for group in itertools.batched(batch.mutations, _GROUP):
            results += await _settle(engine, group, stream.last_seq, known)
            if time.monotonic() > until:
                break
        await engine.write_log()
        last_seq = max([stream.last_seq, *(result["seq"] for result in results)])
        await queries.advance_stream(
            uow,
            batch.stream,
            last_seq,
            device=batch.device,
            at=batch.received_at,
            boot=batch.clock.boot,
            ahead=batch.received_at - batch.clock.now,
        )
        return _Taken(replace(stream, last_seq=last_seq), results)


async def _clock_offsets(uow: UnitOfWork, batch: Batch) -> Mapping[str, timedelta]:
    """Answer what is known of the device's clock, if the batch holds acts of an earlier boot."""
    now = batch.clock.boot
    earlier = any(sent.envelope.boot not in {None, now} for sent in batch.mutations)
    return await queries.clock_offsets(uow, batch.device) if earlier else {}


async def _settle(engine: "_Engine", group: Sequence[Sent], last_seq: int, known: "_Known") -> list[Result]:
    """Answer a result for each: what was stored earlier, and for the rest what becomes of them now."""
    earlier = {sent.envelope.seq: _earlier_result(engine.batch.stream, sent, last_seq, known) for sent in group}
    fresh: dict[UUID, Sent] = {}
    for sent in group:
        if earlier[sent.envelope.seq] is not None:
            continue
        if sent.envelope.id in fresh or sent.envelope.id in engine.taken:
            earlier[sent.envelope.seq] = _twice_in_batch(sent)
        else:
            fresh[sent.envelope.id] = sent
    results = {result["seq"]: result for result in await engine.take_in(list(fresh.values()))}
    return [earlier[sent.envelope.seq] or results[sent.envelope.seq] for sent in group]


@dataclass(frozen=True)
class _Known:
    """What the log holds already: of this stream by seq, of any stream by id."""

    by_seq: Mapping[int, queries.Stored]
    by_id: Mapping[UUID, queries.Stored]


async def _known(uow: UnitOfWork, batch: Batch) -> _Known:
    seqs = [sent.envelope.seq for sent in batch.mutations]
    before = [seqs[0] - 1] if seqs else []
    found = await queries.stored(
        uow, stream=batch.stream, seqs=before + seqs, ids=[sent.envelope.id for sent in batch.mutations]
    )
    return _Known({row.seq: row for row in found if row.stream_id == batch.stream}, {row.id: row for row in found})


def _check_order(batch: Batch, last_seq: int, known: _Known) -> None:
    """Refuse gaps and forks before anything is applied."""
    expected = None
    previous_hash = None
    for sent in batch.mutations:
        seq = sent.envelope.seq
        if seq > (last_seq + 1 if expected is None else expected) or (expected is not None and seq < expected):
            raise SeqGap(expected=last_seq + 1 if expected is None else expected)
        if seq <= last_seq:
            _check_same(sent, known)
        before = known.by_seq.get(seq - 1)
        follows = previous_hash or (before.payload_hash if before else None)
        if sent.envelope.prev and follows and sent.envelope.prev != follows:
            raise StreamForked(seq=seq)
        previous_hash, expected = sent.payload_hash, seq + 1


def _check_same(sent: Sent, known: _Known) -> None:
    stored = known.by_seq.get(sent.envelope.seq)
    if stored is None:
        # The place was taken by a mutation already known under another stream, which has no row here.
        if known.by_id.get(sent.envelope.id) is None:
            raise StreamForked(seq=sent.envelope.seq)
    elif (stored.id, stored.payload_hash) != (sent.envelope.id, sent.payload_hash):
        raise StreamForked(seq=sent.envelope.seq)


def _earlier_result(stream: UUID, sent: Sent, last_seq: int, known: _Known) -> Result | None:
    """Answer the stored result of a replay, or what another stream got for the same mutation."""
    stored = known.by_id.get(sent.envelope.id)
    if stored is None:
        return None
    if stored.stream_id == stream and sent.envelope.seq <= last_seq:
        return stored.result
    first = {"stream": str(stored.stream_id), "seq": stored.seq, "status": stored.result["status"]}
    return {"seq": sent.envelope.seq, "id": str(sent.envelope.id), "status": Status.DUPLICATE, "first": first}


def _twice_in_batch(sent: Sent) -> Result:
    return {"seq": sent.envelope.seq, "id": str(sent.envelope.id), "status": Status.DUPLICATE}


class _Engine:
    """One transaction's work: runs mutations, collects what the log will say of them, writes it at the end."""

    def __init__(
        self, uow: UnitOfWork, registry: Registry, actor: Actor, batch: Batch, offsets: Mapping[str, timedelta]
    ) -> None:
        self.batch = batch
        self._offsets = offsets
        self.taken: set[UUID] = set()
        self._uow = uow
        self._registry = registry
        self._actor = actor
        self._rows: list[dict[str, Any]] = []
        self._conflicts: list[tuple[UUID, UUID, Disagreement]] = []

    async def take_in(self, group: Sequence[Sent]) -> list[Result]:
        """Run mutations that are new here, in order."""
        outcomes = await self._all_together(group)
        if outcomes is None:
            return [self._noted(sent, await self._alone(sent)) for sent in group]
        return [self._noted(sent, outcome) for sent, outcome in zip(group, outcomes, strict=True)]

    async def write_log(self) -> None:
        await queries.log_mutations(self._uow, self._rows)
        await queries.insert_conflicts(self._uow, self._conflicts)

    async def _all_together(self, group: Sequence[Sent]) -> list[Outcome] | None:
        """Answer None, and leave no trace, when any of them fails."""
        try:
            async with self._uow.savepoint():
                return [await self._handled(sent) for sent in group]
        except (*_TRANSIENT, psycopg.OperationalError):
            raise
        except Exception:  # noqa: BLE001 - whatever it was, each alone will tell
            return None

    async def _alone(self, sent: Sent) -> Outcome:
        """Run one in a savepoint of its own; a refusal quarantines, an unexpected failure does after a few tries."""
        for attempt in range(1, _MUTATION_TRIES + 1):
            try:
                async with self._uow.savepoint():
                    return await self._handled(sent)
            except Problem as problem:
                return await self._refused(sent, problem)
            except (*_TRANSIENT, psycopg.OperationalError):
                raise
            except Exception:
                log.exception("mutator failed", mutation=str(sent.envelope.id), attempt=attempt)
        return _quarantined(ServerError(trace=trace_id.get()))

    async def _handled(self, sent: Sent) -> Outcome:
        if sent.unreadable is not None:
            raise InvalidArguments(why=sent.unreadable)
        mutator, args = self._registry.lifted(sent.envelope.name, sent.envelope.v, sent.envelope.args)
        return await mutator.run(self._uow, self._actor, self._mutation(sent), args)

    async def _refused(self, sent: Sent, problem: Problem) -> Outcome:
        """Quarantine it; if what it is about was to be made by one that waits there already, say so."""
        needs = self._registry.needs(sent.envelope.name)
        needed = sent.envelope.args.get(needs) if needs else None
        if problem.kind in {Kind.GONE, Kind.NOT_FOUND} and isinstance(needed, str):
            waiting = self._quarantined_here(needed) or await queries.quarantined_maker(self._uow, needed)
            if waiting is not None:
                return _quarantined(DependsOn(mutation=waiting))
        return _quarantined(problem)

    def _quarantined_here(self, made: str) -> UUID | None:
        for row in self._rows:
            if row["status"] == Status.QUARANTINED and row["envelope"].get("args", {}).get("id") == made:
                return UUID(row["id"])
        return None

    def _mutation(self, sent: Sent) -> Mutation:
        envelope = sent.envelope
        return Mutation(
            id=envelope.id,
            seq=envelope.seq,
            name=envelope.name,
            v=envelope.v,
            base=envelope.base,
            device=self.batch.device,
            stream=self.batch.stream,
            occurrence=self._when(envelope),
            place={"lon": envelope.geo.lon, "lat": envelope.geo.lat} if envelope.geo else None,
        )

    def _when(self, envelope: Envelope) -> Occurrence:
        return occurrence(envelope, self.batch.clock, self.batch.received_at, self._offsets)

    def _noted(self, sent: Sent, outcome: Outcome) -> Result:
        """Answer the result and remember the line for the log."""
        envelope = sent.envelope
        when = self._when(envelope)
        result: Result = {"seq": envelope.seq, "id": str(envelope.id), "status": outcome.status}
        if outcome.code:
            result["code"] = outcome.code
        if outcome.facts:
            result["facts"] = dict(outcome.facts)
        if flags := [*when.flags, *outcome.flags]:
            result["flags"] = flags
        if outcome.disagreement:
            conflict = self._uow.new_id()
            result["conflict"] = str(conflict)
            self._conflicts.append((conflict, envelope.id, outcome.disagreement))
        self.taken.add(envelope.id)
        self._rows.append(
            {
                "id": str(envelope.id),
                "stream_id": str(self.batch.stream),
                "seq": envelope.seq,
                "device_id": str(self.batch.device),
                "person_id": str(self._actor.person),
                "name": envelope.name,
                "v": envelope.v,
                "envelope": sent.kept,
                "payload_hash": sent.payload_hash,
                "status": outcome.status,
                "code": outcome.code,
                "result": result,
                "at_device": when.at_device.isoformat(),
                "at_estimated": when.at.isoformat(),
                "uncertainty_ms": when.uncertainty_ms,
                "received_at": when.received_at.isoformat(),
            }
        )
        return result


def _quarantined(problem: Problem) -> Outcome:
    return Outcome(Status.QUARANTINED, problem.code, {"detail": str(problem)})
