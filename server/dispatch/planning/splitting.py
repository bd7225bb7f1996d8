"""A big plan in parts: one per territory, and afterwards the borders between them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from server.dispatch.planning.asking import Sequences
from server.dispatch.planning.domain import Effort
from server.dispatch.planning.picture import Duty, Order, Picture
from server.geo.domain import haversine

_STEPS_A_VISIT = {Effort.QUICK: 150, Effort.NORMAL: 800, Effort.THOROUGH: 5_000}
_FEWEST_STEPS = {Effort.QUICK: 5_000, Effort.NORMAL: 20_000, Effort.THOROUGH: 100_000}
_SEEN = 4  # shifts of other territories that start nearest to an order at a border
_SHARED = 4  # parts of the search that borders get


@dataclass(frozen=True)
class Part:
    number: int
    name: str
    orders: tuple[UUID, ...]
    shifts: tuple[UUID, ...]
    steps: int


def parts_of(picture: Picture, effort: Effort, names: Mapping[UUID, str]) -> list[Part]:
    """Split by the territories of engineers, unless it is small; links and bookings stay within a part."""
    owners = {it.territory_id for it in picture.duties}
    if len(picture.orders) <= picture.policy.split or len(owners) < 2:  # noqa: PLR2004 - one is no split
        return [_part(0, "", picture.orders, picture.duties, effort)]
    home = _homes(picture)
    found: list[Part] = []
    for owner in sorted(owners, key=lambda it: (it is None, str(it))):
        orders = [it for it in picture.orders if home[it.id] == owner]
        duties = [it for it in picture.duties if it.territory_id == owner]
        name = names.get(owner, "") if owner else ""
        found.append(_part(len(found), name, orders, duties, effort))
    return found


def _part(number: int, name: str, orders: Sequence[Order], duties: Sequence[Duty], effort: Effort) -> Part:
    steps = max(_FEWEST_STEPS[effort], _STEPS_A_VISIT[effort] * len(orders))
    return Part(number, name, tuple(it.id for it in orders), tuple(it.shift_id for it in duties), steps)


def _homes(picture: Picture) -> dict[UUID, UUID | None]:
    """Answer the territory that plans each order: whose engineer has it, else where it lies, else the nearest start."""
    of_engineer = {it.engineer_id: it.territory_id for it in picture.duties}
    owners = set(of_engineer.values())
    home: dict[UUID, UUID | None] = {}
    for it in picture.orders:
        if it.booked and it.booked.engineer_id in of_engineer:
            home[it.id] = of_engineer[it.booked.engineer_id]
        elif it.territory_id in owners:
            home[it.id] = it.territory_id
        else:
            home[it.id] = min(picture.duties, key=lambda duty: haversine(duty.start, it.place)).territory_id
    for link in picture.links:
        if link.first_id in home and link.then_id in home:
            home[link.then_id] = home[link.first_id]
    return home


def border(picture: Picture, parts: Sequence[Part], sequences: Sequences, effort: Effort) -> Part | None:
    """Answer what to look at once more when each territory is planned: shifts that lie near another's orders.

    The orders nobody makes, and the shifts near them, of whichever territory; and the shifts whose starts are among the
    nearest of an order of another territory, as long as they are not more than a part usually holds.
    """
    if len(parts) < 2:  # noqa: PLR2004 - one has no border
        return None
    owner = {shift: part.number for part in parts for shift in part.shifts}
    where = {order: part.number for part in parts for order in part.orders}
    made = {it: shift for shift, stops in sequences.items() for it in stops if it is not None}
    touched: dict[UUID, float] = {}
    left = [it.id for it in picture.orders if it.id not in made]
    for it in picture.orders:
        nearest = sorted(picture.duties, key=lambda duty: (haversine(duty.start, it.place), duty.shift_id))[:_SEEN]
        foreign = [duty for duty in nearest if owner[duty.shift_id] != where[it.id]]
        if not foreign and it.id in made:
            continue
        for duty in nearest:
            touched[duty.shift_id] = min(touched.get(duty.shift_id, float("inf")), haversine(duty.start, it.place))
        if it.id in made:
            touched.setdefault(made[it.id], 0.0)
    shifts = _within(touched, sequences, picture.policy.split)
    if not shifts:
        return None
    orders = left + [it for shift in shifts for it in sequences.get(shift, ()) if it is not None]
    steps = max(_FEWEST_STEPS[effort], _STEPS_A_VISIT[effort] * len(orders) // _SHARED)
    return Part(len(parts), "", tuple(sorted(orders)), tuple(sorted(shifts)), steps)


def _within(touched: Mapping[UUID, float], sequences: Sequences, most: int) -> list[UUID]:
    """The nearest of these shifts, as long as their orders are no more than `most`."""
    found: list[UUID] = []
    orders = 0
    for shift in sorted(touched, key=lambda it: (touched[it], it)):
        orders += len(sequences.get(shift, ()))
        if orders > most and found:
            break
        found.append(shift)
    return found
