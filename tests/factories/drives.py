"""Engineers who drive along a street of the region: a phone's track of each day."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from server.core.db import UnitOfWork
from server.geo import service
from server.geo.domain import Point, haversine
from server.geo.positions import Fix, Interval
from server.identity.domain import Actor
from tests.factories.geo import device_of

EVERY_S = 15


def track_along(line: Sequence[Point], began: datetime, mps: float, first_seq: int, waits_s: float = 300) -> list[Fix]:
    """A fix each 15 s on the way along a line, and standing at both its ends."""
    metres = [0.0]
    for one, other in pairwise(line):
        metres.append(metres[-1] + haversine(one, other))
    took = int(metres[-1] / mps)
    found = []
    for n, at in enumerate(range(-int(waits_s), took + int(waits_s), EVERY_S)):
        place = _at(line, metres, min(max(at * mps, 0.0), metres[-1]))
        found.append(Fix(first_seq + n, began + timedelta(seconds=at), place, 5))
    return found


def _at(line: Sequence[Point], metres: Sequence[float], driven: float) -> Point:
    after = next(n for n, it in enumerate(metres) if it >= driven)
    if after == 0:
        return line[0]
    share = (driven - metres[after - 1]) / max(metres[after] - metres[after - 1], 1e-9)
    one, other = line[after - 1], line[after]
    return Point(one.lon + share * (other.lon - one.lon), one.lat + share * (other.lat - one.lat))


async def drove(uow: UnitOfWork, phone: Actor, fixes: Sequence[Fix]) -> None:
    """Report a track as the phone does, within a shift of that time."""
    shift = Interval(fixes[0].at - timedelta(hours=1), fixes[-1].at + timedelta(hours=1))
    await service.record_fixes(uow, phone, device_of(phone), list(fixes), [shift])
