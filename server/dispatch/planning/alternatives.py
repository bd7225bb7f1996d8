"""Who else could have made a visit of a plan, and what it would have cost: why it is theirs. Pure, exact."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from server.dispatch.planner.arrays import Arrays, arrays_of
from server.dispatch.planner.plan import Plan
from server.dispatch.planner.routes import Routes, empty_routes, lay
from server.dispatch.planner.running import offers
from server.dispatch.planning.asking import Asked

_MOST = 3


@dataclass(frozen=True)
class Alternative:
    """extra: how much dearer the plan would be, in seconds of driving."""

    engineer_id: UUID
    name: str
    extra: int


@dataclass(frozen=True)
class Alternatives:
    """unable: engineers whom a hard rule keeps from it; full: those who have no room for it in this plan."""

    others: tuple[Alternative, ...]
    unable: int
    full: int


def alternatives_of(asked: Asked, plan: Plan) -> dict[UUID, Alternatives]:
    """Answer for each order that the plan makes who else could, all other tours staying as they are.

    Linked orders have none: moving one moves others.
    """
    linked = {one for it in asked.picture.links for one in (it.first_id, it.then_id)}
    arrays = arrays_of(asked.problem)
    routes = empty_routes(arrays)
    stops = {tour.shift: [stop.visit for stop in tour.stops] for tour in plan.tours}
    for shift, visits in stops.items():
        lay(arrays, routes, shift, visits)
    found = {}
    for shift, visits in stops.items():
        for visit in visits:
            if visit is None or asked.picture.orders[visit].id in linked:
                continue
            order = asked.picture.orders[visit].id
            found[order] = _without(asked, arrays, routes, shift, visits, visit)
    return found


def _without(
    asked: Asked, arrays: Arrays, routes: Routes, shift: int, visits: Sequence[int | None], visit: int
) -> Alternatives:
    duties = asked.picture.duties
    before = int(routes.routes[shift]["cost"])
    routes.shift[visit] = -1
    lay(arrays, routes, shift, [it for it in visits if it != visit])
    stop = arrays.stops[visit]
    known, change = int(stop["known"]), int(stop["change"])
    own = before - int(routes.routes[shift]["cost"]) + (change if known not in (-1, shift) else 0)
    cheapest: dict[UUID, Alternative] = {}
    for it in offers(arrays, routes, visit, most=len(duties)):
        duty = duties[it.shift]
        if duty.engineer_id != duties[shift].engineer_id and duty.engineer_id not in cheapest:
            cost = it.cost + (change if known not in (-1, it.shift) else 0)
            cheapest[duty.engineer_id] = Alternative(duty.engineer_id, duty.name, cost - own)
    lay(arrays, routes, shift, visits)
    able = {duty.engineer_id for number, duty in enumerate(duties) if arrays.able[visit, number]}
    everybody = {duty.engineer_id for duty in duties}
    mine = {duties[shift].engineer_id}
    return Alternatives(
        tuple(cheapest.values())[:_MOST], len(everybody - able - mine), len(able - mine - cheapest.keys())
    )
