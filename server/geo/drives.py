"""Single drives remembered for as long as the road data they were asked of is in use."""

from collections import OrderedDict

from server.geo.domain import Point

type Drive = tuple[float, float, tuple[Point, ...]]  # free-flow seconds, metres, line
type Asked = tuple[str, str, Point, Point]  # build and data set, which a changed road data changes; origin, end

MOST_POINTS = 200_000  # of all lines together: some 20 MB


class Drives:
    """The drives asked for last, until their lines have too many points."""

    def __init__(self, most_points: int = MOST_POINTS) -> None:
        self._most = most_points
        self._kept: OrderedDict[Asked, Drive | None] = OrderedDict()
        self._points = 0

    def __contains__(self, asked: Asked) -> bool:
        return asked in self._kept

    def __getitem__(self, asked: Asked) -> Drive | None:
        self._kept.move_to_end(asked)
        return self._kept[asked]

    def keep(self, asked: Asked, drive: Drive | None) -> None:
        """Remember an answer, and that there is no way too."""
        self._forget(asked)
        self._kept[asked] = drive
        self._points += _size(drive)
        while self._points > self._most:
            self._forget(next(iter(self._kept)))

    def _forget(self, asked: Asked) -> None:
        if asked in self._kept:
            self._points -= _size(self._kept.pop(asked))


def _size(drive: Drive | None) -> int:
    return 1 + (len(drive[2]) if drive else 0)
