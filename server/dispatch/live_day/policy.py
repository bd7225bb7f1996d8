"""What plans weigh against what, as an organisation has set it. Old versions explain old plans."""

from server.core import events
from server.core.db import UnitOfWork
from server.dispatch.live_day.errors import PolicyChangedMeanwhile
from server.dispatch.planning import queries
from server.dispatch.planning.picture import Policy
from server.identity.access import require
from server.identity.domain import Actor, Permission


async def set_policy(uow: UnitOfWork, actor: Actor, policy: Policy, *, expected_version: int) -> int:
    """Put a policy in force, from the next plan on; answers its version. Raises Forbidden, PolicyChangedMeanwhile."""
    require(actor, Permission.SETTINGS_MANAGE)
    version, _ = await queries.policy_in_force(uow)
    taken = version != expected_version
    if taken or not await queries.insert_policy(uow, version + 1, policy, actor.person):
        raise PolicyChangedMeanwhile(version=(await queries.policy_in_force(uow))[0])
    assert uow.org is not None
    await events.append(
        uow,
        "planning_policy.set",
        subject=("organisation", uow.org),
        actor=actor.person,
        payload={"version": version + 1},
    )
    return version + 1
