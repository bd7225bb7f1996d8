"""What dispatch does because something happened elsewhere. Every subscriber may run twice."""

from uuid import UUID

from server.core.db import UnitOfWork
from server.core.events import Event, Subscriptions
from server.customers import service as customers
from server.dispatch import first_fix, presence
from server.geo import service as geo
from server.identity import service as identity
from server.identity.domain import Actor, Audience
from server.notify import service as notify
from server.notify.domain import Hint
from server.workorders import queries as workorder_queries


def subscribe(subscriptions: Subscriptions) -> None:
    subscriptions.on("visit.dispatched", expect_arrival)
    subscriptions.on("visit.replanned", tell_new_time)
    for crossed in ("fence.entered", "fence.dwelt", "fence.left", "fence.amended"):
        subscriptions.on(crossed, note_presence)
    subscriptions.on("position_policy.set", follow_fence_radius)
    for over in ("visit.withdrawn", "visit.declined", "work_order.resolved", "work_order.closed"):
        subscriptions.on(over, expect_nobody)
    for ended in ("work_order.resolved", "work_order.reopened"):
        subscriptions.on(ended, count_first_fix)


async def expect_arrival(uow: UnitOfWork, event: Event) -> None:
    """Watch the site for the engineer who was sent, and tell their phone that there is work."""
    visit = await workorder_queries.visit(uow, UUID(event.payload["visit_id"]))
    # Events are delivered late and more than once: the visit may be over, or somebody else's.
    if visit is None or not visit.is_open or visit.engineer_id is None:
        return
    site = await customers.site_of(uow, UUID(event.payload["site_id"]))
    await geo.watch(
        uow, visit.id, visit.engineer_id, site.place, site.fence_radius_m, since=event.at, area=site.fence_area
    )
    await notify.queue_hint(uow, visit.engineer_id, Hint.JOB, visit.work_order_id, f"job:{visit.id}")


async def tell_new_time(uow: UnitOfWork, event: Event) -> None:
    """Have the engineer's phone pull the visit's new time."""
    await notify.queue_hint(uow, UUID(event.payload["engineer_id"]), Hint.SYNC, event.subject_id, "sync")


async def expect_nobody(uow: UnitOfWork, event: Event) -> None:
    """Stop watching for a visit that is over; whoever did not end it themselves is told to pull."""
    visit_id, engineer = event.payload["visit_id"], event.payload["engineer_id"]
    if visit_id is None:
        return
    await geo.stop_watching(uow, UUID(visit_id), at=event.at)
    if engineer is not None and event.actor_id != UUID(engineer):
        await notify.queue_hint(uow, UUID(engineer), Hint.SYNC, event.subject_id, "sync")


async def note_presence(uow: UnitOfWork, event: Event) -> None:
    """Let the visit's history say that the engineer came, stayed or left, or that it was otherwise than it said."""
    visit = await workorder_queries.visit(uow, UUID(event.payload["subject_id"]))
    if visit is None:
        return
    engineer = await _engineer(uow, UUID(event.payload["person_id"]))
    # What is new follows from the fence as it is now: events come late, more than once and in any order.
    for fact in await geo.take_facts(uow, event.subject_id):
        await presence.note(uow, engineer, visit.id, fact)


async def follow_fence_radius(uow: UnitOfWork, event: Event) -> None:
    await customers.follow_default_radius(uow, event.payload["fence_radius_m"])


async def count_first_fix(uow: UnitOfWork, event: Event) -> None:
    await first_fix.count_again(uow, event.subject_id)


async def _engineer(uow: UnitOfWork, person_id: UUID) -> Actor:
    """Whose phone was seen: an actor for the record, without any permission."""
    assert uow.org is not None, "subscribers run inside an organisation"
    person = await identity.person(uow, person_id)
    return Actor(uow.org, person.id, person.name, frozenset(), Audience.MOBILE, person.language)
