"""Keeping rules: each change is a version of its own, nothing a rule decided is ever explained by another one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.dispatch.rules import queries
from server.dispatch.rules.domain import Conditions, Limits, Rule, Treatment
from server.dispatch.rules.errors import OrderOfOtherRules, RuleChangedMeanwhile, UnknownTerritories
from server.identity.access import require
from server.identity.domain import Actor, Permission


@dataclass(frozen=True)
class Wording:
    """What a rule says."""

    name: str
    active: bool
    conditions: Conditions
    limits: Limits
    treatment: Treatment


async def rules(uow: UnitOfWork) -> list[Rule]:
    """Answer every rule as it is now, in the order they are asked."""
    return await queries.rules(uow)


async def add(uow: UnitOfWork, actor: Actor, wording: Wording) -> Rule:
    """Add a rule behind all others. Raises Forbidden, UnknownTerritories."""
    require(actor, Permission.SETTINGS_MANAGE)
    await _check(uow, wording)
    others = await queries.lock_rules(uow)
    # Taken together, positions have no gaps: a rule that went left one.
    await queries.set_positions(uow, others)
    rule = Rule(
        id=uow.new_id(),
        version=1,
        position=len(others) + 1,
        **vars(wording),
        created_by=actor.person,
        created_at=uow.now(),
    )
    await queries.insert_rule(uow, rule.id, rule.position)
    await queries.insert_version(uow, rule)
    return rule


async def change(uow: UnitOfWork, actor: Actor, rule_id: UUID, seen_version: int, wording: Wording) -> Rule:
    """Give a rule a new version, unless it says this already.

    Raises Forbidden, NotFound, RuleChangedMeanwhile, UnknownTerritories.
    """
    require(actor, Permission.SETTINGS_MANAGE)
    await _check(uow, wording)
    await queries.lock_rules(uow)
    rule = await queries.rule(uow, rule_id)
    if rule is None:
        raise NotFound(thing="assignment rule")
    if rule.version != seen_version:
        raise RuleChangedMeanwhile(version=rule.version)
    changed = replace(rule, **vars(wording))
    if changed == rule:
        return rule
    changed = replace(changed, version=rule.version + 1, created_by=actor.person, created_at=uow.now())
    await queries.insert_version(uow, changed)
    return changed


async def reorder(uow: UnitOfWork, actor: Actor, ids: Sequence[UUID]) -> list[Rule]:
    """Ask the rules in this order from now on. Raises Forbidden, OrderOfOtherRules."""
    require(actor, Permission.SETTINGS_MANAGE)
    if sorted(await queries.lock_rules(uow)) != sorted(ids):
        raise OrderOfOtherRules
    await queries.set_positions(uow, ids)
    return await queries.rules(uow)


async def remove(uow: UnitOfWork, actor: Actor, rule_id: UUID) -> None:
    """Raises Forbidden, NotFound."""
    require(actor, Permission.SETTINGS_MANAGE)
    if not await queries.delete_rule(uow, rule_id):
        raise NotFound(thing="assignment rule")


async def _check(uow: UnitOfWork, wording: Wording) -> None:
    unknown = await queries.unknown_territories(uow, sorted(wording.conditions.territories))
    if unknown:
        raise UnknownTerritories(ids=", ".join(map(str, unknown)))
