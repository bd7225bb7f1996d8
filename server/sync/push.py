"""Taking in a batch of mutations.

A batch is one transaction. The stream's row is locked first, so two copies of a batch run one after the other and
the second finds everything stored. Each mutation runs in a savepoint of its own: whatever becomes of it is written to
the log in the same transaction as its effects, and the queue goes on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
from pydantic import ValidationError

from server.core.db import Database, UnitOfWork
from server.core.errors import Problem
from server.core.logging import logger, trace_id
from server.identity.domain import Actor
from server.sync import queries
from server.sync.domain import Mutation, Outcome, Status
from server.sync.envelope import Batch, Sent, first_error, occurrence
from server.sync.errors import (
    EpochChanged,
    InvalidArguments,
    SeqGap,
    ServerError,
    StreamForked,
    StreamNotYours,
    UnknownMutation,
)
from server.sync.registry import Registry

log = logger(__name__)

MAX_MUTATIONS = 100
_BATCH_TRIES = 5
_MUTATION_TRIES = 3
# Without a replica or archive to ask, what has survived this long is taken to be in a backup.
_DURABLE_AFTER = timedelta(hours=24)
# Worth running the whole batch again; every other database trouble is the caller's 503.
_TRANSIENT = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)

type Result = dict[str, Any]


@dataclass(frozen=True)
class Receipt:
    last_seq: int
    durable_seq: int
    epoch: int
    results: Sequence[Result]


async def push(database: Database, registry: Registry, actor: Actor, batch: Batch) -> Receipt:
    """Apply a batch exactly once and answer one result per mutation, in order.

    Raises SeqGap, StreamForked, EpochChanged, StreamNotYours (nothing is applied then); deadlocks are retried.
    """
    if batch.device != actor.device:
        raise StreamNotYours
    for _ in range(_BATCH_TRIES - 1):
        try:
            return await _in_one_transaction(database, registry, actor, batch)
        except _TRANSIENT:
            log.info("batch retried after a deadlock")
    return await _in_one_transaction(database, registry, actor, batch)


async def _in_one_transaction(database: Database, registry: Registry, actor: Actor, batch: Batch) -> Receipt:
    async with database.unit_of_work(actor.org) as uow:
        stream = await queries.lock_stream(uow, stream=batch.stream, device=batch.device, person=actor.person)
        if (stream["device_id"], stream["person_id"]) != (batch.device, actor.person):
            raise StreamNotYours
        last_seq: int = stream["last_seq"]
        if batch.acked > last_seq:
            raise EpochChanged(last_seq=last_seq)
        known = await _known(uow, batch)
        _check_order(batch, last_seq, known)
        results: list[Result] = []
        for sent in batch.mutations:
            earlier = _earlier_result(batch.stream, sent, last_seq, known)
            results.append(earlier or await _take_in(uow, registry, actor, batch, sent))
            last_seq = max(last_seq, sent.envelope.seq)
        await queries.advance_stream(uow, batch.stream, last_seq)
        await queries.last_contact(uow, batch.device, batch.received_at)
        durable = await queries.durable_seq(uow, batch.stream, batch.received_at - _DURABLE_AFTER)
        return Receipt(last_seq, durable, await queries.epoch(uow), results)


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


async def _take_in(uow: UnitOfWork, registry: Registry, actor: Actor, batch: Batch, sent: Sent) -> Result:
    envelope = sent.envelope
    when = occurrence(envelope, batch.clock, batch.received_at)
    mutation = Mutation(
        id=envelope.id,
        seq=envelope.seq,
        name=envelope.name,
        v=envelope.v,
        base=envelope.base,
        device=batch.device,
        occurrence=when,
        place={"lon": envelope.geo.lon, "lat": envelope.geo.lat} if envelope.geo else None,
    )
    if sent.unreadable is None:
        outcome = await _run(uow, registry, actor, mutation, envelope.args)
    else:
        outcome = _quarantined(InvalidArguments(why=sent.unreadable))
    result: Result = {"seq": envelope.seq, "id": str(envelope.id), "status": outcome.status}
    if outcome.code:
        result["code"] = outcome.code
    if outcome.facts:
        result["facts"] = dict(outcome.facts)
    if when.clock_future:
        result["flags"] = ["CLOCK_FUTURE"]
    conflict_id = uow.new_id() if outcome.disagreement else None
    if conflict_id:
        result["conflict"] = str(conflict_id)
    await queries.log_mutation(
        uow,
        id=envelope.id,
        stream=batch.stream,
        seq=envelope.seq,
        device=batch.device,
        person=actor.person,
        name=envelope.name,
        v=envelope.v,
        envelope=sent.kept,
        payload_hash=sent.payload_hash,
        status=outcome.status,
        code=outcome.code,
        result=result,
        at_device=when.at_device,
        at_estimated=when.at,
        uncertainty_ms=when.uncertainty_ms,
        received_at=batch.received_at,
    )
    if conflict_id and outcome.disagreement:
        await queries.insert_conflict(uow, conflict_id, envelope.id, outcome.disagreement)
    return result


async def _run(
    uow: UnitOfWork, registry: Registry, actor: Actor, mutation: Mutation, args: Mapping[str, Any]
) -> Outcome:
    """Run the mutator in a savepoint; a refusal quarantines, an unexpected failure does after a few tries."""
    for attempt in range(1, _MUTATION_TRIES + 1):
        try:
            async with uow.savepoint():
                return await _handled(uow, registry, actor, mutation, args)
        except Problem as problem:
            return _quarantined(problem)
        except (*_TRANSIENT, psycopg.OperationalError):
            raise
        except Exception:
            log.exception("mutator failed", mutation=str(mutation.id), name=mutation.name, attempt=attempt)
    return _quarantined(ServerError(trace=trace_id.get()))


async def _handled(
    uow: UnitOfWork, registry: Registry, actor: Actor, mutation: Mutation, args: Mapping[str, Any]
) -> Outcome:
    mutator = registry.mutators.get((mutation.name, mutation.v))
    if mutator is None:
        raise UnknownMutation(name=mutation.name, v=mutation.v)
    try:
        read = mutator.args.model_validate(args)
    except ValidationError as wrong:
        raise InvalidArguments(why=first_error(wrong)) from None
    return await mutator.handle(uow, actor, mutation, read)


def _quarantined(problem: Problem) -> Outcome:
    return Outcome(Status.QUARANTINED, problem.code, {"detail": str(problem)})
