"""Drives that were asked about once: running tours are driven again and again, and a lookup costs nothing."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from server.geo.domain import EARTH_RADIUS, Point
from server.geo.journey import Matrix
from server.geo.travel import Travel

FAR = 1_000_000  # seconds and metres of a drive that was not asked about: longer than any shift
_MOST = 2_000_000  # drives kept
_FARTHER = (500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0, 16_000.0)  # metres
_NEVER_QUICKER = 30.0  # metres a second as the crow flies, of drives that too few are known of
_ENOUGH, _NOTED = 100, 20_000  # drives
_HARDLY_ANY = 0.02

type Numbers = NDArray[np.float64]
type _Drive = tuple[int, int, int, bool]  # seconds, p90, metres, estimated
_UNKNOWN, _NONE = (FAR, FAR, FAR, True), (0, 0, 0, False)


class Roads:
    """What a travel port answered, by the hour of leaving."""

    def __init__(self, travel: Travel) -> None:
        self._travel = travel
        self._known: dict[tuple[datetime, Point], dict[Point, _Drive]] = {}
        self._many = 0
        self.paces = Paces()

    async def learn(self, origins: Iterable[Point], to: Iterable[Point], leaving: datetime) -> None:
        """Ask for those drives between the two that are not known yet."""
        some, others = list(dict.fromkeys(origins)), list(dict.fromkeys(to))
        missing = [(a, b) for a in some for b in others if not self.knows(a, b, leaving)]
        if missing:
            await self._ask([a for a, _ in missing], [b for _, b in missing], leaving)

    async def learn_legs(self, legs: Iterable[tuple[Point, Point]], leaving: datetime) -> None:
        """Ask for those drives that are not known yet, one by one: they are few among many places."""
        for a, b in legs:
            if not self.knows(a, b, leaving):
                await self._ask([a], [b], leaving)

    async def _ask(self, origins: Iterable[Point], to: Iterable[Point], leaving: datetime) -> None:
        if self._many > _MOST:
            self._known.clear()
            self._many = 0
        hour, some, others = hour_of(leaving), list(dict.fromkeys(origins)), list(dict.fromkeys(to))
        found = await self._travel.table(some, others, hour)
        columns = [it.tolist() for it in (found.seconds, found.p90_seconds, found.metres, found.estimated)]
        for row, a in enumerate(some):
            known = self._known.setdefault((hour, a), {})
            known.update(zip(others, zip(*(it[row] for it in columns), strict=True), strict=True))
        self._many += len(some) * len(others)
        self.paces.note(some, others, found)

    def knows(self, origin: Point, to: Point, leaving: datetime) -> bool:
        return origin == to or to in self._known.get((hour_of(leaving), origin), {})

    def seconds(self, origin: Point, to: Point, leaving: datetime) -> int:
        """Answer how long a drive takes; `FAR` for one that was never asked about."""
        return 0 if origin == to else self._known.get((hour_of(leaving), origin), {}).get(to, _UNKNOWN)[0]

    def between(self, places: Sequence[Point], leaving: datetime) -> Matrix:
        """Answer the drives between places; one that was never asked about is `FAR`."""
        hour, cells = hour_of(leaving), []
        for a in places:
            known = self._known.get((hour, a), {})
            cells += [known.get(b) or (_NONE if a == b else _UNKNOWN) for b in places]
        table = np.array(cells, dtype=np.int32).reshape(len(places), len(places), 4)
        return Matrix(table[:, :, 0], table[:, :, 1], table[:, :, 2], table[:, :, 3].astype(np.bool_))


class Paces:
    """How quick drives are that go so far as the crow flies, as the roads have answered until now."""

    def __init__(self) -> None:
        self._noted = np.empty((0, 2))  # metres as the crow flies, and seconds a metre
        self._waiting: list[Numbers] = []
        self._least = np.full(len(_FARTHER) + 1, 1 / _NEVER_QUICKER)
        self._least[0] = 0.0

    def note(self, origins: Sequence[Point], to: Sequence[Point], drives: Matrix) -> None:
        metres = straight(radians(origins)[:, None], radians(to)[None, :])
        pair = np.stack([metres, drives.seconds / np.maximum(metres, 1.0)], axis=-1)
        self._waiting.append(pair[metres > _FARTHER[0]])

    def least(self, metres: Numbers) -> Numbers:
        """Answer how many seconds drives of such a length take at least: hardly one in fifty was quicker."""
        if sum(len(it) for it in self._waiting) > len(self._noted) / 4:
            self._noted = np.concatenate([self._noted, *self._waiting])[-_NOTED:]
            self._waiting.clear()
            length = np.digitize(self._noted[:, 0], _FARTHER)
            for each in range(1, len(self._least)):
                known = self._noted[length == each, 1]
                if len(known) >= _ENOUGH:
                    self._least[each] = np.quantile(known, _HARDLY_ANY)
        return np.asarray(metres * self._least[np.digitize(metres, _FARTHER)])


def radians(places: Sequence[Point]) -> Numbers:
    return np.radians(np.array([(it.lon, it.lat) for it in places], dtype=np.float64).reshape(-1, 2))


def straight(one: Numbers, other: Numbers) -> Numbers:
    """Metres as the crow flies. Shapes: [..., 2], longitude and latitude in radians."""
    half = (other - one) / 2
    chord = np.sin(half[..., 1]) ** 2 + np.cos(one[..., 1]) * np.cos(other[..., 1]) * np.sin(half[..., 0]) ** 2
    return np.asarray(2 * EARTH_RADIUS * np.arcsin(np.sqrt(np.minimum(1.0, chord))))


def hour_of(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
