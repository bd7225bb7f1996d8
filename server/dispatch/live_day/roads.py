"""Drives that were asked about once: running tours are driven again and again, and a lookup costs nothing."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np

from server.geo.domain import Point
from server.geo.journey import Matrix
from server.geo.travel import Travel

FAR = 1_000_000  # seconds and metres of a drive that was not asked about: longer than any shift
_MOST = 2_000_000  # drives kept

type _Drive = tuple[int, int, int, bool]  # seconds, p90, metres, estimated


class Roads:
    """What a travel port answered, by the hour of leaving."""

    def __init__(self, travel: Travel) -> None:
        self._travel = travel
        self._known: dict[tuple[datetime, Point, Point], _Drive] = {}

    async def learn(self, origins: Iterable[Point], to: Iterable[Point], leaving: datetime) -> None:
        """Ask for those drives between the two that are not known yet."""
        hour = _hour(leaving)
        some, others = list(dict.fromkeys(origins)), list(dict.fromkeys(to))
        missing = [(a, b) for a in some for b in others if (hour, a, b) not in self._known]
        if not missing:
            return
        if len(self._known) > _MOST:
            self._known.clear()
        some, others = list(dict.fromkeys(a for a, _ in missing)), list(dict.fromkeys(b for _, b in missing))
        found = await self._travel.table(some, others, hour)
        columns = [it.tolist() for it in (found.seconds, found.p90_seconds, found.metres, found.estimated)]
        for row, a in enumerate(some):
            for column, b in enumerate(others):
                seconds, p90, metres, estimated = (it[row][column] for it in columns)
                self._known[hour, a, b] = seconds, p90, metres, estimated

    def knows(self, origins: Iterable[Point], to: Iterable[Point], leaving: datetime) -> bool:
        hour, there = _hour(leaving), list(to)
        return all((hour, a, b) in self._known for a in origins for b in there)

    def between(self, places: Sequence[Point], leaving: datetime) -> Matrix:
        """Answer the drives between places; one that was never asked about is `FAR`."""
        hour, far = _hour(leaving), (FAR, FAR, FAR, True)
        cells = [self._known.get((hour, a, b), far) if a != b else (0, 0, 0, False) for a in places for b in places]
        table = np.array(cells, dtype=np.int32).reshape(len(places), len(places), 4)
        return Matrix(table[:, :, 0], table[:, :, 1], table[:, :, 2], table[:, :, 3].astype(np.bool_))


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
