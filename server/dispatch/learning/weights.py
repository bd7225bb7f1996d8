"""The score weights, set by hand or by what was learnt. A version is never changed: every change is a new one."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

from server.core import events
from server.core.db import Row, UnitOfWork
from server.dispatch.learning import queries
from server.dispatch.learning.domain import Kind, Model, ModelState
from server.dispatch.learning.errors import (
    PeriodRunsBackwards,
    PeriodTooLong,
    UnknownFactor,
    WeightOutOfRange,
    WeightsMovedOn,
    WeightsNotWhole,
)
from server.dispatch.learning.preferences import Weights
from server.dispatch.learning.queries import WeightsVersion
from server.dispatch.learning.replay import Past, Preview, Stood, preview
from server.dispatch.scoring import DEFAULT_WEIGHTS, Factor
from server.identity.access import require
from server.identity.domain import Actor, Permission

TOLERANCE = 0.001
LONGEST_REPLAY = timedelta(days=92)
_REPLAYED = 2_000  # decisions; with their candidates that is some 40 MB
_RANKED = 50  # candidates of each; who stood behind them is not made first
_SAID = ("work_order_id", "number", "decided_at", "day", "duration_minutes", "chosen_id", "chosen_name")


async def versions(uow: UnitOfWork) -> list[WeightsVersion]:
    """Answer every version, the newest first, which is in force; the first use writes version 1."""
    await in_force(uow)
    return await queries.weights_versions(uow)


async def in_force(uow: UnitOfWork) -> WeightsVersion:
    newest = await queries.weights_versions(uow, limit=1)
    if not newest:
        await queries.insert_weights(uow, 1, dict(DEFAULT_WEIGHTS), None)
        newest = await queries.weights_versions(uow, limit=1)
    return newest[0]


def checked(weights: Weights) -> dict[str, float]:
    """Answer a weight for every factor, 0 where nothing is said.

    Raises UnknownFactor, WeightOutOfRange, WeightsNotWhole.
    """
    known = [str(factor) for factor in Factor]
    for name, weight in weights.items():
        if name not in known:
            raise UnknownFactor(factor=name, known=", ".join(known))
        if not 0 <= weight <= 1:
            raise WeightOutOfRange(factor=name)
    total = sum(weights.values())
    if abs(total - 1) > TOLERANCE + 1e-9:
        raise WeightsNotWhole(total=round(total, 6))
    return {name: float(weights.get(name, 0.0)) for name in known}


async def set_weights(
    uow: UnitOfWork, actor: Actor, weights: Weights, *, why: str, expected_version: int, model_id: UUID | None = None
) -> WeightsVersion:
    """Put new weights in force. Weights that were learnt and are replaced by hand count as retired.

    Raises Forbidden, WeightsMovedOn, UnknownFactor, WeightOutOfRange, WeightsNotWhole.
    """
    require(actor, Permission.SETTINGS_MANAGE)
    wanted = checked(weights)
    # Locked before anything is written, as whoever accepts learned weights does.
    await queries.lock_kind(uow, Kind.WEIGHTS)
    before = await in_force(uow)
    version = before.version + 1
    if before.version != expected_version or not await queries.insert_weights(uow, version, wanted, actor.person):
        raise WeightsMovedOn(version=(await in_force(uow)).version)
    await queries.insert_change(uow, version, why, model_id)
    await events.append(
        uow,
        "score_weights.set",
        subject=("score_weights", actor.org),
        actor=actor.person,
        payload={"version": version, "weights": wanted, "before": before.weights, "why": why},
    )
    if model_id is None:
        await _retire_learnt(uow, actor)
    return await in_force(uow)


async def set_back(uow: UnitOfWork, actor: Actor, learnt: Model) -> WeightsVersion:
    """Put what was in force before the learned weights in force again. Raises Forbidden."""
    known = await queries.weights_versions(uow)
    taken = next(at for at, it in enumerate(known) if it.model_id == learnt.id)
    before = known[taken + 1]
    why = f"Back to version {before.version}: learned version {learnt.version} was retired."
    return await set_weights(uow, actor, before.weights, why=why, expected_version=known[0].version)


async def _retire_learnt(uow: UnitOfWork, actor: Actor) -> None:
    learnt = await queries.accepted(uow, Kind.WEIGHTS)
    if learnt is None:
        return
    await queries.decide(uow, learnt.id, ModelState.RETIRED, by=actor.person)
    await events.append(
        uow,
        "learned_model.retired",
        subject=("learned_model", learnt.id),
        actor=actor.person,
        payload={"kind": learnt.kind, "version": learnt.version},
    )


async def replayed(uow: UnitOfWork, weights: Weights, since: datetime, until: datetime) -> Preview:
    """Answer what these weights would have made of the decisions from `since` to before `until`. Writes nothing.

    Raises PeriodRunsBackwards, PeriodTooLong, UnknownFactor, WeightOutOfRange, WeightsNotWhole.
    """
    if until <= since:
        raise PeriodRunsBackwards
    if until - since > LONGEST_REPLAY:
        raise PeriodTooLong(days=LONGEST_REPLAY.days)
    wanted = checked(weights)
    past = [_past(row) for row in await queries.decisions(uow, since, until, _REPLAYED, _RANKED)]
    left_out = max(0, await queries.count_decisions(uow, since, until) - _REPLAYED)
    return await asyncio.to_thread(preview, past, wanted, left_out)


def _past(row: Row) -> Past:
    values = queries.factor_values(row)
    columns = zip(row["engineers"], row["names"], row["etas"], row["slacks"], values, strict=True)
    stood = [Stood(UUID(engineer), name, eta, slack, of) for engineer, name, eta, slack, of in columns]
    return Past(**{name: row[name] for name in _SAID}, stood=stood)
