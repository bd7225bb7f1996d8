"""The few regions a phone's own system watches for its app: 20 on iOS, 100 on Android."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from server.core.db import UnitOfWork
from server.geo import native_queries
from server.geo.domain import Metres, Point
from server.geo.native_queries import Region

# One more region asks for the next set, and iOS watches twenty.
FEWEST_WATCHED = 19
MOST_WATCHED = 99
_SMALLEST_M, _LARGEST_M = 200, 50_000  # below this phones notice late or never; nobody drives farther unasked
_NEARER = 0.8  # of the way to the first fence left out


@dataclass(frozen=True)
class Refresh:
    """Who leaves this circle asks again."""

    centre: Point
    radius_m: Metres


@dataclass(frozen=True)
class FenceSet:
    regions: Sequence[Region]
    refresh: Refresh


async def fences_near(uow: UnitOfWork, person: UUID, near: Point, *, most: int) -> FenceSet:
    """Answer the person's nearest open fences, and how far they may go before others are nearer."""
    found = await native_queries.nearest(uow, person, near, limit=most + 1)
    return FenceSet(found[:most], Refresh(near, _free_way(found[most:])))


def _free_way(left_out: Sequence[Region]) -> Metres:
    if not left_out:
        return _LARGEST_M
    return round(min(max(_NEARER * left_out[0].edge_m, _SMALLEST_M), _LARGEST_M))
