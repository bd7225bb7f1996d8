"""A job, everybody who might take it, and their ways there: what a ranking is made from. Pure.

Engineers are columns, not objects: ten thousand of them are a few arrays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from server.geo.congestion import P90_OVER_MEDIAN
from server.geo.domain import Point
from server.geo.journey import Matrix, Source
from server.workforce.domain import SkillLevel

FRESH = timedelta(minutes=15)  # an older position says nothing about where somebody is now
HORIZON = timedelta(hours=12)  # how far ahead a job without a window may look for a shift

# Of 24,000 random drives over a city and its surroundings none was quicker than half its estimate less 99 seconds.
_QUICKEST, _QUICKER_S = 0.5, 120

type Numbers = NDArray[np.float64]
type Integers = NDArray[np.int64]
type Flags = NDArray[np.bool_]
type Skills = tuple[SkillLevel, ...]
type Ids = NDArray[np.void]  # 16 bytes each


class Origin(StrEnum):
    """What an engineer's drive is counted from."""

    POSITION = "position"
    CURRENT_VISIT = "current_visit"
    HOME = "home"


ORIGINS = tuple(Origin)  # by the number that statements answer


@dataclass(frozen=True)
class Ban:
    """An engineer a customer does not want to see again."""

    engineer_id: UUID
    why: str

    @classmethod
    def from_db(cls, value: Mapping[str, str]) -> Self:
        return cls(UUID(value["engineer_id"]), value["why"])


@dataclass(frozen=True)
class Job:
    """What is asked for, where, by when, and whom the customer wants or has seen enough of."""

    id: UUID
    number: int
    title: str
    problem_type: str
    customer_id: UUID
    customer_name: str
    place: Point
    duration_minutes: int
    respond_by: datetime
    window_start: datetime | None
    window_end: datetime | None
    preferred_engineer_id: UUID | None
    territory_id: UUID | None
    vip: bool
    skills: tuple[SkillLevel, ...]
    needs_parts: bool  # some are reserved for it and not yet used
    declined_by: tuple[UUID, ...]
    wished_for: tuple[UUID, ...]  # by the customer, whatever the job
    bans: tuple[Ban, ...]  # by the customer

    @property
    def duration(self) -> timedelta:
        return timedelta(minutes=self.duration_minutes)

    def until(self, at: datetime) -> datetime:
        """By when it should be begun: what a shift must reach into."""
        return self.window_end or max(self.respond_by, at + HORIZON)


@dataclass(frozen=True, eq=False)
class Prospects:
    """Engineers as a job sees them: columns of one length, by rising id.

    Instants are seconds after the moment asked about, NaN where there is none. `origin` indexes `ORIGINS`. The shift is
    the first that still runs or begins in the job's time. `levels` are those of the job's skills, in its order, 0 for
    none: shape (engineers, skills asked for).
    """

    engineer_id: Ids
    active: Flags
    in_territory: Flags  # of the job; where neither has one, too
    origin: Integers
    lon: Numbers
    lat: Numbers
    capacity_minutes: Integers
    load_minutes: Integers
    visits_here: Integers
    parts: Numbers  # which share of the reserved parts is in their van
    tried: Integers  # first visits to problems of this type
    fixed: Integers  # after which nobody had to come again
    shift_starts: Numbers
    shift_ends: Numbers
    rest_opens: Numbers  # between these two their break begins
    rest_closes: Numbers
    rest_seconds: Numbers
    overtime_minutes: Numbers  # agreed after the shift
    busy_until: Numbers  # of what they are driving to or working at
    planned_until: Numbers  # end of the last visit planned before the shift ends
    levels: Integers
    usual_fix_rate: float  # of the organisation with problems of this type
    learnt_chance: Numbers | None = None  # to settle it with the first visit, where a model of that is accepted

    def __len__(self) -> int:
        return len(self.engineer_id)

    @property
    def leaves(self) -> Numbers:
        """When they can set off: not before their shift, nor before their current work is done."""
        return np.fmax(0.0, np.fmax(self.shift_starts, self.busy_until))

    def arrives(self, drive_seconds: Numbers, work_seconds: float) -> Numbers:
        """When they are there. Who could not be done before their break has to begin rests first; never the sooner."""
        at_once = self.leaves + drive_seconds
        rests = (self.leaves <= self.rest_closes) & (at_once + work_seconds > self.rest_closes)
        rested = np.fmax(self.leaves, self.rest_opens) + self.rest_seconds + drive_seconds
        return np.where(rests, rested, at_once)

    def among(self, people: Sequence[UUID]) -> Flags:
        """Mark those who are among `people`."""
        asked = np.array([it.bytes for it in people], dtype="V16")
        return np.isin(self.engineer_id.view("S16"), asked.view("S16")) if len(asked) else np.zeros(len(self), bool)

    def id_of(self, row: int) -> UUID:
        return UUID(bytes=self.engineer_id[row].tobytes())

    def row_of(self, engineer_id: UUID) -> int | None:
        found = np.flatnonzero(self.engineer_id == np.void(engineer_id.bytes))
        return int(found[0]) if len(found) else None

    def place_of(self, row: int) -> Point:
        return Point(float(self.lon[row]), float(self.lat[row]))


@dataclass(frozen=True, eq=False)
class Drives:
    """The way of each prospect to the job: columns as long as theirs."""

    seconds: Numbers
    p90_seconds: Numbers
    metres: Numbers
    estimated: Flags

    @classmethod
    def read(cls, table: Matrix) -> Self:
        """Read a table of one row or one column."""
        return cls(
            table.seconds.ravel().astype(np.float64),
            table.p90_seconds.ravel().astype(np.float64),
            table.metres.ravel().astype(np.float64),
            table.estimated.ravel(),
        )

    def corrected(self, rows: Integers, better: "Drives") -> "Drives":
        """The same with other numbers in some rows."""

        def column[N: (Numbers, Flags)](mine: N, theirs: N) -> N:
            mine = mine.copy()
            mine[rows] = theirs
            return mine

        return Drives(
            column(self.seconds, better.seconds),
            column(self.p90_seconds, better.p90_seconds),
            column(self.metres, better.metres),
            column(self.estimated, better.estimated),
        )

    def at_best(self) -> "Drives":
        """What roads do not undercut, of estimates: half of them less two minutes."""
        seconds = np.maximum(0.0, _QUICKEST * self.seconds - _QUICKER_S)
        return Drives(seconds, seconds * P90_OVER_MEDIAN, self.metres, self.estimated)

    def source(self, row: int) -> Source:
        return Source.ESTIMATE if self.estimated[row] else Source.ROADS
