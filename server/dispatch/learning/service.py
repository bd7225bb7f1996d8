"""Learning from what happened: proposals, who takes them, and what those that were taken say.

Nothing counts before a person with the permission has accepted it, and any earlier state can be had again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from server.core import events
from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.dispatch.learning import durations, preferences, queries, success, weights
from server.dispatch.learning.domain import ACCEPTABLE, Kind, Lesson, Model, ModelState, Outcome, Policy
from server.dispatch.learning.durations import Durations, Task, Worked
from server.dispatch.learning.errors import NotEnoughHistory, NotOpenToThat, PolicyMovedOn
from server.dispatch.learning.preferences import Choice
from server.dispatch.learning.queries import WeightsVersion
from server.dispatch.learning.success import Chances, OfType, Tried
from server.dispatch.scoring import Factor
from server.identity.access import require
from server.identity.domain import Actor, Permission


@dataclass(frozen=True)
class History:
    """Everything there is to learn from, and what is in force already."""

    completed: int
    worked: Sequence[Worked]
    tried: Sequence[Tried]
    choices: Sequence[Choice]
    durations: Durations | None
    chances: Chances | None
    weights: WeightsVersion


@dataclass(frozen=True)
class Learnt:
    """What came of one kind; without a lesson there was too little, without a model nothing is proposed."""

    kind: Kind
    outcome: Outcome
    lesson: Lesson | None
    model: Model | None


@dataclass(frozen=True)
class Standing:
    """How far an organisation is from learning, or what it learnt."""

    policy: Policy
    completed: int
    in_force: Mapping[Kind, Model]

    @property
    def missing(self) -> int:
        return self.policy.missing(self.completed)


async def policy(uow: UnitOfWork) -> Policy:
    return await queries.policy(uow) or Policy()


async def set_policy(uow: UnitOfWork, actor: Actor, *, enough_orders: int, expected_version: int) -> Policy:
    """Change how much history is enough. Raises Forbidden, PolicyMovedOn."""
    require(actor, Permission.SETTINGS_MANAGE)
    before = await policy(uow)
    new = Policy(before.version + 1, enough_orders, actor.person, uow.now())
    if before.version != expected_version or not await queries.insert_policy(uow, new):
        raise PolicyMovedOn(version=(await policy(uow)).version)
    await events.append(
        uow,
        "learning_policy.set",
        subject=("learning_policy", actor.org),
        actor=actor.person,
        payload={"version": new.version, "enough_orders": enough_orders, "before": before.enough_orders},
    )
    return new


async def standing(uow: UnitOfWork) -> Standing:
    known = await queries.models(uow)
    return Standing(
        await policy(uow),
        await queries.completed_orders(uow, _since(uow)),
        {it.kind: it for it in known if it.state is ModelState.ACCEPTED},
    )


async def history(uow: UnitOfWork) -> History:
    """Read what there is to learn from. Raises NotEnoughHistory."""
    enough, completed = await policy(uow), await queries.completed_orders(uow, _since(uow))
    if missing := enough.missing(completed):
        raise NotEnoughHistory(missing=missing, completed=completed, enough=enough.enough_orders)
    since = _since(uow)
    return History(
        completed,
        await queries.worked(uow, since),
        await queries.tried(uow, since),
        await queries.choices(uow, since),
        await _durations(uow),
        await _chances(uow),
        await weights.in_force(uow),
    )


def lessons(past: History) -> Mapping[Kind, Lesson | None]:
    """Learn every kind. Pure, and seconds of work after years of history: not for an event loop."""
    factors, now = [str(factor) for factor in Factor], past.weights
    return {
        Kind.DURATIONS: durations.learn(past.worked, past.durations),
        Kind.SUCCESS: success.learn(past.tried, past.chances),
        Kind.WEIGHTS: preferences.learn(past.choices, now.weights, factors, now.version),
    }


async def propose(uow: UnitOfWork, past: History, taught: Mapping[Kind, Lesson | None]) -> list[Learnt]:
    """Propose what is better than what is in force; a newer proposal takes the place of an older one."""
    return [await _propose(uow, kind, lesson, past.completed) for kind, lesson in taught.items()]


async def _propose(uow: UnitOfWork, kind: Kind, lesson: Lesson | None, orders: int) -> Learnt:
    if lesson is None:
        return Learnt(kind, Outcome.TOO_LITTLE, None, None)
    if not lesson.better:
        return Learnt(kind, Outcome.NOT_BETTER, lesson, None)
    await queries.lock_kind(uow, kind)
    same = next((it for it in await queries.models(uow, kind) if it.parameters == lesson.parameters), None)
    if same is not None:
        return Learnt(kind, Outcome.UNCHANGED, lesson, same)
    await queries.retire_proposals(uow, kind)
    made = await queries.insert_model(uow, lesson, orders)
    await _tell(uow, "proposed", made, None)
    return Learnt(kind, Outcome.PROPOSED, lesson, made)


async def models(uow: UnitOfWork, kind: Kind | None = None) -> list[Model]:
    return await queries.models(uow, kind)


async def model(uow: UnitOfWork, model_id: UUID) -> Model:
    found = await queries.model(uow, model_id)
    if found is None:
        raise NotFound(thing="learned model")
    return found


async def accept(uow: UnitOfWork, actor: Actor, model_id: UUID) -> Model:
    """Put a proposal, or a model that was in force before, in force; the one it replaces is retired.

    Accepted weights become the next version of the score weights. Accepting what is in force changes nothing.
    Raises NotFound, Forbidden, NotOpenToThat, WeightsMovedOn.
    """
    wanted = await _locked(uow, actor, model_id)
    if wanted.state is ModelState.ACCEPTED:
        return wanted
    if wanted.state not in ACCEPTABLE:
        raise NotOpenToThat(state=wanted.state, needed="what is proposed or retired", action="accepted")
    before = await queries.accepted(uow, wanted.kind)
    if before is not None:
        await _decide(uow, actor, before, ModelState.RETIRED)
    taken = await _decide(uow, actor, wanted, ModelState.ACCEPTED, replaced=before.id if before else None)
    if taken.kind is Kind.WEIGHTS:
        await weights.set_weights(
            uow,
            actor,
            taken.parameters["weights"],
            why=f"Learned from dispatchers' choices, version {taken.version}.",
            expected_version=(await weights.in_force(uow)).version,
            model_id=taken.id,
        )
    return taken


async def reject(uow: UnitOfWork, actor: Actor, model_id: UUID) -> Model:
    """Turn a proposal down, for good. Raises NotFound, Forbidden, NotOpenToThat."""
    wanted = await _locked(uow, actor, model_id)
    if wanted.state is not ModelState.PROPOSED:
        raise NotOpenToThat(state=wanted.state, needed="what is proposed", action="rejected")
    return await _decide(uow, actor, wanted, ModelState.REJECTED)


async def retire(uow: UnitOfWork, actor: Actor, model_id: UUID) -> Model:
    """Take a model out of force without another in its place; learned weights give way to those they replaced.

    Raises NotFound, Forbidden, NotOpenToThat.
    """
    wanted = await _locked(uow, actor, model_id)
    if wanted.state is not ModelState.ACCEPTED:
        raise NotOpenToThat(state=wanted.state, needed="what is accepted", action="retired")
    if wanted.kind is Kind.WEIGHTS:
        await weights.set_back(uow, actor, wanted)
        return await model(uow, model_id)
    return await _decide(uow, actor, wanted, ModelState.RETIRED)


async def _locked(uow: UnitOfWork, actor: Actor, model_id: UUID) -> Model:
    require(actor, Permission.SETTINGS_MANAGE)
    seen = await model(uow, model_id)
    await queries.lock_kind(uow, seen.kind)
    return await model(uow, model_id)


async def _decide(
    uow: UnitOfWork, actor: Actor, it: Model, state: ModelState, *, replaced: UUID | None = None
) -> Model:
    decided = await queries.decide(uow, it.id, state, by=actor.person, replaced=replaced)
    await _tell(uow, state, decided, actor)
    return decided


async def _tell(uow: UnitOfWork, what: str, it: Model, actor: Actor | None) -> None:
    await events.append(
        uow,
        f"learned_model.{what}",
        subject=("learned_model", it.id),
        actor=actor.person if actor else None,
        payload={
            "kind": it.kind,
            "version": it.version,
            "replaced": str(it.replaced) if it.replaced else None,
            "back_test": dict(it.back_test),
        },
    )


@dataclass(frozen=True, eq=False)
class Expected:
    """Minutes of work, whole and at least 1: shape (tasks, engineers), by the order they were asked in.

    version: of the accepted model, None where every task kept its own duration.
    """

    p50: NDArray[np.int64]
    p90: NDArray[np.int64]
    version: int | None


async def expected_minutes(uow: UnitOfWork, tasks: Sequence[Task], engineers: Sequence[UUID]) -> Expected:
    """Answer what each task is likely to take each engineer, in one statement however many they are.

    A task of a type that nothing was learnt about keeps its own duration, at the engineer's pace; where no model is
    accepted every task keeps it, for everybody.
    """
    taken = await queries.accepted(uow, Kind.DURATIONS)
    known = Durations.from_json(taken.parameters) if taken else Durations.nothing()
    p50, p90 = known.matrix(tasks, engineers)
    return Expected(_minutes(p50), _minutes(p90), taken.version if taken else None)


async def pace_of(uow: UnitOfWork, engineers: Collection[UUID]) -> dict[UUID, int]:
    """Answer how long each takes in per cent of what work takes others; 100 where nothing was learnt."""
    known = await _durations(uow) or Durations.nothing()
    return {engineer: known.pace_percent(engineer) for engineer in engineers}


async def durations_in_force(uow: UnitOfWork) -> Durations:
    """Answer the accepted model; where there is none, one that leaves every task its own minutes."""
    return await _durations(uow) or Durations.nothing()


# What a model says never changes, and to read what one says of ten thousand engineers takes longer than to rank them.
_READ: dict[tuple[UUID, str], OfType] = {}
_MOST_READ = 200


async def chance_of_fix(uow: UnitOfWork, problem_type: str) -> OfType | None:
    """Answer everybody's chance to settle it with the first visit; None where no model is accepted."""
    taken = await queries.accepted_id(uow, Kind.SUCCESS)
    if taken is None:
        return None
    if (taken, problem_type) not in _READ:
        found = Chances.from_json((await model(uow, taken)).parameters).of_type(problem_type)
        while len(_READ) >= _MOST_READ:
            _READ.pop(next(iter(_READ)))
        _READ[taken, problem_type] = found
    return _READ[taken, problem_type]


async def _durations(uow: UnitOfWork) -> Durations | None:
    taken = await queries.accepted(uow, Kind.DURATIONS)
    return Durations.from_json(taken.parameters) if taken else None


async def _chances(uow: UnitOfWork) -> Chances | None:
    taken = await queries.accepted(uow, Kind.SUCCESS)
    return Chances.from_json(taken.parameters) if taken else None


def _minutes(found: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.maximum(1, np.rint(found)).astype(np.int64)


def _since(uow: UnitOfWork) -> datetime:
    return uow.now() - queries.PERIOD
