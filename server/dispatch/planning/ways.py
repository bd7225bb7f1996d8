"""Each engineer's way through a shift, kept true to their visits, for phones and boards."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from server.core.db import UnitOfWork
from server.core.events import Event, Subscriptions
from server.dispatch.planning import queries, reading
from server.dispatch.planning.asking import Asked, known_sequences, lacks_parts
from server.dispatch.planning.domain import Scope
from server.dispatch.planning.picture import Depot, Picture
from server.dispatch.planning.solving import asked_of
from server.dispatch.planning.timetable import Call, Timetable, known_timetable_of
from server.geo.travel import Travel

_AHEAD = timedelta(days=14)  # as far as phones look


def subscribe(subscriptions: Subscriptions, travel: Travel) -> None:
    async def follow(uow: UnitOfWork, event: Event) -> None:
        """Draw the ways of whoever's visits changed anew."""
        if engineer := event.payload.get("engineer_id"):
            await draw(uow, travel, UUID(engineer))

    for changed in ("visit.dispatched", "visit.replanned", "visit.withdrawn", "visit.declined", "work_order.resolved"):
        subscriptions.on(changed, follow)


async def draw(uow: UnitOfWork, travel: Travel, engineer: UUID) -> None:
    """Write an engineer's ways of the coming shifts; a shift without visits has none."""
    scope = Scope(uow.now(), uow.now() + _AHEAD, engineers=(engineer,))
    _, policy = await queries.policy_in_force(uow)
    picture = await reading.picture(uow, scope, policy, with_new=False)
    told = known_sequences(picture)
    for duty in picture.duties:
        stops = told.get(duty.shift_id, [])
        if not stops:
            await queries.delete_route(uow, duty.shift_id)
            continue
        alone = picture.shift_alone(duty.shift_id, {it for it in stops if it}, {})
        asked = await asked_of(travel, alone)
        table = _shortest(asked, stops)
        await queries.save_route(uow, table, [_plain(alone, asked, it) for it in table.calls])


def _shortest(asked: Asked, stops: Sequence[UUID | None]) -> Timetable:
    """Drive what is booked, over the warehouse where it costs least if parts have to be fetched."""
    needed = lacks_parts(asked, stops)
    if needed is None or asked.problem.shifts[0].warehouse is None:
        return known_timetable_of(asked, stops)
    ways = [known_timetable_of(asked, [*stops[:at], None, *stops[at:]]) for at in range(needed + 1)]
    return min(ways, key=lambda it: (_told_late(asked.picture, it), it.returns))


def _told_late(picture: Picture, table: Timetable) -> timedelta:
    """How much later than they were told customers see the engineer."""
    told = {it.id: it.booked.start for it in picture.orders if it.booked}
    late = [call.begins - told[call.order_id] for call in table.calls if call.order_id in told]
    return sum((max(it, timedelta()) for it in late), timedelta())


def _plain(picture: Picture, asked: Asked, call: Call) -> dict[str, Any]:
    times = {
        "arrives_at": call.arrives.isoformat(),
        "begins_at": call.begins.isoformat(),
        "ends_at": call.ends.isoformat(),
        "drive_seconds": call.drive.seconds,
        "drive_metres": call.drive.metres,
    }
    if call.order_id is None:
        depot = _depot(asked)
        parts = [{"part_id": str(part), "quantity": quantity} for part, quantity in _to_fetch(picture).items()]
        return {"visit_id": None, "work_order_id": None, "location_id": str(depot.location_id), "parts": parts} | times
    booked = next(it.booked for it in picture.orders if it.id == call.order_id)
    return {"visit_id": booked and str(booked.visit_id), "work_order_id": str(call.order_id)} | times


def _to_fetch(picture: Picture) -> Counter[UUID]:
    """What the day's orders have reserved and the van has not."""
    needed = Counter[UUID]()
    for it in picture.orders:
        needed.update({need.part_id: need.quantity for need in it.parts})
    return needed - Counter({need.part_id: need.quantity for need in picture.duties[0].stock})


def _depot(asked: Asked) -> Depot:
    warehouse = asked.problem.shifts[0].warehouse
    assert warehouse is not None, "it was driven to"
    return next(it for it in asked.picture.depots if it.place == asked.places[warehouse.place])
